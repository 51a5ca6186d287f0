//! The host: handfast's decisions on this program's store, clock and entropy.

use std::{sync::Arc, time::Instant};

use handfast::{
    code::Code,
    record::{Key, Loaded, Row},
    registrar::{Explanation, Registrar},
    vocabulary::{Answer, Command, Error},
};
use tokio::sync::Notify;

use crate::{
    clock::Clock,
    group::{Desk, Group},
    metrics::Metrics,
    store::{Store, StoreError},
};

/// Why a command came to nothing. A refusal is an answer and not in here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    #[error(transparent)]
    Core(#[from] Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HostError {
    /// The stable code, where there is one.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Core(error) => Some(error.code()),
            Self::Store(_) => None,
        }
    }
}

/// Everything that a command needs.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    changed: Arc<Notify>,
    group: Group,
}

impl Host {
    /// Puts them together, and begins to work.
    pub(crate) fn new(registrar: Registrar, store: Store, clock: Clock) -> Self {
        let (registrar, metrics, changed) = (Arc::new(registrar), Arc::default(), Arc::default());
        let desk = Desk {
            registrar: Arc::clone(&registrar),
            store: store.clone(),
            clock: clock.clone(),
            metrics: Arc::clone(&metrics),
            changed: Arc::clone(&changed),
        };
        Self { registrar, store, clock, metrics, changed, group: Group::start(desk) }
    }

    /// Takes a command through the store. The answer exists only once its commit is durable; a conflict decides again.
    pub(crate) async fn run(&self, command: Command) -> Result<Answer, HostError> {
        self.group.run(command).await
    }

    /// What would come of a command, without doing it.
    pub(crate) async fn explain(&self, command: &Command) -> Result<Explanation, HostError> {
        let mut loaded = Loaded::default();
        loop {
            match self.registrar.explain(command, &loaded, self.clock.now())? {
                Explanation::Need { keys } => loaded.add(&keys, self.store.read(&keys).await?)?,
                said @ (Explanation::Refused(_) | Explanation::Accepted { .. }) => return Ok(said),
            }
        }
    }

    /// Sets the clock by that of the database, where several hosts may share it.
    pub(crate) async fn synchronise(&self) -> Result<(), HostError> {
        let asked = Instant::now();
        if let Some(at) = self.store.now().await? {
            self.clock.set(at, asked);
        }
        Ok(())
    }

    /// Reads rows as they are.
    pub(crate) async fn read(&self, keys: &[Key]) -> Result<Vec<Row>, HostError> {
        Ok(self.store.read(keys).await?)
    }

    /// Waits until a record has changed since the last call.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}
