//! A registrar, a ledger, a clock that only moves when told to, and dice with a seed.

use std::sync::Arc;

use handfast::{
    Answer, Command, KeyRing, Ledger, Now, Policy, Registrar, SecretKey, Timestamp,
    crypto::default_backend,
    id::PackageId,
    record::{Key, Record},
    vocabulary::{Outcome, Redeemed},
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

pub(crate) struct Fleet {
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
    pub(crate) rng: StdRng,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let policy = json!({
            "vouched_fingerprints": true,
            "kinds": {"leaf": {"parents": ["site"]}, "site": {}},
        });
        let policy: Policy = serde_json::from_value(policy).unwrap();
        let ring = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
        Self {
            registrar: Arc::new(Registrar::new(policy, ring(1), ring(2), default_backend()).unwrap()),
            ledger: Ledger::recording(),
            now: "2026-01-02T03:04:05Z".parse().unwrap(),
            rng: StdRng::seed_from_u64(1),
        }
    }

    /// Decides and commits, and makes sure that the ledger then holds exactly what was decided.
    pub(crate) fn run(&mut self, command: Value) -> Answer {
        let command = Command::from_value(command).unwrap();
        let now = Now::trusted(self.now);
        let Outcome::Decision(decision) =
            self.registrar.decide(&command, &self.ledger, now, &mut self.rng).unwrap()
        else {
            panic!("a ledger knows every key")
        };
        assert!(self.ledger.commit(&decision.commit));
        for write in &decision.commit.writes {
            let rows = self.ledger.read(std::slice::from_ref(&write.key));
            assert_eq!((rows[0].version, &rows[0].body), (write.row.version, &write.row.body()));
            assert_eq!(self.ledger.get(&write.key).as_ref(), Some(&write.row.record));
        }
        decision.pending.release(decision.commit.committed()).unwrap()
    }

    pub(crate) fn later(&mut self, millis: i64) {
        self.now = Timestamp::from_unix_millis(self.now.unix_millis() + millis).unwrap();
    }

    /// Issues a package, with these members beside its name, and delivers it.
    pub(crate) fn issue(&mut self, name: &str, members: Value) -> (PackageId, String) {
        let mut command = json!({"type": "issue", "authority": "operator:ann", "name": name, "deliver": true, "ttl_seconds": 3600});
        command.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let Answer::Issued(issued) = self.run(command) else { panic!("{name}") };
        (issued.package, issued.token.unwrap().expose().to_owned())
    }

    pub(crate) fn redeem(&mut self, token: &str, machine: &str) -> Redeemed {
        let answer = self.run(json!({"type": "redeem", "token": token, "fingerprint": machine}));
        let Answer::Redeemed(redeemed) = answer else { panic!("{answer:?}") };
        redeemed
    }

    pub(crate) fn revoke(&mut self, package: PackageId) -> Answer {
        self.run(json!({"type": "revoke", "authority": "operator:ann", "package": package}))
    }

    /// What a host's timer does.
    pub(crate) fn tick(&mut self) {
        for key in self.ledger.due(self.now, 1000) {
            self.run(json!({"type": "expire", "key": key}));
        }
    }

    pub(crate) fn package(&self, id: PackageId) -> Arc<handfast::record::Package> {
        let Some(Record::Package(package)) = self.ledger.get(&Key::Package(id)) else { panic!("{id}") };
        package
    }
}
