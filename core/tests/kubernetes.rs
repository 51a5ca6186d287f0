//! Kubernetes material against `vectors/kubernetes/cases.json`, which was made without handfast.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers"
)]

mod support;

use std::convert::Infallible;

use handfast::{
    code::Code,
    crypto::{Backend, default_backend},
    kubernetes::{
        BootstrapGroup, BootstrapSecret, BootstrapToken, CaPin, ClusterInfo, KubernetesError, LabelKey,
        LabelValue, TokenId, sign_detached, verify_detached,
    },
};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;
use support::backends;

fn cases() -> Value {
    serde_json::from_str(include_str!("../vectors/kubernetes/cases.json")).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("no {name} in {case}"))
}

fn token(text: &str) -> BootstrapToken {
    text.parse().unwrap()
}

#[test]
fn tokens_are_exact() {
    let cases = cases();
    let accepted = texts(&cases["tokens"]["accepted"]);
    for text in &accepted {
        let token = token(text);
        assert_eq!(token.to_secret().expose(), *text);
        assert_eq!(format!("{}.{}", token.id(), token.secret().expose()), *text);
        assert_eq!(token.id().secret_name(), format!("bootstrap-token-{}", token.id()));
    }
    let refused = texts(&cases["tokens"]["refused"]);
    for text in &refused {
        let error = text.parse::<BootstrapToken>().unwrap_err();
        assert_eq!(error.code(), Code::KubernetesMalformedToken, "{text:?}");
    }
    assert_eq!((accepted.len(), refused.len()), (4, 19));
    assert!("07401".parse::<TokenId>().is_err());
}

#[test]
fn a_token_does_not_show_itself() {
    let shown = format!("{:?}", token("07401b.f395accd246ae52d"));
    assert_eq!(shown, "BootstrapToken(07401b.[redacted])");
    let secret = BootstrapSecret::new(
        token("07401b.f395accd246ae52d"),
        "2026-01-01T00:00:00Z".parse().unwrap(),
        "p1".parse().unwrap(),
    );
    assert!(!format!("{secret:?} {:?} {:?}", secret.to_yaml(), secret.to_json()).contains("f395accd"));
}

/// Gives the bytes it was made with, over and over.
struct Script(Vec<u8>, usize);

impl rand::TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.0[self.1 % self.0.len()];
            self.1 += 1;
        }
        Ok(())
    }
}

impl rand::TryCryptoRng for Script {}

#[test]
fn bytes_that_would_favour_some_characters_are_dropped() {
    let mut rng = Script(vec![252, 0, 253, 35, 254, 36, 255, 251], 0);
    assert_eq!(BootstrapToken::generate(&mut rng).to_secret().expose(), "a9a9a9.a9a9a9a9a9a9a9a9");
}

#[test]
fn generated_characters_are_uniform_and_tokens_differ() {
    let mut rng = StdRng::seed_from_u64(7);
    let mut counts = std::collections::BTreeMap::<char, u32>::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4_000 {
        let whole = BootstrapToken::generate(&mut rng).to_secret();
        assert!(whole.expose().parse::<BootstrapToken>().is_ok());
        for character in whole.expose().chars().filter(|character| *character != '.') {
            *counts.entry(character).or_default() += 1;
        }
        assert!(seen.insert(whole.expose().to_owned()));
    }
    // 88,000 characters over 36: 2,444 of each, standard deviation 49. Taking all bytes modulo 36 would give the first
    // four 2,750 each.
    assert_eq!(counts.len(), 36);
    for (character, count) in counts {
        assert!((2_194..=2_694).contains(&count), "{character}: {count}");
    }
}

#[test]
fn groups_are_those_that_kubernetes_accepts() {
    let cases = cases();
    let accepted = texts(&cases["groups"]["accepted"]);
    for text in &accepted {
        assert_eq!(text.parse::<BootstrapGroup>().unwrap().as_str(), *text);
    }
    let refused = texts(&cases["groups"]["refused"]);
    for text in &refused {
        let error = text.parse::<BootstrapGroup>().unwrap_err();
        assert_eq!(error.code(), Code::KubernetesInvalidManifest, "{text:?}");
    }
    assert_eq!((accepted.len(), refused.len()), (4, 12));
    assert_eq!(BootstrapGroup::kubeadm().as_str(), accepted[0]);
}

#[test]
fn labels_are_those_that_kubernetes_accepts() {
    let (name, domain) = ("a".repeat(63), vec!["a".repeat(62); 4].join("."));
    for good in ["a", "handfast.dev/instance-id", "dynk8s.du5t1n.me/ec2-instance-id", "A_b.c-9", "a/B", &name]
    {
        assert_eq!(good.parse::<LabelKey>().unwrap().as_str(), good);
    }
    assert!(format!("{domain}/{name}").parse::<LabelKey>().is_ok());
    let too_long = format!("{domain}.aaaa/a");
    for bad in
        ["", "/", "a/", "/a", "a/b/c", "A.b/c", "a..b/c", "-a/b", "a-/b", "a b", "-a", "a.", "é", &too_long]
    {
        let error = bad.parse::<LabelKey>().unwrap_err();
        assert_eq!(error.code(), Code::KubernetesInvalidManifest, "{bad:?}");
    }
    for good in ["i-0a74797fd283b53de", "1", "A_b.c-9", &name] {
        assert_eq!(good.parse::<LabelValue>().unwrap().as_str(), good);
    }
    for bad in ["", "-", "a-", ".a", "a/b", "a b", "a\n", "é", &format!("{name}a")] {
        assert!(bad.parse::<LabelValue>().is_err(), "{bad:?}");
    }
}

#[test]
fn manifests_have_these_bytes() {
    let cases = cases();
    let manifests = cases["manifests"].as_array().unwrap();
    for case in manifests {
        let groups = texts(&case["groups"]).into_iter().map(|group| group.parse().unwrap()).collect();
        let secret = BootstrapSecret::new(
            token(text(case, "token")),
            text(case, "expires_at").parse().unwrap(),
            text(case, "owner").parse().unwrap(),
        );
        let secret = secret.with_instance(text(case, "instance")).unwrap().with_groups(groups).unwrap();
        let secret = match case["description"].as_str() {
            Some(description) => secret.with_description(description).unwrap(),
            None => secret,
        };
        assert_eq!(secret.to_yaml().expose(), text(case, "yaml"));
        assert_eq!(secret.to_json().expose(), text(case, "json"));
        assert_eq!(secret.namespace(), "kube-system");
        assert!(text(case, "yaml").contains(&format!("  name: {}\n", secret.name())));
    }
    assert_eq!(manifests.len(), 6);
}

#[test]
fn a_manifest_refuses_what_the_api_server_would() {
    let secret = || {
        BootstrapSecret::new(
            token("07401b.f395accd246ae52d"),
            "2026-01-01T00:00:00Z".parse().unwrap(),
            "p1".parse().unwrap(),
        )
    };
    for refused in [
        secret().with_instance("i-\n"),
        secret().with_groups(Vec::new()),
        secret().with_groups(vec![BootstrapGroup::kubeadm(); 17]),
        secret().with_description("two\nlines"),
        secret().with_description(&"x".repeat(1025)),
    ] {
        assert_eq!(refused.unwrap_err().code(), Code::KubernetesInvalidManifest);
    }
    let taken = secret().with_label(BootstrapSecret::OWNER_LABEL.parse().unwrap(), "other".parse().unwrap());
    assert!(taken.to_yaml().expose().contains("handfast.dev/owner: \"p1\""));
}

#[test]
fn cluster_info_becomes_a_kubeconfig() {
    let cases = cases();
    let accepted = cases["cluster_infos"]["accepted"].as_array().unwrap();
    for case in accepted {
        let note = text(case, "note");
        let info = ClusterInfo::from_config_map(text(case, "config_map"))
            .unwrap_or_else(|error| panic!("{note}: {error}"));
        assert_eq!(info.server(), text(case, "server"), "{note}");
        assert_eq!(info.authority(), text(case, "authority").as_bytes(), "{note}");
        let kubeconfigs = texts(&case["kubeconfigs"]);
        for (whole, expected) in texts(&case["tokens"]).into_iter().zip(kubeconfigs) {
            assert_eq!(info.kubeconfig(&token(whole)).expose(), expected, "{note}");
        }
        for backend in backends() {
            let pins: Vec<_> = info.pins(&*backend).iter().map(CaPin::to_string).collect();
            assert_eq!(pins, texts(&case["pins"]), "{note}");
            check_proofs(&info, &*backend, case);
        }
    }
    assert_eq!(accepted.len(), 6);
}

/// Each token and each pin proves it; neighbours of them do not.
fn check_proofs(info: &ClusterInfo, backend: &dyn Backend, case: &Value) {
    for whole in texts(&case["tokens"]) {
        let verified = info.clone().verify(backend, &token(whole)).unwrap();
        assert_eq!(*verified.get(), *info);
        let (id, secret) = whole.split_once('.').unwrap();
        let other_secret = format!("{id}.{}", secret.chars().rev().collect::<String>());
        let error = info.clone().verify(backend, &token(&other_secret)).unwrap_err();
        assert_eq!(error.code(), Code::KubernetesBadSignature);
        let error = info.clone().verify(backend, &token(&format!("zzzzzz.{secret}"))).unwrap_err();
        assert_eq!(error.code(), Code::KubernetesMissingSignature);
    }
    let wrong: CaPin = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    for pin in info.pins(backend) {
        assert!(info.clone().verify_pinned(backend, &[wrong, pin]).is_ok());
    }
    for pins in [[].as_slice(), &[wrong]] {
        let error = info.clone().verify_pinned(backend, pins).unwrap_err();
        assert_eq!(error.code(), Code::KubernetesPinMismatch);
    }
}

#[test]
fn a_cluster_info_that_would_weaken_a_node_is_refused() {
    let cases = cases();
    let refused = cases["cluster_infos"]["refused"].as_array().unwrap();
    for case in refused {
        let spaces = case["config_map_of_spaces"].as_u64().map(|count| " ".repeat(count.try_into().unwrap()));
        let map = spaces.as_deref().unwrap_or_else(|| text(case, "config_map"));
        let error = ClusterInfo::from_config_map(map).expect_err(text(case, "note"));
        assert_eq!(error.code().as_str(), text(case, "code"), "{}", text(case, "note"));
    }
    assert_eq!(refused.len(), 26);
}

#[test]
fn a_signature_over_other_bytes_does_not_prove_cluster_info() {
    let cases = cases();
    let first = &cases["cluster_infos"]["accepted"][0];
    let moved = text(first, "config_map").replace("10.0.0.1", "10.0.0.2");
    let info = ClusterInfo::from_config_map(&moved).unwrap();
    let error = info.verify(&*default_backend(), &token("07401b.f395accd246ae52d")).map(drop);
    assert_eq!(error, Err(KubernetesError::BadSignature));
}

#[test]
fn signatures_are_those_of_the_bootstrap_signer() {
    let cases = cases();
    let accepted = cases["signatures"]["accepted"].as_array().unwrap();
    let refused = cases["signatures"]["refused"].as_array().unwrap();
    for backend in backends() {
        for case in accepted {
            let (content, token) = (text(case, "content"), token(text(case, "token")));
            assert_eq!(sign_detached(&*backend, content, &token), text(case, "signature"));
            assert_eq!(verify_detached(&*backend, content, &token, text(case, "signature")), Ok(()));
        }
        for case in refused {
            let (content, token) = (text(case, "content"), token(text(case, "token")));
            let error = verify_detached(&*backend, content, &token, text(case, "signature")).unwrap_err();
            assert_eq!(error.code(), Code::KubernetesBadSignature, "{}", text(case, "note"));
        }
    }
    assert_eq!((accepted.len(), refused.len()), (8, 9));
}

#[test]
fn pins_name_the_key_of_a_certificate() {
    let cases = cases();
    let accepted = cases["pins"]["accepted"].as_array().unwrap();
    for case in accepted {
        let pem = text(case, "certificate");
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
        for backend in backends() {
            let pin = CaPin::of_certificate(&*backend, pem.as_bytes()).unwrap();
            assert_eq!(pin.to_string(), text(case, "pin"));
            assert_eq!(pin, text(case, "pin").parse().unwrap());
            assert_eq!(CaPin::of_certificate(&*backend, &der), Ok(pin));
            let trailing = [der.as_slice(), b"\0"].concat();
            for bad in [trailing.as_slice(), &der[1..], b"", b"hello", pem.repeat(2).as_bytes()] {
                let error = CaPin::of_certificate(&*backend, bad).unwrap_err();
                assert_eq!(error.code(), Code::KubernetesMalformedCertificate);
            }
        }
    }
    let same = texts(&cases["pins"]["same"]);
    let parsed: Vec<CaPin> = same.iter().map(|text| text.parse().unwrap()).collect();
    assert!(parsed.windows(2).all(|pair| pair[0] == pair[1]));
    let refused = texts(&cases["pins"]["refused"]);
    for text in &refused {
        assert_eq!(text.parse::<CaPin>().unwrap_err().code(), Code::KubernetesMalformedPin, "{text:?}");
    }
    assert_eq!((accepted.len(), same.len(), refused.len()), (3, 3, 12));
}

proptest! {
    #[test]
    fn any_text_is_judged_without_panic(text in ".*") {
        let _ = text.parse::<BootstrapToken>();
        let _ = text.parse::<CaPin>();
        let _ = text.parse::<LabelKey>();
        let _ = ClusterInfo::from_config_map(&text);
        let _ = ClusterInfo::from_kubeconfig(text);
    }

    #[test]
    fn any_bytes_are_judged_as_certificate_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = CaPin::of_certificate(&*default_backend(), &bytes);
        let _ = CaPin::of_certificate(&*default_backend(), &[&[0x30, 0x82], bytes.as_slice()].concat());
    }

    #[test]
    fn any_damage_to_a_cluster_info_is_judged_without_panic(
        case in 0_usize..6,
        position in any::<prop::sample::Index>(),
        replacement in any::<char>(),
    ) {
        let cases = cases();
        let case = &cases["cluster_infos"]["accepted"][case];
        let mut map: Vec<char> = text(case, "config_map").chars().collect();
        let position = position.index(map.len());
        map[position] = replacement;
        let map: String = map.into_iter().collect();
        if let Ok(info) = ClusterInfo::from_config_map(&map) {
            prop_assert!(info.server().starts_with("https://"));
        }
    }
}
