//! provisioner: a host around handfast. Signed messages of AWS come in over HTTP, and what comes out is a Kubernetes
//! bootstrap token for each instance that is wanted, handed to that instance and to nobody else.
//!
//! ```text
//! SNS --POST /sns--> sns --> host --decide, commit--> SQLite or PostgreSQL
//!                             ^ reports                 | due
//!                         executors <--- driver <-------'
//! node --POST /kubeadm/kubeconfig/<id>, /wireguard/config/<id>--> routes --> host
//! ```
#![forbid(unsafe_code)]

mod cli;
mod clock;
mod config;
mod database;
mod driver;
mod executors;
mod group;
mod host;
mod keys;
mod logging;
mod metrics;
mod operator;
mod private_file;
mod reseal;
mod retention;
mod routes;
mod serve;
mod sns;
mod source;
mod store;

use std::process::ExitCode;

use clap::Parser;

/// What ends the program: a sentence for the person who started it.
type Fatal = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logging::start(&cli.logging);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Fatal::from)
        .and_then(|runtime| runtime.block_on(run(cli.command)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: cli::Command) -> Result<(), Fatal> {
    match command {
        cli::Command::Serve(options) => serve::serve(config::Settings::read(*options)?).await,
        cli::Command::Operators(operators) => operator::administer(operators).await,
        cli::Command::Reseal(options) => reseal::reseal(*options).await,
    }
}
