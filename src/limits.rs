//! Rate limits and quotas: token buckets in memory, with the time passed in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use crate::crypto;
use crate::domain::time::Time;

/// A rate: so many at once, and so many a second after that (in thousandths).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub burst: u32,
    pub per_1000_s: u32,
}

impl Rate {
    pub const fn per_second(rate: u32, burst: u32) -> Self {
        Self { burst, per_1000_s: rate * 1_000 }
    }

    pub const fn per_minute(rate: u32, burst: u32) -> Self {
        Self { burst, per_1000_s: rate * 1_000 / 60 }
    }
}

/// Buckets that fill up again are forgotten; beyond this many the fullest go first.
const MOST: usize = 200_000;

#[derive(Debug, Default)]
pub struct Limits {
    buckets: Mutex<HashMap<(&'static str, u64), Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Thousandths of a token.
    level: i64,
    at: Time,
    rate: Rate,
}

impl Bucket {
    fn level_at(&self, now: Time) -> i64 {
        let gained = now.ms_since(self.at).max(0).saturating_mul(i64::from(self.rate.per_1000_s)) / 1_000;
        (self.level.saturating_add(gained)).min(i64::from(self.rate.burst) * 1_000)
    }
}

impl Limits {
    /// Takes one token; `Err` says after how many seconds there is one again.
    pub fn take(&self, what: &'static str, key: u64, rate: Rate, now: Time) -> Result<(), u32> {
        let mut buckets = self.buckets.lock().unwrap_or_else(|e| e.into_inner());
        if buckets.len() >= MOST {
            buckets.retain(|_, b| b.level_at(now) < i64::from(b.rate.burst) * 1_000);
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let bucket = buckets.entry((what, key)).or_insert(Bucket { level: i64::from(rate.burst) * 1_000, at: now, rate });
        let level = bucket.level_at(now);
        bucket.at = now;
        bucket.rate = rate;
        if level >= 1_000 {
            bucket.level = level - 1_000;
            return Ok(());
        }
        bucket.level = level;
        let missing_ms = (1_000 - level) * 1_000 / i64::from(rate.per_1000_s.max(1));
        Err((missing_ms as u32).div_ceil(1_000).max(1))
    }
}

/// One key for an IPv4 address or an IPv6 /64, which is what one subscriber has.
pub fn address_key(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => u64::from(u32::from(v4)) | 1 << 40,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => u64::from(u32::from(v4)) | 1 << 40,
            None => (u128::from(v6) >> 64) as u64,
        },
    }
}

/// A key made of any text, for this run of the process only. Nobody outside can tell which texts share one.
pub fn text_key(text: &str) -> u64 {
    crypto::key_of_this_run(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let limits = Limits::default();
        let rate = Rate::per_second(5, 3);
        let at = Time::from_s(1_000);
        for _ in 0..3 {
            assert_eq!(limits.take("touch", 1, rate, at), Ok(()));
        }
        assert_eq!(limits.take("touch", 1, rate, at), Err(1));
        assert_eq!(limits.take("touch", 2, rate, at), Ok(()), "another address");
        assert_eq!(limits.take("touch", 1, rate, at.plus_ms(200)), Ok(()));
        assert_eq!(limits.take("touch", 1, rate, at.plus_ms(200)), Err(1));
    }

    #[test]
    fn a_slow_rate_says_how_long_to_wait() {
        let limits = Limits::default();
        let rate = Rate::per_minute(6, 1);
        let at = Time::from_s(1_000);
        assert_eq!(limits.take("identify", 1, rate, at), Ok(()));
        assert_eq!(limits.take("identify", 1, rate, at), Err(10));
    }

    #[test]
    fn neighbours_in_a_slash_64_are_one() {
        let key = |t: &str| address_key(t.parse().expect("an address"));
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }
}
