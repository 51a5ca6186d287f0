//! The life of one node in a few seconds: AWS says that an instance runs, the instance fetches its kubeconfig, the
//! instance ends. The host is the real program; SNS is played by the project's own test authority.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a demonstration stops where it goes wrong"
)]

#[path = "../tests/support/authority.rs"]
mod authority;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::Value;

/// The instance that this machine plays: `development/instances.json` gives it the address 127.0.0.1.
const INSTANCE: &str = "i-0a74797fd283b53de";
/// Another one, whose address is not ours.
const OTHER: &str = "i-0bbbbbbbbbbbbbbb1";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let began = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    step("The host starts on an empty SQLite file.");
    let host = Host::start(folder.path());
    note(&format!("{}  (database, keys and manifests in {})", host.url, folder.path().display()));

    step("Auto Scaling tells by SNS that it launches an instance.");
    let (status, body) = host.sns(&event(authority::launch_hook(INSTANCE))).await;
    note(&format!("POST /sns -> {status} {body}"));
    note("The signature is good, but a launch says nothing yet about the instance's state.");

    step("EC2 tells that the instance runs. First, somebody tampers with the message:");
    let message = event(authority::state_change(INSTANCE, "running"));
    let (status, body) = host.sns(&message.replace(INSTANCE, OTHER)).await;
    note(&format!("POST /sns -> {status} {body}"));
    note("Now the message as it was signed; and once more, because SNS may deliver twice:");
    for _ in 0..2 {
        let (status, body) = host.sns(&message).await;
        note(&format!("POST /sns -> {status} {body}"));
    }

    step(
        "The host confirms the instance with the cloud, makes a bootstrap token and puts it into the cluster.",
    );
    let manifests = folder.path().join("manifests");
    let manifest = wait(|| files(&manifests).pop()).await;
    note(&format!("{}:", manifest.file_name().unwrap().display()));
    show(&std::fs::read_to_string(manifest).unwrap());

    step("The instance asks for its kubeconfig, and proves itself by its address.");
    let kubeconfig = host.kubeconfig(INSTANCE).await;
    note(&format!("POST /kubeadm/kubeconfig/{INSTANCE} -> {}", kubeconfig.0));
    show(&kubeconfig.1);
    host.sns(&event(authority::state_change(OTHER, "running"))).await;
    wait(|| (files(&manifests).len() == 2).then_some(())).await;
    let (status, body) = host.kubeconfig(OTHER).await;
    note(&format!("for {OTHER}, which runs at another address -> {status} {body}"));

    step("EC2 tells that both instances are terminated. Everything of theirs goes away.");
    for instance in [INSTANCE, OTHER] {
        let (status, body) = host.sns(&event(authority::state_change(instance, "terminated"))).await;
        note(&format!("POST /sns -> {status} {body}"));
    }
    wait(|| std::fs::read_dir(&manifests).unwrap().next().is_none().then_some(())).await;
    note(&format!(
        "Secrets left in {}: {}",
        manifests.display(),
        std::fs::read_dir(&manifests).unwrap().count()
    ));
    let (status, body) = host.kubeconfig(INSTANCE).await;
    note(&format!("POST /kubeadm/kubeconfig/{INSTANCE} -> {status} {body}"));

    step("The audit trail of the first instance and its package, as an operator reads it.");
    let events = wait_for_end(&host).await;
    for event in &events {
        note(&line(event));
    }
    println!("\nDone in {:.1} s. Try it yourself: make serve", began.elapsed().as_secs_f32());
}

/// One line of the audit: when, what about, what happened, on whose behalf.
fn line(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fact = &event["fact"];
    let detail = match fact["type"].as_str().unwrap_or_default() {
        "instance_observed" => text(&fact["state"]),
        "package_ended" => format!("{}: {}", text(&fact["status"]), text(&fact["reason"]["type"])),
        _ => String::new(),
    };
    let record = text(&event["key"]).split('/').next().unwrap_or_default().to_owned();
    let at = text(&event["at"]);
    let source = event["source"].as_str().map(|from| format!(" from {from}")).unwrap_or_default();
    let who = format!("{}{source}", text(&event["authority"]));
    format!("{}  {record:8} {:20} {detail:29} {who}", &at[11..23], text(&fact["type"]))
}

/// The events of the first package, once the deletion of its Secret has been reported.
async fn wait_for_end(host: &Host) -> Vec<Value> {
    let listed = host.get("/api/packages").await;
    let packages = listed["packages"].as_array().unwrap();
    let ours = packages.iter().find(|package| package["issued"]["name"] == INSTANCE).unwrap();
    let path = format!("/api/packages/{}/events", ours["id"].as_str().unwrap());
    loop {
        let events = host.get(&path).await["events"].as_array().unwrap().clone();
        if events.last().unwrap()["fact"]["type"] == "resource_gone" {
            return events;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The manifests that are there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect()
}

fn event(event: Value) -> String {
    authority::notification(&event.to_string())
}

struct Host {
    child: Child,
    url: String,
    operator: String,
    client: Client,
}

impl Host {
    /// Starts the program with the development configuration and fresh files.
    fn start(folder: &Path) -> Self {
        let program = std::env::current_exe().unwrap().parent().unwrap().with_file_name("provisioner");
        assert!(program.exists(), "build it first: cargo build --bin provisioner");
        let config = concat!(env!("CARGO_MANIFEST_DIR"), "/development/provisioner.toml");
        let mut command = Command::new(program);
        command.args(["serve", "--log", "warn", "--listen", "127.0.0.1:0", "--config", config]);
        for (option, file) in [
            ("--database", "provisioner.sqlite"),
            ("--keys", "provisioner.keys"),
            ("--manifests", "manifests"),
            ("--keep-unhandled", "unhandled"),
        ] {
            command.arg(option).arg(folder.join(file));
        }
        command.arg("--cluster-info").arg(Path::new(config).with_file_name("cluster-info.yaml"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut after = |mark: &str| {
            lines
                .find_map(|line| line.split_once(mark).map(|(_, rest)| rest.to_owned()))
                .expect("the host starts")
        };
        let operator = after("(shown this once): ");
        Self { child, url: after("listening on "), operator, client: Client::new() }
    }

    async fn sns(&self, message: &str) -> (u16, String) {
        self.post("/sns", message).await
    }

    async fn kubeconfig(&self, instance: &str) -> (u16, String) {
        let path = format!("/kubeadm/kubeconfig/{instance}");
        loop {
            let reply = self.post(&path, "").await;
            if reply.0 != 503 {
                return reply;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn post(&self, path: &str, body: &str) -> (u16, String) {
        let request = self.client.post(format!("{}{path}", self.url)).body(body.to_owned());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.operator);
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn wait<T>(mut find: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "the host does not do its work");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn step(text: &str) {
    println!("\n\u{2022} {text}");
}

fn note(text: &str) {
    println!("    {text}");
}

/// Shows a document, its certificate shortened.
fn show(document: &str) {
    for line in document.lines() {
        let short: String = line.chars().take(96).collect();
        println!("    | {short}{}", if short.len() < line.len() { "..." } else { "" });
    }
}
