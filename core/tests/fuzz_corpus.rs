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

#[path = "../../fuzz/src/identity.rs"]
mod identity;
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
fn the_corpus_of_identity_documents_passes() {
    let inputs = corpus("identity");
    assert!(inputs.len() >= 140, "only {} inputs", inputs.len());
    inputs.iter().for_each(|input| identity::run(input));
}

/// Changes of a few bytes: which, to what, and how.
type Edits = Vec<(Index, u8, u8)>;

fn edits() -> impl Strategy<Value = Edits> {
    prop::collection::vec((any::<Index>(), any::<u8>(), 0_u8..4), 1..6)
}

/// A short substitute for fuzzing: a corpus entry with a few bytes changed, moved or dropped.
fn damaged(mut input: Vec<u8>, edits: Edits) -> Vec<u8> {
    for (place, byte, kind) in edits {
        if input.is_empty() {
            break;
        }
        let at = place.index(input.len());
        match kind {
            0 => input[at] = byte,
            1 => input.insert(at, byte),
            2 => {
                input.remove(at);
            }
            _ => input.truncate(at),
        }
    }
    input
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_corpus_entries_pass(entry in any::<Index>(), edits in edits()) {
        thread_local!(static CORPUS: Vec<Vec<u8>> = corpus("sns_receiver"));
        sns_receiver::run(&damaged(CORPUS.with(|corpus| entry.get(corpus).clone()), edits));
    }

    #[test]
    fn damaged_identity_documents_pass(entry in any::<Index>(), edits in edits()) {
        thread_local!(static CORPUS: Vec<Vec<u8>> = corpus("identity"));
        identity::run(&damaged(CORPUS.with(|corpus| entry.get(corpus).clone()), edits));
    }
}
