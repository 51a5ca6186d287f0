//! Commands, with evidence in them.

use handfast::vocabulary::{Action, Authority, Command, from_value};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use serde_json::Value;

use crate::{
    aws::InstanceEvent,
    carry::{self, Secrets},
    error::{Result, Throw, invalid},
    identity::InstanceIdentity,
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
    /// Its member `identity`.
    pub identity: Option<ClassInstance<'a, InstanceIdentity>>,
}

/// Reads a command: as the core reads it, with the evidence beside it that it takes.
pub(crate) fn read(carried: &Carried<'_>) -> Result<Command> {
    let secrets: &Secrets<'_> = &carried.secrets;
    let value = carry::read(&carried.json, secrets)?;
    match (&carried.event, &carried.identity) {
        (Some(_), Some(_)) => Err(invalid("identity", "unknown field of observe_instance")),
        (Some(event), None) => observe(value, event),
        (None, Some(identity)) => {
            let command = Command::from_value(value).map_err(Throw::throw)?;
            command.with_identity(identity.verified().clone()).map_err(Throw::throw)
        }
        (None, None) => Command::from_value(value).map_err(Throw::throw),
    }
}

/// Commands that cannot be read, by their places: what is wrong with one is its answer, and no concern of the others.
pub(crate) type Unreadable = Vec<(usize, String)>;

/// Reads the commands of a batch.
pub(crate) fn read_all(carried: &[Carried<'_>]) -> (Vec<Command>, Unreadable) {
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for (place, carried) in carried.iter().enumerate() {
        match read(carried) {
            Ok(command) => readable.push(command),
            Err(error) => unreadable.push((place, error.reason.clone())),
        }
    }
    (readable, unreadable)
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
