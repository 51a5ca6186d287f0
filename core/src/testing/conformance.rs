//! The suite as a machine that asks for one thing after the other.

use std::{
    collections::VecDeque,
    fmt,
    task::{Context, Poll, Waker},
};

use super::{
    CaseOutcome, CaseResult, Report,
    cases::{self, Case, Telling},
    desk::{Desk, Reply},
    world::Stop,
};
use crate::{
    record::{Key, Row},
    time::Timestamp,
    vocabulary::{Commit, Error, Reason},
};

/// What the suite asks its driver to do with the store.
#[derive(Clone, Debug)]
pub enum Step {
    /// Begin with an empty store, then call [`Conformance::ready`].
    Fresh,
    /// Read these rows and give them to [`Conformance::rows`].
    Read(Vec<Key>),
    /// Commit this and tell [`Conformance::held`] what the store said. A store of text takes [`Commit::batch`].
    Commit(Box<Commit>),
    /// Give [`Conformance::keys`] what the store says is due.
    Due {
        /// The present.
        now: Timestamp,
        /// How many keys at most.
        limit: usize,
    },
    /// Drop every connection, cache and buffer, as a crash would, and open the same store again, then call
    /// [`Conformance::ready`], or [`Conformance::unable`] where a store cannot be opened again.
    Reopen,
    /// Give [`Conformance::events`] the bodies of this record's events, oldest first, or call [`Conformance::unable`].
    Events(Key),
    /// All stories are told.
    Done(Report),
}

/// The suite. [`super::check`] drives it for a synchronous [`super::Store`]; other drivers are a loop:
///
/// ```text
/// loop {
///     let answer = match suite.next() {
///         Step::Fresh => make_store().await.map(|new| { store = new; suite.ready() }),
///         Step::Read(keys) => store.read(&keys).await.map(|rows| suite.rows(rows)),
///         Step::Commit(commit) => store.commit(&commit.batch()).await.map(|held| suite.held(held)),
///         Step::Due { now, limit } => store.due(now, limit).await.map(|keys| suite.keys(keys)),
///         Step::Reopen => reopen(&mut store).await.map(|()| suite.ready()),
///         Step::Events(_) => Ok(suite.unable()),
///         Step::Done(report) => return report,
///     };
///     match answer { Ok(taken) => taken?, Err(raised) => suite.failed(&raised.to_string()) }
/// }
/// ```
pub struct Conformance {
    seed: u64,
    stories: VecDeque<Case>,
    running: Option<Running>,
    /// Asked, and not yet answered.
    open: Option<Step>,
    results: Vec<CaseResult>,
}

struct Running {
    case: Case,
    desk: Desk,
    story: Telling,
}

impl Default for Conformance {
    fn default() -> Self {
        Self::new()
    }
}

impl Conformance {
    /// The suite as it is always run.
    #[must_use]
    pub fn new() -> Self {
        Self::with_seed(1)
    }

    /// The suite with other dice: they order the steps of concurrent writers and choose what happens.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self { seed, stories: cases::all().into(), running: None, open: None, results: Vec::new() }
    }

    /// A suite of one story.
    pub(super) fn of(seed: u64, case: Case) -> Self {
        Self { seed, stories: VecDeque::from([case]), running: None, open: None, results: Vec::new() }
    }

    /// Only the stories of these names: to mend a store one mistake after the other.
    #[must_use]
    pub fn only(mut self, names: &[&str]) -> Self {
        self.stories.retain(|case| names.contains(&case.name));
        self
    }

    /// Says what is to be done next; the same again until it has been answered.
    #[expect(
        clippy::should_implement_trait,
        reason = "the word of a session's loop; it gives steps, not items"
    )]
    pub fn next(&mut self) -> Step {
        loop {
            if let Some(step) = &self.open {
                return step.clone();
            }
            let Some(running) = self.running.as_mut() else {
                match self.stories.pop_front() {
                    Some(case) => self.running = Some(Running::begin(case, self.seed)),
                    None => return Step::Done(Report { seed: self.seed, cases: self.results.clone() }),
                }
                continue;
            };
            match running.story.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => self.open = running.desk.asked(),
                Poll::Ready(told) => {
                    self.results.push(running.result(told));
                    self.running = None;
                }
            }
        }
    }

    /// Answers [`Step::Fresh`] and [`Step::Reopen`]: it is done.
    ///
    /// # Errors
    /// [`Error::Misuse`] when something else was asked.
    pub fn ready(&mut self) -> Result<(), Error> {
        self.answer(Reply::Ready, |asked| matches!(asked, Step::Fresh | Step::Reopen))
    }

    /// Answers [`Step::Read`].
    ///
    /// # Errors
    /// [`Error::Misuse`] when something else was asked.
    pub fn rows(&mut self, rows: Vec<Row>) -> Result<(), Error> {
        self.answer(Reply::Rows(rows), |asked| matches!(asked, Step::Read(_)))
    }

    /// Answers [`Step::Commit`].
    ///
    /// # Errors
    /// [`Error::Misuse`] when something else was asked.
    pub fn held(&mut self, held: bool) -> Result<(), Error> {
        self.answer(Reply::Held(held), |asked| matches!(asked, Step::Commit(_)))
    }

    /// Answers [`Step::Due`].
    ///
    /// # Errors
    /// [`Error::Misuse`] when something else was asked.
    pub fn keys(&mut self, keys: Vec<Key>) -> Result<(), Error> {
        self.answer(Reply::Keys(keys), |asked| matches!(asked, Step::Due { .. }))
    }

    /// Answers [`Step::Events`].
    ///
    /// # Errors
    /// [`Error::Misuse`] when something else was asked.
    pub fn events(&mut self, bodies: Vec<String>) -> Result<(), Error> {
        self.answer(Reply::Events(bodies), |asked| matches!(asked, Step::Events(_)))
    }

    /// Answers [`Step::Reopen`] and [`Step::Events`]: this store cannot do that.
    ///
    /// # Errors
    /// [`Error::Misuse`] when something else was asked.
    pub fn unable(&mut self) -> Result<(), Error> {
        self.answer(Reply::Unable, |asked| matches!(asked, Step::Reopen | Step::Events(_)))
    }

    /// Answers any step: the store raised an error, or gave what is no answer. Its text goes into the report.
    pub fn failed(&mut self, text: &str) {
        let text = Reason::from(text).as_str().to_owned();
        if self.open.take().is_some()
            && let Some(running) = &self.running
        {
            running.desk.reply(Reply::Failed(text));
        }
    }

    fn answer(&mut self, reply: Reply, fits: impl Fn(&Step) -> bool) -> Result<(), Error> {
        match (self.open.take(), &self.running) {
            (Some(asked), Some(running)) if fits(&asked) => {
                running.desk.reply(reply);
                Ok(())
            }
            (asked, _) => {
                self.open = asked;
                Err(Error::Misuse("the conformance suite asked for something else"))
            }
        }
    }
}

impl Running {
    fn begin(case: Case, seed: u64) -> Self {
        let desk = Desk::default();
        let story = (case.tell)(desk.clone(), seed);
        Self { case, desk, story }
    }

    fn result(&self, told: Result<(), Stop>) -> CaseResult {
        let outcome = match told {
            Ok(()) => CaseOutcome::Passed,
            Err(Stop::Wrong(why)) => CaseOutcome::Failed { why },
            Err(Stop::Unable(why)) => CaseOutcome::Skipped { why: why.to_owned() },
        };
        CaseResult { name: self.case.name, about: self.case.about, checks: self.desk.checks(), outcome }
    }
}

impl fmt::Debug for Conformance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = self.running.as_ref().map(|running| running.case.name);
        formatter.debug_struct("Conformance").field("seed", &self.seed).field("case", &case).finish()
    }
}
