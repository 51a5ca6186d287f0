//! Front matter: YAML between two lines `---`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::{DuplicateKeyPolicy, Error, MergeKeyPolicy, Spanned};

use super::{Missing, Mode, Reference, TemplateError, command, error};
use crate::{limits, secret::Secret};

const BEGIN: &str = "---\n";
const END: &str = "\n---\n";

/// A file in its two parts.
pub(super) struct Parts<'f> {
    pub(super) front: &'f str,
    pub(super) body: &'f str,
    /// The line of the file on which the body begins, from 1.
    pub(super) first_line: usize,
}

/// Splits a file. What emissary takes for a file without front matter, and so without a place to go, is an error that
/// says why.
pub(super) fn split(file: &str) -> Result<Parts<'_>, TemplateError> {
    if file.starts_with('\u{feff}') {
        return Err(TemplateError::front("the file begins with a byte order mark: save it without"));
    }
    if file.starts_with("---\r\n") {
        return Err(TemplateError::front("lines end with CR LF: save the file with LF"));
    }
    let rest = file.strip_prefix(BEGIN).ok_or_else(|| TemplateError::front("the first line is not ---"))?;
    let (front, body) = rest.split_once(END).ok_or_else(|| {
        TemplateError::front("no line --- (with a line's end) after it, with something between")
    })?;
    let lines = front.bytes().filter(|byte| *byte == b'\n').count();
    Ok(Parts { front, body, first_line: lines.saturating_add(4) })
}

/// What the front matter says.
pub(super) struct Front {
    pub(super) mode: Mode,
    pub(super) dest: String,
    pub(super) command: Vec<String>,
    pub(super) syntax: Syntax,
    pub(super) secrets: BTreeMap<String, (Reference, Missing)>,
}

/// How the body is written.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Syntax {
    /// Text with calls of `poll`.
    #[default]
    Emissary,
    /// Jinja.
    Jinja,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    mode: Option<Spanned<String>>,
    dest: Option<String>,
    onrender: Option<String>,
    #[serde(default)]
    syntax: Syntax,
    #[serde(default)]
    secrets: BTreeMap<String, WrittenSecret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSecret {
    provider: String,
    id: String,
    #[serde(default)]
    missing: Rule,
    default: Option<String>,
    deadline_seconds: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rule {
    #[default]
    Wait,
    Default,
    Optional,
    Fail,
}

/// Reads the text between the lines.
pub(super) fn read(text: &str) -> Result<Front, TemplateError> {
    let written = parse(text)?;
    let mode = written.mode.ok_or(TemplateError::Mode { what: "missing: nobody could read the file" })?;
    let limit = limits::TEMPLATE_SECRETS;
    if written.secrets.len() > limit {
        return Err(TemplateError::TooLarge { what: "the list of secrets", limit, unit: "secrets" });
    }
    let secrets =
        written.secrets.into_iter().map(|(name, secret)| Ok((name.clone(), read_secret(name, secret)?)));
    Ok(Front {
        mode: read_mode(text, &mode)?,
        dest: read_dest(written.dest)?,
        command: read_command(written.onrender.as_deref())?,
        syntax: written.syntax,
        secrets: secrets.collect::<Result<_, TemplateError>>()?,
    })
}

/// Without duplicate keys, aliases and merge keys: one reading only.
fn parse(text: &str) -> Result<Written, TemplateError> {
    if text.trim().is_empty() {
        return Err(TemplateError::front("it is empty: expected mode and dest"));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_aliases: 0,
            max_anchors: 0,
            max_depth: limits::JSON_DEPTH,
            max_events: limits::TEMPLATE_YAML_EVENTS,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| TemplateError::front(explain(&error)))
}

/// Names are repeated, values are not: one of them may be a secret's default.
fn explain(error: &Error) -> String {
    let line = error.location().map_or(0, |location| location.line().saturating_add(1));
    if let Error::SerdeUnknownField { field, expected, .. } = error {
        return format!("line {line}: unknown key {field}, expected one of {}", expected.join(", "));
    }
    if let Error::SerdeMissingField { field, .. } = error {
        return format!("line {line}: key {field} is missing");
    }
    if let Error::DuplicateMappingKey { .. } = error {
        return format!("line {line}: a key is given twice");
    }
    format!("line {line}: not YAML of its form")
}

/// In quotes or with a tag it would be a text. What stands in the file decides, because YAML has no octal numbers of this
/// form any more.
fn read_mode(text: &str, mode: &Spanned<String>) -> Result<Mode, TemplateError> {
    let offset = mode.defined.span().byte_offset().and_then(|offset| usize::try_from(offset).ok());
    let (before, from) = offset.and_then(|offset| text.split_at_checked(offset)).unwrap_or((text, ""));
    if before.trim_ascii_end().ends_with(':') && from.starts_with(&mode.value) {
        return mode.value.parse();
    }
    Err(TemplateError::Mode { what: "expected a plain number, without quotes" })
}

fn read_dest(dest: Option<String>) -> Result<String, TemplateError> {
    let dest = dest.unwrap_or_default();
    error::at_most(&dest, limits::TEMPLATE_PATH_BYTES, "dest")?;
    if dest.is_empty() {
        return Err(TemplateError::front("key dest is missing"));
    }
    if dest.ends_with('/') || dest.chars().any(char::is_control) {
        return Err(TemplateError::front("dest is not the path of a file"));
    }
    Ok(dest)
}

/// No command, where there is none or an empty text; a blank one was meant to be something.
fn read_command(line: Option<&str>) -> Result<Vec<String>, TemplateError> {
    let line = line.unwrap_or_default();
    let words = command::split_command(line)?;
    match words.first() {
        None if line.is_empty() => Ok(words),
        None => Err(TemplateError::Command { what: "blank" }),
        Some(program) if program.is_empty() => {
            Err(TemplateError::Command { what: "the program has no name" })
        }
        Some(_) => Ok(words),
    }
}

fn read_secret(name: String, secret: WrittenSecret) -> Result<(Reference, Missing), TemplateError> {
    if !is_name(&name) {
        let what = "expected a name of lower-case letters, digits and underscores";
        return Err(TemplateError::Declaration { name: "name".to_owned(), what });
    }
    let WrittenSecret { provider, id, missing, default, deadline_seconds } = secret;
    let deadline_seconds = match deadline_seconds {
        Some(seconds) if seconds == 0 || seconds > limits::TEMPLATE_DEADLINE_MAX_SECONDS => {
            return Err(TemplateError::Declaration { name, what: "deadline_seconds: expected 1 to 86400" });
        }
        given => given,
    };
    let default = default.map(Secret::new);
    let missing = match (missing, default, deadline_seconds) {
        (Rule::Wait, None, None) => Ok(Missing::Wait),
        (Rule::Wait, None, Some(_)) => Err("a deadline needs missing: default, optional or fail"),
        (Rule::Default, Some(value), deadline_seconds) => Ok(Missing::Default { value, deadline_seconds }),
        (Rule::Default, None, _) => Err("missing: default needs a default"),
        (Rule::Optional, None, deadline_seconds) => Ok(Missing::Optional { deadline_seconds }),
        (Rule::Fail, None, Some(deadline_seconds)) => Ok(Missing::Fail { deadline_seconds }),
        (Rule::Fail, None, None) => Err("missing: fail needs deadline_seconds"),
        (Rule::Wait | Rule::Optional | Rule::Fail, Some(_), _) => Err("a default needs missing: default"),
    };
    let missing = missing.map_err(|what| TemplateError::Declaration { name, what })?;
    if let Missing::Default { value, .. } = &missing {
        error::at_most(value.expose(), limits::TEMPLATE_VALUE_BYTES, "a default")?;
    }
    Ok((Reference::new(&provider, &id)?, missing))
}

/// A variable's name in the engine.
fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= limits::KIND_BYTES
        && name.bytes().all(is_part)
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}
