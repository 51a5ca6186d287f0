//! handfast: says what a token is, makes and reads every format, and asks a provisioner for packages.
//!
//! What it found or made goes to standard output as one JSON document; what went wrong goes to standard error. A secret is
//! read from a file or from standard input and never from the arguments, which every user of the machine can see. What is
//! made and is secret is in the JSON, because it was asked for, or in a file of mode 0600 with `--out`.
#![forbid(unsafe_code)]

#[path = "../../first-boot/src/client.rs"]
mod client;
mod clock;
mod commands;
mod failure;
mod input;
mod output;
mod provisioner;
mod usage;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  handfast inspect < pasted.txt
      Say what somebody has pasted, without repeating its secret.
  handfast package issue --url https://enrol.example.org/api --name edge-1 --out edge-1.token
      Have a package made and handed over; its token goes into a file that nobody else can read.
  handfast package revoke --url https://enrol.example.org/api --name edge-1
      End it.

Exit codes: 0 done; 1 refused, invalid, or not verified; 2 wrong usage; 3 the provisioner could not be reached;
4 done, but its outcome could not be written: standard output was closed or full, or the file of --out could not be made.";

/// Say what a token is, make and read every format, and ask a provisioner for packages.
#[derive(Debug, Parser)]
#[command(name = "handfast", version, after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what a pasted text is, without printing its secret
    Inspect(commands::inspect::Inspect),
    /// Write packages as archives, and the script that installs them
    #[command(subcommand)]
    Archive(commands::archive::Archive),
    /// Sign, show and verify Choria's tokens
    #[command(subcommand)]
    Choria(commands::choria::Choria),
    /// Sign and verify JSON Web Tokens, and make their keys
    #[command(subcommand)]
    Jwt(commands::jwt::Jwt),
    /// Make what a Kubernetes node joins with
    #[command(subcommand)]
    Kubernetes(commands::kubernetes::Kubernetes),
    /// Ask a provisioner for packages
    #[command(subcommand)]
    Package(commands::package::Package),
    /// Ask a provisioner for scopes
    #[command(subcommand)]
    Scope(commands::scope::Scope),
    /// Sign and verify ServiceRadar's tokens
    #[command(subcommand)]
    Serviceradar(commands::serviceradar::ServiceRadar),
    /// Read and convert SPIFFE's trust bundles, and write SPIRE's entries
    #[command(subcommand)]
    Spire(commands::spire::Spire),
    /// Write what a cloud hands to a machine at its first boot
    Userdata(commands::userdata::UserData),
    /// Make and read WireGuard's keys and configurations
    #[command(subcommand)]
    Wireguard(commands::wireguard::WireGuard),
    /// Print what a shell needs to complete this command
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| usage::without_values(error).exit());
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Inspect(inspect) => inspect.run(),
        Command::Archive(archive) => archive.run(),
        Command::Choria(choria) => choria.run(),
        Command::Jwt(jwt) => jwt.run(),
        Command::Kubernetes(kubernetes) => kubernetes.run(),
        Command::Package(package) => package.run(),
        Command::Scope(scope) => scope.run(),
        Command::Serviceradar(serviceradar) => serviceradar.run(),
        Command::Spire(spire) => spire.run(),
        Command::Userdata(userdata) => userdata.run(),
        Command::Wireguard(wireguard) => wireguard.run(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "handfast", &mut script);
            output::write_out(&script)
        }
    }
}
