//! JSON Web Tokens and proofs of possession, as an attacker and as an honest neighbour send them.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a test's helpers"
)]

#[path = "../support/mod.rs"]
mod support;

mod credentials;
mod forged;
mod interop;
mod keys;
mod proofs;
mod published;
mod shared;
mod shop;
