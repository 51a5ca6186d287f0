//! The payload of a token: claims, and what is expected of them.

use serde_json::{Map, Value};

use super::JwtError;
use crate::{limits, time::Timestamp};

/// The claims of a token (RFC 7519 section 4). Only inside [`crate::Verified`] are they anybody's word.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(Map<String, Value>);

/// What a token must say to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// `typ`, compared exactly; `None` accepts every type and also none.
    pub typ: Option<&'a str>,
    /// `iss`, compared exactly; `None` accepts every issuer that has the key.
    pub issuer: Option<&'a str>,
    /// What `aud` must be or contain. `None` refuses tokens that have an audience: they are meant for somebody else (RFC 7519
    /// section 4.1.3).
    pub audience: Option<&'a str>,
    /// Seconds by which the issuer's clock may be wrong; for one's own tokens 0.
    pub leeway_seconds: u32,
}

impl Default for Expected<'_> {
    fn default() -> Self {
        Self { typ: None, issuer: None, audience: None, leeway_seconds: limits::LEEWAY_SECONDS }
    }
}

const A_TIME: &str = "a number of seconds from 1970 to 9999";

impl Claims {
    /// Takes the claims.
    #[must_use]
    pub fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// All claims, by name.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// A claim that is a text, where it is given.
    ///
    /// # Errors
    /// [`JwtError::InvalidClaim`] when it is anything else.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, JwtError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => {
                value.as_str().map(Some).ok_or(JwtError::InvalidClaim { name, expected: "a text" })
            }
        }
    }

    /// A claim that is a text and must be given.
    ///
    /// # Errors
    /// [`JwtError::MissingClaim`], [`JwtError::InvalidClaim`].
    pub fn required_text(&self, name: &'static str) -> Result<&str, JwtError> {
        self.text(name)?.ok_or(JwtError::MissingClaim { name })
    }

    /// A claim that is a time (a NumericDate of RFC 7519, seconds and perhaps a fraction), where it is given.
    ///
    /// # Errors
    /// [`JwtError::InvalidClaim`] for a text, a negative number, or a time beyond the year 9999.
    pub fn time(&self, name: &'static str) -> Result<Option<Timestamp>, JwtError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => millis(value).map(Some).ok_or(JwtError::InvalidClaim { name, expected: A_TIME }),
        }
    }

    /// A claim that is a time and must be given.
    ///
    /// # Errors
    /// [`JwtError::MissingClaim`], [`JwtError::InvalidClaim`].
    pub fn required_time(&self, name: &'static str) -> Result<Timestamp, JwtError> {
        self.time(name)?.ok_or(JwtError::MissingClaim { name })
    }

    /// Issuer, audience and times. `exp` must be given: a token without an end is a password.
    pub(super) fn check(&self, expected: &Expected<'_>, now: Timestamp) -> Result<(), JwtError> {
        if expected.issuer.is_some() && self.text("iss")? != expected.issuer {
            return Err(JwtError::WrongIssuer);
        }
        if !self.is_for(expected.audience)? {
            return Err(JwtError::WrongAudience);
        }
        self.required_time("exp")?;
        self.check_times(expected.leeway_seconds, now)
    }

    /// `exp`, `nbf` and `iat`, each where it is given.
    pub(crate) fn check_times(&self, leeway_seconds: u32, now: Timestamp) -> Result<(), JwtError> {
        let (expires, begins, issued) = (self.time("exp")?, self.time("nbf")?, self.time("iat")?);
        let (early, late) = (now.minus_seconds(leeway_seconds), now.plus_seconds(leeway_seconds));
        if begins.is_some_and(|begins| late < begins) {
            return Err(JwtError::NotYetValid);
        }
        if issued.is_some_and(|issued| late < issued) {
            return Err(JwtError::IssuedAhead);
        }
        if expires.is_some_and(|expires| early >= expires) { Err(JwtError::Expired) } else { Ok(()) }
    }

    /// Whether it is meant for this audience, or for nobody in particular.
    pub(crate) fn is_for(&self, audience: Option<&str>) -> Result<bool, JwtError> {
        let invalid = JwtError::InvalidClaim { name: "aud", expected: "a text or a list of texts" };
        match self.0.get("aud") {
            None => Ok(audience.is_none()),
            Some(Value::String(one)) => Ok(audience == Some(one)),
            Some(Value::Array(many)) => {
                let texts: Option<Vec<_>> = many.iter().map(Value::as_str).collect();
                let texts = texts.ok_or(invalid)?;
                Ok(audience.is_some_and(|audience| texts.contains(&audience)))
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Err(invalid),
        }
    }
}

impl FromIterator<(String, Value)> for Claims {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(claims: I) -> Self {
        Self(claims.into_iter().collect())
    }
}

/// The seconds of a time that is written as a claim; milliseconds are dropped.
pub(super) fn seconds(at: Timestamp) -> Value {
    at.unix_millis().div_euclid(1000).into()
}

fn millis(value: &Value) -> Option<Timestamp> {
    let number = value.as_number()?;
    let millis = match number.as_i64() {
        Some(seconds) => seconds.checked_mul(1000)?,
        None => fraction(number.as_f64()?)?,
    };
    let known = 0..=limits::JWT_TIME_MAX_SECONDS.checked_mul(1000)?;
    known.contains(&millis).then(|| Timestamp::from_unix_millis(millis)).flatten()
}

/// Milliseconds of a number with a fraction or an exponent.
fn fraction(seconds: f64) -> Option<i64> {
    let (whole, thousandths) = (format!("{seconds:.3}"), 3);
    let (whole, rest) = whole.split_at_checked(whole.len().checked_sub(thousandths)?)?;
    let digits = format!("{}{rest}", whole.strip_suffix('.')?);
    digits.parse().ok()
}
