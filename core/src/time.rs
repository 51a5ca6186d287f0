//! Time as an argument: the core never reads a clock.

use chrono::{DateTime, Duration, SubsecRound, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// An instant in UTC with millisecond precision; written as RFC 3339 with exactly three decimals and `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Truncates to milliseconds: what is stored is what is compared.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(3))
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
        write!(formatter, "{}", self.0.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = chrono::ParseError;

    /// Reads RFC 3339 with any offset and precision.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text).map(|at| Self::new(at.with_timezone(&Utc)))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("expected an RFC 3339 time"))
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

    #[test]
    fn shifting_saturates() {
        let end = Timestamp(DateTime::<Utc>::MAX_UTC);
        assert_eq!(end.plus_seconds(u32::MAX), end);
    }
}
