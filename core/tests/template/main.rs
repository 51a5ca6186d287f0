//! Templates that need secrets, and the machine that waits for them.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test's helpers"
)]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod compatible;
mod files;
mod jinja;
mod story;
