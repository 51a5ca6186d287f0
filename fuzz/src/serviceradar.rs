//! ServiceRadar's tokens against whoever chooses the text, and against whoever holds the key.
//!
//! Input: a byte that says what the rest is taken for (modulo 4): a token, a payload to be signed, a key, or the names of
//! a file, a URL and a variable. What is accepted has one spelling, and what is made of it is accepted again.

use std::path::{Component, Path};

use handfast::{
    Secret, SecretKey, Timestamp,
    archive::{EnvFile, FileName},
    crypto::{Ed25519Key, VerifyingKey, default_backend},
    serviceradar::{self, BaseUrl, CollectorToken, EdgeToken, TokenKind, private_key, public_key},
};

use super::base64url;

/// The private key is 32 times this; the seeds are signed with it.
const SEED: [u8; 32] = [7; 32];
const PREFIXES: [&str; 2] = ["edgepkg-v2:", "collectorpkg-v2:"];

/// One input; whether it is accepted.
pub(crate) fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else { return false };
    let Ok(text) = std::str::from_utf8(rest) else { return false };
    match form % 4 {
        0 => token(text),
        1 => PREFIXES.map(|prefix| payload(prefix, text)).contains(&true),
        2 => key(text),
        _ => names(text),
    }
}

fn signer() -> Ed25519Key {
    Ed25519Key::from_seed(&SecretKey::new(SEED))
}

/// Verifies a token as both kinds; it is good only as what its prefix says.
fn token(text: &str) -> bool {
    let key = default_backend().ed25519_public_key(&signer().public()).expect("a key");
    let (edge, collector) = (edge(text, key.as_ref()), collector(text, key.as_ref()));
    let kind = TokenKind::of(text);
    assert!(!edge || kind == Some(TokenKind::Edge));
    assert!(!collector || kind == Some(TokenKind::Collector));
    let looked = serviceradar::inspect(text);
    assert!(if edge || collector { looked.ok() == kind } else { looked.is_err() || kind.is_some() });
    edge || collector
}

fn edge(text: &str, key: &dyn VerifyingKey) -> bool {
    let Ok(token) = EdgeToken::verify(text, key) else { return false };
    let again = token.sign(&signer());
    assert_eq!(EdgeToken::verify(again.expose(), key).as_ref(), Ok(&token));
    // Only the order of the members may have been another.
    assert_eq!(again.expose().len(), text.len());
    true
}

fn collector(text: &str, key: &dyn VerifyingKey) -> bool {
    let now = Timestamp::from_unix_millis(0).expect("a time");
    let Ok(token) = CollectorToken::verify(text, key, now) else { return false };
    let again = token.sign(&signer());
    assert_eq!(CollectorToken::verify(again.expose(), key, now).as_ref(), Ok(&token));
    assert_eq!(again.expose().len(), text.len());
    assert!(CollectorToken::verify(text, key, token.expires_at()).is_err());
    true
}

/// Signs a payload as only the holder of the key can.
fn payload(prefix: &str, payload: &str) -> bool {
    let signature = signer().sign(payload.as_bytes());
    let text = format!("{prefix}{}.{}", base64url::encode(payload.as_bytes()), base64url::encode(&signature));
    let accepted = token(&text);
    assert!(!accepted || payload.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'));
    accepted
}

fn key(text: &str) -> bool {
    let private = private_key(text).is_ok();
    let public = public_key(default_backend().as_ref(), text).is_ok();
    assert!(!(private || public) || (43..=88).contains(&text.len()));
    private || public
}

fn names(text: &str) -> bool {
    let name = text.parse::<FileName>();
    if let Ok(name) = &name {
        let mut parts = Path::new(name.as_str()).components();
        assert!(text.is_ascii() && parts.all(|part| matches!(part, Component::Normal(_))));
    }
    let url = text.parse::<BaseUrl>();
    if let Ok(url) = &url {
        assert_eq!(url.as_str().parse().as_ref(), Ok(url));
        assert!(url.as_str().starts_with("https://") && !url.as_str().contains(['@', '?', '#', '\\', ' ']));
    }
    let (variable, value) = text.split_once('=').unwrap_or_default();
    let env = EnvFile::new().with(variable, Secret::new(value.to_owned()));
    if let Ok(env) = &env {
        assert_eq!(env.to_secret().expose(), format!("{variable}='{value}'\n"));
    }
    name.is_ok() || url.is_ok() || env.is_ok()
}
