//! YAML and JSON, read within limits and written without traces.

use serde::{Serialize, de::DeserializeOwned};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy};

use super::KubernetesError;
use crate::{json, limits, secret::Secret};

/// Reads one document: strict JSON if it begins with `{`, else YAML without duplicate keys, aliases and merge keys,
/// which is all that Kubernetes writes. `None` if it is neither, or not of the type.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<Option<T>, KubernetesError> {
    let limit = limits::KUBERNETES_DOCUMENT_BYTES;
    if text.len() > limit {
        return Err(KubernetesError::TooLarge { limit });
    }
    if text.trim_ascii_start().starts_with('{') {
        let value = json::parse(text.as_bytes(), limit).ok();
        return Ok(value.and_then(|value| serde_json::from_value(value).ok()));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_aliases: 0,
            max_anchors: 0,
            max_depth: limits::JSON_DEPTH,
            max_events: limits::KUBERNETES_YAML_EVENTS,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        with_snippet: false,
    };
    Ok(serde_saphyr::from_str_with_options(text, options).ok())
}

/// Room for a whole document, so that no copy of a secret is left behind by growing.
fn roomy() -> String {
    String::with_capacity(limits::KUBERNETES_WRITE_BYTES)
}

/// Writes YAML that every reader takes for the same strings: block style, nothing folded.
#[expect(
    clippy::expect_used,
    reason = "structs of strings and lists always serialise, and a String takes any text"
)]
pub(super) fn write(document: &impl Serialize) -> Secret {
    let mut text = roomy();
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_fmt_writer_with_options(&mut text, document, options).expect("strings serialise");
    Secret::new(text)
}

/// Writes JSON in one line.
#[expect(
    clippy::expect_used,
    reason = "structs of strings and lists always serialise, and serde_json writes UTF-8"
)]
pub(super) fn write_json(document: &impl Serialize) -> Secret {
    let mut bytes = roomy().into_bytes();
    serde_json::to_writer(&mut bytes, document).expect("strings serialise");
    Secret::new(String::from_utf8(bytes).expect("JSON is UTF-8"))
}
