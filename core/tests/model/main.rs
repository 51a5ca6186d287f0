//! Every interleaving, not a sample: two hosts on one store, nodes that redeem and retry, an operator who revokes, a timer,
//! and a second package that wants the same quota. The real `Registrar::decide` runs between each two steps; hosts read
//! in several rounds (and so at different times), die before their commit, or lose the reply after it.
//!
//! `HANDFAST_MODEL=full` checks the whole model; a plain test run checks smaller ones.
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::as_conversions,
    clippy::print_stderr,
    reason = "tests say what they expect and panic at the rest"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod play;
mod rows;

use std::io::Write as _;

use stateright::{Checker as _, Model as _};

use crate::play::{Asked, Guards, Play};

/// How often each thing may be tried.
fn small() -> Play {
    Play::new(1, &[(Asked::RedeemA, 2), (Asked::RedeemB, 1), (Asked::Revoke, 1)])
}

fn full(max_uses: u32) -> Play {
    let tries = [
        (Asked::RedeemA, 2),
        (Asked::RedeemB, 2),
        (Asked::CheckInA, 1),
        (Asked::Revoke, 1),
        (Asked::ExpirePackage, 1),
        (Asked::ExpireNodeA, 1),
        (Asked::IssueOther, 1),
    ];
    Play::new(max_uses, &tries)
}

#[test]
fn no_interleaving_breaks_a_promise() {
    let whole = is_full();
    let plays = if whole { vec![full(1), full(2)] } else { vec![small()] };
    for play in plays {
        let uses = play.max_uses;
        let checker = play.checker().threads(if whole { 2 } else { 1 }).spawn_bfs().join();
        // Written directly, because the test harness would swallow what a passing test prints.
        let _ = writeln!(
            std::io::stderr(),
            "model: max_uses {uses}: {} states explored, {} of them different, at most {} steps deep",
            checker.state_count(),
            checker.unique_state_count(),
            checker.max_depth(),
        );
        checker.assert_properties();
    }
}

/// The checker checks: a store that does not look at its guards, or not at those of absent rows, breaks promises.
#[test]
fn a_store_that_forgets_its_guards_is_found_out() {
    let careless = small().with_guards(Guards::Ignored).checker().spawn_bfs().join();
    careless.assert_any_discovery("no more nodes than uses");
    let tries = [(Asked::RedeemA, 1), (Asked::RedeemOther, 1)];
    let play = Play::of_two_packages(&tries);
    play.clone().checker().spawn_bfs().join().assert_properties();
    let careless = play.with_guards(Guards::OfAbsentIgnored).checker().spawn_bfs().join();
    careless.assert_any_discovery("a subject is one node");
}

#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
fn is_full() -> bool {
    std::env::var("HANDFAST_MODEL").is_ok_and(|value| value == "full")
}
