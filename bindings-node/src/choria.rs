//! Choria's tokens and its provisioner's helper.

use handfast::{
    choria::{self, AnyClaims, HexKey, Purpose, Terms, Token},
    crypto::default_backend,
    verified::Verified,
};
use napi_derive::napi;

use crate::{
    carry::{self, Secrets},
    error::{Result, Throw, invalid},
    secret::{Secret, Text, exposed, owned},
    system,
};

/// Whom tokens are believed.
#[napi]
pub struct IssuerKey(choria::IssuerKey);

#[napi]
impl IssuerKey {
    /// Reads a key file.
    #[napi(factory)]
    pub fn read(text: String) -> Result<Self> {
        choria::IssuerKey::read(&text, default_backend()).map(Self).map_err(Throw::throw)
    }

    /// The 64 digits, where it is an Ed25519 key.
    #[napi(getter)]
    pub fn hex(&self) -> Option<String> {
        self.0.hex().map(ToString::to_string)
    }
}

/// Verifies a token of one kind; `now` in milliseconds since 1970.
#[napi]
pub fn verify_choria(key: &IssuerKey, token: Text<'_>, kind: String, now: i64) -> Result<VerifiedToken> {
    let kind =
        kind.parse::<Purpose>().map_err(|_| invalid("kind", "expected provisioning, server or client"))?;
    let verified = choria::verify_as(kind, &key.0, exposed(&token), system::instant(now, "now")?);
    verified.map(VerifiedToken).map_err(Throw::throw)
}

/// Reads a token and proves nothing.
#[napi]
pub fn inspect_choria(token: Text<'_>) -> Result<UnverifiedToken> {
    choria::inspect(exposed(&token)).map(UnverifiedToken).map_err(Throw::throw)
}

/// What a token says, in nobody's name.
#[napi]
pub struct UnverifiedToken(choria::UnverifiedToken);

#[napi]
impl UnverifiedToken {
    /// Its kind.
    #[napi(getter)]
    pub fn kind(&self) -> String {
        self.0.claims().purpose().to_string()
    }

    /// The provisioning secret.
    #[napi(getter)]
    pub fn token(&self) -> Option<Secret> {
        token_of(self.0.claims())
    }

    /// The password at the broker.
    #[napi(getter)]
    pub fn password(&self) -> Option<Secret> {
        password_of(self.0.claims())
    }

    /// All but its secrets, as JSON.
    #[napi]
    pub fn describe(&self) -> String {
        carry::write(&self.0)
    }
}

/// A token that is genuine.
#[napi]
pub struct VerifiedToken(Verified<Token<AnyClaims>>);

#[napi]
impl VerifiedToken {
    /// Its kind.
    #[napi(getter)]
    pub fn kind(&self) -> String {
        self.0.claims.purpose().to_string()
    }

    /// The provisioning secret.
    #[napi(getter)]
    pub fn token(&self) -> Option<Secret> {
        token_of(&self.0.claims)
    }

    /// The password at the broker.
    #[napi(getter)]
    pub fn password(&self) -> Option<Secret> {
        password_of(&self.0.claims)
    }

    /// All but its secrets, as JSON.
    #[napi]
    pub fn describe(&self) -> String {
        carry::write(self.0.get())
    }

    /// All that it says under Choria's names, with its secrets.
    #[napi]
    pub fn to_payload(&self) -> Secret {
        self.0.to_json().into()
    }
}

/// An Ed25519 key that signs tokens.
#[napi]
pub struct Issuer(choria::Issuer);

#[napi]
impl Issuer {
    /// Reads a seed file.
    #[napi(factory)]
    pub fn from_seed(seed: Text<'_>, name: Option<String>) -> Result<Self> {
        let seed = owned(&seed);
        let issuer = choria::Issuer::from_seed(&seed);
        let named = issuer.and_then(|issuer| match &name {
            Some(name) => issuer.named(name),
            None => Ok(issuer),
        });
        named.map(Self).map_err(Throw::throw)
    }

    /// Draws a new one.
    #[napi(factory)]
    pub fn generate() -> Result<Self> {
        Ok(Self(choria::Issuer::generate(&mut system::entropy()?)))
    }

    /// The seed.
    #[napi]
    pub fn seed(&self) -> Secret {
        self.0.seed().into()
    }

    /// What others verify with.
    #[napi(getter)]
    pub fn public_key(&self) -> String {
        self.0.public_key().to_string()
    }

    /// Signs a token.
    #[napi]
    pub fn sign(&self, claims: String, secrets: Secrets<'_>, terms: TermsOptions) -> Result<Secret> {
        let (claims, terms) = (any_claims(&claims, &secrets)?, terms.read()?);
        let issued = self.0.issue_any(&claims, &terms, &mut system::entropy()?);
        issued.map(Secret::from).map_err(Throw::throw)
    }

    /// Signs a client's token that makes it a chain issuer.
    #[napi]
    pub fn sign_appointment(
        &self,
        client: String,
        secrets: Secrets<'_>,
        terms: TermsOptions,
    ) -> Result<Secret> {
        let (client, terms) = (carry::read_as(&client, &secrets, "")?, terms.read()?);
        let issued = self.0.appoint(&client, &terms, &mut system::entropy()?);
        issued.map(Secret::from).map_err(Throw::throw)
    }

    /// Takes up an appointment.
    #[napi]
    pub fn appointed(&self, appointment: &VerifiedToken) -> Result<ChainIssuer> {
        self.0.clone().appointed(&appointment.0).map(ChainIssuer).map_err(Throw::throw)
    }
}

/// An issuer that an organisation appointed.
#[napi]
pub struct ChainIssuer(choria::ChainIssuer);

#[napi]
impl ChainIssuer {
    /// Signs the token of a server or a client.
    #[napi]
    pub fn sign(&self, claims: String, secrets: Secrets<'_>, terms: TermsOptions) -> Result<Secret> {
        let (claims, terms) = (any_claims(&claims, &secrets)?, terms.read()?);
        let issued = self.0.issue_any(&claims, &terms, &mut system::entropy()?);
        issued.map(Secret::from).map_err(Throw::throw)
    }
}

/// When a token is issued, until when, and whose it is.
#[napi(object, object_to_js = false)]
pub struct TermsOptions {
    /// Milliseconds since 1970.
    pub now: i64,
    /// Milliseconds since 1970.
    pub expires_at: i64,
    /// 64 hexadecimal digits.
    pub public_key: Option<String>,
}

impl TermsOptions {
    fn read(&self) -> Result<Terms> {
        let key = self.public_key.as_ref().map(|key| key.parse::<HexKey>().map_err(Throw::throw));
        Ok(Terms {
            at: system::instant(self.now, "now")?,
            expires_at: system::instant(self.expires_at, "expiresAt")?,
            public_key: key.transpose()?,
        })
    }
}

/// Who asks to be provisioned.
#[napi]
pub struct HelperRequest(choria::HelperRequest);

#[napi]
impl HelperRequest {
    /// Puts a request together; the certificate request and the key as JSON.
    #[napi(factory)]
    pub fn build(
        identity: String,
        inventory: String,
        csr: Option<String>,
        ed25519_pubkey: Option<String>,
        jwt: Option<&VerifiedToken>,
    ) -> Result<Self> {
        let none = Secrets::new();
        let csr = csr.map(|csr| carry::read_as(&csr, &none, "csr")).transpose()?;
        let key = ed25519_pubkey.map(|key| carry::read_as(&key, &none, "ed25519Pubkey"));
        let jwt = jwt.map(|jwt| jwt.0.provisioning().map_err(Throw::throw)).transpose()?;
        Ok(Self(choria::HelperRequest { identity, csr, ed25519_pubkey: key.transpose()?, inventory, jwt }))
    }

    /// Reads what a provisioner wrote.
    #[napi(factory)]
    pub fn parse(text: String) -> Result<Self> {
        choria::HelperRequest::from_json(&text).map(Self).map_err(Throw::throw)
    }

    /// What a helper reads.
    #[napi]
    pub fn to_document(&self) -> Result<Secret> {
        self.0.to_json().map(Secret::from).map_err(Throw::throw)
    }

    /// The node's name.
    #[napi(getter)]
    pub fn identity(&self) -> &str {
        &self.0.identity
    }

    /// What the node says of itself, as JSON.
    #[napi]
    pub fn inventory_text(&self) -> Result<String> {
        self.0.inventory().map(|inventory| inventory.to_string()).map_err(Throw::throw)
    }

    /// The provisioning secret of the node's token.
    #[napi(getter)]
    pub fn token(&self) -> Option<Secret> {
        self.0.jwt.as_ref().map(|jwt| jwt.claims.token.clone().into())
    }

    /// All of it but secrets, as JSON.
    #[napi]
    pub fn describe(&self) -> String {
        carry::write(&self.0)
    }
}

/// What is to become of a node.
#[napi]
pub struct HelperReply(choria::HelperReply);

#[napi]
impl HelperReply {
    /// Puts a reply together.
    #[napi(factory)]
    pub fn build(members: String, secrets: Secrets<'_>) -> Result<Self> {
        carry::read_as(&members, &secrets, "").map(Self)
    }

    /// Reads what a helper wrote.
    #[napi(factory)]
    pub fn parse(text: String) -> Result<Self> {
        choria::HelperReply::from_json(&text).map(Self).map_err(Throw::throw)
    }

    /// What a provisioner reads.
    #[napi]
    pub fn document(&self, now: i64) -> Result<Secret> {
        self.0.to_json(system::instant(now, "now")?).map(Secret::from).map_err(Throw::throw)
    }

    /// The claims of the node's server token, as JSON.
    #[napi]
    pub fn server_claims(&self, identity: String) -> String {
        carry::write(&AnyClaims::Server(self.0.server(&identity)))
    }

    /// When the node's server token is to expire.
    #[napi]
    pub fn expiry(&self, now: i64) -> Result<Option<String>> {
        let at = self.0.expires_at(system::instant(now, "now")?);
        at.map(|at| at.map(|at| at.to_string())).map_err(Throw::throw)
    }

    /// The private key.
    #[napi(getter)]
    pub fn key(&self) -> Option<Secret> {
        self.0.key.clone().map(Secret::from)
    }

    /// All of it but the private key, as JSON.
    #[napi]
    pub fn describe(&self) -> String {
        carry::write(&self.0)
    }
}

fn token_of(claims: &AnyClaims) -> Option<Secret> {
    claims.provisioning().map(|claims| claims.token.clone().into())
}

fn password_of(claims: &AnyClaims) -> Option<Secret> {
    claims.provisioning()?.password.clone().map(Secret::from)
}

fn any_claims(claims: &str, secrets: &Secrets<'_>) -> Result<AnyClaims> {
    AnyClaims::from_value(carry::read(claims, secrets)?).map_err(Throw::throw)
}
