//! The program against a small host of its own that loses replies.
#![allow(clippy::wildcard_enum_match_arm, reason = "tests say what they expect and panic at the rest")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
};

use handfast::{
    Answer, Command, KeyRing, Ledger, Now, Policy, Registrar, SecretKey,
    crypto::default_backend,
    jwt::{Algorithm, SigningKey, SigningRing},
    record::{NodeStatus, Record},
    time::Timestamp,
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

/// A host that embeds handfast and answers one request after the other.
struct Host {
    registrar: Registrar,
    ledger: Mutex<Ledger>,
    url: String,
    /// How many replies it loses, after it has done what was asked.
    loses: Mutex<u32>,
}

impl Host {
    fn start(loses: u32) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let ring = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
        let policy = Policy { base_url: Some(url.clone()), ..Policy::default() };
        let key = SigningKey::generate(Algorithm::EdDsa, &mut StdRng::seed_from_u64(1)).unwrap();
        let signing = SigningRing::single("s1".parse().unwrap(), key, &*default_backend()).unwrap();
        let registrar =
            Registrar::new(policy, ring(1), ring(2), default_backend()).unwrap().with_signing(signing);
        let host = Arc::new(Self { registrar, ledger: Mutex::default(), url, loses: Mutex::new(loses) });
        let serving = Arc::clone(&host);
        std::thread::spawn(move || listener.incoming().for_each(|stream| serving.serve(stream.unwrap())));
        host
    }

    fn run(&self, command: Value) -> Answer {
        let command = Command::from_value(command).unwrap();
        let now = Now::trusted(Timestamp::new(chrono::Utc::now()));
        self.ledger.lock().unwrap().run(&self.registrar, &command, now, &mut rand::rng()).unwrap()
    }

    fn issue(&self, more: Value) -> String {
        let mut issue =
            json!({"type": "issue", "authority": "operator:ann", "name": "edge-1", "deliver": true});
        issue.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        match self.run(issue) {
            Answer::Issued(issued) => issued.token.unwrap().expose().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// Sends all nodes away.
    fn evict(&self) {
        let ledger = self.ledger.lock().unwrap();
        let id = |record: &Record| if let Record::Node(node) = record { Some(node.id) } else { None };
        let nodes: Vec<_> = ledger.iter().filter_map(|(_, row)| id(&row.record)).collect();
        drop(ledger);
        for node in nodes {
            let evicted = self.run(json!({"type": "evict", "authority": "operator:ann", "node": node}));
            assert!(matches!(evicted, Answer::NodeEnded(_)), "{evicted:?}");
        }
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap() == 0 {
                return;
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let header = |name: &str| {
            let named = |line: &String| {
                let (found, value) = line.split_once(": ")?;
                found.eq_ignore_ascii_case(name).then(|| value.to_owned())
            };
            lines.iter().find_map(named).unwrap_or_default()
        };
        let mut body = vec![0; header("content-length").parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        let mut command: Value = serde_json::from_slice(&body).unwrap();
        let token = header("authorization").strip_prefix("DPoP ").unwrap().to_owned();
        command["proof"] = header("dpop").into();
        if lines[0].starts_with("POST /api/redeem ") {
            command["type"] = "redeem".into();
            command["token"] = token.into();
        } else {
            command["type"] = "check_in".into();
            command["credential"] = token.into();
        }
        let (status, nonce, answer) = reply(self.run(command));
        let mut loses = self.loses.lock().unwrap();
        if status == 200 && *loses > 0 {
            *loses -= 1;
            return; // done, and nobody was told
        }
        let nonce = nonce.map(|nonce| format!("DPoP-Nonce: {nonce}\r\n")).unwrap_or_default();
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{nonce}Connection: close\r\n\r\n{answer}"
        )
        .unwrap();
    }

    fn nodes(&self) -> Vec<(NodeStatus, u64)> {
        let ledger = self.ledger.lock().unwrap();
        let node = |record: &Record| {
            if let Record::Node(node) = record { Some((node.status, node.sequence)) } else { None }
        };
        ledger.iter().filter_map(|(_, row)| node(&row.record)).collect()
    }
}

fn reply(answer: Answer) -> (u16, Option<String>, String) {
    match answer {
        Answer::UseNonce(answer) => (401, Some(answer.nonce), json!({"code": "use_nonce"}).to_string()),
        Answer::Refused(refused) => (403, None, json!({"code": refused.code()}).to_string()),
        answer => {
            let (mut value, secrets) = answer.into_parts();
            reveal(&mut value, &secrets);
            (200, None, value.to_string())
        }
    }
}

fn reveal(value: &mut Value, secrets: &[handfast::Secret]) {
    if let Some(place) = value.get("$secret").and_then(Value::as_u64) {
        *value = secrets[usize::try_from(place).unwrap()].expose().into();
    } else if let Some(items) = value.as_array_mut() {
        items.iter_mut().for_each(|item| reveal(item, secrets));
    } else if let Some(members) = value.as_object_mut() {
        members.values_mut().for_each(|member| reveal(member, secrets));
    }
}

fn first_boot(url: &str, folder: &Path) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_first-boot"));
    command.args(["--url", url, "--patience", "20"]);
    command.arg("--token-file").arg(folder.join("token")).arg("--state-dir").arg(folder.join("state"));
    // A proxy would read the token, so it is not asked for what is on this computer; this one is not there.
    command.env("http_proxy", "http://127.0.0.1:9").env_remove("no_proxy").env_remove("NO_PROXY");
    command.output().unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_node_boots_although_replies_are_lost() {
    let host = Host::start(2);
    let token =
        host.issue(json!({"contents": [{"type": "file", "name": "app.env", "content": "KEY=hunter2"}]}));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), format!("{token}\n")).unwrap();

    let output = first_boot(&host.url, folder.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("hunter2") && !said.contains(&token) && output.stdout.is_empty(), "{said}");
    assert_eq!(host.nodes(), [(NodeStatus::Active, 1)], "one node, whatever was lost");

    let state = folder.path().join("state");
    let given = state.join("contents/app.env");
    assert_eq!(std::fs::read_to_string(&given).unwrap(), "KEY=hunter2");
    for file in [given, state.join("key.pem"), state.join("credential.jwt"), state.join("state.json")] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_eq!((mode(&state), mode(&state.join("contents"))), (0o700, 0o700));
    assert!(!folder.path().join("token").exists(), "a spent token does not stay behind");

    assert!(first_boot(&host.url, folder.path()).status.success(), "a second boot needs no token");
    assert_eq!(host.nodes(), [(NodeStatus::Active, 2)]);
}

#[test]
fn what_is_refused_ends_with_its_code_and_leaves_the_token() {
    let host = Host::start(0);
    let token = host.issue(json!({"bindings": {"node_name": "other"}}));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), token).unwrap();
    let output = first_boot(&host.url, folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("binding_mismatch"));
    assert!(folder.path().join("token").exists() && host.nodes().is_empty());
}

#[test]
fn a_node_that_was_sent_away_comes_back_with_a_new_token_and_the_same_key() {
    let host = Host::start(0);
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, host.issue(json!({}))).unwrap();
    assert!(first_boot(&host.url, folder.path()).status.success());
    let key = std::fs::read(folder.path().join("state/key.pem")).unwrap();
    host.evict();
    assert_eq!(first_boot(&host.url, folder.path()).status.code(), Some(1), "it has nothing to return with");

    std::fs::write(&token_file, host.issue(json!({"name": "edge-2"}))).unwrap();
    let output = first_boot(&host.url, folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut nodes = host.nodes();
    nodes.sort_by_key(|(status, _)| *status != NodeStatus::Active);
    assert_eq!(nodes, [(NodeStatus::Active, 1), (NodeStatus::Retired, 1)]);
    assert_eq!(std::fs::read(folder.path().join("state/key.pem")).unwrap(), key);
    assert!(!token_file.exists(), "it is spent");
}

#[test]
fn a_token_that_was_not_redeemed_stays_and_the_node_lives_on() {
    let host = Host::start(0);
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, host.issue(json!({}))).unwrap();
    assert!(first_boot(&host.url, folder.path()).status.success());

    // It is a node already, and this is the token of another package.
    let other = host.issue(json!({"name": "edge-2"}));
    std::fs::write(&token_file, &other).unwrap();
    let output = first_boot(&host.url, folder.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("subject_enrolled"), "{said}");
    assert_eq!(host.nodes(), [(NodeStatus::Active, 2)], "a bad token does not silence a good node");
    assert_eq!(std::fs::read_to_string(&token_file).unwrap(), other);
}

#[test]
fn a_spent_token_that_a_crash_left_behind_is_told_from_a_new_one() {
    let host = Host::start(0);
    let folder = tempfile::tempdir().unwrap();
    let (token_file, token) = (folder.path().join("token"), host.issue(json!({})));
    for sequence in 1..=2 {
        std::fs::write(&token_file, &token).unwrap();
        let output = first_boot(&host.url, folder.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        assert_eq!(said.contains("redeemed"), sequence == 1, "{said}");
        assert!(!token_file.exists());
        assert_eq!(host.nodes(), [(NodeStatus::Active, sequence)]);
    }
    let secret = token.rsplit('_').next().unwrap();
    let state = std::fs::read_to_string(folder.path().join("state/state.json")).unwrap();
    assert!(!state.contains(secret), "the state is no secret");
}

#[test]
fn a_token_does_not_travel_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let output = first_boot("http://192.0.2.1/api", folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("expected https"));
}

#[test]
fn a_copied_disk_is_found_out_at_its_first_check_in() {
    let host = Host::start(0);
    let token = host.issue(json!({}));
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("token"), &token).unwrap();
    assert!(first_boot(&host.url, folder.path()).status.success());
    std::fs::create_dir(copy.path().join("state")).unwrap();
    for file in ["key.pem", "credential.jwt", "state.json"] {
        std::fs::copy(folder.path().join("state").join(file), copy.path().join("state").join(file)).unwrap();
    }
    assert!(first_boot(&host.url, folder.path()).status.success());
    let output = first_boot(&host.url, copy.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("clone_suspected"));
    assert!(first_boot(&host.url, folder.path()).status.success(), "the first goes on");
}
