//! Forget: a record that has ended goes; its version and digest stay as a checkpoint of its chain.

use super::{
    draft::{Draft, Step, refuse, refuse_unknown},
    end,
};
use crate::{
    aws::InstanceId,
    limits,
    record::{Key, Record},
    vocabulary::{Answer, Changed, Error, Fact, Forget, Refusal},
};

pub(super) fn decide(draft: &mut Draft<'_>, forget: &Forget) -> Step<Answer> {
    let key = &forget.key;
    let record = match key {
        Key::Package(id) => draft.package(*id)?.map(Record::Package),
        Key::Node(id) => draft.node(*id)?.map(Record::Node),
        Key::Instance(id) => instance(draft, id)?,
        Key::Scope(_) | Key::Pool(..) | Key::Name(..) | Key::Subject(..) | Key::Secret(_) => {
            return Err(Error::input("key", "names no package, node or instance").into());
        }
    };
    let Some(record) = record else { return refuse_unknown(Refusal::Unknown) };
    if !end::is_over(&record) {
        return refuse(Refusal::NotEnded, key.clone());
    }
    draft.emit(key.clone(), Fact::Forgotten)?;
    Ok(Answer::Forgotten(Changed { changed: true }))
}

/// The tombstone of an instance outlives the age of events: a late `running` must find it.
fn instance(draft: &mut Draft<'_>, id: &InstanceId) -> Step<Option<Record>> {
    let Some(instance) = draft.instance(id)? else { return Ok(None) };
    let window = draft.registrar.policy.event_age_seconds.saturating_add(limits::TOMBSTONE_SECONDS);
    let key = Key::Instance(id.clone());
    if !draft.is_past(instance.updated_at.plus_seconds(window), &key)? {
        return refuse(Refusal::NotEnded, key);
    }
    Ok(Some(Record::Instance(instance)))
}
