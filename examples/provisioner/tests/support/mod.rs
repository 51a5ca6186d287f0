//! What the tests share: the real program, started on a free port with its files in a folder of its own.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    dead_code,
    reason = "tests, each of which uses its part"
)]

pub(crate) mod authority;
pub(crate) mod node;
pub(crate) mod peer;
pub(crate) mod postgres;

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a configuration and everything that it names, which outlives the host that runs on it.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) options: Vec<String>,
    pub(crate) environment: Vec<(&'static str, &'static str)>,
}

/// A running host.
pub(crate) struct Host {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// The first operator's token, if this is the first start.
    pub(crate) token: Option<String>,
    client: Client,
}

/// A response, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// Reads a response to its end; `None` where it breaks off.
    pub(crate) async fn read(response: reqwest::Response) -> Option<Self> {
        let text = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let (status, headers) = (response.status(), response.headers().iter().map(text).collect());
        let body = String::from_utf8(response.bytes().await.ok()?.to_vec()).unwrap();
        Some(Self { status, headers, body })
    }

    /// The status and the code of an error.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

impl Place {
    /// The development configuration: this machine is the instance [`HERE`].
    pub(crate) fn new() -> Self {
        let place =
            Self { folder: tempfile::tempdir().unwrap(), options: Vec::new(), environment: Vec::new() };
        let development = Path::new(env!("CARGO_MANIFEST_DIR")).join("development");
        for file in ["provisioner.toml", "instances.json", "cluster-info.yaml"] {
            std::fs::copy(development.join(file), place.path(file)).unwrap();
        }
        std::fs::create_dir(place.path("certificates")).unwrap();
        let leaf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/vectors/sns/certificates/leaf.pem");
        std::fs::copy(leaf, place.path("certificates").join(authority::CERTIFICATE)).unwrap();
        place
    }

    pub(crate) fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(ToString::to_string));
        self
    }

    /// Lets nodes prove their keys.
    pub(crate) fn with_proofs(self) -> Self {
        self.edit("provisioner.toml", "http://127.0.0.1:8400/api", node::BASE_URL);
        self
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(self.path(file), text.replace(from, to)).unwrap();
    }

    /// Writes a file that nobody else can read.
    pub(crate) fn private(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
        std::fs::set_permissions(self.path(file), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The same, with its records at an URL.
    pub(crate) fn at(url: &str) -> Self {
        Self::new().with(&["--database", url])
    }

    /// Takes everything about AWS out of the configuration.
    pub(crate) fn without_instances(&self) {
        let text = std::fs::read_to_string(self.path("provisioner.toml")).unwrap();
        let (before, after) = text.split_once("[[sns.topics]]").unwrap();
        let (_, policy) = after.split_once("[policy]").unwrap();
        let (policy, _) = policy.split_once("# Which instances").unwrap();
        let before = before.replace("instances = \"instances.json\"\n", "");
        std::fs::write(self.path("provisioner.toml"), format!("{before}[policy]{policy}")).unwrap();
    }

    /// Lists instances of our account, each with its address.
    pub(crate) fn instances(&self, listed: &[(&str, &str)]) {
        let entry = |(instance, address): &(&str, &str)| {
            json!({ "instance": instance, "account": "123456789012", "region": "us-east-1", "state": "running",
                "addresses": [address], "tags": { "Role": "kubernetes-worker" } })
        };
        let list: Vec<_> = listed.iter().map(entry).collect();
        std::fs::write(self.path("instances.json"), Value::from(list).to_string()).unwrap();
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("state/provisioner.sqlite")
    }

    /// The manifests that are there, by name, without half-written ones.
    pub(crate) fn manifests(&self) -> Vec<(String, String)> {
        let Ok(entries) = std::fs::read_dir(self.path("state/manifests")) else { return Vec::new() };
        let mut found: Vec<_> = entries
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(".yaml"))
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, std::fs::read_to_string(entry.path()).unwrap_or_default())
            })
            .collect();
        found.sort();
        found
    }

    /// All that was logged, by every host that ran here.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provisioner"));
        let log = File::options().append(true).create(true).open(self.path("log")).unwrap();
        command.args(["serve", "--log", "debug"]);
        if !self.options.iter().any(|option| option == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.arg("--config");
        let json = self.path("provisioner.json");
        let config = if json.exists() { json } else { self.path("provisioner.toml") };
        command.arg(config).args(&self.options).envs(self.environment.iter().copied()).stderr(log);
        command
    }

    pub(crate) fn start(&self) -> Host {
        let mut shown = Vec::new();
        self.try_start(None, &mut shown).unwrap_or_else(|| panic!("the host did not start:\n{}", self.log()))
    }

    /// Starts a host that is killed after a while, perhaps before it listens. What it printed is added to `shown`.
    pub(crate) fn try_start(&self, killed_after: Option<Duration>, shown: &mut Vec<String>) -> Option<Host> {
        let mut child = self.command().stdout(Stdio::piped()).spawn().unwrap();
        if let Some(delay) = killed_after {
            // The process is not waited for before it is killed, so that the id stays its own.
            let pid = child.id().to_string();
            std::thread::spawn(move || {
                std::thread::sleep(delay);
                Command::new("kill").args(["-KILL", &pid]).status().unwrap();
            });
        }
        let mut token = None;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            shown.push(line.clone());
            if let Some((_, given)) = line.split_once("(shown this once): ") {
                token = Some(given.to_owned());
            }
            if let Some(url) = line.strip_prefix("listening on ") {
                return Some(Host { child, url: url.to_owned(), token, client: Client::new() });
            }
        }
        child.wait().unwrap();
        None
    }

    /// Starts a host that is expected to refuse, and gives what it said.
    pub(crate) fn refuse(&self) -> String {
        let output = self.command().stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs `provisioner operators`.
    pub(crate) fn operators(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provisioner"));
        command.arg("operators").args(arguments).arg("--database").arg(self.records()).output().unwrap()
    }

    /// Runs `provisioner reseal`.
    pub(crate) fn reseal(&self) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provisioner"));
        command.arg("reseal").arg("--config").arg(self.path("provisioner.toml"));
        command.arg("--database").arg(self.records()).output().unwrap()
    }

    /// Where the records are: a file or an URL.
    fn records(&self) -> PathBuf {
        let chosen = self.options.iter().skip_while(|option| *option != "--database").nth(1);
        chosen.map_or_else(|| self.database(), PathBuf::from)
    }
}

impl Host {
    /// Kills it as the kernel would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it has been killed.
    pub(crate) fn is_dead(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Asks it to stop, and says whether it did so well.
    pub(crate) fn stop(mut self) -> bool {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        self.child.wait().unwrap().success()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Reply> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::read(request.send().await.ok()?).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Reply {
        self.send(Method::POST, path, &[], body).await.unwrap()
    }

    /// Posts a message as SNS does.
    pub(crate) async fn sns(&self, body: &str) -> Reply {
        self.post("/sns", body).await
    }

    /// Posts an event and expects it to be taken in.
    pub(crate) async fn event(&self, event: Value) -> Value {
        let reply = self.sns(&authority::notification(&event.to_string())).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    pub(crate) async fn kubeconfig(&self, instance: &str) -> Reply {
        self.post(&format!("/kubeadm/kubeconfig/{instance}"), "").await
    }

    /// Asks until the kubeconfig is ready, as a booting node does.
    pub(crate) async fn joined(&self, instance: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let reply = self.kubeconfig(instance).await;
            if reply.status == 200 {
                return reply.body;
            }
            assert!(Instant::now() < deadline, "{reply:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn api(&self, token: &str, method: Method, path: &str, body: &str) -> Reply {
        let authorization = format!("Bearer {token}");
        let json = ("content-type", "application/json");
        self.send(method, path, &[("authorization", &authorization), json], body).await.unwrap()
    }

    /// A request of an operator whose answer is expected to be good.
    pub(crate) async fn ask(&self, token: &str, method: Method, path: &str, body: Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = self.api(token, method.clone(), path, &body).await;
        assert!(reply.status.is_success(), "{method} {path}: {reply:?}");
        reply.json()
    }

    pub(crate) async fn packages(&self, token: &str) -> Vec<Value> {
        let reply = self.api(token, Method::GET, "/api/packages", "").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["packages"].as_array().unwrap().clone()
    }

    /// The names of what has happened to a package and its instance.
    pub(crate) async fn facts(&self, token: &str, package: &str) -> Vec<String> {
        let reply = self.api(token, Method::GET, &format!("/api/packages/{package}/events"), "").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let events = reply.json()["events"].as_array().unwrap().clone();
        events.iter().map(|event| event["fact"]["type"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The instance that this machine is, in the development configuration.
pub(crate) const HERE: &str = "i-0a74797fd283b53de";
/// An instance at another address.
pub(crate) const ELSEWHERE: &str = "i-0bbbbbbbbbbbbbbb1";
/// An instance that no rule wants.
pub(crate) const UNWANTED: &str = "i-0cccccccccccccc02";

/// The bootstrap token in a kubeconfig.
pub(crate) fn token_in(kubeconfig: &str) -> String {
    let (_, rest) = kubeconfig.split_once("token: \"").unwrap_or_else(|| panic!("{kubeconfig}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// A file or folder of the vectors from real systems; `None`, loudly, where they are not installed.
pub(crate) fn real_vectors(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HANDFAST_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: no {} (set HANDFAST_VECTORS to the folder of vectors)",
        found.display()
    );
    None
}
