//! A small world: one registrar, one ledger, a clock that only moves when told to, and dice with a seed.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use handfast::{
    aws::{Change, InstanceEvent, InstanceId, InstanceState},
    crypto::default_backend,
    id::{NodeId, PackageId, SecretId},
    keyring::KeyRing,
    ledger::Ledger,
    record::{Key, Node, Package, PackageStatus, Record, SubjectEntry, Versioned},
    registrar::{Policy, Registrar, Step},
    secret::SecretKey,
    time::{Now, Timestamp},
    vocabulary::{
        Action, Answer, Authority, Command, Delivered, Effect, EffectOutcome, Error, Issued, Redeemed,
        Refusal, Report, Work,
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
        self.attempt(command, Now::trusted(self.now)).unwrap()
    }

    /// Runs a command as a host does whose store keeps text.
    pub(crate) fn attempt(&mut self, command: &Command, now: Now) -> Result<Answer, Error> {
        let mut session = self.registrar.session(command.clone());
        loop {
            match session.next(now, &mut self.rng)? {
                Step::Load(keys) => session.loaded(self.ledger.read(&keys))?,
                Step::Commit(commit) => session.committed(self.ledger.commit(&commit))?,
                Step::Answer(answer) => return Ok(answer),
            }
        }
    }

    /// What is wrong with a command.
    pub(crate) fn error(&mut self, command: Value) -> String {
        let command = Command::from_value(command).unwrap();
        self.attempt(&command, Now::trusted(self.now)).unwrap_err().to_string()
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

    pub(crate) fn node(&self, id: NodeId) -> Arc<Node> {
        match self.ledger.get(&Key::Node(id)) {
            Some(Record::Node(node)) => node,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn subject(&self, scope: &str, subject: &str) -> Arc<SubjectEntry> {
        match self.ledger.get(&Key::Subject(scope.parse().unwrap(), subject.parse().unwrap())) {
            Some(Record::Subject(entry)) => entry,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn version(&self, key: &Key) -> u64 {
        self.ledger.read(std::slice::from_ref(key)).first().map_or(0, |row| row.version)
    }

    /// Issues a package and refuses to.
    pub(crate) fn not_issued(&mut self, name: &str, more: Value) -> Refusal {
        let mut command = json!({"type": "issue", "authority": "operator:ann", "name": name});
        command.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        refusal(&self.run(command))
    }

    /// A package named `name` that nobody has yet.
    pub(crate) fn made(&mut self, name: &str, mut more: Value) -> PackageId {
        more["deliver"] = json!(false);
        self.issued(name, more).package
    }

    pub(crate) fn deliver(&mut self, package: PackageId) -> Answer {
        self.run(json!({"type": "deliver", "authority": "operator:ann", "to": {"type": "operator", "package": package}}))
    }

    /// A reissue that is handed to the operator at once; gives the new token.
    pub(crate) fn reissue(&mut self, package: PackageId, more: Value) -> String {
        let mut command =
            json!({"type": "reissue", "authority": "operator:ann", "package": package, "deliver": true});
        command.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        match self.run(command) {
            Answer::Reissued(reissued) => reissued.token.unwrap().expose().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// Redeems the token and checks in once.
    pub(crate) fn enrol(&mut self, token: &str, fingerprint: &str) -> NodeId {
        let redeemed = self.redeemed(token, fingerprint);
        assert!(matches!(self.check_in(&redeemed, fingerprint, 1), Answer::CheckedIn(_)));
        redeemed.node
    }

    pub(crate) fn expire(&mut self, key: &Key) -> Answer {
        self.run(json!({"type": "expire", "key": key}))
    }

    /// What a host's executor does until nothing is left to be done by now: takes each effect, does it, reports it. Gives
    /// what it did.
    pub(crate) fn work(&mut self) -> Vec<Work> {
        let mut done = Vec::new();
        while let Some(effect) =
            self.effects().into_iter().find(|effect| effect.not_before.is_none_or(|at| at <= self.now))
        {
            self.report(&effect, EffectOutcome::Started { lease_seconds: 30 });
            if let Work::Sweep { package } = &effect.work {
                self.sweep(*package);
            }
            self.report(&effect, EffectOutcome::Done);
            done.push(effect.work);
        }
        done
    }

    /// What a host does for a sweep: it tells everything alive whose parent this is.
    fn sweep(&mut self, package: PackageId) {
        let below = |(key, versioned): (&Key, Versioned)| {
            let index = versioned.record.index();
            let live =
                matches!(index.status, Some("created" | "delivered" | "activated" | "claimed" | "active"));
            (live && index.parent == Some(Key::Package(package))).then(|| key.clone())
        };
        for key in self.ledger.iter().filter_map(below).collect::<Vec<_>>() {
            self.expire(&key);
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
