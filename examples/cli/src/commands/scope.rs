//! `handfast scope`: how much of a scope is in use, and how much may be.

use clap::{Args, Subcommand};
use serde_json::{Map, json};

use crate::{failure::Failure, output, provisioner::Provisioner};

/// Ask a provisioner for scopes.
#[derive(Debug, Subcommand)]
pub(crate) enum Scope {
    /// Show what is reserved, active, outstanding and free
    Show(Show),
    /// Set the quota, before the scope's first package
    Configure(Configure),
}

impl Scope {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Show(show) => {
                output::print(&show.provisioner.connect()?.get(&format!("/scopes/{}", show.scope), &[])?)
            }
            Self::Configure(configure) => configure.run(),
        }
    }
}

/// One scope of a provisioner.
#[derive(Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    provisioner: Provisioner,
    /// The scope
    #[arg(value_parser = name)]
    scope: String,
}

/// A scope's quota, all of it: what is left out has no limit afterwards.
#[derive(Args, Debug)]
pub(crate) struct Configure {
    #[command(flatten)]
    provisioner: Provisioner,
    /// The scope
    #[arg(value_parser = name)]
    scope: String,
    /// Clients at most, those that are only reserved among them
    #[arg(long)]
    max_active: Option<u32>,
    /// Live packages at most
    #[arg(long)]
    max_outstanding: Option<u32>,
}

impl Configure {
    fn run(&self) -> Result<(), Failure> {
        let mut body = Map::new();
        body.extend(self.max_active.map(|max| ("max_active".to_owned(), json!(max))));
        body.extend(self.max_outstanding.map(|max| ("max_outstanding".to_owned(), json!(max))));
        output::print(&self.provisioner.connect()?.put(&format!("/scopes/{}", self.scope), &body.into())?)
    }
}

/// A name that goes into a path as it is.
fn name(text: &str) -> Result<String, String> {
    let scope: Result<handfast::id::ScopeId, _> = text.parse();
    scope.map(|scope| scope.to_string()).map_err(|error| error.to_string())
}
