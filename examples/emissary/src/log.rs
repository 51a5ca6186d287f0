//! The log: a JSON object a line, on standard error.
//!
//! What is logged are paths, names, codes and the reasons of the operating system: no value, and nothing that a command
//! has printed.

use serde_json::{Map, Value};

use crate::clock;

type Members<'a> = [(&'static str, &'a str)];

pub(crate) fn info(event: &str, members: &Members<'_>) {
    line("info", event, members);
}

pub(crate) fn warn(event: &str, members: &Members<'_>) {
    line("warn", event, members);
}

pub(crate) fn error(event: &str, members: &Members<'_>) {
    line("error", event, members);
}

#[expect(clippy::print_stderr, reason = "the log of a command-line program")]
fn line(level: &str, event: &str, members: &Members<'_>) {
    let at = clock::wall().to_string();
    let fixed = [("at", at.as_str()), ("level", level), ("event", event)];
    let object: Map<String, Value> =
        fixed.iter().chain(members).map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect();
    eprintln!("{}", Value::Object(object));
}
