//! The world of a story: one registrar, a clock that moves when told to, dice with a seed, and the store behind the desk.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    Step,
    desk::{Desk, Reply},
    dice::Dice,
    invariants,
    judge::{self, Last, Verdict},
    model::{Model, vault_key},
};
use crate::{
    crypto::default_backend,
    keyring::KeyRing,
    record::{Key, Record, Row},
    registrar::{self, Registrar, Session},
    secret::{Secret, SecretKey},
    time::{Now, Timestamp},
    vocabulary::{Answer, Command, Commit, Effect, Error, Issued, Redeemed, Refusal, from_value},
};

/// Why a story ends early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The store did wrong.
    Wrong(String),
    /// The store cannot do what the story needs.
    Unable(&'static str),
}

impl From<Error> for Stop {
    /// The rows are right by then, and so an error of the core is a mistake of the story.
    fn from(error: Error) -> Self {
        Self::Wrong(format!("the story itself is broken: {error}"))
    }
}

pub(super) type Run<T = ()> = Result<T, Stop>;

/// How far one turn brought a session.
pub(super) enum Turn {
    /// It goes on.
    On,
    /// Too many conflicts; the client tries again.
    Busy,
    /// It is over.
    Over(Box<Answer>),
}

pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) dice: Dice,
    pub(super) model: Model,
    pub(super) registrar: Arc<Registrar>,
    desk: Desk,
    last: Last,
    /// Whether nobody else writes to the store, so that the model is right.
    alone: bool,
}

impl World {
    pub(super) fn new(desk: Desk, seed: u64) -> Run<Self> {
        let policy = from_value(policy(), "policy")?;
        let ring = |byte| Ok::<_, Error>(KeyRing::single("k1".parse()?, SecretKey::new([byte; 32])));
        let registrar = Registrar::new(policy, ring(1)?, ring(2)?, default_backend())?;
        let now =
            Timestamp::from_unix_millis(START).ok_or(Error::Misuse("the story begins outside of time"))?;
        let (registrar, dice) = (Arc::new(registrar), Dice::new(seed));
        Ok(Self { now, dice, model: Model::default(), registrar, desk, last: Last::Nothing, alone: true })
    }

    /// A world on a store to which others write at the same time.
    pub(super) fn among_others(desk: Desk, seed: u64) -> Run<Self> {
        Ok(Self { alone: false, ..Self::new(desk, seed)? })
    }

    pub(super) fn later(&mut self, seconds: u32) {
        self.now = self.now.plus_seconds(seconds);
    }

    // --- the store ---

    pub(super) async fn fresh(&mut self) -> Run {
        match self.desk.ask(Step::Fresh).await {
            Reply::Ready => Ok(()),
            reply => Err(stray("an empty store could not be made", reply)),
        }
    }

    pub(super) async fn read(&mut self, keys: &[Key]) -> Run<Vec<Row>> {
        match self.desk.ask(Step::Read(keys.to_vec())).await {
            Reply::Rows(rows) if self.alone => {
                self.judge(judge::rows(&self.model, keys, &rows, self.last))?;
                Ok(rows)
            }
            Reply::Rows(rows) => Ok(rows),
            reply => Err(stray("read raised", reply)),
        }
    }

    /// Commits, and reads back everything that the batch names, whether it held or not.
    pub(super) async fn commit(&mut self, commit: &Commit) -> Run<bool> {
        let broken = self.model.broken_guard(commit).filter(|_| self.alone);
        let held = match self.desk.ask(Step::Commit(Box::new(commit.clone()))).await {
            Reply::Held(held) => held,
            Reply::Failed(text) => {
                return Err(Stop::Wrong(judge::raised(&self.model, commit, broken, &text)));
            }
            reply => return Err(stray("commit", reply)),
        };
        if !self.alone {
            return Ok(held);
        }
        self.judge(judge::held(commit, broken, held))?;
        if held {
            self.model.commit(commit);
            self.last = Last::Held;
        } else {
            self.model.refuse(commit);
            self.last = Last::Refused;
        }
        let guarded = commit.guards.iter().map(|guard| guard.key.clone());
        let written = commit.writes.iter().map(|write| write.key.clone());
        let named: BTreeSet<_> = guarded.chain(written).chain(commit.vault.iter().map(vault_key)).collect();
        self.read(&named.into_iter().collect::<Vec<_>>()).await?;
        Ok(held)
    }

    pub(super) async fn due(&mut self, now: Timestamp, limit: usize) -> Run<Vec<Key>> {
        match self.desk.ask(Step::Due { now, limit }).await {
            Reply::Keys(keys) => {
                self.judge(judge::due(&self.model, now, limit, &keys))?;
                Ok(keys)
            }
            reply => Err(stray("due raised", reply)),
        }
    }

    /// The process is killed and started again.
    pub(super) async fn crash(&mut self) -> Run {
        match self.desk.ask(Step::Reopen).await {
            Reply::Ready => {
                self.last = Last::Reopened;
                self.audit().await
            }
            Reply::Unable => Err(Stop::Unable("the driver cannot open the store again")),
            reply => Err(stray("the store could not be opened again", reply)),
        }
    }

    /// A crash that is not what the story is about.
    pub(super) async fn crash_if_possible(&mut self) -> Run {
        match self.crash().await {
            Ok(()) | Err(Stop::Unable(_)) => Ok(()),
            wrong => wrong,
        }
    }

    pub(super) async fn history(&mut self, key: &Key) -> Run {
        match self.desk.ask(Step::Events(key.clone())).await {
            Reply::Events(bodies) => self.judge(judge::events(&self.model, key, &bodies)),
            Reply::Unable => Err(Stop::Unable("the driver does not list events")),
            reply => Err(stray("listing events raised", reply)),
        }
    }

    /// Reads back all that is known and holds it against the model and the invariants.
    pub(super) async fn audit(&mut self) -> Run {
        let known = self.model.known();
        let mut rows = Vec::new();
        for keys in known.chunks(AT_ONCE) {
            rows.extend(self.read(keys).await?);
        }
        let all = known.len().saturating_add(1);
        let end_of_time = self.now.plus_seconds(u32::MAX);
        self.due(end_of_time, all).await?;
        self.judge(invariants::hold(&rows))
    }

    // --- commands ---

    pub(super) fn session(&self, command: Value) -> Run<Session> {
        Ok(self.registrar.session(Command::from_value(command)?))
    }

    /// Runs one command by itself.
    pub(super) async fn run(&mut self, command: Value) -> Run<Answer> {
        let session = self.session(command)?;
        self.finish(session).await
    }

    pub(super) async fn finish(&mut self, mut session: Session) -> Run<Answer> {
        loop {
            match self.turn(&mut session).await? {
                Turn::On => {}
                Turn::Over(answer) => return Ok(*answer),
                Turn::Busy => return Err(Error::Busy.into()),
            }
        }
    }

    /// One step of a session: what a host does between two others.
    pub(super) async fn turn(&mut self, session: &mut Session) -> Run<Turn> {
        match session.next(Now::trusted(self.now), &mut self.dice)? {
            registrar::Step::Load(keys) => session.loaded(self.read(&keys).await?)?,
            registrar::Step::Commit(commit) => {
                let held = self.commit(&commit).await?;
                match session.committed(held) {
                    Err(Error::Busy) => return Ok(Turn::Busy),
                    done => done?,
                }
            }
            registrar::Step::Answer(answer) => return Ok(Turn::Over(Box::new(answer))),
        }
        Ok(Turn::On)
    }

    /// Brings a session to the point where it would commit.
    pub(super) async fn decide(&mut self, session: &mut Session) -> Run<Box<Commit>> {
        loop {
            match session.next(Now::trusted(self.now), &mut self.dice)? {
                registrar::Step::Load(keys) => session.loaded(self.read(&keys).await?)?,
                registrar::Step::Commit(commit) => return Ok(commit),
                registrar::Step::Answer(answer) => return Err(surprise(&answer)),
            }
        }
    }

    /// Runs many commands at once, one step of one, one step of another, as the dice have it. Whoever is turned away as
    /// busy asks again. The answers come in the order of the commands.
    pub(super) async fn interleave(&mut self, commands: &[Value]) -> Run<Vec<Answer>> {
        let mut sessions = Vec::new();
        for (place, command) in commands.iter().enumerate() {
            sessions.push((place, self.session(command.clone())?));
        }
        let mut answers = BTreeMap::new();
        let mut patience = commands.len().saturating_mul(PATIENCE);
        while !sessions.is_empty() {
            let chosen = self.dice.throw(sessions.len());
            let (place, mut session) = sessions.swap_remove(chosen);
            match (self.turn(&mut session).await?, commands.get(place)) {
                (Turn::Over(answer), _) => drop(answers.insert(place, *answer)),
                (Turn::Busy, Some(command)) => {
                    patience = patience.checked_sub(1).ok_or(Error::Busy)?;
                    sessions.push((place, self.session(command.clone())?));
                }
                (Turn::On | Turn::Busy, _) => sessions.push((place, session)),
            }
        }
        Ok(answers.into_values().collect())
    }

    /// The effects that are outstanding, by the records that the store gives.
    pub(super) async fn effects(&mut self) -> Run<Vec<Effect>> {
        let keys: Vec<_> = self.model.records().cloned().collect();
        let mut effects = Vec::new();
        for row in self.read(&keys).await? {
            effects.extend(self.registrar.outstanding(&Record::from_body(&row.body)?));
        }
        Ok(effects)
    }

    /// Issues a package that is handed over at once.
    pub(super) async fn issue(&mut self, name: &str, more: Value) -> Run<Issued> {
        match self.run(issue(name, more)).await? {
            Answer::Issued(issued) => Ok(issued),
            other => Err(surprise(&other)),
        }
    }

    pub(super) async fn redeem(&mut self, token: &Secret, machine: &str) -> Run<Redeemed> {
        match self.run(redeem(token, machine)).await? {
            Answer::Redeemed(redeemed) => Ok(redeemed),
            other => Err(surprise(&other)),
        }
    }

    // --- verdicts ---

    fn judge(&self, verdict: Verdict) -> Run {
        verdict.map_err(Stop::Wrong)?;
        self.desk.checked();
        Ok(())
    }

    /// What must have come of a story.
    pub(super) fn expect(&self, so: bool, what: &str) -> Run {
        self.judge(if so { Ok(()) } else { Err(format!("it is not so that {what}")) })
    }

    pub(super) fn expect_refusal(&self, answer: &Answer, refusal: Refusal) -> Run {
        match answer {
            Answer::Refused(refused) if refused.refusal == refusal => self.judge(Ok(())),
            other => Err(surprise(other)),
        }
    }
}

/// An answer that the story does not allow for.
pub(super) fn surprise(answer: &Answer) -> Stop {
    Stop::Wrong(format!("the registrar, on the rows that the store gave, answered {answer:?}"))
}

fn stray(what: &str, reply: Reply) -> Stop {
    match reply {
        Reply::Failed(text) => Stop::Wrong(format!("{what}: {text}")),
        Reply::Ready
        | Reply::Rows(_)
        | Reply::Held(_)
        | Reply::Keys(_)
        | Reply::Events(_)
        | Reply::Unable => Stop::Wrong(format!("{what}: the driver gave another step's answer")),
    }
}

pub(super) fn issue(name: &str, more: Value) -> Value {
    let mut command = json!({"type": "issue", "authority": OPERATOR, "name": name, "deliver": true});
    if let (Some(members), Value::Object(more)) = (command.as_object_mut(), more) {
        members.extend(more);
    }
    command
}

pub(super) fn redeem(token: &Secret, machine: &str) -> Value {
    json!({"type": "redeem", "token": token.expose(), "fingerprint": machine})
}

/// The same attempt, however often it is sent.
pub(super) fn check_in(redeemed: &Redeemed, machine: &str, sequence: u64) -> Value {
    check_in_as(redeemed, machine, sequence, &format!("{machine}-{sequence}"))
}

pub(super) fn check_in_as(redeemed: &Redeemed, machine: &str, sequence: u64, attempt: &str) -> Value {
    json!({
        "type": "check_in", "node": redeemed.node, "fingerprint": machine, "sequence": sequence, "attempt": attempt,
    })
}

pub(super) fn revoke(issued: &Issued) -> Value {
    json!({"type": "revoke", "authority": OPERATOR, "package": issued.package})
}

pub(super) fn expire(key: &Key) -> Value {
    json!({"type": "expire", "key": key})
}

/// How many packages may live at once in the scope `default`.
pub(super) fn quota(max_outstanding: u32) -> Value {
    json!({"type": "configure_scope", "authority": OPERATOR, "scope": "default", "max_outstanding": max_outstanding})
}

/// Items of the pool `p`, each with a content.
pub(super) fn fill_pool(items: &[&str]) -> Value {
    let add: BTreeMap<_, _> = items.iter().map(|item| (*item, format!("content of {item}"))).collect();
    json!({"type": "change_pool", "authority": OPERATOR, "scope": "default", "pool": "p", "add": add})
}

pub(super) fn report(worker: &str, effect: &Effect, outcome: Value) -> Value {
    json!({"type": "report", "authority": format!("executor:{worker}"), "effect": effect.id, "outcome": outcome})
}

pub(super) fn token_of(issued: Issued) -> Run<Secret> {
    issued.token.ok_or(Stop::Wrong("the story itself is broken: no token".to_owned()))
}

pub(super) const OPERATOR: &str = "operator:ann";

/// Machines are vouched for, and an instance tagged `role=node` gets a package.
fn policy() -> Value {
    json!({
        "vouched_fingerprints": true,
        "instances": [{
            "accounts": ["123456789012"], "tags": {"role": "node"}, "scope": "cluster", "kind": "kubernetes",
            "contents": [{"type": "kubernetes_bootstrap_token"}],
        }],
    })
}

/// 2026-01-02T03:04:05Z.
const START: i64 = 1_767_323_045_000;
/// How often a client asks again on average.
const PATIENCE: usize = 10;
/// Keys read at once when all are read.
const AT_ONCE: usize = 64;
