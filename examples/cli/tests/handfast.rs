//! The command, as people and scripts use it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use handfast::jwt::{Claims, SigningKey};
use serde_json::Value;
use tempfile::TempDir;

/// What came of a run.
struct Ran {
    code: i32,
    out: String,
    said: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.said))
    }
}

fn handfast(arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_handfast"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()); // one that reads nothing has ended already
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), out: text(stdout), said: text(stderr) }
}

fn done(arguments: &[&str], input: &str) -> Value {
    let ran = handfast(arguments, input);
    assert_eq!((ran.code, ran.said.as_str()), (0, ""), "{arguments:?}");
    ran.json()
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

fn is_private(path: &str) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600
}

#[test]
fn what_is_pasted_is_told_without_its_secret() {
    for (text, kind) in [
        ("hf1_DIIQBCVEEYCL62EQZVTY5VNAAAAQ_", "malformed"),
        ("abcdef.0123456789abcdef", "kubernetes_bootstrap_token"),
        ("sha256:7c2e69131a36ae2a042a339b33381c6d0d43887e2de83720eff5359e26aec866", "kubernetes_ca_pin"),
        ("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIiwiY2h0IjoiaHVudGVyMiJ9.AAAA", "jwt"),
        ("eyJhbGciOiJub25lIn0.e30.", "malformed"),
        ("edgepkg-v2:eyJwa2ciOiJodW50ZXIyIn0.AAAA", "malformed"),
        (
            &format!("edgepkg-v2:eyJwa2ciOiJodW50ZXIyIiwiZGwiOiJodW50ZXIyIn0.{}", "A".repeat(86)),
            "service_radar",
        ),
        ("hunter2", "unknown"),
    ] {
        let ran = handfast(&["inspect"], &format!(" {text}\n"));
        assert_eq!(ran.json()["type"], kind, "{text}");
        assert_eq!(ran.code == 0, !matches!(kind, "malformed" | "unknown"), "{text}");
        for secret in ["0123456789abcdef", "hunter2"] {
            assert!(!ran.out.contains(secret) && !ran.said.contains(secret), "{}{}", ran.out, ran.said);
        }
    }
}

#[test]
fn a_secret_goes_into_a_private_file_and_never_over_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(&folder, "token");
    let made = done(&["kubernetes", "token", "--out", &file], "");
    assert_eq!(made["token"]["file"], file.as_str());
    assert!(is_private(&file));
    let token = fs::read_to_string(&file).unwrap();
    assert!(!made.to_string().contains(token.split('.').nth(1).unwrap()), "{made}");
    let again = handfast(&["kubernetes", "token", "--out", &file], "");
    assert_eq!((again.code, again.out.as_str()), (1, ""));
    assert_eq!(fs::read_to_string(&file).unwrap(), token);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    let secret = done(&["kubernetes", "secret", &file], "");
    assert!(secret["manifest"].as_str().unwrap().contains("bootstrap.kubernetes.io/token"), "{secret}");
}

#[test]
fn tokens_of_choria_are_signed_shown_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let seed = path(&folder, "seed");
    fs::write(&seed, format!("{}\n", "1f".repeat(32))).unwrap();
    let claims = r#"{"token": "hunter2", "urls": ["nats://broker.example.net:4222"]}"#;
    let arguments = ["choria", "issue", "provisioning", "--seed-file", &seed, "--claims", "-"];
    let issued = done(&arguments, claims);
    let token = issued["token"].as_str().unwrap();
    let key = path(&folder, "key");
    fs::write(&key, issued["issuer_key"].as_str().unwrap()).unwrap();
    let verify = ["choria", "verify", "provisioning", "--key-file", &key];
    let verified = done(&verify, token);
    assert_eq!(verified["purpose"], "choria_provisioning", "{verified}");
    assert!(!verified.to_string().contains("hunter2"), "{verified}");
    fs::write(&key, "2f".repeat(32)).unwrap();
    let other = handfast(&verify, token);
    assert_eq!((other.code, other.out.as_str()), (1, ""));
    let ends = issued["expires_at"].as_str().unwrap();
    assert!(!ends.contains('.') || ends.ends_with(".000Z"), "the second that is in the token: {ends}");
    let twice =
        handfast(&arguments, r#"{"token": "a", "token": "b", "urls": ["nats://broker.example.net:4222"]}"#);
    assert!(twice.code == 1 && twice.said.contains("malformed_json"), "{}", twice.said);
    let nowhere = handfast(&arguments, r#"{"token": "hunter2"}"#);
    assert!(nowhere.code == 1 && nowhere.said.contains("choria_no_broker"), "{}", nowhere.said);
    let unknown = handfast(&arguments, r#"{"token": "hunter2", "url": "x"}"#);
    assert!(unknown.code == 1 && unknown.said.contains("url"), "{}", unknown.said);
    assert!(!unknown.said.contains("hunter2"), "{}", unknown.said);
}

#[test]
fn tokens_are_signed_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in ["ES256", "EdDSA"] {
        let (private, public) = (path(&folder, algorithm), path(&folder, &format!("{algorithm}.jwk")));
        let made = done(&["jwt", "key", "--algorithm", algorithm, "--out", &private], "");
        fs::write(&public, made["public_jwk"].to_string()).unwrap();
        let sign = ["jwt", "sign", "--key-file", &private, "--claims", "-"];
        let signed = done(&sign, r#"{"sub": "edge-1"}"#);
        let token = signed["token"].as_str().unwrap();
        let verified = done(&["jwt", "verify", "--key-file", &public], token);
        assert_eq!(verified["sub"], "edge-1");
        let wrong = handfast(&["jwt", "verify", "--key-file", &public, "--audience", "x"], token);
        assert!(wrong.code == 1 && wrong.said.contains("jwt_wrong_audience"), "{}", wrong.said);
        let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(&private).unwrap()).unwrap();
        let claims = serde_json::json!({"sub": "edge-1", "iat": 1, "exp": 2}).as_object().unwrap().clone();
        let old = handfast::jwt::sign(&key, "JWT", None, &Claims::new(claims));
        let old = handfast(&["jwt", "verify", "--key-file", &public], old.expose());
        assert!(old.code == 1 && old.said.contains("jwt_expired"), "{}", old.said);
    }
}

/// What `verify` would refuse is not signed.
#[test]
fn no_token_is_signed_that_nobody_would_believe() {
    let folder = tempfile::tempdir().unwrap();
    let private = path(&folder, "key");
    done(&["jwt", "key", "--out", &private], "");
    let sign = |more: &[&str], claims: &str| {
        handfast(&[&["jwt", "sign", "--key-file", &private, "--claims", "-"], more].concat(), claims)
    };
    let (large, long) = (format!(r#"{{"sub": "{}"}}"#, "x".repeat(20_000)), "x".repeat(300));
    let no_more: &[&str] = &[];
    for (more, claims, code) in [
        (no_more, r#"{"exp": "never"}"#, "jwt_invalid_claim"),
        (no_more, r#"{"exp": 2}"#, "jwt_expired"),
        (no_more, r#"{"nbf": 4102444800, "exp": 4102444800}"#, "jwt_expired"),
        (no_more, r#"{"iat": 4102444800, "exp": 4102444900}"#, "jwt_issued_ahead"),
        (no_more, r#"{"iss": 1}"#, "jwt_invalid_claim"),
        (no_more, r#"{"aud": [1]}"#, "jwt_invalid_claim"),
        (no_more, &large, "jwt_too_large"),
        (&["--typ", &long], "{}", "jwt_invalid_header"),
        (&["--kid", &long], "{}", "jwt_invalid_header"),
        (&["--validity-seconds", "0"], "{}", "jwt_expired"),
        (no_more, r#"{"exp": 1, "exp": 4102444800}"#, "malformed_json"),
    ] {
        let ran = sign(more, claims);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{code}");
        assert!(ran.said.contains(&format!("({code})")), "{code}: {}", ran.said);
    }
    for claims in
        [r#"{"nbf": 4102444800, "exp": 4102444801, "iss": "a", "aud": ["b", "c"]}"#, r#"{"aud": "b"}"#, "{}"]
    {
        assert_eq!(sign(&[], claims).code, 0, "{claims}");
    }
    let rsa = handfast(&["jwt", "key", "--algorithm", "RS256"], "");
    assert!(rsa.code == 2 && rsa.said.contains("[possible values: ES256, EdDSA]"), "{}", rsa.said);
}

#[test]
fn keys_of_wireguard_are_made_and_configurations_read() {
    let folder = tempfile::tempdir().unwrap();
    let key = path(&folder, "key");
    let made = done(&["wireguard", "key", "--out", &key], "");
    assert_eq!(done(&["wireguard", "public-key", &key], "")["public_key"], made["public_key"]);
    let private = fs::read_to_string(&key).unwrap();
    let config = format!("[Interface]\nPrivateKey = {private}\nAddress = 10.0.0.2/32\n");
    let shown = done(&["wireguard", "inspect"], &config);
    assert_eq!(shown["public_key"], made["public_key"]);
    assert!(!shown.to_string().contains(private.trim()), "{shown}");
    let hostile = handfast(&["wireguard", "inspect"], &format!("{config}PostUp = rm -rf /\n"));
    assert!(hostile.code == 1 && hostile.said.contains("wireguard_command"), "{}", hostile.said);
}

#[test]
fn tokens_of_serviceradar_are_signed_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public, download) =
        (path(&folder, "private"), path(&folder, "public"), path(&folder, "dl"));
    // RFC 8032, section 7.1, test 1.
    fs::write(&private, "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
    fs::write(&public, "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").unwrap();
    fs::write(&download, "hunter2\n").unwrap();
    let own = ["--private-key-file", &private, "--package", "p-1", "--download-file", &download];
    let edge = done(&[&["serviceradar", "edge", "--api", "https://demo.example.com"], &own[..]].concat(), "");
    let collector =
        done(&[&["serviceradar", "collector", "--api", "https://demo.example.com"], &own[..]].concat(), "");
    for (made, kind) in [(edge, "edge"), (collector, "collector")] {
        let verified =
            done(&["serviceradar", "verify", "--key-file", &public], made["token"].as_str().unwrap());
        assert_eq!((verified["type"].as_str(), verified["package"].as_str()), (Some(kind), Some("p-1")));
        assert!(!verified.to_string().contains("hunter2"), "{verified}");
    }
    let over = [&["serviceradar", "collector", "--api", "https://demo.example.com"], &own[..]].concat();
    let over = handfast(&[&over[..], &["--validity-seconds", "0"]].concat(), "");
    assert_eq!((over.code, over.out.as_str()), (2, ""), "a token that is over");
    let unsigned = handfast(&["serviceradar", "verify", "--key-file", &public], "edgepkg-v1:e30");
    assert!(unsigned.code == 1 && unsigned.said.contains("serviceradar_unsigned_token"), "{}", unsigned.said);
}

#[test]
fn trust_bundles_are_read_shown_and_converted() {
    const AUTHORITY: &str = include_str!("../../../core/vectors/sns/certificates/intermediate.pem");
    const LEAF: &str = include_str!("../../../core/vectors/sns/certificates/leaf.pem");
    let folder = tempfile::tempdir().unwrap();
    let bundle = ["spire", "bundle", "--trust-domain", "example.org"];
    let shown = done(&bundle, AUTHORITY);
    assert_eq!(shown["trust_domain"], "example.org");
    assert_eq!(shown["x509_authorities"].as_array().unwrap().len(), 1, "{shown}");
    assert!(shown.get("bundle").is_none(), "{shown}");
    let file = path(&folder, "bundle.json");
    let to = |form| [&bundle[..], &["--to", form]].concat();
    let written = done(&[to("json"), vec!["--out", file.as_str()]].concat(), AUTHORITY);
    assert_eq!(written["bundle"]["file"], file.as_str());
    let json = fs::read_to_string(&file).unwrap();
    assert_eq!(done(&bundle, &json), shown, "the same authorities in both forms");
    let back = done(&[to("pem"), vec![file.as_str()]].concat(), "");
    assert_eq!(back["bundle"].as_str().unwrap().trim_end(), AUTHORITY.trim_end());
    let leaf = handfast(&bundle, LEAF);
    assert_eq!((leaf.code, leaf.out.as_str()), (1, ""));
    assert!(leaf.said.contains("spire_unusable_authority"), "{}", leaf.said);
    let private = handfast(&bundle, r#"{"keys": [{"use": "jwt-svid", "kty": "EC", "d": "hunter2"}]}"#);
    assert!(private.code == 1 && private.said.contains("jwk_private"), "{}", private.said);
    assert!(!private.said.contains("hunter2"), "{}", private.said);
    assert_eq!(handfast(&["spire", "bundle"], AUTHORITY).code, 2, "whose it is must be said");
    assert_eq!(handfast(&["spire", "bundle", "--trust-domain", "Example.org"], AUTHORITY).code, 2);
}

#[test]
fn entries_are_written_and_checked_and_ids_read() {
    let (id, server) = ("spiffe://example.org/edge/1", "spiffe://example.org/spire/server");
    let new = ["spire", "entry", "--parent-id", server, "--selector", "unix:uid:1000", "--spiffe-id"];
    let entry = done(&[&new[..], &[id, "--dns-name", "edge.example.org", "--downstream"]].concat(), "");
    assert_eq!(entry["spiffe_id"]["path"], "/edge/1", "{entry}");
    assert_eq!(entry["selectors"][0]["value"], "uid:1000", "{entry}");
    let drawn = entry["id"].as_str().unwrap();
    assert!(drawn.starts_with("handfast-") && drawn.len() == 9 + 32, "{entry}");
    assert_eq!(done(&["spire", "check-entry"], &entry.to_string()), entry);
    for foreign in ["spiffe://other.org/edge/1", "spiffe://example.org/spire/agent/x"] {
        let refused = handfast(&[&new[..], &[foreign]].concat(), "");
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{foreign}");
        assert!(refused.said.contains("spire_invalid_request"), "{}", refused.said);
    }
    let unknown = handfast(&["spire", "check-entry"], &entry.to_string().replacen("hint", "hunter2", 1));
    assert!(unknown.code == 1 && !unknown.said.contains("hunter2"), "{}", unknown.said);
    let read = done(&["spire", "id", id], "");
    assert_eq!((&read["trust_domain"], &read["path"]), (&"example.org".into(), &"/edge/1".into()));
    assert_eq!(done(&["spire", "id", "k8s:ns:edge"], "")["value"], "ns:edge");
    assert_eq!(handfast(&["spire", "id", "spiffe://example.org/a/../b"], "").code, 1);
}

#[test]
fn a_package_is_written_as_an_archive_and_installed() {
    let folder = tempfile::tempdir().unwrap();
    let (env, archive, installer) =
        (path(&folder, "env"), path(&folder, "package.tar.gz"), path(&folder, "install.sh"));
    fs::write(&env, "PASSWORD='hunter2'\n").unwrap();
    let file = format!("edge.env={env}");
    let built = done(&["archive", "build", "--file", &file, "--out", &archive], "");
    let again = path(&folder, "again.tar.gz");
    assert_eq!(done(&["archive", "build", "--file", &file, "--out", &again], "")["sha256"], built["sha256"]);
    done(&["archive", "installer", "--out", &installer], "");
    let into = path(&folder, "installed");
    let digest = built["sha256"].as_str().unwrap();
    let installed = Command::new("sh")
        .args([&installer, "--package", &archive, "--sha256", digest, "--into", &into])
        .output()
        .unwrap();
    let said = format!("{:?}", (&installed.stdout, &installed.stderr));
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    assert!(!said.contains("hunter2"));
    assert_eq!(fs::read_to_string(format!("{into}/edge.env")).unwrap(), "PASSWORD='hunter2'\n");
    let hostile = handfast(&["archive", "build", "--file", &format!("../x={env}"), "--out", &again], "");
    assert_eq!(hostile.code, 2, "{}", hostile.said);
}

#[test]
fn user_data_carries_a_token_to_the_first_boot() {
    let command = ["--", "/usr/local/bin/first-boot"];
    for (form, begins) in [("ignition", "{\"ignition\""), ("cloud-config", "#cloud-config\n")] {
        let arguments = [&["userdata", form, "--token-file", "-", "--cloud", "aws"], &command[..]].concat();
        let made = done(&arguments, "hf1_token\n");
        assert!(made["document"].as_str().unwrap().starts_with(begins), "{made}");
    }
    let shown = ["userdata", "ignition", "--token-file", "-", "--", "/bin/x", "hf1_token"];
    let ran = handfast(&shown, "hf1_token");
    assert!(ran.code == 1 && ran.said.contains("userdata_invalid"), "{}", ran.said);
}

/// What stands in the arguments, every user of the machine can read.
#[test]
fn no_option_takes_a_secret() {
    fn commands(name: &[&str]) -> Vec<Vec<String>> {
        let help = handfast(&[name, &["--help"]].concat(), "").out;
        let listed =
            help.split("Commands:\n").nth(1).map(|rest| rest.split("\n\n").next().unwrap().to_owned());
        let mut all = vec![name.iter().map(|word| (*word).to_owned()).collect()];
        for line in listed.unwrap_or_default().lines().filter(|line| !line.starts_with("    ")) {
            let Some(word) = line.split_whitespace().next().filter(|word| *word != "help") else { continue };
            all.extend(commands(&[name, &[word]].concat()));
        }
        all
    }
    let all = commands(&[]);
    assert!(all.len() > 20, "{all:?}");
    for command in &all {
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = handfast(&words, "");
        assert_eq!(help.code, 0, "{words:?}");
        for line in help.out.lines().filter(|line| line.trim_start().starts_with("--")) {
            let option = line.trim_start().split([' ', '=']).next().unwrap();
            let secret =
                ["token", "secret", "password", "seed", "private"].iter().any(|word| option.contains(word));
            assert!(!secret || option.ends_with("-file") || option.ends_with("-path"), "{words:?}: {line}");
        }
    }
}

#[test]
fn a_provisioner_is_asked_only_over_tls_and_its_absence_has_a_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let token = path(&folder, "operator");
    fs::write(&token, "hfo_x").unwrap();
    let ask = |url: &str| handfast(&["package", "list", "--url", url, "--operator-token-file", &token], "");
    let plain = ask("http://enrol.example.org/api");
    assert!(plain.code == 1 && plain.said.contains("https"), "{}", plain.said);
    assert_eq!(ask("http://127.0.0.1:1/api").code, 3);
    assert!(Path::new(&token).exists());
    assert_eq!(handfast(&["package", "list"], "").code, 2, "wrong usage");
}

/// The name before an `@` is a user's, whatever it looks like: the host is what comes after, and it hears nothing.
#[test]
fn a_user_of_a_url_is_not_taken_for_its_host() {
    let folder = tempfile::tempdir().unwrap();
    let token = path(&folder, "operator");
    fs::write(&token, "hfo_x").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for user in ["localhost", "127.0.0.1", "localhost:x", "localhost:80"] {
        let url = format!("http://{user}@127.0.0.1:{port}/api");
        let ran = handfast(&["package", "list", "--url", &url, "--operator-token-file", &token], "");
        assert!(ran.code == 1 && ran.said.contains("https"), "{url}: {}", ran.said);
        assert!(listener.accept().is_err(), "{url}: somebody was asked");
    }
}
