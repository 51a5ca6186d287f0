//! The registrar, told as stories with a fake clock, and held to its invariants over random command sequences.
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::as_conversions,
    reason = "tests say what they expect and panic at the rest"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod bans;
mod batches;
mod clones;
mod forget;
mod hosts;
mod identities;
mod instances;
mod keepers;
mod links;
mod nodes;
mod packages;
mod parents;
mod pools;
mod proofs;
mod random;
mod reenrol;
mod reissue;
mod rules;
mod scopes;
mod sessions;
mod spire;
mod subjects;
mod tables;
mod watched;
mod wide;
mod wireguard;
mod world;
