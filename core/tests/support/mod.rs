//! What the tests over published and recorded vectors share.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's helpers")]

use std::{io::Write, path::PathBuf, sync::Arc};

use handfast::crypto::Backend;
use serde_json::Value;

/// Every backend that is compiled in.
pub(crate) fn backends() -> Vec<Arc<dyn Backend>> {
    vec![
        #[cfg(feature = "aws-lc")]
        Arc::new(handfast::crypto::AwsLc),
        #[cfg(feature = "rust-crypto")]
        Arc::new(handfast::crypto::RustCrypto),
    ]
}

/// A file or folder of the vectors from real systems; `None`, loudly, where they are not installed.
#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
pub(crate) fn real_vectors(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HANDFAST_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    // Written directly, because the test harness would swallow what a passing test prints.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: no {} (set HANDFAST_VECTORS to the folder of vectors)",
        found.display()
    );
    None
}

/// Reads a JSON file.
pub(crate) fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The bytes that a hexadecimal text stands for.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let even = if text.len() % 2 == 1 { format!("0{text}") } else { text.to_owned() };
    data_encoding::HEXLOWER_PERMISSIVE.decode(even.as_bytes()).unwrap()
}

/// The bytes of a hexadecimal member.
pub(crate) fn hex_of(value: &Value, name: &str) -> Vec<u8> {
    hex(value[name].as_str().unwrap())
}
