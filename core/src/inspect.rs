//! The token inspector: says what a text is that somebody has pasted, without its secret.
//!
//! For the person at the other end of the line who has "a token" and does not know which. Nothing is verified here: whoever
//! made the text chose what is said of it. So this is for diagnosis, and never for a decision.
//!
//! ```
//! use handfast::inspect::{Inspected, inspect};
//!
//! let inspected = inspect("abcdef.0123456789abcdef");
//! let Inspected::KubernetesBootstrapToken { id, .. } = &inspected else { panic!("{inspected:?}") };
//! assert_eq!(id.as_str(), "abcdef");
//! assert!(!format!("{inspected:?}").contains("0123456789abcdef"));
//! ```

use serde::Serialize;

use crate::{
    choria::{self, UnverifiedToken},
    code::Code,
    id::{KeyId, PackageId},
    jwt::{AlgorithmName, JwtError, compact, credential, proof},
    kubernetes::{BootstrapToken, CaPin, KubernetesError, TokenId},
    limits, link,
    serviceradar::{self, TokenKind},
    time::Timestamp,
    token::{self, EnrollmentToken},
};

/// What a text is. It holds no secret, so that it can be shown and logged.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Inspected {
    /// An enrollment token ([`crate::token`]).
    EnrollmentToken {
        /// Its package.
        package: PackageId,
        /// Counts the package's tokens from 1.
        generation: u16,
    },
    /// A download link ([`crate::link`]).
    DownloadLink {
        /// The key that it says it was made under.
        key: KeyId,
        /// The package.
        package: PackageId,
        /// Counts the package's links from 1.
        number: u32,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// A Kubernetes bootstrap token.
    KubernetesBootstrapToken {
        /// Its public part.
        id: TokenId,
        /// The Secret that makes it work.
        secret_name: String,
    },
    /// The pin of a certificate authority, as kubeadm takes it.
    KubernetesCaPin {
        /// In its one spelling.
        pin: CaPin,
    },
    /// A token of Choria's.
    Choria(Box<UnverifiedToken>),
    /// A token of ServiceRadar's, whole in form.
    ServiceRadar {
        /// `edge`, `collector`, or `unsigned`: one of the first version, which nobody signed and nobody accepts.
        kind: &'static str,
    },
    /// Another JWT.
    Jwt(Box<Jwt>),
    /// A text that begins like one of them and is not: cut off, mistyped, or changed on its way.
    Malformed {
        /// Which one it begins like.
        like: &'static str,
        /// What its reader says.
        code: Code,
    },
    /// Nothing that is known here.
    Unknown,
}

/// A JWT of which nothing is proven. Of claims that are not registered (RFC 7519 section 4.1) only the names are told: what
/// is in them may be secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Jwt {
    /// What it is for, where its `typ` says so.
    pub purpose: JwtPurpose,
    /// `alg`: also one that is never accepted here, so that it can be said why, but none that is in no registry.
    pub algorithm: &'static str,
    /// `typ`.
    pub typ: Option<String>,
    /// `kid`.
    pub key: Option<String>,
    /// `iss`.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `exp`.
    pub expires_at: Option<Timestamp>,
    /// The names of all claims, in their order.
    pub claims: Vec<String>,
}

/// What a JWT is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JwtPurpose {
    /// A node credential ([`crate::jwt::credential`]).
    NodeCredential,
    /// A proof of possession (RFC 9449).
    Proof,
    /// Something else.
    Other,
}

/// Says what a text is. White space around it is not looked at: people paste it along. What is longer than
/// [`limits::INSPECT_BYTES`] is nothing that is known.
#[must_use]
pub fn inspect(text: &str) -> Inspected {
    let text = text.trim();
    if text.len() > limits::INSPECT_BYTES {
        return Inspected::Unknown;
    }
    let readers = [enrollment_token, download_link, service_radar, pin, bootstrap_token, jwt];
    readers.iter().find_map(|read| read(text)).unwrap_or(Inspected::Unknown)
}

fn enrollment_token(text: &str) -> Option<Inspected> {
    text.starts_with(token::PREFIX).then(|| match EnrollmentToken::parse(text) {
        Ok(token) => Inspected::EnrollmentToken { package: token.package(), generation: token.generation() },
        Err(error) => Inspected::Malformed { like: "enrollment_token", code: error.code() },
    })
}

/// A link alone, or at the end of its URL.
fn download_link(text: &str) -> Option<Inspected> {
    let link = text.rsplit('/').next().filter(|link| link.starts_with(link::PREFIX))?;
    Some(match link::inspect(link) {
        Ok((key, link)) => Inspected::DownloadLink {
            key,
            package: link.package,
            number: link.number,
            expires_at: link.expires_at,
        },
        Err(error) => Inspected::Malformed { like: "download_link", code: error.code() },
    })
}

fn service_radar(text: &str) -> Option<Inspected> {
    let kind = TokenKind::of(text)?;
    Some(match (kind, serviceradar::inspect(text)) {
        (TokenKind::Edge, Ok(_)) => Inspected::ServiceRadar { kind: "edge" },
        (TokenKind::Collector, Ok(_)) => Inspected::ServiceRadar { kind: "collector" },
        (TokenKind::Unsigned, _) => Inspected::ServiceRadar { kind: "unsigned" },
        (TokenKind::Edge | TokenKind::Collector, Err(error)) => malformed("service_radar", error.code()),
    })
}

fn pin(text: &str) -> Option<Inspected> {
    let (format, _) = text.split_once(':')?;
    format.eq_ignore_ascii_case("sha256").then(|| match text.parse() {
        Ok(pin) => Inspected::KubernetesCaPin { pin },
        Err(error) => malformed("kubernetes_ca_pin", KubernetesError::code(error)),
    })
}

/// Nothing else has this form, so what is not quite of it is not called malformed.
fn bootstrap_token(text: &str) -> Option<Inspected> {
    let token: BootstrapToken = text.parse().ok()?;
    let (id, secret_name) = (token.id().clone(), token.id().secret_name());
    Some(Inspected::KubernetesBootstrapToken { id, secret_name })
}

/// Every JWT begins with the base64url of `{"`. One of which the end is missing has fewer than two full stops.
fn jwt(text: &str) -> Option<Inspected> {
    let is_cut =
        || text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let is_like = match text.matches('.').count() {
        2 => true,
        0 | 1 => is_cut(),
        _ => false,
    };
    (is_like && text.starts_with("eyJ")).then(|| match choria::inspect(text) {
        Ok(token) => Inspected::Choria(Box::new(token)),
        Err(_) => any_jwt(text).unwrap_or_else(|error| malformed("jwt", error.code())),
    })
}

fn any_jwt(text: &str) -> Result<Inspected, JwtError> {
    let token = compact::read_as::<AlgorithmName>(text, limits::JWT_BYTES)?;
    let claims = &token.claims;
    let registered = |name| claims.text(name).ok().flatten().map(str::to_owned);
    let time = |name| claims.time(name).ok().flatten();
    let purpose = match token.header.typ.as_deref() {
        Some(credential::TYPE) => JwtPurpose::NodeCredential,
        Some(proof::TYPE) => JwtPurpose::Proof,
        Some(_) | None => JwtPurpose::Other,
    };
    Ok(Inspected::Jwt(Box::new(Jwt {
        purpose,
        algorithm: token.header.algorithm.0,
        issuer: registered("iss"),
        subject: registered("sub"),
        issued_at: time("iat"),
        not_before: time("nbf"),
        expires_at: time("exp"),
        claims: claims.as_map().keys().cloned().collect(),
        typ: token.header.typ,
        key: token.header.kid,
    })))
}

fn malformed(like: &'static str, code: Code) -> Inspected {
    Inspected::Malformed { like, code }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn our_own_tokens_are_known_and_their_secrets_are_not_told() {
        let package = PackageId::from_bytes([7; 16]);
        let token = EnrollmentToken::generate(package, 2, &mut StdRng::seed_from_u64(1)).to_secret();
        let inspected = inspect(&format!("\t{}\r\n", token.expose()));
        assert_eq!(inspected, Inspected::EnrollmentToken { package, generation: 2 });
        let shown = serde_json::to_string(&inspected).unwrap();
        let secret = token.expose().rsplit('_').next().unwrap();
        assert!(!shown.contains(secret) && !format!("{inspected:?}").contains(secret), "{shown}");
        let mistyped = token.expose().replacen("hf1_", "hf1_A", 1);
        assert_eq!(inspect(&mistyped), malformed("enrollment_token", Code::MalformedToken));
    }

    #[test]
    fn a_link_is_known_within_its_url() {
        let payload = data_encoding::BASE64URL_NOPAD.encode(&[0; 28]);
        let mac = data_encoding::BASE64URL_NOPAD.encode(&[0; 32]);
        let link = format!("hfl1_k1.{payload}.{mac}");
        for text in [link.clone(), format!("https://enrol.example.org/api/link/{link}")] {
            assert!(matches!(inspect(&text), Inspected::DownloadLink { number: 0, .. }), "{text}");
        }
        assert_eq!(inspect("hfl1_k1.x"), malformed("download_link", Code::LinkMalformed));
    }

    #[test]
    fn a_jwt_is_told_from_what_is_left_of_one() {
        let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
        let whole = |alg: &str| format!("{}.{}.AAAA", encode(&format!(r#"{{"alg":"{alg}"}}"#)), encode("{}"));
        for alg in ["ES256", "RS512", "HS256", "ES384", "PS256", "Ed25519"] {
            let Inspected::Jwt(jwt) = inspect(&whole(alg)) else { panic!("{alg}") };
            assert_eq!(jwt.algorithm, alg);
        }
        assert_eq!(inspect(&whole("none")), malformed("jwt", Code::JwtUnsigned));
        assert_eq!(inspect(&whole("hunter2")), malformed("jwt", Code::JwtAlgorithmNotAllowed));
        let es256 = whole("ES256");
        let parts: Vec<_> = es256.split('.').collect();
        for cut in [
            parts[0].to_owned(),
            format!("{}.", parts[0]),
            parts[..2].join("."),
            parts[0].replacen("JFUzI1NiJ9", "", 1),
        ] {
            assert_eq!(inspect(&cut), malformed("jwt", Code::JwtNotCompact), "{cut}");
        }
        assert_eq!(inspect("eyJhIjoxfQ=="), Inspected::Unknown, "other JSON");
    }

    #[test]
    fn a_token_of_serviceradar_is_looked_at_as_far_as_can_be_without_its_key() {
        let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
        let token =
            |kind: &str, payload: &str| format!("{kind}:{}.{}", encode(payload.as_bytes()), encode(&[0; 64]));
        let collector = r#"{"e":0,"p":"a","t":"b","u":"https://c"}"#;
        for (kind, payload, expected) in
            [("edgepkg-v2", r#"{"pkg":"a","dl":"b"}"#, "edge"), ("collectorpkg-v2", collector, "collector")]
        {
            assert_eq!(inspect(&token(kind, payload)), Inspected::ServiceRadar { kind: expected });
            let invalid = malformed("service_radar", Code::ServiceradarInvalidPayload);
            assert_eq!(inspect(&token(kind, r#"{"pkg":"a"}"#)), invalid);
            assert_eq!(inspect(&token(kind, &payload.replace(':', ": "))), invalid);
            for wrong in ["", "%%%garbage", "e30", "e30.AAAA"] {
                let wrong = inspect(&format!("{kind}:{wrong}"));
                assert_eq!(wrong, malformed("service_radar", Code::ServiceradarMalformedToken));
            }
        }
        assert_eq!(inspect("edgepkg-v1:x"), Inspected::ServiceRadar { kind: "unsigned" });
    }

    #[test]
    fn what_only_looks_like_one_is_nothing() {
        for text in ["", " ", "abcdef", "abcdef.0123456789ABCDEF", "a.b.c", "https://example.org/", "hf2_x"] {
            assert_eq!(inspect(text), Inspected::Unknown, "{text}");
        }
    }
}
