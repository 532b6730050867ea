//! Rates, and how far a small number may be trusted.

/// Rates of fewer cases carry a range and are not ranked.
pub const FEW: i64 = 30;

/// Cases out of a whole, as a fraction; none where the whole is nothing.
pub fn rate(cases: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| cases as f64 / whole as f64)
}

/// Wilson's interval at 95 %, where the whole is small; none where it is large enough to speak for itself, and none where there
/// are more cases than the whole has: sales without a visit make a rate above 1, which is no share of anything.
pub fn range(cases: i64, whole: i64) -> Option<(f64, f64)> {
    if whole <= 0 || whole >= FEW || !(0..=whole).contains(&cases) {
        return None;
    }
    Some(wilson(cases, whole))
}

/// Wilson's interval of a share at 95 %; the whole is more than nothing.
pub fn wilson(cases: i64, whole: i64) -> (f64, f64) {
    let (n, p, z) = (whole as f64, (cases as f64 / whole as f64).min(1.0), 1.959_964);
    let middle = p + z * z / (2.0 * n);
    let reach = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let below = 1.0 + z * z / n;
    // All of them is 1, whatever the rounding of the terms makes of it.
    let high = if cases >= whole { 1.0 } else { ((middle + reach) / below).min(1.0) };
    (((middle - reach) / below).max(0.0), high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_cases_carry_a_range() {
        assert_eq!(rate(1, 0), None);
        assert_eq!(rate(1, 4), Some(0.25));
        assert_eq!(range(10, 30), None);
        let (low, high) = range(3, 10).expect("a range");
        // Newcombe (1998), table I: 3 of 10 is 0.108 to 0.603.
        assert!((low - 0.108).abs() < 0.001 && (high - 0.603).abs() < 0.001, "{low} {high}");
        assert_eq!(range(0, 10).map(|(low, _)| low), Some(0.0));
        assert_eq!(range(10, 10).map(|(_, high)| high), Some(1.0));
        assert_eq!((rate(12, 10), range(12, 10)), (Some(1.2), None), "more than all is no share");
    }
}
