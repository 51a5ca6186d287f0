//! The loop around a decision, for drivers of any kind of store.

use handfast::registrar::{self, Step};
use napi_derive::napi;

use crate::{
    carry::{self, Parts},
    error::{Result, Throw},
    rows::{self, Row},
    system,
};

/// One command on its way through a store.
#[napi]
pub struct Session(registrar::Session);

impl From<registrar::Session> for Session {
    fn from(session: registrar::Session) -> Self {
        Self(session)
    }
}

/// What a session asks its driver to do: one of the three members is there.
#[napi(object, object_from_js = false)]
pub struct Asked {
    /// Read these rows.
    pub load: Option<Vec<String>>,
    /// Commit this batch, as JSON.
    pub commit: Option<String>,
    /// It is over.
    pub answer: Option<Parts>,
}

#[napi]
impl Session {
    /// Goes on until something has to be done outside.
    #[napi]
    pub fn next(&mut self, now: i64, trusted: bool) -> Result<Asked> {
        let now = system::now(now, trusted)?;
        let mut asked = Asked { load: None, commit: None, answer: None };
        match self.0.next(now, &mut system::entropy()?).map_err(Throw::throw)? {
            Step::Load(keys) => asked.load = Some(keys.iter().map(ToString::to_string).collect()),
            Step::Commit(commit) => asked.commit = Some(carry::write(&commit.batch())),
            Step::Answer(answer) => asked.answer = Some(carry::parts(answer.into_parts())),
        }
        Ok(asked)
    }

    /// Gives the rows that were asked for.
    #[napi]
    pub fn loaded(&mut self, rows: Vec<Row>) -> Result<()> {
        self.0.loaded(rows::read(rows)?).map_err(Throw::throw)
    }

    /// Says whether the commit is durable.
    #[napi]
    pub fn committed(&mut self, held: bool) -> Result<()> {
        self.0.committed(held).map_err(Throw::throw)
    }
}
