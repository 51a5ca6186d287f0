//! Kubernetes material against whoever answers in the API server's place, and against whoever mistypes a token.
//!
//! Input: a byte that says what the rest is taken for (modulo 4): the ConfigMap `cluster-info`, a kubeconfig alone, a
//! certificate whose pin is taken, or a token, a pin or a label. What is accepted can be used without weakening a node, and
//! what is made of it is accepted again.

use handfast::{
    Secret,
    crypto::default_backend,
    kubernetes::{
        BootstrapGroup, BootstrapSecret, BootstrapToken, CaPin, ClusterInfo, KubernetesError, LabelKey,
        LabelValue, TokenId, sign_detached,
    },
};
use serde_json::Value;

const TOKEN: &str = "07401b.f395accd246ae52d";

/// One input; whether it is accepted.
pub(crate) fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else { return false };
    if form % 4 == 2 {
        return certificate(rest);
    }
    let Ok(text) = std::str::from_utf8(rest) else { return false };
    match form % 4 {
        0 => config_map(text),
        1 => kubeconfig(text),
        _ => name(text),
    }
}

fn token() -> BootstrapToken {
    TOKEN.parse().expect("a token")
}

/// Nobody's signature is believed but the one that the token makes over the very text.
fn config_map(text: &str) -> bool {
    let Some(info) = accepted(ClusterInfo::from_config_map(text)) else { return false };
    usable(&info);
    match info.clone().verify(default_backend().as_ref(), &token()) {
        Ok(verified) => assert_eq!(verified.get(), &info),
        Err(KubernetesError::MissingSignature) => {
            assert!(!text.contains(&format!("jws-kubeconfig-{}\"", token().id())) || text.contains('\\'));
        }
        Err(error) => assert_eq!(error, KubernetesError::BadSignature),
    }
    true
}

fn kubeconfig(text: &str) -> bool {
    let Some(info) = accepted(ClusterInfo::from_kubeconfig(text.to_owned())) else { return false };
    usable(&info);
    // The same text as the bootstrap signer publishes it.
    let signature = sign_detached(default_backend().as_ref(), text, &token());
    let map = serde_json::json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "cluster-info", "namespace": "kube-public" },
        "data": { "kubeconfig": text, format!("jws-kubeconfig-{}", token().id()): signature },
    });
    let published = ClusterInfo::from_config_map(&map.to_string()).expect("what is published is read");
    let verified = published.verify(default_backend().as_ref(), &token()).expect("what is signed verifies");
    assert_eq!((verified.server(), verified.authority()), (info.server(), info.authority()));
    true
}

fn accepted(read: Result<ClusterInfo, KubernetesError>) -> Option<ClusterInfo> {
    match read {
        Ok(info) => Some(info),
        Err(KubernetesError::MalformedClusterInfo { what }) => {
            assert!(!what.is_empty());
            None
        }
        Err(error) => {
            assert!(matches!(error, KubernetesError::TooLarge { .. }), "{error}");
            None
        }
    }
}

/// What a node is told leads it to an authenticated server, and the file that is made of it says the same.
fn usable(info: &ClusterInfo) {
    assert!(
        info.server().starts_with("https://") && info.server().bytes().all(|byte| byte.is_ascii_graphic())
    );
    let backend = default_backend();
    let pins = info.pins(backend.as_ref());
    assert!(!pins.is_empty() && info.clone().verify_pinned(backend.as_ref(), &pins[..1]).is_ok());
    assert_eq!(info.clone().verify_pinned(backend.as_ref(), &[]), Err(KubernetesError::PinMismatch));
    let written = info.kubeconfig(&token());
    assert!(!written.expose().contains("insecure") && !written.expose().contains("proxy"));
    let again = ClusterInfo::from_kubeconfig(written.expose().to_owned()).expect("what is written is read");
    assert_eq!((again.server(), again.authority()), (info.server(), info.authority()));
    assert_eq!(again.kubeconfig(&token()), written);
}

fn certificate(bytes: &[u8]) -> bool {
    let Ok(pin) = CaPin::of_certificate(default_backend().as_ref(), bytes) else { return false };
    assert_eq!(pin.to_string().parse(), Ok(pin));
    true
}

fn name(text: &str) -> bool {
    let token = text.parse::<BootstrapToken>();
    if let Ok(token) = &token {
        assert_eq!(token.to_secret().expose(), text);
        assert_eq!(token.id().as_str().parse::<TokenId>().as_ref(), Ok(token.id()));
        assert!(!format!("{token:?}").contains(token.secret().expose()));
    }
    let pin = text.parse::<CaPin>();
    if let Ok(pin) = &pin {
        assert_eq!(pin.to_string(), text.to_ascii_lowercase());
    }
    let (key, value) = (text.parse::<LabelKey>(), text.parse::<LabelValue>());
    let group = text.parse::<BootstrapGroup>();
    if let (Ok(key), Ok(value)) = (&key, &value) {
        manifest(key, value);
    }
    token.is_ok() || pin.is_ok() || key.is_ok() || value.is_ok() || group.is_ok()
}

/// The manifest says what it was given, in JSON as in YAML.
fn manifest(key: &LabelKey, value: &LabelValue) {
    let expires_at = "2026-01-01T00:00:00Z".parse().expect("a time");
    let secret =
        BootstrapSecret::new(token(), expires_at, value.clone()).with_label(key.clone(), value.clone());
    let json: Value = serde_json::from_str(Secret::expose(&secret.to_json())).expect("JSON");
    assert_eq!(json["metadata"]["labels"][key.as_str()], value.as_str());
    assert!(secret.to_yaml().expose().contains(&format!("\"{}\"", value.as_str())));
}
