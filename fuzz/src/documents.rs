//! The documents that cross a host's boundary: commands and policies in JSON, and the events of a cloud.
//!
//! Input: a byte that says what the rest is taken for (modulo 3): a command, a policy, or the message of a notification. The
//! event speaks of an account and a region that are trusted; an error names a path and gives no secret away.

use handfast::{
    Command, Policy,
    aws::{self, AwsError, NotForUs, Received, Trust},
    json, limits,
    vocabulary::{Error, from_value},
};
use serde_json::Value;

/// One input; whether it is accepted.
pub(crate) fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else { return false };
    match form % 3 {
        0 => json::parse(rest, limits::COMMAND_BYTES).is_ok_and(command),
        1 => json::parse(rest, limits::COMMAND_BYTES).is_ok_and(policy),
        _ => std::str::from_utf8(rest).is_ok_and(event),
    }
}

fn command(value: Value) -> bool {
    let given = value.clone();
    match Command::from_value(value) {
        Ok(command) => {
            let source = given["source"].as_str().map(|text| text.parse().expect("an address"));
            assert_eq!(command.source, source);
            let authority = given["authority"].as_str();
            assert!(authority.is_none_or(|text| command.authority.to_string() == text));
            assert!(given["type"].is_string());
            let shown = format!("{command:?}");
            let secret = given["token"].as_str().filter(|text| text.starts_with("hf1_") && text.len() > 40);
            assert!(secret.is_none_or(|secret| !shown.contains(secret)), "{shown}");
            true
        }
        Err(error) => {
            refused(&error);
            false
        }
    }
}

fn policy(value: Value) -> bool {
    match from_value::<Policy>(value, "policy") {
        Ok(policy) => !format!("{policy:?}").is_empty(),
        Err(error) => {
            refused(&error);
            false
        }
    }
}

fn refused(error: &Error) {
    assert!(matches!(error, Error::Input { message, .. } if !message.is_empty()), "{error:?}");
}

fn event(text: &str) -> bool {
    let topic = "arn:aws:sns:us-east-1:123456789012:instances".parse().expect("a topic");
    let at = "2026-01-01T00:00:01Z".parse().expect("a time");
    let trust = [Trust { topic, accounts: [].into(), regions: [].into() }];
    match aws::read_for_testing(text, &trust[0].topic, at, &trust) {
        Ok(Received::Instance(event)) => {
            assert_eq!((event.account().as_str(), event.region().as_str()), ("123456789012", "us-east-1"));
            assert!(event.published_at() == at && !event.event_id().is_empty());
            assert!(event.instance().as_str().starts_with("i-"));
            let lenient: Value = serde_json::from_str(text).expect("accepted JSON");
            assert!(lenient.to_string().contains(event.instance().as_str()));
            true
        }
        Ok(Received::NotForUs(why)) => {
            let is_json = serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
            assert!(why == NotForUs::NotAnEvent || is_json);
            false
        }
        Err(error) => {
            assert!(!matches!(error, AwsError::UntrustedTopic) && !error.to_string().is_empty());
            false
        }
    }
}
