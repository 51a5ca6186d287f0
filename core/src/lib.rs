//! handfast enrols machines.
#![forbid(unsafe_code)]

pub mod aws;
pub mod code;
pub mod crypto;
pub mod json;
pub mod kubernetes;
pub mod limits;
pub mod secret;
pub mod sns;
pub mod time;
pub mod verified;
