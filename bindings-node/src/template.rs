//! Templates that need secrets, and the machine that waits for them.

use std::sync::Arc;

use handfast::template::{self, Reference, Schedule, Step, Supply, TemplateError};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;

use crate::{
    carry::Secrets,
    error::{Result, Throw, invalid},
    secret::Secret,
    system,
};

/// A template file, read and checked.
#[napi]
pub struct Template(Arc<template::Template>);

/// A secret that a template needs.
#[napi(object, object_from_js = false)]
pub struct Need {
    /// Who is to be asked.
    pub provider: String,
    /// For what.
    pub id: String,
    /// What happens while it is missing.
    pub missing: &'static str,
    /// Seconds after which it is given up.
    pub deadline_seconds: Option<u32>,
}

#[napi]
impl Template {
    /// Reads a template file.
    #[napi(constructor)]
    pub fn new(file: String) -> Result<Self> {
        template::Template::parse(&file).map(|template| Self(Arc::new(template))).map_err(Throw::throw)
    }

    /// The permission bits of the file.
    #[napi(getter)]
    pub fn mode(&self) -> u32 {
        self.0.mode().bits()
    }

    /// The path of the file.
    #[napi(getter)]
    pub fn dest(&self) -> &str {
        self.0.dest()
    }

    /// The words of the command.
    #[napi(getter)]
    pub fn command(&self) -> Vec<String> {
        self.0.command().to_vec()
    }

    /// The secrets that it needs.
    #[napi(getter)]
    pub fn needs(&self) -> Vec<Need> {
        self.0.needs().iter().map(Need::from).collect()
    }

    /// Renders with one value for each need.
    #[napi]
    pub fn render(&self, values: Secrets<'_>) -> Result<Secret> {
        let values: Vec<_> = values.iter().map(|value| value.get()).collect();
        self.0.render(&values).map(Secret::from).map_err(Throw::throw)
    }
}

/// One template on its way.
#[napi]
pub struct Emissary(template::Emissary);

/// How often providers are asked.
#[napi(object, object_to_js = false)]
pub struct Pace {
    /// Seconds after the first failure.
    pub first_seconds: Option<u32>,
    /// Most seconds between two attempts.
    pub max_seconds: Option<u32>,
    /// Seconds after which a secret that is there is looked at again.
    pub refresh_seconds: Option<u32>,
}

/// Where a secret is.
#[napi(object, object_from_js = false)]
pub struct Place {
    /// Who is to be asked.
    pub provider: String,
    /// For what.
    pub id: String,
}

/// What to do now: `lib/template.mjs` leaves out what is not there.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct Task {
    /// Which of the steps it is.
    pub r#type: &'static str,
    /// To be asked for.
    pub secrets: Option<Vec<Place>>,
    /// Where to write.
    pub path: Option<String>,
    /// With which permission bits.
    pub mode: Option<u32>,
    /// What to write.
    pub content: Option<Secret>,
    /// What to run.
    pub argv: Option<Vec<String>>,
    /// For at most how long.
    pub timeout_seconds: Option<u32>,
    /// Until when there is nothing to do.
    pub until: Option<String>,
    /// Why it has ended.
    pub code: Option<&'static str>,
    /// The same in words.
    pub message: Option<String>,
}

#[napi]
impl Emissary {
    /// Starts.
    #[napi(constructor)]
    pub fn new(template: &Template, pace: Pace, now: i64) -> Result<Self> {
        let default = Schedule::default();
        let schedule = Schedule {
            first_seconds: pace.first_seconds.unwrap_or(default.first_seconds),
            max_seconds: pace.max_seconds.unwrap_or(default.max_seconds),
            refresh_seconds: pace.refresh_seconds.unwrap_or(default.refresh_seconds),
        };
        let now = system::instant(now, "now")?;
        Ok(Self(template::Emissary::new(Arc::clone(&template.0), schedule, now)))
    }

    /// What to do now.
    #[napi]
    pub fn step(&mut self, now: i64) -> Result<Task> {
        Ok(self.0.step(system::instant(now, "now")?).into())
    }

    /// Takes a secret.
    #[napi]
    pub fn supply(
        &mut self,
        provider: String,
        id: String,
        value: ClassInstance<'_, Secret>,
        now: i64,
    ) -> Result<()> {
        self.take(&provider, &id, Supply::Value(value.get().clone()), now)
    }

    /// Takes the reason why there is none.
    #[napi]
    pub fn supply_failed(&mut self, provider: String, id: String, failure: String, now: i64) -> Result<()> {
        let supply = match failure.as_str() {
            "missing" => Supply::Missing,
            "unavailable" => Supply::Unavailable,
            "refused" => Supply::Refused,
            _ => return Err(invalid("failure", "expected missing, unavailable or refused")),
        };
        self.take(&provider, &id, supply, now)
    }

    fn take(&mut self, provider: &str, id: &str, supply: Supply, now: i64) -> Result<()> {
        let reference = Reference::new(provider, id).map_err(Throw::throw)?;
        let now = system::instant(now, "now")?;
        self.0.supply(&reference, supply, now, &mut system::entropy()?).map_err(Throw::throw)
    }

    /// Takes how writing or running went.
    #[napi]
    pub fn report(&mut self, done: bool, now: i64) -> Result<()> {
        let now = system::instant(now, "now")?;
        self.0.report(done, now, &mut system::entropy()?).map_err(Throw::throw)
    }

    /// When the next secret is to be asked for.
    #[napi(getter)]
    pub fn next_poll(&self) -> Option<String> {
        self.0.next_poll().map(|at| at.to_string())
    }

    /// Whether all is done, with the latest values.
    #[napi(getter)]
    pub fn settled(&self) -> bool {
        self.0.is_settled()
    }

    /// The secrets that have no value yet.
    #[napi(getter)]
    pub fn waits_for(&self) -> Vec<Need> {
        self.0.waits_for().map(Need::from).collect()
    }

    /// The path of the file.
    #[napi(getter)]
    pub fn dest(&self) -> &str {
        self.0.template().dest()
    }
}

impl From<&template::Need> for Need {
    fn from(need: &template::Need) -> Self {
        let Place { provider, id } = Place::from(&need.reference);
        let deadline_seconds = need.missing.deadline_seconds();
        Self { provider, id, missing: need.missing.as_str(), deadline_seconds }
    }
}

impl From<&Reference> for Place {
    fn from(reference: &Reference) -> Self {
        Self { provider: reference.provider().to_owned(), id: reference.id().to_owned() }
    }
}

impl From<Step<'_>> for Task {
    fn from(step: Step<'_>) -> Self {
        match step {
            Step::Poll(due) => {
                let secrets = due.iter().map(Place::from).collect();
                Self { r#type: "poll", secrets: Some(secrets), ..Self::default() }
            }
            Step::WriteFile(write) => Self {
                r#type: "write_file",
                path: Some(write.path.to_owned()),
                mode: Some(write.mode.bits()),
                content: Some(write.content.clone().into()),
                ..Self::default()
            },
            Step::RunCommand(run) => Self {
                r#type: "run_command",
                argv: Some(run.argv.to_vec()),
                timeout_seconds: Some(run.timeout_seconds),
                ..Self::default()
            },
            Step::Wait(until) => {
                Self { r#type: "wait", until: until.map(|at| at.to_string()), ..Self::default() }
            }
            Step::Failed(error) => Self {
                r#type: "failed",
                code: Some(TemplateError::code(error).as_str()),
                message: Some(error.to_string()),
                ..Self::default()
            },
        }
    }
}

/// Splits a command line into words.
#[napi]
pub fn split_command(line: String) -> Result<Vec<String>> {
    template::split_command(&line).map_err(Throw::throw)
}
