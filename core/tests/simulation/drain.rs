//! The end of a world: everything ends, and then nothing may be left.

use std::collections::BTreeSet;

use handfast::{
    audit::Chain,
    crypto::default_backend,
    ledger::Ledger,
    record::{Key, Record, Versioned},
    vocabulary::{Answer, Command, EffectOutcome},
};
use serde_json::json;

use crate::{step::Fate, world::World};

impl World {
    pub(crate) fn drain(&mut self) {
        (0..3).for_each(|host| self.resume(host, Fate::Lives));
        self.clock = self.latest.plus_seconds(1);
        // Half of the worlds are cleared by operators; the others run out by themselves first.
        if self.counts.commands.is_multiple_of(2) {
            self.run_out();
        }
        for id in self.store.live_packages() {
            let revoke = json!({"type": "revoke", "authority": "operator:ann", "package": id});
            self.command(0, Command::from_value(revoke).unwrap(), Fate::Lives, true);
        }
        self.run_out();
        self.check_outside();
        self.check_records();
        self.check_log();
        self.count();
        self.forget();
        self.ears.check();
    }

    /// Timers and workers go on until nothing is due any more.
    fn run_out(&mut self) {
        for _ in 0..200 {
            for key in self.store.due(self.clock, 100) {
                let expire = Command::from_value(json!({"type": "expire", "key": key})).unwrap();
                self.command(0, expire, Fate::Lives, true);
            }
            while !self.jobs.is_empty() {
                self.settle(0);
            }
            for effect in self.effects() {
                let due = effect.not_before.is_none_or(|at| at <= self.clock);
                if due && self.report(&effect, 0, EffectOutcome::Started { lease_seconds: 30 }) {
                    let outcome = self.perform(&effect);
                    self.report(&effect, 0, outcome);
                }
            }
            match self.store.ledger.next_wake() {
                None => return,
                Some(at) => self.clock = self.clock.max(at).plus_seconds(1),
            }
        }
        panic!("it never comes to rest: {:?}", self.effects());
    }

    fn check_outside(&self) {
        assert!(self.effects().is_empty() && self.store.ledger.next_wake().is_none());
        assert!(self.upstream.clients.is_empty(), "clients are left: {:?}", self.upstream.clients.keys());
        assert!(self.upstream.entries.is_empty(), "entries are left");
        assert!(self.upstream.bootstrap_tokens.is_empty(), "bootstrap tokens are left");
        assert!(self.upstream.join_tokens.values().all(|expires_at| *expires_at <= self.clock));
    }

    fn check_records(&self) {
        let mut held = BTreeSet::new();
        for (key, record) in &self.store.records {
            held.extend(record.held_secrets());
            match record {
                Record::Scope(scope) => assert_eq!((scope.reserved, scope.outstanding), (0, 0), "{key}"),
                Record::Pool(pool) => assert_eq!(pool.free(), pool.items.len(), "{key}"),
                Record::Package(package) => {
                    assert!(!package.status.is_live() && package.is_settled() && package.is_swept(), "{key}");
                    assert_eq!(package.reserved, 0, "{key}");
                }
                Record::Node(node) => assert!(!node.is_live(), "{key}"),
                Record::Name(entry) => assert_eq!(entry.package, None, "{key}"),
                Record::Subject(entry) => {
                    assert_eq!((entry.node, entry.package, entry.claimed_by), (None, None, None), "{key}");
                }
                Record::Instance(_) | Record::Forgotten(_) => {}
            }
        }
        assert_eq!(self.store.vault.keys().copied().collect::<BTreeSet<_>>(), held, "the vault");
        assert!(
            held.iter().all(|id| !self.model.packages.contains_key(&id.package)),
            "a package holds a secret"
        );
    }

    /// The log gives the records bit for bit, every fact is linked, and a snapshot holds everything.
    fn check_log(&mut self) {
        let rows = |ledger: &Ledger| {
            let row = |(key, row): (&Key, Versioned)| (key.clone(), (row.version, row.body()));
            ledger.iter().map(row).collect::<std::collections::BTreeMap<_, _>>()
        };
        assert_eq!(
            rows(&self.store.ledger),
            self.store.rows,
            "the ledger is no different from a store of text"
        );
        let replayed = Ledger::replay(&self.store.log, &*default_backend()).unwrap();
        assert_eq!(rows(&replayed), self.store.rows, "the replay");
        let mut chain = Chain::new(default_backend());
        self.store.log.iter().for_each(|body| chain.feed(body).unwrap());
        assert!(chain.finish().is_empty());
        let snapshot = self.store.ledger.snapshot();
        assert_eq!(Ledger::restore(&snapshot).unwrap().snapshot(), snapshot);
        self.ears.hear(&snapshot);
    }

    /// In the end everything may be forgotten; what stays are names, bans, and places in chains.
    fn forget(&mut self) {
        let forgettable = |record: &Record| matches!(record, Record::Package(_) | Record::Node(_));
        let ended = self.store.records.iter().filter(|(_, record)| forgettable(record));
        let keys: Vec<_> = ended.map(|(key, _)| key.clone()).collect();
        for key in keys {
            let forget = json!({"type": "forget", "authority": "timer", "key": key});
            let answer = self.command(0, Command::from_value(forget).unwrap(), Fate::Lives, true);
            assert!(matches!(answer, Some(Answer::Forgotten(_))), "{key} cannot be forgotten: {answer:?}");
        }
    }

    fn count(&mut self) {
        self.counts.packages = self.model.packages.len() as u64;
        self.counts.nodes = self.model.nodes.len() as u64;
        self.counts.secrets = self.model.plain.len() as u64;
        self.counts.heard = self.ears.heard() as u64;
    }
}
