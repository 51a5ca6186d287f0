//! minijinja, held to what a template of secrets needs.
//!
//! Undefined values are errors, nothing is escaped, nothing is loaded from anywhere, and work and memory are bounded by
//! its fuel. Values are data: the engine never reads one as a template. It copies them into memory that is not wiped.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use minijinja::{
    AutoEscape, Environment, Error, UndefinedBehavior,
    syntax::SyntaxConfig,
    value::{Object, Value},
};

use super::{TemplateError, error};
use crate::{limits, secret::Secret};

const NAME: &str = "template";

/// A compiled body.
pub(super) struct Engine {
    environment: Environment<'static>,
    first_line: usize,
}

impl Engine {
    /// Compiles a body that begins on this line of its file.
    pub(super) fn compile(source: String, first_line: usize) -> Result<Self, TemplateError> {
        let syntax = |error: &Error| TemplateError::Syntax {
            line: line(error, first_line),
            what: error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
        };
        let mut environment = Environment::new();
        environment.remove_global("debug");
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(limits::TEMPLATE_FUEL));
        let kept = SyntaxConfig::builder().keep_trailing_newline(true).build();
        environment.set_syntax(kept.map_err(|error| syntax(&error))?);
        environment.add_template_owned(NAME, source).map_err(|error| syntax(&error))?;
        Ok(Self { environment, first_line })
    }

    /// The variables that the body looks up, without those that it sets itself and those of the engine.
    pub(super) fn variables(&self) -> Result<BTreeSet<String>, TemplateError> {
        let template = self.environment.get_template(NAME).map_err(|error| self.refuse(&error))?;
        let mut variables: BTreeSet<_> = template.undeclared_variables(false).into_iter().collect();
        for (global, _) in self.environment.globals() {
            variables.remove(global);
        }
        Ok(variables)
    }

    /// Renders with values, of which each variable has one at its place.
    pub(super) fn render(&self, places: &Arc<Places>, values: &[&Secret]) -> Result<Secret, TemplateError> {
        let template = self.environment.get_template(NAME).map_err(|error| self.refuse(&error))?;
        let values = values.iter().map(|value| Value::from(value.expose())).collect();
        let values = Value::from_object(Values { places: Arc::clone(places), values });
        let rendered = template.render(values).map_err(|error| self.refuse(&error))?;
        let rendered = Secret::new(rendered);
        error::at_most(rendered.expose(), limits::TEMPLATE_OUTPUT_BYTES, "the rendered file")?;
        Ok(rendered)
    }

    /// Only the kind of the error is told: its details may repeat a value.
    fn refuse(&self, error: &Error) -> TemplateError {
        TemplateError::Render { line: line(error, self.first_line), what: error.kind().to_string() }
    }
}

/// Where the values of the variables are.
pub(super) type Places = BTreeMap<String, usize>;

/// The values of one rendering. The names are sorted once, when the template is read, and not for each rendering.
struct Values {
    places: Arc<Places>,
    values: Vec<Value>,
}

impl Object for Values {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.values.get(*self.places.get(key.as_str()?)?).cloned()
    }
}

/// The values are secrets.
impl fmt::Debug for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Values").finish_non_exhaustive()
    }
}

/// The line of the file.
fn line(error: &Error, first_line: usize) -> usize {
    error.line().map_or(0, |line| line.saturating_add(first_line).saturating_sub(1))
}
