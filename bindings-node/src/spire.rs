//! SPIFFE and SPIRE.

use handfast::{
    record::SpireEntry,
    spire::{self, BundleReply, Found, Outcome, StatusCode},
};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use serde_json::json;

use crate::{
    carry::{self, parse},
    error::{Result, Throw},
    secret::{Secret, Text, owned},
    system,
};

/// The authorities of one trust domain.
#[napi]
pub struct SpireBundle(spire::Bundle);

#[napi]
impl SpireBundle {
    /// Reads certificates in PEM.
    #[napi]
    pub fn from_pem(text: String, trust_domain: String) -> Result<SpireBundle> {
        let domain = parse(&trust_domain, "trustDomain")?;
        spire::Bundle::from_pem(domain, &text).map(Self).map_err(Throw::throw)
    }

    /// Reads the JSON of the standard.
    #[napi]
    pub fn from_json(text: String, trust_domain: String) -> Result<SpireBundle> {
        let domain = parse(&trust_domain, "trustDomain")?;
        spire::Bundle::from_json(domain, &text).map(Self).map_err(Throw::throw)
    }

    /// Reads what `GetBundle` answers.
    #[napi]
    pub fn from_reply(reply: String, trust_domain: String, now: i64) -> Result<SpireBundle> {
        let (domain, now) = (parse(&trust_domain, "trustDomain")?, system::instant(now, "now")?);
        let reply: BundleReply = carry::read_as(&reply, &Vec::new(), "reply")?;
        reply.into_bundle(domain, now).map(Self).map_err(Throw::throw)
    }

    /// Whose bundle it is.
    #[napi(getter)]
    pub fn trust_domain(&self) -> &str {
        self.0.trust_domain().as_str()
    }

    /// The authorities for X.509-SVIDs, certificates in DER.
    #[napi(getter, js_name = "x509Authorities")]
    pub fn x509_authorities(&self) -> Vec<Buffer> {
        self.0.x509_authorities().iter().map(|authority| authority.der().into()).collect()
    }

    /// The authorities for JWT-SVIDs.
    #[napi(getter)]
    pub fn jwt_authorities(&self) -> Vec<SpireJwtAuthority> {
        let authority = |authority: &spire::JwtAuthority| SpireJwtAuthority {
            key_id: authority.key_id().to_owned(),
            public_key: authority.public_key().into(),
        };
        self.0.jwt_authorities().iter().map(authority).collect()
    }

    /// Rises with each change; at most 2^53 - 1.
    #[napi(getter)]
    pub fn sequence(&self) -> Option<i64> {
        self.0.sequence().and_then(|number| number.try_into().ok())
    }

    /// How often readers should look for a newer one.
    #[napi(getter)]
    pub fn refresh_hint_seconds(&self) -> Option<u32> {
        self.0.refresh_hint_seconds()
    }

    /// The certificates in PEM.
    #[napi]
    pub fn to_pem(&self) -> String {
        self.0.to_pem()
    }

    /// The JSON of the standard.
    #[napi]
    pub fn to_json(&self) -> String {
        self.0.to_json()
    }
}

/// An authority for JWT-SVIDs.
#[napi(object, object_from_js = false)]
pub struct SpireJwtAuthority {
    /// The `kid` of tokens that it signs.
    pub key_id: String,
    /// A DER SubjectPublicKeyInfo.
    pub public_key: Buffer,
}

/// What `CreateJoinToken` takes.
#[napi]
pub struct JoinTokenRequest(spire::JoinTokenRequest);

#[napi]
impl JoinTokenRequest {
    /// A token of our own value.
    #[napi(constructor)]
    pub fn new(token: Text<'_>, expires_at: i64, now: i64, agent_id: Option<String>) -> Result<Self> {
        let (expires_at, now) = (system::instant(expires_at, "expiresAt")?, system::instant(now, "now")?);
        let agent_id = agent_id.map(|id| parse(&id, "agentId")).transpose()?;
        let token = owned(&token);
        spire::JoinTokenRequest::new(token, expires_at, now, agent_id).map(Self).map_err(Throw::throw)
    }

    /// The value.
    #[napi(getter)]
    pub fn token(&self) -> Secret {
        self.0.token().clone().into()
    }

    /// Seconds to live.
    #[napi(getter)]
    pub fn ttl(&self) -> u32 {
        self.0.ttl()
    }

    /// The id that the agent gets besides its own.
    #[napi(getter)]
    pub fn agent_id(&self) -> Option<&str> {
        self.0.agent_id().map(spire::SpiffeId::as_str)
    }
}

/// The entry that gives the agent attested by a join token an id besides SPIRE's own.
#[napi]
pub struct AliasEntry(spire::AliasEntry);

#[napi]
impl AliasEntry {
    /// The entry for the agent that shows this token.
    #[napi(constructor)]
    pub fn new(token: Text<'_>, id: String, spiffe_id: String) -> Result<Self> {
        let token = owned(&token);
        spire::AliasEntry::new(parse(&id, "id")?, parse(&spiffe_id, "spiffeId")?, &token)
            .map(Self)
            .map_err(Throw::throw)
    }

    /// The entry in JSON. It holds the token.
    #[napi]
    pub fn expose_json(&self) -> String {
        carry::write(self.0.expose())
    }
}

/// The entry of an effect `ensure_spire_entry` as `BatchCreateEntry` takes it.
#[napi]
pub fn spire_entry(entry: String) -> Result<String> {
    let entry: SpireEntry = carry::read_as(&entry, &Vec::new(), "entry")?;
    let entry = entry.to_entry();
    entry.check().map_err(Throw::throw)?;
    Ok(carry::write(&entry))
}

/// The parts of a SPIFFE id, as JSON.
#[napi]
pub fn spiffe_id(text: String) -> Result<String> {
    let id: spire::SpiffeId = parse(&text, "text")?;
    Ok(carry::write(&json!({"trust_domain": id.trust_domain(), "path": id.path()})))
}

/// The parts of a selector, as JSON.
#[napi]
pub fn spire_selector(text: String) -> Result<String> {
    let selector: spire::Selector = parse(&text, "text")?;
    Ok(carry::write(&json!({"type": selector.kind(), "value": selector.value()})))
}

/// What a result of `BatchCreateEntry` says.
#[napi]
pub fn created_entry_outcome(status: i32, wanted: String, found: Option<String>) -> Result<&'static str> {
    let wanted = carry::read(&wanted, &Vec::new())?;
    let wanted = spire::Entry::from_value(wanted, "wanted").map_err(Throw::throw)?;
    let found = match found {
        Some(found) => Found::from_value(carry::read(&found, &Vec::new())?, "found").map_err(Throw::throw)?,
        None => Found::Nothing,
    };
    Ok(Outcome::of_created_entry(StatusCode::from_number(status), &wanted, &found).as_str())
}

/// What a result of `BatchDeleteEntry` says.
#[napi]
pub fn deleted_entry_outcome(status: i32) -> &'static str {
    Outcome::of_deleted_entry(StatusCode::from_number(status)).as_str()
}

/// What the answer to `CreateJoinToken` says.
#[napi]
pub fn join_token_outcome(status: i32, message: String) -> &'static str {
    Outcome::of_join_token(StatusCode::from_number(status), &message).as_str()
}
