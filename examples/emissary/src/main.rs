//! emissary: writes files that need secrets, once all of them are there, and runs the commands that take notice of them.
//!
//! A host around [`handfast::template`], which decides; here are the files, the commands, the providers and the clock.
#![forbid(unsafe_code)]

mod cli;
mod clock;
mod command;
mod file;
mod host;
mod log;
mod notify;
mod provider;
mod task;
mod templates;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{cli::Cli, host::Outcome};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match host::run(&cli) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Ok(Outcome::Late) => ExitCode::from(3),
        Err(error) => {
            log::error("stopped", &[("reason", &error.to_string())]);
            ExitCode::from(1)
        }
    }
}
