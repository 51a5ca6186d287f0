//! EC2 instance identity documents.

use handfast::{
    aws::identity::{self, IdentityProof, IdentityTrust, IdentityVerifier},
    crypto,
    verified::Verified,
    vocabulary::from_value,
};
use pyo3::{
    prelude::*,
    pybacked::{PyBackedBytes, PyBackedStr},
};

use crate::{
    convert,
    error::{Raise, invalid},
    system,
};

/// One EC2 instance, as AWS itself describes it. Evidence: only `handfast.aws.verify_identity` makes one.
/// A `redeem`, or a `deliver` to an instance, takes it as its member `identity`.
///
/// It proves that AWS wrote the document for this instance, not that the instance sent it: every process on the
/// instance can read it, and whoever was sent it once can send it on. Accept it once for each start of an instance.
#[pyclass(frozen, module = "handfast.aws")]
pub(crate) struct InstanceIdentity(Verified<identity::InstanceIdentity>);

impl InstanceIdentity {
    pub(crate) fn verified(&self) -> &Verified<identity::InstanceIdentity> {
        &self.0
    }
}

#[pymethods]
impl InstanceIdentity {
    /// The instance. EC2 never uses an id again.
    #[getter]
    fn instance(&self) -> &str {
        self.0.instance().as_str()
    }

    /// The account that it is in.
    #[getter]
    fn account(&self) -> &str {
        self.0.account().as_str()
    }

    /// The region that it is in.
    #[getter]
    fn region(&self) -> &str {
        self.0.region().as_str()
    }

    /// When it was last started.
    #[getter]
    fn pending_at(&self) -> String {
        self.0.pending_at().to_string()
    }

    /// The private address of its first network interface, if there is one.
    #[getter]
    fn private_ip(&self) -> Option<String> {
        self.0.private_ip().map(|address| address.to_string())
    }

    /// The availability zone.
    #[getter]
    fn availability_zone(&self) -> Option<&str> {
        self.0.availability_zone()
    }

    /// The id of its machine image.
    #[getter]
    fn image(&self) -> Option<&str> {
        self.0.image()
    }

    /// Its type, for example `t3.micro`.
    #[getter]
    fn instance_type(&self) -> Option<&str> {
        self.0.instance_type()
    }

    /// Its architecture, for example `arm64`.
    #[getter]
    fn architecture(&self) -> Option<&str> {
        self.0.architecture()
    }

    /// The version of the document's format.
    #[getter]
    fn version(&self) -> Option<&str> {
        self.0.version()
    }

    /// All of it, for logs and tests. A dict is no evidence.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::to_python(py, &serde_json::to_value(self.0.get()).unwrap_or_default(), &[])
    }

    fn __repr__(&self) -> String {
        format!("<handfast.aws.InstanceIdentity {} started at {}>", self.0.instance(), self.0.pending_at())
    }
}

/// A text, as such or in bytes.
#[derive(FromPyObject)]
pub(crate) enum Text {
    #[pyo3(transparent, annotation = "str")]
    Str(PyBackedStr),
    #[pyo3(transparent, annotation = "bytes")]
    Bytes(PyBackedBytes),
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Str(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// Verify an EC2 instance identity document, as the instance's metadata service gave it.
///
/// Give either the text of `rsa2048` (with `document` where the signature does not hold it), or `document` and
/// `signature`, byte for byte. `trust` is a `handfast.types.IdentityTrust`. Raises `AwsError` for a signature that is not
/// AWS's, a region or account that is not trusted, and an instance that was started too long ago.
///
/// The document is no secret and never expires: accept it once for each start of an instance.
#[pyfunction]
#[pyo3(signature = (pkcs7=None, /, *, trust, document=None, signature=None, now=None, trusted_clock=true))]
pub(crate) fn verify_identity(
    pkcs7: Option<Text>,
    trust: &Bound<'_, PyAny>,
    document: Option<Text>,
    signature: Option<Text>,
    now: Option<&Bound<'_, PyAny>>,
    trusted_clock: bool,
) -> PyResult<InstanceIdentity> {
    let trust: IdentityTrust = from_value(convert::to_value(trust)?, "trust").map_err(Raise::raise)?;
    let verifier = IdentityVerifier::new(trust, crypto::default_backend()).map_err(Raise::raise)?;
    let document = document.as_ref().map(AsRef::as_ref);
    let proof = match (&pkcs7, document, &signature) {
        (Some(pkcs7), document, None) => IdentityProof::Pkcs7 { pkcs7: pkcs7.as_ref(), document },
        (None, Some(document), Some(signature)) => {
            IdentityProof::Signature { document, signature: signature.as_ref() }
        }
        (Some(_), _, Some(_)) | (None, None, _) | (None, Some(_), None) => {
            return Err(invalid("", "expected the text of `rsa2048`, or `document` and `signature`"));
        }
    };
    verifier.verify(&proof, system::now(now, trusted_clock)?).map(InstanceIdentity).map_err(Raise::raise)
}
