//! Signed, expiring links (placeholder until the format lands).
#![allow(missing_docs)]
use std::sync::Arc;

use crate::{
    code::Code, crypto::Backend, id::PackageId, keyring::KeyRing, secret::Secret, time::Timestamp,
    verified::Verified, vocabulary::Error,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub package: PackageId,
    pub number: u32,
    pub expires_at: Timestamp,
}
#[derive(Clone, Debug)]
pub struct LinkError;
impl LinkError {
    pub fn code(&self) -> Code {
        Code::InvalidInput
    }
}
#[derive(Clone, Debug)]
pub struct Links {
    keys: KeyRing,
    backend: Arc<dyn Backend>,
}
impl Links {
    pub fn new(keys: KeyRing, backend: Arc<dyn Backend>) -> Self {
        Self { keys, backend }
    }
    pub fn sign(&self, link: &Link) -> Result<Secret, Error> {
        let body = format!("{}.{}.{}", link.package, link.number, link.expires_at.unix_millis());
        let mac = self.backend.hmac_sha256(self.keys.current()?.1.expose(), &[body.as_bytes()]);
        Ok(Secret::new(format!("{body}.{}", data_encoding::HEXLOWER.encode(&mac))))
    }
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<Verified<Link>, LinkError> {
        let mut parts = text.split('.');
        let (Some(p), Some(n), Some(e)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(LinkError);
        };
        let link = Link {
            package: p.parse().map_err(|_| LinkError)?,
            number: n.parse().map_err(|_| LinkError)?,
            expires_at: e.parse().ok().and_then(Timestamp::from_unix_millis).ok_or(LinkError)?,
        };
        let again = self.sign(&link).map_err(|_| LinkError)?;
        if again.expose() == text && now < link.expires_at { Ok(Verified::new(link)) } else { Err(LinkError) }
    }
}
