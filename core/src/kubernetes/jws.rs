//! The detached signature under which `cluster-info` can be believed before any certificate is known.
//!
//! Kubernetes' bootstrap signer publishes, beside the kubeconfig, one entry `jws-kubeconfig-<token id>` for each live
//! token: a compact JWS with detached content (RFC 7515 appendix F) whose HMAC key is the token's secret. Whoever holds the
//! token can check, and whoever has seen it can sign anything: it authenticates the cluster to the holder of a
//! token, not more.

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use super::{BootstrapToken, KubernetesError};
use crate::crypto::Backend;

/// Signs `content` with the token: `<header>..<signature>`, byte for byte what the bootstrap signer writes.
#[must_use]
pub fn sign_detached(backend: &dyn Backend, content: &str, token: &BootstrapToken) -> String {
    let header = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, token.id());
    let header = BASE64URL_NOPAD.encode(header.as_bytes());
    let content = BASE64URL_NOPAD.encode(content.as_bytes());
    let key = token.secret().expose().as_bytes();
    let signature = backend.hmac_sha256(key, &[header.as_bytes(), b".", content.as_bytes()]);
    format!("{header}..{}", BASE64URL_NOPAD.encode(&signature))
}

/// Verifies a detached signature over `content`: exactly the bytes that [`sign_detached`] would make, as Kubernetes
/// itself demands, compared in constant time. No header of the sender's is interpreted, so `alg` cannot be played with.
///
/// # Errors
/// `kubernetes_bad_signature`.
pub fn verify_detached(
    backend: &dyn Backend,
    content: &str,
    token: &BootstrapToken,
    signature: &str,
) -> Result<(), KubernetesError> {
    let expected = sign_detached(backend, content, token);
    if bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
        Ok(())
    } else {
        Err(KubernetesError::BadSignature)
    }
}
