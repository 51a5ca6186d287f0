//! The examples that the RFCs print, and the vectors that others publish.

use handfast::{
    crypto::{Ed25519Key, Es256Key},
    jwt::{
        self, Algorithm, Expected, JwtError, Part, ProofError, PublicKey, PublicKeys, SigningKey, Verifier,
        proof,
    },
    secret::SecretKey,
};
use serde_json::Value;

use crate::{
    shop::{at, decode, encode, part},
    support::{backends, json, real_vectors},
};

/// RFC 7515 appendix A.2.
const RS256_KEY: &str = r#"{"kty":"RSA","alg":"RS256","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
const RS256_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/// RFC 7515 appendix A.3.
const ES256_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const ES256_SCALAR: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const ES256_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
/// RFC 7515 appendices A.1 and A.5: a symmetric key, and no signature at all.
const HS256_TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const UNSIGNED_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
/// RFC 8037 appendices A.1, A.2, A.3 and A.4.
const ED25519_SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ED25519_KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const ED25519_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
const ED25519_JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
/// RFC 7638 section 3.1.
const RSA_KEY: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
const RSA_THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
/// RFC 9449 sections 4.1 and 7.1; section 6.1 gives the thumbprint of their key.
const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
const PROOF_WITH_TOKEN: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const PROOF_THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

#[test]
fn rfc_7515_tokens_verify_while_they_live() {
    for backend in backends() {
        for (key, token, algorithm) in
            [(RS256_KEY, RS256_TOKEN, Algorithm::Rs256), (ES256_KEY, ES256_TOKEN, Algorithm::Es256)]
        {
            let key = PublicKey::from_jwk(key).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let key = key.verifier(backend.as_ref()).unwrap();
            let expected = Expected { issuer: Some("joe"), ..Expected::default() };
            // 1300819380 is 18:43 UTC; the leeway lasts a minute more.
            let claims = jwt::verify(&key, token, &expected, at("2011-03-22T18:43:59.999Z")).unwrap();
            assert_eq!(claims.as_map()["http://example.com/is_root"], true);
            let verdict = jwt::verify(&key, token, &expected, at("2011-03-22T18:44:00Z"));
            assert_eq!(verdict, Err(JwtError::Expired));
            for (token, error) in
                [(HS256_TOKEN, JwtError::AlgorithmNotAllowed), (UNSIGNED_TOKEN, JwtError::Unsigned)]
            {
                let verdict = jwt::verify(&key, token, &expected, at("2011-03-22T18:00:00Z"));
                assert_eq!(verdict, Err(error));
            }
        }
    }
}

#[test]
fn rfc_7515_and_8037_keys_are_the_private_ones_public_half() {
    let scalar = SecretKey::new(decode(ES256_SCALAR).try_into().unwrap());
    let es256 = SigningKey::from(Es256Key::from_scalar(&scalar).unwrap());
    assert_eq!(es256.public(), PublicKey::from_jwk(ES256_KEY).unwrap());
    let ed25519 = ed25519();
    assert_eq!(ed25519.public(), PublicKey::from_jwk(ED25519_KEY).unwrap());
    assert_eq!(ed25519.public().to_jwk(), serde_json::from_str::<Value>(ED25519_KEY).unwrap());
}

#[test]
fn rfc_8037_signature_is_made_and_verified() {
    let (signed, signature) = ED25519_JWS.rsplit_once('.').unwrap();
    assert_eq!(encode(ed25519().sign(signed.as_bytes())), signature);
    for backend in backends() {
        let key = ed25519().public().verifier(backend.as_ref()).unwrap();
        assert_eq!(key.verify(signed.as_bytes(), &decode(signature)), Ok(()));
        // Its payload is a sentence, which a JWT's is not.
        let verdict = jwt::verify(&key, ED25519_JWS, &Expected::default(), at("2017-01-01T00:00:00Z"));
        assert_eq!(verdict, Err(JwtError::MalformedJson { part: Part::Payload }));
    }
}

#[test]
fn rfc_7638_and_8037_thumbprints() {
    assert_eq!(PublicKey::from_jwk(RSA_KEY).unwrap().thumbprint().to_string(), RSA_THUMBPRINT);
    assert_eq!(ed25519().public().thumbprint().to_string(), ED25519_THUMBPRINT);
}

#[test]
fn rfc_9449_proofs_verify_for_what_they_were_made_for() {
    let token_endpoint = "https://server.example.com/token".parse().unwrap();
    let resource = "https://resource.example.org/protectedresource".parse().unwrap();
    let now = at("2019-07-04T17:50:20Z");
    for backend in backends() {
        let first = proof::Expected { method: "POST", url: &token_endpoint, token: None, nonces: None, now };
        let second = proof::Expected { method: "GET", url: &resource, token: Some(ACCESS_TOKEN), ..first };
        for (text, expected, jti) in
            [(PROOF, first, "-BwC3ESc6acc2lTc"), (PROOF_WITH_TOKEN, second, "e1j3V_bKic8-LAEB")]
        {
            let proof = proof::verify(backend.as_ref(), text, &expected).unwrap();
            assert_eq!((proof.jti(), proof.thumbprint().to_string()), (jti, PROOF_THUMBPRINT.to_owned()));
            let later = proof::Expected { now: now.plus_seconds(6 * 60), ..expected };
            assert_eq!(proof::verify(backend.as_ref(), text, &later), Err(ProofError::TooOld));
        }
        let swapped = proof::verify(backend.as_ref(), PROOF, &second);
        assert_eq!(swapped, Err(ProofError::WrongMethod));
    }
}

/// The JOSE cookbook (RFC 7520): its keys, and its signatures, whose payload is prose.
#[test]
fn cookbook_signatures_come_out() {
    let Some(folder) = real_vectors("jose") else { return };
    let curve = |file: &str| json(&folder.join(file));
    let (rsa, prose) = (curve("jws/4_1.rsa_v15_signature.json"), curve("curve25519/jws.json"));
    let mut ran = 0;
    for case in [rsa, prose] {
        let mut key = case["input"]["key"].clone();
        let private = key.to_string();
        assert_eq!(PublicKey::from_jwk(&private), Err(JwtError::PrivateKey));
        for name in ["d", "p", "q", "dp", "dq", "qi"] {
            key.as_object_mut().unwrap().remove(name);
        }
        key["alg"] = case["input"]["alg"].clone();
        let token = case["output"]["compact"].as_str().unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        for backend in backends() {
            let key = PublicKey::from_jwk(&key.to_string()).unwrap().verifier(backend.as_ref()).unwrap();
            assert_eq!(key.verify(signed.as_bytes(), &decode(signature)), Ok(()));
            assert_eq!(key.verify(token.as_bytes(), &decode(signature)), Err(JwtError::BadSignature));
            ran += 1;
        }
    }
    assert_eq!(ran, 2 * backends().len());
}

/// The keys and compact signatures of Wycheproof for the algorithms that we know.
#[test]
fn wycheproof_signatures_come_out() {
    let Some(path) = real_vectors("wycheproof/json_web_signature_test.json") else { return };
    let groups = json(&path)["testGroups"].as_array().unwrap().clone();
    for backend in backends() {
        let (mut ran, mut valid) = (0, 0);
        for group in &groups {
            let Ok(key) = PublicKey::from_jwk(&group["public"].to_string()) else { continue };
            let key = key.verifier(backend.as_ref()).unwrap();
            for case in group["tests"].as_array().unwrap() {
                let verdict = case["jws"].as_str().is_some_and(|text| verifies(&key, text));
                assert_eq!(verdict, case["result"] == "valid", "{} {case}", backend.name());
                ran += 1;
                valid += u32::from(verdict);
            }
        }
        assert_eq!((ran, valid), (280, 18));
    }
}

/// Every case of Wycheproof's about keys has its result, except that of symmetric keys none is taken, not even a good one.
#[test]
fn wycheproof_keys_come_out() {
    let Some(path) = real_vectors("wycheproof/json_web_key_test.json") else { return };
    let groups = json(&path)["testGroups"].as_array().unwrap().clone();
    for backend in backends() {
        let (mut ran, mut valid, mut symmetric) = (0, 0, 0);
        for group in &groups {
            let set = group.get("public").filter(|set| set.is_object()).unwrap_or(&group["private"]);
            let keys = set["keys"].as_array().unwrap().iter();
            let keys: Vec<_> = keys.filter_map(|key| PublicKey::from_jwk(&key.to_string()).ok()).collect();
            for case in group["tests"].as_array().unwrap() {
                let jws = case["jws"].as_str().unwrap();
                let verified = |key: &PublicKey| verifies(&key.verifier(backend.as_ref()).unwrap(), jws);
                let verdict = keys.iter().any(verified);
                let is_mac = part(jws, 0)["alg"].as_str().unwrap().starts_with("HS");
                assert_eq!(verdict, case["result"] == "valid" && !is_mac, "{} {group}", backend.name());
                ran += 1;
                valid += u32::from(verdict);
                symmetric += u32::from(case["result"] == "valid" && is_mac);
            }
        }
        assert_eq!((ran, valid, symmetric), (26, 1, 4));
    }
}

/// As a token, or where the payload is prose, as a bare signature under the key's algorithm.
fn verifies(key: &Verifier, text: &str) -> bool {
    let verdict = jwt::verify(key, text, &Expected::default(), at("2020-01-01T00:00:00Z"));
    match verdict {
        Err(JwtError::MalformedJson { part: Part::Payload }) => {
            let (signed, signature) = text.rsplit_once('.').unwrap();
            part(text, 0)["alg"] == key.algorithm().as_str()
                && key.verify(signed.as_bytes(), &decode(signature)).is_ok()
        }
        Err(JwtError::MissingClaim { name: "exp" }) | Ok(_) => true,
        Err(_) => false,
    }
}

#[test]
fn a_jwk_set_is_read_and_written() {
    let set = format!(r#"{{"keys":[{RSA_KEY},{{"kty":"oct","kid":"x"}},{ES256_KEY}]}}"#);
    for backend in backends() {
        let keys = PublicKeys::from_jwks(&set.replace("\"k\":", "\"kk\":"), backend.as_ref()).unwrap();
        assert!(keys.get("2011-04-29").is_some() && keys.get("x").is_none());
        let again = PublicKeys::from_jwks(&keys.to_jwks().to_string(), backend.as_ref()).unwrap();
        assert_eq!(again.to_jwks(), keys.to_jwks());
        assert_eq!(keys.to_jwks()["keys"].as_array().unwrap().len(), 1);
        let twice = format!(r#"{{"keys":[{RSA_KEY},{RSA_KEY}]}}"#);
        assert!(PublicKeys::from_jwks(&twice, backend.as_ref()).is_err());
    }
}

fn ed25519() -> SigningKey {
    Ed25519Key::from_seed(&SecretKey::new(decode(ED25519_SEED).try_into().unwrap())).into()
}
