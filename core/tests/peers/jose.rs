//! JWTs: other libraries verify ours and we theirs, of both algorithms, and nobody believes a changed one. With RSA, which
//! is only verified here, they sign for us and for themselves.

use std::path::PathBuf;

use handfast::{
    Timestamp,
    crypto::default_backend,
    jwt::{self, Algorithm, Claims, Expected, PublicKey, SigningKey},
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use x509_cert::{
    Certificate,
    der::{DecodePem as _, Encode as _},
};

use crate::peer::{Skipped, fed, installed, peer};

const FROM: &str = "it with `make peers`";

#[test]
fn pyjwt_and_we_believe_each_other() {
    let python = python();
    let version = [python.as_str(), "-c", "import jwt; print('PyJWT', jwt.__version__)"];
    peer(&python, &version, FROM, |peer| both_ways(peer.command().args([script("jose.py"), "pyjwt".into()])));
}

#[test]
fn joserfc_and_we_believe_each_other() {
    let python = python();
    let version = [python.as_str(), "-c", "import joserfc; print('joserfc', joserfc.__version__)"];
    peer(&python, &version, FROM, |peer| {
        both_ways(peer.command().args([script("jose.py"), "joserfc".into()]))
    });
}

#[test]
fn npm_jose_and_we_believe_each_other() {
    let modules = installed("node/node_modules/jose/package.json");
    let version = ["node", "-p", &format!("'npm jose ' + require({modules:?}).version")];
    let Some(package) = std::path::Path::new(&modules).parent().filter(|folder| folder.is_dir()) else {
        return peer("npm jose", &[], FROM, |_| Ok(()));
    };
    let package = package.to_owned();
    peer("node", &version, FROM, |peer| both_ways(peer.command().args([script("jose.mjs"), package])));
}

fn python() -> String {
    installed("python/bin/python")
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// The peer reads what it shall verify and sign, and says what it made of it.
fn both_ways(command: &mut std::process::Command) -> Result<(), Skipped> {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    for (seed, algorithm) in [(1, Algorithm::Es256), (2, Algorithm::EdDsa)] {
        let key = SigningKey::generate(algorithm, &mut StdRng::seed_from_u64(seed)).unwrap();
        let claims = claims();
        let ours = jwt::sign(&key, "JWT", Some("k1"), &Claims::new(claims.as_object().unwrap().clone()));
        let changed = changed(ours.expose());
        let task = json!({
            "algorithm": algorithm.as_str(), "private": key.to_pkcs8_pem().unwrap().expose(),
            "public": key.public().to_jwk(), "claims": claims, "verify": [ours.expose(), changed],
        });
        let said: Value = serde_json::from_str(&fed(command, &task.to_string())).unwrap();
        assert_eq!(said["verified"], json!([claims, null]), "{algorithm:?}");
        let theirs = said["signed"].as_str().unwrap();
        let expected = Expected { issuer: Some("handfast"), ..Expected::default() };
        let verifier = key.public().verifier(&*default_backend()).unwrap();
        let verified = jwt::verify(&verifier, theirs, &expected, now).unwrap();
        assert_eq!(Value::Object(verified.as_map().clone()), claims, "{algorithm:?}");
        assert!(jwt::verify(&verifier, &self::changed(theirs), &expected, now).is_err());
        let jwk = PublicKey::from_jwk(&said["jwk"].to_string()).unwrap();
        assert_eq!(jwk.thumbprint(), key.public().thumbprint(), "{algorithm:?}");
        assert_eq!(said["thumbprint"], key.public().thumbprint().to_string(), "{algorithm:?}");
    }
    for algorithm in [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512] {
        theirs_alone(command, algorithm, now);
    }
    Ok(())
}

fn theirs_alone(command: &mut std::process::Command, algorithm: Algorithm, now: Timestamp) {
    let private = include_str!("../../vectors/keys/leaf.pem");
    let certificate =
        Certificate::from_pem(include_bytes!("../../vectors/sns/certificates/leaf.pem")).unwrap();
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der().unwrap();
    let public = PublicKey::from_spki_der(&spki, algorithm).unwrap();
    let task = json!({"algorithm": algorithm.as_str(), "private": private, "public": public.to_jwk(), "claims": claims(), "verify": []});
    let said: Value = serde_json::from_str(&fed(command, &task.to_string())).unwrap();
    let theirs = said["signed"].as_str().unwrap();
    let expected = Expected { issuer: Some("handfast"), ..Expected::default() };
    let verifier = public.verifier(&*default_backend()).unwrap();
    let verified = jwt::verify(&verifier, theirs, &expected, now).unwrap();
    assert_eq!(Value::Object(verified.as_map().clone()), claims(), "{algorithm:?}");
    assert!(jwt::verify(&verifier, &changed(theirs), &expected, now).is_err());
    for other in
        [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512].into_iter().filter(|other| *other != algorithm)
    {
        let other = PublicKey::from_spki_der(&spki, other).unwrap();
        assert!(jwt::verify(&other.verifier(&*default_backend()).unwrap(), theirs, &expected, now).is_err());
    }
    assert_eq!(said["thumbprint"], public.thumbprint().to_string(), "{algorithm:?}");
}

fn claims() -> Value {
    json!({"iss": "handfast", "sub": "edge-1", "iat": 1_767_323_045, "exp": 4_102_444_800_i64,
        "umlaut": "ü\u{1f512}", "nested": {"a": [1, true, null]}})
}

/// The same token with another claim.
fn changed(token: &str) -> String {
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let payload = data_encoding::BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap();
    let payload = String::from_utf8(payload).unwrap().replace("edge-1", "edge-2");
    parts[1] = data_encoding::BASE64URL_NOPAD.encode(payload.as_bytes());
    parts.join(".")
}
