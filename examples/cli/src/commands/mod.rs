//! What the program can be asked to do, a file for each subject.

pub(crate) mod archive;
pub(crate) mod choria;
pub(crate) mod inspect;
pub(crate) mod jwt;
pub(crate) mod kubernetes;
pub(crate) mod package;
pub(crate) mod scope;
pub(crate) mod serviceradar;
pub(crate) mod spire;
pub(crate) mod userdata;
pub(crate) mod wireguard;
