//! Bodies in emissary's spelling: text with calls `{{poll "provider" "id"}}`, and nothing else of Go's template language. As
//! there, `{{- ` and ` -}}` take away the white space beside them (text/template, "Text and spaces").

use super::{Need, Reference, TemplateError, reference::Missing};
use crate::limits;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
/// What separates the parts of a call (text/template, "Actions").
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Reads a body and gives the same for the engine, in which each secret is a variable, and the secrets in the order in
/// which they are first called for.
pub(super) fn translate(body: &str, first_line: usize) -> Result<(String, Vec<Need>), TemplateError> {
    let mut source = String::with_capacity(body.len());
    let mut needs: Vec<Need> = Vec::new();
    let (mut rest, mut is_trimmed) = (body, false);
    while let Some((text, after)) = rest.split_once(OPEN) {
        let line = first_line.saturating_add(lines_before(body, after));
        let syntax = |what: &str| TemplateError::Syntax { line, what: what.to_owned() };
        let text = if is_trimmed { text.trim_start_matches(SPACE) } else { text };
        let call = after.strip_prefix('-').filter(|call| call.starts_with(SPACE));
        push_text(&mut source, if call.is_some() { text.trim_end_matches(SPACE) } else { text });
        let (reference, after) = read_call(call.unwrap_or(after)).map_err(syntax)??;
        let variable = variable_of(reference, &mut needs)?;
        source.extend([OPEN, " ", variable, " ", CLOSE]);
        (rest, is_trimmed) = after;
    }
    let rest = if is_trimmed { rest.trim_start_matches(SPACE) } else { rest };
    push_text(&mut source, rest);
    Ok((source, needs))
}

/// What opens a block or a comment to the engine is text here; so is a brace to which a call moves up.
fn push_text(source: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find("{%").into_iter().chain(rest.find("{#")).min() {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (opening, after) = from.split_at_checked(2).unwrap_or((from, ""));
        source.extend([before, "{{ \"", opening, "\" }}"]);
        rest = after;
    }
    let brace = rest.strip_suffix('{').map(|before| [before, "{{ \"{\" }}"]);
    source.extend(brace.unwrap_or([rest, ""]));
}

fn variable_of(reference: Reference, needs: &mut Vec<Need>) -> Result<&str, TemplateError> {
    let known = needs.iter().position(|need| need.reference == reference);
    let place = known.unwrap_or(needs.len());
    if known.is_none() {
        let limit = limits::TEMPLATE_SECRETS;
        if place >= limit {
            return Err(TemplateError::TooLarge { what: "the list of secrets", limit, unit: "secrets" });
        }
        needs.push(Need { reference, missing: Missing::Wait, variable: format!("s{place}") });
    }
    Ok(needs.get(place).map_or("", |need| need.variable.as_str()))
}

/// The secret, what follows, and whether the white space at its beginning is to go.
type Call<'b> = Result<(Reference, (&'b str, bool)), TemplateError>;

/// Reads from behind `{{` or `{{-` to behind `}}`.
fn read_call(text: &str) -> Result<Call<'_>, &'static str> {
    const ONLY: &str = "expected {{poll \"provider\" \"id\"}}: nothing else of Go's template language is read; \
                        `syntax: jinja` has conditions, loops and filters";
    if !text.contains(CLOSE) {
        return Err("an action that is not closed");
    }
    let text = text.trim_start_matches(SPACE).strip_prefix("poll").ok_or(ONLY)?;
    let (provider, text) = read_argument(text).ok_or(ONLY)?;
    let (id, text) = read_argument(text).ok_or(ONLY)?;
    let end = text.trim_start_matches(SPACE);
    let trimming = end.strip_prefix('-').filter(|_| end.len() < text.len());
    let after = trimming.unwrap_or(end).strip_prefix(CLOSE).ok_or(ONLY)?;
    Ok(Reference::new(provider, id).map(|reference| (reference, (after, trimming.is_some()))))
}

/// White space, then a text in quotes without escapes, or in backquotes.
fn read_argument(text: &str) -> Option<(&str, &str)> {
    let argument = text.trim_start_matches(SPACE);
    if argument.len() == text.len() {
        return None;
    }
    match argument.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').filter(|(argument, _)| !argument.contains('\\')),
        None => argument.strip_prefix('`')?.split_once('`'),
    }
}

/// Lines of `whole` before its end `rest`.
fn lines_before(whole: &str, rest: &str) -> usize {
    let length = whole.len().saturating_sub(rest.len());
    whole.bytes().take(length).filter(|byte| *byte == b'\n').count()
}
