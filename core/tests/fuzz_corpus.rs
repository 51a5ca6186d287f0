//! Replays the corpora of the fuzz targets on stable Rust.
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

#[path = "../../fuzz/src/link.rs"]
mod link;
#[path = "../../fuzz/src/sns_receiver.rs"]
mod sns_receiver;

use std::path::Path;

use proptest::{prelude::*, sample::Index};

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn the_corpus_of_the_sns_receiver_passes() {
    let inputs = corpus("sns_receiver");
    assert!(inputs.len() >= 60, "only {} inputs", inputs.len());
    inputs.iter().for_each(|input| sns_receiver::run(input));
}

#[test]
fn the_corpus_of_links_passes() {
    let inputs = corpus("link");
    assert!(inputs.len() >= 20, "only {} inputs", inputs.len());
    inputs.iter().for_each(|input| link::run(input));
}

/// Changes, inserts or removes a byte, or cuts the rest off.
fn damage(input: &mut Vec<u8>, edits: &[(Index, u8, u8)]) {
    for (place, byte, kind) in edits {
        if input.is_empty() {
            break;
        }
        let at = place.index(input.len());
        match kind {
            0 => input[at] = *byte,
            1 => input.insert(at, *byte),
            2 => drop(input.remove(at)),
            _ => input.truncate(at),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A short substitute for fuzzing: corpus entries with a few bytes changed, moved or dropped.
    #[test]
    fn damaged_corpus_entries_pass(
        entry in any::<Index>(),
        edits in prop::collection::vec((any::<Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        thread_local!(static CORPUS: Vec<Vec<u8>> = corpus("sns_receiver"));
        let mut input = CORPUS.with(|corpus| entry.get(corpus).clone());
        damage(&mut input, &edits);
        sns_receiver::run(&input);
    }
    #[test]
    fn damaged_links_pass(
        entry in any::<Index>(),
        edits in prop::collection::vec((any::<Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        thread_local!(static CORPUS: Vec<Vec<u8>> = corpus("link"));
        let mut input = CORPUS.with(|corpus| entry.get(corpus).clone());
        damage(&mut input, &edits);
        link::run(&input);
    }
}
