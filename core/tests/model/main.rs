//! Every interleaving, not a sample: two hosts on one store, nodes that redeem and retry, an operator who revokes, a timer,
//! and a second package that wants the same quota. The real `Registrar::decide` runs between each two steps; hosts read
//! in several rounds (and so at different times), die before their commit, or lose the reply after it.
//!
//! `HANDFAST_MODEL=full` checks the whole model; a plain test run checks a part of it.
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

use std::{io::Write as _, sync::atomic::Ordering};

use stateright::{Checker as _, Model as _};

use crate::play::{Asked, Guards, Play};

/// What happens besides a node that redeems and retries and another that redeems.
const BESIDES: [Asked; 5] =
    [Asked::CheckInA, Asked::Revoke, Asked::ExpirePackage, Asked::ExpireNodeA, Asked::IssueOther];

fn play(max_uses: u32, besides: &[Asked]) -> Play {
    let mut tries = vec![(Asked::RedeemA, 2), (Asked::RedeemB, 1)];
    tries.extend(besides.iter().map(|asked| (*asked, 1)));
    Play::new(max_uses, &tries)
}

/// One of the others in a plain run; all pairs and triples of them in the whole model.
fn plays() -> Vec<(Play, String)> {
    let mut plays = Vec::new();
    let mut add = |max_uses: u32, besides: &[Asked]| {
        plays.push((play(max_uses, besides), format!("max_uses {max_uses} with {besides:?}")));
    };
    let banned = |beside: Asked| Play::new(1, &[(Asked::RedeemNamedA, 2), (Asked::BanName, 1), (beside, 1)]);
    if !is_full() {
        add(1, &[Asked::Revoke]);
        plays.push((banned(Asked::CheckInA), "a name that is banned with CheckInA".to_owned()));
        return plays;
    }
    add(1, &BESIDES);
    for (place, one) in BESIDES.iter().enumerate() {
        for (next, two) in BESIDES.iter().enumerate().skip(place + 1) {
            add(2, &[*one, *two]);
            for three in BESIDES.iter().skip(next + 1) {
                add(1, &[*one, *two, *three]);
            }
        }
    }
    for beside in BESIDES.into_iter().chain([Asked::RedeemB]) {
        plays.push((banned(beside), format!("a name that is banned with {beside:?}")));
    }
    plays
}

#[test]
fn no_interleaving_breaks_a_promise() {
    let threads = if is_full() { 2 } else { 1 };
    let (mut explored, mut different, mut deepest, mut conflicts) = (0, 0, 0, 0);
    for (play, what) in plays() {
        let checker = play.checker().threads(threads).spawn_bfs().join();
        let count = checker.unique_state_count();
        say(&format!("model: {what}: {count} states, at most {} steps deep", checker.max_depth()));
        checker.assert_properties();
        explored += checker.state_count();
        different += count;
        deepest = deepest.max(checker.max_depth());
        conflicts += checker.model().conflicts.load(Ordering::Relaxed);
    }
    assert!(conflicts > 0, "two hosts never collide");
    say(&format!(
        "model: {explored} states explored, {different} of them different, at most {deepest} steps deep, {conflicts} conflicts"
    ));
}

/// The checker checks: a store that does not look at its guards, or not at those of absent rows, breaks promises.
#[test]
fn a_store_that_forgets_its_guards_is_found_out() {
    let careless = play(1, &[]).with_guards(Guards::Ignored).checker().spawn_bfs().join();
    careless.assert_any_discovery("no more nodes than uses");
    let two = Play::of_two_packages(&[(Asked::RedeemA, 1), (Asked::RedeemOther, 1)]);
    two.clone().checker().spawn_bfs().join().assert_properties();
    let careless = two.with_guards(Guards::OfAbsentIgnored).checker().spawn_bfs().join();
    careless.assert_any_discovery("a subject is one node");
}

/// Written directly, because the test harness would swallow what a passing test prints.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
fn is_full() -> bool {
    std::env::var("HANDFAST_MODEL").is_ok_and(|value| value == "full")
}
