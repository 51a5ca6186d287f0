//! The conformance suite for stores, step by step.

use handfast::{
    testing::{self, Step},
    vocabulary::Error,
};
use napi_derive::napi;

use crate::{
    carry,
    error::{Result, Throw},
    ledger::Ledger,
    rows::{self, Row},
};

/// The conformance suite as a machine that asks for one thing after the other.
#[napi]
pub struct Conformance(testing::Conformance);

/// What the suite asks its driver to do.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct Demanded {
    /// `fresh`, `read`, `commit`, `due`, `reopen`, `events` or `done`.
    pub step: &'static str,
    /// The keys to read.
    pub keys: Option<Vec<String>>,
    /// The batch to commit, as JSON.
    pub batch: Option<String>,
    /// The present.
    pub now: Option<String>,
    /// How many keys at most.
    pub limit: Option<u32>,
    /// The record whose events are asked for.
    pub key: Option<String>,
    /// The report, as JSON.
    pub report: Option<String>,
    /// Whether stories were told and none failed.
    pub passed: Option<bool>,
    /// The report, for people.
    pub text: Option<String>,
}

#[napi]
impl Conformance {
    /// The suite with these dice, and only the stories of these names, where names are given.
    #[napi(constructor)]
    pub fn new(seed: u32, stories: Option<Vec<String>>) -> Self {
        let suite = testing::Conformance::with_seed(u64::from(seed));
        Self(match &stories {
            Some(names) => suite.only(&names.iter().map(String::as_str).collect::<Vec<_>>()),
            None => suite,
        })
    }

    /// Says what is to be done next; the same again until it has been answered.
    #[napi]
    pub fn next(&mut self) -> Demanded {
        match self.0.next() {
            Step::Fresh => Demanded { step: "fresh", ..Demanded::default() },
            Step::Reopen => Demanded { step: "reopen", ..Demanded::default() },
            Step::Read(keys) => {
                let keys = keys.iter().map(ToString::to_string).collect();
                Demanded { step: "read", keys: Some(keys), ..Demanded::default() }
            }
            Step::Commit(commit) => {
                let batch = carry::write(&commit.batch());
                Demanded { step: "commit", batch: Some(batch), ..Demanded::default() }
            }
            Step::Due { now, limit } => {
                let limit = u32::try_from(limit).unwrap_or(u32::MAX);
                Demanded {
                    step: "due",
                    now: Some(now.to_string()),
                    limit: Some(limit),
                    ..Demanded::default()
                }
            }
            Step::Events(key) => {
                Demanded { step: "events", key: Some(key.to_string()), ..Demanded::default() }
            }
            Step::Done(report) => Demanded {
                step: "done",
                passed: Some(report.passed()),
                text: Some(report.to_string()),
                report: Some(carry::write(&report)),
                ..Demanded::default()
            },
        }
    }

    /// Answers `fresh` and `reopen`: it is done.
    #[napi]
    pub fn ready(&mut self) -> Result<()> {
        self.0.ready().map_err(Throw::throw)
    }

    /// Answers `read`.
    #[napi]
    pub fn rows(&mut self, rows: Vec<Row>) -> Result<()> {
        self.0.rows(rows::read(rows)?).map_err(Throw::throw)
    }

    /// Answers `commit`.
    #[napi]
    pub fn held(&mut self, held: bool) -> Result<()> {
        self.0.held(held).map_err(Throw::throw)
    }

    /// Carries out `commit` on a ledger, which takes no batches, and answers it.
    #[napi]
    pub fn commit_to(&mut self, ledger: &Ledger) -> Result<()> {
        let Step::Commit(commit) = self.0.next() else {
            return Err(Error::Misuse("the conformance suite asked for something else").throw());
        };
        self.0.held(ledger.commit(&commit)?).map_err(Throw::throw)
    }

    /// Answers `due`.
    #[napi]
    pub fn keys(&mut self, keys: Vec<String>) -> Result<()> {
        self.0.keys(rows::keys(&keys)?).map_err(Throw::throw)
    }

    /// Answers `events`, with the bodies.
    #[napi]
    pub fn events(&mut self, bodies: Vec<String>) -> Result<()> {
        self.0.events(bodies).map_err(Throw::throw)
    }

    /// Answers `reopen` and `events`: the store cannot do that.
    #[napi]
    pub fn unable(&mut self) -> Result<()> {
        self.0.unable().map_err(Throw::throw)
    }

    /// Answers any step: the store raised this.
    #[napi]
    pub fn failed(&mut self, text: String) {
        self.0.failed(&text);
    }
}
