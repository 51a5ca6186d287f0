//! What each command comes to in each state of a lifecycle, as one table to be read aloud: `tables.md` beside this file.
//! `UPDATE_TABLES=1` writes it anew.

use std::{fmt::Write as _, path::Path};

use handfast::{
    Command, Now,
    id::{NodeId, PackageId},
    registrar::Explanation,
};
use serde_json::{Value, json};

use crate::world::World;

/// A world with one package and perhaps its node, as far as they have come.
struct Stage {
    name: &'static str,
    world: World,
    package: PackageId,
    token: String,
    node: Option<NodeId>,
}

type Ask = fn(&Stage) -> Value;

impl Stage {
    fn says(&self, command: Value) -> String {
        let command = Command::from_value(command).unwrap();
        let explained =
            self.world.registrar.explain(&command, &self.world.ledger, Now::trusted(self.world.now));
        match explained.unwrap() {
            Explanation::Refused(refused) => format!("*{}*", refused.code()),
            Explanation::Accepted { facts } if facts.is_empty() => "nothing changes".to_owned(),
            Explanation::Accepted { facts } => facts.join(", "),
            Explanation::Need { keys } => panic!("{keys:?}"),
        }
    }
}

fn stage(name: &'static str, advance: impl FnOnce(&mut World, PackageId, &str) -> Option<NodeId>) -> Stage {
    let mut world = World::new();
    let package = world.made("edge-1", json!({}));
    let to = json!({"type": "operator", "package": package});
    let token = if name == "created" {
        String::new()
    } else {
        let deliver = world.run(json!({"type": "deliver", "authority": "operator:ann", "to": to}));
        crate::world::delivered(deliver).token.unwrap().expose().to_owned()
    };
    let node = advance(&mut world, package, &token);
    Stage { name, world, package, token, node }
}

fn claimed(world: &mut World, _: PackageId, token: &str) -> Option<NodeId> {
    Some(world.redeemed(token, "m1").node)
}

fn active(world: &mut World, _: PackageId, token: &str) -> Option<NodeId> {
    let redeemed = world.redeemed(token, "m1");
    world.check_in(&redeemed, "m1", 1);
    Some(redeemed.node)
}

fn stages() -> Vec<Stage> {
    vec![
        stage("created", |_, _, _| None),
        stage("delivered", |_, _, _| None),
        stage("delivered, redeemed", claimed),
        stage("activated", active),
        stage("expired", |world, _, _| {
            world.later(900);
            world.tick();
            None
        }),
        stage("revoked", |world, package, token| {
            let node = active(world, package, token);
            world.revoke(package);
            node
        }),
        stage("retired", |world, package, token| {
            let node = active(world, package, token);
            world.run(json!({"type": "leave", "node": node, "fingerprint": "m1"}));
            node
        }),
    ]
}

const OF_PACKAGES: [(&str, Ask); 10] = [
    (
        "deliver, to the same operator",
        |stage| json!({"type": "deliver", "authority": "operator:ann", "to": {"type": "operator", "package": stage.package}}),
    ),
    (
        "deliver, to another",
        |stage| json!({"type": "deliver", "authority": "operator:bob", "to": {"type": "operator", "package": stage.package}}),
    ),
    (
        "make_link",
        |stage| json!({"type": "make_link", "authority": "operator:ann", "package": stage.package}),
    ),
    ("reissue", |stage| json!({"type": "reissue", "authority": "operator:ann", "package": stage.package})),
    ("redeem, by m1", |stage| json!({"type": "redeem", "token": stage.token, "fingerprint": "m1"})),
    ("redeem, by m2", |stage| json!({"type": "redeem", "token": stage.token, "fingerprint": "m2"})),
    ("revoke", |stage| json!({"type": "revoke", "authority": "operator:ann", "package": stage.package})),
    ("expire, now", |stage| json!({"type": "expire", "key": format!("package/{}", stage.package)})),
    ("issue, the same name", |_| json!({"type": "issue", "authority": "operator:ann", "name": "edge-1"})),
    (
        "forget",
        |stage| json!({"type": "forget", "authority": "operator:ann", "key": format!("package/{}", stage.package)}),
    ),
];

const OF_NODES: [(&str, Ask); 7] = [
    (
        "check_in, the next number",
        |stage| json!({"type": "check_in", "node": stage.node, "fingerprint": "m1", "sequence": 2}),
    ),
    (
        "check_in, number 1",
        |stage| json!({"type": "check_in", "node": stage.node, "fingerprint": "m1", "sequence": 1}),
    ),
    (
        "check_in, by m2",
        |stage| json!({"type": "check_in", "node": stage.node, "fingerprint": "m2", "sequence": 2}),
    ),
    ("leave", |stage| json!({"type": "leave", "node": stage.node, "fingerprint": "m1"})),
    ("evict", |stage| json!({"type": "evict", "authority": "operator:ann", "node": stage.node})),
    ("ban", |_| json!({"type": "ban", "authority": "operator:ann", "scope": "default", "subject": "m1"})),
    ("expire, now", |stage| json!({"type": "expire", "key": format!("node/{}", stage.node.unwrap())})),
];

fn table(title: &str, stages: &[Stage], asks: &[(&str, Ask)]) -> String {
    let mut text = format!("## {title}\n\n| command |");
    stages.iter().for_each(|stage| write!(text, " {} |", stage.name).unwrap());
    text.push_str("\n|---|");
    stages.iter().for_each(|_| text.push_str("---|"));
    for (name, ask) in asks {
        write!(text, "\n| {name} |").unwrap();
        stages.iter().for_each(|stage| write!(text, " {} |", stage.says(ask(stage))).unwrap());
    }
    text.push_str("\n\n");
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
fn the_tables_are_as_they_were_reviewed() {
    let (packages, mut nodes) = (stages(), stages());
    nodes.retain(|stage| stage.node.is_some());
    let mut text =
        "# What each command comes to\n\nThe facts that happen, or *the code of the refusal*.\n\n".to_owned();
    text.push_str(&table("A package of one use, without external resources", &packages, &OF_PACKAGES));
    text.push_str(&table("Its node, by the state of the package", &nodes, &OF_NODES));
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registrar/tables.md");
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(&place, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(&place).unwrap_or_default();
    assert_eq!(text, reviewed, "UPDATE_TABLES=1 writes it anew; read the difference");
}
