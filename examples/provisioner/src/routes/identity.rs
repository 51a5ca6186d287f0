//! Instance identity documents, as a machine fetched them from its metadata service.

use handfast::{
    aws::{
        InstanceId,
        identity::{IdentityError, IdentityProof, InstanceIdentity},
    },
    verified::Verified,
    vocabulary::{Action, Authority, Command, Deliver, Recipient},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    App,
    exchange::Members,
    reply::{Audience, Problem, Reply},
};
/// What a machine shows: `pkcs7` (`rsa2048`), perhaps with its `document` beside it, or `document` and `signature`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    pkcs7: Option<String>,
    document: Option<String>,
    signature: Option<String>,
}

impl App {
    /// Verifies the member `identity`, where it is given.
    pub(super) fn identity(
        &self,
        members: &mut Members,
    ) -> Result<Option<Verified<InstanceIdentity>>, Problem> {
        let Some(value) = members.remove("identity") else { return Ok(None) };
        let shown: Shown = serde_json::from_value(value).map_err(|_| Problem::bad_request(EXPECTED))?;
        let (pkcs7, document, signature) =
            (shown.pkcs7.as_deref(), shown.document.as_deref(), shown.signature.as_deref());
        let proof = match (pkcs7, document, signature) {
            (Some(pkcs7), document, None) => {
                IdentityProof::Pkcs7 { pkcs7: pkcs7.as_bytes(), document: document.map(str::as_bytes) }
            }
            (None, Some(document), Some(signature)) => {
                IdentityProof::Signature { document: document.as_bytes(), signature: signature.as_bytes() }
            }
            (_, _, _) => return Err(Problem::bad_request(EXPECTED)),
        };
        if self.identity.is_empty() {
            return Err(Problem::bad_request(
                "identity: this host believes no documents: it has no [[identity]]",
            ));
        }
        self.believe(&proof).map(Some)
    }

    fn believe(&self, proof: &IdentityProof<'_>) -> Result<Verified<InstanceIdentity>, Problem> {
        let now = self.host.clock.now();
        let mut why = None;
        for verifier in &self.identity {
            match verifier.verify(proof, now) {
                Ok(identity) => return Ok(identity),
                Err(error) => why = Some(error),
            }
        }
        match why {
            Some(
                error @ (IdentityError::Malformed { .. }
                | IdentityError::TooLarge { .. }
                | IdentityError::UnsupportedAlgorithm),
            ) => Err(Problem::bad_request(format!("identity: {error}"))),
            Some(error) => {
                self.host.metrics.refused(error.code());
                tracing::info!(code = %error.code(), "refused an identity document");
                Err(Problem::denied())
            }
            None => Err(Problem::denied()),
        }
    }

    /// An instance fetches its package with its document, from whatever address.
    pub(super) async fn deliver_to_instance(
        &self,
        mut members: Members,
        source: Option<std::net::IpAddr>,
    ) -> Reply {
        let identity = self.identity(&mut members)?;
        let instance = members.remove("instance");
        if let Some(unknown) = members.keys().next() {
            return Err(Problem::bad_request(format!("{unknown}: unknown field")));
        }
        let instance =
            instance.as_ref().and_then(Value::as_str).and_then(|text| text.parse::<InstanceId>().ok());
        let Some(instance) = instance else {
            return Err(Problem::bad_request("instance: expected the id of an instance"));
        };
        let to = Recipient::Instance { instance, identity: identity.map(Box::new) };
        let command = Command { authority: Authority::Node, source, action: Action::Deliver(Deliver { to }) };
        self.answer(command, Audience::Node).await
    }
}

const EXPECTED: &str = "identity: expected pkcs7, perhaps with document, or document and signature";
