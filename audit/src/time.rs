//! Points in time, as the record writes them.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Milliseconds since 1970-01-01T00:00:00Z, written as RFC 3339 in UTC. Years 1970 to 9999.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(u64);

/// The last millisecond of the year 9999.
const LAST: u64 = 253_402_300_799_999;

impl Timestamp {
    /// From milliseconds since 1970; what is after the year 9999 is cut to its end.
    pub fn from_millis(millis: u64) -> Self {
        Self(millis.min(LAST))
    }

    /// Milliseconds since 1970.
    pub fn as_millis(self) -> u64 {
        self.0
    }

    /// How much later this is than `earlier`; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// `20261124T114000Z`, for the names of files.
    pub(crate) fn compact(self) -> String {
        let (year, month, day) = civil(self.0 / 86_400_000);
        let second = self.0 / 1000 % 86_400;
        format!(
            "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }

    /// Reads what [`Timestamp::compact`] writes.
    pub(crate) fn from_compact(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let date = [number(bytes, 0, 4)?, number(bytes, 4, 2)?, number(bytes, 6, 2)?];
        let time = [number(bytes, 9, 2)?, number(bytes, 11, 2)?, number(bytes, 13, 2)?];
        from_parts(date, time, 0)
    }

    fn write(self) -> [u8; 24] {
        let mut out = *b"0000-00-00T00:00:00.000Z";
        let (year, month, day) = civil(self.0 / 86_400_000);
        let milli = self.0 % 86_400_000;
        for (at, width, value) in [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, milli / 3_600_000),
            (14, 2, milli / 60_000 % 60),
            (17, 2, milli / 1000 % 60),
            (20, 3, milli % 1000),
        ] {
            digits(&mut out[at..at + width], value);
        }
        out
    }
}

impl From<SystemTime> for Timestamp {
    /// What is before 1970 becomes 1970.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self::from_millis(u64::try_from(since.as_millis()).unwrap_or(LAST))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.write()).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.write();
        serializer.serialize_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A text that is no point in time as the record writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form 2026-11-24T11:40:00.000Z")]
pub struct ParseTimestampError;

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        parse(text.as_bytes()).ok_or(ParseTimestampError)
    }
}

fn parse(bytes: &[u8]) -> Option<Timestamp> {
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
    if bytes.len() != 24 || marks.iter().any(|&(at, mark)| bytes[at] != mark) {
        return None;
    }
    let date = [number(bytes, 0, 4)?, number(bytes, 5, 2)?, number(bytes, 8, 2)?];
    let time = [number(bytes, 11, 2)?, number(bytes, 14, 2)?, number(bytes, 17, 2)?];
    from_parts(date, time, number(bytes, 20, 3)?)
}

fn from_parts(date: [u64; 3], time: [u64; 3], milli: u64) -> Option<Timestamp> {
    let ([year, month, day], [hour, minute, second]) = (date, time);
    let valid = year >= 1970
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None;
    }
    let days = days(year, month, day);
    // A day that the month does not have comes back as another one.
    (civil(days) == (year, month, day))
        .then(|| Timestamp(days * 86_400_000 + (hour * 3600 + minute * 60 + second) * 1000 + milli))
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    bytes[at..at + width].iter().try_fold(0, |value, &digit| {
        digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0'))
    })
}

fn digits(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
    }
}

/// The civil date of a day counted from 1970-01-01, by the era arithmetic of the proleptic
/// Gregorian calendar (400 years have 146 097 days; years begin in March so that the leap day is
/// the last).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// The inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times() {
        for (millis, text, compact) in [
            (0, "1970-01-01T00:00:00.000Z", "19700101T000000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z", "20000229T000000Z"),
            (1_795_520_400_123, "2026-11-24T11:40:00.123Z", "20261124T114000Z"),
            (LAST, "9999-12-31T23:59:59.999Z", "99991231T235959Z"),
        ] {
            let time = Timestamp::from_millis(millis);
            assert_eq!((time.to_string().as_str(), time.compact().as_str()), (text, compact));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-11-24",
            "2026-02-30T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-11-24T24:00:00.000Z",
            "2026-11-24 11:40:00.000Z",
            "2026-11-24T11:40:00.000+",
            "1969-12-31T23:59:59.999Z",
            "２026-11-24T11:40:00.0Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(millis in 0..=LAST) {
            let time = Timestamp::from_millis(millis);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
            prop_assert_eq!(
                Timestamp::from_compact(&time.compact()),
                Some(Timestamp::from_millis(millis / 1000 * 1000))
            );
        }
    }
}
