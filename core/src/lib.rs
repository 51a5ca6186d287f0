//! handfast enrols machines.
#![forbid(unsafe_code)]

pub mod aws;
pub mod code;
pub mod crypto;
pub mod id;
pub mod json;
pub mod keyring;
pub mod kubernetes;
pub mod ledger;
pub mod limits;
pub mod record;
pub mod registrar;
#[cfg(feature = "schema")]
pub mod schema;
pub mod seal;
pub mod secret;
pub mod sns;
pub mod store;
pub mod time;
pub mod token;
pub mod verified;
pub mod vocabulary;
