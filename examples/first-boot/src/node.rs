//! The node: its key, what it was given, and how it says that it is alive.

use handfast::{
    Secret,
    crypto::default_backend,
    jwt::{Algorithm, SigningKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Failure, files::Folder, host::Host};

const KEY: &str = "key.pem";
const CREDENTIAL: &str = "credential.jwt";
/// Written last: where it is, everything is.
const STATE: &str = "state.json";

/// What the node remembers that is no secret.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    node: String,
    package: String,
    /// The number of the last check-in that was answered.
    sequence: u64,
    /// What the check-in after it is called, drawn at random and written down before it is sent: a copy of this disk draws
    /// another, and is found out by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<String>,
    /// Tells the token that was redeemed from others.
    #[serde(default)]
    token: Option<String>,
}

/// This computer.
#[derive(Debug)]
pub(crate) struct Node {
    folder: Folder,
    host: Host,
    key: SigningKey,
    state: Option<State>,
}

impl Node {
    /// Reads what an earlier life has left, or makes a key: before anything is asked for, so that a lost reply can be asked
    /// for again by the same key.
    pub(crate) fn open(folder: Folder, host: Host) -> Result<Self, Failure> {
        let broken = |what: &str| Failure::Final(format!("{what} is unusable"));
        let key = match folder.read(KEY)? {
            Some(pem) => SigningKey::from_pkcs8_pem(pem.expose()).map_err(|_| broken(KEY))?,
            None => {
                let key =
                    SigningKey::generate(Algorithm::Es256, &mut rand::rng()).map_err(|_| broken(KEY))?;
                folder.write(KEY, &key.to_pkcs8_pem().map_err(|_| broken(KEY))?)?;
                key
            }
        };
        let state = folder.read(STATE)?;
        let state = state.map(|text| serde_json::from_str(text.expose())).transpose();
        Ok(Self { folder, host, key, state: state.map_err(|_| broken(STATE))? })
    }

    pub(crate) fn is_enrolled(&self) -> bool {
        self.state.is_some()
    }

    /// Whether it is this token that the node was enrolled with.
    pub(crate) fn has_redeemed(&self, token: &Secret) -> bool {
        self.state.as_ref().and_then(|state| state.token.as_ref()) == Some(&mark(token))
    }

    /// Redeems the token and keeps everything that comes back.
    pub(crate) fn redeem(
        &mut self,
        token: &Secret,
        node_name: Option<&str>,
        instance: Option<&str>,
    ) -> Result<(), Failure> {
        let mut body = json!({});
        for (member, value) in [("node_name", node_name), ("instance", instance)] {
            if let (Some(value), Some(members)) = (value, body.as_object_mut()) {
                members.insert(member.to_owned(), value.into());
            }
        }
        let answer = self.host.post("/redeem", &self.key, token, &body)?;
        let contents = self.folder.within("contents")?;
        for given in answer.get("contents").and_then(Value::as_array).into_iter().flatten() {
            if let Some((name, secret)) = file_of(given) {
                contents.write(&name, &secret)?;
            }
        }
        self.keep_credential(&answer)?;
        let (node, package) = (text(&answer, "node")?, text(&answer, "package")?);
        self.remember(State { node, package, sequence: 0, attempt: None, token: Some(mark(token)) })
    }

    /// Says that the node is alive. A number and its attempt's name are used again until they are answered, so that a lost
    /// reply is no gap.
    pub(crate) fn check_in(&mut self) -> Result<(), Failure> {
        let State { node, package, sequence, attempt, token } =
            self.state.take().ok_or_else(|| Failure::Final("not enrolled".to_owned()))?;
        let credential = self.folder.read(CREDENTIAL)?;
        let credential = credential
            .ok_or_else(|| Failure::Final("the host gives no credentials to check in with".to_owned()))?;
        let attempt = attempt.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
        self.remember(State {
            node: node.clone(),
            package: package.clone(),
            sequence,
            attempt: Some(attempt.clone()),
            token: token.clone(),
        })?;
        let sequence = sequence.saturating_add(1);
        let body = json!({ "node": node, "sequence": sequence, "attempt": attempt });
        let answer = self.host.post("/check-in", &self.key, &credential, &body)?;
        self.keep_credential(&answer)?;
        self.remember(State { node, package, sequence, attempt: None, token })
    }

    fn keep_credential(&self, answer: &Value) -> Result<(), Failure> {
        let token =
            answer.get("credential").and_then(|credential| credential.get("token")).and_then(Value::as_str);
        match token {
            Some(token) => Ok(self.folder.write(CREDENTIAL, &Secret::new(token.to_owned()))?),
            None => Ok(()),
        }
    }

    fn remember(&mut self, state: State) -> Result<(), Failure> {
        let text = serde_json::to_string(&state).map_err(|error| Failure::Final(error.to_string()))?;
        self.folder.write(STATE, &Secret::new(text))?;
        self.state = Some(state);
        Ok(())
    }
}

/// The public id of a token, and a digest. It has 256 random bits: from the digest nobody finds it.
fn mark(token: &Secret) -> String {
    let id = token.expose().rsplit_once('_').map_or("", |(id, _)| id);
    let digest = default_backend().sha256(format!("first-boot token 1\n{}", token.expose()).as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{id} {digest}")
}

/// The file name and the secret of one thing that was given. The host's names are made harmless: it is trusted with
/// secrets, not with paths.
fn file_of(given: &Value) -> Option<(String, Secret)> {
    let member = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
    let (name, secret) = match member("type") {
        "file" => (member("name").to_owned(), member("content")),
        "kubernetes_bootstrap_token" => ("kubernetes-bootstrap-token".to_owned(), member("token")),
        "spire_join_token" => ("spire-join-token".to_owned(), member("token")),
        "host" => (format!("{}-{}", member("kind"), member("name")), member("value")),
        "pool_item" => (format!("{}-{}", member("pool"), member("item")), member("content")),
        _ => return None,
    };
    let plain = |byte: char| byte.is_ascii_alphanumeric() || matches!(byte, '.' | '_' | '-');
    let name: String = name.chars().map(|byte| if plain(byte) { byte } else { '_' }).collect();
    let name = name.trim_start_matches('.').to_owned();
    (!name.is_empty()).then(|| (name, Secret::new(secret.to_owned())))
}

fn text(answer: &Value, member: &str) -> Result<String, Failure> {
    let found = answer.get(member).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Failure::Final(format!("the host's answer has no {member}")))
}
