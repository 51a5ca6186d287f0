//! A provisioner's API, as an operator uses it.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use handfast::Secret;
use serde_json::Value;

use crate::{client::client, failure::Failure, input};

/// Bytes of an answer: more than any package's contents.
const ANSWER_BYTES: u64 = 4 * 1024 * 1024;

/// Which provisioner, and who asks.
#[derive(Args, Debug)]
pub(crate) struct Provisioner {
    /// Where its API is, for example https://enrol.example.org/api
    #[arg(long, env = "HANDFAST_URL")]
    url: String,
    /// The file that holds the operator's token
    #[arg(long, env = "HANDFAST_OPERATOR_TOKEN_FILE", value_name = "FILE")]
    operator_token_file: PathBuf,
    /// Seconds to wait for an answer
    #[arg(long, default_value_t = 30)]
    timeout: u64,
}

impl Provisioner {
    pub(crate) fn connect(&self) -> Result<Connection, Failure> {
        let base = self.url.trim_end_matches('/').to_owned();
        let agent = client(&base, Duration::from_secs(self.timeout))
            .ok_or_else(|| Failure::other("--url: expected https: a token must not travel in the clear"))?;
        Ok(Connection {
            agent,
            base,
            token: input::secret(&self.operator_token_file, "--operator-token-file")?,
        })
    }
}

pub(crate) struct Connection {
    agent: ureq::Agent,
    base: String,
    token: Secret,
}

impl Connection {
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in query {
            request = request.query(name, value);
        }
        let request = request.header("authorization", format!("Bearer {}", self.token.expose()));
        answer(request.call())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(self.agent.post(format!("{}{path}", self.base)), body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(self.agent.put(format!("{}{path}", self.base)), body)
    }

    fn send(
        &self,
        request: ureq::RequestBuilder<ureq::typestate::WithBody>,
        body: &Value,
    ) -> Result<Value, Failure> {
        let request = request.header("authorization", format!("Bearer {}", self.token.expose()));
        answer(request.content_type("application/json").send(body.to_string()))
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Failure> {
    let lost = |error: ureq::Error| Failure::Unreachable(format!("the provisioner: {error}"));
    let mut response = response.map_err(lost)?;
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec().map_err(lost)?;
    let body: Value = serde_json::from_slice(&text).unwrap_or_default();
    match status {
        200..=299 => Ok(body),
        500..=599 => Err(Failure::Unreachable(format!("the provisioner answers {status}"))),
        _ => Err(refusal(status, &body)),
    }
}

/// Says what the provisioner said, and nothing of what it was asked.
fn refusal(status: u16, body: &Value) -> Failure {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let message = text("message").or(text("error")).unwrap_or("refused");
    let code = text("code").map(str::to_owned);
    Failure::Refused { code, message: format!("the provisioner answers {status}: {message}") }
}
