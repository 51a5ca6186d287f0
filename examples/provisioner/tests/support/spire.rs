//! A real SPIRE server and its agents on this machine, found in the folder `SPIRE_BINARIES` or on the path.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    net::TcpListener,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::peer::{self, Peer};

/// The trust domain of the server.
pub(crate) const TRUST_DOMAIN: &str = "example.org";

/// A running server.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    program: PathBuf,
    port: u16,
    child: Child,
    _peer: Peer,
}

impl Server {
    /// Starts one; `None`, loudly, where there are no programs.
    pub(crate) async fn start() -> Option<Self> {
        let [program, _] = peer::find("SPIRE_BINARIES", ["spire-server", "spire-agent"])?;
        let version = Command::new(&program).arg("--version").output().unwrap();
        let version = [version.stdout, version.stderr].concat();
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (data, socket) = (path("data"), path("api.sock"));
        let config = format!(
            r#"server {{
                bind_address = "127.0.0.1"
                bind_port = "{port}"
                socket_path = "{socket}"
                trust_domain = "{TRUST_DOMAIN}"
                data_dir = "{data}"
                log_level = "DEBUG"
            }}
            plugins {{
                DataStore "sql" {{ plugin_data {{ database_type = "sqlite3" connection_string = "{data}/store.sqlite3" }} }}
                KeyManager "memory" {{ plugin_data {{}} }}
                NodeAttestor "join_token" {{ plugin_data {{}} }}
            }}"#
        );
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let child = run(&program, folder.path(), "server", &config);
        let _peer = Peer::new("spire-server", &String::from_utf8(version).unwrap());
        let server = Self { folder, program, port, child, _peer };
        server.until("the server is healthy", || server.ask(&["healthcheck"]).is_some()).await;
        Some(server)
    }

    /// The socket of its API.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("api.sock")
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// Its entries.
    pub(crate) fn entries(&self) -> Vec<Value> {
        self.json(&["entry", "show"])["entries"].as_array().cloned().unwrap()
    }

    /// The ids of the agents that it has let in.
    pub(crate) fn agents(&self) -> Vec<String> {
        let list = self.json(&["agent", "list"]);
        let id = |agent: &Value| agent["id"]["path"].as_str().unwrap().to_owned();
        list["agents"].as_array().unwrap().iter().map(id).collect()
    }

    /// Its trust bundle, `pem` or `spiffe`.
    pub(crate) fn bundle(&self, format: &str) -> String {
        self.ask(&["bundle", "show", "-format", format]).unwrap()
    }

    /// Makes an entry of somebody else's, or changes one.
    pub(crate) fn entry(&self, arguments: &[&str]) {
        assert!(self.ask(&[&["entry"], arguments].concat()).is_some(), "{arguments:?}\n{}", self.log());
    }

    /// Starts an agent with a join token and the bundle in PEM by which it knows its server.
    pub(crate) fn agent(&self, name: &str, token: &str, bundle: &str) -> Agent {
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("bundle.pem"), bundle).unwrap();
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(folder.join("token")).unwrap();
        file.write_all(token.as_bytes()).unwrap();
        let (shown, port) = (folder.display(), self.port);
        let config = format!(
            r#"agent {{
                data_dir = "{shown}"
                trust_domain = "{TRUST_DOMAIN}"
                server_address = "127.0.0.1"
                server_port = "{port}"
                socket_path = "{shown}/agent.sock"
                trust_bundle_path = "{shown}/bundle.pem"
                join_token_file = "{shown}/token"
                retry_bootstrap = false
            }}
            plugins {{
                KeyManager "memory" {{ plugin_data {{}} }}
                NodeAttestor "join_token" {{ plugin_data {{}} }}
                WorkloadAttestor "unix" {{ plugin_data {{}} }}
            }}"#
        );
        let program = self.program.with_file_name("spire-agent");
        Agent { child: run(&program, &folder, "agent", &config), folder, program }
    }

    /// Stops it; its socket stays behind.
    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < deadline, "still not so: {what}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let answer = self.ask(&[arguments, &["-output", "json"]].concat());
        serde_json::from_str(&answer.unwrap_or_else(|| panic!("{arguments:?}\n{}", self.log()))).unwrap()
    }

    fn ask(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new(&self.program);
        let (verb, options) = arguments.split_at(arguments.len().min(2));
        ask(command.args(verb).arg("-socketPath").arg(self.socket()).args(options))
    }
}

/// A running agent.
pub(crate) struct Agent {
    folder: PathBuf,
    program: PathBuf,
    child: Child,
}

impl Agent {
    /// The ids that it gives to this process.
    pub(crate) fn identities(&self) -> Vec<String> {
        let mut command = Command::new(&self.program);
        command.args(["api", "fetch", "x509", "-output", "json", "-socketPath"]);
        let answer = ask(command.arg(self.folder.join("agent.sock"))).unwrap_or_else(|| "{}".into());
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let id = |svid: &Value| svid["spiffe_id"].as_str().unwrap().to_owned();
        answer["svids"].as_array().map(|svids| svids.iter().map(id).collect()).unwrap_or_default()
    }

    /// Whether it has given up, and what it has logged.
    pub(crate) fn has_given_up(&mut self) -> Option<String> {
        let ended = self.child.try_wait().unwrap();
        ended.map(|_| std::fs::read_to_string(self.folder.join("agent.log")).unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(program: &Path, folder: &Path, name: &str, config: &str) -> Child {
    let config_file = folder.join(format!("{name}.conf"));
    std::fs::write(&config_file, config).unwrap();
    let log = File::create(folder.join(format!("{name}.log"))).unwrap();
    let mut command = Command::new(program);
    command.args(["run", "-config"]).arg(config_file).stderr(log.try_clone().unwrap()).stdout(log);
    command.stdin(Stdio::null()).spawn().unwrap()
}

fn ask(command: &mut Command) -> Option<String> {
    let output = command.output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}
