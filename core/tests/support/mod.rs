//! What the tests over published and recorded vectors share.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's helpers")]

use std::{io::Write, path::PathBuf, sync::Arc};

use handfast::crypto::Backend;
use serde_json::Value;
use x509_cert::{Certificate, der::Encode as _};

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

/// A certificate with a signature that is as long as it takes for the DER to have so many bytes.
pub(crate) fn padded_certificate(pem: &str, length: usize) -> Vec<u8> {
    let certificate = &Certificate::load_pem_chain(pem.as_bytes()).unwrap()[0];
    let mut body = certificate.tbs_certificate().to_der().unwrap();
    body.extend(certificate.signature_algorithm().to_der().unwrap());
    let header = |tag: u8, length: usize| {
        let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
        [tag, 0x82, high, low]
    };
    let signature = length - 4 - body.len() - 4;
    body.extend(header(3, signature));
    body.resize(length - 4, 0);
    [header(0x30, length - 4).as_slice(), &body].concat()
}

/// The bytes of a hexadecimal member.
pub(crate) fn hex_of(value: &Value, name: &str) -> Vec<u8> {
    hex(value[name].as_str().unwrap())
}
