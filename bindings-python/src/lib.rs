//! handfast for Python: the native half of the package `handfast`.
//!
//! A carrier: convert in, one call of the core, convert out. The rules are the core's; the only things that are
//! supplied here are the system's clock and entropy, where the caller gives none.
#![forbid(unsafe_code)]

mod archive;
mod audit;
mod aws;
mod choria;
mod command;
mod conformance;
mod convert;
mod error;
mod identity;
mod inspect;
mod kubernetes;
mod ledger;
mod link;
mod lists;
mod node_key;
mod registrar;
mod rows;
mod rule;
mod secret;
mod serviceradar;
mod session;
mod signing;
mod sns;
mod spire;
mod system;
mod template;
mod userdata;
mod verdict;
mod wireguard;

use pyo3::prelude::*;

/// The native half of `handfast`. Import from `handfast` instead.
#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::{
        archive::{Archive, env_file},
        audit::{Chain, Tally, cloud_event, cloud_event_of_notice, head, root},
        aws::{InstanceEvent, read_instance_event},
        choria::{
            ChainIssuer, HelperReply, HelperRequest, Issuer, IssuerKey, UnverifiedToken, VerifiedToken,
            inspect_choria, verify_choria,
        },
        conformance::Conformance,
        identity::{InstanceIdentity, verify_identity},
        inspect::inspect,
        kubernetes::{
            BootstrapSecret, BootstrapToken, ClusterInfo, VerifiedClusterInfo, ca_pin, sign_detached,
            verify_detached,
        },
        ledger::Ledger,
        link::{Links, VerifiedLink},
        node_key::NodeKey,
        registrar::{Registrar, scope_view},
        secret::Secret,
        serviceradar::{
            CollectorToken, EdgeToken, collector_token, edge_package, edge_token, verify_collector_token,
            verify_edge_token,
        },
        session::{BatchSession, Session},
        sns::{Confirmation, Notification, SnsReceiver, Unsubscription},
        spire::{
            AliasEntry, JoinTokenRequest, SpireBundle, created_entry_outcome, deleted_entry_outcome,
            join_token_outcome, spiffe_id, spire_entry, spire_selector,
        },
        system::timestamp,
        template::{Emissary, Template, split_command},
        userdata::{FirstBoot, UserData},
        verdict::{Verdict, parse_duration, parse_topic_arn, verify_once},
        wireguard::{WireguardConfig, WireguardKey, WireguardPeer, generate_preshared_key},
    };

    /// The tables of the shipped SQLite store, the same for every language.
    #[pymodule_export]
    const SQLITE_SCHEMA: &str = handfast::store::SQLITE_SCHEMA;

    /// Brings a file that the first schema made to `SQLITE_SCHEMA`.
    #[pymodule_export]
    const SQLITE_UPGRADE: &str = handfast::store::SQLITE_UPGRADE;

    /// The script that installs a package.
    #[pymodule_export]
    const INSTALLER: &str = handfast::archive::INSTALLER;

    /// The systemd unit that user data installs.
    #[pymodule_export]
    const FIRST_BOOT_UNIT: &str = handfast::userdata::UNIT;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        let clouds = handfast::userdata::Cloud::ALL.map(|cloud| (cloud.as_str(), cloud.limit()));
        module.add("CLOUDS", pyo3::types::IntoPyDict::into_py_dict(clouds, module.py())?)?;
        let codes = handfast::code::Code::ALL.iter();
        let codes: Vec<_> = codes.map(|code| (code.as_str(), code.explanation().trim())).collect();
        module.add("CODES", pyo3::types::IntoPyDict::into_py_dict(codes, module.py())?)
    }
}
