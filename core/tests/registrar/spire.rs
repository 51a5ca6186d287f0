//! SPIRE entries and join tokens.

use handfast::{
    record::{Key, ResourceState},
    registrar::Revealed,
    vocabulary::{EffectOutcome, GivenContent, Refusal, Work},
};
use serde_json::{Value, json};

use crate::world::{World, delivered, policy};

fn spire(may_override: bool) -> Value {
    let mut policy = policy();
    policy["spire"] = json!({
        "trust_domain": "example.org", "spiffe_id": "spiffe://{trust_domain}/{scope}/{kind}/{name}",
        "parent_id": "spiffe://{trust_domain}/agents/{package}", "selectors": ["unix:uid:1000"], "may_override": may_override,
    });
    policy
}

#[test]
fn an_entry_is_made_from_the_policys_templates_and_deleted_by_our_own_id() {
    let mut world = World::with_policy(spire(false));
    let package = world.made("edge-1", json!({"contents": [{"type": "spire_entry"}]}));
    let effect = world.effect();
    let Work::EnsureSpireEntry { entry } = &effect.work else { panic!("{effect:?}") };
    assert_eq!(entry.spiffe_id.as_str(), "spiffe://example.org/default/node/edge-1");
    assert_eq!(entry.parent_id.as_str(), format!("spiffe://example.org/agents/{package}"));
    assert!(entry.id.is_of("handfast"), "an owner mark: {}", entry.id);
    world.report(&effect, EffectOutcome::Done);
    assert!(delivered(world.deliver(package)).token.is_some());
    world.revoke(package);
    assert_eq!(world.work(), [Work::DeleteSpireEntry { id: entry.id.clone() }]);
}

#[test]
fn identities_are_the_policys_to_give_unless_it_says_otherwise() {
    let entry = |more: Value| {
        let mut entry = json!({"type": "spire_entry"});
        entry.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        json!({"contents": [entry]})
    };
    for chosen in [
        json!({"spiffe_id": "spiffe://example.org/admin"}),
        json!({"parent_id": "spiffe://example.org/admin"}),
        json!({"selectors": ["unix:uid:0"]}),
        json!({"dns_names": ["edge.example.org"]}),
        json!({"federates_with": ["other.org"]}),
        json!({"downstream": true}),
    ] {
        let mut world = World::with_policy(spire(false));
        assert_eq!(
            world.not_issued("edge-1", entry(chosen.clone())),
            Refusal::OverrideNotAllowed,
            "{chosen}"
        );
        assert!(world.ledger.iter().count() == 0 && world.vault().is_empty());
        World::with_policy(spire(true)).made("edge-1", entry(chosen));
    }
    let mut bare = World::new();
    let issue = json!({"type": "issue", "authority": "operator:ann", "name": "a", "contents": [{"type": "spire_entry"}]});
    assert!(bare.error(issue).starts_with("contents[0].spiffe_id: neither given nor in the policy"));
}

#[test]
fn a_join_token_is_revealed_to_the_executor_and_given_to_the_node() {
    let mut world = World::new();
    let contents = json!({"contents": [{"type": "spire_join_token", "ttl_seconds": 600}]});
    let package = world.made("edge-1", contents);
    let effect = world.effect();
    let rows = world.ledger.read(&effect.work.secrets().into_iter().map(Key::Secret).collect::<Vec<_>>());
    let Revealed::Value(value) = world.registrar.reveal(&effect, &rows).unwrap() else { panic!() };
    world.work();
    let token = delivered(world.deliver(package)).token.unwrap();
    let redeemed = world.redeemed(token.expose(), "m");
    let [GivenContent::SpireJoinToken { token, expires_at }] = &redeemed.contents[..] else { panic!() };
    assert_eq!((token, *expires_at), (&value, world.now.plus_seconds(600)));
}

#[test]
fn a_join_token_cannot_be_deleted_and_counts_as_gone_when_its_time_has_come() {
    let mut world = World::new();
    world.run(
        json!({"type": "configure_scope", "authority": "operator:ann", "scope": "default", "max_active": 1}),
    );
    let contents = json!({"contents": [{"type": "spire_join_token", "ttl_seconds": 600}]});
    let package = world.made("edge-1", contents);
    world.work();
    world.revoke(package);
    assert!(world.effects().is_empty(), "there is nothing that anybody could do");
    assert!(world.vault().is_empty());
    assert_eq!(world.package(package).resources[0].state, ResourceState::Deleting);
    assert_eq!(world.not_issued("edge-2", json!({})), Refusal::QuotaExceeded, "it may still be used");
    world.later(599);
    world.tick();
    assert!(!world.package(package).is_settled());
    world.later(1);
    assert_eq!(world.ledger.next_wake(), Some(world.now));
    world.tick();
    assert!(world.package(package).is_settled());
    world.issue("edge-2", json!({}));
}

#[test]
fn a_join_token_that_was_never_made_is_gone_at_once() {
    let mut world = World::new();
    let contents = json!({"contents": [{"type": "spire_join_token"}]});
    let package = world.made("edge-1", contents);
    world.revoke(package);
    assert!(world.package(package).is_settled());
}

#[test]
fn a_join_token_that_was_made_too_late_counts_until_its_own_end() {
    let mut world = World::new();
    let contents = json!({"contents": [{"type": "spire_join_token", "ttl_seconds": 600}]});
    let package = world.made("edge-1", contents);
    let create = world.effect();
    world.report(&create, EffectOutcome::Started { lease_seconds: 30 });
    world.revoke(package);
    world.report(&create, EffectOutcome::Done);
    assert!(world.effects().is_empty() && !world.package(package).is_settled());
    world.later(600);
    world.tick();
    assert!(world.package(package).is_settled());
}

#[test]
fn an_entry_says_everything_that_spires_does() {
    let mut world = World::with_policy(spire(true));
    let contents = json!({"contents": [{
        "type": "spire_entry", "x509_svid_ttl_seconds": 14400, "jwt_svid_ttl_seconds": 1800, "hint": "edge",
        "dns_names": ["edge.example.org"], "federates_with": ["other.org"], "downstream": true,
    }]});
    world.made("edge-1", contents);
    let Work::EnsureSpireEntry { entry } = world.effect().work else { panic!() };
    let entry = entry.to_entry();
    assert_eq!((entry.x509_svid_ttl, entry.jwt_svid_ttl, &*entry.hint), (14400, 1800, "edge"));
    assert_eq!((entry.dns_names.len(), entry.federates_with.len(), entry.downstream), (1, 1, true));
}

#[test]
fn what_spire_would_refuse_is_refused_when_it_is_issued() {
    let error = |content: Value| {
        let issue = json!({"type": "issue", "authority": "operator:ann", "name": "a", "contents": [content]});
        World::with_policy(spire(true)).error(issue)
    };
    for (content, path) in [
        (json!({"type": "spire_entry", "spiffe_id": "spiffe://other.org/a"}), "contents[0].spiffe_id"),
        (
            json!({"type": "spire_entry", "spiffe_id": "spiffe://example.org/spire/a"}),
            "contents[0].spiffe_id",
        ),
        (json!({"type": "spire_entry", "parent_id": "spiffe://other.org/a"}), "contents[0].parent_id"),
        (json!({"type": "spire_entry", "dns_names": ["UPPER"]}), "contents[0].dns_names"),
        (json!({"type": "spire_entry", "x509_svid_ttl_seconds": 0}), "contents[0].x509_svid_ttl_seconds"),
        (json!({"type": "spire_entry", "hint": "h".repeat(1025)}), "contents[0].hint"),
        (json!({"type": "spire_join_token", "spiffe_id": "spiffe://other.org/a"}), "contents[0].spiffe_id"),
        (
            json!({"type": "spire_join_token", "spiffe_id": "spiffe://example.org/spire"}),
            "contents[0].spiffe_id",
        ),
    ] {
        assert!(error(content.clone()).starts_with(path), "{content}");
    }
}

#[test]
fn an_agents_own_id_is_the_policys_to_give_and_is_deleted_with_the_package() {
    let token = |more: Value| {
        let mut token = json!({"type": "spire_join_token"});
        token.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        json!({"contents": [token]})
    };
    let chosen = token(json!({"spiffe_id": "spiffe://example.org/admin"}));
    let mut world = World::with_policy(spire(false));
    assert_eq!(world.not_issued("edge-1", chosen.clone()), Refusal::OverrideNotAllowed);
    World::with_policy(spire(true)).made("edge-1", chosen);

    let mut policy = spire(false);
    policy["spire"]["agent_id"] = json!("spiffe://{trust_domain}/agents/{package}");
    let mut world = World::with_policy(policy);
    let package = world.made("edge-1", token(json!({})));
    let effects = world.effects();
    let rows = world.ledger.read(&effects[0].work.secrets().into_iter().map(Key::Secret).collect::<Vec<_>>());
    let revealed = |effect| match world.registrar.reveal(effect, &rows).unwrap() {
        Revealed::Value(value) => value,
        other => panic!("{other:?}"),
    };
    assert!(matches!(effects[0].work, Work::EnsureSpireJoinToken { .. }));
    let Work::EnsureSpireAlias { id, spiffe_id, .. } = &effects[1].work else { panic!("{effects:?}") };
    assert_eq!(spiffe_id.as_str(), format!("spiffe://example.org/agents/{package}"));
    assert!(id.is_of("handfast") && revealed(&effects[0]) == revealed(&effects[1]));
    let id = id.clone();
    world.work();
    world.deliver(package);
    world.revoke(package);
    assert_eq!(world.work(), [Work::DeleteSpireEntry { id }]);
    assert!(!world.package(package).is_settled(), "the token may still be used");
}
