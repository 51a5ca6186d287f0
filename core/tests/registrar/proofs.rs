//! Nodes that prove a key: nonces, replays, credentials.

use handfast::{
    code::Code,
    crypto::default_backend,
    jwt::{Algorithm, Proof, SigningKey, SigningRing, credential, proof::Make},
    record::{Key, Record},
    vocabulary::{Answer, Credential, Redeemed, Refusal},
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::world::{World, refusal};

const BASE: &str = "https://enrol.example.org/api";

/// A world whose registrar signs credentials and accepts proofs only.
fn world() -> World {
    world_with(json!({}))
}

fn world_with(kinds: Value) -> World {
    let policy = json!({"base_url": BASE, "issuer": "https://enrol.example.org", "kinds": kinds});
    let mut world = World::with_policy(policy);
    let registrar = std::sync::Arc::try_unwrap(world.registrar).unwrap();
    let key = SigningKey::generate(Algorithm::Es256, &mut StdRng::seed_from_u64(9)).unwrap();
    let ring = SigningRing::single("s1".parse().unwrap(), key, &*default_backend()).unwrap();
    world.registrar = std::sync::Arc::new(registrar.with_signing(ring));
    world
}

/// A node with its key; its clock is years behind.
struct Node {
    key: SigningKey,
    rng: StdRng,
    nonce: Option<String>,
}

impl Node {
    fn new(seed: u64, algorithm: Algorithm) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Self { key: SigningKey::generate(algorithm, &mut rng).unwrap(), rng, nonce: None }
    }

    fn proof(&mut self, path: &str, token: Option<&str>) -> String {
        let url = format!("{BASE}{path}").parse().unwrap();
        let issued_at = "1970-01-01T00:00:00Z".parse().unwrap();
        let make = Make { method: "POST", url: &url, token, nonce: self.nonce.as_deref(), issued_at };
        Proof::make(&self.key, &make, &mut self.rng).unwrap()
    }

    /// Does what a node does: on `use_nonce` it tries once more.
    fn try_with(&mut self, mut ask: impl FnMut(&mut Self) -> Answer) -> Answer {
        match ask(self) {
            Answer::UseNonce(answer) => {
                self.nonce = Some(answer.nonce);
                ask(self)
            }
            other => other,
        }
    }

    fn redeem(&mut self, world: &mut World, token: &str) -> Answer {
        self.try_with(|node| {
            let proof = node.proof("/redeem", Some(token));
            world.run(json!({"type": "redeem", "token": token, "proof": proof}))
        })
    }

    fn redeemed(&mut self, world: &mut World, token: &str) -> Redeemed {
        match self.redeem(world, token) {
            Answer::Redeemed(redeemed) => redeemed,
            other => panic!("{other:?}"),
        }
    }

    fn check_in(
        &mut self,
        world: &mut World,
        node: &Redeemed,
        credential: &Credential,
        sequence: u64,
    ) -> Answer {
        self.try_with(|me| {
            let credential = credential.token.expose();
            let proof = me.proof("/check-in", Some(credential));
            world.run(json!({
                "type": "check_in", "node": node.node, "proof": proof, "credential": credential, "sequence": sequence,
            }))
        })
    }
}

fn checked_in(answer: Answer) -> (Credential, bool) {
    match answer {
        Answer::CheckedIn(answer) => (answer.credential.unwrap(), answer.again),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_node_whose_clock_was_never_set_proves_its_key_and_is_given_a_credential() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let mut world = world();
        let (_, token) = world.issue("edge-1", json!({}));
        let mut node = Node::new(1, algorithm);
        let first = node.redeemed(&mut world, &token);
        let given = first.credential.clone().unwrap();
        let keys = world.registrar.public_keys().unwrap();
        let says =
            credential::verify(keys, "https://enrol.example.org", given.token.expose(), world.now).unwrap();
        assert_eq!((says.node, says.key), (first.node, node.key.public().thumbprint()));

        let again = node.redeemed(&mut world, &token);
        assert!(again.again);
        assert_eq!(again.credential, Some(given.clone()), "a retry signs the same claims");

        world.later(5);
        let (second, repeated) = checked_in(node.check_in(&mut world, &first, &given, 1));
        assert!(!repeated && second.token != given.token);
        let (same, repeated) = checked_in(node.check_in(&mut world, &first, &given, 1));
        assert!(repeated && same == second, "a lost reply is given once more");
        world.later(2 * 60 * 60);
        let (_, repeated) = checked_in(node.check_in(&mut world, &first, &second, 2));
        assert!(!repeated, "an expired credential still says who proves its key");
    }
}

#[test]
fn a_proof_counts_once_and_for_its_own_request_only() {
    let mut world = world();
    let (package, token) = world.issue("edge-1", json!({"max_uses": 2}));
    let (_, other) = world.issue("edge-2", json!({}));
    let mut node = Node::new(1, Algorithm::Es256);
    let _first = node.redeemed(&mut world, &token);
    let redeem = |token: &str, proof: &str| json!({"type": "redeem", "token": token, "proof": proof});
    let proof = node.proof("/redeem", Some(&token));
    assert!(matches!(world.run(redeem(&token, &proof)), Answer::Redeemed(_)));
    let facts = world.facts().len();
    assert_eq!(refusal(&world.run(redeem(&token, &proof))), Refusal::ProofReplayed);
    let codes = |answer: Answer| refusal(&answer).code().as_str();
    assert_eq!(codes(world.run(redeem(&other, &proof))), "proof_wrong_token");
    let elsewhere = node.proof("/check-in", Some(&token));
    assert_eq!(codes(world.run(redeem(&token, &elsewhere))), "proof_wrong_url");
    world.later(61);
    let late = node.proof("/redeem", Some(&token));
    assert!(matches!(world.run(redeem(&token, &late)), Answer::UseNonce(_)), "a nonce lives for a minute");
    assert_eq!((world.facts().len(), world.package(package).uses()), (facts, 1));
}

#[test]
fn a_proof_of_a_parent_node_fetches_once() {
    let mut world = world_with(json!({"child": {"parents": ["node"]}}));
    let (parent, token) = world.issue("edge-1", json!({}));
    let child = world.made("child", json!({"kind": "child", "parent": parent}));
    let mut node = Node::new(1, Algorithm::Es256);
    let redeemed = node.redeemed(&mut world, &token);
    let (credential, _) =
        checked_in(node.check_in(&mut world, &redeemed, redeemed.credential.as_ref().unwrap(), 1));
    let credential = credential.token.expose();
    let fetch = |proof: &str| {
        let to = json!({"type": "parent_node", "package": child, "node": redeemed.node, "proof": proof, "credential": credential});
        json!({"type": "deliver", "to": to})
    };
    let proof = node.proof("/deliver", Some(credential));
    let first = crate::world::delivered(world.run(fetch(&proof)));
    assert!(first.token.is_some() && !first.again);
    assert_eq!(refusal(&world.run(fetch(&proof))), Refusal::ProofReplayed);
    let fresh = node.proof("/deliver", Some(credential));
    assert!(crate::world::delivered(world.run(fetch(&fresh))).again, "a new proof for a lost reply");
    assert_eq!(refusal(&world.run(fetch(&fresh))), Refusal::ProofReplayed);
}

#[test]
fn a_proof_to_leave_counts_once_also_after_the_node_has_returned() {
    let mut world = world();
    let (package, token) = world.issue("pair", json!({"max_uses": 2}));
    let mut node = Node::new(1, Algorithm::Es256);
    let first = node.redeemed(&mut world, &token);
    let credential = first.credential.unwrap();
    let leave = |proof: &str, credential: &Credential| json!({"type": "leave", "node": first.node, "proof": proof, "credential": credential.token.expose()});
    let proof = node.proof("/leave", Some(credential.token.expose()));
    assert!(matches!(world.run(leave(&proof, &credential)), Answer::NodeEnded(_)));
    let newer = world.reissue(package, json!({}));
    node.redeemed(&mut world, &newer);
    assert_eq!(refusal(&world.run(leave(&proof, &credential))), Refusal::ProofReplayed);
}

#[test]
fn a_credential_from_before_the_token_that_was_redeemed_last_is_a_copys() {
    let mut world = world();
    let (package, token) = world.issue("edge-1", json!({}));
    let mut node = Node::new(1, Algorithm::Es256);
    let first = node.redeemed(&mut world, &token);
    let old = first.credential.clone().unwrap();
    node.check_in(&mut world, &first, &old, 1);
    world.later(10);
    let newer = world.reissue(package, json!({}));
    let anew = node.redeemed(&mut world, &newer);
    assert_eq!(refusal(&node.check_in(&mut world, &first, &old, 7)), Refusal::CredentialMismatch);
    checked_in(node.check_in(&mut world, &anew, anew.credential.as_ref().unwrap(), 1));
}

#[test]
fn a_stolen_credential_is_worth_nothing_without_its_key() {
    let mut world = world();
    let (_, token) = world.issue("edge-1", json!({}));
    let (_, other) = world.issue("edge-2", json!({}));
    let (mut node, mut thief) = (Node::new(1, Algorithm::Es256), Node::new(2, Algorithm::EdDsa));
    let mine = node.redeemed(&mut world, &token);
    let theirs = thief.redeemed(&mut world, &other);
    let stolen = mine.credential.clone().unwrap();
    assert_eq!(refusal(&thief.check_in(&mut world, &mine, &stolen, 1)), Refusal::BindingMismatch);
    assert_eq!(refusal(&thief.check_in(&mut world, &theirs, &stolen, 1)), Refusal::CredentialMismatch);
    let forged = Credential { token: handfast::Secret::new("a.b.c".into()), ..stolen };
    let refused = refusal(&node.check_in(&mut world, &mine, &forged, 1));
    assert!(matches!(refused, Refusal::Credential(_)), "{refused:?}");
}

#[test]
fn what_the_host_vouches_for_cannot_pose_as_a_proven_key() {
    let mut world = World::with_policy(json!({"vouched_fingerprints": true, "base_url": BASE}));
    let (_, token) = world.issue("edge-1", json!({}));
    let thumbprint = Node::new(1, Algorithm::Es256).key.public().thumbprint();
    let command = json!({"type": "redeem", "token": token, "fingerprint": format!("jkt:{thumbprint}")});
    let command = handfast::Command::from_value(command).unwrap();
    let now = handfast::Now::trusted(world.now);
    let error = world.ledger.run(&world.registrar, &command, now, &mut world.rng).unwrap_err();
    assert!(error.to_string().starts_with("fingerprint: "), "{error}");
}

#[test]
fn where_no_proof_can_be_judged_it_is_refused_and_spends_nothing() {
    let mut world = World::with_policy(json!({"vouched_fingerprints": true}));
    let (_, token) = world.issue("edge-1", json!({}));
    let mut node = Node::new(1, Algorithm::Es256);
    let refused = Refusal::Proof(Code::ProofNotAccepted);
    assert_eq!(refusal(&node.redeem(&mut world, &token)), refused);
    let redeemed = world.redeemed(&token, "m1");
    let proof = node.proof("/check-in", None);
    let check_in = json!({"type": "check_in", "node": redeemed.node, "proof": proof, "sequence": 1});
    assert_eq!(refusal(&world.run(check_in)), refused);
    assert!(world.notices().contains_key("proof_not_accepted"));
}

#[test]
fn a_package_can_be_bound_to_a_key_beforehand() {
    let mut world = world();
    let (mut right, mut wrong) = (Node::new(1, Algorithm::Es256), Node::new(2, Algorithm::Es256));
    let bound: Value = json!({"fingerprint": format!("jkt:{}", right.key.public().thumbprint())});
    let (_, token) = world.issue("edge-1", json!({"bindings": bound}));
    assert_eq!(refusal(&wrong.redeem(&mut world, &token)), Refusal::BindingMismatch);
    let redeemed = right.redeemed(&mut world, &token);
    let Some(Record::Node(node)) = world.ledger.get(&Key::Node(redeemed.node)) else { panic!("a node") };
    assert_eq!(node.proofs.len(), 1);
}
