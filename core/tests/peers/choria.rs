//! Choria's own command reads our tokens, and we its own, up the chain of trust.

use std::process::Command;

use handfast::{
    Code, Secret, Timestamp,
    choria::{self, Client, Issuer, IssuerKey, Provisioning, Server, Terms},
    crypto::default_backend,
    jwt::Algorithm,
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::peer::{Peer, Skipped, installed, peer, run, succeed, text};

const FROM: &str = "it with `make peers-heavy`";

#[test]
fn choria_reads_ours() {
    with_choria(|peer| {
        let (now, rng) = (now(), &mut StdRng::seed_from_u64(1));
        let (organisation, provisioner) = (Issuer::generate(rng), Issuer::generate(rng));
        let (node, stranger) = (Issuer::generate(rng).public_key(), Issuer::generate(rng).public_key());
        let terms = |public_key| Terms { at: now, expires_at: now.plus_seconds(3600), public_key };

        let extensions = json!({"customer": "one"}).as_object().cloned();
        let urls = vec!["nats://broker.example.net:4222".into()];
        let claims = Provisioning { urls, extensions, ..Provisioning::new(Secret::new("hunter2".into())) };
        let token = organisation.issue(&claims, &terms(None), rng).unwrap();
        let read = view(peer, &token, &organisation.public_key().to_string()).unwrap();
        assert_eq!((&read["cht"], &read["extensions"]["customer"]), (&json!("hunter2"), &json!("one")));
        assert_eq!((&read["chs"], &read["purpose"]), (&json!(true), &json!("choria_provisioning")));
        assert!(view(peer, &token, &stranger.to_string()).is_err(), "signed by another key");
        let capitals = organisation.public_key().to_string().to_uppercase();
        assert!(view(peer, &token, &capitals).is_ok(), "handfast is stricter, see `choria/library.rs`");

        let client = Client::new("up=provisioner".to_owned());
        let appointment = organisation.appoint(&client, &terms(Some(provisioner.public_key())), rng).unwrap();
        check(peer, &appointment, &["--chain-issuer", "--purpose", "client"]).unwrap();
        let key = IssuerKey::ed25519(organisation.public_key(), default_backend()).unwrap();
        let appointment = choria::verify::<Client>(&key, appointment.expose(), now).unwrap();
        let chain = provisioner.appointed(&appointment).unwrap();
        let server = chain.issue(&server("n1.example.net"), &terms(Some(node)), rng).unwrap();
        let issuer = format!("--issuer={}", organisation.public_key());
        check(peer, &server, &[&issuer, "--purpose", "server", "--identity", "n1.example.net"]).unwrap();
        // Whether Choria believes it with another organisation's key depends on its version; we never do.
        let other = IssuerKey::ed25519(stranger, default_backend()).unwrap();
        assert!(choria::verify::<Server>(&other, server.expose(), now).is_err());
    });
}

#[test]
fn we_read_those_of_choria() {
    with_choria(|peer| {
        for name in ["organisation", "other", "node"] {
            succeed(&mut choria(peer, &["keys", &format!("{name}.seed"), &format!("{name}.public")]));
        }
        let read = |name: &str| std::fs::read_to_string(peer.folder.join(name)).unwrap();
        let key = |name: &str| IssuerKey::read(&read(name), default_backend()).unwrap();
        let node = read("node.public");

        let broker = ["--urls", "nats://broker.example.net:4222", "--extensions", r#"{"customer":"one"}"#];
        let base = ["provisioning", "p.jwt", "organisation.seed", "--token", "hunter2", "--no-insecure"];
        succeed(&mut choria(peer, &[&base[..], &broker].concat()));
        let token = choria::verify::<Provisioning>(&key("organisation.public"), read("p.jwt").trim(), now());
        let token = token.unwrap();
        assert_eq!((token.claims.token.expose(), token.claims.secure), ("hunter2", true));
        assert!(choria::verify::<Provisioning>(&key("other.public"), read("p.jwt").trim(), now()).is_err());

        succeed(&mut choria(peer, &["server", "s.jwt", "n1.example.net", node.trim(), "organisation.seed"]));
        let token =
            choria::verify::<Server>(&key("organisation.public"), read("s.jwt").trim(), now()).unwrap();
        assert_eq!(token.claims.identity, "n1.example.net");
        assert_eq!(token.standard.public_key.unwrap().to_string(), node.trim());

        let key_of_node = ["--public-key", node.trim(), "--issuer"];
        succeed(&mut choria(
            peer,
            &[&["client", "c.jwt", "up=ann", "organisation.seed"][..], &key_of_node].concat(),
        ));
        let token =
            choria::verify::<Client>(&key("organisation.public"), read("c.jwt").trim(), now()).unwrap();
        let seed = Secret::new(read("node.seed"));
        let chain = Issuer::from_seed(&seed).unwrap().appointed(&token).unwrap();
        let terms =
            Terms { at: now(), expires_at: now().plus_seconds(60), public_key: token.standard.public_key };
        let server = chain.issue(&server("n2"), &terms, &mut StdRng::seed_from_u64(2)).unwrap();
        check(peer, &server, &[&format!("--issuer={}", read("organisation.public").trim())]).unwrap();
    });
}

/// An organisation may have an RSA key, with which Choria signs RS256: we read it by the certificate of that key.
/// Server tokens of a chain it makes with no command, so that `library.rs` has them.
#[test]
fn we_read_those_that_choria_signs_with_rsa() {
    with_choria(|peer| {
        let certificate = include_str!("../../vectors/sns/certificates/leaf.pem");
        let other = include_str!("../../vectors/sns/certificates/other-key.pem");
        peer.write("rsa.pem", include_str!("../../vectors/keys/leaf.pem"));
        peer.write("certificate.pem", certificate);
        let broker = ["--urls", "nats://broker.example.net:4222", "--no-insecure"];
        let base = ["provisioning", "p.jwt", "rsa.pem", "--token", "hunter2"];
        succeed(&mut choria(peer, &[&base[..], &broker].concat()));
        let token = std::fs::read_to_string(peer.folder.join("p.jwt")).unwrap();
        assert_eq!(choria::inspect(token.trim()).unwrap().algorithm(), Algorithm::Rs256);
        succeed(&mut choria(peer, &["view", "p.jwt", "certificate.pem"]));
        peer.write("two.pem", &certificate.repeat(2));
        succeed(&mut choria(peer, &["view", "p.jwt", "two.pem"])); // stricter here, see `choria/library.rs`
        let verify = |key: &str| {
            let key = IssuerKey::read(key, default_backend()).unwrap();
            choria::verify::<Provisioning>(&key, token.trim(), now())
        };
        let read = verify(certificate).unwrap();
        assert_eq!((read.claims.token.expose(), read.claims.urls.len()), ("hunter2", 1));
        assert_eq!(verify(other).unwrap_err().code(), Code::JwtBadSignature);
    });
}

fn with_choria(test: impl FnOnce(&Peer)) {
    let program = installed("go/bin/choria");
    peer(&program, &[&program, "--version"], FROM, |peer| {
        test(peer);
        Ok::<(), Skipped>(())
    });
}

fn choria(peer: &Peer, arguments: &[&str]) -> Command {
    let mut command = peer.command();
    command.arg("jwt").args(arguments).env("HOME", &peer.folder);
    command
}

fn server(identity: &str) -> Server {
    serde_json::from_value(json!({"identity": identity, "collectives": ["mcollective"]})).unwrap()
}

/// What Choria says of a token that this key has signed.
fn view(peer: &Peer, token: &Secret, key: &str) -> Result<Value, String> {
    peer.write("ours.jwt", token.expose());
    peer.write("key.public", key);
    said(&mut choria(peer, &["view", "ours.jwt", "key.public"]))?; // with --json it looks at no signature
    let said = said(&mut choria(peer, &["view", "ours.jwt", "key.public", "--json"]))?;
    serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))
}

fn check(peer: &Peer, token: &Secret, more: &[&str]) -> Result<String, String> {
    peer.write("ours.jwt", token.expose());
    said(&mut choria(peer, &[&["check", "ours.jwt"], more].concat()))
}

fn said(command: &mut Command) -> Result<String, String> {
    let output = run(command);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() { Ok(out) } else { Err(format!("{out}{err}")) }
}

/// Choria asks no other clock.
#[expect(clippy::disallowed_methods, reason = "a test with a real program")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap()).unwrap()
}
