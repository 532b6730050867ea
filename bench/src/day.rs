//! Days and seconds as people and shops write them.

const DAY_S: i64 = 86_400;

/// `2026-06-13`, by Howard Hinnant's `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>).
pub fn day_text(ms: i64) -> String {
    let z = ms.div_euclid(DAY_S * 1_000) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-06-13T08:00:00`, of seconds in UTC.
pub fn second_text(s: i64) -> String {
    let of_day = s.rem_euclid(DAY_S);
    format!("{}T{:02}:{:02}:{:02}", day_text(s * 1_000), of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

/// The seconds of such a text, by his `days_from_civil`.
pub fn second_of(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    let days = era * 146_097 + doe - 719_468;
    Some(days * DAY_S + number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_people_do() {
        assert_eq!(day_text(0), "1970-01-01");
        assert_eq!(day_text(1_781_337_600_000), "2026-06-13");
        assert_eq!(day_text(1_709_164_800_000), "2024-02-29");
    }

    #[test]
    fn seconds_come_back_as_they_were_written() {
        for s in [0, 59, 1_709_164_799, 1_781_337_600, 951_782_400, -1] {
            assert_eq!(second_of(&second_text(s)), Some(s), "{}", second_text(s));
        }
        assert_eq!(second_of("soon"), None);
    }
}
