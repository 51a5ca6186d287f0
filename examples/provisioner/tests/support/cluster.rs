//! A real Kubernetes API server on this machine: etcd and kube-apiserver, found in the folder `KUBERNETES_BINARIES` or on
//! the path, with certificates of their own.

use std::{
    fmt::Write as _,
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::peer::{self, Peer};

/// A running API server.
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    children: Vec<Child>,
    server: String,
    client: reqwest::Client,
    _peer: Peer,
}

impl Cluster {
    /// Starts one; `None`, loudly, where there are no programs.
    pub(crate) async fn start() -> Option<Self> {
        let [etcd, api_server] = peer::find("KUBERNETES_BINARIES", ["etcd", "kube-apiserver"])?;
        let version = Command::new(&api_server).arg("--version").output().unwrap();
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        let [client_port, peer_port, port] = free_ports();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let log = |name: &str| File::create(folder.path().join(name)).unwrap();
        let (client_url, peer_url) =
            (format!("http://127.0.0.1:{client_port}"), format!("http://127.0.0.1:{peer_port}"));
        let start = |program: PathBuf, options: Vec<String>, name: &str| {
            let mut command = Command::new(program);
            command.args(options).stdout(Stdio::null()).stderr(log(name)).spawn().unwrap()
        };
        let options = [
            format!("--data-dir={}", path("etcd")),
            format!("--listen-client-urls={client_url}"),
            format!("--advertise-client-urls={client_url}"),
            format!("--listen-peer-urls={peer_url}"),
            format!("--initial-advertise-peer-urls={peer_url}"),
            format!("--initial-cluster=default={peer_url}"),
        ];
        let etcd = start(etcd, options.into(), "etcd.log");
        let server = format!("https://127.0.0.1:{port}");
        let options = [
            format!("--etcd-servers={client_url}"),
            "--bind-address=127.0.0.1".into(),
            "--endpoint-reconciler-type=none".into(),
            format!("--secure-port={port}"),
            format!("--client-ca-file={}", path("ca.crt")),
            format!("--tls-cert-file={}", path("server.crt")),
            format!("--tls-private-key-file={}", path("server.key")),
            format!("--service-account-key-file={}", path("server.key")),
            format!("--service-account-signing-key-file={}", path("server.key")),
            format!("--service-account-issuer={server}"),
            "--enable-bootstrap-token-auth".into(),
            "--authorization-mode=Node,RBAC".into(),
            "--service-cluster-ip-range=10.96.0.0/16".into(),
        ];
        let api_server = start(api_server, options.into(), "api-server.log");
        let client = client(folder.path());
        let _peer = Peer::new("kube-apiserver", &String::from_utf8(version.stdout).unwrap());
        let cluster = Self { folder, children: vec![api_server, etcd], server, client, _peer };
        cluster.ready().await;
        Some(cluster)
    }

    async fn ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let namespaces = ["/readyz", "/api/v1/namespaces/kube-system", "/api/v1/namespaces/kube-public"];
        for path in namespaces {
            while self.get(path).await.0 != 200 {
                let log = || std::fs::read_to_string(self.folder.path().join("api-server.log"));
                assert!(Instant::now() < deadline, "{}", log().unwrap_or_default());
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }

    /// Publishes where the cluster is, as kubeadm does.
    pub(crate) async fn publish(&self) {
        let authority = BASE64.encode(&std::fs::read(self.folder.path().join("ca.crt")).unwrap());
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: \"\"\n  cluster:\n    server: {}\n    \
             certificate-authority-data: {authority}\n",
            self.server
        );
        let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "cluster-info" },
            "data": { "kubeconfig": kubeconfig } });
        self.create("/api/v1/namespaces/kube-public/configmaps", &map).await;
    }

    /// Applies `deploy/rbac.yaml` and gives a kubeconfig of the account in it.
    pub(crate) async fn provisioner(&self) -> PathBuf {
        for document in include_str!("../../deploy/rbac.yaml").split("\n---\n") {
            let object: Value = serde_saphyr::from_str(document).unwrap();
            let kind = object["kind"].as_str().unwrap().to_lowercase();
            let group =
                if kind == "serviceaccount" { "/api/v1" } else { "/apis/rbac.authorization.k8s.io/v1" };
            let namespace = object["metadata"]["namespace"].as_str();
            let within = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
            self.create(&format!("{group}{within}/{kind}s"), &object).await;
        }
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
        let path = "/api/v1/namespaces/kube-system/serviceaccounts/provisioner/token";
        let answer = self.create(path, &request).await;
        self.kubeconfig("provisioner", &format!("token: {}", answer["status"]["token"].as_str().unwrap()))
    }

    /// A kubeconfig that may do everything.
    pub(crate) fn admin(&self) -> PathBuf {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let user =
            format!("client-certificate: {}\n    client-key: {}", path("admin.crt"), path("admin.key"));
        self.kubeconfig("admin", &user)
    }

    fn kubeconfig(&self, name: &str, user: &str) -> PathBuf {
        let authority = self.folder.path().join("ca.crt");
        let mut text = "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts:\n- name: a\n".to_owned();
        let _ = write!(
            text,
            "  context:\n    cluster: a\n    user: a\nclusters:\n- name: a\n  cluster:\n    server: {}\n    \
             certificate-authority: {}\nusers:\n- name: a\n  user:\n    {user}\n",
            self.server,
            authority.display()
        );
        let path = self.folder.path().join(format!("{name}.conf"));
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The Secrets that are bootstrap tokens.
    pub(crate) async fn secrets(&self) -> Vec<Value> {
        let path =
            "/api/v1/namespaces/kube-system/secrets?fieldSelector=type%3Dbootstrap.kubernetes.io/token";
        self.get(path).await.1["items"].as_array().unwrap().clone()
    }

    /// The status that the API server gives to whoever has this token.
    pub(crate) async fn status_for(&self, token: &str, path: &str) -> u16 {
        let anonymous = authority_only(self.folder.path()).build().unwrap();
        let request = anonymous.get(format!("{}{path}", self.server)).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let Ok(response) = self.client.get(format!("{}{path}", self.server)).send().await else {
            return (0, Value::Null);
        };
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
    }

    pub(crate) async fn create(&self, path: &str, object: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.server)).body(object.to_string());
        let response = request.header("content-type", "application/json").send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status.as_u16(), 201, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) async fn patch(&self, path: &str, change: &Value) {
        let request = self.client.patch(format!("{}{path}", self.server)).body(change.to_string());
        let request = request.header("content-type", "application/merge-patch+json");
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// An authority, a certificate of the server, one of an administrator.
fn certificates(folder: &Path) {
    let script = r#"
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=kubernetes -days 2
        sign() {
            openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj "$2"
            echo "$3" > $1.ext
            openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $1.crt -days 2 -extfile $1.ext
        }
        sign server /CN=kube-apiserver subjectAltName=IP:127.0.0.1
        sign admin /O=system:masters/CN=admin extendedKeyUsage=clientAuth
        cat admin.crt admin.key > admin.pem
    "#;
    let mut shell = Command::new("sh");
    let output = shell.args(["-euc", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn client(folder: &Path) -> reqwest::Client {
    let identity = reqwest::Identity::from_pem(&std::fs::read(folder.join("admin.pem")).unwrap()).unwrap();
    authority_only(folder).identity(identity).build().unwrap()
}

fn authority_only(folder: &Path) -> reqwest::ClientBuilder {
    let authority = reqwest::Certificate::from_pem(&std::fs::read(folder.join("ca.crt")).unwrap()).unwrap();
    reqwest::Client::builder().tls_certs_only([authority])
}
