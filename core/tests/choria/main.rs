//! Choria's tokens and its provisioner's helper: our own vectors, what Choria's library says, and a fleet.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod cases;
mod fleet;
mod helper;
mod library;
#[path = "../support/mod.rs"]
mod support;

use std::convert::Infallible;

use handfast::{
    Secret, Timestamp,
    choria::{ChoriaError, Client, IssuerKey, Provisioning, Server, verify},
};
use rand::{TryCryptoRng, TryRng};
use serde_json::Value;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cases() -> Value {
    serde_json::from_str(include_str!("../../vectors/choria/cases.json")).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("no {name}"))
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("no {name} in {case}"))
}

/// Verifies a token of the kind that is named, and gives its payload as Choria writes it.
fn payload(kind: &str, key: &IssuerKey, token: &str, now: Timestamp) -> Result<Secret, ChoriaError> {
    match kind {
        "provisioning" => verify::<Provisioning>(key, token, now).map(|token| token.to_json()),
        "server" => verify::<Server>(key, token, now).map(|token| token.to_json()),
        "client" => verify::<Client>(key, token, now).map(|token| token.to_json()),
        other => panic!("{other}"),
    }
}

/// The payload's bytes as they were signed.
fn signed_payload(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    String::from_utf8(data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

/// Gives out the entropy of a case, and no more.
struct Replay(Vec<u8>);

impl TryRng for Replay {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(target.len());
        target.copy_from_slice(&std::mem::replace(&mut self.0, rest));
        Ok(())
    }
}

impl TryCryptoRng for Replay {}
