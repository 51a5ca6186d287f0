//! first-boot: what a node runs once, when it boots for the first time.
//!
//! It reads its enrollment token from a file, makes its own key, redeems the token with a proof of that key, keeps what it
//! was given in files that nobody else can read, and checks in. Killed at any point and started again, it goes on where
//! it was: a reply that was lost is asked for again with the same key, and a token that is spent is no failure once
//! everything is there. A new token in the file is redeemed with the same key: so a node returns that was sent away.
#![forbid(unsafe_code)]

mod client;
mod files;
mod host;
mod node;

use std::{io::ErrorKind, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;

/// Redeem an enrollment token, keep what it gives, and check in.
///
/// Exit codes: 0 done; 1 the host refuses for good, or something is wrong here; 2 wrong usage; 3 the host could not be
/// reached in time: start again later.
#[derive(Debug, Parser)]
#[command(name = "first-boot", version)]
struct Cli {
    /// Where the host is, for example https://enrol.example.org/api
    #[arg(long, env = "HANDFAST_URL")]
    url: String,
    /// The file that holds the token. It is deleted once that token is redeemed and the node has checked in, and never before;
    /// a node that is enrolled may find a new one there
    #[arg(long, default_value = "/etc/handfast/token")]
    token_file: PathBuf,
    /// Where the node keeps its key, its credential and what it was given
    #[arg(long, default_value = "/var/lib/handfast")]
    state_dir: PathBuf,
    /// The node's name, where its package is bound to one
    #[arg(long)]
    node_name: Option<String>,
    /// The cloud instance that the node is, where its package is bound to one
    #[arg(long)]
    instance: Option<String>,
    /// How long to go on trying, in seconds
    #[arg(long, default_value_t = 600)]
    patience: u64,
    /// Go on checking in, every so many seconds; once only, when left out
    #[arg(long)]
    check_in_every: Option<u64>,
}

/// What ends the program early.
#[derive(Debug)]
enum Failure {
    /// Trying again later may help.
    Unreachable(String),
    /// Trying again does not help.
    Final(String),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Final(error.to_string())
    }
}

fn main() -> ExitCode {
    let (code, message) = match run(&Cli::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Final(message)) => (1, message),
        Err(Failure::Unreachable(message)) => (3, message),
    };
    say(&format!("first-boot: {message}"));
    ExitCode::from(code)
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let host = host::Host::new(&cli.url, Duration::from_secs(cli.patience))?;
    let folder = files::Folder::open(&cli.state_dir)?;
    let mut node = node::Node::open(folder, host)?;
    let refused = enrol(cli, &mut node)?;
    node.check_in()?;
    files::destroy(&cli.token_file, |token| node.has_redeemed(token))?;
    say("first-boot: checked in");
    while let Some(seconds) = cli.check_in_every {
        std::thread::sleep(Duration::from_secs(seconds));
        node.check_in()?;
    }
    refused.map_or(Ok(()), Err)
}

/// Redeems the token in the file, unless that has been done. A node that is enrolled already lives on when a new token is
/// refused; the refusal is given back, to end with.
fn enrol(cli: &Cli, node: &mut node::Node) -> Result<Option<Failure>, Failure> {
    let shown = cli.token_file.display();
    let token = match files::read_secret(&cli.token_file) {
        Ok(token) if node.has_redeemed(&token) => return Ok(None),
        Ok(token) => token,
        Err(error) if error.kind() == ErrorKind::NotFound && node.is_enrolled() => return Ok(None),
        Err(error) => return Err(Failure::Final(format!("{shown}: {error}"))),
    };
    match node.redeem(&token, cli.node_name.as_deref(), cli.instance.as_deref()) {
        Ok(()) => say("first-boot: redeemed"),
        Err(Failure::Final(why)) if node.is_enrolled() => {
            say(&format!("first-boot: the token in {shown} stays: {why}"));
            return Ok(Some(Failure::Final(format!("{shown}: {why}"))));
        }
        Err(failure) => return Err(failure),
    }
    Ok(None)
}

/// Progress goes to standard error. It names no secret: there is none in any message.
#[expect(clippy::print_stderr, reason = "a command-line program's diagnostics")]
fn say(line: &str) {
    eprintln!("{line}");
}
