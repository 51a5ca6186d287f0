//! `handfast choria`: Choria's tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use handfast::{
    choria::{self, ChoriaError, Claims, Client, HexKey, Issuer, IssuerKey, Provisioning, Server, Terms},
    crypto::default_backend,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    clock,
    failure::Failure,
    input::{self, Input},
    output::{self, Out},
};

/// Choria's tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Choria {
    /// Sign a token with an Ed25519 key
    Issue(Issue),
    /// Show what a token says, in nobody's name and without its secrets
    Inspect(Input),
    /// Believe a token, or not
    Verify(Verify),
}

impl Choria {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Issue(issue) => issue.run(),
            Self::Inspect(input) => output::print(&choria::inspect(input.text()?.expose()).map_err(failed)?),
            Self::Verify(verify) => verify.run(),
        }
    }
}

/// What a token is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Provisioning,
    Server,
    Client,
}

/// A token to be signed.
#[derive(Args, Debug)]
pub(crate) struct Issue {
    /// What it is for
    #[arg(value_enum)]
    kind: Kind,
    /// The issuer's seed: a file of 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    seed_file: PathBuf,
    /// The claims, with the secrets among them, as a JSON object; - for standard input
    #[arg(long, value_name = "FILE")]
    claims: PathBuf,
    /// Whose token it is: 64 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    public_key: Option<String>,
    /// Seconds until it expires
    #[arg(long, default_value_t = 60 * 60)]
    validity_seconds: u32,
    /// The issuer's name
    #[arg(long)]
    issuer: Option<String>,
    /// Make the client one that may sign others (a chain issuer)
    #[arg(long)]
    appoint: bool,
    #[command(flatten)]
    out: Out,
}

impl Issue {
    fn run(&self) -> Result<(), Failure> {
        let mut issuer =
            Issuer::from_seed(&input::secret(&self.seed_file, "--seed-file")?).map_err(failed)?;
        if let Some(name) = &self.issuer {
            issuer = issuer.named(name).map_err(failed)?;
        }
        let public_key = self.public_key.as_deref().map(str::parse::<HexKey>).transpose().map_err(failed)?;
        let at = clock::now();
        let expires_at = clock::whole(at.plus_seconds(self.validity_seconds));
        let terms = Terms { at, expires_at, public_key };
        let rng = &mut rand::rng();
        let token = match (self.kind, self.appoint) {
            (Kind::Provisioning, false) => issuer.issue(&self.claims::<Provisioning>()?, &terms, rng),
            (Kind::Server, false) => issuer.issue(&self.claims::<Server>()?, &terms, rng),
            (Kind::Client, false) => issuer.issue(&self.claims::<Client>()?, &terms, rng),
            (Kind::Client, true) => issuer.appoint(&self.claims()?, &terms, rng),
            (Kind::Provisioning | Kind::Server, true) => {
                return Err(Failure::other("--appoint: only a client can be a chain issuer"));
            }
        };
        let token = self.out.give(&token.map_err(failed)?)?;
        output::print(
            &json!({ "token": token, "expires_at": terms.expires_at, "issuer_key": issuer.public_key().to_string() }),
        )
    }

    fn claims<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        input::json(&self.claims, "--claims")
    }
}

/// A token and the key that it must be signed with.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// What it must be for
    #[arg(value_enum)]
    kind: Kind,
    #[command(flatten)]
    token: Input,
    /// The issuer's key: a PEM certificate, a PEM public key, or 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
}

impl Verify {
    fn run(&self) -> Result<(), Failure> {
        let key = input::secret(&self.key_file, "--key-file")?;
        let key = IssuerKey::read(key.expose(), default_backend()).map_err(failed)?;
        match self.kind {
            Kind::Provisioning => self.verify::<Provisioning>(&key),
            Kind::Server => self.verify::<Server>(&key),
            Kind::Client => self.verify::<Client>(&key),
        }
    }

    fn verify<T: Claims + Serialize>(&self, key: &IssuerKey) -> Result<(), Failure> {
        let token = choria::verify::<T>(key, self.token.text()?.expose(), clock::now()).map_err(failed)?;
        output::print(&*token)
    }
}

fn failed(error: ChoriaError) -> Failure {
    Failure::coded(error.code(), error)
}
