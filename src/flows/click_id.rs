//! The click id of a short link, `clk_` and 32 characters: which link, when, five random bytes, and a seal for its site. It
//! proves by itself what was clicked, so that it is honoured even where the click's own row was lost or is past its time.

use crate::crypto;
use crate::domain::ids::LinkId;
use crate::domain::time::Time;

const PREFIX: &str = "clk_";
/// Link (4), milliseconds (6), random (5).
const NAME_BYTES: usize = 15;
const SEAL_BYTES: usize = 9;
const CHARS: usize = (NAME_BYTES + SEAL_BYTES) / 3 * 4;

/// What a click id says of its click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clicked {
    pub link: LinkId,
    pub at: Time,
}

/// A fresh one. None for a link whose number no site ever reaches.
pub fn issue(link: LinkId, at: Time, site_key: &[u8; 32]) -> Option<String> {
    let mut raw = [0u8; NAME_BYTES + SEAL_BYTES];
    raw[..4].copy_from_slice(&u32::try_from(link.number()).ok()?.to_be_bytes());
    raw[4..10].copy_from_slice(&u64::try_from(at.ms()).ok()?.to_be_bytes()[2..]);
    raw[10..NAME_BYTES].copy_from_slice(&crypto::random::<5>());
    let seal = seal(&raw[..NAME_BYTES], site_key);
    raw[NAME_BYTES..].copy_from_slice(&seal);
    Some(format!("{PREFIX}{}", crypto::base64url(&raw)))
}

/// Checks the seal in constant time. What another site has issued, and what nobody has, is nothing here.
pub fn open(text: &str, site_key: &[u8; 32]) -> Option<Clicked> {
    let coded = text.strip_prefix(PREFIX).filter(|rest| rest.len() == CHARS)?;
    let raw = crypto::unbase64url(coded)?;
    let (name, told) = raw.split_at_checked(NAME_BYTES)?;
    if !crypto::same(told, &seal(name, site_key)) {
        return None;
    }
    let link = u32::from_be_bytes(name.get(..4)?.try_into().ok()?);
    let mut ms = [0u8; 8];
    ms[2..].copy_from_slice(name.get(4..10)?);
    Some(Clicked { link: LinkId::new(i64::from(link)), at: Time::from_ms(i64::try_from(u64::from_be_bytes(ms)).ok()?) })
}

fn seal(name: &[u8], site_key: &[u8; 32]) -> [u8; SEAL_BYTES] {
    let whole = crypto::hmac_sha256(site_key, &[b"click.", name]);
    let mut seal = [0u8; SEAL_BYTES];
    seal.copy_from_slice(&whole[..SEAL_BYTES]);
    seal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_id_opens_only_whole_and_only_for_its_site() {
        let (key, other) = ([1; 32], [2; 32]);
        let at = Time::from_ms(1_781_342_400_123);
        let id = issue(LinkId::new(70_000), at, &key).expect("an id");
        assert_eq!(id.len(), 36);
        assert_eq!(open(&id, &key), Some(Clicked { link: LinkId::new(70_000), at }));
        assert_eq!(open(&id, &other), None);
        assert_ne!(issue(LinkId::new(70_000), at, &key), Some(id.clone()), "two clicks of one moment are two");
        for place in 0..id.len() {
            let mut changed = id.clone().into_bytes();
            changed[place] = if changed[place] == b'b' { b'c' } else { b'b' };
            assert_eq!(open(&String::from_utf8(changed).expect("ASCII"), &key), None, "changed at {place}");
        }
        for not_ours in ["", "clk_", "clk_abc123", "clk_ecommerce_001", &id[..35], &format!("{id}A"), &id.to_lowercase()] {
            assert_eq!(open(not_ours, &key), None, "{not_ours}");
        }
        assert_eq!(issue(LinkId::new(1 << 40), at, &key), None);
    }
}
