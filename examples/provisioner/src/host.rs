//! The host: handfast's decisions on this program's store, clock and entropy.

use std::{sync::Arc, time::Instant};

use handfast::{
    code::Code,
    record::{Key, Loaded, Row},
    registrar::{Explanation, Registrar, Step},
    vocabulary::{Answer, Command, Error},
};
use tokio::sync::Notify;

use crate::{
    clock::Clock,
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
    pub(crate) metrics: Metrics,
    changed: Notify,
}

impl Host {
    pub(crate) fn new(registrar: Registrar, store: Store, clock: Clock) -> Self {
        Self {
            registrar: Arc::new(registrar),
            store,
            clock,
            metrics: Metrics::default(),
            changed: Notify::new(),
        }
    }

    /// Takes a command through the store. The answer exists only once its commit is durable; a conflict decides again.
    pub(crate) async fn run(&self, command: Command) -> Result<Answer, HostError> {
        let mut session = self.registrar.session(command);
        loop {
            // The generator belongs to the thread, and must not be held across an await.
            let step = session.next(self.clock.now(), &mut rand::rng())?;
            match step {
                Step::Load(keys) => session.loaded(self.store.read(&keys).await?)?,
                Step::Commit(commit) => {
                    let held = self.store.commit(&commit.batch()).await?;
                    if held && !commit.writes.is_empty() {
                        self.changed.notify_one();
                    }
                    if !held {
                        self.metrics.conflict();
                    }
                    session.committed(held)?;
                }
                Step::Answer(answer) => {
                    if let Answer::Refused(refused) = &answer {
                        self.metrics.refused(refused.code());
                    }
                    return Ok(answer);
                }
            }
        }
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
