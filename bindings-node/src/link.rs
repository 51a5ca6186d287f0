//! Download links.

use handfast::{crypto::default_backend, link, verified::Verified};
use napi::bindgen_prelude::{ClassInstance, Either};
use napi_derive::napi;

use crate::{
    error::{Result, Throw},
    registrar::{Ring, key_ring},
    secret::Secret,
    system,
};

/// Verifies links under a key ring.
#[napi]
pub struct Links(link::Links);

#[napi]
impl Links {
    /// Takes the key ring.
    #[napi(constructor)]
    pub fn new(keys: Ring) -> Result<Self> {
        Ok(Self(link::Links::new(key_ring(keys, "keys")?, default_backend())))
    }

    /// Verifies one.
    #[napi]
    pub fn verify(&self, link: Either<String, ClassInstance<'_, Secret>>, now: i64) -> Result<VerifiedLink> {
        let now = system::instant(now, "now")?;
        let verified = match &link {
            Either::A(text) => self.0.verify(text, now),
            Either::B(secret) => self.0.verify(secret.get().expose(), now),
        };
        verified.map(VerifiedLink).map_err(Throw::throw)
    }
}

/// What an authentic link that has not expired says.
#[napi]
pub struct VerifiedLink(Verified<link::Link>);

#[napi]
impl VerifiedLink {
    /// The package.
    #[napi(getter)]
    pub fn package(&self) -> String {
        self.0.package.to_string()
    }

    /// Counts the links of the package.
    #[napi(getter)]
    pub fn number(&self) -> u32 {
        self.0.number
    }

    /// When it ends.
    #[napi(getter)]
    pub fn expires_at(&self) -> String {
        self.0.expires_at.to_string()
    }
}
