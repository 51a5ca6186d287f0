//! Prepared WireGuard configurations in a pool: an instance that runs takes one, its end gives it back.

use handfast::{
    aws::{Change, InstanceEvent, InstanceState},
    record::{Key, Record},
    secret::Secret,
    vocabulary::{Action, Answer, Authority, Command, Delivered, EffectOutcome, GivenContent, Refusal},
    wireguard::{Config, Interface, Peer, PrivateKey},
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::world::{ADDRESS, INSTANCE, World, delivered, described, refusal};

const OTHER: &str = "i-0fedcba9876543210";

/// A configuration as an operator prepares it: the hub knows its public key already.
fn prepared(seed: u8) -> Secret {
    let mut rng = StdRng::from_seed([seed; 32]);
    let hub = PrivateKey::generate(&mut rng).public_key();
    let interface = Interface {
        addresses: vec![format!("10.9.0.{seed}/32").parse().unwrap()],
        ..Interface::new(PrivateKey::generate(&mut rng))
    };
    let peer = Peer {
        allowed_ips: vec!["10.9.0.0/24".parse().unwrap()],
        endpoint: Some("hub.example:51820".parse().unwrap()),
        persistent_keepalive: Some(25),
        ..Peer::new(hub)
    };
    Config::new(interface, vec![peer]).unwrap().to_secret()
}

/// A world whose nodes are given a configuration of the pool, and a bootstrap token where `also` says so.
fn world(also: &[Value], items: &[(&str, &Secret)]) -> World {
    let contents: Vec<_> =
        also.iter().cloned().chain([json!({"type": "pool_item", "pool": "wireguard"})]).collect();
    let mut world = World::with_policy(json!({"instances": [{
        "accounts": ["123456789012"], "tags": {"role": "node"}, "scope": "cluster", "kind": "kubernetes",
        "contents": contents,
    }]}));
    let add: serde_json::Map<_, _> =
        items.iter().map(|(name, text)| ((*name).into(), text.expose().into())).collect();
    world.run(json!({
        "type": "change_pool", "authority": "operator:ann", "scope": "cluster", "pool": "wireguard", "add": add,
    }));
    world
}

impl World {
    fn holders(&self) -> Vec<bool> {
        let key = Key::Pool("cluster".parse().unwrap(), "wireguard".parse().unwrap());
        let Some(Record::Pool(pool)) = self.ledger.get(&key) else { panic!("no pool") };
        pool.items.values().map(|item| item.package.is_some()).collect()
    }

    fn other_runs(&mut self) {
        let change = Change::State { state: InstanceState::Running };
        let event = "3f1d9a52-6a3e-4a57-9a40-0c5f4e3b2a10";
        let event = InstanceEvent::for_testing(OTHER.parse().unwrap(), change, self.now, event);
        let action = Action::ObserveInstance(Box::new(event));
        self.run_command(&Command { authority: Authority::Event, source: None, action });
    }

    fn config_for(&mut self, instance: &str) -> Answer {
        self.run(json!({
            "type": "deliver", "source": ADDRESS, "to": {"type": "instance", "instance": instance},
        }))
    }
}

fn config(delivered: &Delivered) -> &str {
    let config = delivered.contents.iter().find_map(|content| match content {
        GivenContent::PoolItem { content, .. } => content.as_ref(),
        _ => None,
    });
    config.expect("a pool's item").expose()
}

#[test]
fn running_takes_a_configuration_and_terminated_gives_it_back() {
    let text = prepared(1);
    let mut world = world(&[], &[("peer-1", &text)]);
    assert_eq!(world.holders(), [false]);
    world.observe(InstanceState::Running);
    assert_eq!(world.holders(), [false], "a message never assigns by itself");
    world.describe();
    assert_eq!(world.holders(), [true]);

    assert_eq!(refusal(&world.deliver_to_instance("192.0.2.1")), Refusal::WrongAddress);
    let given = delivered(world.deliver_to_instance(ADDRESS));
    assert_eq!(config(&given), text.expose(), "to the letter");
    assert_eq!(Config::parse(config(&given)).unwrap().peers().len(), 1);
    let again = delivered(world.deliver_to_instance(ADDRESS));
    assert!(again.again && config(&again) == text.expose());

    world.observe(InstanceState::Terminated);
    assert_eq!(world.holders(), [false]);
    assert_eq!(refusal(&world.deliver_to_instance(ADDRESS)), Refusal::Ended);
    assert_eq!(world.vault().len(), 1, "the pool keeps its item");
}

#[test]
fn a_repeated_running_takes_no_second_configuration() {
    let (one, two) = (prepared(1), prepared(2));
    let mut world = world(&[], &[("peer-1", &one), ("peer-2", &two)]);
    world.observe(InstanceState::Running);
    world.describe();
    world.later(30);
    world.observe(InstanceState::Running);
    assert!(world.effects().is_empty());
    assert_eq!(world.holders(), [true, false]);
}

#[test]
fn an_instance_that_finds_the_pool_empty_is_served_once_another_has_ended() {
    let text = prepared(1);
    let mut world = world(&[], &[("peer-1", &text)]);
    world.observe(InstanceState::Running);
    world.describe();
    world.other_runs();
    let effect = world.effect();
    world.report(&effect, described(&json!({"role": "node"})));
    assert_eq!(refusal(&world.config_for(OTHER)), Refusal::WrongAddress, "nothing is known of it yet");

    world.observe(InstanceState::Terminated);
    let effect = world.effect();
    assert!(effect.not_before.is_some(), "it is asked for again by itself");
    world.later(60);
    world.report(&effect, described(&json!({"role": "node"})));
    assert_eq!(config(&delivered(world.config_for(OTHER))), text.expose());
    assert_eq!(refusal(&world.config_for(INSTANCE)), Refusal::Ended);
}

#[test]
fn one_package_gives_a_bootstrap_token_and_a_configuration_and_keeps_both_apart() {
    let text = prepared(1);
    let mut world = world(&[json!({"type": "kubernetes_bootstrap_token"})], &[("peer-1", &text)]);
    world.instance_ready();
    let first = delivered(world.deliver_to_instance(ADDRESS));
    assert!(matches!(
        &first.contents[..],
        [GivenContent::KubernetesBootstrapToken { .. }, GivenContent::PoolItem { .. }]
    ));
    world.observe(InstanceState::Terminated);
    assert_eq!(world.holders(), [true], "not before its token is gone from the cluster");
    let delete = world.effect();
    world.report(&delete, EffectOutcome::Done);
    assert_eq!(world.holders(), [false]);
}
