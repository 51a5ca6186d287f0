//! Real programs read what handfast writes, and the other way round.
//!
//! One test for each program; `make peers` installs them. A test says in one line how it went: `peer: program, version,
//! passed`, `failed` or `skipped: why`. With `PEERS=required` in the environment a skip is a failure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers"
)]
#![cfg(unix)]

mod archives;
mod choria;
mod cloud_init;
mod ignition;
mod jose;
mod network;
mod peer;
mod systemd;
mod wireguard;
