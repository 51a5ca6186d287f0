//! The inspector against whoever chooses what is pasted, and for whoever reads the answer over a shoulder.
//!
//! Input: a text. Whatever it is, what is shown of it is the same when its secret is another one: so nothing of the secret
//! is shown, not even its length.

use handfast::{
    choria::AnyClaims,
    inspect::{Inspected, inspect},
    limits,
    token::EnrollmentToken,
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;

use super::base64url::{decode, encode};

/// What the claims of a JWT are shown with; of all others only their names are.
const SHOWN: [&str; 5] = ["iss", "sub", "iat", "nbf", "exp"];

/// One input; whether it is known.
pub(crate) fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let inspected = inspect(text);
    let shown = show(&inspected);
    assert_eq!(show(&inspect(&format!(" \t{text}\r\n"))), shown, "white space around it");
    let text = text.trim();
    match &inspected {
        Inspected::EnrollmentToken { package, generation } => {
            let other = EnrollmentToken::generate(*package, *generation, &mut StdRng::seed_from_u64(7));
            assert_eq!(show(&inspect(other.to_secret().expose())), shown);
        }
        Inspected::DownloadLink { .. } => same(&shown, &[cut(text, '.'), &encode(&[0; 32])]),
        Inspected::KubernetesBootstrapToken { .. } => same(&shown, &[cut(text, '.'), "0123456789abcdef"]),
        Inspected::KubernetesCaPin { pin } => assert_eq!(pin.to_string(), text.to_ascii_lowercase()),
        Inspected::Choria(token) => {
            same(&shown, &[cut(text, '.'), &signature(text)]);
            if let AnyClaims::Provisioning(_) = token.claims() {
                let other = with_other_secrets(text);
                assert!(other.len() > limits::INSPECT_BYTES || show(&inspect(&other)) == shown, "{other}");
            }
        }
        Inspected::ServiceRadar { kind } => {
            let payload = match *kind {
                "edge" => r#"{"pkg":"a","dl":"b"}"#,
                "collector" => r#"{"e":0,"p":"a","t":"b","u":"https://c"}"#,
                _ => "",
            };
            let prefix = text.split_inclusive(':').next().expect("a colon");
            same(&shown, &[prefix, &encode(payload.as_bytes()), ".", &encode(&[0; 64])]);
        }
        Inspected::Jwt(_) => {
            same(&shown, &[cut(text, '.'), &signature(text)]);
            let other = inspect(&with_other_claims(text));
            assert!(show(&other) == shown || matches!(other, Inspected::Choria(_)), "{other:?}");
        }
        Inspected::Malformed { like, code } => {
            let likes = ["enrollment_token", "download_link", "kubernetes_ca_pin", "service_radar", "jwt"];
            assert!(likes.contains(like) && !code.as_str().is_empty());
            return false;
        }
        Inspected::Unknown => return false,
        other => panic!("what is its secret? {other:?}"),
    }
    true
}

/// All that anybody can see of it.
fn show(inspected: &Inspected) -> String {
    format!("{inspected:?} {}", serde_json::to_string(inspected).expect("can be shown"))
}

fn same(shown: &str, parts: &[&str]) {
    assert_eq!(show(&inspect(&parts.concat())), shown, "with another secret");
}

/// The text up to the last separator, with it.
fn cut(text: &str, separator: char) -> &str {
    &text[..=text.rfind(separator).expect("its separator")]
}

/// Another signature of the same length.
fn signature(text: &str) -> String {
    "A".repeat(text.len() - cut(text, '.').len())
}

/// The same JWT with other values for the claims that are not shown.
fn with_other_claims(text: &str) -> String {
    changed(text, |name, value| {
        if !SHOWN.contains(&name) {
            *value = 0.into();
        }
    })
}

/// The same provisioning token of Choria's with other secrets in all places that may hold one. A claim that is left blank
/// stays so: that there is none may be shown.
fn with_other_secrets(text: &str) -> String {
    changed(text, |name, value| match (name, value) {
        ("cht" | "chpwd", Value::String(secret)) if !secret.is_empty() => *secret = "hunter2".to_owned(),
        ("extensions", Value::Object(extensions)) => extensions.values_mut().for_each(|value| *value = 0.into()),
        ("chu", Value::String(urls)) => *urls = with_other_users(urls),
        (_, _) => {}
    })
}

fn with_other_users(urls: &str) -> String {
    let with_user = |url: &str| match url.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            format!("{scheme}://ann:hunter2@{}", rest.rsplit('@').next().expect("at least one part"))
        }
        Some(_) | None => url.to_owned(),
    };
    urls.split(',').map(with_user).collect::<Vec<_>>().join(",")
}

fn changed(text: &str, mut change: impl FnMut(&str, &mut Value)) -> String {
    let parts: Vec<_> = text.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&decode(parts[1])).expect("accepted JSON");
    for (name, value) in claims.as_object_mut().expect("claims") {
        change(name, value);
    }
    format!("{}.{}.{}", parts[0], encode(claims.to_string().as_bytes()), parts[2])
}
