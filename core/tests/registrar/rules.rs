//! An operator's own rule over every decision.

use std::sync::Arc;

use handfast::{
    Registrar,
    code::Code,
    rules::{Question, Rule, RuleError, Verdict},
    vocabulary::{Answer, Refusal},
};
use serde_json::{Value, json};

use crate::world::World;

/// Only bob may make packages of kind `gateway`, and packages named `broken` break the rule.
#[derive(Debug)]
struct OnlyBob;

impl Rule for OnlyBob {
    fn judge(&self, question: &Question<'_>) -> Result<Verdict, RuleError> {
        assert!(!question.to_value().to_string().contains("hunter2"), "a rule sees no secret");
        let issued = question.facts.iter().find(|fact| fact["type"] == "package_issued");
        match issued {
            Some(fact) if fact["name"] == "broken" => Err(RuleError::new("no opinion")),
            Some(fact) if fact["kind"] == "gateway" && question.command["authority"] != "operator:bob" => {
                Ok(Verdict::Deny { reason: "gateways are bob's".into() })
            }
            Some(_) | None => Ok(Verdict::Allow),
        }
    }
}

fn world(mode: &str) -> World {
    let mut world = World::with_policy(json!({"rule_mode": mode, "vouched_fingerprints": true}));
    let registrar: Registrar = Arc::try_unwrap(world.registrar).unwrap();
    world.registrar = Arc::new(registrar.with_rule(Arc::new(OnlyBob)));
    world
}

fn issue(world: &mut World, operator: &str, more: Value) -> Answer {
    let mut issue = json!({
        "type": "issue", "authority": format!("operator:{operator}"), "name": "gw-1", "kind": "gateway",
        "contents": [{"type": "file", "name": "a", "content": "hunter2"}],
    });
    issue.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.run(issue)
}

#[test]
fn what_the_rule_denies_is_refused_with_its_reason_and_nothing_happens() {
    let mut world = world("enforce");
    let Answer::Refused(refused) = issue(&mut world, "ann", json!({})) else { panic!("denied") };
    assert_eq!((refused.refusal, refused.reason.unwrap().as_str()), (Refusal::Policy, "gateways are bob's"));
    assert!(world.facts().is_empty() && world.vault().is_empty());
    assert_eq!(world.notices(), [("policy", 1)].into());
    assert!(matches!(issue(&mut world, "bob", json!({})), Answer::Issued(_)));
}

#[test]
fn a_rule_that_is_being_rolled_out_is_reported_and_refuses_nothing() {
    let mut warned = world("warn");
    assert!(matches!(issue(&mut warned, "ann", json!({})), Answer::Issued(_)));
    assert!(matches!(issue(&mut warned, "ann", json!({"name": "broken"})), Answer::Issued(_)));
    assert_eq!(warned.notices(), [("policy_warning", 2)].into());
    let said: Vec<_> = warned.ledger.notices().map(|counted| counted.first.reason.clone().unwrap()).collect();
    assert!(said.iter().any(|reason| reason.as_str() == "gateways are bob's"), "{said:?}");
    let mut off = world("off");
    assert!(matches!(issue(&mut off, "ann", json!({})), Answer::Issued(_)));
    assert!(off.notices().is_empty());
}

#[test]
fn a_rule_that_cannot_say_lets_nothing_through() {
    let mut world = world("enforce");
    let command = json!({"type": "issue", "authority": "operator:bob", "name": "broken", "kind": "gateway"});
    let command = handfast::Command::from_value(command).unwrap();
    let now = handfast::Now::trusted(world.now);
    let error = world.ledger.run(&world.registrar, &command, now, &mut world.rng).unwrap_err();
    assert_eq!(error.code(), Code::RuleFailed);
    assert!(world.facts().is_empty());
    let explained = world.registrar.explain(&command, &world.ledger, now).unwrap_err();
    assert_eq!(explained.code(), Code::RuleFailed, "a dry run says the same");
}
