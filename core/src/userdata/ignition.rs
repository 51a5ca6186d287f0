//! Ignition configurations (coreos.github.io/ignition, "Configuration Specification" 3.3 and 3.4).

use std::str::FromStr;

use data_encoding::BASE64;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{File, UNIT, UserData, UserDataError};

/// A version of Ignition's specification. What is written here is the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnitionVersion {
    /// 3.3.0: understood since Ignition 2.12.
    #[default]
    V3_3,
    /// 3.4.0: understood since Ignition 2.15.
    V3_4,
}

impl IgnitionVersion {
    /// The version's number.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V3_3 => "3.3.0",
            Self::V3_4 => "3.4.0",
        }
    }
}

impl FromStr for IgnitionVersion {
    type Err = UserDataError;

    fn from_str(text: &str) -> Result<Self, UserDataError> {
        match text {
            "3.3.0" => Ok(Self::V3_3),
            "3.4.0" => Ok(Self::V3_4),
            _ => Err(UserDataError::Invalid { field: "version", expected: "3.3.0 or 3.4.0" }),
        }
    }
}

pub(super) fn write(version: IgnitionVersion, files: &[File], unit: &str) -> UserData {
    let sources: Vec<_> = files.iter().map(|file| data_url(file.content.expose())).collect();
    let written = files.iter().zip(&sources).map(|(file, source)| Written {
        path: file.path.as_str(),
        overwrite: true,
        mode: file.mode.bits(),
        contents: Contents { source },
    });
    let document = Document {
        ignition: Ignition { version: version.as_str() },
        storage: Storage { files: written.collect() },
        systemd: Systemd { units: [Unit { name: UNIT, enabled: true, contents: unit }] },
    };
    let room = files.iter().zip(&sources).map(|(file, source)| file.path.as_str().len() + source.len() + 128);
    UserData::write("", &document, room.sum::<usize>() + 2 * unit.len() + 512)
}

/// RFC 2397, in base64: nothing in it needs escaping anywhere.
fn data_url(content: &str) -> Zeroizing<String> {
    let mut url = Zeroizing::new(String::with_capacity(16 + BASE64.encode_len(content.len())));
    url.push_str("data:;base64,");
    BASE64.encode_append(content.as_bytes(), &mut url);
    url
}

#[derive(Serialize)]
struct Document<'a> {
    ignition: Ignition,
    storage: Storage<'a>,
    systemd: Systemd<'a>,
}

#[derive(Serialize)]
struct Ignition {
    version: &'static str,
}

#[derive(Serialize)]
struct Storage<'a> {
    files: Vec<Written<'a>>,
}

/// Ignition makes it root's where nothing is said.
#[derive(Serialize)]
struct Written<'a> {
    path: &'a str,
    overwrite: bool,
    /// In decimal: 384 is 0600.
    mode: u16,
    contents: Contents<'a>,
}

#[derive(Serialize)]
struct Contents<'a> {
    source: &'a str,
}

#[derive(Serialize)]
struct Systemd<'a> {
    units: [Unit<'a>; 1],
}

#[derive(Serialize)]
struct Unit<'a> {
    name: &'static str,
    enabled: bool,
    contents: &'a str,
}
