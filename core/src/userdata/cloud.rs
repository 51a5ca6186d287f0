//! What the clouds take.

use std::{fmt, str::FromStr};

use super::UserDataError;
use crate::limits;

/// A cloud with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cloud {
    /// Amazon EC2.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Compute Engine.
    Gcp,
    /// OpenStack.
    OpenStack,
    /// DigitalOcean.
    DigitalOcean,
    /// Hetzner Cloud.
    Hetzner,
    /// Oracle Cloud Infrastructure.
    Oracle,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Aws, Self::Azure, Self::Gcp, Self::OpenStack, Self::DigitalOcean, Self::Hetzner, Self::Oracle];

    /// The bytes of the largest document, before any base64.
    #[must_use]
    pub const fn limit(self) -> usize {
        match self {
            Self::Aws => limits::USER_DATA_AWS_BYTES,
            Self::Azure => limits::USER_DATA_AZURE_BYTES,
            Self::Gcp => limits::USER_DATA_GCP_BYTES,
            Self::OpenStack => limits::USER_DATA_OPENSTACK_BYTES,
            Self::DigitalOcean => limits::USER_DATA_DIGITALOCEAN_BYTES,
            Self::Hetzner => limits::USER_DATA_HETZNER_BYTES,
            Self::Oracle => limits::USER_DATA_ORACLE_BYTES,
        }
    }

    /// The name, as it crosses every boundary.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::OpenStack => "openstack",
            Self::DigitalOcean => "digitalocean",
            Self::Hetzner => "hetzner",
            Self::Oracle => "oracle",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Cloud {
    type Err = UserDataError;

    fn from_str(text: &str) -> Result<Self, UserDataError> {
        let expected = "aws, azure, gcp, openstack, digitalocean, hetzner or oracle";
        let found = Self::ALL.into_iter().find(|cloud| cloud.as_str() == text);
        found.ok_or(UserDataError::Invalid { field: "cloud", expected })
    }
}
