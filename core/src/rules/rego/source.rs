//! What is refused in a policy before it ever runs: what the engine would only find when it gets there, or not at all.
//!
//! Read from the engine's syntax tree in JSON, which consists of nodes such as `{"Call": {"fcn": .., "params": [..]}}`,
//! `{"RefDot": {"refr": .., "field": [.., name]}}` and `{"Var": {"value": name}}`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::REACHES_OUTSIDE;
use crate::rules::RuleError;

/// The functions of a policy, and which of them each may call. Those of other packages count by their last name.
type Calls = BTreeMap<String, BTreeSet<String>>;

/// Refuses a policy that names a function which reaches outside, that imports its own package (which would give its
/// functions other names), or whose functions call each other in a circle: the engine would follow it until the
/// stack of the whole program is used up.
pub(super) fn check(modules: &Value, package: &str) -> Result<(), RuleError> {
    let root = package.split(['.', '[']).take(2).collect::<Vec<_>>().join(".");
    let mut paths = Vec::new();
    visit(modules, &mut |node| paths.extend(path(node)));
    if let Some((name, _)) = REACHES_OUTSIDE.iter().find(|(name, _)| paths.iter().any(|path| path == name)) {
        return Err(RuleError::new(&format!("{name} is not available: rules are pure")));
    }
    let mut calls = Calls::new();
    for tree in modules.as_array().into_iter().flatten().filter_map(|module| module.get("ast")) {
        let imports = members(tree, "imports").filter_map(|import| path(import.get("refr")?));
        if imports.into_iter().any(|path| path == root || path.starts_with(&format!("{root}."))) {
            return Err(RuleError::new("the policy imports its own package"));
        }
        for rule in members(tree, "rules") {
            if let Some(name) = rule.pointer("/Spec/head/Func/refr").and_then(path) {
                let name = last(&name).to_owned();
                visit(rule, &mut |node| calls.entry(name.clone()).or_default().extend(called(node)));
            }
        }
    }
    match calls.keys().find(|name| reaches(&calls, name)) {
        Some(name) => Err(RuleError::new(&format!("the function {name} is recursive"))),
        None => Ok(()),
    }
}

/// Whether a function may come to call itself.
fn reaches(calls: &Calls, name: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![name]);
    while let Some(next) = open.pop() {
        for callee in calls.get(next).into_iter().flatten() {
            if callee == name {
                return true;
            }
            if seen.insert(callee) {
                open.push(callee);
            }
        }
    }
    false
}

/// The last name of the function that a node calls, or puts in the place of another (`with f as g`).
fn called(node: &Value) -> Option<String> {
    let function = node.pointer("/Call/fcn").or_else(|| node.get("refr").and_then(|_| node.get("as")))?;
    path(function).map(|path| last(&path).to_owned())
}

/// The text of a reference: `a.b` also for `a["b"]`.
fn path(node: &Value) -> Option<String> {
    if let Some(name) = node.pointer("/Var/value") {
        return name.as_str().map(str::to_owned);
    }
    let (reference, name) = match (node.get("RefDot"), node.get("RefBrack")) {
        (Some(dot), _) => (dot.get("refr")?, dot.pointer("/field/1")?),
        (None, Some(bracket)) => (bracket.get("refr")?, bracket.pointer("/index/String/value")?),
        (None, None) => return None,
    };
    Some(format!("{}.{}", path(reference)?, name.as_str()?))
}

fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, name)| name)
}

fn members<'a>(tree: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    tree.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Every node, the outer ones first. The depth is that of the parser, which has a limit.
fn visit(node: &Value, see: &mut impl FnMut(&Value)) {
    see(node);
    match node {
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(members) => members.values().for_each(|member| visit(member, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
