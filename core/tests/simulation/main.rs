//! Thousands of random worlds: several hosts with one store, clocks that jump, crashes, lost replies, events that come
//! twice or late, executors that fail or die, an upstream with a limit of its own. A small model of what must hold watches
//! every commit. A failure prints its seed and the fewest steps that still fail.
//!
//! `HANDFAST_WORLDS` says how many worlds, `HANDFAST_SEED` with which one to begin.
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests say what they expect and panic at the rest"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod ask;
mod compare;
mod dice;
mod drain;
mod ears;
mod executor;
mod honest;
mod model;
mod shrink;
mod step;
mod store;
mod upstream;
mod world;

use std::{io::Write as _, time::Instant};

use crate::{shrink::outcome, step::Step, world::Counts};

/// Worlds in a plain test run: about ten seconds without optimisation.
const FEW: u64 = 120;

#[test]
fn whatever_happens_the_model_holds() {
    let (worlds, first) = (number("HANDFAST_WORLDS", FEW), number("HANDFAST_SEED", 0));
    let (mut counts, begun) = (Counts::default(), Instant::now());
    for seed in first..first + worlds {
        let steps = Step::all(seed);
        match outcome(seed, &steps) {
            Ok(counted) => counts.add(&counted),
            Err(failure) => panic!("{}", shrink::report(seed, steps, &failure)),
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    // Written directly, because the test harness would swallow what a passing test prints.
    let _ = writeln!(std::io::stderr(), "simulation: {worlds} worlds in {seconds:.1} s, {counts}");
    assert!(worlds < FEW || counts.happened(), "something never happens: {counts}");
}

/// The watchers watch: a world whose store forgets a guard, or whose host tells a secret, is found out.
#[test]
fn a_store_that_ignores_guards_is_found_out() {
    let found = (0..2000).find_map(|seed| {
        let steps = Step::all(seed);
        shrink::quietly(|| world::run_with(seed, &steps, &|world| world.store.ignores_guards = true)).err()
    });
    assert!(found.is_some(), "nothing noticed");
}

#[test]
fn a_host_that_logs_a_token_is_found_out() {
    let found = (0..50).find_map(|seed| {
        let steps = Step::all(seed);
        shrink::quietly(|| world::run_with(seed, &steps, &|world| world.tells_tokens = true)).err()
    });
    assert!(found.is_some_and(|failure| failure.contains("leaked")));
}

#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
