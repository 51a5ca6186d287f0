//! Rules in Rego against `vectors/rules/cases.json`, which another engine evaluates too (`vectors/check_rules.py`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers"
)]

use std::{collections::BTreeMap, sync::Arc};

use handfast::{
    Authority, Code, limits,
    rules::{DEFAULT_ENTRYPOINT, Mode, Question, RegoRule, Rule, RuleError, Ruling, Verdict},
};
use serde_json::{Map, Value, json};

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn members(value: &Value, name: &str) -> BTreeMap<String, Value> {
    value.get(name).and_then(Value::as_object).cloned().unwrap_or_default().into_iter().collect()
}

fn question<'a>(given: &Value, authority: &'a Authority) -> Question<'a> {
    Question {
        command: Value::Object(Map::from_iter(members(given, "command"))),
        authority,
        source: text(given, "source").map(|source| source.parse().unwrap()),
        now: text(given, "now").unwrap_or("2026-03-01T12:00:00.000Z").parse().unwrap(),
        records: members(given, "records"),
        facts: given.get("facts").and_then(Value::as_array).cloned().unwrap_or_default(),
    }
}

fn load(rules: &str) -> Result<RegoRule, RuleError> {
    RegoRule::new(&format!("package handfast\n{rules}"), None, DEFAULT_ENTRYPOINT)
}

fn judge(rules: &str) -> Result<Verdict, RuleError> {
    let given = json!({ "command": { "type": "issue", "name": "edge" }, "source": "192.0.2.7" });
    load(rules)?.judge(&question(&given, &Authority::Timer))
}

fn denied(reason: &str) -> Result<Verdict, RuleError> {
    Ok(Verdict::Deny { reason: reason.into() })
}

#[test]
fn policies_say_what_another_engine_says_too() {
    let cases: Value = serde_json::from_str(include_str!("../vectors/rules/cases.json")).unwrap();
    let mut seen = 0;
    for case in cases.as_array().unwrap() {
        let lines: Vec<&str> =
            case["policy"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let entrypoint = text(case, "entrypoint").unwrap_or(DEFAULT_ENTRYPOINT);
        let rule = RegoRule::new(&lines.join("\n"), case.get("data").cloned(), entrypoint).unwrap();
        for given in case["questions"].as_array().unwrap() {
            let authority = text(given, "authority").unwrap_or("operator:ann").parse().unwrap();
            let expected = match given["denials"].as_array().unwrap().first() {
                Some(reason) => denied(reason.as_str().unwrap()),
                None => Ok(Verdict::Allow),
            };
            let found = rule.judge(&question(given, &authority));
            assert_eq!(found, expected, "{}, {}", case["name"], given["name"]);
            seen += 1;
        }
    }
    assert!(seen >= 30, "{seen}");
}

#[test]
fn one_rule_serves_many_threads_and_remembers_nothing() {
    let rule = Arc::new(load("deny contains input.command.name if input.command.type == \"issue\"").unwrap());
    let ask = |rule: &RegoRule, name: &str| {
        let given = json!({ "command": { "type": "issue", "name": name } });
        rule.judge(&question(&given, &Authority::Timer))
    };
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let rule = Arc::clone(&rule);
            scope.spawn(move || (0..50).for_each(|_| assert_eq!(ask(&rule, name), denied(name))));
        }
    });
    let other = json!({ "command": { "type": "revoke", "name": "a" } });
    assert_eq!(rule.judge(&question(&other, &Authority::Timer)), Ok(Verdict::Allow));
}

#[test]
fn networks_hold_addresses_and_networks() {
    for (network, other, holds) in [
        ("192.0.2.0/24", "192.0.2.255", true),
        ("192.0.2.0/24", "192.0.3.0", false),
        ("192.0.2.0/24", "192.0.2.128/25", true),
        ("192.0.2.128/25", "192.0.2.0/24", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "192.0.2.1", false),
        ("0.0.0.0/0", "2001:db8::1", false),
    ] {
        let found = judge(&format!("deny contains \"in\" if net.cidr_contains(\"{network}\", \"{other}\")"));
        assert_eq!(found, if holds { denied("in") } else { Ok(Verdict::Allow) }, "{network} {other}");
    }
}

#[test]
fn a_policy_that_cannot_hold_is_not_loaded() {
    for rules in [
        "deny contains",
        "allow := true",
        "deny.now contains \"t\" if true",
        "deny contains \"t\" if unknown_variable",
        "deny[message] { message := \"the old language\" }",
        // Impure, wherever it stands.
        "deny contains \"t\" if time.now_ns() > 0",
        "deny contains \"t\" if { false; time.now_ns() > 0 }",
        "deny contains \"t\" if not time.now_ns()",
        "later(x) := time.now_ns() + x\ndeny contains \"t\" if input.never == later(1)",
        "deny contains \"t\" if [n | n := rand.intn(\"a\", 3)] != []",
        "deny contains \"t\" if time[\"now_ns\"]() > 0",
        "deny contains \"t\" if opa.runtime().env.HOME",
        "deny contains \"t\" if http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1/\"}).status_code == 200",
        "deny contains uuid.rfc4122(\"\") if true",
        "f(x) := x\ndeny contains \"t\" if f(1) == 1 with f as time.now_ns",
        "import time.now_ns as clock\ndeny contains \"t\" if clock() > 0",
        // Recursive, which would use up the stack of the whole program.
        "f(x) := f(x)\ndeny contains \"t\" if f(1)",
        "f(x) := g(x)\ng(x) := [y | y := h(x)]\nh(x) := f(x)\ndeny contains \"t\" if true",
        "f(x) := data.handfast.f(x)\ndeny contains \"t\" if f(1)",
        "f(x) := data.handfast[\"f\"](x)\ndeny contains \"t\" if f(1)",
        "import data as d\nf(x) := d.handfast.f(x)\ndeny contains \"t\" if f(1)",
        "import data.handfast.f as g\nf(x) := g(x)\ndeny contains \"t\" if f(1)",
        "import data.handfast as h\nf(x) := h.f(x)\ndeny contains \"t\" if f(1)",
        "f(x) := 1 if { not f(x) } else := 2\ndeny contains \"t\" if f(1)",
        "f(x) := y if { y := g(x) with g as f }\ng(x) := x\ndeny contains \"t\" if f(1)",
    ] {
        assert_eq!(load(rules).unwrap_err().code(), Code::RuleFailed, "{rules}");
    }
    for (source, entrypoint) in [
        ("", DEFAULT_ENTRYPOINT),
        ("deny contains \"t\" if true", DEFAULT_ENTRYPOINT),
        ("package handfast", DEFAULT_ENTRYPOINT),
        ("package other\ndeny contains \"t\" if true", DEFAULT_ENTRYPOINT),
        ("package handfast\ndeny contains \"t\" if true", "deny"),
        ("package handfast\ndeny contains \"t\" if true", "data.handfast"),
        ("package handfast\ndeny contains \"t\" if true", "data.handfast.deny[_]"),
        ("package handfast\ndeny contains \"t\" if true", ""),
    ] {
        assert!(RegoRule::new(source, None, entrypoint).is_err(), "{source} {entrypoint}");
    }
    let long =
        format!("package handfast\ndeny contains \"t\" if true\n{}", "# ..\n".repeat(limits::RULE_BYTES / 5));
    assert!(RegoRule::new(&long, None, DEFAULT_ENTRYPOINT).unwrap_err().to_string().contains("too large"));
}

#[test]
fn a_function_may_bear_the_name_of_a_member() {
    let rules = "name(x) := x.name\nnamed(x) := name(x)\ndeny contains named(input.command) if true";
    assert_eq!(judge(rules), denied("edge"));
}

#[test]
fn data_cannot_stand_in_for_a_rule() {
    let policy = "package handfast.rules\ndeny contains \"t\" if data.office";
    let entrypoint = "data.handfast.rules.deny";
    for data in
        [json!({ "handfast": { "rules": { "deny": [] } } }), json!({ "handfast": 1 }), json!([1]), json!("x")]
    {
        assert!(RegoRule::new(policy, Some(data.clone()), entrypoint).is_err(), "{data}");
    }
    let rule =
        RegoRule::new(policy, Some(json!({ "office": true, "rules": { "deny": [] } })), entrypoint).unwrap();
    assert_eq!(rule.judge(&question(&json!({}), &Authority::Timer)), denied("t"));
}

#[test]
fn what_cannot_be_said_is_an_error_and_never_a_yes() {
    for rules in [
        // No set or array of reasons.
        "deny := true",
        "deny := \"t\"",
        "deny := null",
        "deny := {\"t\": 1}",
        "deny contains 7 if true",
        "deny contains {\"message\": \"t\"} if true",
        "deny contains {\"msg\": 7} if true",
        "deny := [\"t\", 7]",
        // Undefined.
        "deny := [] if false",
        "deny := input.command.denials",
        // Failing.
        "deny contains \"t\" if nosuch(1)",
        "deny contains \"t\" if not no.such(1)",
        "deny contains \"t\" if time.parse_rfc3339_ns(input.now) > 0",
        "deny contains \"t\" if not 1 / 0 == 1",
        "deny contains \"t\" if not to_number(\"x\")",
        "deny contains \"t\" if input.command.name + 1 == 2",
        "deny contains \"t\" if not regex.match(\"(\", input.command.name)",
        "deny contains \"t\" if not net.cidr_contains(\"office\", input.source)",
        "a := 1\na := 2\ndeny contains \"t\" if a == 3",
        "a if b\nb if a\ndeny contains \"t\" if a",
        "f(x) := a\na := f(1)\ndeny contains \"t\" if f(1)",
    ] {
        let rule = load(rules).unwrap();
        let given = json!({ "command": { "type": "issue", "name": "edge" }, "source": "192.0.2.7" });
        let ask = || question(&given, &Authority::Timer);
        let failed = rule.judge(&ask()).expect_err(rules);
        assert_eq!(failed.code(), Code::RuleFailed);
        assert_eq!(Mode::Enforce.consult(&rule, ask), Err(failed.clone()));
        assert_eq!(Mode::Warn.consult(&rule, ask), Ok(Ruling::Warn(failed.to_string().as_str().into())));
        assert_eq!(Mode::Off.consult(&rule, ask), Ok(Ruling::Allow));
    }
}

#[test]
fn reasons_are_for_logs() {
    let long = judge(
        "deny contains sprintf(\"a\\n%s\", [concat(\"\", [\"b\" | some _ in numbers.range(1, 2000)])]) if true",
    );
    let Ok(Verdict::Deny { reason }) = long else { panic!("{long:?}") };
    assert!(
        reason.as_str().starts_with("a b") && reason.as_str().len() <= limits::REASON_BYTES,
        "{reason:?}"
    );
    assert_eq!(judge("deny contains \"t\" if { print(input); true }"), denied("t"));
    let rule = load("deny contains \"t\" if true").unwrap();
    assert_eq!(format!("{rule:?}"), "RegoRule { entrypoint: \"data.handfast.deny\", .. }");
}
