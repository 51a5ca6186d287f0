//! Where a story meets its driver.
//!
//! Stories are `async fn`s that are polled by hand, without a runtime and with a waker that does nothing: the language's
//! own way to write a state machine top-down. A story lays a question on the desk and waits; the driver's answer is laid
//! beside it; the next poll takes the answer up.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use super::Step;
use crate::record::{Key, Row};

/// What a driver answers.
#[derive(Debug)]
pub(super) enum Reply {
    /// It is done.
    Ready,
    /// Rows that were read.
    Rows(Vec<Row>),
    /// Whether the commit held.
    Held(bool),
    /// Keys that are due.
    Keys(Vec<Key>),
    /// Bodies of events.
    Events(Vec<String>),
    /// The store raised this.
    Failed(String),
    /// The store has no such thing.
    Unable,
}

/// The desk; cloning it gives another chair at the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk(Arc<Mutex<Papers>>);

#[derive(Debug, Default)]
struct Papers {
    asked: Option<Step>,
    reply: Option<Reply>,
    checks: u32,
}

impl Desk {
    /// The story's side: asks, and waits for the answer.
    pub(super) async fn ask(&self, step: Step) -> Reply {
        self.papers().asked = Some(step);
        poll_fn(|_| self.papers().reply.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// The story's side: counts something that was held against the model or the invariants.
    pub(super) fn checked(&self) {
        let mut papers = self.papers();
        papers.checks = papers.checks.saturating_add(1);
    }

    /// The driver's side: what was asked.
    pub(super) fn asked(&self) -> Option<Step> {
        self.papers().asked.take()
    }

    /// The driver's side: answers.
    pub(super) fn reply(&self, reply: Reply) {
        self.papers().reply = Some(reply);
    }

    /// How much was checked.
    pub(super) fn checks(&self) -> u32 {
        self.papers().checks
    }

    fn papers(&self) -> MutexGuard<'_, Papers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
