//! One world: hosts, a clock, what is outside, and those who watch.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    rc::Rc,
    sync::{Arc, OnceLock},
};

use handfast::{
    aws::InstanceEvent,
    crypto::default_backend,
    id::NodeId,
    keyring::KeyRing,
    record::Record,
    registrar::{Policy, Registrar, Session, Step as Turn},
    seal::Sealer,
    secret::SecretKey,
    time::{Now, Timestamp},
    vocabulary::{Action, Answer, Command, Commit, Fact, VaultWrite},
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    dice::Dice,
    ears::Ears,
    executor::Job,
    model::{Model, Package, Times},
    step::{Fate, Step},
    store::Store,
    upstream::Upstream,
};

pub(crate) struct World {
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) sealer: Sealer,
    pub(crate) store: Store,
    pub(crate) model: Model,
    pub(crate) ears: Ears,
    pub(crate) upstream: Upstream,
    pub(crate) known: Known,
    pub(crate) jobs: Vec<Job>,
    pub(crate) hosts: [Option<Held>; 3],
    pub(crate) clock: Timestamp,
    pub(crate) latest: Timestamp,
    pub(crate) rng: StdRng,
    pub(crate) counts: Counts,
    /// Whether reservations come back only when nothing is left outside.
    pub(crate) strict: bool,
    /// Whether a worker may do something after its lease.
    pub(crate) zombies: bool,
    /// The mutation that the watchers must notice.
    pub(crate) tells_tokens: bool,
    /// What is committed, for a report.
    pub(crate) story: Option<Rc<RefCell<Vec<String>>>>,
}

/// What those outside have been told.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) tokens: Vec<String>,
    pub(crate) links: Vec<String>,
    pub(crate) nodes: Vec<(NodeId, String)>,
    pub(crate) sequences: BTreeMap<NodeId, u64>,
    pub(crate) redeems: Vec<Command>,
    pub(crate) events: Vec<InstanceEvent>,
}

/// A host that stopped right before its commit.
pub(crate) struct Held {
    session: Session,
    commit: Box<Commit>,
    command: Command,
    now: Now,
}

pub(crate) const SCOPES: [&str; 2] = ["ten", "free"];

/// Clients that the upstream allows, and uses that the scope `ten` promises.
pub(crate) const TEN: u32 = 4;

/// The registrars: which one a world has, its seed says.
fn registrar(choice: usize) -> Arc<Registrar> {
    static ALL: OnceLock<Vec<Arc<Registrar>>> = OnceLock::new();
    let make = |number: usize| {
        let mut policy: Value = json!({
            "vouched_fingerprints": true, "recoveries": 2,
            "kinds": {
                "gateway": {"parents": ["site", "gateway"]},
                "spot": {"inactivity_seconds": 60, "activates_on": "redeem"},
            },
            "spire": {
                "trust_domain": "example.org", "spiffe_id": "spiffe://{trust_domain}/{name}",
                "parent_id": "spiffe://{trust_domain}/agent", "agent_id": "spiffe://{trust_domain}/agent", "selectors": ["unix:uid:1"],
            },
            "instances": [{
                "accounts": ["123456789012"], "tags": {"role": "node"}, "scope": "free", "kind": "kubernetes",
                "contents": [{"type": "kubernetes_bootstrap_token"}],
            }],
        });
        if number & 1 == 1 {
            policy["enrolled_elsewhere"] = json!("move");
        }
        if number & 2 == 2 {
            policy["release"] = json!("at_end");
        }
        policy["on_clone_suspected"] = json!(["alert", "lock", "quarantine"][number / 4]);
        let policy: Policy = serde_json::from_value(policy).unwrap();
        Arc::new(Registrar::new(policy, ring(1), ring(2), default_backend()).unwrap())
    };
    Arc::clone(&ALL.get_or_init(|| (0..12).map(make).collect())[choice])
}

fn ring(byte: u8) -> KeyRing {
    KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]))
}

/// Lets everything happen, and then everything end.
pub(crate) fn run(seed: u64, steps: &[Step]) -> Counts {
    run_with(seed, steps, &|_| {})
}

pub(crate) fn run_with(seed: u64, steps: &[Step], change: &dyn Fn(&mut World)) -> Counts {
    let mut world = World::new(seed);
    change(&mut world);
    for step in steps {
        world.step(*step);
        world.check();
    }
    world.drain();
    world.counts
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let (moves, at_end, zombies) = (dice.once_in(2), dice.once_in(8), dice.once_in(4));
        let reaction = dice.below(3) as usize;
        let clock: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let registrar = registrar(usize::from(moves) + 2 * usize::from(at_end) + 4 * reaction);
        let reaction = registrar.policy().on_clone_suspected;
        let mut world = Self {
            registrar,
            sealer: Sealer::new(ring(2), default_backend()),
            store: Store::default(),
            model: Model { moves, reaction, ..Model::default() },
            ears: Ears::default(),
            upstream: Upstream { most: TEN as usize, ..Upstream::default() },
            known: Known::default(),
            jobs: Vec::new(),
            hosts: [None, None, None],
            clock,
            latest: clock,
            rng: StdRng::seed_from_u64(seed),
            counts: Counts { worlds: 1, ..Counts::default() },
            strict: !at_end,
            zombies,
            tells_tokens: false,
            story: None,
        };
        let quota = json!({"type": "configure_scope", "authority": "operator:ann", "scope": "ten", "max_active": TEN, "max_outstanding": TEN});
        world.command(0, Command::from_value(quota).unwrap(), Fate::Lives, true);
        let items =
            json!({"item-1": "the-content-of-the-first-item", "item-2": "the-content-of-the-second-item"});
        let pool = json!({"type": "change_pool", "authority": "operator:ann", "scope": "ten", "pool": "pool", "add": items});
        world.command(0, Command::from_value(pool).unwrap(), Fate::Lives, true);
        world
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ask { host, ask, hold, fate, trusted } => {
                self.resume(host, Fate::Lives);
                let Some(command) = self.command_of(ask) else { return };
                self.learn_of(&command);
                if let Some(held) = self.begin(command, trusted) {
                    if hold {
                        self.hosts[usize::from(host)] = Some(held);
                    } else {
                        self.finish(held, fate);
                    }
                }
            }
            Step::Resume { host, fate } => self.resume(host, fate),
            Step::Timer { host, trusted } => {
                for key in self.store.due(self.clock, 16) {
                    let expire = json!({"type": "expire", "key": key});
                    self.command(host, Command::from_value(expire).unwrap(), Fate::Lives, trusted);
                }
            }
            Step::Wait { seconds } => self.clock = self.clock.plus_seconds(seconds),
            Step::Back { seconds } => self.clock = self.clock.minus_seconds(seconds),
            Step::Work { effect, worker, way } => self.work(effect, worker, way),
            Step::Job { job, what } => self.go_on(job, what),
        }
    }

    pub(crate) fn resume(&mut self, host: u8, fate: Fate) {
        if let Some(held) = self.hosts[usize::from(host)].take() {
            self.finish(held, fate);
        }
    }

    /// Runs a command to its end. Gives the answer, if anybody got it.
    pub(crate) fn command(
        &mut self,
        _host: u8,
        command: Command,
        fate: Fate,
        trusted: bool,
    ) -> Option<Answer> {
        let held = self.begin(command, trusted)?;
        self.finish(held, fate)
    }

    fn begin(&mut self, command: Command, trusted: bool) -> Option<Held> {
        self.ears.hear(&command.describe().to_string());
        let session = self.registrar.session(command.clone());
        self.counts.commands += 1;
        self.decide(session, command, trusted)
    }

    fn decide(&mut self, mut session: Session, command: Command, trusted: bool) -> Option<Held> {
        let now = if trusted { Now::trusted(self.clock) } else { Now::untrusted(self.clock) };
        self.latest = self.latest.max(self.clock);
        loop {
            match session.next(now, &mut self.rng) {
                Ok(Turn::Load(keys)) => session.loaded(self.store.read(&keys)).unwrap(),
                Ok(Turn::Commit(commit)) => return Some(Held { session, commit, command, now }),
                Ok(Turn::Answer(answer)) => panic!("{answer:?} without a commit"),
                Err(error) => {
                    assert_eq!(error.code().as_str(), "invalid_input", "{error} from {}", command.describe());
                    self.ears.hear(&format!("{error} {error:?}"));
                    self.counts.errors += 1;
                    return None;
                }
            }
        }
    }

    fn finish(&mut self, mut held: Held, fate: Fate) -> Option<Answer> {
        loop {
            if fate == Fate::DiesBefore {
                self.counts.crashes += 1;
                return None;
            }
            let kept = self.store.commit(&held.commit);
            if held.session.committed(kept).is_err() {
                return None; // busy
            }
            if kept {
                break;
            }
            self.counts.conflicts += 1;
            held = self.decide(held.session, held.command, held.now.trusted)?;
        }
        let Ok(Turn::Answer(answer)) = held.session.next(held.now, &mut self.rng) else {
            panic!("no answer")
        };
        self.committed(&held.command, &held.commit, &answer, held.now);
        if fate == Fate::DiesAfter {
            self.counts.crashes += 1;
            return None;
        }
        self.learn(&held.command, &answer);
        Some(answer)
    }

    /// What everybody who watches does with a commit.
    fn committed(&mut self, command: &Command, commit: &Commit, answer: &Answer, now: Now) {
        self.counts.events += commit.events.len() as u64;
        for event in &commit.events {
            match event.fact {
                Fact::CloneSuspected { .. } => self.counts.clones += 1,
                Fact::NodeQuarantined => self.counts.quarantines += 1,
                Fact::SubjectUnbanned { .. } => self.counts.pardons += 1,
                _ => {}
            }
        }
        self.tell(command, commit, answer, now);
        self.hear(commit, answer);
        for write in &commit.vault {
            if let VaultWrite::Put { id, sealed } = write {
                let secret = self.sealer.open(*id, sealed).unwrap();
                self.ears.keep(secret.expose());
                self.model.plain.insert(*id, secret.expose().to_owned());
            }
        }
        for write in &commit.writes {
            if let Record::Package(package) = &write.row.record {
                let known = self.model.packages.entry(package.id).or_insert_with(|| Package::new(package));
                known.token = package.token.as_ref().map(|token| token.secret);
            }
        }
        let sure = if now.trusted { now.at } else { "0001-01-01T00:00:00Z".parse().unwrap() };
        let times = Times { sure, perhaps: self.latest };
        match answer {
            Answer::Refused(refused) => {
                self.counts.refusals += 1;
                self.model.check_refusal(command, refused.refusal, times, now.trusted, &self.store);
                self.model.suspect(command, refused.refusal);
            }
            _ => self.model.take(command, answer, times),
        }
        self.model.compare(command, commit, &self.store, times);
        self.check_vault(commit);
    }

    fn tell(&self, command: &Command, commit: &Commit, answer: &Answer, now: Now) {
        let Some(story) = &self.story else { return };
        let facts: Vec<_> =
            commit.events.iter().map(|event| format!("{} of {}", event.fact.name(), event.key)).collect();
        let answer = answer.clone().into_parts().0;
        story.borrow_mut().push(format!("{} {} -> {answer} {facts:?}", now.at, command.describe()));
    }

    fn hear(&mut self, commit: &Commit, answer: &Answer) {
        for (_, body) in commit.bodies() {
            self.ears.hear(body);
        }
        for write in &commit.writes {
            let (_, body) = &self.store.rows[&write.key];
            self.ears.hear(body);
        }
        for notice in &commit.notices {
            self.ears.hear(&notice.coalesce());
            self.ears.hear(&notice.body());
        }
        self.ears.hear(&format!("{answer:?}"));
        let (value, secrets) = answer.clone().into_parts();
        self.ears.hear(&value.to_string());
        if let (true, Some(secret)) = (self.tells_tokens, secrets.first()) {
            self.ears.hear(secret.expose());
        }
    }

    /// What those outside now know.
    fn learn(&mut self, command: &Command, answer: &Answer) {
        let token = match answer {
            Answer::Issued(issued) => issued.token.as_ref(),
            Answer::Delivered(delivered) => delivered.token.as_ref(),
            Answer::Reissued(reissued) => reissued.token.as_ref(),
            _ => None,
        };
        if let Some(token) = token {
            self.known.tokens.push(token.expose().to_owned());
        }
        match (&command.action, answer) {
            (_, Answer::Linked(linked)) => {
                self.ears.keep(linked.link.expose());
                self.known.links.push(linked.link.expose().to_owned());
            }
            (Action::Redeem(redeem), Answer::Redeemed(redeemed)) => {
                let subject = redeem.fingerprint.as_ref().unwrap().to_string();
                if !redeemed.again {
                    self.known.sequences.insert(redeemed.node, 0);
                    self.known.nodes.push((redeemed.node, subject));
                }
            }
            (Action::CheckIn(check_in), Answer::CheckedIn(_)) => {
                self.known.sequences.insert(check_in.node, check_in.sequence);
            }
            _ => {}
        }
    }

    /// A node may ask once more for what it asked for, and the cloud may tell the same again.
    fn learn_of(&mut self, command: &Command) {
        match &command.action {
            Action::Redeem(_) => self.known.redeems.push(command.clone()),
            Action::ObserveInstance(event) => self.known.events.push(InstanceEvent::clone(event)),
            _ => {}
        }
    }

    /// The vault holds what the records say that somebody may still be given, and nothing else.
    fn check_vault(&self, commit: &Commit) {
        for write in &commit.writes {
            let held = write.row.record.held_secrets();
            for id in &held {
                assert!(self.store.vault.contains_key(id), "{id} is not in the vault");
            }
            let (Record::Package(_), handfast::record::Key::Package(id)) = (&write.row.record, &write.key)
            else {
                continue;
            };
            let first = handfast::id::SecretId { package: *id, number: 0 };
            let last = handfast::id::SecretId { package: *id, number: u32::MAX };
            let kept = self.store.vault.range(first..=last).count();
            assert_eq!(kept, held.len(), "secrets of {id} that nobody needs are kept");
        }
    }

    /// What holds at every instant.
    fn check(&self) {
        if !self.strict || self.zombies {
            return;
        }
        assert_eq!(self.upstream.refused, 0, "one client too many was tried");
        if let Some(Record::Scope(scope)) = self.store.records.get(&"scope/ten".parse().unwrap()) {
            assert!(self.upstream.clients.len() <= scope.reserved as usize, "clients without a reservation");
        }
    }
}

/// What happened, to be sure that it did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) worlds: u64,
    pub(crate) commands: u64,
    pub(crate) events: u64,
    pub(crate) refusals: u64,
    pub(crate) errors: u64,
    pub(crate) conflicts: u64,
    pub(crate) crashes: u64,
    pub(crate) effects: u64,
    pub(crate) late: u64,
    pub(crate) packages: u64,
    pub(crate) nodes: u64,
    pub(crate) secrets: u64,
    pub(crate) clones: u64,
    pub(crate) quarantines: u64,
    pub(crate) pardons: u64,
    pub(crate) heard: u64,
}

impl Counts {
    fn parts(&self) -> [(&'static str, u64); 15] {
        [
            ("commands", self.commands),
            ("facts", self.events),
            ("refusals", self.refusals),
            ("errors", self.errors),
            ("conflicts", self.conflicts),
            ("crashes", self.crashes),
            ("effects", self.effects),
            ("late reports", self.late),
            ("packages", self.packages),
            ("nodes", self.nodes),
            ("secrets", self.secrets),
            ("suspected clones", self.clones),
            ("quarantines", self.quarantines),
            ("bans lifted", self.pardons),
            ("bytes searched", self.heard),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.commands += other.commands;
        self.events += other.events;
        self.refusals += other.refusals;
        self.errors += other.errors;
        self.conflicts += other.conflicts;
        self.crashes += other.crashes;
        self.effects += other.effects;
        self.late += other.late;
        self.packages += other.packages;
        self.nodes += other.nodes;
        self.secrets += other.secrets;
        self.clones += other.clones;
        self.quarantines += other.quarantines;
        self.pardons += other.pardons;
        self.heard += other.heard;
    }

    /// Whether everything that shall happen in these worlds did happen.
    pub(crate) fn happened(&self) -> bool {
        self.parts().iter().all(|(name, count)| *count > 0 || *name == "errors")
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts().map(|(name, count)| format!("{count} {name}"));
        formatter.write_str(&parts.join(", "))
    }
}
