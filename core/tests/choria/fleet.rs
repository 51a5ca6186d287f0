//! A fleet: one package carries `provisioning.jwt`; many nodes redeem its token, each counted and audited; the provisioner
//! then makes each of them a server.

use std::collections::BTreeSet;

use handfast::{
    Answer, Command, KeyRing, Ledger, Now, Policy, Registrar, Secret, SecretKey, Timestamp,
    choria::{
        ChainIssuer, Client, HelperReply, HelperRequest, Issuer, IssuerKey, NodeKey, Provisioning, Server,
        Terms, verify,
    },
    crypto::default_backend,
    id::PackageId,
    record::{Key, Record},
    vocabulary::{Event, FileFormat, GivenContent, Redeemed},
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::at;

struct Fleet {
    registrar: Registrar,
    ledger: Ledger,
    now: Timestamp,
    rng: StdRng,
    organisation: Issuer,
    chain: ChainIssuer,
}

impl Fleet {
    fn new() -> Self {
        let policy: Policy = serde_json::from_value(json!({"vouched_fingerprints": true})).unwrap();
        let ring = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
        let (now, mut rng) = (at("2026-01-02T03:04:05Z"), StdRng::seed_from_u64(1));
        let organisation = Issuer::generate(&mut rng);
        let provisioner = Issuer::generate(&mut rng);
        let terms = Terms {
            at: now,
            expires_at: now.plus_seconds(365 * 86400),
            public_key: Some(provisioner.public_key()),
        };
        let client = Client::new("up=provisioner".to_owned());
        let appointment = organisation.appoint(&client, &terms, &mut rng).unwrap();
        let key = IssuerKey::ed25519(organisation.public_key(), default_backend()).unwrap();
        let appointment = verify::<Client>(&key, appointment.expose(), now).unwrap();
        Self {
            registrar: Registrar::new(policy, ring(1), ring(2), default_backend()).unwrap(),
            ledger: Ledger::recording(),
            now,
            rng,
            organisation,
            chain: provisioner.appointed(&appointment).unwrap(),
        }
    }

    fn key(&self) -> IssuerKey {
        IssuerKey::ed25519(self.organisation.public_key(), default_backend()).unwrap()
    }

    fn run(&mut self, command: Value) -> Answer {
        let command = Command::from_value(command).unwrap();
        self.ledger.run(&self.registrar, &command, Now::trusted(self.now), &mut self.rng).unwrap()
    }

    /// The operator signs the fleet's token and puts it into a package for so many nodes.
    fn issue(&mut self, name: &str, max_uses: Option<u32>) -> (PackageId, String) {
        let claims = Provisioning {
            urls: vec!["nats://broker.example.net:4222".into()],
            extensions: json!({"customer": "one"}).as_object().cloned(),
            ..Provisioning::new(Secret::new("hunter2".to_owned()))
        };
        let terms = Terms { at: self.now, expires_at: self.now.plus_seconds(86400), public_key: None };
        let token = self.organisation.issue(&claims, &terms, &mut self.rng).unwrap();
        let answer = self.run(json!({
            "type": "issue", "authority": "operator:ann", "name": name, "deliver": true, "max_uses": max_uses,
            "contents": [{"type": "file", "name": "provisioning.jwt", "format": "choria_token", "content": {"$secret": token.expose()}}],
        }));
        let Answer::Issued(issued) = answer else { panic!("{answer:?}") };
        (issued.package, issued.token.unwrap().expose().to_owned())
    }

    fn redeem(&mut self, token: &str, node: &str) -> Answer {
        self.run(json!({"type": "redeem", "token": token, "fingerprint": node, "source": "192.0.2.7"}))
    }

    /// A node comes up: redeems, is provisioned with what it was given, and confirms.
    fn enrol(&mut self, token: &str, name: &str) -> Redeemed {
        let answer = self.redeem(token, name);
        let Answer::Redeemed(redeemed) = answer else { panic!("{answer:?}") };
        let [GivenContent::File { name: file, content, format }] = redeemed.contents.as_slice() else {
            panic!()
        };
        assert_eq!((file.as_str(), *format), ("provisioning.jwt", Some(FileFormat::ChoriaToken)));
        self.provision(name, content);
        self.run(json!({"type": "check_in", "node": redeemed.node, "fingerprint": name, "sequence": 1}));
        redeemed
    }

    /// What the provisioner does with a node that presents a provisioning token.
    fn provision(&mut self, name: &str, presented: &Secret) {
        let jwt = verify::<Provisioning>(&self.key(), presented.expose(), self.now).unwrap().into_inner();
        let public_key = Issuer::generate(&mut self.rng).public_key();
        let node = NodeKey { public_key, directory: "/etc/choria".to_owned(), signature: String::new() };
        let request = HelperRequest {
            identity: name.to_owned(),
            csr: None,
            ed25519_pubkey: Some(node),
            inventory: "{}".to_owned(),
            jwt: Some(jwt),
        };
        let reply = HelperReply::from_json(&helper(request.to_json().unwrap().expose())).unwrap();
        let terms = Terms {
            at: self.now,
            expires_at: reply.expires_at(self.now).unwrap().unwrap(),
            public_key: Some(public_key),
        };
        let token = self.chain.issue(&reply.server(name), &terms, &mut self.rng).unwrap();
        let server = verify::<Server>(&self.key(), token.expose(), self.now).unwrap();
        assert_eq!((server.claims.identity.as_str(), server.standard.public_key), (name, Some(public_key)));
        assert_eq!(server.claims.collectives, ["one"]);
    }

    /// How many uses the package counts.
    fn uses(&self, id: PackageId) -> u32 {
        let Some(Record::Package(package)) = self.ledger.get(&Key::Package(id)) else { panic!("{id}") };
        package.uses()
    }

    fn refused(&mut self, token: &str, node: &str) -> &'static str {
        let answer = self.redeem(token, node);
        let Answer::Refused(refused) = answer else { panic!("{answer:?}") };
        refused.refusal.code().as_str()
    }

    /// The log says of each node once that it came, from where, and through which package.
    fn assert_audited(&self, package: PackageId, nodes: usize) {
        let of = format!("\"{package}\"");
        let claimed = self.ledger.events().iter().filter(|event| event.fact.name() == "node_claimed");
        let claimed: Vec<_> = claimed.filter(|event| event.body().contains(&of)).collect();
        assert_eq!(claimed.len(), nodes);
        let keys: BTreeSet<_> = claimed.iter().map(|event| event.key.to_string()).collect();
        assert_eq!(keys.len(), nodes, "each its own");
        assert!(claimed.iter().all(|event| event.source == Some("192.0.2.7".parse().unwrap())));
        let log: String = self.ledger.events().iter().map(Event::body).collect();
        assert!(!log.contains("hunter2") && !log.contains("eyJ"), "the log holds no secret");
    }

    /// Who was sent away, and how often.
    fn sent_away(&self) -> Vec<(&'static str, u64)> {
        self.ledger.notices().map(|notice| (notice.first.code.as_str(), notice.count)).collect()
    }
}

/// An operator's helper: the customer that the token names decides on the collective.
fn helper(request: &str) -> String {
    let request = HelperRequest::from_json(request).unwrap();
    let extensions = request.jwt.unwrap().claims.extensions.unwrap();
    json!({"server_claims": {"collectives": [extensions["customer"]], "exp": 86400}, "configuration": {"a": "b"}})
        .to_string()
}

#[test]
fn a_counted_fleet_enrols_as_many_as_it_may() {
    // Up to 16 nodes a package lists, more it only counts.
    for (name, size) in [("racks", 3), ("hall", 20)] {
        let mut fleet = Fleet::new();
        let (package, token) = fleet.issue(name, Some(size));
        for number in 0..size {
            assert_eq!(fleet.uses(package), number);
            fleet.enrol(&token, &format!("web{number}"));
        }
        assert_eq!(fleet.refused(&token, "web1"), "grant_closed", "it has confirmed");
        assert_eq!(fleet.refused(&token, "latecomer"), "already_claimed");
        assert_eq!(fleet.uses(package), size, "who is sent away uses nothing up");
        fleet.assert_audited(package, usize::try_from(size).unwrap());
        let mut away = fleet.sent_away();
        away.sort_unstable();
        assert_eq!(away, [("already_claimed", 1), ("grant_closed", 1)]);
    }
}

#[test]
fn a_fleet_without_a_number_enrols_until_it_is_revoked() {
    let mut fleet = Fleet::new();
    let (package, token) = fleet.issue("everywhere", None);
    let (other, others) = fleet.issue("elsewhere", Some(2));
    for number in 0..50 {
        fleet.enrol(&token, &format!("web{number}"));
    }
    fleet.enrol(&others, "db0");
    fleet.run(json!({"type": "revoke", "authority": "operator:ann", "package": package}));
    assert_eq!(fleet.refused(&token, "web50"), "ended");
    fleet.assert_audited(package, 50);
    fleet.assert_audited(other, 1);
    assert_eq!(fleet.uses(other), 1);
    assert_eq!(fleet.sent_away(), [("ended", 1)]);
}
