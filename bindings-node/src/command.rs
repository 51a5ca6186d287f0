//! Commands, with evidence in them.

use handfast::vocabulary::{Action, Authority, Command, from_value};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use serde_json::Value;

use crate::{
    aws::InstanceEvent,
    carry::{self, Secrets},
    error::{Result, Throw, invalid},
};

/// A command on its way from JavaScript.
#[napi(object, object_to_js = false)]
pub struct Carried<'a> {
    /// The command as JSON, without its secrets and its evidence.
    pub json: String,
    /// Its secrets, in order.
    pub secrets: Vec<ClassInstance<'a, crate::secret::Secret>>,
    /// Its member `event`.
    pub event: Option<ClassInstance<'a, InstanceEvent>>,
}

/// Reads a command: as the core reads it, or `observe_instance` with a verified event beside it.
pub(crate) fn read(carried: &Carried<'_>) -> Result<Command> {
    let secrets: &Secrets<'_> = &carried.secrets;
    let value = carry::read(&carried.json, secrets)?;
    match &carried.event {
        Some(event) => observe(value, event),
        None => Command::from_value(value).map_err(Throw::throw),
    }
}

fn observe(value: Value, event: &InstanceEvent) -> Result<Command> {
    let (mut authority, mut source) = (Authority::Event, None);
    let Value::Object(members) = value else { return Err(invalid("", "expected an object")) };
    for (name, member) in members {
        match name.as_str() {
            "type" if member == "observe_instance" => {}
            "type" => return Err(invalid("type", "expected observe_instance beside an event")),
            "authority" => authority = from_value(member, "authority").map_err(Throw::throw)?,
            "source" => source = from_value(member, "source").map_err(Throw::throw)?,
            other => return Err(invalid(&crate::names::path(other), "unknown field of observe_instance")),
        }
    }
    Ok(Command { authority, source, action: Action::ObserveInstance(Box::new(event.get().clone())) })
}
