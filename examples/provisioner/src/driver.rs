//! The one loop over deadlines and effects. It rests on nothing but the store: what is due is in the records, and so
//! a process that is killed and started again goes on where it was. Where several hosts share the store, each may come
//! upon the same record: an effect is leased by one of them, and what another one has done by then is found done.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use handfast::{
    id::{ActorName, PackageId},
    record::{Key, Record},
    vocabulary::{
        Action, Answer, Authority, Command, Effect, EffectId, EffectOutcome, Error, Expire, Reason, Report,
        Work,
    },
};
use rand::seq::SliceRandom;
use tokio::{sync::watch, task::JoinSet};

use crate::{
    executors::Executors,
    host::{Host, HostError},
    retention,
    store::NOTICES,
};

/// Applies deadlines, performs effects, and forgets what has ended long ago.
#[derive(Debug)]
pub(crate) struct Driver {
    host: Arc<Host>,
    executors: Arc<Executors>,
    worker: ActorName,
    /// Days after which what has ended is forgotten.
    retention_days: Option<u16>,
    /// What this process is at. A lease of ours that is not in here was taken by a process that died.
    in_hand: Mutex<BTreeSet<EffectId>>,
}

impl Driver {
    pub(crate) fn new(
        host: Arc<Host>,
        executors: Arc<Executors>,
        worker: ActorName,
        retention_days: Option<u16>,
    ) -> Self {
        Self { host, executors, worker, retention_days, in_hand: Mutex::default() }
    }

    /// Works until `stop` says so, and then finishes what it is at.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        // Leases that an earlier life of this worker took end later than now: look ahead once.
        let mut ahead = LEASE_SECONDS;
        let (mut tidied, mut set) = (None::<Instant>, Instant::now());
        while !*stop.borrow() {
            let pause = match self.pass(ahead, &mut tasks).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!("the loop over deadlines and effects failed and goes on: {error}");
                    STEADY
                }
            };
            ahead = 0;
            if set.elapsed() >= SET_CLOCK {
                set = Instant::now();
                if let Err(error) = self.host.synchronise().await {
                    tracing::error!("the clock of the database could not be read: {error}");
                }
            }
            if tidied.is_none_or(|tidied| tidied.elapsed() >= TIDY) {
                tidied = Some(Instant::now());
                // It may take long, and nothing that is due shall wait for it.
                let driver = Arc::clone(&self);
                tasks.spawn(async move { driver.tidy().await });
            }
            while tasks.try_join_next().is_some() {}
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.host.changed() => {}
                _ = stop.changed() => {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Deletes refusals that are too many and forgets what has ended long ago.
    async fn tidy(&self) {
        if let Err(error) = self.host.store.bound_notices(NOTICES).await {
            tracing::error!("old refusals could not be deleted: {error}");
        }
        let Some(days) = self.retention_days else { return };
        match retention::forget_ended(&self.host, days).await {
            Ok(0) => {}
            Ok(records) => tracing::info!("forgot {records} records that had ended, and their facts"),
            Err(error) => tracing::error!("what has ended could not be forgotten: {error}"),
        }
    }

    /// Looks after everything that is due, and says how long nothing will be.
    async fn pass(self: &Arc<Self>, ahead: u32, tasks: &mut JoinSet<()>) -> Result<Duration, HostError> {
        let by = self.host.clock.now().at.plus_seconds(ahead);
        let mut due = self.host.store.due(by, BATCH).await?;
        if self.host.store.is_shared() {
            // Hosts that come upon the same records begin at different ends.
            due.shuffle(&mut rand::rng());
        }
        for key in &due {
            // One record that cannot be read must not keep the others waiting.
            match self.look_after(key, tasks).await {
                Ok(()) => {}
                Err(HostError::Core(Error::Busy)) => tracing::debug!(%key, "others are at it"),
                Err(error) => tracing::error!(%key, "{error}"),
            }
        }
        if due.len() >= BATCH.try_into().unwrap_or(usize::MAX) {
            return Ok(Duration::ZERO);
        }
        let next = self.host.store.next_wake().await?;
        // Of what another host commits, this one is not told.
        let longest = if self.host.store.is_shared() { LONGEST_SHARED } else { LONGEST };
        let pause = next.map_or(longest, |at| self.host.clock.until(at).min(longest));
        // What is still due is broken, or taken by another process: it must not spin the loop.
        Ok(if pause.is_zero() { STEADY } else { pause })
    }

    async fn look_after(self: &Arc<Self>, key: &Key, tasks: &mut JoinSet<()>) -> Result<(), HostError> {
        let expire = Action::Expire(Expire { key: key.clone() });
        let command = Command { authority: Authority::Timer, source: None, action: expire };
        self.host.run(command).await?;
        for row in self.host.read(std::slice::from_ref(key)).await? {
            for effect in self.host.registrar.outstanding(&Record::from_body(&row.body)?) {
                self.take(effect, tasks).await?;
            }
        }
        Ok(())
    }

    /// Takes an effect if it is nobody's, or ours from an earlier life, and leaves the work to a task.
    async fn take(self: &Arc<Self>, effect: Effect, tasks: &mut JoinSet<()>) -> Result<(), HostError> {
        let orphaned = effect.leased_by.as_ref() == Some(&self.worker);
        let now = self.host.clock.now().at;
        let is_time = effect.not_before.is_none_or(|at| at <= now) || orphaned;
        if !is_time || !self.in_hand().insert(effect.id.clone()) {
            return Ok(());
        }
        self.host.metrics.set_in_hand(self.in_hand().len());
        let in_hand = InHand { driver: Arc::clone(self), id: effect.id.clone() };
        while tasks.len() >= AT_ONCE {
            tasks.join_next().await;
        }
        if self.report(&effect.id, EffectOutcome::Started { lease_seconds: LEASE_SECONDS }).await? {
            tasks.spawn(async move { in_hand.driver.perform(&effect).await });
        }
        Ok(())
    }

    async fn perform(&self, effect: &Effect) {
        let outcome = if let Work::Sweep { package } = &effect.work {
            self.sweep(*package).await
        } else {
            match self.reveal(effect).await {
                Ok(revealed) => {
                    Ok(self.executors.perform(&effect.work, revealed, self.host.clock.now().at).await)
                }
                Err(error) => Err(error),
            }
        };
        let outcome =
            outcome.unwrap_or_else(|error| EffectOutcome::Failed { reason: Reason::from(error.to_string()) });
        let said = describe(&outcome);
        self.host.metrics.effect(name(&outcome));
        match self.report(&effect.id, outcome).await {
            Ok(true) => tracing::info!(effect = %effect.id, "{said}"),
            Ok(false) => tracing::info!(effect = %effect.id, "{said}, but it is not wanted any more"),
            Err(error) => tracing::error!(effect = %effect.id, "{said}, but the report was lost: {error}"),
        }
    }

    /// Ends what a package had below it: too many for one decision.
    async fn sweep(&self, package: PackageId) -> Result<EffectOutcome, HostError> {
        let until = Instant::now() + crate::executors::PATIENCE;
        while Instant::now() < until {
            let below = self.host.store.below(package, BATCH).await?;
            if below.is_empty() {
                return Ok(EffectOutcome::Done);
            }
            for key in below {
                let expire = Action::Expire(Expire { key });
                self.host.run(Command { authority: Authority::Timer, source: None, action: expire }).await?;
            }
        }
        Ok(EffectOutcome::Unknown)
    }

    async fn reveal(&self, effect: &Effect) -> Result<handfast::registrar::Revealed, HostError> {
        let secrets: Vec<_> = effect.work.secrets().into_iter().map(Key::Secret).collect();
        let rows = self.host.read(&secrets).await?;
        Ok(self.host.registrar.reveal(effect, &rows)?)
    }

    /// Whether the report was taken in.
    async fn report(&self, effect: &EffectId, outcome: EffectOutcome) -> Result<bool, HostError> {
        let report = Report { effect: effect.clone(), outcome };
        let authority = Authority::Executor(self.worker.clone());
        let command = Command { authority, source: None, action: Action::Report(report) };
        Ok(matches!(self.host.run(command).await?, Answer::Reported(_)))
    }

    fn in_hand(&self) -> MutexGuard<'_, BTreeSet<EffectId>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An effect that this process is at, until it is dropped.
struct InHand {
    driver: Arc<Driver>,
    id: EffectId,
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut in_hand = self.driver.in_hand();
        in_hand.remove(&self.id);
        self.driver.host.metrics.set_in_hand(in_hand.len());
    }
}

/// For the metrics.
fn name(outcome: &EffectOutcome) -> &'static str {
    match outcome {
        EffectOutcome::Started { .. } => "started",
        EffectOutcome::Done => "done",
        EffectOutcome::Failed { .. } => "failed",
        EffectOutcome::Collision => "collision",
        EffectOutcome::Unknown => "unknown",
        EffectOutcome::Described(_) => "described",
    }
}

/// For the log: what happened, without its data.
fn describe(outcome: &EffectOutcome) -> String {
    match outcome {
        EffectOutcome::Started { .. } => "started".into(),
        EffectOutcome::Done => "done".into(),
        EffectOutcome::Failed { reason } => format!("failed: {}", reason.as_str()),
        EffectOutcome::Collision => "something else bears its name".into(),
        EffectOutcome::Unknown => "nobody knows whether it was done".into(),
        EffectOutcome::Described(_) => "described".into(),
    }
}

/// Seconds after which a worker that is silent is taken for dead. Longer than [`crate::executors::PATIENCE`].
const LEASE_SECONDS: u32 = 60;
/// Records looked after in one pass.
const BATCH: u32 = 100;
/// Effects performed at once.
const AT_ONCE: usize = 8;
/// How often old refusals are deleted.
const TIDY: Duration = Duration::from_secs(10 * 60);
const STEADY: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
const LONGEST_SHARED: Duration = Duration::from_secs(2);
/// How often the clock is set by that of a shared database. Clocks drift by less than a millisecond in that time.
const SET_CLOCK: Duration = Duration::from_secs(10);
