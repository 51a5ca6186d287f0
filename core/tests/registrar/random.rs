//! Random command sequences: whatever is asked in whatever order, the invariants hold.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{watched, world::World};

/// The corpus of the fuzz target `command_sequence`, on stable Rust.
#[test]
fn the_corpus_of_command_sequences_passes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/command_sequence");
    let inputs: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(inputs.len() >= 40, "only {} inputs", inputs.len());
    inputs.iter().for_each(|input| watched::run(input));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold(input in prop::collection::vec(any::<u8>(), 4..480)) {
        watched::run(&input);
    }

    #[test]
    fn no_json_makes_the_commands_panic(value in arbitrary_command()) {
        let mut world = World::new();
        if let Ok(command) = handfast::vocabulary::Command::from_value(value) {
            let now = handfast::time::Now::trusted(world.now);
            let _any = world.ledger.run(&world.registrar, &command, now, &mut world.rng);
        }
    }
}

/// `HANDFAST_CASES` asks for more.
#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
fn cases() -> u32 {
    std::env::var("HANDFAST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100)
}

fn arbitrary_command() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9_/.#-]{0,40}".prop_map(Value::from),
        prop_oneof![
            Just("i-0123456789abcdef0"),
            Just("operator:ann"),
            Just("2026-01-02T03:04:05Z"),
            Just("package/x")
        ]
        .prop_map(Value::from),
    ];
    let field = prop_oneof![
        Just("name"),
        Just("scope"),
        Just("authority"),
        Just("source"),
        Just("token"),
        Just("fingerprint"),
        Just("package"),
        Just("to"),
        Just("key"),
        Just("effect"),
        Just("outcome"),
        Just("node"),
        Just("sequence"),
        Just("contents"),
        Just("bindings"),
        Just("ttl_seconds"),
    ];
    let kind = prop_oneof![
        Just("issue"),
        Just("deliver"),
        Just("redeem"),
        Just("check_in"),
        Just("revoke"),
        Just("expire"),
        Just("report"),
        Just("observe_instance"),
        Just("operator"),
        Just("instance"),
        Just("file"),
        Just("described"),
    ];
    let nested = leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,12}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    });
    (kind, prop::collection::btree_map(field, nested, 0..8)).prop_map(|(kind, fields)| {
        let mut value = json!(fields);
        value["type"] = json!(kind);
        value
    })
}
