//! Wrong usage, said without what was given.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// Takes out of an error what was given as a value, or as an argument too many: a secret that was pasted there by mistake must
/// not go on into a log. What the program itself calls its options stays.
pub(crate) fn without_values(mut error: Error) -> Error {
    let given = if error.kind() == ErrorKind::UnknownArgument {
        ContextKind::InvalidArg
    } else if error.kind() == ErrorKind::InvalidSubcommand {
        ContextKind::InvalidSubcommand
    } else {
        ContextKind::InvalidValue
    };
    let is_shown = match error.get(given) {
        Some(ContextValue::String(text)) => text.is_empty() || is_option(text),
        Some(_) | None => true,
    };
    if !is_shown {
        error.insert(given, ContextValue::String("(not shown)".to_owned()));
        error.remove(ContextKind::Suggested); // it says the argument once more
    }
    error
}

/// A mistyped option is shown: it has no value in it.
fn is_option(text: &str) -> bool {
    text.strip_prefix("--").is_some_and(|name| {
        (1..=20).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    })
}
