//! A small world: one registrar, one ledger, a clock that only moves when told to, and dice with a seed.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use handfast::{
    aws::{Change, InstanceEvent, InstanceId, InstanceState},
    crypto::default_backend,
    id::{PackageId, SecretId},
    keyring::KeyRing,
    ledger::Ledger,
    record::{Key, Package, PackageStatus, Record},
    registrar::{Policy, Registrar},
    secret::SecretKey,
    time::{Now, Timestamp},
    vocabulary::{
        Action, Answer, Authority, Command, Delivered, Effect, EffectOutcome, Issued, Redeemed, Refusal,
        Report,
    },
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

pub(crate) const START: &str = "2026-01-02T03:04:05Z";
pub(crate) const INSTANCE: &str = "i-0123456789abcdef0";
pub(crate) const ADDRESS: &str = "10.0.0.7";

pub(crate) struct World {
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
    pub(crate) rng: StdRng,
}

/// Vouched fingerprints are allowed, and instances tagged `role=node` get a bootstrap token.
pub(crate) fn policy() -> Value {
    json!({
        "vouched_fingerprints": true,
        "instances": [{
            "accounts": ["123456789012"], "tags": {"role": "node"}, "scope": "cluster", "kind": "kubernetes",
            "contents": [{"type": "kubernetes_bootstrap_token"}],
        }],
    })
}

pub(crate) fn registrar(policy: Value) -> Arc<Registrar> {
    let policy: Policy = serde_json::from_value(policy).unwrap();
    let ring = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
    Arc::new(Registrar::new(policy, ring(1), ring(2), default_backend()).unwrap())
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_policy(policy())
    }

    pub(crate) fn with_policy(policy: Value) -> Self {
        Self {
            registrar: registrar(policy),
            ledger: Ledger::recording(),
            now: START.parse().unwrap(),
            rng: StdRng::seed_from_u64(1),
        }
    }

    pub(crate) fn later(&mut self, seconds: u32) {
        self.now = self.now.plus_seconds(seconds);
    }

    pub(crate) fn run_command(&mut self, command: &Command) -> Answer {
        let now = Now::trusted(self.now);
        self.ledger.run(&self.registrar, command, now, &mut self.rng).unwrap()
    }

    pub(crate) fn run(&mut self, command: Value) -> Answer {
        self.run_command(&Command::from_value(command).unwrap())
    }

    /// An operator's package named `name` that is handed over at once; gives its token.
    pub(crate) fn issue(&mut self, name: &str, more: Value) -> (PackageId, String) {
        let issued = self.issued(name, more);
        (issued.package, issued.token.unwrap().expose().to_owned())
    }

    pub(crate) fn issued(&mut self, name: &str, more: Value) -> Issued {
        let mut command =
            json!({"type": "issue", "authority": "operator:ann", "name": name, "deliver": true});
        command.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        match self.run(command) {
            Answer::Issued(issued) => issued,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn redeem(&mut self, token: &str, fingerprint: &str) -> Answer {
        self.run(json!({"type": "redeem", "token": token, "fingerprint": fingerprint}))
    }

    pub(crate) fn redeemed(&mut self, token: &str, fingerprint: &str) -> Redeemed {
        match self.redeem(token, fingerprint) {
            Answer::Redeemed(redeemed) => redeemed,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn check_in(&mut self, redeemed: &Redeemed, fingerprint: &str, sequence: u64) -> Answer {
        self.run(json!({"type": "check_in", "node": redeemed.node, "fingerprint": fingerprint, "sequence": sequence}))
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

    pub(crate) fn package(&self, id: PackageId) -> Arc<Package> {
        match self.ledger.get(&Key::Package(id)) {
            Some(Record::Package(package)) => package,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn status(&self, id: PackageId) -> PackageStatus {
        self.package(id).status
    }

    pub(crate) fn vault(&self) -> Vec<SecretId> {
        self.ledger.secrets().collect()
    }

    pub(crate) fn facts(&self) -> Vec<&'static str> {
        self.ledger.events().iter().map(|event| event.fact.name()).collect()
    }

    pub(crate) fn notices(&self) -> BTreeMap<&'static str, u64> {
        self.ledger.notices().map(|counted| (counted.first.code.as_str(), counted.count)).collect()
    }

    /// Takes in a state-change event of the instance, as of now.
    pub(crate) fn observe(&mut self, state: InstanceState) -> Answer {
        self.observe_at(state, self.now)
    }

    pub(crate) fn observe_at(&mut self, state: InstanceState, at: Timestamp) -> Answer {
        let event = InstanceEvent::for_testing(
            instance(),
            Change::State { state },
            at,
            "7bf73129-1428-4cd3-a780-95db273d1602",
        );
        let action = Action::ObserveInstance(Box::new(event));
        self.run_command(&Command { authority: Authority::Event, source: None, action })
    }

    pub(crate) fn effects(&self) -> Vec<Effect> {
        self.ledger.iter().flat_map(|(_, versioned)| self.registrar.outstanding(&versioned.record)).collect()
    }

    /// The one effect that is outstanding.
    pub(crate) fn effect(&self) -> Effect {
        let mut effects = self.effects();
        assert_eq!(effects.len(), 1, "{effects:?}");
        effects.remove(0)
    }

    pub(crate) fn report(&mut self, effect: &Effect, outcome: EffectOutcome) -> Answer {
        self.report_as("executor:w1", effect, outcome)
    }

    pub(crate) fn report_as(&mut self, authority: &str, effect: &Effect, outcome: EffectOutcome) -> Answer {
        let action = Action::Report(Report { effect: effect.id.clone(), outcome });
        self.run_command(&Command { authority: authority.parse().unwrap(), source: None, action })
    }

    /// The cloud's API answers that the instance runs, at its address, as a node.
    pub(crate) fn describe(&mut self) -> Answer {
        let effect = self.effect();
        self.report(&effect, described(&json!({"role": "node"})))
    }

    pub(crate) fn deliver_to_instance(&mut self, source: &str) -> Answer {
        self.run(
            json!({"type": "deliver", "source": source, "to": {"type": "instance", "instance": INSTANCE}}),
        )
    }

    /// An instance that runs, is described, and whose bootstrap token stands in the cluster.
    pub(crate) fn instance_ready(&mut self) -> PackageId {
        self.observe(InstanceState::Running);
        self.describe();
        let effect = self.effect();
        self.report(&effect, EffectOutcome::Done);
        match self.ledger.get(&Key::Instance(instance())) {
            Some(Record::Instance(instance)) => instance.package.unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn instance() -> InstanceId {
    INSTANCE.parse().unwrap()
}

pub(crate) fn described(tags: &Value) -> EffectOutcome {
    serde_json::from_value(json!({
        "type": "described", "account": "123456789012", "region": "us-east-1", "state": "running",
        "addresses": [ADDRESS, "203.0.113.7"], "tags": tags,
    }))
    .unwrap()
}

pub(crate) fn refusal(answer: &Answer) -> Refusal {
    match answer {
        Answer::Refused(refused) => refused.refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn delivered(answer: Answer) -> Delivered {
    match answer {
        Answer::Delivered(delivered) => delivered,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn source(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}
