//! The core draws no randomness, opens no socket and reads no clock: held over its dependency tree.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

/// Name and features of every crate that the core links, with these features of its own.
fn linked(features: &str) -> Vec<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "-p", "handfast", "-e", "normal", "--prefix", "none"]);
    tree.args(["--no-default-features", "--features", features, "--format", "{p} [{f}]", "--locked"]);
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn nothing_below_the_core_draws_randomness_or_does_io() {
    let impure = [
        "getrandom ",
        "rand ",
        "tokio ",
        "mio ",
        "async-std ",
        "reqwest ",
        "hyper ",
        "socket2 ",
        "fastrand ",
        "time ",
    ];
    for features in ["aws-lc", "rust-crypto", "aws-lc,rust-crypto,schema", "aws-lc,rego"] {
        let linked = linked(features);
        assert!(linked.len() > 20, "{linked:?}");
        for line in &linked {
            assert!(!impure.iter().any(|name| line.starts_with(name)), "{features}: {line}");
        }
    }
}

#[test]
fn chrono_has_no_clock() {
    let linked = linked("aws-lc,rust-crypto,schema");
    let chrono: Vec<_> = linked.iter().filter(|line| line.starts_with("chrono ")).collect();
    assert!(!chrono.is_empty());
    for line in chrono {
        assert!(!line.contains("clock") && !line.contains("now"), "{line}");
    }
}
