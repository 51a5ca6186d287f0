//! Events and refusals as CloudEvents 1.0, for whatever collects the events of a company.
//!
//! The form is the structured mode of the JSON event format (`application/cloudevents+json`), written as RFC 8785. An
//! event's body becomes `data` as it is. There is no secret in it: bodies hold none, and nothing is added but `source`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::{code::Code, id::as_text, json, limits, time::Timestamp, vocabulary::Error};

/// One CloudEvent (CloudEvents specification 1.0.2, JSON event format 1.0.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CloudEvent {
    /// Unique within the source: `<key>#<version>` for an event, so that a repeated export is recognised; the key under
    /// which it is counted for a refusal, so that a flood of them is one.
    pub id: String,
    /// The host.
    pub source: Source,
    /// `1.0`.
    pub specversion: &'static str,
    /// `io.handfast.<fact>.v<schema>` for an event, `io.handfast.refused.v1` for a refusal.
    #[serde(rename = "type")]
    pub kind: String,
    /// The record's key; of a refusal only where it was judged against a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it was decided.
    pub time: Timestamp,
    /// `application/json`.
    pub datacontenttype: &'static str,
    /// The body.
    pub data: Value,
}

const SPECVERSION: &str = "1.0";
const CONTENT_TYPE: &str = "application/json";
const PREFIX: &str = "io.handfast";

impl CloudEvent {
    /// The media type of what [`CloudEvent::to_json`] writes.
    pub const MEDIA_TYPE: &'static str = "application/cloudevents+json";

    /// Carries an event's stored body.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`] when the body is not an event as handfast writes it.
    pub fn of_event(body: &str, source: Source) -> Result<Self, Error> {
        let data = read(body)?;
        let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
        let (Some(key), Some(version), Some(schema), Some(fact), Some(time)) = (
            text(data.get("key")),
            data.get("version").and_then(Value::as_u64),
            data.get("schema").and_then(Value::as_u64),
            text(data.get("fact").and_then(|fact| fact.get("type"))),
            text(data.get("at")).and_then(|at| at.parse().ok()),
        ) else {
            return Err(Error::CorruptRecord("not the body of an event".to_owned()));
        };
        let (id, kind) = (format!("{key}#{version}"), format!("{PREFIX}.{fact}.v{schema}"));
        Ok(Self::new(id, source, kind, Some(key), time, data))
    }

    /// Carries a refusal's stored body. `coalesce` is the key under which it is counted, as its row has it.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`] when the body is not a notice as handfast writes it, or there is no key.
    pub fn of_notice(coalesce: &str, body: &str, source: Source) -> Result<Self, Error> {
        let data = read(body)?;
        let text = |name: &str| data.get(name).and_then(Value::as_str);
        let is_key = !coalesce.is_empty() && coalesce.bytes().all(|byte| byte.is_ascii_graphic());
        let (true, Some(_), Some(_), Some(time)) =
            (is_key, text("code"), text("action"), text("at").and_then(|at| at.parse().ok()))
        else {
            return Err(Error::CorruptRecord("not the body of a notice, or no key".to_owned()));
        };
        let anchor = data.get("anchor").and_then(|anchor| anchor.get("key")?.as_str());
        let subject = anchor.map(str::to_owned).or_else(|| text("package").map(|id| format!("package/{id}")));
        Ok(Self::new(coalesce.to_owned(), source, format!("{PREFIX}.refused.v1"), subject, time, data))
    }

    /// The event as one line of RFC 8785 JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::canonical_of(self)
    }

    fn new(
        id: String,
        source: Source,
        kind: String,
        subject: Option<String>,
        time: Timestamp,
        data: Value,
    ) -> Self {
        Self {
            id,
            source,
            specversion: SPECVERSION,
            kind,
            subject,
            time,
            datacontenttype: CONTENT_TYPE,
            data,
        }
    }
}

fn read(body: &str) -> Result<Value, Error> {
    json::parse_canonical(body, limits::EVENT_BYTES).map_err(|error| Error::CorruptRecord(error.to_string()))
}

/// Who tells: the `source` of all CloudEvents of a host. A URI reference, best an absolute URI that names this very
/// installation (`https://enroll.example.org`, `urn:example:enroll:eu`): together with the id it is unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source(String);

/// The text is not a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URI reference of 1 to 2048 bytes")]
pub struct InvalidSource;

impl InvalidSource {
    /// [`Code::InvalidInput`].
    #[must_use]
    pub fn code(self) -> Code {
        Code::InvalidInput
    }
}

impl Source {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Source {
    type Err = InvalidSource;

    /// Accepts the characters of RFC 3986 with whole percent-encodings and at most one fragment.
    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
        let whole = |escape: &str| escape.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
        let fits = (1..=limits::CLOUD_EVENT_SOURCE_BYTES).contains(&text.len())
            && text.bytes().all(allowed)
            && text.split('%').skip(1).all(whole)
            && text.matches('#').count() <= 1;
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidSource) }
    }
}

as_text!(Source, "^[A-Za-z0-9._~:/?#@!$&'()*+,;=%\\[\\]-]{1,2048}$");
