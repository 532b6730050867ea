//! What a shop of the demo is made of: who comes, by which ways, at which hours, and what is bought or asked.

/// A business with its site. All names and addresses are invented.
pub struct Shop {
    pub name: &'static str,
    pub domain: &'static str,
    pub currency: &'static str,
    pub zone: &'static str,
    pub country: &'static str,
    pub consent: &'static str,
    /// Visits of an average day.
    pub visits: u64,
    /// Weight of each hour of the day, and percent of each weekday from Monday on.
    pub hours: [u64; 24],
    pub weekdays: [u64; 7],
    pub ways: &'static [Way],
    pub places: &'static [Place],
    pub pages: &'static [(&'static str, &'static str)],
    pub goods: &'static [Good],
    pub forms: &'static [Form],
    /// Of 10,000 usual visits so many end with an order, or with a form.
    pub orders: u64,
    pub leads: u64,
    /// Of 10,000 orders so many bring their buyer back within two months, mostly to buy again.
    pub returning: u64,
    /// The number of the first order.
    pub first_number: u64,
    /// What its orders are called in the shop.
    pub prefix: &'static str,
    pub platform: &'static str,
    pub coupons: &'static [&'static str],
    /// Who sends buyers for a commission: a name, the code of links, a coupon, what is paid.
    pub partners: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// What its people have written on days, each so many days ago.
    pub notes: &'static [(i32, &'static str)],
    /// Filters that they look through again and again: a name, a dimension, a value as the address has it.
    pub segments: &'static [(&'static str, &'static str, &'static str)],
    pub costs: &'static [Cost],
    /// Ways that they look at: a name, and the steps as the API takes them.
    pub funnels: &'static [(&'static str, &'static str)],
}

impl Shop {
    /// Its orders come from a shop system that is connected, not from its own code.
    pub fn has_store(&self) -> bool {
        self.platform == "woocommerce"
    }
}

/// What advertising costs a week, in minor units: source, medium, campaign; from so many days ago, up to so many.
pub type Cost = (&'static str, &'static str, &'static str, i64, (i32, i32));

/// A way by which visitors come.
pub struct Way {
    pub weight: u64,
    /// Days ago: from, to. A campaign has its weeks.
    pub days: (i32, i32),
    /// Landing with its parameters; `{click}` is a new click id each time.
    pub link: &'static str,
    pub referrer: Option<&'static str>,
    /// Percent of a usual visit's chance to buy or to ask.
    pub keen: u64,
    /// Percent of these visits by browsers that were here before.
    pub again: u64,
}

/// Where visitors are at home.
pub struct Place {
    pub weight: u64,
    pub country: &'static str,
    pub region: &'static str,
    pub cities: &'static [&'static str],
    pub zone: &'static str,
    pub language: &'static str,
    /// `#` is a digit. Ranges kept for films where a country has one, else numbers with 555 in them.
    pub phone: &'static str,
    pub first_names: &'static [&'static str],
    pub last_names: &'static [&'static str],
}

pub struct Good {
    pub sku: &'static str,
    pub name: &'static str,
    pub minor: i64,
    pub weight: u64,
}

pub struct Form {
    pub kind: &'static str,
    pub page: &'static str,
    pub weight: u64,
    pub value: Option<&'static str>,
    /// What comes of it when it is won, from and to, in the large unit. Nobody sells anything by the others.
    pub deal: Option<(i64, i64)>,
    pub messages: &'static [&'static str],
}

/// Browsers that people have, and how often.
pub const AGENTS: &[(u64, &str)] = &[
    (
        26,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    ),
    (22, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36"),
    (17, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"),
    (9, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15"),
    (
        8,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22G86 Instagram 402.0.0.27.81",
    ),
    (6, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0"),
    (
        4,
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
    ),
    (4, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    (4, "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1"),
];
