//! The JSON of bundles (SPIFFE Trust Domain and Bundle, section 4).

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::{Bundle, SpireError, TrustDomain, bundle::check_size, key::Key};
use crate::{json, jwt, limits};

const X509_SVID: &str = "x509-svid";
const JWT_SVID: &str = "jwt-svid";

impl Bundle {
    /// Reads the JSON of the standard, a JWK Set, as `spire-server bundle show -format spiffe` prints it. It does not
    /// name its trust domain.
    ///
    /// # Errors
    /// `too_large` beyond [`limits::SPIFFE_BUNDLE_BYTES`], `spire_malformed_bundle`, `spire_unusable_authority`,
    /// `jwk_private`.
    pub fn from_json(trust_domain: TrustDomain, text: &str) -> Result<Self, SpireError> {
        check_size(text)?;
        let document = json::parse(text.as_bytes(), limits::SPIFFE_BUNDLE_BYTES)
            .map_err(|_| SpireError::malformed("not strict JSON"))?;
        let number = |name: &str| match document.get(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => {
                    Err(SpireError::malformed("spiffe_sequence or spiffe_refresh_hint is no natural number"))
                }
            },
        };
        let keys = document.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(SpireError::malformed("no array `keys`"))?;
        let mut bundle = Self::new(trust_domain);
        for key in keys {
            bundle = bundle.with_jwk(key.as_object().ok_or(SpireError::malformed("a key is no object"))?)?;
        }
        if let Some(sequence) = number("spiffe_sequence")? {
            bundle = bundle.with_sequence(sequence)?;
        }
        if let Some(seconds) = number("spiffe_refresh_hint")? {
            let seconds = u32::try_from(seconds);
            let seconds =
                seconds.map_err(|_| SpireError::malformed("spiffe_refresh_hint is out of range"))?;
            bundle = bundle.with_refresh_hint_seconds(seconds);
        }
        Ok(bundle)
    }

    /// The JSON of the standard, as `spire-server bundle set -format spiffe` takes it; the same bytes each time.
    #[must_use]
    pub fn to_json(&self) -> String {
        let x509 = self.x509_authorities().iter().map(|authority| {
            let mut members = authority.key.to_jwk();
            members.insert("use".to_owned(), X509_SVID.into());
            members.insert("x5c".to_owned(), json!([BASE64.encode(authority.der())]));
            Value::Object(members)
        });
        let jwt = self.jwt_authorities().iter().map(|authority| {
            let mut members = authority.key.to_jwk();
            members.insert("use".to_owned(), JWT_SVID.into());
            members.insert("kid".to_owned(), authority.key_id().into());
            Value::Object(members)
        });
        let mut document = json!({ "keys": x509.chain(jwt).collect::<Vec<_>>() });
        if let Some(members) = document.as_object_mut() {
            members.extend(self.sequence().map(|number| ("spiffe_sequence".to_owned(), number.into())));
            let hint = self.refresh_hint_seconds();
            members.extend(hint.map(|seconds| ("spiffe_refresh_hint".to_owned(), seconds.into())));
        }
        json::canonical(&document)
    }

    fn with_jwk(self, members: &Map<String, Value>) -> Result<Self, SpireError> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if jwt::is_private_jwk(members) {
            return Err(SpireError::PrivateKey);
        }
        match text("use").ok_or(SpireError::malformed("a key without `use`"))? {
            X509_SVID => {
                let Some(key) = Key::from_jwk(members)? else { return Ok(self) };
                let bundle = self.with_x509_authority(&only_certificate(members)?)?;
                match bundle.x509_authorities().last() {
                    Some(authority) if authority.key == key => Ok(bundle),
                    Some(_) | None => Err(SpireError::unusable("another key than its certificate's")),
                }
            }
            JWT_SVID => {
                let Some(key) = Key::from_jwk(members)? else { return Ok(self) };
                self.with_jwt_key(text("kid").ok_or(SpireError::unusable("a JWT key without `kid`"))?, key)
            }
            _ => Ok(self),
        }
    }
}

/// X509-SVID section 6.1: exactly one certificate, of an authority.
fn only_certificate(members: &Map<String, Value>) -> Result<Vec<u8>, SpireError> {
    let chain = members.get("x5c").and_then(Value::as_array).map(Vec::as_slice);
    let Some([Value::String(encoded)]) = chain else {
        return Err(SpireError::unusable("not exactly one certificate in `x5c`"));
    };
    BASE64.decode(encoded.as_bytes()).map_err(|_| SpireError::unusable("`x5c` is not canonical base64"))
}
