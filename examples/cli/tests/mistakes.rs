//! What goes wrong around the command: an output that takes nothing, a secret in the wrong place, a reply that was lost.
#![cfg(target_os = "linux")] // /dev/full
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tempfile::TempDir;

const TOKEN: &str = "hf1_DIIQBCVEEYCL62EQZVTY5VNAAAAQ_HUNTER2";
const PACKAGE: &str = "0192c3a4-0000-7000-8000-000000000001";

fn handfast(arguments: &[&str], input: &str, out: Stdio) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_handfast"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(ran: &Output) -> String {
    String::from_utf8(ran.stderr.clone()).unwrap()
}

/// A provisioner that gives the same answer to whatever it is asked, and counts.
struct Provisioner {
    folder: TempDir,
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Provisioner {
    fn that_hands_over(token: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut request, mut some) = (String::new(), [0; 4096]);
                while !request.contains('}') {
                    let length = stream.read(&mut some).unwrap();
                    request.push_str(std::str::from_utf8(&some[..length]).unwrap());
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let token = if token == "null" { token.to_owned() } else { format!("\"{token}\"") };
                let body = format!(r#"{{"type":"issued","package":"{PACKAGE}","token":{token}}}"#);
                let head = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nconnection: close";
                write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
            }
        });
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("operator"), "hfo_x").unwrap();
        Self { folder, url, asked }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issue(&self, more: &[&str], out: Stdio) -> Output {
        let operator = self.path("operator").display().to_string();
        let asks =
            ["package", "issue", "--name", "edge-1", "--url", &self.url, "--operator-token-file", &operator];
        handfast(&[&asks, more].concat(), "", out)
    }

    fn issue_to(&self, file: &str, more: &[&str]) -> Output {
        let file = self.path(file).display().to_string();
        self.issue(&[&["--out", &file], more].concat(), Stdio::piped())
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// The reading end is gone before the program writes.
fn closed() -> Stdio {
    let mut gone = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let pipe = gone.stdin.take().unwrap();
    gone.wait().unwrap();
    pipe.into()
}

#[test]
fn an_output_that_takes_nothing_has_a_code_of_its_own() {
    for arguments in [&["kubernetes", "token"][..], &["completions", "bash"]] {
        for out in [full(), closed()] {
            let ran = handfast(arguments, "", out);
            assert_eq!(ran.status.code(), Some(4), "{}", said(&ran));
            assert!(said(&ran).starts_with("handfast: standard output: "), "{}", said(&ran));
        }
    }
    let mute = Command::new(env!("CARGO_BIN_EXE_handfast"))
        .args(["kubernetes", "secret", "/nonexistent"])
        .stderr(full())
        .status()
        .unwrap();
    assert_eq!(mute.code(), Some(1), "diagnostics that nobody can read");
}

/// It was handed over and cannot be taken twice: whose it was must be said, and what can be done.
#[test]
fn a_token_that_is_lost_on_its_way_out_is_told() {
    let provisioner = Provisioner::that_hands_over(TOKEN);
    for out in [full(), closed()] {
        let ran = provisioner.issue(&[], out);
        assert_eq!(ran.status.code(), Some(4), "{}", said(&ran));
        assert!(said(&ran).contains(PACKAGE) && said(&ran).contains("reissue"), "{}", said(&ran));
        assert!(!said(&ran).contains("HUNTER2"), "{}", said(&ran));
    }
    let file = provisioner.path("token");
    let ran = provisioner.issue(&["--out", &file.display().to_string()], full());
    assert_eq!(ran.status.code(), Some(4));
    assert!(!said(&ran).contains("lost"), "{}", said(&ran));
    assert_eq!(fs::read_to_string(&file).unwrap(), TOKEN, "it is in its file");
}

#[test]
fn a_file_that_cannot_be_made_is_found_out_before_anything_is_asked_for() {
    let provisioner = Provisioner::that_hands_over(TOKEN);
    fs::write(provisioner.path("taken"), "x").unwrap();
    std::os::unix::fs::symlink(provisioner.path("nowhere"), provisioner.path("link")).unwrap();
    let long = "x".repeat(300);
    for file in ["nonexistent/token", "taken", "taken/token", "link", "..", &long] {
        let ran = provisioner.issue_to(file, &[]);
        assert_eq!(ran.status.code(), Some(1), "{file}: {}", said(&ran));
        assert!(said(&ran).starts_with("handfast: --out: "), "{file}: {}", said(&ran));
    }
    assert_eq!(provisioner.asked(), 0);
    assert_eq!(provisioner.issue_to("token", &[]).status.code(), Some(0));
    assert_eq!(fs::metadata(provisioner.path("token")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(provisioner.folder.path()).unwrap().count(), 4, "nothing is left beside it");
}

/// The package is there already, and its token was handed over before.
#[test]
fn a_file_that_was_asked_for_is_not_left_out_in_silence() {
    let provisioner = Provisioner::that_hands_over("null");
    let ran = provisioner.issue_to("token", &[]);
    assert_eq!(ran.status.code(), Some(4), "{}", said(&ran));
    assert!(said(&ran).starts_with("handfast: --out: no token"), "{}", said(&ran));
    assert!(String::from_utf8_lossy(&ran.stdout).contains(PACKAGE), "{ran:?}");
    assert_eq!(provisioner.issue(&[], Stdio::piped()).status.code(), Some(0), "no file was asked for");
    assert_eq!(fs::read_dir(provisioner.folder.path()).unwrap().count(), 1, "nothing is left");
}

/// What is for this computer goes to no proxy, which would read the token.
#[test]
fn a_proxy_hears_nothing_of_what_is_for_this_computer() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let through = format!("http://{}", proxy.local_addr().unwrap());
    let provisioner = Provisioner::that_hands_over(TOKEN);
    let ran = Command::new(env!("CARGO_BIN_EXE_handfast"))
        .args(["package", "issue", "--name", "edge-1", "--timeout", "2", "--url", &provisioner.url])
        .arg("--operator-token-file")
        .arg(provisioner.path("operator"))
        .envs(["http_proxy", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, &through)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    assert!(proxy.accept().is_err(), "the proxy was asked");
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
}

/// The same request gives the same token, so the file that holds it already is as good as a new one; no other is.
#[test]
fn the_same_request_may_be_made_again_to_the_same_file() {
    let provisioner = Provisioner::that_hands_over(TOKEN);
    let request = ["--request", "r-1"];
    for time in 1..=2 {
        let ran = provisioner.issue_to("token", &request);
        assert_eq!(ran.status.code(), Some(0), "{time}: {}", said(&ran));
        assert_eq!(fs::read_to_string(provisioner.path("token")).unwrap(), TOKEN);
    }
    assert_eq!(provisioner.issue_to("token", &[]).status.code(), Some(1), "another request");
    assert_eq!(provisioner.asked(), 2);
    for (file, content, mode) in
        [("other", "hf1_OTHER", 0o600), ("longer", &*format!("{TOKEN}x"), 0o600), ("seen", TOKEN, 0o644)]
    {
        fs::write(provisioner.path(file), content).unwrap();
        fs::set_permissions(provisioner.path(file), fs::Permissions::from_mode(mode)).unwrap();
        let ran = provisioner.issue_to(file, &request);
        assert_eq!(ran.status.code(), Some(4), "{file}: {}", said(&ran));
        assert!(said(&ran).contains(PACKAGE), "{file}: {}", said(&ran));
        assert_eq!(fs::read_to_string(provisioner.path(file)).unwrap(), content, "no file is replaced");
    }
}

/// The first thing that people try is to paste the secret behind the command.
#[test]
fn no_argument_is_repeated() {
    for arguments in [
        &["inspect", TOKEN][..],
        &["inspect", "x", TOKEN],
        &["inspect", "--token", TOKEN],
        &["inspect", "--HUNTER2"],
        &["-HUNTER2"],
        &[TOKEN],
        &["package", TOKEN],
        &["choria", "issue", "server", "--seed-file", TOKEN, "--claims", "-"],
        &["choria", "issue", TOKEN, "--seed-file", "-", "--claims", "-"],
        &["choria", "issue", "server", "--seed-file", "/dev/null", "--claims", TOKEN, "--public-key", TOKEN],
        &["jwt", "verify", "--key-file", TOKEN, "/dev/null"],
        &["jwt", "key", "--out", "/nonexistent/HUNTER2"],
        &["jwt", "key", "--algorithm", TOKEN],
        &["kubernetes", "secret", "--owner", TOKEN, "/dev/null"],
        &["kubernetes", "secret", "--ttl-seconds", TOKEN],
        &["kubernetes", "kubeconfig", "--token-file", TOKEN, "--cluster-info", TOKEN],
        &["kubernetes", "kubeconfig", "--token-file", "-", "--cluster-info", "-", "--pin", TOKEN],
        &["archive", "build", "--out", "/nonexistent/x", "--file", TOKEN],
        &["archive", "build", "--out", "/nonexistent/x", "--file", "a=/nonexistent/HUNTER2"],
        &["package", "list", "--url", TOKEN, "--operator-token-file", "/dev/null"],
        &["package", "list", "--url", "https://HUNTER2 HUNTER2/", "--operator-token-file", "/dev/null"],
        &["package", "list", "--url", "https://a:HUNTER2@127.0.0.1:1/", "--operator-token-file", "/dev/null"],
        &["package", "list", "--url", "http://127.0.0.1:1/", "--operator-token-file", TOKEN],
        &[
            "package",
            "show",
            "--url",
            "http://127.0.0.1:1/",
            "--operator-token-file",
            "/dev/null",
            "--id",
            TOKEN,
        ],
        &["scope", "show", "--url", "http://127.0.0.1:1/", TOKEN],
        &["spire", "id", TOKEN],
        &["userdata", "ignition", "--cloud", TOKEN, "--token-file", "/dev/null", "--", "/bin/x"],
        &["userdata", TOKEN],
        &["completions", TOKEN],
    ] {
        let ran = handfast(arguments, "", Stdio::piped());
        assert!(matches!(ran.status.code(), Some(1..=3)), "{arguments:?}: {ran:?}");
        assert!(!said(&ran).is_empty());
        for text in [said(&ran), String::from_utf8(ran.stdout.clone()).unwrap()] {
            assert!(!text.contains("HUNTER2"), "{arguments:?}: {text}");
        }
    }
    let mistyped = handfast(&["inspect", "--hepl"], "", Stdio::piped());
    assert!(
        said(&mistyped).contains("'--hepl'") && said(&mistyped).contains("--help"),
        "{}",
        said(&mistyped)
    );
}

#[test]
fn standard_input_is_one_document() {
    let ran = handfast(&["jwt", "sign", "--key-file", "-", "--claims", "-"], "{}", Stdio::piped());
    assert_eq!(ran.status.code(), Some(1), "the first of the two is no key");
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key").display().to_string();
    assert_eq!(handfast(&["jwt", "key", "--out", &key], "", Stdio::piped()).status.code(), Some(0));
    let key = fs::read_to_string(key).unwrap();
    for arguments in
        [&["jwt", "sign", "--key-file", "-", "--claims", "-"][..], &["jwt", "verify", "-", "--key-file", "-"]]
    {
        let ran = handfast(arguments, &key, Stdio::piped());
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}: {}", said(&ran));
    }
}
