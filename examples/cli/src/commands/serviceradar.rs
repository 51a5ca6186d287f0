//! `handfast serviceradar`: ServiceRadar's tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use handfast::{
    crypto::default_backend,
    serviceradar::{self, CollectorToken, EdgeToken, ServiceRadarError},
};
use serde_json::json;

use crate::{
    clock,
    failure::Failure,
    input::{self, Input},
    output::{self, Out},
};

/// ServiceRadar's tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceRadar {
    /// Sign an edgepkg-v2 token
    Edge(Edge),
    /// Sign a collectorpkg-v2 token
    Collector(Collector),
    /// Believe a token of either kind, or not, and show it without its secret
    Verify(Verify),
}

impl ServiceRadar {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Edge(edge) => edge.run(),
            Self::Collector(collector) => collector.run(),
            Self::Verify(verify) => verify.run(),
        }
    }
}

/// A token for the package of an agent or a gateway.
#[derive(Args, Debug)]
pub(crate) struct Edge {
    /// The file with the onboarding key, as SERVICERADAR_ONBOARDING_TOKEN_PRIVATE_KEY has it
    #[arg(long, value_name = "FILE")]
    private_key_file: PathBuf,
    /// The package's id
    #[arg(long)]
    package: String,
    /// The file with what the package is downloaded with; - for standard input
    #[arg(long, value_name = "FILE")]
    download_file: PathBuf,
    /// Where the package is; left out where the agent is told otherwise
    #[arg(long)]
    api: Option<String>,
    #[command(flatten)]
    out: Out,
}

impl Edge {
    fn run(&self) -> Result<(), Failure> {
        let key =
            serviceradar::private_key(input::secret(&self.private_key_file, "--private-key-file")?.expose())
                .map_err(failed)?;
        let api = self.api.as_deref().map(str::parse).transpose().map_err(failed)?;
        let token =
            EdgeToken::new(&self.package, input::secret(&self.download_file, "--download-file")?, api)
                .map_err(failed)?;
        output::print(&json!({ "token": self.out.give(&token.sign(&key))? }))
    }
}

/// A token for the bundle of a collector.
#[derive(Args, Debug)]
pub(crate) struct Collector {
    /// The file with the onboarding key, as SERVICERADAR_ONBOARDING_TOKEN_PRIVATE_KEY has it
    #[arg(long, value_name = "FILE")]
    private_key_file: PathBuf,
    /// The package's id
    #[arg(long)]
    package: String,
    /// The file with the package's secret; - for standard input
    #[arg(long, value_name = "FILE")]
    download_file: PathBuf,
    /// Where the bundle is
    #[arg(long)]
    api: String,
    /// Seconds until it expires
    #[arg(long, default_value_t = 24 * 60 * 60, value_parser = clap::value_parser!(u32).range(1..))]
    validity_seconds: u32,
    /// The name that the collector's configuration is stored under
    #[arg(long)]
    config: Option<String>,
    #[command(flatten)]
    out: Out,
}

impl Collector {
    fn run(&self) -> Result<(), Failure> {
        let key =
            serviceradar::private_key(input::secret(&self.private_key_file, "--private-key-file")?.expose())
                .map_err(failed)?;
        let url = self.api.parse().map_err(failed)?;
        let expires_at = clock::now().plus_seconds(self.validity_seconds);
        let secret = input::secret(&self.download_file, "--download-file")?;
        let mut token = CollectorToken::new(url, &self.package, secret, expires_at).map_err(failed)?;
        if let Some(config) = &self.config {
            let name = config.parse().map_err(|error: handfast::archive::ArchiveError| {
                Failure::coded(error.code(), format!("--config: {error}"))
            })?;
            token = token.with_config(name).map_err(failed)?;
        }
        let expires_at = token.expires_at();
        output::print(&json!({ "token": self.out.give(&token.sign(&key))?, "expires_at": expires_at }))
    }
}

/// A token and the onboarding key that it must be signed with.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    #[command(flatten)]
    token: Input,
    /// The file with the onboarding key, as SERVICERADAR_ONBOARDING_TOKEN_PUBLIC_KEY has it
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
}

impl Verify {
    fn run(&self) -> Result<(), Failure> {
        let (token, key) = (self.token.text()?, input::secret(&self.key_file, "--key-file")?);
        let key = serviceradar::public_key(&*default_backend(), key.expose()).map_err(failed)?;
        let shown = match EdgeToken::verify(token.expose(), &*key) {
            Ok(edge) => json!({
                "type": "edge", "package": edge.package(), "api": edge.api().map(ToString::to_string),
            }),
            Err(ServiceRadarError::WrongKind) => {
                let collector =
                    CollectorToken::verify(token.expose(), &*key, clock::now()).map_err(failed)?;
                json!({
                    "type": "collector", "package": collector.package(), "url": collector.url().to_string(),
                    "expires_at": collector.expires_at(), "config": collector.config().map(ToString::to_string),
                })
            }
            Err(error) => return Err(failed(error)),
        };
        output::print(&shown)
    }
}

fn failed(error: ServiceRadarError) -> Failure {
    Failure::coded(error.code(), error)
}
