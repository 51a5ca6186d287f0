//! The play: who may do what, and what must hold after each step.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use handfast::{
    crypto::default_backend,
    id::PackageId,
    keyring::KeyRing,
    ledger::Ledger,
    record::{Key, NodeStatus, Package, Record},
    registrar::{Policy, Registrar},
    secret::SecretKey,
    time::{Now, Timestamp},
    vocabulary::{Answer, Command, Commit, Outcome},
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use stateright::{Model, Property};

use crate::rows::{Kept, Row, Rows};

/// What may be asked. A retry is the same once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Asked {
    RedeemA,
    RedeemB,
    /// Node A shows the token of another package.
    RedeemOther,
    CheckInA,
    Revoke,
    ExpirePackage,
    ExpireNodeA,
    /// Node A, and says what it is called.
    RedeemNamedA,
    /// An operator bans that name.
    BanName,
    /// A second package wants what is reserved for the first.
    IssueOther,
}

/// The instants that matter, in seconds: at once; the retry is over; the token is over; the node is overdue.
const CLOCK: [u32; 4] = [0, 600, 900, 3600];

/// Which guards the store looks at; only the first choice keeps the promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guards {
    Held,
    OfAbsentIgnored,
    Ignored,
}

#[derive(Clone)]
pub(crate) struct Play {
    pub(crate) max_uses: u32,
    registrar: Arc<Registrar>,
    commands: BTreeMap<Asked, Command>,
    start: Timestamp,
    store: Rows,
    tries: BTreeMap<Asked, u8>,
    guards: Guards,
    package: PackageId,
    decided: Arc<Mutex<HashMap<u64, Host>>>,
    /// How often a commit had to be decided again.
    pub(crate) conflicts: Arc<AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    store: Rows,
    hosts: [Host; 2],
    clock: u8,
    tries: BTreeMap<Asked, u8>,
    /// What did not hold in a step.
    broken: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Host {
    Idle,
    /// It has read something and needs more.
    Reads {
        asked: Asked,
        read: Rows,
        needs: Vec<Key>,
    },
    /// It is about to commit.
    Decided {
        asked: Asked,
        read: Rows,
        decided: Decided,
    },
}

/// What came of a decision: a function of what was read, of the clock, and of the command.
#[derive(Clone, Debug)]
struct Decided {
    clock: u8,
    commit: Arc<Commit>,
    answer: Arc<Answer>,
}

impl PartialEq for Decided {
    fn eq(&self, other: &Self) -> bool {
        self.clock == other.clock
    }
}

impl Eq for Decided {}

impl Hash for Decided {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.clock.hash(hasher);
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A host takes a command and reads what it asks for first.
    Begin(usize, Asked),
    Read(usize),
    /// The commit happens if its guards hold. Whether anybody hears of it makes no difference here: who does not, tries again,
    /// and so may who does.
    Commit(usize),
    Die(usize),
    Tick,
}

impl Play {
    /// One package of so many uses, in a scope that promises no more than it needs.
    pub(crate) fn new(max_uses: u32, tries: &[(Asked, u8)]) -> Self {
        Self::with_scope(max_uses, max_uses, tries)
    }

    /// Two packages of one use, and one node that shows the tokens of both.
    pub(crate) fn of_two_packages(tries: &[(Asked, u8)]) -> Self {
        Self::with_scope(1, 2, tries)
    }

    fn with_scope(max_uses: u32, max_active: u32, tries: &[(Asked, u8)]) -> Self {
        let policy: Policy = serde_json::from_value(json!({"vouched_fingerprints": true})).unwrap();
        let ring = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
        let registrar = Arc::new(Registrar::new(policy, ring(1), ring(2), default_backend()).unwrap());
        let start: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let mut ledger = Ledger::new();
        let run = |ledger: &mut Ledger, value: Value| {
            let mut rng = StdRng::seed_from_u64(ledger.len() as u64);
            ledger.run(&registrar, &command(value), Now::trusted(start), &mut rng).unwrap()
        };
        let issue = |name: &str, max_uses: u32| json!({"type": "issue", "authority": "operator:ann", "scope": "s", "name": name, "max_uses": max_uses, "deliver": true});
        let redeem =
            |token: &str, machine: &str| json!({"type": "redeem", "token": token, "fingerprint": machine});
        let quota = json!({"type": "configure_scope", "authority": "operator:ann", "scope": "s", "max_active": max_active});
        run(&mut ledger, quota);
        let (package, token) = issued(run(&mut ledger, issue("edge", max_uses)));
        let mut other = String::new();
        if max_active > max_uses {
            (_, other) = issued(run(&mut ledger, issue("other", 1)));
        }
        // Which node A would be is found out in a world of its own.
        let Answer::Redeemed(redeemed) = run(&mut ledger.clone(), redeem(&token, "a")) else { panic!() };
        let node = redeemed.node;
        let commands = [
            (Asked::RedeemA, redeem(&token, "a")),
            (Asked::RedeemB, redeem(&token, "b")),
            (Asked::RedeemOther, redeem(&other, "a")),
            (
                Asked::RedeemNamedA,
                json!({"type": "redeem", "token": token, "fingerprint": "a", "node_name": "n1"}),
            ),
            (
                Asked::BanName,
                json!({"type": "ban", "authority": "operator:ann", "scope": "s", "subject": "node/n1"}),
            ),
            (Asked::CheckInA, json!({"type": "check_in", "node": node, "fingerprint": "a", "sequence": 1})),
            (Asked::Revoke, json!({"type": "revoke", "authority": "operator:ann", "package": package})),
            (Asked::ExpirePackage, json!({"type": "expire", "key": Key::Package(package)})),
            (Asked::ExpireNodeA, json!({"type": "expire", "key": Key::Node(node)})),
            (Asked::IssueOther, issue("other", 1)),
        ];
        Self {
            max_uses,
            commands: commands.into_iter().map(|(asked, value)| (asked, command(value))).collect(),
            store: rows(&ledger),
            registrar,
            start,
            tries: tries.iter().copied().collect(),
            guards: Guards::Held,
            package,
            decided: Arc::default(),
            conflicts: Arc::default(),
        }
    }

    pub(crate) fn with_guards(self, guards: Guards) -> Self {
        Self { guards, ..self }
    }

    fn now(&self, clock: u8) -> Timestamp {
        self.start.plus_seconds(CLOCK[usize::from(clock)])
    }

    fn decide(&self, asked: Asked, read: &Rows, clock: u8) -> Outcome {
        // The same dice for the same command, so that states that differ in nothing else are one.
        let mut rng = StdRng::seed_from_u64(1000 + asked as u64);
        let now = Now::trusted(self.now(clock));
        self.registrar.decide(&self.commands[&asked], read, now, &mut rng).unwrap()
    }

    /// Decides on what was read; the next thing that the host has to do. The same was often read before.
    fn go_on(&self, state: &State, asked: Asked, read: Rows) -> Host {
        let known = fingerprint(&(asked, state.clock, &read));
        if let Some(host) = self.decided.lock().unwrap().get(&known) {
            return host.clone();
        }
        let host = match self.decide(asked, &read, state.clock) {
            Outcome::Need(needs) => Host::Reads { asked, read, needs },
            Outcome::Decision(decision) => {
                let (commit, pending) = (decision.commit, decision.pending);
                let answer = pending.release(commit.clone().committed()).unwrap();
                let decided =
                    Decided { clock: state.clock, commit: Arc::new(commit), answer: Arc::new(answer) };
                Host::Decided { asked, read, decided }
            }
        };
        self.decided.lock().unwrap().insert(known, host.clone());
        host
    }

    /// A host takes a command, and reads what it is told to first.
    fn begin(&self, state: &State, asked: Asked) -> Host {
        match self.go_on(state, asked, Rows::default()) {
            Host::Reads { needs, read, .. } => self.read(state, asked, read, &needs),
            decided => panic!("decided without a look: {decided:?}"),
        }
    }

    fn read(&self, state: &State, asked: Asked, mut read: Rows, needs: &[Key]) -> Host {
        read.read_from(&state.store, needs);
        self.go_on(state, asked, read)
    }

    fn holds(&self, store: &Rows, commit: &Commit) -> bool {
        commit.guards.iter().all(|guard| match self.guards {
            Guards::Held => store.version(&guard.key) == guard.version,
            Guards::OfAbsentIgnored => guard.version == 0 || store.version(&guard.key) == guard.version,
            Guards::Ignored => true,
        })
    }

    fn package_in<'a>(&self, store: &'a Rows) -> &'a Package {
        match store.record(&Key::Package(self.package)) {
            Some(Record::Package(package)) => package,
            other => panic!("{other:?}"),
        }
    }

    /// What must be so in a step, beyond what must be so in every state.
    fn check_step(
        &self,
        before: &Rows,
        after: &Rows,
        asked: Asked,
        decided: &Decided,
    ) -> Option<&'static str> {
        let package = self.package_in(before);
        if !package.status.is_live() && self.package_in(after).status.is_live() {
            return Some("a package was revived");
        }
        let node = |rows: &Rows, machine: &str| {
            let is = |record: &&Record| matches!(record, Record::Node(node) if node.package == package.id && node.fingerprint.as_str() == machine);
            match rows.records().find(is) {
                Some(Record::Node(node)) => Some(Arc::clone(node)),
                _ => None,
            }
        };
        let machine = match asked {
            Asked::RedeemA | Asked::RedeemNamedA => "a",
            Asked::RedeemB => "b",
            _ => return None,
        };
        let told = if let Answer::Redeemed(redeemed) = &*decided.answer { Some(redeemed) } else { None };
        if told.is_some() && node(after, machine).is_none() {
            return Some("somebody was told to be a node and is none");
        }
        let won = node(before, machine)?;
        let free = package.status.is_live() && won.grant_open && self.now(decided.clock) < won.retry_until;
        let again = told.is_some_and(|redeemed| redeemed.again && redeemed.node == won.id);
        (free && !again).then_some("a winner's retry was refused")
    }

    fn commit(&self, state: &mut State, host: usize) {
        let Host::Decided { asked, decided, .. } = std::mem::replace(&mut state.hosts[host], Host::Idle)
        else {
            return;
        };
        if !self.holds(&state.store, &decided.commit) {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
            state.hosts[host] = self.begin(state, asked);
            return;
        }
        let before = state.store.clone();
        state.store.apply(&decided.commit);
        state.broken = self.check_step(&before, &state.store, asked, &decided);
    }
}

impl Model for Play {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            store: self.store.clone(),
            hosts: [Host::Idle, Host::Idle],
            clock: 0,
            tries: self.tries.clone(),
            broken: None,
        }]
    }

    fn actions(&self, state: &State, acts: &mut Vec<Act>) {
        let idle = state.hosts.iter().position(|host| *host == Host::Idle);
        if let Some(host) = idle {
            let left = state.tries.iter().filter(|(_, left)| **left > 0);
            acts.extend(left.map(|(asked, _)| Act::Begin(host, *asked)));
        }
        for (place, host) in state.hosts.iter().enumerate() {
            match host {
                Host::Idle => {}
                Host::Reads { .. } => acts.extend([Act::Read(place), Act::Die(place)]),
                Host::Decided { .. } => acts.extend([Act::Commit(place), Act::Die(place)]),
            }
        }
        if usize::from(state.clock) + 1 < CLOCK.len() {
            acts.push(Act::Tick);
        }
    }

    fn next_state(&self, last: &State, act: Act) -> Option<State> {
        let mut state = last.clone();
        match act {
            Act::Begin(host, asked) => {
                *state.tries.get_mut(&asked)? -= 1;
                state.hosts[host] = self.begin(last, asked);
            }
            Act::Read(host) => {
                let Host::Reads { asked, read, needs } = &last.hosts[host] else { return None };
                state.hosts[host] = self.read(last, *asked, read.clone(), needs);
            }
            Act::Commit(host) => self.commit(&mut state, host),
            Act::Die(host) => state.hosts[host] = Host::Idle,
            Act::Tick => state.clock += 1,
        }
        if fingerprint(&state.hosts[0]) > fingerprint(&state.hosts[1]) {
            state.hosts.swap(0, 1); // the hosts are alike
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no more nodes than uses", |play: &Self, state: &State| {
                let of =
                    |record: &&Record| matches!(record, Record::Node(node) if node.package == play.package);
                let nodes = state.store.records().filter(of).count();
                nodes <= play.max_uses as usize && play.package_in(&state.store).uses() as usize == nodes
            }),
            Property::always("a subject is one node", |_, state: &State| {
                let mut seen = BTreeSet::new();
                state.store.records().all(|record| match record {
                    Record::Node(node) if node.is_live() => seen.insert(node.fingerprint.clone()),
                    _ => true,
                })
            }),
            Property::always(
                "what is reserved is what packages hold, and no more than promised",
                |_, state: &State| {
                    let (mut held, mut live) = (0, 0);
                    for record in state.store.records() {
                        if let Record::Package(package) = record {
                            held += package.reserved;
                            live += u32::from(package.status.is_live());
                        }
                    }
                    state.store.records().all(|record| match record {
                        Record::Scope(scope) => {
                            scope.reserved == held
                                && scope.outstanding == live
                                && Some(held) <= scope.max_active
                        }
                        _ => true,
                    })
                },
            ),
            Property::always(
                "nothing lives in what has ended, and nothing is kept for it",
                |play: &Self, state: &State| {
                    let package = play.package_in(&state.store);
                    let none = |record: &Record| !matches!(record, Record::Node(node) if node.package == package.id && node.status != NodeStatus::Retired);
                    let kept =
                        state.store.0.keys().filter_map(Key::secret).any(|id| id.package == package.id);
                    package.status.is_live()
                        || (state.store.records().all(none) && !kept && package.reserved == 0)
                },
            ),
            Property::always("nobody lives under a banned name", |_, state: &State| {
                let is_banned =
                    |record: &Record| matches!(record, Record::Subject(entry) if entry.ban.is_some());
                let bears = |record: &Record| matches!(record, Record::Node(node) if node.is_live() && node.node_name.is_some());
                !state.store.records().any(is_banned) || !state.store.records().any(bears)
            }),
            Property::always("no step breaks a promise", |_, state: &State| state.broken.is_none()),
            Property::sometimes("somebody wins", |play: &Self, state: &State| {
                play.package_in(&state.store).uses() > 0
            }),
        ]
    }
}

fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn command(value: Value) -> Command {
    Command::from_value(value).unwrap()
}

fn issued(answer: Answer) -> (PackageId, String) {
    match answer {
        Answer::Issued(issued) => (issued.package, issued.token.unwrap().expose().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn rows(ledger: &Ledger) -> Rows {
    let records =
        ledger.iter().map(|(key, row)| (key.clone(), Kept::Row(Row::new(row.version, &row.record))));
    let mut rows = Rows(records.collect());
    let secrets: Vec<_> = ledger.secrets().map(Key::Secret).collect();
    for row in ledger.read(&secrets) {
        rows.0.insert(row.key, Kept::Sealed(row.body.into()));
    }
    rows
}
