//! handfast for Node.js: the native half of the package `handfast`.
//!
//! A carrier: convert in, one call of the core, convert out. Commands, answers, policies and effects cross as JSON text
//! with secrets beside it; `lib/` gives them to users as plain objects. The rules are the core's; the only thing that
//! is supplied here is the system's entropy.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(dead_code, reason = "in tests nothing is given to Node.js"))]
#![expect(unreachable_pub, reason = "what Node.js is given is public there, not in Rust")]

mod archive;
mod audit;
mod aws;
mod carry;
mod choria;
mod command;
mod conformance;
mod error;
mod identity;
mod inspect;
mod kubernetes;
mod ledger;
mod link;
mod lists;
mod names;
mod node_key;
mod registrar;
mod rows;
mod rule;
mod secret;
mod serviceradar;
mod session;
mod signing;
mod sns;
mod spire;
mod system;
mod template;
mod userdata;
mod verdict;
mod wireguard;

use std::collections::BTreeMap;

use handfast::code::Code;
use napi_derive::napi;

/// The tables of the shipped SQLite store, the same for every language.
#[napi]
pub fn sqlite_schema() -> &'static str {
    handfast::store::SQLITE_SCHEMA
}

/// Brings a file that the first schema made to the present one.
#[napi]
pub fn sqlite_upgrade() -> &'static str {
    handfast::store::SQLITE_UPGRADE
}

/// Every stable code with its explanation.
#[napi]
pub fn codes() -> BTreeMap<&'static str, &'static str> {
    Code::ALL.iter().map(|code| (code.as_str(), code.explanation().trim())).collect()
}
