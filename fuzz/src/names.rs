//! Names, ids, times and other short texts against whoever chooses them.
//!
//! Input: a text, which is taken for each of them. Whatever is accepted has one spelling, which it is written in again, and
//! no more bytes than the longest of them may have.

use std::{fmt::Display, str::FromStr};

use handfast::{
    Authority, Timestamp,
    archive::FileName,
    audit::{Month, Root, Source},
    aws::{AccountId, InstanceId, Region},
    id::{
        ActorName, DecisionId, Digest, Fingerprint, ForeignId, ItemName, KeyId, Kind, NodeId, NodeName,
        PackageId, PackageName, PoolName, RequestId, ResourceKind, ResourceName, ScopeId, SecretId, Subject,
    },
    ledger::{ChangeCursor, Cursor, LabelFilter},
    limits,
    record::Key,
    sns::{TopicArn, parse_duration},
    token::EnrollmentToken,
    userdata::{Cloud, FilePath, IgnitionVersion, Mode},
    vocabulary::EffectId,
};

/// One input; whether any reader accepts it.
pub(crate) fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let ids = [
        one_spelling::<PackageId>(text),
        one_spelling::<DecisionId>(text),
        one_spelling::<NodeId>(text),
        one_spelling::<SecretId>(text),
        one_spelling::<Digest>(text),
        one_spelling::<Key>(text),
        one_spelling::<EffectId>(text),
        one_spelling::<Cursor>(text),
        one_spelling::<ChangeCursor>(text),
        one_spelling::<Root>(text),
        one_spelling::<Month>(text),
    ];
    let names = [
        one_spelling::<ActorName>(text),
        one_spelling::<Fingerprint>(text),
        one_spelling::<ForeignId>(text),
        one_spelling::<ItemName>(text),
        one_spelling::<KeyId>(text),
        one_spelling::<Kind>(text),
        one_spelling::<NodeName>(text),
        one_spelling::<PackageName>(text),
        one_spelling::<PoolName>(text),
        one_spelling::<RequestId>(text),
        one_spelling::<ResourceKind>(text),
        one_spelling::<ResourceName>(text),
        one_spelling::<ScopeId>(text),
        one_spelling::<Subject>(text),
        one_spelling::<Authority>(text),
        one_spelling::<FileName>(text),
    ];
    let clouds = [
        one_spelling::<AccountId>(text),
        one_spelling::<InstanceId>(text),
        one_spelling::<Region>(text),
        one_spelling::<TopicArn>(text),
        one_spelling::<Cloud>(text),
        text.parse::<FilePath>().is_ok_and(|path| path.as_str() == text && path.as_str().starts_with('/')),
        text.parse::<Mode>().is_ok_and(|mode| format!("{:04o}", mode.bits()) == text),
        text.parse::<IgnitionVersion>().is_ok_and(|version| version.as_str() == text),
    ];
    // These two take almost any text.
    let _ = (one_spelling::<LabelFilter>(text), one_spelling::<Source>(text));
    let others = [time(text), token(text), duration(text)];
    ids.contains(&true) || names.contains(&true) || clouds.contains(&true) || others.contains(&true)
}

fn one_spelling<T: FromStr + Display>(text: &str) -> bool {
    let Ok(value) = text.parse::<T>() else { return false };
    assert_eq!(value.to_string(), text, "{}", std::any::type_name::<T>());
    assert!(text.len() <= limits::RECORD_KEY_BYTES && !text.is_empty());
    true
}

/// A time is written in the one form, which is read as the same time.
fn time(text: &str) -> bool {
    let Ok(time) = text.parse::<Timestamp>() else { return false };
    assert_eq!(time.to_string().parse(), Ok(time));
    assert_eq!(Timestamp::from_unix_millis(time.unix_millis()), Some(time));
    true
}

fn token(text: &str) -> bool {
    let Ok(token) = EnrollmentToken::parse(text) else { return false };
    assert_eq!(token.to_secret().expose(), text);
    assert!(!format!("{token:?}").contains(&text[text.len() - 20..]));
    true
}

fn duration(text: &str) -> bool {
    let Some(seconds) = parse_duration(text) else { return false };
    assert_eq!(parse_duration(&seconds.to_string()), Some(seconds));
    true
}
