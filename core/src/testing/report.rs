//! What came of it.

use std::fmt;

use serde::Serialize;

/// What came of all stories. Its text has one line for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The seed of the dice, to repeat the run.
    pub seed: u64,
    /// The stories, in the order in which they were told.
    pub cases: Vec<CaseResult>,
}

/// What came of one story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// Its name; it does not change between versions.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// How many answers and invariants were checked.
    pub checks: u32,
    /// How it ended.
    pub outcome: CaseOutcome,
}

/// How a story ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CaseOutcome {
    /// The store did right.
    Passed,
    /// The store did wrong.
    Failed {
        /// What is to be mended.
        why: String,
    },
    /// The store cannot do what the story needs, and so nothing is known.
    Skipped {
        /// What it needs.
        why: String,
    },
}

impl Report {
    /// Whether stories were told and none failed. Those that were skipped are [`Report::skipped`]: look at them too.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.cases.is_empty() && self.failures().next().is_none()
    }

    /// The stories that failed, each with what is to be mended.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.cases.iter().filter_map(|case| match &case.outcome {
            CaseOutcome::Failed { why } => Some((case.name, why.as_str())),
            CaseOutcome::Passed | CaseOutcome::Skipped { .. } => None,
        })
    }

    /// The stories that were skipped, each with what it needs.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.cases.iter().filter_map(|case| match &case.outcome {
            CaseOutcome::Skipped { why } => Some((case.name, why.as_str())),
            CaseOutcome::Passed | CaseOutcome::Failed { .. } => None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cases.iter().try_for_each(|case| writeln!(formatter, "{case}"))?;
        let (failed, skipped) = (self.failures().count(), self.skipped().count());
        let passed = self.cases.len().saturating_sub(failed).saturating_sub(skipped);
        write!(formatter, "{passed} passed, {failed} failed, {skipped} skipped (seed {})", self.seed)
    }
}

impl fmt::Display for CaseResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, about, checks, outcome } = self;
        match outcome {
            CaseOutcome::Passed => write!(formatter, "passed  {name}: {about} ({checks} checks)"),
            CaseOutcome::Failed { why } => write!(formatter, "FAILED  {name}: {why}"),
            CaseOutcome::Skipped { why } => write!(formatter, "SKIPPED {name}: {why}"),
        }
    }
}
