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

#[path = "../../fuzz/src/base64url.rs"]
mod base64url;
#[path = "../../fuzz/src/jwt.rs"]
mod jwt;
#[path = "../../fuzz/src/proof.rs"]
mod proof;
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
fn the_corpus_of_tokens_passes() {
    let inputs = corpus("jwt");
    assert!(inputs.len() >= 40, "only {} inputs", inputs.len());
    let accepted = inputs.iter().filter(|input| jwt::run(input)).count();
    assert!((10..inputs.len() / 2).contains(&accepted), "{accepted} of {} are good", inputs.len());
}

#[test]
fn the_corpus_of_proofs_passes() {
    let inputs = corpus("proof");
    assert!(inputs.len() >= 30, "only {} inputs", inputs.len());
    let accepted = inputs.iter().filter(|input| proof::run(input)).count();
    assert!((8..inputs.len() / 2).contains(&accepted), "{accepted} of {} are good", inputs.len());
}

/// What is done to an input: where, with which byte, and how.
type Edits = Vec<(Index, u8, u8)>;

fn edits() -> impl Strategy<Value = Edits> {
    prop::collection::vec((any::<Index>(), any::<u8>(), 0_u8..4), 1..6)
}

/// An entry with a few bytes changed, moved or dropped.
fn damaged(corpus: &[Vec<u8>], entry: Index, edits: Edits) -> Vec<u8> {
    let mut input = entry.get(corpus).clone();
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

// A short substitute for fuzzing.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_messages_pass(entry in any::<Index>(), edits in edits()) {
        thread_local!(static CORPUS: Vec<Vec<u8>> = corpus("sns_receiver"));
        sns_receiver::run(&CORPUS.with(|corpus| damaged(corpus, entry, edits)));
    }

    #[test]
    fn damaged_tokens_pass(entry in any::<Index>(), edits in edits()) {
        thread_local!(static CORPUS: Vec<Vec<u8>> = corpus("jwt"));
        jwt::run(&CORPUS.with(|corpus| damaged(corpus, entry, edits)));
    }

    #[test]
    fn damaged_proofs_pass(entry in any::<Index>(), edits in edits()) {
        thread_local!(static CORPUS: Vec<Vec<u8>> = corpus("proof"));
        proof::run(&CORPUS.with(|corpus| damaged(corpus, entry, edits)));
    }
}
