//! From bytes to checked members: strict JSON, known names, one grammar for each.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde_json::Value;

use super::{MessageType, SignatureVersion, SnsError, error::clip, lexer::Lexer};
use crate::{limits, time::Timestamp};

/// The members of an SNS message, each of its own form. Nothing in here is authentic yet.
pub(super) struct Fields<'a> {
    pub(super) contents: Contents<'a>,
    pub(super) version: SignatureVersion,
    /// The signed text as far as it is known before the order of the other members is: `Message\n` and its value.
    pub(super) text: String,
    pub(super) message_id: Cow<'a, str>,
    /// As SNS wrote it: `.000` is part of the signed text.
    pub(super) timestamp_text: Cow<'a, str>,
    pub(super) timestamp: Timestamp,
    /// Well formed only when it is on the policy's list.
    pub(super) topic: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
    pub(super) signing_cert_url: Cow<'a, str>,
}

/// What differs between the three types.
pub(super) enum Contents<'a> {
    Notification { subject: Option<Cow<'a, str>> },
    SubscriptionConfirmation(Subscription<'a>),
    UnsubscribeConfirmation(Subscription<'a>),
}

impl Contents<'_> {
    pub(super) fn kind(&self) -> MessageType {
        match self {
            Self::Notification { .. } => MessageType::Notification,
            Self::SubscriptionConfirmation(_) => MessageType::SubscriptionConfirmation,
            Self::UnsubscribeConfirmation(_) => MessageType::UnsubscribeConfirmation,
        }
    }
}

/// What only the confirmations carry.
pub(super) struct Subscription<'a> {
    pub(super) token: Cow<'a, str>,
    pub(super) subscribe_url: Cow<'a, str>,
}

/// Reads a body.
///
/// Signed members other than Message may hold no control character: the signed text joins names and values by
/// newlines, and a value with a newline could be cut into other members.
pub(super) fn parse(body: &[u8]) -> Result<Fields<'_>, SnsError> {
    if body.len() > limits::SNS_BODY_BYTES {
        return Err(SnsError::TooLarge { bytes: body.len(), limit: limits::SNS_BODY_BYTES });
    }
    let text =
        std::str::from_utf8(body).map_err(|error| SnsError::NotUtf8 { valid_bytes: error.valid_up_to() })?;
    let mut members = read_members(text)?;
    let kind_text = members.kind.take_text("Type")?;
    let kind = MessageType::from_text(&kind_text)
        .ok_or_else(|| SnsError::UnknownType { found: clip(&kind_text) })?;
    let contents = match kind {
        MessageType::Notification => Contents::Notification { subject: members.subject.take_subject()? },
        MessageType::SubscriptionConfirmation => {
            Contents::SubscriptionConfirmation(members.take_subscription()?)
        }
        MessageType::UnsubscribeConfirmation => {
            Contents::UnsubscribeConfirmation(members.take_subscription()?)
        }
    };
    members.unsubscribe_url.check_text_if_present("UnsubscribeURL")?;
    let timestamp_text = members.timestamp.take_text("Timestamp")?;
    Ok(Fields {
        contents,
        version: signature_version(&members.signature_version.take_text("SignatureVersion")?)?,
        text: members.take_message()?,
        message_id: members.message_id.take_checked("MessageId", "a UUID", is_uuid)?,
        timestamp: timestamp(&timestamp_text)
            .ok_or(SnsError::invalid("Timestamp", "YYYY-MM-DDTHH:MM:SS.mmmZ"))?,
        timestamp_text,
        topic: members.topic_arn.take_text("TopicArn")?,
        signature: members.signature.take_text("Signature")?,
        signing_cert_url: members.signing_cert_url.take_text("SigningCertURL")?,
    })
}

/// The members as they were found, by name.
#[derive(Default)]
struct Members<'a> {
    kind: Slot<'a>,
    message_id: Slot<'a>,
    topic_arn: Slot<'a>,
    subject: Slot<'a>,
    message: Slot<'a>,
    timestamp: Slot<'a>,
    signature_version: Slot<'a>,
    signature: Slot<'a>,
    signing_cert_url: Slot<'a>,
    unsubscribe_url: Slot<'a>,
    subscribe_url: Slot<'a>,
    token: Slot<'a>,
    text: String,
}

impl<'a> Members<'a> {
    /// The value of Message stands in the text already.
    fn take_message(&mut self) -> Result<String, SnsError> {
        self.message.take_text("Message")?;
        Ok(std::mem::take(&mut self.text))
    }

    fn take_subscription(&mut self) -> Result<Subscription<'a>, SnsError> {
        Ok(Subscription {
            token: self.token.take_checked("Token", "hexadecimal digits", is_token)?,
            subscribe_url: self.subscribe_url.take_checked("SubscribeURL", "a URL", is_url)?,
        })
    }

    /// The place of a member, under the spellings of HTTP deliveries and of Lambda events.
    fn slot(&mut self, name: &str) -> Option<&mut Slot<'a>> {
        match name {
            "Type" => Some(&mut self.kind),
            "MessageId" => Some(&mut self.message_id),
            "TopicArn" => Some(&mut self.topic_arn),
            "Subject" => Some(&mut self.subject),
            "Message" => Some(&mut self.message),
            "Timestamp" => Some(&mut self.timestamp),
            "SignatureVersion" => Some(&mut self.signature_version),
            "Signature" => Some(&mut self.signature),
            "SigningCertURL" | "SigningCertUrl" => Some(&mut self.signing_cert_url),
            "UnsubscribeURL" | "UnsubscribeUrl" => Some(&mut self.unsubscribe_url),
            "SubscribeURL" | "SubscribeUrl" => Some(&mut self.subscribe_url),
            "Token" => Some(&mut self.token),
            _ => None,
        }
    }
}

/// Names that no unknown member may imitate: some readers take names whatever their case.
const NAMES: [&str; 12] = [
    "Type",
    "MessageId",
    "TopicArn",
    "Subject",
    "Message",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
    "UnsubscribeURL",
    "SubscribeURL",
    "Token",
];

/// One member.
#[derive(Default)]
enum Slot<'a> {
    #[default]
    Absent,
    Null,
    Other,
    Text(Cow<'a, str>),
}

impl<'a> Slot<'a> {
    fn without_text(value: &Value) -> Self {
        if value.is_null() { Self::Null } else { Self::Other }
    }

    fn take_text(&mut self, name: &'static str) -> Result<Cow<'a, str>, SnsError> {
        match std::mem::take(self) {
            Self::Text(text) => Ok(text),
            Self::Absent => Err(SnsError::MissingField { name }),
            Self::Null | Self::Other => Err(SnsError::FieldType { name }),
        }
    }

    fn take_checked(
        &mut self,
        name: &'static str,
        expected: &'static str,
        check: fn(&str) -> bool,
    ) -> Result<Cow<'a, str>, SnsError> {
        let text = self.take_text(name)?;
        if check(&text) { Ok(text) } else { Err(SnsError::invalid(name, expected)) }
    }

    /// Lambda writes `null` for no subject; an empty subject is a subject and is signed.
    fn take_subject(&mut self) -> Result<Option<Cow<'a, str>>, SnsError> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::Text(_) | Self::Other => {
                self.take_checked("Subject", "text without control characters", is_line).map(Some)
            }
        }
    }

    fn check_text_if_present(&self, name: &'static str) -> Result<(), SnsError> {
        match self {
            Self::Absent | Self::Text(_) => Ok(()),
            Self::Null | Self::Other => Err(SnsError::FieldType { name }),
        }
    }
}

/// The name under which the signed text begins; it is unescaped there directly.
const MESSAGE: &str = "Message";

fn read_members(text: &str) -> Result<Members<'_>, SnsError> {
    let mut lexer = Lexer::new(text);
    let mut members = Members::default();
    let mut unknown: Vec<Cow<'_, str>> = Vec::new();
    lexer.expect(b'{', "expected an object")?;
    if lexer.peek() != Some(b'}') {
        loop {
            read_member(&mut lexer, &mut members, &mut unknown)?;
            if lexer.peek() == Some(b'}') {
                break;
            }
            lexer.expect(b',', "expected a comma or the end of the object")?;
        }
    }
    lexer.expect(b'}', "expected the end of the object")?;
    lexer.end()?;
    Ok(members)
}

fn read_member<'a>(
    lexer: &mut Lexer<'a>,
    members: &mut Members<'a>,
    unknown: &mut Vec<Cow<'a, str>>,
) -> Result<(), SnsError> {
    let name = lexer.string()?;
    lexer.expect(b':', "expected a colon")?;
    let text = lexer.peek() == Some(b'"');
    let duplicate = |name: &str| SnsError::DuplicateField { name: clip(name) };
    if let Some(slot) = members.slot(&name) {
        if !matches!(slot, Slot::Absent) {
            return Err(duplicate(&name));
        }
        if text && name == MESSAGE {
            *slot = Slot::Text(Cow::Borrowed(""));
            members.text = lexer.string_after(signed_text(lexer))?;
            return Ok(());
        }
        *slot = if text { Slot::Text(lexer.string()?) } else { Slot::without_text(&lexer.value()?) };
        return Ok(());
    }
    if unknown.contains(&name) || NAMES.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
        return Err(duplicate(&name));
    }
    if unknown.len() >= limits::SNS_UNKNOWN_MEMBERS {
        return Err(lexer.fault("too many unknown members"));
    }
    unknown.push(name);
    lexer.value().map(|_| ())
}

/// The signed text is shorter than the body that it comes from, so this is its one allocation.
fn signed_text(lexer: &Lexer<'_>) -> String {
    let mut text = String::with_capacity(lexer.length());
    text.push_str(MESSAGE);
    text.push('\n');
    text
}

fn signature_version(text: &str) -> Result<SignatureVersion, SnsError> {
    match text {
        "1" => Ok(SignatureVersion::V1),
        "2" => Ok(SignatureVersion::V2),
        other => Err(SnsError::UnsupportedVersion { found: clip(other) }),
    }
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`, the only form that SNS writes, on a real day.
fn timestamp(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', rest @ ..] = *bytes else { return None };
    let [h1, h2, b':', n1, n2, b':', s1, s2, b'.', f1, f2, f3, b'Z'] = rest else { return None };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    date.and_hms_milli_opt(hour, minute, second, number(&[f1, f2, f3])?)
        .map(|at| Timestamp::new(at.and_utc()))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562).
fn is_uuid(text: &str) -> bool {
    const FORM: &[u8; 36] = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let fits = |(byte, form): (u8, &u8)| if *form == b'-' { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == FORM.len() && text.bytes().zip(FORM).all(fits)
}

fn is_token(text: &str) -> bool {
    (1..=limits::SNS_TOKEN_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_url(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;

    const BODY: &[u8] = include_bytes!("../../vectors/sns/messages/unsigned-members.json");

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        /// Whatever this reader takes for a message, the general strict reader takes for the same JSON.
        #[test]
        fn nothing_but_strict_json_is_a_message(
            edits in prop::collection::vec((any::<Index>(), "[\"\\\\{}\\[\\],: \\nu0a\\x00-]{0,3}", 0_usize..4), 0..3),
        ) {
            let mut body = BODY.to_vec();
            for (place, insert, drop) in edits {
                let from = place.index(body.len());
                let to = body.len().min(from + drop);
                body.splice(from..to, insert.bytes());
            }
            if let Ok(fields) = parse(&body) {
                let value = crate::json::parse(&body, limits::SNS_BODY_BYTES).unwrap();
                let message = value["Message"].as_str().unwrap();
                prop_assert_eq!(fields.text, format!("Message\n{message}"));
                prop_assert_eq!(value["MessageId"].as_str(), Some(&*fields.message_id));
                prop_assert_eq!(value["Signature"].as_str(), Some(&*fields.signature));
                prop_assert_eq!(value["Timestamp"].as_str(), Some(&*fields.timestamp_text));
            }
        }
    }

    #[test]
    fn faults_name_their_place() {
        let fault = parse(b"{\n \"Type\": \"x\",\n \"Message\": \"a\\qb\"}").map(|_| ()).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "the body is not one strict JSON object: unknown escape (line 3 column 16)"
        );
    }

    #[test]
    fn timestamps_are_of_one_form() {
        assert_eq!(timestamp("2026-02-28T23:59:59.000Z").unwrap().to_string(), "2026-02-28T23:59:59.000Z");
        assert!(timestamp("2024-02-29T00:00:00.999Z").is_some());
        for text in [
            "2026-02-29T00:00:00.000Z",
            "2026-02-28T24:00:00.000Z",
            "2026-02-28T23:59:60.000Z",
            "2026-02-28T23:59:59Z",
            "2026-02-28T23:59:59.0000Z",
            "2026-02-28T23:59:59.000z",
            "2026-02-28 23:59:59.000Z",
            "2026-02-28T23:59:59.00\u{e9}Z",
            "2026-02-28T23:59:59.000+00:00",
            "+026-02-28T23:59:59.000Z",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn uuids_have_five_groups() {
        assert!(is_uuid("22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"));
        for text in ["", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324-", "22b80b92fdea4c2c8f9dbdfb0c7bf324"] {
            assert!(!is_uuid(text), "{text}");
        }
        assert!(!is_uuid("22b80b92-fdea-4c2c-8f9d-bdfb0c7bf32\n"));
    }
}
