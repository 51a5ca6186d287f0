//! `handfast userdata`: what a cloud hands to a machine at its first boot.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use handfast::userdata::{Cloud, FirstBoot, IgnitionVersion, UserDataError};
use serde_json::json;

use crate::{
    failure::Failure,
    input,
    output::{self, Out},
};

/// How it is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// Ignition: CoreOS, Flatcar
    Ignition,
    /// cloud-init: nearly everything else
    CloudConfig,
}

/// A document that puts a token into a file of mode 0600, and starts a command with it once. Whoever may look at the machine
/// in its cloud reads this, so the token must be for one use and live for minutes.
#[derive(Args, Debug)]
pub(crate) struct UserData {
    /// How it is written
    #[arg(value_enum)]
    form: Form,
    /// The file that holds the token; - for standard input
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Where the token is put on the machine
    #[arg(long, value_name = "PATH", default_value = "/etc/handfast/token")]
    token_path: String,
    /// The version of Ignition's specification
    #[arg(long, default_value = "3.3.0")]
    ignition_version: String,
    /// Refuse what this cloud would not take: aws, azure, gcp, openstack, digitalocean, hetzner, oracle
    #[arg(long)]
    cloud: Option<String>,
    #[command(flatten)]
    out: Out,
    /// The command, by its absolute path; it names the token's file, never the token
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl UserData {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let token_path = self.token_path.parse().map_err(failed)?;
        let token = input::secret(&self.token_file, "--token-file")?;
        let boot = FirstBoot::new(token, token_path, self.command.iter().cloned()).map_err(failed)?;
        let version: IgnitionVersion = self.ignition_version.parse().map_err(failed)?;
        let document = match self.form {
            Form::Ignition => boot.ignition(version),
            Form::CloudConfig => boot.cloud_config(),
        };
        if let Some(cloud) = &self.cloud {
            document.fits(cloud.parse::<Cloud>().map_err(failed)?).map_err(failed)?;
        }
        let bytes = document.expose().len();
        output::print(&json!({ "document": self.out.give(&document.into_secret())?, "bytes": bytes }))
    }
}

fn failed(error: UserDataError) -> Failure {
    Failure::coded(error.code(), error)
}
