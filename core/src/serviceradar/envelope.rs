//! What both kinds of tokens are wrapped in: `<prefix><payload>.<signature>`.

use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::ServiceRadarError;
use crate::{
    crypto::{Ed25519Key, VerifyingKey},
    limits,
    secret::Secret,
};

/// What a text says it is, by its prefix alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `edgepkg-v2:`, signed.
    Edge,
    /// `collectorpkg-v2:`, signed.
    Collector,
    /// `edgepkg-v1:` or `collectorpkg-v1:`, which nobody signed. Never accepted.
    Unsigned,
}

impl TokenKind {
    /// Looks at the prefix; nothing else is looked at, and nothing is proven.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("edgepkg-v2", _) => Some(Self::Edge),
            ("collectorpkg-v2", _) => Some(Self::Collector),
            ("edgepkg-v1" | "collectorpkg-v1", _) => Some(Self::Unsigned),
            (_, _) => None,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Edge => "edgepkg-v2:",
            Self::Collector => "collectorpkg-v2:",
            Self::Unsigned => "",
        }
    }
}

/// Signs a payload.
pub(super) fn write(kind: TokenKind, payload: &str, key: &Ed25519Key) -> Secret {
    let length = kind.prefix().len().saturating_add(payload.len().saturating_mul(2)).saturating_add(128);
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.push_str(kind.prefix());
    BASE64URL_NOPAD.encode_append(payload.as_bytes(), &mut text);
    text.push('.');
    BASE64URL_NOPAD.encode_append(&key.sign(payload.as_bytes()), &mut text);
    Secret::new(std::mem::take(&mut *text))
}

/// A token in its parts, of which nothing is proven.
pub(super) struct Envelope {
    kind: TokenKind,
    payload: Zeroizing<Vec<u8>>,
    signature: [u8; 64],
}

impl Envelope {
    /// Takes a token apart, of one kind where there is one wanted: its prefix, and in unpadded base64url a payload and a
    /// signature.
    pub(super) fn open(text: &str, wanted: Option<TokenKind>) -> Result<Self, ServiceRadarError> {
        let malformed = |expected| ServiceRadarError::MalformedToken { expected };
        if text.len() > limits::SERVICERADAR_TOKEN_BYTES {
            return Err(ServiceRadarError::TooLarge { limit: limits::SERVICERADAR_TOKEN_BYTES });
        }
        let kind = match TokenKind::of(text) {
            Some(kind @ (TokenKind::Edge | TokenKind::Collector)) => kind,
            Some(TokenKind::Unsigned) => return Err(ServiceRadarError::UnsignedToken),
            None => return Err(malformed("edgepkg-v2: or collectorpkg-v2: before it")),
        };
        if wanted.is_some_and(|wanted| wanted != kind) {
            return Err(ServiceRadarError::WrongKind);
        }
        let body = text.strip_prefix(kind.prefix()).unwrap_or_default();
        let (payload, signature) =
            body.split_once('.').ok_or(malformed("a payload, a full stop, a signature"))?;
        let decode = |text: &str| {
            BASE64URL_NOPAD
                .decode(text.as_bytes())
                .map_err(|_| malformed("unpadded base64url without stray characters or bits"))
        };
        let (payload, signature) = (Zeroizing::new(decode(payload)?), decode(signature)?);
        let signature = signature.try_into().map_err(|_| malformed("a signature of 64 bytes"))?;
        Ok(Self { kind, payload, signature })
    }

    pub(super) fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The payload, once the signature over it is found to be this key's.
    pub(super) fn verify(self, key: &dyn VerifyingKey) -> Result<Payload, ServiceRadarError> {
        key.verify(&self.payload, &self.signature).map_err(|_| ServiceRadarError::BadSignature)?;
        Ok(Payload(self.payload))
    }

    /// The payload, in nobody's name.
    pub(super) fn unverified(self) -> Payload {
        Payload(self.payload)
    }
}

/// What a token says.
pub(super) struct Payload(Zeroizing<Vec<u8>>);

impl Payload {
    /// Reads it strictly: visible ASCII without backslashes (no white space, no second spelling of a character), exactly
    /// the members of `T`, each once.
    pub(super) fn read<T: DeserializeOwned>(&self, members: &'static str) -> Result<T, ServiceRadarError> {
        let invalid = |expected| ServiceRadarError::InvalidPayload { expected };
        // An array of the members' values would be read as well.
        if !self.0.starts_with(b"{") || !self.0.iter().all(|byte| is_plain(*byte) || matches!(byte, b'"')) {
            return Err(invalid("a JSON object of visible ASCII without white space and escapes"));
        }
        serde_json::from_slice(&self.0).map_err(|_| invalid(members))
    }
}

/// Visible, the same in JSON whichever encoder wrote it, and nothing that anybody trims.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&')
}

/// A text that a token may carry.
pub(super) fn check_text(text: &str, expected: &'static str) -> Result<(), ServiceRadarError> {
    if (1..=limits::SERVICERADAR_TEXT_BYTES).contains(&text.len()) && text.bytes().all(is_plain) {
        Ok(())
    } else {
        Err(ServiceRadarError::InvalidPayload { expected })
    }
}

/// Reads a member that is absent or a value, never `null`: the two are one to some readers only.
pub(super) fn absent_or_given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
