//! What ServiceRadar's agents and collectors enrol with: signed tokens, and the edge package.
//!
//! ```text
//! EdgeToken      edgepkg-v2:<payload>.<signature>        where to download which package, and with what
//! CollectorToken collectorpkg-v2:<payload>.<signature>   the same for a collector, with an end
//! EdgePackage    --> archive                             what is downloaded
//! ```
//!
//! Payload and signature are base64url; the payload is JSON, the signature Ed25519 over its bytes. Neither the prefix nor
//! a key's name is signed, and an edge token never ends: it is as good as its download token, which works once.
//!
//! ServiceRadar's programs differ in what they let pass (stray bits, line ends, keys in capitals, members given twice).
//! Here a token is read only if all of them read it alike; what is written has the bytes of their own encoders.

mod collector;
mod edge;
mod envelope;
mod error;
mod key;
mod package;
mod url;

pub use self::{
    collector::CollectorToken,
    edge::EdgeToken,
    envelope::TokenKind,
    error::ServiceRadarError,
    key::{private_key, public_key},
    package::EdgePackage,
    url::BaseUrl,
};

/// Looks whether a text is a token in form, and which kind it says it is: what can be said without the onboarding key.
/// Nothing is proven, and times are not judged.
///
/// # Errors
/// As [`EdgeToken::verify`], without `serviceradar_bad_signature` and `serviceradar_wrong_kind`.
pub fn inspect(text: &str) -> Result<TokenKind, ServiceRadarError> {
    let envelope = envelope::Envelope::open(text, None)?;
    let kind = envelope.kind();
    let payload = envelope.unverified();
    match kind {
        TokenKind::Edge => EdgeToken::read(&payload).map(drop)?,
        TokenKind::Collector => CollectorToken::read(&payload).map(drop)?,
        TokenKind::Unsigned => return Err(ServiceRadarError::UnsignedToken),
    }
    Ok(kind)
}
