//! Commands, with evidence in them.

use handfast::vocabulary::{Action, Authority, Command, from_value};
use pyo3::{prelude::*, types::PyDict};

use crate::{
    aws::InstanceEvent,
    convert,
    error::{Raise, invalid},
};

/// Reads a command: a dict as the core reads it, or `observe_instance` with a verified event in it.
pub(crate) fn read(command: &Bound<'_, PyAny>) -> PyResult<Command> {
    let Ok(dict) = command.cast::<PyDict>() else {
        return Err(invalid("command", "expected a dict"));
    };
    match dict.get_item("event")? {
        Some(event) => observe(dict, &event),
        None => Command::from_value(convert::to_value(command)?).map_err(Raise::raise),
    }
}

/// Evidence has no JSON form, so it is taken out of the dict before the rest is read.
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
