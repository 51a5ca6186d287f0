//! A world in which anything may happen, and what must hold whatever does.

use std::collections::BTreeSet;

use handfast::{
    aws::InstanceState,
    crypto::default_backend,
    ledger::Ledger,
    record::{Key, PackageStatus, Record, Versioned},
    vocabulary::{Answer, EffectOutcome, Event},
};
use serde_json::json;

use crate::world::{World, described, policy};

/// One thing that happens in the world; the numbers choose among what exists.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    Issue { name: u8, uses: u32, deliver: bool, activates_on: u8 },
    Deliver { package: usize, operator: u8 },
    DeliverToInstance { right: bool },
    Redeem { token: usize, machine: u8 },
    CheckIn { node: usize, machine: u8, sequence: u64 },
    Revoke { package: usize },
    Tick,
    Wait { seconds: u32 },
    Observe { state: u8, ago: u32 },
    Report { effect: usize, worker: u8, outcome: u8 },
    Late { report: usize, outcome: u8 },
    Restart,
}

impl Happening {
    /// Reads one from four bytes; every four bytes are one.
    pub(crate) fn from_bytes([kind, a, b, c]: [u8; 4]) -> Self {
        let (few, pick) = (u32::from(c), usize::from(a));
        match kind % 34 {
            0..=2 => Self::Issue {
                name: a % 4,
                uses: u32::from(b % 3) + 1,
                deliver: c % 2 == 0,
                activates_on: (c / 2) % 3,
            },
            3..=4 => Self::Deliver { package: pick, operator: b % 2 },
            5..=6 => Self::DeliverToInstance { right: a % 2 == 0 },
            7..=11 => Self::Redeem { token: pick, machine: b % 4 },
            12..=15 => Self::CheckIn { node: pick, machine: b % 4, sequence: u64::from(c % 4) + 1 },
            16 => Self::Revoke { package: pick },
            17..=19 => Self::Tick,
            20..=22 => Self::Wait { seconds: [few % 5, 200 + 2 * few, 3000 + 4 * few][usize::from(b % 3)] },
            23..=26 => Self::Observe { state: a % 6, ago: u32::from(b % 20) },
            27..=31 => Self::Report { effect: pick, worker: b % 2, outcome: c % 6 },
            32 => Self::Late { report: pick, outcome: b % 6 },
            _ => Self::Restart,
        }
    }
}

/// Lets everything happen that the bytes say, and holds the world to its invariants after each.
pub(crate) fn run(input: &[u8]) {
    let mut watched = Watched::new();
    for bytes in input.as_chunks::<4>().0 {
        watched.happen(&Happening::from_bytes(*bytes));
        watched.check();
    }
    watched.check_records();
    watched.check_history();
}

/// The world, and every secret that was ever let out in it.
struct Watched {
    world: World,
    secrets: BTreeSet<String>,
    tokens: Vec<String>,
    nodes: Vec<handfast::vocabulary::Redeemed>,
    effects: Vec<handfast::vocabulary::Effect>,
    answers: String,
    ended: BTreeSet<handfast::id::PackageId>,
}

impl Watched {
    fn new() -> Self {
        let world = World::with_policy(policy());
        Self {
            world,
            secrets: BTreeSet::new(),
            tokens: Vec::new(),
            nodes: Vec::new(),
            effects: Vec::new(),
            answers: String::new(),
            ended: BTreeSet::new(),
        }
    }

    fn packages(&self) -> Vec<handfast::id::PackageId> {
        let keys = self.world.ledger.iter().map(|(key, _)| key);
        keys.filter_map(|key| if let Key::Package(id) = key { Some(*id) } else { None }).collect()
    }

    fn learn(&mut self, answer: Answer) {
        self.answers.push_str(&format!("{answer:?}"));
        if let Answer::Redeemed(redeemed) = &answer {
            self.nodes.push(redeemed.clone());
        }
        for content in match &answer {
            Answer::Delivered(delivered) => &delivered.contents[..],
            Answer::Redeemed(redeemed) => &redeemed.contents[..],
            _ => &[],
        } {
            let Some(secret) = content.secret() else { continue };
            self.secrets.insert(secret.expose().rsplit('.').next().unwrap().to_owned());
        }
        let token = match answer {
            Answer::Issued(issued) => issued.token,
            Answer::Delivered(delivered) => delivered.token,
            _ => None,
        };
        if let Some(token) = token {
            self.tokens.push(token.expose().to_owned());
            self.secrets.insert(token.expose().rsplit('_').next().unwrap().to_owned());
        }
    }

    fn happen(&mut self, happening: &Happening) {
        let pick = |many: usize, of: usize| if of == 0 { None } else { Some(many % of) };
        let answer = match happening {
            Happening::Issue { name, uses, deliver, activates_on } => {
                let activates_on = ["delivery", "redeem", "check_in"][usize::from(*activates_on)];
                let delivery = activates_on == "delivery";
                let secret = format!("the-contents-of-{}", self.tokens.len());
                self.secrets.insert(secret.clone());
                self.world.run(json!({
                    "type": "issue", "authority": "operator:ann", "name": format!("edge-{name}"), "activates_on": activates_on,
                    "max_uses": if delivery { 1 } else { *uses }, "deliver": *deliver && !delivery,
                    "contents": [{"type": "file", "name": "a", "content": secret}],
                }))
            }
            Happening::Deliver { package, operator } => {
                let packages = self.packages();
                let Some(place) = pick(*package, packages.len()) else { return };
                let to = json!({"type": "operator", "package": packages[place]});
                self.world
                    .run(json!({"type": "deliver", "authority": format!("operator:o{operator}"), "to": to}))
            }
            Happening::DeliverToInstance { right } => {
                self.world.deliver_to_instance(if *right { crate::world::ADDRESS } else { "192.0.2.1" })
            }
            Happening::Redeem { token, machine } => {
                let Some(place) = pick(*token, self.tokens.len()) else { return };
                self.world.redeem(&self.tokens[place].clone(), &format!("m{machine}"))
            }
            Happening::CheckIn { node, machine, sequence } => {
                let Some(place) = pick(*node, self.nodes.len()) else { return };
                self.world.check_in(&self.nodes[place].clone(), &format!("m{machine}"), *sequence)
            }
            Happening::Revoke { package } => {
                let packages = self.packages();
                let Some(place) = pick(*package, packages.len()) else { return };
                self.world.revoke(packages[place])
            }
            Happening::Tick => return self.world.tick(),
            Happening::Wait { seconds } => return self.world.later(*seconds),
            Happening::Observe { state, ago } => {
                use InstanceState::*;
                let state = [Pending, Running, Running, Stopping, Stopped, Terminated][usize::from(*state)];
                self.world.observe_at(state, self.world.now.minus_seconds(*ago))
            }
            Happening::Report { effect, worker, outcome } => {
                let effects = self.world.effects();
                let Some(place) = pick(*effect, effects.len()) else { return };
                self.effects.push(effects[place].clone());
                self.report(&effects[place], *worker, *outcome)
            }
            Happening::Late { report, outcome } => {
                let Some(place) = pick(*report, self.effects.len()) else { return };
                let effect = self.effects[place].clone();
                self.report(&effect, 0, *outcome)
            }
            Happening::Restart => return self.restart(),
        };
        self.learn(answer);
    }

    fn report(&mut self, effect: &handfast::vocabulary::Effect, worker: u8, outcome: u8) -> Answer {
        let describe = effect.id.to_string().contains("describe");
        let outcome = match (outcome, describe) {
            (0, _) => EffectOutcome::Started { lease_seconds: 20 },
            (1, _) => EffectOutcome::Failed { reason: "no".into() },
            (2, _) => EffectOutcome::Unknown,
            (_, true) => described(&json!({"role": "node"})),
            (3, false) => EffectOutcome::Collision,
            (_, false) => EffectOutcome::Done,
        };
        self.world.report_as(&format!("executor:w{worker}"), effect, outcome)
    }

    /// The process dies and comes back from its store; the history stays in the audit.
    fn restart(&mut self) {
        let snapshot = self.world.ledger.snapshot();
        let restored = Ledger::restore(&snapshot).unwrap();
        assert_eq!(restored.snapshot(), snapshot);
    }

    fn check(&mut self) {
        self.check_vault();
        self.check_ends();
    }

    fn check_records(&self) {
        for (key, versioned) in self.world.ledger.iter() {
            let body = versioned.body();
            let read = Versioned::from_body(versioned.version, &body).unwrap();
            assert_eq!((&read.body(), &read), (&body, &versioned), "{key}");
            if let Record::Package(package) = &versioned.record {
                assert!(package.issued.max_uses.is_none_or(|max| package.uses() <= max));
                assert!(package.status != PackageStatus::Activated || package.activated_at.is_some());
            }
        }
    }

    /// The vault holds exactly what the records say that somebody may still be given.
    fn check_vault(&self) {
        let held = self.world.ledger.iter().flat_map(|(_, versioned)| match &versioned.record {
            Record::Package(package) => package.held_secrets(),
            _ => BTreeSet::new(),
        });
        assert_eq!(self.world.vault(), held.collect::<Vec<_>>());
    }

    /// What has ended stays ended, and its nodes with it.
    fn check_ends(&mut self) {
        for id in self.packages() {
            let package = self.world.package(id);
            if package.status.is_live() {
                assert!(!self.ended.contains(&id), "{id} was revived");
                continue;
            }
            for node in &package.nodes {
                let record = self.world.ledger.get(&Key::Node(node.id));
                let retired = matches!(record, Some(Record::Node(node)) if node.status == handfast::record::NodeStatus::Retired);
                assert!(retired && !node.live && !node.grant_open);
            }
            self.ended.insert(id);
        }
    }

    /// The history gives the records bit for bit, and none of it knows a secret.
    fn check_history(&self) {
        let ledger = &self.world.ledger;
        let written: Vec<String> = ledger.events().iter().map(Event::body).collect();
        let replayed = Ledger::replay(&written, &*default_backend()).unwrap();
        let rows = |ledger: &Ledger| {
            ledger.iter().map(|(key, row)| (key.clone(), row.version, row.body())).collect::<Vec<_>>()
        };
        assert_eq!(rows(&replayed), rows(ledger));
        let notices = ledger.notices().map(|counted| counted.first.body()).collect::<Vec<_>>();
        let effects =
            self.effects.iter().map(|effect| serde_json::to_string(effect).unwrap()).collect::<Vec<_>>();
        let records = rows(ledger).into_iter().map(|(_, _, body)| body).collect::<Vec<_>>();
        let everything = [written, notices, effects, records, vec![self.answers.clone(), ledger.snapshot()]]
            .concat()
            .join("\n");
        for secret in &self.secrets {
            assert!(!everything.contains(secret.as_str()), "{secret} leaked");
        }
    }
}
