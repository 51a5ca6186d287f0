//! The configuration: one file, and options of the command line that win over it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use axum::http::HeaderName;
use handfast::{
    aws::{Trust, identity::IdentityTrust},
    id::{ActorName, PoolName},
    registrar::Policy,
    sns,
    spire::TrustDomain,
    time::Timestamp,
    vocabulary::{Content, from_value},
};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use crate::{
    Fatal, cli,
    database::{Database, Said},
};

/// What the host shall do, complete and free of contradictions.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) database: Database,
    pub(crate) keys: PathBuf,
    pub(crate) worker: ActorName,
    /// The topics, where there are any.
    pub(crate) sns: Option<sns::Policy>,
    pub(crate) trust: Vec<Trust>,
    /// Whose instance identity documents are believed.
    pub(crate) identity: Vec<IdentityTrust>,
    pub(crate) policy: Policy,
    /// The operator's own rule, in Rego.
    pub(crate) rule: Option<PathBuf>,
    /// Days for which what has ended is kept; for ever, when nobody says.
    pub(crate) retention_days: Option<u16>,
    pub(crate) certificate_dir: Option<PathBuf>,
    pub(crate) keep_unhandled: Option<PathBuf>,
    pub(crate) trust_forwarded_for: Vec<IpNet>,
    /// The header in which a trusted proxy names the fingerprint of who connects.
    pub(crate) fingerprint_header: Option<HeaderName>,
    pub(crate) cloud: Option<Cloud>,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) spire: Option<Spire>,
    /// Where resources of the operator's own kinds go.
    pub(crate) resources: Option<PathBuf>,
    pub(crate) now: Option<Timestamp>,
}

/// Who confirms that an instance exists.
#[derive(Debug)]
pub(crate) enum Cloud {
    /// A JSON list of descriptions.
    File(PathBuf),
    /// EC2 itself.
    Ec2(Ec2),
}

/// How EC2 is reached.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ec2 {
    /// Another address of the API, for emulators.
    #[serde(default)]
    pub(crate) endpoint_url: Option<String>,
}

/// Where join tokens and entries are made.
#[derive(Debug)]
pub(crate) struct Spire {
    /// The socket of the server's API.
    pub(crate) socket: PathBuf,
    /// Whose server it is.
    pub(crate) trust_domain: TrustDomain,
}

/// Where bootstrap tokens go, and where nodes are sent.
#[derive(Debug)]
pub(crate) enum Cluster {
    /// Manifests in a folder, and `cluster-info` in a file.
    Files { manifests: PathBuf, cluster_info: PathBuf },
    /// The cluster of a kubeconfig.
    Kubernetes(PathBuf),
}

/// The file as it is written. Paths are relative to it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    database: Option<String>,
    database_password_file: Option<PathBuf>,
    keys: Option<PathBuf>,
    worker: Option<ActorName>,
    certificate_dir: Option<PathBuf>,
    keep_unhandled: Option<PathBuf>,
    trust_forwarded_for: Vec<IpNet>,
    fingerprint_header: Option<String>,
    instances: Option<PathBuf>,
    ec2: Option<Ec2>,
    manifests: Option<PathBuf>,
    cluster_info: Option<PathBuf>,
    kubeconfig: Option<PathBuf>,
    spire_socket: Option<PathBuf>,
    resources: Option<PathBuf>,
    rule: Option<PathBuf>,
    retention_days: Option<u16>,
    identity: Vec<IdentityTrust>,
    sns: Option<sns::Policy>,
    /// One entry for each topic when left out: its own account and region.
    trust: Option<Vec<Trust>>,
    policy: PolicyFile,
}

/// The policy as the core reads it, and whether it speaks of a rule.
#[derive(Debug, Default)]
struct PolicyFile {
    policy: Policy,
    says_rule_mode: bool,
}

impl<'de> Deserialize<'de> for PolicyFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let says_rule_mode = value.get("rule_mode").is_some();
        Ok(Self { policy: from_value(value, "").map_err(D::Error::custom)?, says_rule_mode })
    }
}

impl Settings {
    /// Reads the file and lays the options over it.
    ///
    /// # Errors
    /// What is missing, unknown, contradictory or dangerous, in a sentence.
    pub(crate) fn read(options: cli::Serve) -> Result<Self, Fatal> {
        let (file, folder) = match &options.config {
            Some(path) => (read_file(path)?, path.parent().map(Path::to_path_buf).unwrap_or_default()),
            None => (File::default(), PathBuf::new()),
        };
        if file.policy.says_rule_mode && file.rule.is_none() {
            return Err("policy.rule_mode: there is no rule: name its file with `rule`".into());
        }
        let beside = |path: Option<PathBuf>| path.map(|path| folder.join(path));
        let chosen = |option: Option<PathBuf>, in_file: Option<PathBuf>| option.or(beside(in_file));
        let forwarded = options.trust_forwarded_for;
        let settings = Self {
            listen: options.listen.or(file.listen).unwrap_or((Ipv4Addr::LOCALHOST, 8400).into()),
            database: Said {
                option: options.records.database,
                in_file: file.database.map(|text| (text, folder.clone())),
                password_file: chosen(options.records.database_password_file, file.database_password_file),
            }
            .resolve()?,
            keys: chosen(options.keys, file.keys).unwrap_or("provisioner.keys".into()),
            worker: options.worker.or(file.worker).map_or_else(default_worker, Ok)?,
            trust: file.trust.or_else(|| file.sns.as_ref().map(trust_of)).unwrap_or_default(),
            sns: file.sns,
            identity: file.identity,
            spire: spire(chosen(options.spire_socket, file.spire_socket), &file.policy.policy)?,
            policy: policy(file.policy.policy, options.insecure_instance_id_alone)?,
            certificate_dir: chosen(options.certificate_dir, file.certificate_dir),
            keep_unhandled: chosen(options.keep_unhandled, file.keep_unhandled),
            trust_forwarded_for: if forwarded.is_empty() { file.trust_forwarded_for } else { forwarded },
            fingerprint_header: file.fingerprint_header.map(|name| header(&name)).transpose()?,
            cloud: cloud(
                options.ec2.then_some(Ec2 { endpoint_url: options.ec2_endpoint_url }),
                options.instances,
                (file.ec2, beside(file.instances)),
            )?,
            cluster: cluster(
                (options.kubeconfig, options.manifests, options.cluster_info),
                (beside(file.kubeconfig), beside(file.manifests), beside(file.cluster_info)),
            )?,
            resources: beside(file.resources),
            rule: beside(file.rule),
            retention_days: file.retention_days,
            now: options.now,
        };
        settings.check()?;
        Ok(settings)
    }

    /// Whether an instance id alone is taken for proof.
    pub(crate) fn instance_id_alone(&self) -> bool {
        self.policy.instance_id_alone
    }

    fn check(&self) -> Result<(), Fatal> {
        let local = self.listen.ip().is_loopback() && self.trust_forwarded_for.is_empty();
        if self.instance_id_alone() && !local {
            return Err("--insecure-instance-id-alone is for loopback addresses without proxies: anybody who reaches this host \
                        could take any node's credentials"
                .into());
        }
        if self.now.is_some() && !local {
            return Err(
                "--now is for loopback addresses without proxies: old messages would be taken for new".into(),
            );
        }
        if self.now.is_some() && matches!(self.database, Database::Postgres(_)) {
            return Err("--now is for a SQLite file: hosts that share a database go by its clock".into());
        }
        if self.fingerprint_header.is_some() && self.trust_forwarded_for.is_empty() {
            return Err(
                "fingerprint_header needs trust_forwarded_for: nobody but a trusted proxy is believed".into(),
            );
        }
        let wants_instances = self.sns.is_some() || !self.policy.instances.is_empty();
        if wants_instances && self.cloud.is_none() {
            return Err("nobody confirms instances: give --ec2 or --instances FILE".into());
        }
        for (place, rule) in self.policy.instances.iter().enumerate() {
            let is_token = |content: &Content| matches!(content, Content::KubernetesBootstrapToken { .. });
            if self.cluster.is_none() && rule.contents.iter().any(is_token) {
                return Err(NO_CLUSTER.into());
            }
            if !can_be_handed_out(&rule.contents) {
                return Err(format!(
                    "policy.instances[{place}].contents: this host hands out one kubernetes_bootstrap_token, one \
                     pool_item of a pool named wireguard or wireguard-.., or both"
                )
                .into());
            }
        }
        Ok(())
    }
}

/// Whether there is a route for everything, and not two things for one.
fn can_be_handed_out(contents: &[Content]) -> bool {
    let is_token = |content: &&Content| matches!(content, Content::KubernetesBootstrapToken { .. });
    let is_config =
        |content: &&Content| matches!(content, Content::PoolItem { pool } if holds_wireguard_configs(pool));
    let (tokens, configs) =
        (contents.iter().filter(is_token).count(), contents.iter().filter(is_config).count());
    tokens <= 1 && configs <= 1 && contents.len() == tokens + configs && !contents.is_empty()
}

/// Whether this is a pool of prepared WireGuard configurations: its name says so.
pub(crate) fn holds_wireguard_configs(pool: &PoolName) -> bool {
    pool.as_str() == "wireguard" || pool.as_str().starts_with("wireguard-")
}

fn read_file(path: &Path) -> Result<File, Fatal> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let read = if path.extension().is_some_and(|extension| extension == "json") {
        let mut json = serde_json::Deserializer::from_str(&text);
        serde_path_to_error::deserialize(&mut json)
            .map_err(|error| format!("{}: {}", error.path(), error.inner()))
            .and_then(|file| json.end().map(|()| file).map_err(|error| error.to_string()))
    } else {
        // The error's Display would quote the line, which may hold a secret.
        toml::Deserializer::parse(&text).map_err(|error| error.message().to_owned()).and_then(|toml| {
            serde_path_to_error::deserialize(toml)
                .map_err(|error| format!("{}: {}", error.path(), error.inner().message()))
        })
    };
    read.map_err(|error| format!("{shown}: {error}").into())
}

fn header(name: &str) -> Result<HeaderName, Fatal> {
    let parsed = name
        .parse::<HeaderName>()
        .map_err(|_| format!("fingerprint_header: {name:?} is no header's name"))?;
    if ["authorization", "dpop", "x-forwarded-for"].contains(&parsed.as_str()) {
        return Err(format!("fingerprint_header: {name} has a meaning of its own").into());
    }
    Ok(parsed)
}

fn default_worker() -> Result<ActorName, handfast::id::InvalidId> {
    "provisioner".parse()
}

/// Each topic may speak of the account and the region that it is in.
fn trust_of(sns: &sns::Policy) -> Vec<Trust> {
    let own = |topic: &sns::TopicPolicy| Trust {
        topic: topic.arn.clone(),
        accounts: Default::default(),
        regions: Default::default(),
    };
    sns.topics.iter().map(own).collect()
}

fn policy(policy: Policy, instance_id_alone: bool) -> Result<Policy, Fatal> {
    if policy.instance_id_alone && !instance_id_alone {
        return Err("policy.instance_id_alone needs --insecure-instance-id-alone beside it".into());
    }
    Ok(Policy { instance_id_alone, ..policy })
}

fn cloud(
    ec2: Option<Ec2>,
    instances: Option<PathBuf>,
    in_file: (Option<Ec2>, Option<PathBuf>),
) -> Result<Option<Cloud>, Fatal> {
    match (ec2, instances) {
        (Some(ec2), _) => return Ok(Some(Cloud::Ec2(ec2))),
        (None, Some(path)) => return Ok(Some(Cloud::File(path))),
        (None, None) => {}
    }
    match in_file {
        (Some(ec2), None) => Ok(Some(Cloud::Ec2(ec2))),
        (None, Some(path)) => Ok(Some(Cloud::File(path))),
        (Some(_), Some(_)) => Err("both ec2 and instances: who confirms instances?".into()),
        (None, None) => Ok(None),
    }
}

fn spire(socket: Option<PathBuf>, policy: &Policy) -> Result<Option<Spire>, Fatal> {
    let Some(socket) = socket else { return Ok(None) };
    let trust_domain = policy.spire.trust_domain.parse();
    let trust_domain = trust_domain
        .map_err(|_| "spire_socket needs policy.spire.trust_domain beside it: whose server is it?")?;
    Ok(Some(Spire { socket, trust_domain }))
}

/// A kubeconfig, a folder for manifests, a file with `cluster-info`.
type Places = (Option<PathBuf>, Option<PathBuf>, Option<PathBuf>);

fn cluster(options: Places, in_file: Places) -> Result<Option<Cluster>, Fatal> {
    if let Some(kubeconfig) = options.0 {
        return Ok(Some(Cluster::Kubernetes(kubeconfig)));
    }
    let files_wanted = options.1.is_some() || options.2.is_some();
    let (manifests, cluster_info) = (options.1.or(in_file.1), options.2.or(in_file.2));
    match (in_file.0, manifests, cluster_info) {
        (Some(kubeconfig), None, None) => Ok(Some(Cluster::Kubernetes(kubeconfig))),
        (Some(_), _, _) if !files_wanted => Err("both kubeconfig and manifests or cluster_info".into()),
        (_, Some(manifests), Some(cluster_info)) => Ok(Some(Cluster::Files { manifests, cluster_info })),
        (None, None, None) => Ok(None),
        (_, _, _) => Err(NO_CLUSTER.into()),
    }
}

const NO_CLUSTER: &str =
    "no cluster: give --kubeconfig FILE, or both --manifests DIR and --cluster-info FILE";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const TOPICS: &str = "[[sns.topics]]\narn = \"arn:aws:sns:us-east-1:123456789012:enroll\"\n";

    fn read(file: &str, options: &[&str]) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provisioner.toml");
        std::fs::write(&path, file).unwrap();
        let arguments = ["provisioner", "serve", "--config", path.to_str().unwrap()];
        let cli = cli::Cli::parse_from(arguments.iter().chain(options));
        let cli::Command::Serve(options) = cli.command else { panic!("serve") };
        let strip = |error: Fatal| error.to_string().replace(&format!("{}/", folder.path().display()), "");
        Settings::read(*options).map_err(strip)
    }

    const FILES: [&str; 6] = ["--instances", "i", "--manifests", "m", "--cluster-info", "c"];

    #[test]
    fn options_win_and_paths_of_the_file_are_beside_it() {
        let file =
            format!("database = \"a.sqlite\"\nkeys = \"k\"\ninstances = \"i\"\nkubeconfig = \"c\"\n{TOPICS}");
        let settings = read(&file, &["--database", "b.sqlite"]).unwrap();
        assert_eq!(settings.database.to_string(), "b.sqlite");
        assert!(settings.keys.is_absolute() && settings.keys.ends_with("k"));
        assert!(matches!(settings.cluster, Some(Cluster::Kubernetes(_))));
        assert_eq!(settings.trust.len(), 1);
        assert!(matches!(read(&file, &FILES).unwrap().cluster, Some(Cluster::Files { .. })));
    }

    #[test]
    fn mistakes_are_named_with_their_path_and_without_their_line() {
        let unknown = read(&format!("{TOPICS}[policy]\npackage_ttl = 1\n"), &FILES).unwrap_err();
        assert!(unknown.contains("policy") && unknown.contains("package_ttl"), "{unknown}");
        let broken = read("hunter2 = = 1", &FILES).unwrap_err();
        assert!(!broken.contains("hunter2"), "{broken}");
        let bare = read("", &[]).unwrap();
        assert!(bare.sns.is_none() && bare.cloud.is_none() && bare.cluster.is_none());
        assert!(read(TOPICS, &[]).unwrap_err().contains("--ec2 or --instances"));
        assert!(read(TOPICS, &["--instances", "i", "--manifests", "m"]).unwrap_err().contains("no cluster"));
    }

    #[test]
    fn dangerous_settings_are_refused_off_loopback() {
        let with = |more: &[&str]| read(TOPICS, &[&FILES[..], more].concat());
        assert!(with(&["--insecure-instance-id-alone"]).unwrap().instance_id_alone());
        for off in [&["--listen", "0.0.0.0:80"][..], &["--trust-forwarded-for", "10.0.0.0/8"]] {
            for danger in [&["--insecure-instance-id-alone"][..], &["--now", "2016-08-06T20:53:40Z"]] {
                assert!(
                    with(&[off, danger].concat()).unwrap_err().contains("loopback"),
                    "{off:?} {danger:?}"
                );
            }
        }
        let nobodys = with(&["--spire-socket", "s"]).unwrap_err();
        assert!(nobodys.contains("policy.spire.trust_domain"), "{nobodys}");
        let silent = read(&format!("{TOPICS}[policy]\ninstance_id_alone = true\n"), &FILES).unwrap_err();
        assert!(silent.contains("--insecure-instance-id-alone"));
    }

    #[test]
    fn a_rule_must_carry_what_this_host_hands_out() {
        let rule =
            "[[policy.instances]]\naccounts = [\"123456789012\"]\nscope = \"lab\"\nkind = \"worker\"\n";
        let with = |contents: &str| read(&format!("{TOPICS}{rule}contents = [{contents}]\n"), &FILES);
        let token = "{ type = \"kubernetes_bootstrap_token\" }";
        let item = |pool: &str| format!("{{ type = \"pool_item\", pool = \"{pool}\" }}");
        assert!(with(token).is_ok() && with(&item("wireguard")).is_ok());
        assert!(with(&format!("{}, {token}", item("wireguard-eu"))).is_ok());
        for wrong in
            [item("licences"), item("wireguards"), [&item("wireguard"), ", ", &item("wireguard-eu")].concat()]
        {
            assert!(with(&wrong).unwrap_err().contains("this host hands out"), "{wrong}");
        }
        for contents in ["", "{ type = \"file\", name = \"a\", content = \"b\" }"] {
            assert!(with(contents).unwrap_err().contains("this host hands out"), "{contents}");
        }
    }
}
