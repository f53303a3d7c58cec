use std::time::{SystemTime, UNIX_EPOCH};

const DAY_MS: i64 = 86_400_000;

/// A time in milliseconds since 1970 as ISO 8601 has it, in UTC: `2026-11-21T10:05:32.007Z`.
///
/// The day comes from Howard Hinnant's `civil_from_days` ("chrono-Compatible Low-Level Date
/// Algorithms", 2021): years begin in March and are counted in eras of 400.
pub fn utc(time_ms: i64) -> String {
    const DAYS_BEFORE_1970: i64 = 719_468;
    const DAYS_IN_ERA: i64 = 146_097;
    let days = time_ms.div_euclid(DAY_MS) + DAYS_BEFORE_1970;
    let (era, day) = (days.div_euclid(DAYS_IN_ERA), days.rem_euclid(DAYS_IN_ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    let year = year + era * 400 + i64::from(month <= 2);
    let ms = time_ms.rem_euclid(DAY_MS);
    let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
    let (second, ms) = (ms / 1_000 % 60, ms % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The same of a clock's time; one before 1970 counts as its first moment.
pub fn utc_of(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    utc(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_as_the_calendar_has_them() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(utc(ms), expected);
        }
    }

    #[test]
    fn a_clock_counts_from_1970() {
        let time = UNIX_EPOCH + Duration::from_millis(951_782_400_007);
        assert_eq!(utc_of(time), "2000-02-29T00:00:00.007Z");
        let before = UNIX_EPOCH.checked_sub(Duration::from_secs(9));
        assert_eq!(before.map(utc_of), Some(utc(0)));
    }

    #[test]
    fn any_number_is_some_time() {
        for ms in [i64::MIN, i64::MAX] {
            assert!(utc(ms).ends_with('Z'));
        }
    }
}
