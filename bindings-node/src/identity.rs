//! EC2 instance identity documents.

use handfast::{
    aws::identity::{self, IdentityProof, IdentityTrust, IdentityVerifier},
    crypto,
    verified::Verified,
};
use napi_derive::napi;

use crate::{
    carry,
    error::{Result, Throw, invalid},
    system,
};

/// One EC2 instance, as AWS itself describes it.
#[napi]
pub struct InstanceIdentity(Verified<identity::InstanceIdentity>);

impl InstanceIdentity {
    pub(crate) fn verified(&self) -> &Verified<identity::InstanceIdentity> {
        &self.0
    }
}

#[napi]
impl InstanceIdentity {
    /// The instance.
    #[napi(getter)]
    pub fn instance(&self) -> &str {
        self.0.instance().as_str()
    }

    /// The account that it is in.
    #[napi(getter)]
    pub fn account(&self) -> &str {
        self.0.account().as_str()
    }

    /// The region that it is in.
    #[napi(getter)]
    pub fn region(&self) -> &str {
        self.0.region().as_str()
    }

    /// When it was last started.
    #[napi(getter)]
    pub fn pending_at(&self) -> String {
        self.0.pending_at().to_string()
    }

    /// The private address of its first network interface.
    #[napi(getter)]
    pub fn private_ip(&self) -> Option<String> {
        self.0.private_ip().map(|address| address.to_string())
    }

    /// The availability zone.
    #[napi(getter)]
    pub fn availability_zone(&self) -> Option<&str> {
        self.0.availability_zone()
    }

    /// The id of its machine image.
    #[napi(getter)]
    pub fn image(&self) -> Option<&str> {
        self.0.image()
    }

    /// Its type.
    #[napi(getter)]
    pub fn instance_type(&self) -> Option<&str> {
        self.0.instance_type()
    }

    /// Its architecture.
    #[napi(getter)]
    pub fn architecture(&self) -> Option<&str> {
        self.0.architecture()
    }

    /// The version of the document's format.
    #[napi(getter)]
    pub fn version(&self) -> Option<&str> {
        self.0.version()
    }

    /// All of it, as JSON.
    #[napi]
    pub fn describe(&self) -> String {
        carry::write(self.0.get())
    }
}

/// Verifies a proof under a trust, as JSON: a PKCS#7 signature that may have a document beside it, or a `plain` one that
/// must.
#[napi]
pub fn verify_identity(
    signature: &[u8],
    plain: bool,
    document: Option<&[u8]>,
    trust: String,
    now: i64,
    trusted: bool,
) -> Result<InstanceIdentity> {
    let trust: IdentityTrust = carry::read_as(&trust, &Vec::new(), "trust")?;
    let verifier = IdentityVerifier::new(trust, crypto::default_backend()).map_err(Throw::throw)?;
    let proof = match (plain, document) {
        (false, document) => IdentityProof::Pkcs7 { pkcs7: signature, document },
        (true, Some(document)) => IdentityProof::Signature { document, signature },
        (true, None) => return Err(invalid("document", "expected a Uint8Array or a string")),
    };
    verifier.verify(&proof, system::now(now, trusted)?).map(InstanceIdentity).map_err(Throw::throw)
}
