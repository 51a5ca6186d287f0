//! Secrets as AWS Secrets Manager gives them, here by moto. Run by `make test-emissary-aws`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{
    env,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use aws_sdk_secretsmanager::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    primitives::Blob,
};
use support::{Ended, Place, until};

/// moto's server: a stand-in for the API of Secrets Manager that keeps secrets in memory.
struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    /// Starts one; `None`, loudly, where it is not installed.
    fn start() -> Option<Self> {
        let paths = env::var_os("MOTO_BIN").or_else(|| env::var_os("PATH")).unwrap_or_default();
        let found: Option<PathBuf> =
            env::split_paths(&paths).map(|folder| folder.join("moto_server")).find(|file| file.is_file());
        let Some(program) = found else {
            support::skipped("no moto_server (make test-emissary-aws installs it)");
            return None;
        };
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("moto answers", || TcpStream::connect(address).is_ok());
        Some(Self { child, url: format!("http://{address}") })
    }

    fn client(&self) -> Client {
        let credentials = Credentials::for_tests();
        let config = aws_sdk_secretsmanager::Config::builder().behavior_version(BehaviorVersion::latest());
        let config = config.region(Region::new("us-east-1")).credentials_provider(credentials);
        Client::from_conf(config.endpoint_url(&self.url).build())
    }

    fn program(&self, place: &Place, options: &[&str]) -> Command {
        let mut command = place.program(options);
        for (name, value) in [
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.url.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ] {
            command.env(name, value);
        }
        command
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const TEMPLATE: &str =
    "---\nmode: 0400\ndest: OUT/a\nonrender: touch OUT/ran\n---\n{{poll \"awssm\" \"prod/db\"}}";

#[test]
fn a_secret_is_waited_for_and_followed() {
    let Some(moto) = Moto::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = moto.client();
    let place = Place::new();
    place.template("a.tpl", TEMPLATE);
    let ended = Ended::of(moto.program(&place, &["--once", "--patience", "2"]).output().unwrap());
    assert_eq!(ended.code, 3, "{}", ended.log);
    assert!(ended.log.contains("ResourceNotFoundException"), "{}", ended.log);

    let create = client.create_secret().name("prod/db").secret_string("intentionally-empty");
    runtime.block_on(create.send()).unwrap();
    let log = std::fs::File::create(place.path("log")).unwrap();
    let _daemon = support::Daemon(moto.program(&place, &["--refresh", "1"]).stderr(log).spawn().unwrap());
    until("it is taken for missing", || place.log().contains("intentionally empty"));
    assert!(place.files().is_empty());
    for value in ["hunter2 {{x}}", "hunter3"] {
        runtime.block_on(client.put_secret_value().secret_id("prod/db").secret_string(value).send()).unwrap();
        until("it is written", || place.out("a").as_deref() == Some(value));
    }
    until("the command has run", || place.path("out/ran").exists());
    runtime.block_on(client.delete_secret().secret_id("prod/db").send()).unwrap();
    until("its end is seen", || place.log().contains("InvalidRequestException"));
    assert_eq!(place.out("a").as_deref(), Some("hunter3"), "what has come stays");
    assert!(!place.log().contains("hunter"), "{}", place.log());
}

#[test]
fn a_binary_secret_is_refused_and_a_service_that_is_away_is_not() {
    let Some(moto) = Moto::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let place = Place::new();
    place.template("a.tpl", TEMPLATE);
    let binary = Blob::new([0xff, 0xfe]);
    runtime.block_on(moto.client().create_secret().name("prod/db").secret_binary(binary).send()).unwrap();
    let ended = Ended::of(moto.program(&place, &["--once"]).output().unwrap());
    assert_eq!(ended.code, 1, "{}", ended.log);
    assert!(ended.log.contains("a binary secret"), "{}", ended.log);

    let mut away = moto.program(&place, &["--once", "--patience", "3"]);
    let ended =
        Ended::of(away.env("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9").output().unwrap());
    assert_eq!(ended.code, 3, "{}", ended.log);
    assert!(ended.events().contains(&"provider_unavailable".to_owned()), "{}", ended.log);
}
