//! A template as it is written, read and compiled.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    Missing, Mode, Need, Reference, TemplateError,
    engine::{Engine, Places},
    error,
    front::{self, Syntax},
    poll,
};
use crate::{limits, secret::Secret};

/// A template: where its file goes, what it needs, what runs afterwards. Everything that can be wrong with it without
/// knowing its secrets is found when it is read.
pub struct Template {
    mode: Mode,
    dest: String,
    command: Vec<String>,
    needs: Vec<Need>,
    places: Arc<Places>,
    engine: Engine,
}

impl Template {
    /// Reads a template file.
    ///
    /// # Errors
    /// `too_large`, `template_front_matter`, `template_mode`, `template_command`, `template_syntax`, `template_secret`.
    pub fn parse(file: &str) -> Result<Self, TemplateError> {
        error::at_most(file, limits::TEMPLATE_BYTES, "the template")?;
        let parts = front::split(file)?;
        let front = front::read(parts.front)?;
        let (engine, needs) = match front.syntax {
            Syntax::Emissary => calls(&parts, front.secrets)?,
            Syntax::Jinja => variables(&parts, front.secrets)?,
        };
        let places = needs.iter().enumerate().map(|(place, need)| (need.variable.clone(), place)).collect();
        let (mode, places) = (front.mode, Arc::new(places));
        Ok(Self { mode, dest: front.dest, command: front.command, needs, places, engine })
    }

    /// The permission bits of the file.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The path of the file.
    #[must_use]
    pub fn dest(&self) -> &str {
        &self.dest
    }

    /// The words of the command; none where nothing is to run.
    #[must_use]
    pub fn command(&self) -> &[String] {
        &self.command
    }

    /// The secrets that it needs, each once, whether or not every value leads to their use.
    #[must_use]
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// Renders with one value for each need, in their order.
    ///
    /// # Errors
    /// `template_render` with the line and the engine's reason; `too_large` for a file beyond
    /// [`limits::TEMPLATE_OUTPUT_BYTES`]; `misuse` for another number of values.
    pub fn render(&self, values: &[&Secret]) -> Result<Secret, TemplateError> {
        if values.len() != self.needs.len() {
            return Err(TemplateError::Misuse("expected one value for each need"));
        }
        self.engine.render(&self.places, values)
    }
}

/// Text may be secret by itself, so the body is not shown.
impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, dest, command, needs, places: _, engine: _ } = self;
        let mut shown = formatter.debug_struct("Template");
        shown.field("mode", &mode.to_string()).field("dest", dest).field("command", command);
        shown.field("needs", needs).finish_non_exhaustive()
    }
}

type Declared = BTreeMap<String, (Reference, Missing)>;

/// The calls say what is needed; what is declared says what to do without it.
fn calls(parts: &front::Parts<'_>, declared: Declared) -> Result<(Engine, Vec<Need>), TemplateError> {
    let (source, mut needs) = poll::translate(parts.body, parts.first_line)?;
    let mut told = vec![false; needs.len()];
    for (name, (reference, missing)) in declared {
        let place = needs.iter_mut().zip(&mut told).find(|(need, _)| need.reference == reference);
        match place {
            None => return Err(unused(name)),
            Some((_, told)) if *told => return Err(repeated(name)),
            Some((need, told)) => {
                need.missing = missing;
                *told = true;
            }
        }
    }
    Ok((Engine::compile(source, parts.first_line)?, needs))
}

/// What is declared is what is needed; the body must use all of it, and nothing else.
fn variables(parts: &front::Parts<'_>, declared: Declared) -> Result<(Engine, Vec<Need>), TemplateError> {
    let engine = Engine::compile(parts.body.to_owned(), parts.first_line)?;
    let mut used = engine.variables()?;
    let mut needs: Vec<Need> = Vec::new();
    for (name, (reference, missing)) in declared {
        if !used.remove(&name) {
            return Err(unused(name));
        }
        if needs.iter().any(|need| need.reference == reference) {
            return Err(repeated(name));
        }
        needs.push(Need { reference, missing, variable: name });
    }
    match used.pop_first() {
        Some(name) => Err(TemplateError::Declaration { name, what: "used and not declared" }),
        None => Ok((engine, needs)),
    }
}

fn unused(name: String) -> TemplateError {
    TemplateError::Declaration { name, what: "declared and not used" }
}

fn repeated(name: String) -> TemplateError {
    TemplateError::Declaration { name, what: "declared under another name already" }
}
