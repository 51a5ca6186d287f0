//! A ledger from its history.

use super::{
    Ledger,
    migrate::{self, Text},
};
use crate::{
    record::{Key, Versioned, apply},
    vocabulary::{Error, Event},
};

impl Ledger {
    /// Folds a history into records, bit for bit as they were. A history holds no secrets, so the vault stays empty.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`] when an event is missing or does not fit, [`Error::NewerSchema`].
    pub fn replay(events: impl IntoIterator<Item = Event>) -> Result<Self, Error> {
        let mut ledger = Self::new();
        for event in events {
            ledger.replay_one(&event)?;
        }
        ledger.feed.end_history();
        Ok(ledger)
    }

    /// Folds a history of stored bodies, oldest first, also in an older schema.
    ///
    /// # Errors
    /// As [`Ledger::replay`].
    pub fn replay_bodies(bodies: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Error> {
        let mut ledger = Self::new();
        for body in bodies {
            let body = migrate::to_present(Text::Event, body.as_ref())?;
            ledger.replay_one(&Event::from_body(&body)?)?;
        }
        ledger.feed.end_history();
        Ok(ledger)
    }

    fn replay_one(&mut self, event: &Event) -> Result<(), Error> {
        if event.schema > crate::record::SCHEMA {
            return Err(Error::NewerSchema(event.schema));
        }
        let before = self.slots.look(&event.key);
        let version = before.map_or(0, |slot| slot.version).saturating_add(1);
        if event.version != version {
            return Err(misfit(event, "follows none"));
        }
        let before = before.and_then(|slot| slot.kept.record(&slot.key));
        let record = apply(before, event).ok_or_else(|| misfit(event, "does not fit"))?;
        let number = self.put(event.key.clone(), Versioned { version, record });
        if let Key::Subject(scope, _) = &event.key {
            self.feed.change(scope, number, event.decision);
        }
        Ok(())
    }
}

fn misfit(event: &Event, how: &str) -> Error {
    Error::CorruptRecord(format!("event {} of {} {how}", event.version, event.key))
}
