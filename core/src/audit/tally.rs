//! Packages by scope and month, and how long they took to be in use.

use std::{collections::BTreeMap, fmt, str::FromStr};

use chrono::Datelike;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    id::{InvalidId, PackageId, ScopeId, as_text},
    limits,
    record::check_length,
    time::Timestamp,
    vocabulary::Error,
};

/// Folds the facts of packages into counts. Feed it each fact once, in any order; what it holds is itself a value that
/// can be stored, and two of them can be merged: tallies of different parts of a log merge into the tally of the log,
/// however it was parted.
///
/// A fact after the first says nothing of its package's scope, so a package is kept until it has ended; the counts of
/// those that have are all that is left of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// What is known of packages whose facts are not all there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    open: BTreeMap<PackageId, Life>,
    /// What all others add up to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settled: BTreeMap<ScopeId, BTreeMap<Month, Counts>>,
}

/// One step in the life of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Milestone {
    /// The package.
    pub package: PackageId,
    /// When.
    pub at: Timestamp,
    /// Which.
    pub step: Step,
}

/// Which step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was issued in this scope.
    Issued(ScopeId),
    /// It is in use.
    Activated,
    /// It was not in use in time.
    Expired,
    /// It was revoked.
    Revoked,
    /// Its last node has retired.
    Retired,
}

impl Milestone {
    /// Reads it from the body of an event; most facts are none.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`] when the body is not an event, or longer than [`limits::EVENT_BYTES`].
    pub fn read(body: &str) -> Result<Option<Self>, Error> {
        check_length(body, limits::EVENT_BYTES)?;
        let event: Body<'_> =
            serde_json::from_str(body).map_err(|error| Error::CorruptRecord(error.to_string()))?;
        let step = match (event.fact.kind.as_ref(), event.fact.status.as_deref(), event.fact.scope) {
            ("package_issued", _, Some(scope)) => Step::Issued(scope),
            ("package_activated", ..) => Step::Activated,
            ("package_ended", Some("expired"), _) => Step::Expired,
            ("package_ended", Some("revoked"), _) => Step::Revoked,
            ("package_ended", Some("retired"), _) => Step::Retired,
            ("package_issued" | "package_ended", ..) => {
                return Err(Error::CorruptRecord("a package's fact without its scope or status".to_owned()));
            }
            _ => return Ok(None),
        };
        let package = event.key.strip_prefix("package/").and_then(|id| id.parse().ok());
        let package =
            package.ok_or_else(|| Error::CorruptRecord("a package's fact of another record".to_owned()))?;
        Ok(Some(Self { package, at: event.at, step }))
    }
}

/// What of an event matters here; the rest is not looked at.
#[derive(Deserialize)]
struct Body<'a> {
    at: Timestamp,
    #[serde(borrow)]
    key: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    fact: FactBody<'a>,
}

#[derive(Deserialize)]
struct FactBody<'a> {
    #[serde(borrow, rename = "type")]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    status: Option<std::borrow::Cow<'a, str>>,
    #[serde(default)]
    scope: Option<ScopeId>,
}

impl Tally {
    /// Takes in the body of an event, of whatever record.
    ///
    /// # Errors
    /// As [`Milestone::read`].
    pub fn add(&mut self, body: &str) -> Result<(), Error> {
        if let Some(milestone) = Milestone::read(body)? {
            self.record(milestone);
        }
        Ok(())
    }

    /// Takes in one step.
    pub fn record(&mut self, milestone: Milestone) {
        let Milestone { package, at, step } = milestone;
        self.join(package, Life::default().with(step, at));
    }

    /// Takes in what another tally has of another part of the log.
    pub fn merge(&mut self, other: Self) {
        for (scope, months) in other.settled {
            for (month, counts) in months {
                self.settle(scope.clone(), month, &counts);
            }
        }
        for (package, life) in other.open {
            self.join(package, life);
        }
    }

    /// The counts by scope and month, those of packages that live included.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<ScopeId, BTreeMap<Month, Counts>> {
        let mut all = Self { open: BTreeMap::new(), settled: self.settled.clone() };
        self.open.values().for_each(|life| all.count(life));
        all.settled
    }

    /// The same as rows, in the order of scope and month: for a table, a report, or metrics.
    #[must_use]
    pub fn rows(&self) -> Vec<TallyRow> {
        let months = |(scope, months): (ScopeId, BTreeMap<Month, Counts>)| {
            months.into_iter().map(move |(month, counts)| TallyRow { scope: scope.clone(), month, counts })
        };
        self.counts().into_iter().flat_map(months).collect()
    }

    /// Packages that are kept because they live, or because facts of theirs are still to come.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    fn join(&mut self, package: PackageId, new: Life) {
        let life = self.open.remove(&package).unwrap_or_default().or(new);
        if life.is_over() {
            self.count(&life);
        } else {
            self.open.insert(package, life);
        }
    }

    fn count(&mut self, life: &Life) {
        let Some(issued) = &life.issued else { return };
        let scope = &issued.scope;
        self.settle(scope.clone(), issued.at.into(), &Counts { issued: 1, ..Counts::default() });
        if let Some(at) = life.activated {
            let mut counts = Counts { activated: 1, ..Counts::default() };
            counts.time_to_activate.record(at.unix_millis().saturating_sub(issued.at.unix_millis()));
            self.settle(scope.clone(), at.into(), &counts);
        }
        if let Some(ended) = &life.ended {
            let mut counts = Counts::default();
            *match ended.how {
                How::Expired => &mut counts.expired,
                How::Revoked => &mut counts.revoked,
                How::Retired => &mut counts.retired,
            } = 1;
            self.settle(scope.clone(), ended.at.into(), &counts);
        }
    }

    fn settle(&mut self, scope: ScopeId, month: Month, counts: &Counts) {
        self.settled.entry(scope).or_default().entry(month).or_default().add(counts);
    }
}

/// What is known of one package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Life {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued: Option<Issued>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activated: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Ended>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issued {
    scope: ScopeId,
    at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ended {
    how: How,
    at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    Expired,
    Revoked,
    Retired,
}

impl Life {
    fn with(self, step: Step, at: Timestamp) -> Self {
        let ended = |how| Some(Ended { how, at });
        match step {
            Step::Issued(scope) => Self { issued: Some(Issued { scope, at }), ..self },
            Step::Activated => Self { activated: Some(at), ..self },
            Step::Expired => Self { ended: ended(How::Expired), ..self },
            Step::Revoked => Self { ended: ended(How::Revoked), ..self },
            Step::Retired => Self { ended: ended(How::Retired), ..self },
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            issued: self.issued.or(other.issued),
            activated: self.activated.or(other.activated),
            ended: self.ended.or(other.ended),
        }
    }

    /// Whether nothing more can come: only what was never in use expires, and only that.
    fn is_over(&self) -> bool {
        match (&self.issued, self.activated, &self.ended) {
            (Some(_), Some(_), Some(_)) => true,
            (Some(_), None, Some(ended)) => ended.how == How::Expired,
            (None, _, _) | (Some(_), _, None) => false,
        }
    }
}

/// One scope in one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TallyRow {
    /// The scope.
    pub scope: ScopeId,
    /// The month.
    pub month: Month,
    /// What happened in it.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What happened to the packages of a scope in a month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Issued in it.
    pub issued: u64,
    /// In use since then.
    pub activated: u64,
    /// Expired unused.
    pub expired: u64,
    /// Revoked.
    pub revoked: u64,
    /// Ended because their last node has retired.
    pub retired: u64,
    /// How long those that were activated took from their issue to being in use.
    pub time_to_activate: Histogram,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.issued, other.issued),
            (&mut self.activated, other.activated),
            (&mut self.expired, other.expired),
            (&mut self.revoked, other.revoked),
            (&mut self.retired, other.retired),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
        self.time_to_activate.merge(&other.time_to_activate);
    }
}

/// Durations, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Histogram {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum_ms: u64,
    /// The shortest; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ms: Option<u64>,
    /// The longest; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<u64>,
    /// How many of them are at most each of [`Histogram::BOUNDS_MS`] and longer than the one before it; the last counts
    /// those that are longer than all.
    pub buckets: [u64; Histogram::BOUNDS_MS.len() + 1],
}

impl Histogram {
    /// One second, ten, a minute, five, fifteen (the default life of a package), an hour, six, a day, a week.
    pub const BOUNDS_MS: [u64; 9] =
        [1_000, 10_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000];

    /// Takes in one; a clock that went back makes it none at all.
    fn record(&mut self, millis: i64) {
        let millis = u64::try_from(millis).unwrap_or(0);
        let mut one =
            Self { count: 1, sum_ms: millis, min_ms: Some(millis), max_ms: Some(millis), ..Self::default() };
        let place = Self::BOUNDS_MS.partition_point(|bound| *bound < millis);
        one.buckets.iter_mut().skip(place).take(1).for_each(|bucket| *bucket = 1);
        self.merge(&one);
    }

    fn merge(&mut self, other: &Self) {
        let either = |a: Option<u64>, b: Option<u64>, both: fn(u64, u64) -> u64| match (a, b) {
            (Some(a), Some(b)) => Some(both(a, b)),
            (a, b) => a.or(b),
        };
        self.count = self.count.saturating_add(other.count);
        self.sum_ms = self.sum_ms.saturating_add(other.sum_ms);
        self.min_ms = either(self.min_ms, other.min_ms, u64::min);
        self.max_ms = either(self.max_ms, other.max_ms, u64::max);
        for (sum, more) in self.buckets.iter_mut().zip(other.buckets) {
            *sum = sum.saturating_add(more);
        }
    }
}

/// A calendar month in UTC, written `2026-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// The year.
    pub year: i32,
    /// The month, from 1.
    pub month: u32,
}

impl From<Timestamp> for Month {
    fn from(at: Timestamp) -> Self {
        Self { year: at.datetime().year(), month: at.datetime().month() }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new("Month", "four digits, a hyphen and two digits");
        let (year, month) = text.rsplit_once('-').ok_or_else(invalid)?;
        let month = Self {
            year: year.parse().map_err(|_| invalid())?,
            month: month.parse().ok().filter(|month| (1..=12).contains(month)).ok_or_else(invalid)?,
        };
        if month.to_string() == text { Ok(month) } else { Err(invalid()) }
    }
}

as_text!(Month, "^[0-9]{4}-(0[1-9]|1[0-2])$");
