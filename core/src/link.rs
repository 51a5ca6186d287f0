//! Download links: `hfl1_<kid>.<payload>.<mac>`, signed and expiring, to be put into a URL's path.
//!
//! - `hfl1_` lets secret scanners recognise it; whoever holds a link may download once, so it is a [`Secret`];
//! - the kid names the key of the ring that it was made under (up to 32 characters);
//! - the payload (38 characters) says which package, which of its links, and until when. It is not secret;
//! - the MAC (43 characters) is HMAC-SHA-256 over all that, under a key that nobody but the hosts has.
//!
//! Payload and MAC are unpadded base64url (RFC 4648 section 5) with zero trailing bits, and no character needs escaping
//! in a path (RFC 3986 section 3.3): one link, one spelling. A link that verifies was made by this host's keys and has
//! not expired. That it works only once, and not any more when a newer one was made, is in the package's record: the
//! registrar says so.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::{
    code::Code,
    crypto::Backend,
    id::{KeyId, PackageId},
    keyring::KeyRing,
    limits,
    secret::{Secret, SecretKey},
    time::Timestamp,
    verified::Verified,
    vocabulary::Error,
};

pub(crate) const PREFIX: &str = "hfl1_";
const DOMAIN: &[u8] = b"handfast link 1\n";
const PAYLOAD_BYTES: usize = 28;

/// What a link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The package that may be downloaded.
    pub package: PackageId,
    /// Counts the links of the package: only the latest is good.
    pub number: u32,
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// Why a link is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not a link: cut off, mistyped, or something else altogether.
    #[error("not a download link")]
    Malformed,
    /// Made under a key that is not in the ring. Says nothing of whether it was ever genuine.
    #[error("download link of an unknown key")]
    UnknownKey,
    /// Not made under the key that it names.
    #[error("download link is not authentic")]
    Forged,
    /// Authentic, but its time is over.
    #[error("download link has expired")]
    Expired,
}

impl LinkError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Malformed => Code::LinkMalformed,
            Self::UnknownKey => Code::LinkUnknownKey,
            Self::Forged => Code::LinkForged,
            Self::Expired => Code::LinkExpired,
        }
    }
}

/// Makes and verifies links under the keys of a ring.
#[derive(Clone, Debug)]
pub struct Links {
    keys: KeyRing,
    backend: Arc<dyn Backend>,
}

impl Links {
    /// Takes the key ring and the primitives. A key taken out of the ring kills all links that were made under it.
    #[must_use]
    pub fn new(keys: KeyRing, backend: Arc<dyn Backend>) -> Self {
        Self { keys, backend }
    }

    /// Makes a link under the current key. The same link has the same text under the same key.
    ///
    /// # Errors
    /// As [`KeyRing::current`]: never.
    pub fn sign(&self, link: &Link) -> Result<Secret, Error> {
        let (kid, key) = self.keys.current()?;
        let payload = link.to_bytes();
        let mac = self.mac(kid, key, &payload);
        let (payload, mac) = (BASE64URL_NOPAD.encode(&payload), BASE64URL_NOPAD.encode(&mac));
        Ok(Secret::new(format!("{PREFIX}{kid}.{payload}.{mac}")))
    }

    /// Verifies a link: its time counts only when it is authentic, and it has expired if and only if
    /// `now >= expires_at`.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<Verified<Link>, LinkError> {
        let (kid, payload, mac) = read(text).ok_or(LinkError::Malformed)?;
        let key = self.keys.get(&kid).map_err(|_| LinkError::UnknownKey)?;
        if !bool::from(self.mac(&kid, key, &payload).ct_eq(&mac)) {
            return Err(LinkError::Forged);
        }
        let link = Link::from_bytes(&payload).ok_or(LinkError::Malformed)?;
        if now >= link.expires_at { Err(LinkError::Expired) } else { Ok(Verified::new(link)) }
    }

    fn mac(&self, kid: &KeyId, key: &SecretKey, payload: &[u8; PAYLOAD_BYTES]) -> [u8; 32] {
        self.backend.hmac_sha256(key.expose(), &[DOMAIN, kid.as_str().as_bytes(), b"\n", payload])
    }
}

/// What a link says, and under which key it says that it was made. Nothing is verified: anybody can write this.
pub(crate) fn inspect(text: &str) -> Result<(KeyId, Link), LinkError> {
    let (kid, payload, _) = read(text).ok_or(LinkError::Malformed)?;
    Ok((kid, Link::from_bytes(&payload).ok_or(LinkError::Malformed)?))
}

fn read(text: &str) -> Option<(KeyId, [u8; PAYLOAD_BYTES], [u8; 32])> {
    if text.len() > limits::LINK_BYTES {
        return None;
    }
    let mut parts = text.strip_prefix(PREFIX)?.split('.');
    let (kid, payload, mac) = (parts.next()?, parts.next()?, parts.next()?);
    let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    match parts.next() {
        None => Some((kid.parse().ok()?, decode(payload)?.try_into().ok()?, decode(mac)?.try_into().ok()?)),
        Some(_) => None,
    }
}

impl Link {
    /// The package id, the number and the milliseconds since 1970, all in network byte order.
    fn to_bytes(self) -> [u8; PAYLOAD_BYTES] {
        let mut bytes = [0; PAYLOAD_BYTES];
        let fields = [
            self.package.as_bytes().as_slice(),
            &self.number.to_be_bytes(),
            &self.expires_at.unix_millis().to_be_bytes(),
        ];
        bytes.iter_mut().zip(fields.into_iter().flatten()).for_each(|(to, from)| *to = *from);
        bytes
    }

    fn from_bytes(bytes: &[u8; PAYLOAD_BYTES]) -> Option<Self> {
        let (package, rest) = bytes.split_first_chunk::<16>()?;
        let (number, millis) = rest.split_first_chunk::<4>()?;
        Some(Self {
            package: PackageId::from_bytes(*package),
            number: u32::from_be_bytes(*number),
            expires_at: Timestamp::from_unix_millis(i64::from_be_bytes(millis.try_into().ok()?))?,
        })
    }
}
