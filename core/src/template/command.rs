//! Command lines, split into words as a shell would, and never given to one.

use super::{TemplateError, error};
use crate::limits;

/// Splits a command line into its words: white space separates, quotes and backslashes protect it. Nothing is expanded:
/// `$HOME`, `*` and `&&` are words like others.
///
/// Strict: what readers of such lines understand differently is refused instead of guessed. These are unbalanced quotes, a
/// backslash at the end, before a line's end, or within double quotes before anything but `"`, `\`, `$` and `` ` ``; a `#`
/// at the beginning of a word, which is a comment to some; control characters.
///
/// # Errors
/// `template_command`; `too_large` beyond [`limits::TEMPLATE_COMMAND_BYTES`] or [`limits::TEMPLATE_COMMAND_WORDS`].
pub fn split_command(line: &str) -> Result<Vec<String>, TemplateError> {
    error::at_most(line, limits::TEMPLATE_COMMAND_BYTES, "the command")?;
    let mut rest = line.chars();
    let mut words = Vec::new();
    while let Some(word) = next_word(&mut rest)? {
        words.push(word);
    }
    let limit = limits::TEMPLATE_COMMAND_WORDS;
    if words.len() > limit {
        return Err(TemplateError::TooLarge { what: "the command", limit, unit: "words" });
    }
    Ok(words)
}

fn refuse<T>(what: &'static str) -> Result<T, TemplateError> {
    Err(TemplateError::Command { what })
}

fn next_word(rest: &mut std::str::Chars<'_>) -> Result<Option<String>, TemplateError> {
    let mut word: Option<String> = None;
    loop {
        match rest.next() {
            None => return Ok(word),
            Some(' ' | '\t' | '\n') if word.is_none() => {}
            Some(' ' | '\t' | '\n') => return Ok(word),
            Some('#') if word.is_none() => {
                return refuse("a word begins with #, which may be a comment: put it into quotes");
            }
            Some('\\') => word.get_or_insert_default().push(escaped(rest)?),
            Some('\'') => single_quoted(rest, word.get_or_insert_default())?,
            Some('"') => double_quoted(rest, word.get_or_insert_default())?,
            Some(other) => word.get_or_insert_default().push(plain(other)?),
        }
    }
}

fn plain(character: char) -> Result<char, TemplateError> {
    match character {
        '\t' | '\n' => Ok(character),
        other if other.is_control() => refuse("a control character"),
        other => Ok(other),
    }
}

fn escaped(rest: &mut std::str::Chars<'_>) -> Result<char, TemplateError> {
    match rest.next() {
        None => refuse("a backslash at the end"),
        Some('\n') => refuse("a backslash before the end of a line"),
        Some(other) => plain(other),
    }
}

fn single_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), TemplateError> {
    loop {
        match rest.next() {
            None => return refuse("a quote that is not closed"),
            Some('\'') => return Ok(()),
            Some(other) => word.push(plain(other)?),
        }
    }
}

fn double_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), TemplateError> {
    loop {
        match rest.next() {
            None => return refuse("a quote that is not closed"),
            Some('"') => return Ok(()),
            Some('\\') => match rest.next() {
                None => return refuse("a quote that is not closed"),
                Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                Some(_) => {
                    return refuse("within double quotes, a backslash before anything but \", \\, $ or `");
                }
            },
            Some(other) => word.push(plain(other)?),
        }
    }
}
