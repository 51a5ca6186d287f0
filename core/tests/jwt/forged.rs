//! Forged tokens, each refused with the code that names the attack.

use std::collections::BTreeSet;

use handfast::{
    Code,
    crypto::{Backend, Ed25519Key},
    jwt::{self, Algorithm, Claims, Expected, JwtError, PublicKeys, SigningKey, Verifier},
    limits,
    secret::SecretKey,
};

use crate::{
    shop::{at, decode, encode, forge, key},
    support::backends,
};

const HEADER: &str = r#"{"alg":"ES256","kid":"k1","typ":"at+jwt"}"#;
const PAYLOAD: &str = r#"{"aud":"edge","exp":1700000600,"iat":1700000000,"iss":"joe","nbf":1700000000}"#;
const EXPECTED: Expected<'static> =
    Expected { typ: Some("at+jwt"), issuer: Some("joe"), audience: Some("edge"), leeway_seconds: 60 };
/// 1700000300.
const NOW: &str = "2023-11-14T22:18:20Z";

/// The verdict under the one key, which must also be the verdict of the key set.
fn verdict(backend: &dyn Backend, text: &str) -> Result<(), JwtError> {
    let signer = key(Algorithm::Es256, 1);
    let single = jwt::verify(&verifier(backend), text, &EXPECTED, at(NOW)).map(|_| ());
    let keys = [("k1".to_owned(), signer.public()), ("k2".to_owned(), key(Algorithm::EdDsa, 2).public())];
    let keys = PublicKeys::new(keys.into(), backend).unwrap();
    let of_set = jwt::verify_by_kid(&keys, text, &EXPECTED, at(NOW)).map(|_| ());
    if of_set != Err(JwtError::UnknownKey) {
        assert_eq!(single.is_ok(), of_set.is_ok(), "{text}");
    }
    single
}

fn verifier(backend: &dyn Backend) -> Verifier {
    key(Algorithm::Es256, 1).public().verifier(backend).unwrap()
}

/// A token with another header, signed by the right key.
fn with_header(header: &str) -> String {
    forge(&key(Algorithm::Es256, 1), header, PAYLOAD)
}

/// A token with another payload, signed by the right key.
fn with_payload(payload: &str) -> String {
    forge(&key(Algorithm::Es256, 1), HEADER, payload)
}

fn good() -> String {
    with_header(HEADER)
}

/// The three parts of a good token.
fn parts() -> [String; 3] {
    let good = good();
    let parts: Vec<_> = good.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

#[test]
fn the_good_token_is_good() {
    for backend in backends() {
        assert_eq!(verdict(backend.as_ref(), &good()), Ok(()));
        for payload in [
            r#"{"aud":["other","edge"],"exp":1700000600,"iss":"joe"}"#,
            r#"{"aud":"edge","exp":1.7000006e9,"iat":1700000000.25,"iss":"joe"}"#,
            r#" { "aud" : "edge", "exp" : 1700000600 , "iss":"\u006aoe" } "#,
        ] {
            assert_eq!(verdict(backend.as_ref(), &with_payload(payload)), Ok(()), "{payload}");
        }
    }
}

#[test]
fn each_forgery_is_called_by_its_name() {
    let forgeries: Vec<_> =
        [forms(), algorithms(), headers(), claims(), signatures()].into_iter().flatten().collect();
    assert!(forgeries.len() >= 70, "{}", forgeries.len());
    for backend in backends() {
        for (name, text, code) in &forgeries {
            let error = verdict(backend.as_ref(), text).expect_err(name);
            assert_eq!(error.code(), *code, "{name}: {error}");
            assert!(!error.to_string().contains("joe") && !error.to_string().ends_with('.'), "{error}");
        }
    }
    let codes: BTreeSet<_> = forgeries.iter().map(|(_, _, code)| code.as_str()).collect();
    let missing: Vec<_> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| code.starts_with("jwt_") && !codes.contains(code))
        .collect();
    assert_eq!(missing, ["jwt_unknown_key"], "every other code has a forgery");
}

type Forgery = (&'static str, String, Code);

fn forms() -> Vec<Forgery> {
    let [header, payload, signature] = parts();
    let last = |text: &str| {
        // The next letter of the alphabet differs only in bits that carry nothing.
        let end = text.chars().last().unwrap();
        format!("{}{}", &text[..text.len() - 1], char::from(u8::try_from(end).unwrap() + 1))
    };
    assert_eq!(decode(&signature).len(), 64, "of 86 digits, the last with four spare bits");
    vec![
        ("nothing", String::new(), Code::JwtNotCompact),
        ("one part", header.clone(), Code::JwtNotCompact),
        ("two parts", format!("{header}.{payload}"), Code::JwtNotCompact),
        ("four parts", format!("{}.{signature}", good()), Code::JwtNotCompact),
        ("five parts, as encrypted", format!("{}..{signature}", good()), Code::JwtNotCompact),
        (
            "the JSON form",
            format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
            Code::JwtNotCompact,
        ),
        ("too long", format!("{}{}", good(), "A".repeat(limits::JWT_BYTES)), Code::JwtTooLarge),
        ("a blank before it", format!(" {}", good()), Code::JwtEncoding),
        ("a newline after it", format!("{}\n", good()), Code::JwtEncoding),
        ("padded", format!("{header}.{payload}.{signature}=="), Code::JwtEncoding),
        ("a newline inside", format!("{header}.{payload}\r\n.{signature}"), Code::JwtEncoding),
        ("the other alphabet", format!("{header}.{payload}.{}+/", &signature[..84]), Code::JwtEncoding),
        ("stray bits", format!("{header}.{payload}.{}", last(&signature)), Code::JwtEncoding),
        ("a byte that is no text", format!("{header}.{payload}\u{e9}.{signature}"), Code::JwtEncoding),
        ("an empty header", format!(".{payload}.{signature}"), Code::JwtMalformedJson),
        ("an empty payload", format!("{header}..{signature}"), Code::JwtMalformedJson),
        ("a header that is a list", with_header(r#"["ES256"]"#), Code::JwtMalformedJson),
        ("a header that is no JSON", with_header(r#"{"alg":"ES256""#), Code::JwtMalformedJson),
        ("a header that goes on", with_header(r#"{"alg":"ES256"} {}"#), Code::JwtMalformedJson),
        ("a payload that is a text", with_payload(r#""joe""#), Code::JwtMalformedJson),
        ("a lone surrogate", with_payload(r#"{"iss":"\ud800"}"#), Code::JwtMalformedJson),
        ("a byte order mark", with_payload("\u{feff}{}"), Code::JwtMalformedJson),
        ("a deep payload", with_payload(&format!("{{\"a\":{}", "[".repeat(100))), Code::JwtMalformedJson),
        (
            "alg twice",
            with_header(r#"{"alg":"none","alg":"ES256","kid":"k1","typ":"at+jwt"}"#),
            Code::JwtDuplicateMember,
        ),
        (
            "alg twice, once escaped",
            with_header(r#"{"alg":"ES256","\u0061lg":"none","kid":"k1"}"#),
            Code::JwtDuplicateMember,
        ),
        (
            "exp twice",
            with_payload(r#"{"aud":"edge","exp":1700000000,"exp":9999999999,"iss":"joe"}"#),
            Code::JwtDuplicateMember,
        ),
        (
            "a member twice, deep inside",
            with_payload(r#"{"aud":"edge","exp":1700000600,"iss":"joe","cnf":{"jkt":"a","jkt":"b"}}"#),
            Code::JwtDuplicateMember,
        ),
    ]
}

fn algorithms() -> Vec<Forgery> {
    let [_, payload, signature] = parts();
    let unsigned = |alg: &str| format!("{}.{payload}.", encode(format!(r#"{{"alg":"{alg}"}}"#)));
    let named = |alg: &str| with_header(&HEADER.replace("ES256", alg));
    vec![
        ("none", unsigned("none"), Code::JwtUnsigned),
        ("None", unsigned("None"), Code::JwtUnsigned),
        ("NONE", unsigned("NONE"), Code::JwtUnsigned),
        ("nOnE", unsigned("nOnE"), Code::JwtUnsigned),
        ("none with a signature", named("none"), Code::JwtUnsigned),
        ("a MAC under the public key", mac("HS256"), Code::JwtAlgorithmNotAllowed),
        ("HS384", mac("HS384"), Code::JwtAlgorithmNotAllowed),
        ("HS512", mac("HS512"), Code::JwtAlgorithmNotAllowed),
        ("PS256", named("PS256"), Code::JwtAlgorithmNotAllowed),
        ("ES384", named("ES384"), Code::JwtAlgorithmNotAllowed),
        ("ES256K", named("ES256K"), Code::JwtAlgorithmNotAllowed),
        ("es256", named("es256"), Code::JwtAlgorithmNotAllowed),
        ("ES256 and a blank", named("ES256 "), Code::JwtAlgorithmNotAllowed),
        ("no name", named(""), Code::JwtAlgorithmNotAllowed),
        ("EdDSA", named("EdDSA"), Code::JwtAlgorithmMismatch),
        ("EdDSA by the forger's key", other_algorithm(), Code::JwtAlgorithmMismatch),
        ("RS256", named("RS256"), Code::JwtAlgorithmMismatch),
        ("no algorithm", with_header(r#"{"typ":"at+jwt"}"#), Code::JwtInvalidHeader),
        ("an algorithm that is null", with_header(r#"{"alg":null}"#), Code::JwtInvalidHeader),
        ("a list of algorithms", with_header(r#"{"alg":["none","ES256"]}"#), Code::JwtInvalidHeader),
        ("an empty header object", format!("{}.{payload}.{signature}", encode("{}")), Code::JwtInvalidHeader),
    ]
}

fn headers() -> Vec<Forgery> {
    let member = |member: &str| with_header(&HEADER.replace('{', &format!("{{{member},")));
    let own = key(Algorithm::Es256, 66);
    let jwk = own.public().to_jwk();
    let embedded = HEADER.replace('{', &format!(r#"{{"jwk":{jwk},"#));
    vec![
        ("crit", member(r#""crit":["exp"],"exp":1"#), Code::JwtCriticalExtension),
        ("crit that is empty", member(r#""crit":[]"#), Code::JwtCriticalExtension),
        ("crit that is no list", member(r#""crit":"exp""#), Code::JwtCriticalExtension),
        ("crit that is null", member(r#""crit":null"#), Code::JwtCriticalExtension),
        ("crit that names b64", member(r#""crit":["b64"],"b64":false"#), Code::JwtCriticalExtension),
        ("b64", member(r#""b64":false"#), Code::JwtUnencodedPayload),
        ("b64 that is true", member(r#""b64":true"#), Code::JwtUnencodedPayload),
        ("the forger's key along", forge(&own, &embedded, PAYLOAD), Code::JwtEmbeddedKey),
        ("jwk that is null", member(r#""jwk":null"#), Code::JwtEmbeddedKey),
        ("jku", member(r#""jku":"https://evil.example/keys""#), Code::JwtEmbeddedKey),
        ("x5u", member(r#""x5u":"https://evil.example/chain.pem""#), Code::JwtEmbeddedKey),
        ("x5c", member(r#""x5c":["MIIB"]"#), Code::JwtEmbeddedKey),
        ("kid that is a number", with_header(r#"{"alg":"ES256","kid":1}"#), Code::JwtInvalidHeader),
        ("kid that is null", with_header(r#"{"alg":"ES256","kid":null}"#), Code::JwtInvalidHeader),
        (
            "kid without end",
            with_header(&format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(limits::KID_BYTES + 1))),
            Code::JwtInvalidHeader,
        ),
        ("typ that is a list", with_header(r#"{"alg":"ES256","typ":["at+jwt"]}"#), Code::JwtInvalidHeader),
        ("another type", with_header(&HEADER.replace("at+jwt", "JWT")), Code::JwtWrongType),
        ("a type in capitals", with_header(&HEADER.replace("at+jwt", "AT+JWT")), Code::JwtWrongType),
        ("a proof as a token", with_header(&HEADER.replace("at+jwt", "dpop+jwt")), Code::JwtWrongType),
        ("no type", with_header(r#"{"alg":"ES256","kid":"k1"}"#), Code::JwtWrongType),
    ]
}

fn claims() -> Vec<Forgery> {
    let time = |name: &str, value: &str| {
        let members: Vec<_> = ["exp", "iat", "nbf"]
            .into_iter()
            .map(|member| {
                let usual = if member == "exp" { "1700000600" } else { "1700000000" };
                format!(r#""{member}":{}"#, if member == name { value } else { usual })
            })
            .collect();
        with_payload(&format!(r#"{{"aud":"edge","iss":"joe",{}}}"#, members.join(",")))
    };
    let replaced = |from: &str, to: &str| with_payload(&PAYLOAD.replace(from, to));
    vec![
        ("exp that is a text", time("exp", "\"1700000600\""), Code::JwtInvalidClaim),
        ("exp that is null", time("exp", "null"), Code::JwtInvalidClaim),
        ("exp that is true", time("exp", "true"), Code::JwtInvalidClaim),
        ("exp that is a list", time("exp", "[9999999999]"), Code::JwtInvalidClaim),
        ("exp before time began", time("exp", "-1"), Code::JwtInvalidClaim),
        ("exp in milliseconds", time("exp", "1700000600000"), Code::JwtInvalidClaim),
        ("exp beyond every number", time("exp", "1e300"), Code::JwtInvalidClaim),
        ("exp that wraps around", time("exp", "18446744073709551615"), Code::JwtInvalidClaim),
        ("nbf that is a text", time("nbf", "\"0\""), Code::JwtInvalidClaim),
        ("iat that is a text", time("iat", "\"0\""), Code::JwtInvalidClaim),
        ("no exp", replaced("\"exp\":1700000600,", ""), Code::JwtMissingClaim),
        ("expired", time("exp", "1700000240"), Code::JwtExpired),
        ("expired long ago", time("exp", "0"), Code::JwtExpired),
        ("not yet", time("nbf", "1700000361"), Code::JwtNotYetValid),
        ("from the future", time("iat", "1700000361"), Code::JwtIssuedAhead),
        ("another issuer", replaced("\"joe\"", "\"eve\""), Code::JwtWrongIssuer),
        ("an issuer with a blank", replaced("\"joe\"", "\"joe \""), Code::JwtWrongIssuer),
        ("no issuer", replaced("\"iss\":\"joe\",", ""), Code::JwtWrongIssuer),
        ("an issuer that is a list", replaced("\"joe\"", "[\"joe\"]"), Code::JwtInvalidClaim),
        ("another audience", replaced("\"edge\"", "\"core\""), Code::JwtWrongAudience),
        ("other audiences", replaced("\"edge\"", "[\"core\",\"Edge\"]"), Code::JwtWrongAudience),
        ("no audience", replaced("\"aud\":\"edge\",", ""), Code::JwtWrongAudience),
        ("an audience that is a number", replaced("\"edge\"", "7"), Code::JwtInvalidClaim),
        ("an audience of mixed kinds", replaced("\"edge\"", "[\"edge\",7]"), Code::JwtInvalidClaim),
    ]
}

fn signatures() -> Vec<Forgery> {
    let [header, payload, signature] = parts();
    let raw = decode(&signature);
    let signed = |signature: &[u8]| format!("{header}.{payload}.{}", encode(signature));
    let (r, s) = raw.split_at(32);
    let order = decode("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE");
    let altered = PAYLOAD.replace("joe", "eve");
    vec![
        ("no signature", format!("{header}.{payload}."), Code::JwtSignatureLength),
        ("a byte less", signed(&raw[..63]), Code::JwtSignatureLength),
        ("a byte more", signed(&[&raw[..], &[0]].concat()), Code::JwtSignatureLength),
        ("DER instead of r and s", signed(&der(r, s)), Code::JwtSignatureLength),
        ("r and s of zero", signed(&[0; 64]), Code::JwtBadSignature),
        ("r of zero", signed(&[&[0; 32], s].concat()), Code::JwtBadSignature),
        ("s of zero", signed(&[r, &[0; 32]].concat()), Code::JwtBadSignature),
        ("r and s of the order", signed(&[&order[..], &order[..]].concat()), Code::JwtBadSignature),
        ("r and s of ones", signed(&[0xff; 64]), Code::JwtBadSignature),
        ("r and s swapped", signed(&[s, r].concat()), Code::JwtBadSignature),
        ("another payload", format!("{header}.{}.{signature}", encode(altered)), Code::JwtBadSignature),
        (
            "another header",
            format!("{}.{payload}.{signature}", encode(HEADER.replace("k1", "k2"))),
            Code::JwtBadSignature,
        ),
        ("signed by another key", forge(&key(Algorithm::Es256, 9), HEADER, PAYLOAD), Code::JwtBadSignature),
        ("an Ed25519 signature", signed(&key(Algorithm::EdDsa, 1).sign(b"x")), Code::JwtBadSignature),
    ]
}

/// RFC 8725 section 2.1: the public key as the key of a MAC. Whatever the MAC is, it is not looked at.
fn mac(algorithm: &str) -> String {
    let backend = &backends()[0];
    let header = encode(HEADER.replace("ES256", algorithm));
    let public = key(Algorithm::Es256, 1).public().to_jwk().to_string();
    let signed = format!("{header}.{}", encode(PAYLOAD));
    format!("{signed}.{}", encode(backend.hmac_sha256(public.as_bytes(), &[signed.as_bytes()])))
}

fn other_algorithm() -> String {
    forge(&key(Algorithm::EdDsa, 1), &HEADER.replace("ES256", "EdDSA"), PAYLOAD)
}

fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let number = |number: &[u8]| {
        let pad: &[u8] = if number[0] > 0x7f { &[0] } else { &[] };
        [&[2, u8::try_from(pad.len() + 32).unwrap()], pad, number].concat()
    };
    let body = [number(r), number(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

#[test]
fn a_kid_names_a_key_and_nothing_else() {
    for backend in backends() {
        let keys = [("k1".to_owned(), key(Algorithm::Es256, 1).public())];
        let keys = PublicKeys::new(keys.into(), backend.as_ref()).unwrap();
        let verdict =
            |header: &str| jwt::verify_by_kid(&keys, &with_header(header), &EXPECTED, at(NOW)).map(|_| ());
        assert_eq!(verdict(HEADER), Ok(()));
        for kid in ["k2", "K1", "", "k1 ", "../k1", "k1\\u0000", "' OR 1=1 --", "|/usr/bin/id", "/dev/null"] {
            assert_eq!(verdict(&HEADER.replace("k1", kid)), Err(JwtError::UnknownKey), "{kid}");
        }
        assert_eq!(verdict(r#"{"alg":"ES256","typ":"at+jwt"}"#), Err(JwtError::UnknownKey));
    }
}

/// The signature S + L verifies in sloppy readers, and makes a second spelling of the same token.
#[test]
fn ed25519_signatures_have_one_spelling() {
    let signer: SigningKey = Ed25519Key::from_seed(&SecretKey::new([7; 32])).into();
    let header = HEADER.replace("ES256", "EdDSA");
    let good = forge(&signer, &header, PAYLOAD);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let order = decode("7dP1XBpjEljWnPei3vneFAAAAAAAAAAAAAAAAAAAABA");
    let mut bytes = decode(signature);
    let mut carry = 0_u16;
    for (to, from) in bytes[32..].iter_mut().zip(order) {
        carry += u16::from(*to) + u16::from(from);
        *to = u8::try_from(carry & 0xff).unwrap();
        carry >>= 8;
    }
    let forged = format!("{signed}.{}", encode(bytes));
    for backend in backends() {
        let verifier = signer.public().verifier(backend.as_ref()).unwrap();
        let verdict = |text: &str| jwt::verify(&verifier, text, &EXPECTED, at(NOW)).map(|_| ());
        assert_eq!(verdict(&good), Ok(()));
        assert_eq!(verdict(&forged), Err(JwtError::BadSignature));
    }
}

#[test]
fn time_is_what_the_caller_says() {
    for backend in backends() {
        let key = verifier(backend.as_ref());
        let verdict = |leeway_seconds, now: &str| {
            let expected = Expected { leeway_seconds, ..EXPECTED };
            jwt::verify(&key, &good(), &expected, at(now)).map(|_| ())
        };
        // Begins at 22:13:20 and ends at 22:23:20.
        assert_eq!(verdict(0, "2023-11-14T22:13:19.999Z"), Err(JwtError::NotYetValid));
        assert_eq!(verdict(0, "2023-11-14T22:13:20Z"), Ok(()));
        assert_eq!(verdict(0, "2023-11-14T22:23:19.999Z"), Ok(()));
        assert_eq!(verdict(0, "2023-11-14T22:23:20Z"), Err(JwtError::Expired));
        assert_eq!(verdict(60, "2023-11-14T22:12:19.999Z"), Err(JwtError::NotYetValid));
        assert_eq!(verdict(60, "2023-11-14T22:12:20Z"), Ok(()));
        assert_eq!(verdict(60, "2023-11-14T22:24:19.999Z"), Ok(()));
        assert_eq!(verdict(60, "2023-11-14T22:24:20Z"), Err(JwtError::Expired));
    }
}

#[test]
fn the_same_claims_have_the_same_bytes() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let signer = key(algorithm, 3);
        let claims = |text: &str| Claims::new(serde_json::from_str(text).unwrap());
        let first = jwt::sign(&signer, "at+jwt", Some("k1"), &claims(r#"{"exp":7,"a":"b"}"#));
        let again = jwt::sign(&signer, "at+jwt", Some("k1"), &claims(r#"{ "a":"\u0062", "exp":7 }"#));
        assert_eq!(first, again);
        let other = jwt::sign(&signer, "at+jwt", Some("k1"), &claims(r#"{"exp":8,"a":"b"}"#));
        assert_ne!(first, other);
        assert_eq!(format!("{first:?}"), "[redacted]");
    }
}
