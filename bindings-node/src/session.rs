//! The loop around a decision, for drivers of any kind of store.

use handfast::{
    record::Key,
    registrar::{self, BatchStep, Step},
    vocabulary::{Answer, Commit, Error},
};
use napi::Env;
use napi_derive::napi;

use crate::{
    carry::{self, Parts},
    command::Unreadable,
    error::{Result, Throw},
    rows::{self, Row},
    rule::{self, Exclusive},
    system,
};

/// One command on its way through a store.
#[napi]
pub struct Session(Exclusive<registrar::Session>);

impl From<registrar::Session> for Session {
    fn from(session: registrar::Session) -> Self {
        Self(Exclusive::new(session))
    }
}

/// What a session asks its driver to do: one of the members is there.
#[derive(Default)]
#[napi(object, object_from_js = false)]
pub struct Asked {
    /// Read these rows.
    pub load: Option<Vec<String>>,
    /// Commit this batch, as JSON.
    pub commit: Option<String>,
    /// It is over.
    pub answer: Option<Parts>,
    /// It is over, for several commands.
    pub answers: Option<Vec<Settled>>,
}

/// What came of one of several commands.
#[napi(object, object_from_js = false)]
pub struct Settled {
    /// Its answer.
    pub answer: Option<Parts>,
    /// What is wrong with it, to make a `HandfastError` of.
    pub failure: Option<String>,
}

#[napi]
impl Session {
    /// Goes on until something has to be done outside.
    #[napi]
    pub fn next(&self, env: Env, now: i64, trusted: bool) -> Result<Asked> {
        let now = system::now(now, trusted)?;
        let (mut session, mut entropy) = (self.0.get_mut()?, system::entropy()?);
        Ok(match rule::deciding(env, || session.next(now, &mut entropy)).map_err(Throw::throw)? {
            Step::Load(keys) => load(&keys),
            Step::Commit(commit) => commit_batch(&commit),
            Step::Answer(answer) => {
                Asked { answer: Some(carry::parts(answer.into_parts())), ..Asked::default() }
            }
        })
    }

    /// Gives the rows that were asked for.
    #[napi]
    pub fn loaded(&self, rows: Vec<Row>) -> Result<()> {
        self.0.get_mut()?.loaded(rows::read(rows)?).map_err(Throw::throw)
    }

    /// Says whether the commit is durable.
    #[napi]
    pub fn committed(&self, held: bool) -> Result<()> {
        self.0.get_mut()?.committed(held).map_err(Throw::throw)
    }
}

/// Several commands on their way through a store.
#[napi]
pub struct BatchSession(Exclusive<registrar::BatchSession>, Unreadable);

impl BatchSession {
    pub(crate) fn new(session: registrar::BatchSession, unreadable: Unreadable) -> Self {
        Self(Exclusive::new(session), unreadable)
    }
}

#[napi]
impl BatchSession {
    /// Goes on until something has to be done outside.
    #[napi]
    pub fn next(&self, env: Env, now: i64, trusted: bool) -> Result<Asked> {
        let now = system::now(now, trusted)?;
        let (mut session, mut entropy) = (self.0.get_mut()?, system::entropy()?);
        Ok(match rule::deciding(env, || session.next(now, &mut entropy)).map_err(Throw::throw)? {
            BatchStep::Load(keys) => load(&keys),
            BatchStep::Commit(commit) => commit_batch(&commit),
            BatchStep::Answers(answers) => {
                Asked { answers: Some(settled(answers, &self.1)), ..Asked::default() }
            }
        })
    }

    /// Gives the rows that were asked for.
    #[napi]
    pub fn loaded(&self, rows: Vec<Row>) -> Result<()> {
        self.0.get_mut()?.loaded(rows::read(rows)?).map_err(Throw::throw)
    }

    /// Says whether the commit is durable.
    #[napi]
    pub fn committed(&self, held: bool) -> Result<()> {
        self.0.get_mut()?.committed(held).map_err(Throw::throw)
    }
}

fn load(keys: &[Key]) -> Asked {
    Asked { load: Some(keys.iter().map(ToString::to_string).collect()), ..Asked::default() }
}

fn commit_batch(commit: &Commit) -> Asked {
    Asked { commit: Some(carry::write(&commit.batch())), ..Asked::default() }
}

/// The answers to a batch in the order of its commands; what is wrong with one stands in its place.
pub(crate) fn settled(
    answers: Vec<std::result::Result<Answer, Error>>,
    unreadable: &Unreadable,
) -> Vec<Settled> {
    let failed = |failure: String| Settled { answer: None, failure: Some(failure) };
    let answers = answers.into_iter().map(|answer| match answer {
        Ok(answer) => Settled { answer: Some(carry::parts(answer.into_parts())), failure: None },
        Err(error) => failed(error.throw().reason.clone()),
    });
    let mut answers: Vec<_> = answers.collect();
    for (place, failure) in unreadable {
        answers.insert(*place, failed(failure.clone()));
    }
    answers
}
