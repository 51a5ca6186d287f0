//! Commands, with evidence in them.

use handfast::vocabulary::{Action, Authority, Command, from_value};
use pyo3::{prelude::*, types::PyDict};

use crate::{
    aws::InstanceEvent,
    convert,
    error::{Raise, invalid},
    identity::InstanceIdentity,
};

/// Reads a command: a dict as the core reads it, with evidence in it where it takes some. Evidence has no JSON form, so it
/// is taken out of the dict before the rest is read.
pub(crate) fn read(command: &Bound<'_, PyAny>) -> PyResult<Command> {
    let Ok(dict) = command.cast::<PyDict>() else {
        return Err(invalid("command", "expected a dict"));
    };
    match (dict.get_item("event")?, dict.get_item("identity")?) {
        (Some(event), _) => observe(dict, &event),
        (None, Some(identity)) => prove(dict, &identity),
        (None, None) => Command::from_value(convert::to_value(command)?).map_err(Raise::raise),
    }
}

/// Commands that cannot be read, by their places: what is wrong with one is its answer, and no concern of the others.
pub(crate) type Unreadable = Vec<(usize, PyErr)>;

/// Reads the commands of a batch.
pub(crate) fn read_all(commands: &Bound<'_, PyAny>) -> PyResult<(Vec<Command>, Unreadable)> {
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for (place, command) in commands.try_iter()?.enumerate() {
        match read(&command?) {
            Ok(command) => readable.push(command),
            Err(error) => unreadable.push((place, error)),
        }
    }
    Ok((readable, unreadable))
}

/// Reads a redemption, or a delivery to an instance, with a verified identity document in it.
fn prove(dict: &Bound<'_, PyDict>, identity: &Bound<'_, PyAny>) -> PyResult<Command> {
    let Ok(identity) = identity.cast::<InstanceIdentity>() else {
        let expected = "expected an InstanceIdentity, which only handfast.aws.verify_identity makes";
        return Err(invalid("identity", expected));
    };
    let others = dict.copy()?;
    others.del_item("identity")?;
    let command = Command::from_value(convert::to_value(&others)?).map_err(Raise::raise)?;
    command.with_identity(identity.get().verified().clone()).map_err(Raise::raise)
}

/// Reads `observe_instance`, with a verified event in it.
fn observe(dict: &Bound<'_, PyDict>, event: &Bound<'_, PyAny>) -> PyResult<Command> {
    let Ok(event) = event.cast::<InstanceEvent>() else {
        return Err(invalid("event", "expected an InstanceEvent, which only handfast.aws.read makes"));
    };
    let (mut authority, mut source) = (Authority::Event, None);
    for (name, member) in dict.items().extract::<Vec<(String, Bound<'_, PyAny>)>>()? {
        match name.as_str() {
            "event" => {}
            "type" if member.eq("observe_instance")? => {}
            "type" => return Err(invalid("type", "expected observe_instance beside an event")),
            "authority" => {
                authority = from_value(convert::to_value(&member)?, "authority").map_err(Raise::raise)?;
            }
            "source" => source = from_value(convert::to_value(&member)?, "source").map_err(Raise::raise)?,
            other => return Err(invalid(other, "unknown field of observe_instance")),
        }
    }
    let event = Box::new(event.get().event().clone());
    Ok(Command { authority, source, action: Action::ObserveInstance(event) })
}
