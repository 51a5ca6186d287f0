//! `handfast jwt`: JSON Web Tokens and their keys.

use std::path::PathBuf;

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use handfast::{
    Secret,
    crypto::default_backend,
    jwt::{self, Algorithm, Claims, Expected, JwtError, PublicKey, PublicKeys, SigningKey},
};
use serde_json::{Map, Value, json};

use crate::{
    clock,
    failure::Failure,
    input::{self, Input},
    output::{self, Out},
};

/// JSON Web Tokens and their keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Jwt {
    /// Make a private key
    Key(Key),
    /// Sign claims
    Sign(Sign),
    /// Believe a token, or not
    Verify(Verify),
}

impl Jwt {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Key(key) => key.run(),
            Self::Sign(sign) => sign.run(),
            Self::Verify(verify) => verify.run(),
        }
    }
}

/// A new key, in PKCS#8.
#[derive(Args, Debug)]
pub(crate) struct Key {
    /// What it signs with
    #[arg(long, default_value = "ES256", value_parser = one_of(&[Algorithm::Es256, Algorithm::EdDsa]))]
    algorithm: Algorithm,
    #[command(flatten)]
    out: Out,
}

impl Key {
    fn run(&self) -> Result<(), Failure> {
        let unusable = |error: handfast::crypto::CryptoError| Failure::coded(error.code(), error);
        let key = SigningKey::generate(self.algorithm, &mut rand::rng()).map_err(unusable)?;
        let private = self.out.give(&key.to_pkcs8_pem().map_err(unusable)?)?;
        let public = key.public();
        output::print(&json!({
            "private_key": private, "public_jwk": public.to_jwk(), "thumbprint": public.thumbprint().to_string(),
        }))
    }
}

/// Claims to be signed.
#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// The private key, in PKCS#8 and PEM
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The claims, as a JSON object; - for standard input
    #[arg(long, value_name = "FILE")]
    claims: PathBuf,
    /// Seconds until it expires, unless the claims have an exp
    #[arg(long, default_value_t = 60 * 60)]
    validity_seconds: u32,
    /// The type in the header
    #[arg(long, default_value = "JWT")]
    typ: String,
    /// The name of the key in the header
    #[arg(long)]
    kid: Option<String>,
    #[command(flatten)]
    out: Out,
}

impl Sign {
    fn run(&self) -> Result<(), Failure> {
        let key = SigningKey::from_pkcs8_pem(input::secret(&self.key_file, "--key-file")?.expose());
        let key = key.map_err(|error| Failure::coded(error.code(), format!("--key-file: {error}")))?;
        let mut claims: Map<String, Value> = input::json(&self.claims, "--claims")?;
        let now = clock::now();
        claims.entry("iat").or_insert_with(|| clock::seconds(now).into());
        claims.entry("exp").or_insert_with(|| clock::seconds(now.plus_seconds(self.validity_seconds)).into());
        let claims = Claims::new(claims);
        let token = jwt::sign(&key, &self.typ, self.kid.as_deref(), &claims);
        self.read_back(&key, &token, &claims).map_err(|error| Failure::coded(error.code(), error))?;
        output::print(&json!({ "token": self.out.give(&token)? }))
    }

    /// Reads what was signed as `verify` will, so that nothing is made that nobody believes. What begins later is judged then.
    fn read_back(&self, key: &SigningKey, token: &Secret, claims: &Claims) -> Result<(), JwtError> {
        let audience = claims.as_map().get("aud").and_then(|aud| aud.get(0).unwrap_or(aud).as_str());
        let expected =
            Expected { typ: Some(&self.typ), issuer: claims.text("iss")?, audience, leeway_seconds: 0 };
        let now = clock::now();
        let at = claims.time("nbf")?.map_or(now, |begins| begins.max(now));
        let verifier = key.public().verifier(&*default_backend()).map_err(|_| JwtError::BadSignature)?;
        jwt::verify(&verifier, token.expose(), &expected, at).map(drop)
    }
}

/// Reads the name of one of these.
fn one_of(algorithms: &[Algorithm]) -> impl TypedValueParser<Value = Algorithm> + use<> {
    let names = algorithms.iter().map(|algorithm| algorithm.as_str());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Algorithm>())
}

/// A token and what it must be signed with.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    #[command(flatten)]
    token: Input,
    /// The public key: a JWK, a JWK set, or PEM
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The algorithm of a key in PEM
    #[arg(long, default_value = "ES256", value_parser = one_of(&Algorithm::ALL))]
    algorithm: Algorithm,
    /// The type that the header must have
    #[arg(long)]
    typ: Option<String>,
    /// The issuer that it must have
    #[arg(long)]
    issuer: Option<String>,
    /// The audience that it must be for
    #[arg(long)]
    audience: Option<String>,
}

impl Verify {
    fn run(&self) -> Result<(), Failure> {
        let (token, key) = (self.token.text()?, input::secret(&self.key_file, "--key-file")?);
        let expected = Expected {
            typ: self.typ.as_deref(),
            issuer: self.issuer.as_deref(),
            audience: self.audience.as_deref(),
            ..Expected::default()
        };
        let (backend, now) = (default_backend(), clock::now());
        let unusable =
            |error: &dyn std::fmt::Display, code| Failure::coded(code, format!("--key-file: {error}"));
        let is_set =
            serde_json::from_str::<Value>(key.expose()).is_ok_and(|value| value.get("keys").is_some());
        let verified = if is_set {
            let keys = PublicKeys::from_jwks(key.expose(), &*backend);
            let keys = keys.map_err(|error| unusable(&error, error.code()))?;
            jwt::verify_by_kid(&keys, token.expose(), &expected, now)
        } else {
            let key = if key.expose().starts_with("-----BEGIN") {
                PublicKey::from_spki_pem(key.expose(), self.algorithm)
                    .map_err(|error| unusable(&error, error.code()))
            } else {
                PublicKey::from_jwk(key.expose()).map_err(|error| unusable(&error, error.code()))
            };
            let verifier = key?.verifier(&*backend).map_err(|error| unusable(&error, error.code()))?;
            jwt::verify(&verifier, token.expose(), &expected, now)
        };
        output::print(verified.map_err(|error: JwtError| Failure::coded(error.code(), error))?.as_map())
    }
}
