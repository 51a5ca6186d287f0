//! The loop around a decision, without the I/O.

use std::sync::Arc;

use rand_core::CryptoRng;

use super::Registrar;
use crate::{
    limits,
    record::{Key, Loaded, Row},
    time::Now,
    vocabulary::{Answer, Command, Commit, Error, Outcome, Pending},
};

/// What a session asks its driver to do.
#[derive(Debug)]
pub enum Step {
    /// Read these rows and give them to [`Session::loaded`].
    Load(Vec<Key>),
    /// Commit this in one transaction and tell [`Session::committed`] whether every guard held.
    Commit(Box<Commit>),
    /// The session is over.
    Answer(Answer),
}

/// One command on its way through a store. A driver is six lines, synchronous or not:
///
/// ```text
/// loop {
///     match session.next(now(), &mut rng)? {
///         Step::Load(keys) => { let rows = store.read(&keys); session.loaded(rows)? }
///         Step::Commit(commit) => { let held = store.commit(&commit); session.committed(held)? }
///         Step::Answer(answer) => return Ok(answer),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Session {
    registrar: Arc<Registrar>,
    command: Command,
    loaded: Loaded,
    state: State,
    rounds: u32,
    conflicts: u32,
}

#[derive(Debug)]
enum State {
    Deciding,
    Loading(Vec<Key>),
    Committing(Box<Commit>, Pending),
    Answered(Answer),
    Over,
}

impl Session {
    pub(super) fn new(registrar: Arc<Registrar>, command: Command) -> Self {
        Self {
            registrar,
            command,
            loaded: Loaded::default(),
            state: State::Deciding,
            rounds: 0,
            conflicts: 0,
        }
    }

    /// Goes on until something has to be done outside.
    ///
    /// # Errors
    /// As [`Registrar::decide`]; [`Error::Misuse`] when the last step has not been answered; [`Error::Busy`] after
    /// [`limits::CONFLICTS`] conflicts.
    pub fn next(&mut self, now: Now, rng: &mut dyn CryptoRng) -> Result<Step, Error> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Deciding => self.decide(now, rng),
            State::Answered(answer) => Ok(Step::Answer(answer)),
            State::Loading(_) => Err(NOT_LOADED),
            State::Committing(..) => Err(NOT_COMMITTED),
            State::Over => Err(Error::Misuse("the session is over")),
        }
    }

    /// Whether rows are asked for.
    pub(super) fn is_loading(&self) -> bool {
        matches!(self.state, State::Loading(_))
    }

    /// Whether it waits to hear of a commit.
    pub(super) fn is_committing(&self) -> bool {
        matches!(self.state, State::Committing(..))
    }

    /// Says what its driver has left out, if it has.
    pub(super) fn check_answered(&self) -> Result<(), Error> {
        if self.is_loading() {
            return Err(NOT_LOADED);
        }
        if self.is_committing() { Err(NOT_COMMITTED) } else { Ok(()) }
    }

    /// Gives the rows that were asked for; a key without a row is absent.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`], [`Error::NewerSchema`], [`Error::Misuse`].
    pub fn loaded(&mut self, rows: Vec<Row>) -> Result<(), Error> {
        let State::Loading(keys) = std::mem::replace(&mut self.state, State::Deciding) else {
            return Err(Error::Misuse("no rows were asked for"));
        };
        self.loaded.add(&keys, rows)
    }

    /// Says whether the commit is durable (`true`), or a guard did not hold and nothing was changed (`false`).
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Misuse`].
    pub fn committed(&mut self, held: bool) -> Result<(), Error> {
        let State::Committing(commit, pending) = std::mem::replace(&mut self.state, State::Over) else {
            return Err(Error::Misuse("there was nothing to commit"));
        };
        if held {
            self.state = State::Answered(pending.release(commit.committed())?);
            return Ok(());
        }
        self.conflict(Error::Busy)
    }

    /// Begins anew on what the store holds now, or ends with `otherwise` when that has been done too often.
    fn conflict(&mut self, otherwise: Error) -> Result<(), Error> {
        self.conflicts = self.conflicts.saturating_add(1);
        if self.conflicts >= limits::CONFLICTS {
            return Err(otherwise);
        }
        self.loaded = Loaded::default();
        self.rounds = 0;
        self.state = State::Deciding;
        Ok(())
    }

    /// Rows that were read in different rounds need not fit each other: somebody may have written in between.
    fn decide(&mut self, now: Now, rng: &mut dyn CryptoRng) -> Result<Step, Error> {
        let outcome = match self.registrar.decide(&self.command, &self.loaded, now, rng) {
            Err(torn @ (Error::MissingSecret(_) | Error::CorruptRecord(_))) if self.rounds > 1 => {
                self.conflict(torn)?;
                return self.decide(now, rng);
            }
            other => other?,
        };
        match outcome {
            Outcome::Need(keys) => {
                self.rounds = self.rounds.saturating_add(1);
                if self.rounds > limits::NEED_ROUNDS {
                    return Err(Error::Misuse("a decision asked for rows too often"));
                }
                self.state = State::Loading(keys.clone());
                Ok(Step::Load(keys))
            }
            Outcome::Decision(decision) => {
                let commit = Box::new(decision.commit);
                self.state = State::Committing(commit.clone(), decision.pending);
                Ok(Step::Commit(commit))
            }
        }
    }
}

pub(super) const NOT_LOADED: Error = Error::Misuse("the rows that were asked for have not been given");
pub(super) const NOT_COMMITTED: Error = Error::Misuse("it has not been said whether the commit held");
