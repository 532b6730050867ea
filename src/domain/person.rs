//! Stand-in until the full rules land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);
impl Email {
    pub fn parse(text: &str) -> Option<Self> {
        let t = text.trim().to_lowercase();
        t.contains('@').then_some(Self(t))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(String);
impl Phone {
    pub fn parse(text: &str, _country: Option<&str>) -> Option<Self> {
        text.starts_with('+').then(|| Self(text.into()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }
}
