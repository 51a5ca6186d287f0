//! `wg` agrees about keys, and `wg-quick` about configurations.

use handfast::wireguard::{Config, Interface, Peer, PresharedKey, PrivateKey};
use rand::{SeedableRng, rngs::StdRng};

use crate::peer::{fed, need_root, peer, succeed};

const FROM: &str = "the package `wireguard-tools`";

#[test]
fn wg_agrees_about_keys() {
    peer("wg", &["wg", "--version"], FROM, |wg| {
        let mut rng = StdRng::from_seed([1; 32]);
        for _ in 0..20 {
            let ours = PrivateKey::generate(&mut rng);
            let public = fed(wg.command().arg("pubkey"), ours.to_secret().expose());
            assert_eq!(public.trim(), ours.public_key().to_string());
            let theirs = succeed(wg.command().arg("genkey"));
            let read: PrivateKey = theirs.trim().parse().unwrap();
            assert_eq!(read.to_secret().expose(), theirs.trim(), "clamped in the same way");
            let shared = succeed(wg.command().arg("genpsk"));
            assert_eq!(shared.trim().parse::<PresharedKey>().unwrap().to_secret().expose(), shared.trim());
        }
        Ok(())
    });
}

#[test]
fn wg_quick_strips_what_it_keeps_for_itself_and_nothing_else() {
    peer("wg-quick", &["wg", "--version"], FROM, |wg_quick| {
        need_root()?;
        let mut rng = StdRng::from_seed([2; 32]);
        let interface = Interface {
            addresses: vec!["10.9.0.2/24".parse().unwrap(), "fd00::2/64".parse().unwrap()],
            dns: vec!["10.9.0.1".parse().unwrap(), "corp.example".parse().unwrap()],
            listen_port: Some(51820),
            mtu: Some(1280),
            ..Interface::new(PrivateKey::generate(&mut rng))
        };
        let peer = Peer {
            preshared_key: Some(PresharedKey::generate(&mut rng)),
            allowed_ips: vec!["10.9.0.0/24".parse().unwrap(), "::/0".parse().unwrap()],
            endpoint: Some("[fd00::1]:51820".parse().unwrap()),
            persistent_keepalive: Some(25),
            ..Peer::new(PrivateKey::generate(&mut rng).public_key())
        };
        let bare = Peer::new(PrivateKey::generate(&mut rng).public_key());
        let text = Config::new(interface, vec![peer, bare]).unwrap().to_secret();
        let file = wg_quick.write("wgtest.conf", text.expose());
        let stripped = succeed(wg_quick.command().arg("strip").arg(file));
        let own = ["Address", "DNS", "MTU"];
        let expected = text
            .expose()
            .lines()
            .filter(|line| !line.is_empty() && !own.iter().any(|key| line.starts_with(key)));
        let found = stripped.lines().filter(|line| !line.is_empty());
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        Ok(())
    });
}
