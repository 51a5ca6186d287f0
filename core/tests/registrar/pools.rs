//! Pools of finite items.

use std::sync::Arc;

use handfast::{
    id::ItemName,
    record::{Key, Pool, Record},
    vocabulary::{Answer, GivenContent, Refusal},
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::world::{World, refusal};

impl World {
    fn fill(&mut self, pool: &str, add: Value, remove: Value) -> Answer {
        self.run(json!({
            "type": "change_pool", "authority": "operator:ann", "scope": "default", "pool": pool, "add": add, "remove": remove,
        }))
    }

    fn pool(&self, name: &str) -> Arc<Pool> {
        match self.ledger.get(&Key::Pool("default".parse().unwrap(), name.parse().unwrap())) {
            Some(Record::Pool(pool)) => pool,
            other => panic!("{other:?}"),
        }
    }
}

fn item(name: &str) -> ItemName {
    name.parse().unwrap()
}

fn wants(pool: &str) -> Value {
    json!({"contents": [{"type": "pool_item", "pool": pool}]})
}

#[test]
fn an_item_is_with_one_package_at_a_time_and_comes_back() {
    let mut world = World::new();
    world.fill("wg", json!({"peer-1": "PrivateKey=1", "peer-2": "PrivateKey=2"}), json!([]));
    let (one, token) = world.issue("a", wants("wg"));
    let (two, _) = world.issue("b", wants("wg"));
    assert_eq!(world.not_issued("c", wants("wg")), Refusal::PoolEmpty);
    assert_eq!(world.pool("wg").items[&item("peer-1")].package, Some(one));
    assert_eq!((world.pool("wg").items[&item("peer-2")].package, world.pool("wg").free()), (Some(two), 0));
    let redeemed = world.redeemed(&token, "m");
    let [GivenContent::PoolItem { item: given, content, .. }] = &redeemed.contents[..] else { panic!() };
    assert_eq!((given, content.as_ref().unwrap().expose()), (&item("peer-1"), "PrivateKey=1"));
    world.revoke(one);
    let (three, _) = world.issue("c", wants("wg"));
    assert_eq!(world.pool("wg").items[&item("peer-1")].package, Some(three));
}

#[test]
fn an_item_stays_away_until_nothing_of_its_package_is_left_outside() {
    let mut world = World::new();
    world.fill("wg", json!({"peer-1": null}), json!([]));
    let contents =
        json!({"contents": [{"type": "pool_item", "pool": "wg"}, {"type": "host", "kind": "client"}]});
    let package = world.made("a", contents);
    world.work();
    world.revoke(package);
    assert_eq!(world.not_issued("b", wants("wg")), Refusal::PoolEmpty);
    world.work();
    let (package, token) = world.issue("b", wants("wg"));
    assert_eq!(world.pool("wg").items[&item("peer-1")].package, Some(package));
    let redeemed = world.redeemed(&token, "m");
    assert!(matches!(&redeemed.contents[..], [GivenContent::PoolItem { content: None, .. }]));
}

#[test]
fn a_pool_is_filled_and_emptied_but_never_under_a_package() {
    let mut world = World::new();
    assert_eq!(world.not_issued("a", wants("wg")), Refusal::PoolEmpty, "there is no such pool");
    world.fill("wg", json!({"peer-1": "hunter1", "peer-2": "hunter2"}), json!([]));
    assert!(
        matches!(world.fill("wg", json!({"peer-1": "hunter3"}), json!([])), Answer::Configured(answer) if !answer.changed)
    );
    let (package, token) = world.issue("a", wants("wg"));
    assert_eq!(refusal(&world.fill("wg", json!({}), json!(["peer-1"]))), Refusal::PoolItemInUse);
    assert_eq!(world.vault().len(), 3);
    world.fill("wg", json!({}), json!(["peer-2", "peer-9"]));
    assert_eq!(world.vault().len(), 2, "shredded with its item");
    world.revoke(package);
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::Ended);
    world.fill("wg", json!({}), json!(["peer-1"]));
    assert!(world.vault().is_empty() && world.pool("wg").items.is_empty());
    world.fill("wg", json!({"peer-1": "hunter4"}), json!([]));
    let (_, token) = world.issue("b", wants("wg"));
    let redeemed = world.redeemed(&token, "m");
    assert_eq!(redeemed.contents[0].secret().unwrap().expose(), "hunter4");
}

#[test]
fn an_item_may_be_exchanged_in_one_command() {
    let mut world = World::new();
    world.fill("wg", json!({"peer-1": "old"}), json!([]));
    world.fill("wg", json!({"peer-1": "new"}), json!(["peer-1"]));
    assert_eq!(world.vault().len(), 1);
    let (_, token) = world.issue("a", wants("wg"));
    assert_eq!(world.redeemed(&token, "m").contents[0].secret().unwrap().expose(), "new");
}

#[test]
fn what_a_pool_keeps_is_given_anew_to_a_node_that_was_wiped() {
    let mut world = World::new();
    world.fill("wg", json!({"peer-1": "PrivateKey=1"}), json!([]));
    let (package, token) = world.issue("a", wants("wg"));
    world.enrol(&token, "m");
    let new = world.reissue(package, json!({}));
    assert_eq!(world.redeemed(&new, "m").contents[0].secret().unwrap().expose(), "PrivateKey=1");
}

#[test]
fn a_pool_has_limits() {
    let mut world = World::new();
    let many = |from: u32, count: u32| {
        json!((from..from + count).map(|n| (format!("i{n}"), Value::Null)).collect::<serde_json::Map<_, _>>())
    };
    let change = |add: Value| json!({"type": "change_pool", "authority": "operator:ann", "scope": "default", "pool": "wg", "add": add});
    assert!(world.error(change(many(0, 129))).starts_with("add: at most 128"));
    assert!(world.error(change(json!({"a": "x".repeat(16 * 1024 + 1)}))).starts_with("add.a: "));
    for batch in 0..8 {
        world.run(change(many(batch * 128, 128)));
    }
    assert!(world.error(change(many(5000, 1))).starts_with("add: a pool has at most 1024"));
}

#[test]
fn a_package_with_items_of_many_pools_can_end_at_a_store_of_text() {
    let mut world = World::new();
    world.run(
        json!({"type": "configure_scope", "authority": "operator:ann", "scope": "default", "max_active": 1}),
    );
    let mut contents = vec![json!({"type": "host", "kind": "client"})];
    for pool in 0..15 {
        world.fill(&format!("p{pool}"), json!({"i": null}), json!([]));
        contents.push(json!({"type": "pool_item", "pool": format!("p{pool}")}));
    }
    let package = world.made("a", json!({"contents": contents}));
    world.work();
    world.revoke(package);
    world.work();
    assert!(world.package(package).released);
    assert!((0..15).all(|pool| world.pool(&format!("p{pool}")).free() == 1));
}

#[test]
fn a_pool_keeps_what_its_items_are() {
    let mut world = World::new();
    let change = |pool: &str, add: Value, remove: Value, format: Value| {
        json!({
            "type": "change_pool", "authority": "operator:ann", "scope": "default", "pool": pool,
            "add": add, "remove": remove, "format": format,
        })
    };
    let key = handfast::wireguard::PrivateKey::generate(&mut StdRng::seed_from_u64(1)).to_secret();
    let config = format!("[Interface]\nPrivateKey = {}\n", key.expose());
    let evil = json!({"two": format!("{config}PostUp = reboot\n")});
    world.run(change("wg", json!({"one": config}), json!([]), json!("wireguard")));
    for format in [Value::Null, json!("wireguard")] {
        let error = world.error(change("wg", evil.clone(), json!([]), format));
        assert!(error.starts_with("add.two: is not of its format: wireguard_command"), "{error}");
    }
    let error = world.error(change("wg", json!({"two": config}), json!([]), json!("template")));
    assert!(error.starts_with("format: the pool holds another"), "{error}");
    // Emptied, it still is one of these, until it is filled as another.
    world.run(change("wg", json!({}), json!(["one"]), Value::Null));
    assert!(world.error(change("wg", evil, json!([]), Value::Null)).contains("wireguard_command"));
    world.run(change("wg", json!({"two": null}), json!([]), json!("template")));
    assert!(
        world.error(change("wg", json!({"three": config}), json!([]), Value::Null)).contains("template_")
    );
    // One that holds anything goes on doing so.
    world.run(change("open", json!({"one": "anything"}), json!([]), Value::Null));
    world.run(change("open", json!({"two": config}), json!([]), json!("wireguard")));
    world.run(change("open", json!({"three": "anything"}), json!([]), Value::Null));
}
