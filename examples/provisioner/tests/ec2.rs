//! Instances as EC2's API describes them, here by moto. Run by `make test-ec2`.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    io::Write,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use support::{Place, authority, until};

/// moto's server: a stand-in for the API of EC2 that keeps instances in memory.
struct Moto {
    child: Child,
    url: String,
    client: reqwest::Client,
}

/// An instance that moto made.
struct Instance {
    id: String,
    address: String,
}

impl Moto {
    /// Starts one; `None`, loudly, where it is not installed.
    async fn start() -> Option<Self> {
        let paths = std::env::var_os("MOTO_BIN").or_else(|| std::env::var_os("PATH")).unwrap_or_default();
        let found: Option<PathBuf> = std::env::split_paths(&paths)
            .map(|folder| folder.join("moto_server"))
            .find(|file| file.is_file());
        let Some(program) = found else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: no moto_server (make test-ec2 installs it)");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port]).stdout(Stdio::null()).stderr(Stdio::null());
        let moto = Self {
            child: command.spawn().unwrap(),
            url: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::new(),
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while moto.client.get(format!("{}/moto-api/", moto.url)).send().await.is_err() {
            assert!(Instant::now() < deadline, "moto does not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Some(moto)
    }

    /// Launches an instance with a tag `Role`.
    async fn run(&self, role: &str) -> Instance {
        let form = format!(
            "Action=RunInstances&Version=2016-11-15&ImageId=ami-12c6146b&MinCount=1&MaxCount=1\
             &TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Role\
             &TagSpecification.1.Tag.1.Value={role}"
        );
        let answer = self.ask(form).await;
        let member = |name: &str| {
            let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        Instance { id: member("instanceId"), address: member("privateIpAddress") }
    }

    async fn ask(&self, form: String) -> String {
        let credential = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ec2/aws4_request, \
                          SignedHeaders=host, Signature=0";
        let request = self.client.post(&self.url).body(form).header("authorization", credential);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status.as_u16(), 200, "{text}");
        text
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn what_ec2_says_decides() {
    let Some(moto) = Moto::start().await else { return };
    let (worker, database) = (moto.run("kubernetes-worker").await, moto.run("database").await);
    let mut place = Place::new().with(&["--ec2", "--ec2-endpoint-url", &moto.url]);
    place.options.extend(["--trust-forwarded-for", "127.0.0.0/8"].map(String::from));
    place.environment = vec![
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ];
    let host = place.start();
    let operator = host.token.clone().unwrap();
    let unheard_of = "i-0123456789abcdef0";
    for instance in [worker.id.as_str(), &database.id, unheard_of] {
        host.event(authority::state_change(instance, "running")).await;
    }
    until("the token is made", || !place.manifests().is_empty()).await;
    until("EC2 does not know one of them", || place.log().contains("InvalidInstanceID.NotFound")).await;
    let packages = host.packages(&operator).await;
    assert_eq!(packages.len(), 1);
    assert_eq!(packages[0]["issued"]["instance"], worker.id.as_str());

    let path = format!("/kubeadm/kubeconfig/{}", worker.id);
    for (address, status) in [(database.address.as_str(), 404), ("192.0.2.1", 404), (&worker.address, 200)] {
        let from = [("x-forwarded-for", address)];
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut reply = host.send(reqwest::Method::POST, &path, &from, "").await.unwrap();
        while reply.status == 503 && Instant::now() < deadline {
            reply = host.send(reqwest::Method::POST, &path, &from, "").await.unwrap();
        }
        assert_eq!(reply.status.as_u16(), status, "{address}");
    }

    moto.ask(format!("Action=TerminateInstances&Version=2016-11-15&InstanceId.1={}", worker.id)).await;
    host.event(authority::state_change(&worker.id, "terminated")).await;
    until("no manifest is left", || place.manifests().is_empty()).await;
}
