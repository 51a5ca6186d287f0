//! The command line. No secret is ever taken from it: other users can see it.

use std::path::PathBuf;

use clap::Parser;

/// Write files that need secrets, once all of them are there, and run the commands that take notice of them.
///
/// Reads every *.tpl in a folder, asks the providers for the secrets that they name, writes the files, runs the commands,
/// and does so again whenever a secret changes. Log lines are JSON, on standard error; no secret is in them.
///
/// Providers: `file` (a file below --file-dir), `env` (an environment variable) and, where it is built with the feature
/// `aws`, `awssm` (AWS Secrets Manager, with the credentials and the region of the machine). An empty text counts as missing.
///
/// Exit codes: 0 done; 1 a template is malformed or has failed for good; 2 wrong usage; 3 --once: not everything was done
/// in time.
#[derive(Debug, Parser)]
#[command(name = "emissary", version)]
pub(crate) struct Cli {
    /// The folder of the templates
    #[arg(value_name = "FOLDER", env = "EMISSARY_TPL_DIR", default_value = "/etc/emissary/templates")]
    pub(crate) templates: PathBuf,
    /// Where the provider `file` finds secrets, a file for each
    #[arg(long, value_name = "FOLDER", default_value = "/etc/emissary/secrets")]
    pub(crate) file_dir: PathBuf,
    /// End when every file is written and every command has run
    #[arg(long)]
    pub(crate) once: bool,
    /// How long to go on trying with --once, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "once", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) patience: u32,
    /// Read the templates, say what they need, and end
    #[arg(long, conflicts_with = "once")]
    pub(crate) check: bool,
    /// How often to look whether a secret has changed, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) refresh: u32,
    /// How long a command may run, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=30))]
    pub(crate) command_timeout: u32,
}
