//! The loop around a batch, without the I/O.

use std::{mem, sync::Arc, vec};

use rand_core::CryptoRng;

use super::{
    Registrar,
    batch::{BatchOutcome, PendingAll},
    session::{NOT_COMMITTED, NOT_LOADED, Session, Step},
};
use crate::{
    limits,
    record::{Key, Loaded, Row},
    time::Now,
    vocabulary::{Answer, Command, Commit, Error},
};

/// What a session over a batch asks its driver to do.
#[derive(Debug)]
pub enum BatchStep {
    /// Read these rows and give them to [`BatchSession::loaded`].
    Load(Vec<Key>),
    /// Commit this in one transaction and tell [`BatchSession::committed`] whether every guard held.
    Commit(Box<Commit>),
    /// The session is over. One for each command, in their order.
    Answers(Vec<Result<Answer, Error>>),
}

/// Several commands on their way through a store, in one commit where that works out: nobody waits for a disk more than
/// once, and commands about the same record do not conflict with each other. Where something keeps them from it, each is
/// taken by itself, one after the other, so that none fails for another one's sake. It is driven like a [`Session`].
///
/// Only what the *driver* does wrong is an error of the session itself; what is wrong with a command is its answer.
#[derive(Debug)]
pub struct BatchSession {
    registrar: Arc<Registrar>,
    state: State,
    rounds: u32,
    conflicts: u32,
}

#[derive(Debug)]
enum State {
    Deciding(Vec<Command>, Loaded),
    Loading(Vec<Command>, Loaded, Vec<Key>),
    Committing(Vec<Command>, Box<Commit>, PendingAll),
    Alone(Box<OneByOne>),
    Answered(Vec<Result<Answer, Error>>),
    Over,
}

impl Registrar {
    /// Starts a session over up to [`limits::BATCH_COMMANDS`] commands.
    ///
    /// # Errors
    /// [`Error::Input`] for too many.
    pub fn session_all(self: &Arc<Self>, commands: Vec<Command>) -> Result<BatchSession, Error> {
        if commands.len() > limits::BATCH_COMMANDS {
            return Err(Error::input("commands", &format!("at most {}", limits::BATCH_COMMANDS)));
        }
        let nothing = commands.is_empty();
        let state =
            if nothing { State::Answered(Vec::new()) } else { State::Deciding(commands, Loaded::default()) };
        Ok(BatchSession { registrar: Arc::clone(self), state, rounds: 0, conflicts: 0 })
    }
}

impl BatchSession {
    /// Goes on until something has to be done outside.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the last step has not been answered.
    pub fn next(&mut self, now: Now, rng: &mut dyn CryptoRng) -> Result<BatchStep, Error> {
        match mem::replace(&mut self.state, State::Over) {
            State::Deciding(commands, loaded) => self.decide(commands, loaded, now, rng),
            State::Alone(alone) => self.go_on(alone, now, rng),
            State::Answered(answers) => Ok(BatchStep::Answers(answers)),
            State::Loading(..) => Err(NOT_LOADED),
            State::Committing(..) => Err(NOT_COMMITTED),
            State::Over => Err(Error::Misuse("the session is over")),
        }
    }

    /// Gives the rows that were asked for; a key without a row is absent.
    ///
    /// # Errors
    /// [`Error::Misuse`].
    pub fn loaded(&mut self, rows: Vec<Row>) -> Result<(), Error> {
        self.state = match mem::replace(&mut self.state, State::Over) {
            State::Loading(commands, mut loaded, keys) => match loaded.add(&keys, rows) {
                Ok(()) => State::Deciding(commands, loaded),
                Err(_) => State::Alone(OneByOne::new(commands)), // whom the row concerns is told what is wrong with it
            },
            State::Alone(alone) => State::Alone(alone.loaded(rows)?),
            State::Deciding(..) | State::Committing(..) | State::Answered(_) | State::Over => {
                return Err(NO_ROWS);
            }
        };
        Ok(())
    }

    /// Says whether the commit is durable (`true`), or a guard did not hold and nothing was changed (`false`).
    ///
    /// # Errors
    /// [`Error::Misuse`].
    pub fn committed(&mut self, held: bool) -> Result<(), Error> {
        self.state = match mem::replace(&mut self.state, State::Over) {
            State::Committing(_, commit, pending) if held => {
                State::Answered(pending.release(&commit.committed())?)
            }
            State::Committing(commands, ..) => self.conflict(commands),
            State::Alone(alone) => State::Alone(alone.committed(held)?),
            State::Deciding(..) | State::Loading(..) | State::Answered(_) | State::Over => {
                return Err(NO_COMMIT);
            }
        };
        Ok(())
    }

    fn decide(
        &mut self,
        commands: Vec<Command>,
        loaded: Loaded,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Result<BatchStep, Error> {
        match self.registrar.decide_all(&commands, &loaded, now, rng) {
            Ok(BatchOutcome::Need(keys)) if self.rounds < limits::NEED_ROUNDS => {
                self.rounds = self.rounds.saturating_add(1);
                self.state = State::Loading(commands, loaded, keys.clone());
                Ok(BatchStep::Load(keys))
            }
            Ok(BatchOutcome::Decision(decision)) => {
                let commit = Box::new(decision.commit);
                self.state = State::Committing(commands, commit.clone(), decision.pending);
                Ok(BatchStep::Commit(commit))
            }
            Ok(BatchOutcome::Need(_)) | Err(_) => self.go_on(OneByOne::new(commands), now, rng),
        }
    }

    /// Begins anew on what the store holds now; one by one, when that has been done too often.
    fn conflict(&mut self, commands: Vec<Command>) -> State {
        self.conflicts = self.conflicts.saturating_add(1);
        self.rounds = 0;
        if self.conflicts < limits::CONFLICTS {
            State::Deciding(commands, Loaded::default())
        } else {
            State::Alone(OneByOne::new(commands))
        }
    }

    fn go_on(
        &mut self,
        mut alone: Box<OneByOne>,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Result<BatchStep, Error> {
        match alone.next(&self.registrar, now, rng)? {
            Some(step) => {
                self.state = State::Alone(alone);
                Ok(step)
            }
            None => Ok(BatchStep::Answers(alone.answers)),
        }
    }
}

/// The commands by themselves, one after the other.
#[derive(Debug)]
struct OneByOne {
    waiting: vec::IntoIter<Command>,
    session: Option<Box<Session>>,
    answers: Vec<Result<Answer, Error>>,
}

impl OneByOne {
    fn new(commands: Vec<Command>) -> Box<Self> {
        Box::new(Self { waiting: commands.into_iter(), session: None, answers: Vec::new() })
    }

    /// Goes on; `None` when all have their answers.
    fn next(
        &mut self,
        registrar: &Arc<Registrar>,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<BatchStep>, Error> {
        loop {
            let Some(session) = &mut self.session else {
                let Some(command) = self.waiting.next() else { return Ok(None) };
                self.session = Some(Box::new(registrar.session(command)));
                continue;
            };
            session.check_answered()?;
            match session.next(now, rng) {
                Ok(Step::Load(keys)) => return Ok(Some(BatchStep::Load(keys))),
                Ok(Step::Commit(commit)) => return Ok(Some(BatchStep::Commit(commit))),
                Ok(Step::Answer(answer)) => self.settle(Ok(answer)),
                Err(error) => self.settle(Err(error)),
            }
        }
    }

    fn loaded(mut self: Box<Self>, rows: Vec<Row>) -> Result<Box<Self>, Error> {
        let session = self.session.as_mut().filter(|session| session.is_loading()).ok_or(NO_ROWS)?;
        if let Err(error) = session.loaded(rows) {
            self.settle(Err(error));
        }
        Ok(self)
    }

    fn committed(mut self: Box<Self>, held: bool) -> Result<Box<Self>, Error> {
        let session = self.session.as_mut().filter(|session| session.is_committing()).ok_or(NO_COMMIT)?;
        if let Err(error) = session.committed(held) {
            self.settle(Err(error));
        }
        Ok(self)
    }

    fn settle(&mut self, answer: Result<Answer, Error>) {
        self.session = None;
        self.answers.push(answer);
    }
}

const NO_ROWS: Error = Error::Misuse("no rows were asked for");
const NO_COMMIT: Error = Error::Misuse("there was nothing to commit");
