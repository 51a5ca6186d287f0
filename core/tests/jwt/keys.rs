//! Keys on their way in and out.

use std::collections::BTreeMap;

use handfast::{
    Code,
    crypto::CryptoError,
    jwt::{Algorithm, JwtError, PublicKey, PublicKeys, SigningKey, SigningRing, Thumbprint},
    limits,
};
use rand::{SeedableRng, rngs::StdRng};

use crate::{
    shop::{key, pem_body},
    support::backends,
};

const SIGNED: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];
/// Written by `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout`.
const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
const ED25519_PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

#[test]
fn a_key_is_drawn_written_and_read() {
    for algorithm in SIGNED {
        let first = SigningKey::generate(algorithm, &mut StdRng::seed_from_u64(1)).unwrap();
        let same = SigningKey::generate(algorithm, &mut StdRng::seed_from_u64(1)).unwrap();
        let other = SigningKey::generate(algorithm, &mut StdRng::seed_from_u64(2)).unwrap();
        assert_eq!(first.public(), same.public(), "entropy is the caller's");
        assert_ne!(first.public(), other.public());
        assert_eq!(first.algorithm(), algorithm);

        let pem = first.to_pkcs8_pem().unwrap();
        assert!(pem.expose().starts_with("-----BEGIN PRIVATE KEY-----\n"));
        let read = SigningKey::from_pkcs8_pem(pem.expose()).unwrap();
        assert_eq!((read.algorithm(), read.public()), (algorithm, first.public()));
        assert_eq!(read.to_pkcs8_pem().unwrap(), pem);
        assert_eq!(read.sign(b"x"), first.sign(b"x"));
        assert_eq!(format!("{first:?}"), format!("SigningKey({algorithm}, [redacted])"));
        assert_eq!(format!("{pem:?}"), "[redacted]");
    }
    for algorithm in [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512] {
        let refused = SigningKey::generate(algorithm, &mut StdRng::seed_from_u64(1));
        assert_eq!(refused.err(), Some(CryptoError::UnusableKey));
    }
}

#[test]
fn keys_of_openssl_are_read() {
    let key = SigningKey::from_pkcs8_pem(ED25519_PEM).unwrap();
    assert_eq!(key.to_pkcs8_pem().unwrap().expose(), ED25519_PEM, "byte for byte");
    assert_eq!(PublicKey::from_spki_pem(ED25519_PUBLIC_PEM, Algorithm::EdDsa).unwrap(), key.public());
    let elliptic = include_str!("../../vectors/keys/ec.pem");
    assert_eq!(SigningKey::from_pkcs8_pem(elliptic).unwrap().algorithm(), Algorithm::Es256);
    assert_eq!(SigningKey::from_pkcs8_pem(elliptic).unwrap().to_pkcs8_pem().unwrap().expose(), elliptic);
    let rsa = include_str!("../../vectors/sns/certificates/public-key.pem");
    for algorithm in [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512] {
        let key = PublicKey::from_spki_pem(rsa, algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(PublicKey::from_jwk(&key.to_jwk().to_string()).unwrap(), key);
    }
}

#[test]
fn what_is_no_private_key() {
    let rsa = include_str!("../../vectors/keys/leaf.pem");
    let elliptic = include_str!("../../vectors/keys/ec.pem");
    let labelled = |label: &str| ED25519_PEM.replace("PRIVATE KEY", label);
    for text in [
        "",
        "hunter2",
        rsa,
        ED25519_PUBLIC_PEM,
        &labelled("EC PRIVATE KEY"),
        &labelled("ENCRYPTED PRIVATE KEY"),
        &ED25519_PEM.replace("MC4", "MC5"),
        &ED25519_PEM.replace("\n-----END", ""),
        &elliptic.replacen("MIG", "MIH", 1),
        &format!("{ED25519_PEM}{}", " ".repeat(limits::KEY_BYTES)),
    ] {
        let error = SigningKey::from_pkcs8_pem(text).expect_err(text);
        assert_eq!(error.code(), Code::UnusableKey);
        assert!(!error.to_string().contains("hunter2"));
    }
}

/// A public half that is another key's would make the node prove what nobody can check.
#[test]
fn a_private_key_with_another_public_half_is_refused() {
    let pem = |byte| key(Algorithm::Es256, byte).to_pkcs8_pem().unwrap().expose().to_owned();
    let (mut mixed, other) = (pem_body(&pem(1)), pem_body(&pem(2)));
    let half = mixed.len() - 65;
    mixed[half..].copy_from_slice(&other[half..]);
    let encoded = data_encoding::BASE64.encode(&mixed);
    let lines: Vec<_> = encoded.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let mixed = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
    assert!(SigningKey::from_pkcs8_pem(&pem(1)).is_ok());
    assert_eq!(SigningKey::from_pkcs8_pem(&mixed).err(), Some(CryptoError::UnusableKey));
}

#[test]
fn public_keys_have_one_reading() {
    let jwk = |members: &str| PublicKey::from_jwk(&format!("{{{members}}}"));
    let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    let good = format!(r#""kty":"EC","crv":"P-256","x":"{x}","y":"{y}""#);
    assert!(jwk(&good).is_ok());
    assert!(
        jwk(&format!(r#"{good},"alg":"ES256","use":"sig","key_ops":["verify"],"kid":"a","more":1"#)).is_ok()
    );
    let unusable = Err(JwtError::Key(CryptoError::UnusableKey));
    for (members, error) in [
        (format!(r#"{good},"d":"AA""#), Err(JwtError::PrivateKey)),
        (format!(r#"{good},"k":"AA""#), Err(JwtError::PrivateKey)),
        (format!(r#"{good},"d":null"#), Err(JwtError::PrivateKey)),
        (format!(r#"{good},"alg":"EdDSA""#), Err(JwtError::AlgorithmMismatch)),
        (format!(r#"{good},"alg":"none""#), Err(JwtError::Unsigned)),
        (format!(r#"{good},"alg":"HS256""#), Err(JwtError::AlgorithmNotAllowed)),
        (format!(r#"{good},"alg":1"#), unusable.clone()),
        (format!(r#"{good},"use":"enc""#), unusable.clone()),
        (format!(r#"{good},"key_ops":["encrypt"]"#), unusable.clone()),
        (format!(r#"{good},"key_ops":"verify""#), unusable.clone()),
        (format!(r#"{good},"kty":"EC""#), unusable.clone()),
        (good.replace("P-256", "P-384"), unusable.clone()),
        (good.replace("\"EC\"", "\"OKP\""), unusable.clone()),
        (good.replace("\"EC\"", "\"ec\""), unusable.clone()),
        (good.replace(y, x), unusable.clone()),
        (good.replace(y, &format!("{y}=")), unusable.clone()),
        (good.replace(y, "AA"), unusable.clone()),
        (good.replace(x, &format!("AAAA{x}")), unusable.clone()),
        // A last digit whose spare bits are not zero.
        (good.replace("VEU", "VEV"), unusable.clone()),
        (format!(r#""kty":"oct","k":"{x}""#), Err(JwtError::PrivateKey)),
        (format!(r#""kty":"OKP","crv":"X25519","x":"{x}""#), unusable.clone()),
        (format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}AA""#), unusable.clone()),
        (
            r#""kty":"OKP","crv":"Ed25519","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#.into(),
            unusable.clone(),
        ),
        (r#""kty":"RSA","n":"AQAB","e":"AQAB","alg":"RS256""#.into(), unusable.clone()),
        ("".into(), unusable),
    ] {
        assert_eq!(jwk(&members), error, "{members}");
    }
    assert_eq!(
        PublicKey::from_jwk(&format!("[{{{good}}}]")).map(|_| ()),
        Err(CryptoError::UnusableKey.into())
    );
}

#[test]
fn rsa_keys_that_are_weak_or_nameless_are_refused() {
    let rsa = include_str!("../../vectors/sns/certificates/public-key.pem");
    let good = PublicKey::from_spki_pem(rsa, Algorithm::Rs256).unwrap().to_jwk();
    let refused = |name: &str, value: Option<&str>| {
        let mut jwk = good.clone();
        match value {
            Some(value) => jwk[name] = value.into(),
            None => drop(jwk.as_object_mut().unwrap().remove(name)),
        }
        PublicKey::from_jwk(&jwk.to_string()).unwrap_err().code()
    };
    let modulus = good["n"].as_str().unwrap();
    assert_eq!(refused("alg", None), Code::UnusableKey, "three algorithms could be meant");
    assert_eq!(refused("alg", Some("ES256")), Code::JwtAlgorithmMismatch);
    assert_eq!(refused("alg", Some("PS256")), Code::JwtAlgorithmNotAllowed);
    assert_eq!(refused("e", Some("Aw")), Code::UnusableKey, "an exponent of 3");
    assert_eq!(refused("e", Some("AAEAAQ")), Code::UnusableKey, "a leading zero");
    assert_eq!(refused("n", Some(&modulus[..171])), Code::UnusableKey, "1024 bits");
    assert_eq!(refused("n", Some("")), Code::UnusableKey);
    assert_eq!(refused("d", Some("AQAB")), Code::JwkPrivate);
    let mismatched = PublicKey::from_spki_pem(rsa, Algorithm::Es256);
    assert_eq!(mismatched.err(), Some(CryptoError::UnusableKey), "algorithms are not confused");
    let mismatched = PublicKey::from_spki_pem(ED25519_PUBLIC_PEM, Algorithm::Rs256);
    assert_eq!(mismatched.err(), Some(CryptoError::UnusableKey));
}

#[test]
fn a_thumbprint_has_one_spelling() {
    let thumbprint = key(Algorithm::Es256, 1).public().thumbprint();
    let text = thumbprint.to_string();
    assert_eq!(text.parse::<Thumbprint>().unwrap(), thumbprint);
    assert_eq!(serde_json::to_value(thumbprint).unwrap(), text.as_str());
    assert_eq!(serde_json::from_value::<Thumbprint>(text.as_str().into()).unwrap(), thumbprint);
    assert_ne!(thumbprint, key(Algorithm::Es256, 2).public().thumbprint());
    // The last of 43 digits has two spare bits, which the next letter sets.
    let stray = char::from(u8::try_from(text.chars().last().unwrap()).unwrap() + 1);
    for bad in [
        "".to_owned(),
        text[..42].to_owned(),
        format!("{text}="),
        format!("{text}A"),
        format!(" {text}"),
        format!("{}{stray}", &text[..42]),
        format!("{}+", &text[..42]),
    ] {
        assert!(bad.parse::<Thumbprint>().is_err(), "{bad}");
    }
}

#[test]
fn a_ring_knows_its_keys() {
    for backend in backends() {
        let keys: BTreeMap<_, _> = [("k1", 1), ("k2", 2)]
            .map(|(id, byte)| (id.parse().unwrap(), key(Algorithm::Es256, byte)))
            .into();
        let ring = SigningRing::new("k2".parse().unwrap(), keys.clone(), backend.as_ref()).unwrap();
        assert_eq!(ring.current().unwrap().0.as_str(), "k2");
        assert!(ring.public().get("k1").is_some() && ring.public().get("k3").is_none());
        assert_eq!(ring.get(&"k3".parse().unwrap()).unwrap_err().code(), Code::MissingKey);
        let jwks = ring.public().to_jwks();
        assert!(!jwks.to_string().contains("\"d\""), "{jwks}");
        assert!(PublicKeys::from_jwks(&jwks.to_string(), backend.as_ref()).unwrap().get("k2").is_some());

        let absent = SigningRing::new("k3".parse().unwrap(), keys, backend.as_ref());
        assert_eq!(absent.unwrap_err().code(), Code::InvalidInput);
        let many: BTreeMap<_, _> =
            (0..=limits::KEYS).map(|id| (format!("k{id}"), key(Algorithm::EdDsa, 1).public())).collect();
        assert_eq!(PublicKeys::new(many, backend.as_ref()).unwrap_err().code(), Code::InvalidInput);
    }
}
