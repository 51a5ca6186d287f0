//! Time as an argument: the core never reads a clock.

use chrono::{DateTime, Datelike, Duration, SubsecRound, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits;

/// An instant in UTC with millisecond precision; written as RFC 3339 with exactly three decimals and `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Truncates to milliseconds: what is stored is what is compared. A leap second is the second after it, as on POSIX
    /// clocks: it has no number of its own in [`Timestamp::unix_millis`], and other languages cannot read its text.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        Self::from_unix_millis(at.timestamp_millis()).unwrap_or(Self(at.trunc_subsecs(3)))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z; `None` beyond the calendar of chrono.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        DateTime::from_timestamp_millis(millis).map(Self)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// The instant as chrono has it.
    #[must_use]
    pub fn datetime(self) -> DateTime<Utc> {
        self.0
    }

    /// Later by `seconds`; stays at the end of the calendar instead of overflowing.
    #[must_use]
    pub fn plus_seconds(self, seconds: u32) -> Self {
        self.checked_shift(i64::from(seconds)).unwrap_or(Self(DateTime::<Utc>::MAX_UTC))
    }

    /// Earlier by `seconds`; stays at the beginning of the calendar instead of overflowing.
    #[must_use]
    pub fn minus_seconds(self, seconds: u32) -> Self {
        self.checked_shift(-i64::from(seconds)).unwrap_or(Self(DateTime::<Utc>::MIN_UTC))
    }

    fn checked_shift(self, seconds: i64) -> Option<Self> {
        self.0.checked_add_signed(Duration::try_seconds(seconds)?).map(Self)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, millis) = (u32::try_from(self.0.year()), self.0.timestamp_subsec_millis());
        match year {
            Ok(year @ 0..=9999) => {
                let text = self.digits(year, millis);
                formatter.write_str(std::str::from_utf8(&text).map_err(|_| std::fmt::Error)?)
            }
            // Years beyond four digits.
            Ok(_) | Err(_) => write!(formatter, "{}", self.0.format("%Y-%m-%dT%H:%M:%S%.3fZ")),
        }
    }
}

impl Timestamp {
    /// Ten times as fast as a format string: each event and each record has several times in it.
    fn digits(self, year: u32, millis: u32) -> [u8; 24] {
        let [y, e, a, r] = digits(year);
        let ([mo, nth], [d, ay]) = (digits(self.0.month()), digits(self.0.day()));
        let ([h, our], [mi, nute], [s, ec]) =
            (digits(self.0.hour()), digits(self.0.minute()), digits(self.0.second()));
        let [mil, li, sec] = digits(millis);
        [
            y, e, a, r, b'-', mo, nth, b'-', d, ay, b'T', h, our, b':', mi, nute, b':', s, ec, b'.', mil, li,
            sec, b'Z',
        ]
    }
}

fn digits<const N: usize>(mut value: u32) -> [u8; N] {
    let mut text = [b'0'; N];
    for digit in text.iter_mut().rev() {
        *digit = b'0'.saturating_add(u8::try_from(value % 10).unwrap_or_default());
        value /= 10;
    }
    text
}

impl std::str::FromStr for Timestamp {
    type Err = chrono::ParseError;

    /// Reads RFC 3339 with any offset, in at most [`limits::TIME_BYTES`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Only chrono makes its errors; that of an empty text does for one that is not looked at.
        let text = if text.len() <= limits::TIME_BYTES { text } else { "" };
        DateTime::parse_from_rfc3339(text).map(|at| Self::new(at.with_timezone(&Utc)))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As it crosses a boundary: what is wrong with a text is not chrono's to say.
struct Read(Timestamp);

impl std::str::FromStr for Read {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "expected an RFC 3339 time")
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Read(at) = crate::id::from_text(deserializer)?;
        Ok(at)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// The present, as the host knows it.
///
/// A board without a battery-backed clock boots in 1970 and would expire or admit everything. Such a host says
/// `trusted: false`, and nothing irreversible fires on the strength of that clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The instant.
    pub at: Timestamp,
    /// Whether the host has reason to believe it (synchronised, or the database's clock).
    pub trusted: bool,
}

impl Now {
    /// A present that the host vouches for.
    #[must_use]
    pub fn trusted(at: Timestamp) -> Self {
        Self { at, trusted: true }
    }

    /// A present from a clock that may never have been set.
    #[must_use]
    pub fn untrusted(at: Timestamp) -> Self {
        Self { at, trusted: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_with_three_decimals_and_read_with_any() {
        let at: Timestamp = "2026-01-02T03:04:05.6789+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-01-02T02:04:05.678Z");
        let whole: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(whole.to_string(), "2026-01-02T03:04:05.000Z");
    }

    proptest::proptest! {
        #[test]
        fn every_instant_is_written_as_chrono_writes_it(
            millis in -62_167_219_200_000_i64..253_402_300_800_000, edge in -400_000_000_000_000_i64..400_000_000_000_000,
        ) {
            for millis in [millis, edge, 253_402_300_799_999, 253_402_300_800_000, -62_167_219_200_000, -62_167_219_200_001] {
                let at = Timestamp::from_unix_millis(millis).unwrap();
                proptest::prop_assert_eq!(at.to_string(), at.0.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
            }
        }
    }

    #[test]
    fn a_leap_second_is_the_one_after_it_like_on_every_clock() {
        for text in ["2016-12-31T23:59:60.25Z", "2017-01-01T00:59:60.25+01:00"] {
            let leap: Timestamp = text.parse().unwrap();
            assert_eq!(leap.to_string(), "2017-01-01T00:00:00.250Z");
            assert_eq!(Timestamp::from_unix_millis(leap.unix_millis()), Some(leap));
        }
    }

    #[test]
    fn shifting_saturates() {
        let end = Timestamp(DateTime::<Utc>::MAX_UTC);
        assert_eq!(end.plus_seconds(u32::MAX), end);
    }
}
