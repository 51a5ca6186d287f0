//! Does your store keep its promises? The conformance suite for stores, behind the feature `conformance`.
//!
//! [`crate::store`] says in three sentences what a store must do; every guarantee of handfast (a token redeemed at most
//! so often, nothing lost in a crash, secrets really destroyed) rests on them. This suite tells stories that only a
//! right store survives: conflicting writers, write skew, batches that must fail as a whole, crashes between the steps,
//! duplicate and reordered deliveries. After every step it holds the store against a model, and after every story the
//! records that can be read back against the invariants.
//!
//! It does no I/O: [`Conformance`] asks its driver for one thing after the other, as a
//! [`Session`](crate::registrar::Session) does, and so any language can drive it, synchronous or not. In Rust,
//! implement [`Store`] and call [`check`]:
//!
//! ```
//! # use handfast::{Ledger, Timestamp, record::{Key, Row}, vocabulary::Commit, testing::{self, Store}};
//! struct Mine(Ledger);
//!
//! impl Store for Mine {
//!     type Error = handfast::vocabulary::Error;
//!     fn fresh(&mut self) -> Result<(), Self::Error> {
//!         self.0 = Ledger::new();
//!         Ok(())
//!     }
//!     fn read(&mut self, keys: &[Key]) -> Result<Vec<Row>, Self::Error> {
//!         Ok(self.0.read(keys))
//!     }
//!     fn commit(&mut self, commit: &Commit) -> Result<bool, Self::Error> {
//!         Ok(self.0.commit(commit)) // a store of text takes `commit.batch()`
//!     }
//!     fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Key>, Self::Error> {
//!         Ok(self.0.due(now, limit))
//!     }
//!     fn reopen(&mut self) -> Result<bool, Self::Error> {
//!         self.0 = Ledger::restore(&self.0.snapshot())?;
//!         Ok(true)
//!     }
//! }
//!
//! let report = testing::check(&mut Mine(Ledger::new()));
//! assert!(report.passed(), "{report}");
//! ```
//!
//! What it cannot see: the driver answers one step at a time, so two transactions never really overlap. A store whose
//! guards are checked outside the transaction that writes passes here and fails under load. [`Race`] lets many hosts run
//! at once, and counts who won.

#![expect(clippy::wildcard_enum_match_arm, reason = "a story says what it expects, and ends at all else")]

mod cases;
mod conformance;
mod desk;
mod dice;
mod invariants;
mod judge;
mod model;
mod race;
mod report;
mod world;

use std::fmt::Display;

pub use conformance::{Conformance, Step};
pub use race::Race;
pub use report::{CaseOutcome, CaseResult, Report};

use crate::{
    record::{Key, Row},
    time::Timestamp,
    vocabulary::Commit,
};

/// A store that is to be checked, with what only a test needs: to begin anew and to survive a crash.
pub trait Store {
    /// What the store raises.
    type Error: Display;

    /// Begins with an empty store.
    ///
    /// # Errors
    /// What the store raises.
    fn fresh(&mut self) -> Result<(), Self::Error>;

    /// Gives the rows that exist.
    ///
    /// # Errors
    /// What the store raises.
    fn read(&mut self, keys: &[Key]) -> Result<Vec<Row>, Self::Error>;

    /// Does all of it, or nothing when a guard does not hold.
    ///
    /// # Errors
    /// What the store raises; a guard that does not hold is `false`, and no error.
    fn commit(&mut self, commit: &Commit) -> Result<bool, Self::Error>;

    /// Gives the keys whose `wake_at` has come, the earliest first, at most `limit`.
    ///
    /// # Errors
    /// What the store raises.
    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Key>, Self::Error>;

    /// Drops every connection, cache and buffer, as a crash of the process would, and opens the same store again.
    /// `false`: this store cannot be opened again; the stories that need it are skipped.
    ///
    /// # Errors
    /// What the store raises.
    fn reopen(&mut self) -> Result<bool, Self::Error>;

    /// The bodies of a record's events, oldest first; `None` when the store cannot say, and then the story about them
    /// is skipped.
    ///
    /// # Errors
    /// What the store raises.
    fn events(&mut self, _key: &Key) -> Result<Option<Vec<String>>, Self::Error> {
        Ok(None)
    }
}

/// Tells all stories to a store.
pub fn check(store: &mut impl Store) -> Report {
    drive(store, Conformance::new())
}

/// Tells the stories of a suite to a store.
pub fn drive(store: &mut impl Store, mut suite: Conformance) -> Report {
    loop {
        let answered = match suite.next() {
            Step::Fresh => store.fresh().map(|()| suite.ready()),
            Step::Read(keys) => store.read(&keys).map(|rows| suite.rows(rows)),
            Step::Commit(commit) => store.commit(&commit).map(|held| suite.held(held)),
            Step::Due { now, limit } => store.due(now, limit).map(|keys| suite.keys(keys)),
            Step::Reopen => store.reopen().map(|done| if done { suite.ready() } else { suite.unable() }),
            Step::Events(key) => store.events(&key).map(|events| match events {
                Some(bodies) => suite.events(bodies),
                None => suite.unable(),
            }),
            Step::Done(report) => return report,
        };
        match answered {
            Ok(Ok(())) => {}
            Ok(Err(misuse)) => suite.failed(&misuse.to_string()),
            Err(raised) => suite.failed(&raised.to_string()),
        }
    }
}
