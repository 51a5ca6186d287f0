//! `handfast spire`: trust bundles, ids and registration entries.

use std::collections::BTreeSet;

use clap::{Args, Subcommand, ValueEnum};
use handfast::{
    Code, Secret,
    crypto::default_backend,
    id::InvalidId,
    spire::{Bundle, Entry, EntryId, Selector, SpiffeId, SpireError, TrustDomain},
};
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    input::Input,
    output::{self, Out},
};

/// SPIFFE's and SPIRE's documents.
#[derive(Debug, Subcommand)]
pub(crate) enum Spire {
    /// Read a trust bundle strictly, in PEM or in SPIFFE's JSON; say what is in it, or write it in the other form
    Bundle(BundleOf),
    /// Read a SPIFFE id or a selector strictly, and say its parts
    Id(Id),
    /// Write a registration entry, as SPIRE's server API takes it
    Entry(NewEntry),
    /// Read a registration entry strictly, and refuse what the server would
    CheckEntry(Input),
}

impl Spire {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Bundle(bundle) => bundle.run(),
            Self::Id(id) => id.run(),
            Self::Entry(entry) => entry.run(),
            Self::CheckEntry(input) => {
                let text = input.text()?;
                let entry: Entry = serde_json::from_str(text.expose())
                    .map_err(|_| Failure::coded(Code::SpireInvalidRequest, "expected an entry in JSON"))?;
                checked(entry)
            }
        }
    }
}

/// A trust bundle. It does not say whose it is, so that must be said; whoever hands it over must be trusted for that domain.
#[derive(Args, Debug)]
pub(crate) struct BundleOf {
    #[command(flatten)]
    bundle: Input,
    /// The trust domain that it is believed for
    #[arg(long)]
    trust_domain: TrustDomain,
    /// Write it in this form; what PEM has no place for is left out
    #[arg(long, value_name = "FORM")]
    to: Option<Form>,
    #[command(flatten)]
    out: Out,
}

/// How a bundle is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// Certificates alone, as an agent's trust_bundle_path takes them
    Pem,
    /// A JWK Set, as spire-server bundle set -format spiffe takes it
    Json,
}

impl BundleOf {
    fn run(&self) -> Result<(), Failure> {
        let (text, domain) = (self.bundle.text()?, self.trust_domain.clone());
        let bundle = if text.expose().trim_start().starts_with('{') {
            Bundle::from_json(domain, text.expose())
        } else {
            Bundle::from_pem(domain, text.expose())
        };
        let bundle = bundle.map_err(failed)?;
        let mut document = shown(&bundle);
        if let (Some(form), Some(members)) = (self.to, document.as_object_mut()) {
            let written = match form {
                Form::Pem => bundle.to_pem(),
                Form::Json => bundle.to_json(),
            };
            members.insert("bundle".to_owned(), self.out.give(&Secret::new(written))?);
        }
        output::print(&document)
    }
}

fn shown(bundle: &Bundle) -> Value {
    let backend = default_backend();
    let sha256 =
        |bytes: &[u8]| -> String { backend.sha256(bytes).iter().map(|byte| format!("{byte:02x}")).collect() };
    let x509 = bundle.x509_authorities().iter().map(|authority| json!({ "sha256": sha256(authority.der()) }));
    let jwt = bundle
        .jwt_authorities()
        .iter()
        .map(|authority| json!({ "key_id": authority.key_id(), "sha256": sha256(authority.public_key()) }));
    json!({
        "trust_domain": bundle.trust_domain(),
        "x509_authorities": x509.collect::<Vec<_>>(),
        "jwt_authorities": jwt.collect::<Vec<_>>(),
        "sequence": bundle.sequence(),
        "refresh_hint_seconds": bundle.refresh_hint_seconds(),
    })
}

/// An id or a selector, neither of which is secret.
#[derive(Args, Debug)]
pub(crate) struct Id {
    /// spiffe://<trust domain>/<path>, or <type>:<value>
    text: String,
}

impl Id {
    fn run(&self) -> Result<(), Failure> {
        if self.text.starts_with("spiffe:") {
            let id: SpiffeId = self.text.parse().map_err(invalid)?;
            let (trust_domain, path) = (id.trust_domain(), id.path());
            return output::print(
                &json!({ "type": "spiffe_id", "trust_domain": trust_domain, "path": path }),
            );
        }
        let selector: Selector = self.text.parse().map_err(invalid)?;
        let (kind, value) = (selector.kind(), selector.value());
        output::print(&json!({ "type": "selector", "kind": kind, "value": value }))
    }
}

/// Who shows these selectors to this parent is given this identity.
#[derive(Args, Debug)]
pub(crate) struct NewEntry {
    /// The entry's id; a new one that bears the mark of the owner, when left out
    #[arg(long)]
    id: Option<EntryId>,
    /// Whose entry it is
    #[arg(long, default_value = "handfast")]
    owner: String,
    /// The id that it grants
    #[arg(long)]
    spiffe_id: SpiffeId,
    /// The agent that vouches for it, or spiffe://<trust domain>/spire/server
    #[arg(long)]
    parent_id: SpiffeId,
    /// What must be shown, all of it; may be repeated
    #[arg(long, required = true)]
    selector: Vec<Selector>,
    /// Seconds that an X.509-SVID lives; the server's default for 0
    #[arg(long, default_value_t = 0)]
    x509_svid_ttl: u32,
    /// A name in the X.509-SVID; may be repeated
    #[arg(long)]
    dns_name: Vec<String>,
    /// For a downstream SPIRE server, which can then sign any identity of the trust domain
    #[arg(long)]
    downstream: bool,
}

impl NewEntry {
    fn run(&self) -> Result<(), Failure> {
        let drawn = || format!("{}-{:032x}", self.owner, rand::random::<u128>()).parse().map_err(invalid);
        let id = self.id.clone().map_or_else(drawn, Ok)?;
        let selectors: BTreeSet<_> = self.selector.iter().cloned().collect();
        let mut entry = Entry::new(id, self.spiffe_id.clone(), self.parent_id.clone(), selectors);
        entry.x509_svid_ttl = self.x509_svid_ttl;
        entry.dns_names.clone_from(&self.dns_name);
        entry.downstream = self.downstream;
        checked(entry)
    }
}

fn checked(entry: Entry) -> Result<(), Failure> {
    entry.check().map_err(failed)?;
    output::print(&entry)
}

fn invalid(error: InvalidId) -> Failure {
    Failure::coded(error.code(), error)
}

fn failed(error: SpireError) -> Failure {
    Failure::coded(error.code(), error)
}
