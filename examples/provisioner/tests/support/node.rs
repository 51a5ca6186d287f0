//! The node's side of the interface: a key, and proofs made with it.

use handfast::jwt::{Algorithm, Proof, SigningKey, TargetUrl, proof::Make};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::Reply;

/// What the policy of the tests calls the hosts, wherever they listen: they may be several behind one name.
pub(crate) const BASE_URL: &str = "https://enroll.example/api";

/// A node with a key of its own.
pub(crate) struct Node {
    key: SigningKey,
    client: Client,
    pub(crate) nonce: Option<String>,
}

impl Node {
    pub(crate) fn new(client: &Client) -> Self {
        let key = SigningKey::generate(Algorithm::EdDsa, &mut rand::rng()).unwrap();
        Self { key, client: client.clone(), nonce: None }
    }

    /// A proof for one request.
    pub(crate) fn proof(&self, path: &str, token: Option<&str>, nonce: Option<&str>) -> String {
        let url: TargetUrl = format!("{BASE_URL}{path}").parse().unwrap();
        let issued_at = "2020-01-01T00:00:00Z".parse().unwrap(); // its clock has never been set
        let make = Make { method: "POST", url: &url, token, nonce, issued_at };
        Proof::make(&self.key, &make, &mut rand::rng()).unwrap()
    }

    /// Posts with a proof, and once more where another nonce is wanted. `None`: no answer.
    pub(crate) async fn post(
        &mut self,
        host: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Option<Reply> {
        let reply = self.post_once(host, path, token, body).await?;
        let asked = reply.status == StatusCode::UNAUTHORIZED && reply.json()["code"] == "use_nonce";
        if asked { self.post_once(host, path, token, body).await } else { Some(reply) }
    }

    async fn post_once(
        &mut self,
        host: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Option<Reply> {
        let mut request =
            self.client.request(Method::POST, format!("{host}/api{path}")).body(body.to_string());
        request = request.header("content-type", "application/json");
        request = request.header("dpop", self.proof(path, token, self.nonce.as_deref()));
        if let Some(token) = token {
            request = request.header("authorization", format!("DPoP {token}"));
        }
        let reply = Reply::read(request.send().await.ok()?).await?;
        if let Some(nonce) = reply.header("dpop-nonce") {
            self.nonce = Some(nonce.to_owned());
        }
        Some(reply)
    }

    pub(crate) async fn redeem(&mut self, host: &str, token: &str) -> Option<Reply> {
        self.post(host, "/redeem", Some(token), &json!({})).await
    }

    pub(crate) async fn check_in(
        &mut self,
        host: &str,
        node: &str,
        sequence: u64,
        credential: &str,
    ) -> Option<Reply> {
        self.post(host, "/check-in", Some(credential), &json!({ "node": node, "sequence": sequence })).await
    }
}
