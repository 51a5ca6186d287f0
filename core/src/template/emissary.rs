//! The machine: asks for secrets, and has the file written when all are there.
//!
//! ```text
//! Poll -> (all values there, bytes differ from those written) -> WriteFile -> RunCommand -> Wait -> Poll -> ..
//!      -> (refused without a substitute before anything was written, or too late, or the engine gives up) -> Failed
//! ```
//!
//! The host calls [`Emissary::step`], does what it says, tells how that went, and calls again. What is not told yet is
//! asked for again, so nothing is lost when a host forgets: the file is written and the command is run at least once for
//! each change. A deadline counts only for a secret about which a provider has answered at least once, so a host bounds the
//! time of each question, and tells of one without an answer as [`Supply::Unavailable`]. The clock needs only to go
//! forward: one that is not moved by hand (a monotonic one, counted from the start) is best, because deadlines are
//! measured on it.

use std::sync::Arc;

use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};

use super::{Mode, Need, Reference, Schedule, Template, TemplateError};
use crate::{limits, secret::Secret, time::Timestamp};

/// What a provider has answered.
#[derive(Clone, Debug)]
pub enum Supply {
    /// The secret; it may be empty.
    Value(Secret),
    /// There is none, or not yet.
    Missing,
    /// The provider could not be asked: try again.
    Unavailable,
    /// It will never be given: no such provider, no permission. Where something else is to be used instead, it counts as
    /// missing. Where not, it ends a template that has written nothing yet; later, what is in place stays, and it is tried
    /// again.
    Refused,
}

/// What the host is to do now.
#[derive(Debug)]
pub enum Step<'e> {
    /// Ask the providers for these, in any order, and [`Emissary::supply`] each answer.
    Poll(Vec<Reference>),
    /// Write the file, then [`Emissary::report`].
    WriteFile(WriteFile<'e>),
    /// Run the command, then [`Emissary::report`].
    RunCommand(RunCommand<'e>),
    /// Nothing, until then; for ever, where there is no time.
    Wait(Option<Timestamp>),
    /// It has ended. What is in place stays.
    Failed(&'e TemplateError),
}

/// Write a file atomically: to a new file beside it that nobody else can open, with the permission bits set before
/// anything is in it, brought to the disk, and renamed over the place.
#[derive(Debug)]
pub struct WriteFile<'e> {
    /// Where.
    pub path: &'e str,
    /// The permission bits, exactly, whatever the umask.
    pub mode: Mode,
    /// The bytes: UTF-8 text.
    pub content: &'e Secret,
}

/// Run a program, never by a shell.
#[derive(Debug)]
pub struct RunCommand<'e> {
    /// The program and its arguments; there is at least the program.
    pub argv: &'e [String],
    /// Seconds after which it is to be killed and counts as failed.
    pub timeout_seconds: u32,
}

/// One template on its way.
#[derive(Debug)]
pub struct Emissary {
    template: Arc<Template>,
    schedule: Schedule,
    started: Timestamp,
    slots: Vec<Slot>,
    /// Whether a value has changed since the last rendering.
    changed: bool,
    /// SHA-256 of what is in place.
    written: Option<[u8; 32]>,
    write: Option<(Secret, Attempts)>,
    command: Option<Attempts>,
    handed: Option<Handed>,
    failed: Option<TemplateError>,
}

/// One need.
#[derive(Debug)]
struct Slot {
    value: Option<Secret>,
    attempts: Attempts,
}

/// When to try, and how often that has failed in a row.
#[derive(Clone, Copy, Debug)]
struct Attempts {
    due: Timestamp,
    failures: u32,
}

/// The effect that a report would be about.
#[derive(Clone, Copy, Debug)]
enum Handed {
    Write,
    Command,
}

impl Emissary {
    /// Starts: deadlines count from now.
    #[must_use]
    pub fn new(template: impl Into<Arc<Template>>, schedule: Schedule, now: Timestamp) -> Self {
        let template = template.into();
        let slot = |_: &Need| Slot { value: None, attempts: Attempts::at(now) };
        Self {
            slots: template.needs().iter().map(slot).collect(),
            template,
            schedule,
            started: now,
            changed: true,
            written: None,
            write: None,
            command: None,
            handed: None,
            failed: None,
        }
    }

    /// The template.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The secrets that have no value yet.
    pub fn waits_for(&self) -> impl Iterator<Item = &Need> {
        let slots = self.slots.iter().zip(self.template.needs());
        slots.filter(|(slot, _)| slot.value.is_none()).map(|(_, need)| need)
    }

    /// When the next secret is to be asked for; never, where it has ended or needs none.
    #[must_use]
    pub fn next_poll(&self) -> Option<Timestamp> {
        let slots = self.slots.iter().filter(|_| self.failed.is_none());
        slots.map(|slot| slot.attempts.due).min()
    }

    /// Whether the file is in place and its command has run, with the latest values.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.written.is_some() && !self.changed && self.write.is_none() && self.command.is_none()
    }

    /// What to do now. Calling it twice gives the same twice.
    pub fn step(&mut self, now: Timestamp) -> Step<'_> {
        self.handed = None;
        if self.failed.is_none()
            && let Err(error) = self.advance(now)
        {
            self.end(error);
        }
        if let Some(error) = &self.failed {
            return Step::Failed(error);
        }
        if let Some((content, attempts)) = &self.write {
            if attempts.due <= now {
                self.handed = Some(Handed::Write);
                let (path, mode) = (self.template.dest(), self.template.mode());
                return Step::WriteFile(WriteFile { path, mode, content });
            }
        } else if self.command.is_some_and(|attempts| attempts.due <= now) {
            self.handed = Some(Handed::Command);
            let timeout_seconds = limits::TEMPLATE_COMMAND_SECONDS;
            return Step::RunCommand(RunCommand { argv: self.template.command(), timeout_seconds });
        }
        let due = self.due(now);
        if due.is_empty() { Step::Wait(self.wake_at()) } else { Step::Poll(due) }
    }

    /// Takes a provider's answer.
    ///
    /// # Errors
    /// `misuse` for a secret that the template does not need. That a value is too large is no error here: it is refused
    /// like one that the provider refuses.
    pub fn supply<R: CryptoRng + ?Sized>(
        &mut self,
        reference: &Reference,
        supply: Supply,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(), TemplateError> {
        let mut places = self.slots.iter_mut().zip(self.template.needs());
        let place = places.find(|(_, need)| need.reference == *reference);
        let (slot, need) = place.ok_or(TemplateError::Misuse("the template does not need this secret"))?;
        let (substitute, deadline) = (need.missing.substitute(), need.missing.deadline_seconds());
        let value = match supply {
            Supply::Value(value) if value.expose().len() <= limits::TEMPLATE_VALUE_BYTES => Some(value),
            Supply::Unavailable => None,
            Supply::Value(_) | Supply::Refused if substitute.is_none() => {
                if self.written.is_none() {
                    self.end(TemplateError::Refused(reference.clone()));
                    return Ok(());
                }
                None
            }
            Supply::Value(_) | Supply::Refused | Supply::Missing => {
                slot.value.clone().or(substitute.filter(|_| deadline.is_none()))
            }
        };
        match value {
            None => slot.attempts.failed(self.schedule, now, rng),
            Some(value) => {
                slot.attempts = Attempts { due: self.schedule.refresh(now, rng), failures: 0 };
                self.changed |= slot.value.as_ref() != Some(&value);
                slot.value = Some(value);
            }
        }
        Ok(())
    }

    /// Says whether the file was written, or whether the command ended well. What failed is asked for again, later.
    ///
    /// # Errors
    /// `misuse` where the last step was neither.
    pub fn report<R: CryptoRng + ?Sized>(
        &mut self,
        done: bool,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(), TemplateError> {
        match (self.handed.take(), self.write.as_mut(), self.command.as_mut()) {
            (Some(Handed::Write), Some((content, _)), _) if done => {
                self.written = Some(digest(content));
                self.write = None;
                self.command = (!self.template.command().is_empty()).then(|| Attempts::at(now));
            }
            (Some(Handed::Command), _, Some(_)) if done => self.command = None,
            (Some(Handed::Write), Some((_, attempts)), _) | (Some(Handed::Command), _, Some(attempts)) => {
                attempts.failed(self.schedule, now, rng);
            }
            (None, _, _) | (Some(Handed::Write), None, _) | (Some(Handed::Command), _, None) => {
                return Err(TemplateError::Misuse("there is nothing to report on"));
            }
        }
        Ok(())
    }

    /// What time and new values lead to. A deadline is no reason to do without a secret that nobody has asked for yet: what
    /// took the time may have been another secret, or another template.
    fn advance(&mut self, now: Timestamp) -> Result<(), TemplateError> {
        for (slot, need) in self.slots.iter_mut().zip(self.template.needs()) {
            let is_over = || deadline(self.started, need).is_some_and(|at| now >= at);
            if slot.value.is_none() && slot.attempts.failures > 0 && is_over() {
                let late = || TemplateError::Deadline(need.reference.clone());
                slot.value = Some(need.missing.substitute().ok_or_else(late)?);
            }
        }
        let values: Option<Vec<_>> = self.slots.iter().map(|slot| slot.value.as_ref()).collect();
        if let Some(values) = values.filter(|_| self.changed) {
            let content = self.template.render(&values)?;
            self.changed = false;
            let differs = self.written != Some(digest(&content));
            self.write = differs.then(|| (content, Attempts::at(now)));
        }
        Ok(())
    }

    fn due(&self, now: Timestamp) -> Vec<Reference> {
        let slots = self.slots.iter().zip(self.template.needs());
        slots.filter(|(slot, _)| slot.attempts.due <= now).map(|(_, need)| need.reference.clone()).collect()
    }

    /// The earliest time at which there is something to do.
    fn wake_at(&self) -> Option<Timestamp> {
        let write = self.write.as_ref().map(|(_, attempts)| attempts.due);
        let effect = write.or(self.command.map(|attempts| attempts.due));
        let deadlines = self.waits_for().filter_map(|need| deadline(self.started, need));
        self.next_poll().into_iter().chain(effect).chain(deadlines).min()
    }

    /// Nothing more will be done: the secrets are not needed any more.
    fn end(&mut self, error: TemplateError) {
        self.slots.iter_mut().for_each(|slot| slot.value = None);
        (self.write, self.command) = (None, None);
        self.failed.get_or_insert(error);
    }
}

impl Attempts {
    fn at(due: Timestamp) -> Self {
        Self { due, failures: 0 }
    }

    fn failed<R: CryptoRng + ?Sized>(&mut self, schedule: Schedule, now: Timestamp, rng: &mut R) {
        self.failures = self.failures.saturating_add(1);
        self.due = schedule.retry(self.failures, now, rng);
    }
}

/// When a need of a template that was started then is given up.
fn deadline(started: Timestamp, need: &Need) -> Option<Timestamp> {
    need.missing.deadline_seconds().map(|seconds| started.plus_seconds(seconds))
}

fn digest(content: &Secret) -> [u8; 32] {
    Sha256::digest(content.expose()).into()
}
