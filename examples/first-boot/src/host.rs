//! The host, over HTTP: RFC 9449 as a client does it.

use std::time::{Duration, Instant};

use handfast::{
    Secret,
    jwt::{Proof, SigningKey, TargetUrl, proof::Make},
    time::Timestamp,
};
use serde_json::Value;

use crate::{Failure, client::client};

/// Bytes of an answer: more than any package's contents.
const ANSWER_BYTES: u64 = 4 * 1024 * 1024;
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LAST_DELAY: Duration = Duration::from_secs(30);

/// A host, and how long to go on trying.
#[derive(Debug)]
pub(crate) struct Host {
    agent: ureq::Agent,
    base: String,
    patience: Duration,
    nonce: Option<String>,
}

/// What one attempt came to.
enum Attempt {
    Answer(Value),
    /// The proof has to be made once more, with the nonce that came along.
    AnotherNonce,
    Refused(String),
    /// Nobody knows whether it was done: try the same again.
    Lost(String),
}

impl Host {
    pub(crate) fn new(base: &str, patience: Duration) -> Result<Self, Failure> {
        let base = base.trim_end_matches('/').to_owned();
        let agent = client(&base, Duration::from_secs(30)).ok_or_else(|| {
            Failure::Final("--url: expected https: a token must not travel in the clear".to_owned())
        })?;
        Ok(Self { agent, base, patience, nonce: None })
    }

    /// Posts a request with the token and a proof over both, until there is an answer.
    pub(crate) fn post(
        &mut self,
        path: &str,
        key: &SigningKey,
        token: &Secret,
        body: &Value,
    ) -> Result<Value, Failure> {
        let (begun, mut delay) = (Instant::now(), FIRST_DELAY);
        loop {
            match self.attempt(path, key, token, body)? {
                Attempt::Answer(answer) => return Ok(answer),
                Attempt::Refused(code) => return Err(Failure::Final(format!("the host refuses: {code}"))),
                Attempt::AnotherNonce if begun.elapsed() < self.patience => {}
                Attempt::Lost(why) if begun.elapsed() < self.patience => {
                    crate::say(&format!("first-boot: {why}; trying again"));
                    std::thread::sleep(delay);
                    delay = (delay * 2).min(LAST_DELAY);
                }
                Attempt::AnotherNonce => {
                    return Err(Failure::Unreachable("no nonce is good enough".to_owned()));
                }
                Attempt::Lost(why) => return Err(Failure::Unreachable(why)),
            }
        }
    }

    fn attempt(
        &mut self,
        path: &str,
        key: &SigningKey,
        token: &Secret,
        body: &Value,
    ) -> Result<Attempt, Failure> {
        let url: TargetUrl = format!("{}{path}", self.base)
            .parse()
            .map_err(|error| Failure::Final(format!("--url: {error}")))?;
        let make = Make {
            method: "POST",
            url: &url,
            token: Some(token.expose()),
            nonce: self.nonce.as_deref(),
            issued_at: Timestamp::new(chrono::Utc::now()),
        };
        let proof = Proof::make(key, &make, &mut rand::rng())
            .map_err(|error| Failure::Final(format!("cannot make a proof: {error}")))?;
        let sent = self
            .agent
            .post(url.as_str())
            .header("Authorization", format!("DPoP {}", token.expose()))
            .header("DPoP", proof)
            .header("Content-Type", "application/json")
            .send(body.to_string());
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => return Ok(Attempt::Lost(error.to_string())),
        };
        let nonce =
            response.headers().get("DPoP-Nonce").and_then(|nonce| nonce.to_str().ok()).map(str::to_owned);
        let fresh = nonce.is_some() && nonce != self.nonce;
        self.nonce = nonce.or(self.nonce.take());
        let status = response.status().as_u16();
        let read = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_string();
        let answer = read.ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        Ok(judge(status, fresh, answer))
    }
}

/// What the status and the answer mean. Without a whole answer nobody knows.
fn judge(status: u16, fresh_nonce: bool, answer: Option<Value>) -> Attempt {
    let code = |answer: &Value| answer.get("code").and_then(Value::as_str).map(str::to_owned);
    match (status, answer) {
        (200..=299, Some(answer)) => Attempt::Answer(answer),
        (401, Some(answer)) if fresh_nonce && code(&answer).as_deref() == Some("use_nonce") => {
            Attempt::AnotherNonce
        }
        (400..=499, Some(answer)) if status != 408 && status != 429 => {
            Attempt::Refused(code(&answer).unwrap_or_else(|| format!("status {status}")))
        }
        _ => Attempt::Lost(format!("the host answers with status {status}")),
    }
}
