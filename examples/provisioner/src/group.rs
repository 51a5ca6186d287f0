//! Commands that wait at the same time are decided one after the other and committed together: one way to the database and
//! one flush to its disk for all of them, and no conflict between them where they are about the same records.

use std::sync::Arc;

use handfast::{
    limits,
    record::Loaded,
    registrar::{BatchOutcome, Registrar, Step},
    vocabulary::{Answer, Command, Error},
};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

use crate::{clock::Clock, host::HostError, metrics::Metrics, store::Store};

/// What takes commands through the store.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    /// Told of each commit that changed a record.
    pub(crate) changed: Arc<Notify>,
}

/// Commands on their way to the desk.
#[derive(Debug)]
pub(crate) struct Group {
    desk: Arc<Desk>,
    queue: mpsc::Sender<Waiting>,
}

/// A command, and who waits for its answer.
#[derive(Debug)]
struct Waiting {
    command: Command,
    told: oneshot::Sender<Result<Answer, HostError>>,
}

impl Group {
    /// Begins to work. It ends when the group is dropped.
    pub(crate) fn start(desk: Desk) -> Self {
        let desk = Arc::new(desk);
        let (queue, waiting) = mpsc::channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..WORKERS {
            tokio::spawn(Arc::clone(&desk).work(Arc::clone(&waiting)));
        }
        Self { desk, queue }
    }

    /// Takes a command through the store, and gives its answer once its commit is durable.
    pub(crate) async fn run(&self, command: Command) -> Result<Answer, HostError> {
        let (told, answer) = oneshot::channel();
        match self.queue.send(Waiting { command, told }).await {
            Ok(()) => answer.await.unwrap_or(Err(HostError::Core(Error::Busy))),
            Err(mpsc::error::SendError(waiting)) => self.desk.alone(waiting.command).await,
        }
    }
}

impl Desk {
    async fn work(self: Arc<Self>, queue: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
        loop {
            let mut group = Vec::new();
            if queue.lock().await.recv_many(&mut group, TOGETHER).await == 0 {
                return;
            }
            self.settle(group).await;
        }
    }

    /// Answers all of a group. Where something keeps it from being committed as one, each of it is tried alone, so that
    /// nobody fails for another one's sake.
    async fn settle(self: &Arc<Self>, group: Vec<Waiting>) {
        let (commands, told): (Vec<_>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.command, waiting.told)).unzip();
        if let Some(answers) = self.together(&commands).await {
            for (told, answer) in told.into_iter().zip(answers) {
                let _ = told.send(answer); // whoever has hung up will ask again
            }
            return;
        }
        for (told, command) in told.into_iter().zip(commands) {
            let desk = Arc::clone(self);
            tokio::spawn(async move { told.send(desk.alone(command).await) });
        }
    }

    /// All of them in one commit; `None` where that does not work out.
    async fn together(&self, commands: &[Command]) -> Option<Vec<Result<Answer, HostError>>> {
        for _ in 0..limits::CONFLICTS {
            match self.try_together(commands).await {
                Ok(Some(answers)) => return Some(answers),
                Ok(None) => self.metrics.conflict(),
                Err(error) => {
                    tracing::debug!("{} commands are taken one by one: {error}", commands.len());
                    return None;
                }
            }
        }
        None
    }

    /// Decides and commits once; `None` after a conflict.
    async fn try_together(
        &self,
        commands: &[Command],
    ) -> Result<Option<Vec<Result<Answer, HostError>>>, HostError> {
        let mut loaded = Loaded::default();
        for _ in 0..=limits::NEED_ROUNDS {
            // The generator belongs to the thread, and must not be held across an await.
            let outcome = self.registrar.decide_all(commands, &loaded, self.clock.now(), &mut rand::rng())?;
            let decision = match outcome {
                BatchOutcome::Need(keys) => {
                    loaded.add(&keys, self.store.read(&keys).await?)?;
                    continue;
                }
                BatchOutcome::Decision(decision) => decision,
            };
            if !self.store.commit(&decision.commit.batch()).await? {
                return Ok(None);
            }
            if !decision.commit.writes.is_empty() {
                self.changed.notify_one();
            }
            let answers = decision.pending.release(&decision.commit.committed())?;
            return Ok(Some(answers.into_iter().map(|answer| self.counted(answer?)).collect()));
        }
        Err(Error::Misuse("a decision asked for rows too often").into())
    }

    /// One command by itself; a conflict decides again.
    async fn alone(&self, command: Command) -> Result<Answer, HostError> {
        let mut session = self.registrar.session(command);
        loop {
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
                Step::Answer(answer) => return self.counted(answer),
            }
        }
    }

    fn counted(&self, answer: Answer) -> Result<Answer, HostError> {
        if let Answer::Refused(refused) = &answer {
            self.metrics.refused(refused.code());
        }
        Ok(answer)
    }
}

/// Commands of one commit, at most. All of them wait for the last one; and in PostgreSQL their commit holds a lock for each
/// record, of which all connections together have `max_locks_per_transaction` times `max_connections`, 6,400 by default.
const TOGETHER: usize = 32;
/// Groups on their way at the same time: one is decided while the other one is committed.
const WORKERS: usize = 2;
/// Commands that wait. Whoever comes then waits to wait.
const QUEUE: usize = 1024;

#[cfg(test)]
mod tests {
    use handfast::{
        crypto::default_backend, keyring::KeyRing, registrar::Policy, secret::SecretKey, vocabulary::Refusal,
    };
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;
    use crate::database::Database;

    /// A desk whose peppers are known by that id.
    async fn desk(folder: &TempDir, pepper: &str) -> Arc<Desk> {
        let key = |id: &str, byte| KeyRing::single(id.parse().unwrap(), SecretKey::new([byte; 32]));
        let policy = Policy { vouched_fingerprints: true, ..Policy::default() };
        let registrar = Registrar::new(policy, key(pepper, 1), key("sealing", 2), default_backend()).unwrap();
        let store = Store::open(&Database::Sqlite(folder.path().join("a.sqlite"))).await.unwrap();
        let (metrics, changed) = (Arc::default(), Arc::default());
        Arc::new(Desk { registrar: Arc::new(registrar), store, clock: Clock::System, metrics, changed })
    }

    /// Has a group settled, and gives its answers in their order.
    async fn settled(desk: &Arc<Desk>, commands: Vec<Value>) -> Vec<Result<Answer, HostError>> {
        let (mut group, mut answers) = (Vec::new(), Vec::new());
        for command in commands {
            let (told, answer) = oneshot::channel();
            group.push(Waiting { command: Command::from_value(command).unwrap(), told });
            answers.push(answer);
        }
        desk.settle(group).await;
        let mut settled = Vec::new();
        for answer in answers {
            settled.push(answer.await.unwrap());
        }
        settled
    }

    fn issue(name: &str) -> Value {
        json!({ "type": "issue", "authority": "operator:ann", "scope": "lab", "name": name, "deliver": true })
    }

    fn redeem(token: &str, fingerprint: &str) -> Value {
        json!({ "type": "redeem", "authority": "node", "token": token, "fingerprint": fingerprint })
    }

    fn token(answer: &Result<Answer, HostError>) -> String {
        let Ok(Answer::Issued(issued)) = answer else { panic!("{answer:?}") };
        issued.token.as_ref().unwrap().expose().to_owned()
    }

    fn refusal(answer: &Result<Answer, HostError>) -> Option<Refusal> {
        if let Ok(Answer::Refused(refused)) = answer { Some(refused.refusal) } else { None }
    }

    #[tokio::test]
    async fn each_is_decided_on_what_those_before_it_have_brought_about() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(&folder, "k1").await;
        let configure = json!({ "type": "configure_scope", "authority": "operator:ann", "scope": "lab", "max_active": 3 });
        let issues = (0..5).map(|number| issue(&format!("edge-{number}")));
        let answers = settled(&desk, std::iter::once(configure).chain(issues).collect()).await;
        let full = answers.iter().map(|answer| refusal(answer) == Some(Refusal::QuotaExceeded));
        assert!(full.eq([false, false, false, false, true, true]), "{answers:?}");
        let token = token(&answers[1]);
        let answers = settled(&desk, ["a", "b", "a"].map(|node| redeem(&token, node)).into()).await;
        assert!(matches!(&answers[0], Ok(Answer::Redeemed(first)) if !first.again), "{answers:?}");
        assert_eq!(refusal(&answers[1]), Some(Refusal::AlreadyClaimed));
        assert!(matches!(&answers[2], Ok(Answer::Redeemed(third)) if third.again), "{answers:?}");
    }

    #[tokio::test]
    async fn nobody_fails_for_another_ones_sake() {
        let folder = tempfile::tempdir().unwrap();
        let old = desk(&folder, "k1").await;
        let token = token(&settled(&old, vec![issue("edge-1")]).await[0]);
        // The key of that token has been taken away since: its redemption is an error of the operator's.
        let new = desk(&folder, "k2").await;
        let input =
            json!({ "type": "issue", "authority": "operator:ann", "name": "edge-2", "ttl_seconds": 1 });
        let answers = settled(&new, vec![issue("edge-3"), redeem(&token, "a"), input]).await;
        assert!(matches!(answers[0], Ok(Answer::Issued(_))), "{answers:?}");
        assert!(matches!(answers[1], Err(HostError::Core(Error::MissingKey(_)))), "{answers:?}");
        assert!(matches!(answers[2], Err(HostError::Core(Error::Input { .. }))), "{answers:?}");
    }
}
