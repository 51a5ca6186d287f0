//! User data that carries a token to the first boot.

use std::collections::BTreeMap;

use handfast::userdata::{self, Cloud, File, UserDataError};
use napi_derive::napi;

use crate::{
    error::{Result, Throw},
    secret::{Secret, Text, owned},
};

/// A token for a file, and the command that is started with it.
#[napi]
pub struct FirstBoot(userdata::FirstBoot);

#[napi]
impl FirstBoot {
    /// Puts it together.
    #[napi(constructor)]
    pub fn new(token: Text<'_>, token_path: String, command: Vec<String>) -> Result<Self> {
        let token = owned(&token);
        let make = || userdata::FirstBoot::new(token, token_path.parse()?, command);
        make().map(Self).map_err(Throw::throw)
    }

    /// The same, and one more file.
    #[napi]
    pub fn with_file(&self, path: String, content: Text<'_>, mode: Option<String>) -> Result<Self> {
        let content = owned(&content);
        let make = || {
            let mode = mode.as_deref().map(str::parse).transpose()?.unwrap_or_default();
            self.0.clone().with_file(File { path: path.parse()?, content, mode })
        };
        make().map(Self).map_err(Throw::throw)
    }

    /// An Ignition configuration.
    #[napi]
    pub fn ignition(&self, version: Option<String>) -> Result<UserData> {
        let version = version.as_deref().map(str::parse).transpose();
        let version = version.map_err(|error: UserDataError| error.throw())?.unwrap_or_default();
        Ok(UserData(self.0.ignition(version)))
    }

    /// A cloud-init configuration.
    #[napi]
    pub fn cloud_config(&self) -> UserData {
        UserData(self.0.cloud_config())
    }
}

/// A document of user data.
#[napi]
pub struct UserData(userdata::UserData);

#[napi]
impl UserData {
    /// The text.
    #[napi]
    pub fn to_secret(&self) -> Secret {
        self.0.clone().into_secret().into()
    }

    /// Whether the cloud takes a document of this size.
    #[napi]
    pub fn fits(&self, cloud: String) -> Result<()> {
        cloud.parse().and_then(|cloud| self.0.fits(cloud)).map_err(Throw::throw)
    }

    /// Its bytes.
    #[napi(getter)]
    pub fn bytes(&self) -> u32 {
        u32::try_from(self.0.expose().len()).unwrap_or(u32::MAX)
    }
}

/// The clouds with their limits in bytes.
#[napi]
pub fn clouds() -> BTreeMap<&'static str, u32> {
    let limit = |cloud: Cloud| u32::try_from(cloud.limit()).unwrap_or(u32::MAX);
    Cloud::ALL.map(|cloud| (cloud.as_str(), limit(cloud))).into()
}

/// The systemd unit that user data installs.
#[napi]
pub fn first_boot_unit() -> &'static str {
    userdata::UNIT
}
