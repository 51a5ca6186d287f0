//! Replays the corpora of the fuzz targets on stable Rust, as they are and a little damaged.
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

use std::path::Path;

use proptest::{prelude::*, sample::Index};

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
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
            2 => drop(input.remove(at)),
            _ => input.truncate(at),
        }
    }
    input
}

/// For each target: its source, the least number of its seeds, and a test of each kind.
macro_rules! targets {
    ($($(#[$gate:meta])* $target:ident from $path:literal, at least $seeds:literal;)+) => {
        $($(#[$gate])*
        #[path = $path]
        mod $target;)+

        mod replayed {$(
        $(#[$gate])*
        mod $target {
            use crate::{$target as target, *};

            #[test]
            fn the_corpus_passes() {
                let inputs = corpus(stringify!($target));
                assert!(inputs.len() >= $seeds, "only {} inputs", inputs.len());
                for input in &inputs {
                    target::run(input);
                }
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(2000))]

                #[test]
                fn a_damaged_corpus_passes(entry in any::<Index>(), edits in edits()) {
                    thread_local!(static CORPUS: Vec<Vec<u8>> = corpus(stringify!($target)));
                    target::run(&damaged(CORPUS.with(|corpus| entry.get(corpus).clone()), edits));
                }
            }
        }
        )+}
    };
}

targets! {
    choria from "../../fuzz/src/choria.rs", at least 70;
    #[cfg(feature = "testing")]
    documents from "../../fuzz/src/documents.rs", at least 29;
    identity from "../../fuzz/src/identity.rs", at least 140;
    inspect from "../../fuzz/src/inspect.rs", at least 35;
    jwt from "../../fuzz/src/jwt.rs", at least 40;
    kubernetes from "../../fuzz/src/kubernetes.rs", at least 60;
    link from "../../fuzz/src/link.rs", at least 20;
    names from "../../fuzz/src/names.rs", at least 50;
    proof from "../../fuzz/src/proof.rs", at least 30;
    serviceradar from "../../fuzz/src/serviceradar.rs", at least 100;
    sns_receiver from "../../fuzz/src/sns_receiver.rs", at least 60;
    spire from "../../fuzz/src/spire.rs", at least 43;
    stored from "../../fuzz/src/stored.rs", at least 43;
    template from "../../fuzz/src/template.rs", at least 30;
    wireguard from "../../fuzz/src/wireguard.rs", at least 16;
}

/// A target that says whether it accepted its input.
type Run = fn(&[u8]) -> bool;

/// A corpus in which everything is refused early, or nothing is, would test little.
#[test]
fn some_inputs_are_good_and_some_are_not() {
    let good = |inputs: &[Vec<u8>], run: Run| inputs.iter().filter(|input| run(input)).count();
    let (tokens, proofs, choria) = (corpus("jwt"), corpus("proof"), corpus("choria"));
    let (good_tokens, good_proofs) = (good(&tokens, jwt::run), good(&proofs, proof::run));
    let good_choria = good(&choria, choria::run);
    assert!((10..tokens.len() / 2).contains(&good_tokens), "{good_tokens} of {}", tokens.len());
    assert!((15..choria.len() / 2).contains(&good_choria), "{good_choria} of {}", choria.len());
    assert!((8..proofs.len() / 2).contains(&good_proofs), "{good_proofs} of {}", proofs.len());
    let serviceradar = corpus("serviceradar");
    let good_serviceradar = good(&serviceradar, serviceradar::run);
    assert!((25..serviceradar.len() / 2).contains(&good_serviceradar), "{good_serviceradar}");
    let configs = corpus("wireguard");
    let good_configs = good(&configs, wireguard::run);
    assert!((6..configs.len()).contains(&good_configs), "{good_configs} of {}", configs.len());
    let most: [(&str, Run, usize); 5] = [
        ("inspect", inspect::run, 16),
        ("kubernetes", kubernetes::run, 20),
        ("names", names::run, 40),
        ("spire", spire::run, 16),
        ("stored", stored::run, 20),
    ];
    for (target, run, least) in most {
        let inputs = corpus(target);
        let good = good(&inputs, run);
        assert!((least..inputs.len() - 3).contains(&good), "{target}: {good} of {}", inputs.len());
    }
}

#[cfg(feature = "testing")]
#[test]
fn some_documents_are_good_and_some_are_not() {
    let inputs = corpus("documents");
    let good = inputs.iter().filter(|input| documents::run(input)).count();
    assert!((10..inputs.len() - 3).contains(&good), "{good} of {}", inputs.len());
}
