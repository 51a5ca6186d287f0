//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use handfast::{id::ActorName, time::Timestamp};
use ipnet::IpNet;

use crate::operator::Permission;

const EXAMPLES: &str = "\
Examples:
  provisioner serve --config provisioner.toml
      Start with the topics, rules and paths of a configuration file (see development/provisioner.toml).
  provisioner serve --config provisioner.toml --kubeconfig /etc/kubernetes/provisioner.conf
      The same, with bootstrap tokens in a cluster instead of a folder.
  provisioner operators add ann --permission packages:read
      Make a token for a person or a script; it is shown once.";

/// Gives each wanted cloud instance, once, what it needs to join a Kubernetes cluster.
///
/// AWS tells by SNS that an instance runs; EC2 confirms it; a bootstrap token is made, put into the cluster and handed to the
/// instance that asks from its own address. When the instance ends, the token is deleted.
#[derive(Debug, Parser)]
#[command(name = "provisioner", version, after_help = EXAMPLES, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is said, and how.
#[derive(Debug, Args)]
pub(crate) struct Logging {
    /// How much to log, to standard error. Secrets are never logged.
    #[arg(long, value_enum, default_value_t = Level::Info, global = true, value_name = "LEVEL", help_heading = "Log")]
    pub(crate) log: Level,
    /// How to write the log.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true, value_name = "FORMAT", help_heading = "Log")]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the host: listen, decide, and do what follows.
    Serve(Box<Serve>),
    /// Add, list and remove the tokens of operators.
    Operators(Operators),
    /// Seal every secret anew under the current key, so that an old one can be dropped. Takes the options of `serve`, and works
    /// beside running hosts.
    Reseal(Box<Serve>),
}

/// Run the host. Every option that is not insecure can also stand in the configuration file; one given here wins.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The configuration: TOML, or JSON where the name ends in .json.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one and prints it. There is no TLS here: put a proxy in front.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) records: Records,
    /// The pepper and the sealing keys, mode 0600; made at the first start. Keep it apart from the database and its backups
    /// [default: provisioner.keys]
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// The name of this process in leases and in the audit [default: provisioner]
    #[arg(long, value_name = "NAME")]
    pub(crate) worker: Option<ActorName>,

    /// Take signing certificates from this folder instead of fetching them; files named as in the URL.
    #[arg(long, value_name = "DIR", help_heading = "SNS")]
    pub(crate) certificate_dir: Option<PathBuf>,
    /// Write verified messages that are not for us to this folder.
    #[arg(long, value_name = "DIR", help_heading = "SNS")]
    pub(crate) keep_unhandled: Option<PathBuf>,

    /// Proxies whose X-Forwarded-For is believed; may be given more than once.
    #[arg(long, value_name = "CIDR", help_heading = "Instances")]
    pub(crate) trust_forwarded_for: Vec<IpNet>,
    /// Confirm instances with EC2's DescribeInstances, with the credentials that AWS programs find
    /// (needs a build with --features ec2).
    #[arg(long, help_heading = "Instances", conflicts_with = "instances")]
    pub(crate) ec2: bool,
    /// Another address of the EC2 API, for emulators.
    #[arg(long, value_name = "URL", help_heading = "Instances", requires = "ec2")]
    pub(crate) ec2_endpoint_url: Option<String>,
    /// Confirm instances with this file instead: a JSON list of descriptions. It is read again each time.
    #[arg(long, value_name = "FILE", help_heading = "Instances")]
    pub(crate) instances: Option<PathBuf>,
    /// Also hand out by GET, to whoever knows an instance id. Ids are not secret: for closed test networks, and only on
    /// a loopback address.
    #[arg(long, help_heading = "Instances")]
    pub(crate) insecure_instance_id_alone: bool,

    /// Keep bootstrap tokens in the cluster of this kubeconfig (needs a build with --features kubernetes).
    #[arg(long, value_name = "FILE", help_heading = "Cluster", conflicts_with_all = ["manifests", "cluster_info"])]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Keep the manifests of bootstrap tokens in this folder instead, mode 0600.
    #[arg(long, value_name = "DIR", help_heading = "Cluster")]
    pub(crate) manifests: Option<PathBuf>,
    /// The ConfigMap kube-public/cluster-info, as `kubectl -n kube-public get cm cluster-info -o yaml` writes it.
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub(crate) cluster_info: Option<PathBuf>,

    /// Make join tokens and registration entries at the SPIRE server with this API socket, as its `socket_path` says. Whoever
    /// may write to it administers the server (needs a build with --features spire).
    #[arg(long, value_name = "FILE", help_heading = "SPIRE")]
    pub(crate) spire_socket: Option<PathBuf>,

    /// Pretend that the program starts at this instant: for recorded messages. Only on a loopback address.
    #[arg(long, value_name = "RFC3339", hide = true)]
    pub(crate) now: Option<Timestamp>,
}

/// Where the records are.
#[derive(Debug, Args)]
pub(crate) struct Records {
    /// All records: a SQLite file, made when missing, or a PostgreSQL as postgres://USER@HOST/NAME, which several hosts may
    /// share. Without it, what DATABASE_URL says [default: provisioner.sqlite]
    #[arg(long, value_name = "FILE|URL", global = true)]
    pub(crate) database: Option<String>,
    /// A private file with the password of PostgreSQL. It may also come from PGPASSWORD, ~/.pgpass or DATABASE_URL, and
    /// never from the command line.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) database_password_file: Option<PathBuf>,
}

/// Add, list and remove the tokens of operators. Works beside a running host.
#[derive(Debug, Args)]
pub(crate) struct Operators {
    #[command(flatten)]
    pub(crate) records: Records,
    #[command(subcommand)]
    pub(crate) action: OperatorAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorAction {
    /// Make a token and print it, once; only its digest is kept.
    Add {
        /// Who it is for, as it shall stand in the audit.
        name: ActorName,
        /// What it allows; may be given more than once.
        #[arg(long = "permission", required = true, value_enum, value_name = "PERMISSION")]
        permissions: Vec<Permission>,
    },
    /// List who has a token, and what it allows.
    List,
    /// Remove a token. It is dead at once, also for a running host.
    Remove {
        /// Whose.
        name: ActorName,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
