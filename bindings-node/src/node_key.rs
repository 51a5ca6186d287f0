//! A node's own key, on the node's side.

use handfast::jwt::{Algorithm, Proof, SigningKey, TargetUrl, proof};
use napi::bindgen_prelude::{ClassInstance, Either};
use napi_derive::napi;

use crate::{
    error::{Result, Throw, invalid},
    secret::Secret,
    system,
};

/// A text, or that of a secret.
type Text<'a> = Either<String, ClassInstance<'a, Secret>>;

/// A node's private key.
#[napi]
pub struct NodeKey(SigningKey);

#[napi]
impl NodeKey {
    /// Draws a new one.
    #[napi(factory)]
    pub fn generate(algorithm: Option<String>) -> Result<Self> {
        let key = match algorithm.as_deref().unwrap_or("ES256").parse() {
            Ok(algorithm @ (Algorithm::Es256 | Algorithm::EdDsa)) => {
                SigningKey::generate(algorithm, &mut system::entropy()?)
            }
            Ok(Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512) | Err(_) => {
                return Err(invalid("algorithm", "expected ES256 or EdDSA"));
            }
        };
        key.map(Self).map_err(Throw::throw)
    }

    /// Reads PKCS#8 PEM.
    #[napi(factory)]
    pub fn from_pem(pem: Text<'_>) -> Result<Self> {
        SigningKey::from_pkcs8_pem(exposed(&pem)).map(Self).map_err(Throw::throw)
    }

    /// Writes PKCS#8 PEM.
    #[napi]
    pub fn to_pem(&self) -> Result<Secret> {
        self.0.to_pkcs8_pem().map(Secret::from).map_err(Throw::throw)
    }

    /// The one algorithm that it signs with.
    #[napi(getter)]
    pub fn algorithm(&self) -> &'static str {
        self.0.algorithm().as_str()
    }

    /// The key's name.
    #[napi(getter)]
    pub fn thumbprint(&self) -> String {
        self.0.public().thumbprint().to_string()
    }

    /// The public half, as JSON text.
    #[napi]
    pub fn jwk(&self) -> String {
        self.0.public().to_jwk().to_string()
    }

    /// Proves possession of the key for one request; `now` in milliseconds since 1970.
    #[napi]
    pub fn proof(
        &self,
        method: String,
        url: String,
        token: Option<Text<'_>>,
        nonce: Option<String>,
        now: i64,
    ) -> Result<String> {
        let url = TargetUrl::of_request(&url).map_err(|error| invalid("url", &error.to_string()))?;
        let request = proof::Make {
            method: &method,
            url: &url,
            token: token.as_ref().map(exposed),
            nonce: nonce.as_deref(),
            issued_at: system::instant(now, "now")?,
        };
        Proof::make(&self.0, &request, &mut system::entropy()?).map_err(Throw::throw)
    }
}

fn exposed<'a>(text: &'a Text<'_>) -> &'a str {
    match text {
        Either::A(text) => text,
        Either::B(secret) => secret.get().expose(),
    }
}
