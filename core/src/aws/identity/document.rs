//! What an identity document says.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use super::IdentityError;
use crate::{
    aws::{AccountId, InstanceId, Object, Region},
    json, limits,
    time::Timestamp,
};

/// One EC2 instance, as AWS itself describes it.
///
/// Evidence, which only a verifier makes: it does not deserialise. It proves that AWS wrote the document for this
/// instance, not that the instance sent it: every process on the instance can read it, and whoever was sent it once can
/// send it on. Accept it once for each start of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstanceIdentity {
    instance: InstanceId,
    account: AccountId,
    region: Region,
    pending_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    private_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl InstanceIdentity {
    /// Reads a document whose signature is not known yet: strict JSON, and each known member of its grammar. Members that
    /// AWS may add are let through, up to [`limits::AWS_IDENTITY_MEMBERS`].
    pub(super) fn read(document: &[u8]) -> Result<Self, IdentityError> {
        let limit = limits::AWS_IDENTITY_DOCUMENT_BYTES;
        if document.len() > limit {
            return Err(IdentityError::TooLarge { part: "document", bytes: document.len(), limit });
        }
        let Ok(Value::Object(members)) = json::parse(document, limit) else {
            return Err(IdentityError::Malformed { part: "document" });
        };
        if members.len() > limits::AWS_IDENTITY_MEMBERS {
            return Err(IdentityError::Malformed { part: "members" });
        }
        let name = |member| optional(&members, member).map(|text| text.map(str::to_owned));
        Ok(Self {
            instance: required(&members, "instanceId")?,
            account: required(&members, "accountId")?,
            region: required(&members, "region")?,
            pending_at: required(&members, "pendingTime")?,
            private_ip: optional(&members, "privateIp")?
                .map(|text| text.parse().map_err(|_| IdentityError::Malformed { part: "privateIp" }))
                .transpose()?,
            availability_zone: name("availabilityZone")?,
            image: name("imageId")?,
            instance_type: name("instanceType")?,
            architecture: name("architecture")?,
            version: name("version")?,
        })
    }

    /// Which instance. EC2 never uses an id again.
    #[must_use]
    pub fn instance(&self) -> &InstanceId {
        &self.instance
    }

    /// The account that it is in; one that the [`super::IdentityTrust`] names.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The region that it is in; one that the [`super::IdentityTrust`] has certificates for.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// When the instance was last started: a stopped instance that starts again gets another document. It is the only
    /// time that the document bears; when the document was fetched is not known.
    #[must_use]
    pub fn pending_at(&self) -> Timestamp {
        self.pending_at
    }

    /// The private IPv4 address of the first network interface, where there is one.
    #[must_use]
    pub fn private_ip(&self) -> Option<IpAddr> {
        self.private_ip
    }

    /// The availability zone.
    #[must_use]
    pub fn availability_zone(&self) -> Option<&str> {
        self.availability_zone.as_deref()
    }

    /// The id of the machine image (AMI).
    #[must_use]
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// The instance type, for example `t3.micro`.
    #[must_use]
    pub fn instance_type(&self) -> Option<&str> {
        self.instance_type.as_deref()
    }

    /// The architecture, for example `x86_64` or `arm64`.
    #[must_use]
    pub fn architecture(&self) -> Option<&str> {
        self.architecture.as_deref()
    }

    /// The version of the document's format, for example `2017-09-30`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// An identity that nobody signed, for tests of what follows one. Account `123456789012`, region `us-east-1`.
    ///
    /// # Panics
    /// Never: the constants are well-formed.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    #[expect(clippy::expect_used, reason = "constants, and only compiled for tests")]
    pub fn for_testing(
        instance: InstanceId,
        pending_at: Timestamp,
        private_ip: Option<IpAddr>,
    ) -> crate::Verified<Self> {
        crate::Verified::new(Self {
            instance,
            account: "123456789012".parse().expect("an account id"),
            region: "us-east-1".parse().expect("a region"),
            pending_at,
            private_ip,
            availability_zone: None,
            image: None,
            instance_type: None,
            architecture: None,
            version: None,
        })
    }
}

fn required<T: std::str::FromStr>(members: &Object, part: &'static str) -> Result<T, IdentityError> {
    let malformed = IdentityError::Malformed { part };
    optional(members, part)?.and_then(|text| text.parse().ok()).ok_or(malformed)
}

/// A text that may be absent or null: printable ASCII without blanks, as everything that AWS writes here is.
fn optional<'a>(members: &'a Object, part: &'static str) -> Result<Option<&'a str>, IdentityError> {
    let is_plain = |text: &str| {
        (1..=limits::AWS_IDENTITY_TEXT_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match members.get(part) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_plain(text) => Ok(Some(text)),
        Some(_) => Err(IdentityError::Malformed { part }),
    }
}
