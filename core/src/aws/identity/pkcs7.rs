//! PKCS#7 SignedData (RFC 5652) in the one shape that AWS gives: one signer, RSA with SHA-256, the document inside.

use std::borrow::Cow;

use data_encoding::BASE64;
use x509_cert::der::oid::ObjectIdentifier;

use super::{
    IdentityError,
    ber::{Reader, tag},
};
use crate::{crypto::Backend, limits};

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const ALGORITHM_PROTECTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.52");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const SHA_256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");

/// The bytes of a SignedData as the metadata service gives it: base64 in lines, without the PEM lines around it. Those
/// are dropped where somebody has put them there, as AWS's instructions for OpenSSL say.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, IdentityError> {
    let text = text.trim_ascii();
    let inside = text
        .strip_prefix(b"-----BEGIN PKCS7-----")
        .and_then(|rest| rest.strip_suffix(b"-----END PKCS7-----"))
        .unwrap_or(text);
    base64(inside, "pkcs7")
}

/// Canonical base64, broken into lines or not.
pub(super) fn base64(text: &[u8], part: &'static str) -> Result<Vec<u8>, IdentityError> {
    if text.len() > limits::AWS_IDENTITY_SIGNATURE_BYTES {
        let limit = limits::AWS_IDENTITY_SIGNATURE_BYTES;
        return Err(IdentityError::TooLarge { part, bytes: text.len(), limit });
    }
    let joined: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    BASE64.decode(&joined).map_err(|_| IdentityError::Malformed { part })
}

/// A SignedData whose shape has been judged and whose signature has not.
pub(super) struct SignedData<'a> {
    /// The document, unless the signature is detached.
    pub(super) content: Option<Cow<'a, [u8]>>,
    /// The signature of the one signer.
    pub(super) signature: &'a [u8],
    attributes: Option<Attributes<'a>>,
}

/// The signed attributes (RFC 5652 section 5.3).
struct Attributes<'a> {
    /// All of them behind their implicit tag: they are signed under that of a SET.
    behind_tag: &'a [u8],
    message_digest: &'a [u8],
}

impl<'a> SignedData<'a> {
    /// Reads a whole ContentInfo. Certificates in it are skipped: whoever made the message chose them. The name of the
    /// signer is not looked at either, because it is not signed: the keys come from the host, by region.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, IdentityError> {
        let mut reader = Reader::new(bytes, "pkcs7");
        let info = reader.enter(tag::SEQUENCE)?;
        expect_oid(&mut reader, SIGNED_DATA, "pkcs7")?;
        let explicit = reader.enter(tag::CONTEXT_0)?;
        let signed_data = reader.enter(tag::SEQUENCE)?;
        version_1(&mut reader)?;
        let mut digests = reader.inner(tag::SET, "digestAlgorithms")?;
        algorithm(&mut digests, tag::SEQUENCE, &[SHA_256])?;
        digests.finish()?;
        let content = read_content(&mut reader)?;
        if reader.peek() == Some(tag::CONTEXT_0) {
            reader.inner(tag::CONTEXT_0, "certificates")?;
        }
        let mut signers = reader.inner(tag::SET, "signerInfos")?;
        let mut signer = signers.inner(tag::SEQUENCE, "signerInfo")?;
        signers.finish()?;
        let (attributes, signature) = read_signer(&mut signer)?;
        reader.leave(signed_data)?;
        reader.leave(explicit)?;
        reader.leave(info)?;
        reader.finish()?;
        Ok(Self { content, signature, attributes })
    }

    /// What the signature is over, if `content` is what was signed (RFC 5652 section 5.4): the signed attributes as a
    /// SET, after the digest in them has been compared; or the content itself where there are none. The one cannot
    /// be passed off as the other: a document begins with `{`, and a SET never does.
    pub(super) fn signed_bytes<'b>(
        &self,
        content: &'b [u8],
        backend: &dyn Backend,
    ) -> Result<Cow<'b, [u8]>, IdentityError> {
        let Some(attributes) = &self.attributes else { return Ok(Cow::Borrowed(content)) };
        if backend.sha256(content) != attributes.message_digest {
            return Err(IdentityError::BadSignature);
        }
        Ok(Cow::Owned([&[tag::SET], attributes.behind_tag].concat()))
    }
}

/// EncapsulatedContentInfo: plain data, included or detached.
fn read_content<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, [u8]>>, IdentityError> {
    let encapsulated = reader.enter(tag::SEQUENCE)?;
    expect_oid(reader, DATA, "eContentType")?;
    let content = if reader.at_end(encapsulated) {
        None
    } else {
        let explicit = reader.enter(tag::CONTEXT_0)?;
        let octets = reader.octets()?;
        reader.leave(explicit)?;
        Some(octets)
    };
    reader.leave(encapsulated)?;
    Ok(content)
}

/// SignerInfo, version 1, and nothing after the signature.
fn read_signer<'a>(signer: &mut Reader<'a>) -> Result<(Option<Attributes<'a>>, &'a [u8]), IdentityError> {
    version_1(signer)?;
    signer.value(tag::SEQUENCE)?; // issuerAndSerialNumber
    algorithm(signer, tag::SEQUENCE, &[SHA_256])?;
    let attributes = match signer.peek() {
        Some(tag::CONTEXT_0) => Some(Attributes::read(signer)?),
        Some(_) | None => None,
    };
    algorithm(signer, tag::SEQUENCE, &[RSA, SHA_256_WITH_RSA])?;
    let signature = signer.value(tag::OCTET_STRING)?;
    signer.finish()?;
    Ok((attributes, signature))
}

impl<'a> Attributes<'a> {
    /// Each attribute at most once and with one value; the content's type and digest must be among them (RFC 5652
    /// section 11), and the algorithms that are named again must be the ones used (RFC 6211). Others are signed
    /// too, but say nothing that matters here.
    fn read(signer: &mut Reader<'a>) -> Result<Self, IdentityError> {
        const PART: &str = "signedAttrs";
        let (members, behind_tag) = signer.value_and_length(tag::CONTEXT_0)?;
        let malformed = IdentityError::Malformed { part: PART };
        let mut reader = Reader::new(members, PART);
        let (mut seen, mut content_type, mut message_digest) = (Vec::new(), None, None);
        while !reader.is_empty() {
            let mut attribute = reader.inner(tag::SEQUENCE, PART)?;
            let name = attribute.value(tag::OBJECT_IDENTIFIER)?;
            let mut values = attribute.inner(tag::SET, PART)?;
            attribute.finish()?;
            if seen.contains(&name) || seen.len() >= limits::AWS_IDENTITY_ATTRIBUTES {
                return Err(malformed);
            }
            seen.push(name);
            if name == CONTENT_TYPE.as_bytes() {
                content_type = Some(values.value(tag::OBJECT_IDENTIFIER)?);
                values.finish()?;
            } else if name == MESSAGE_DIGEST.as_bytes() {
                message_digest = Some(values.value(tag::OCTET_STRING)?);
                values.finish()?;
            } else if name == ALGORITHM_PROTECTION.as_bytes() {
                let mut protection = values.inner(tag::SEQUENCE, PART)?;
                values.finish()?;
                algorithm(&mut protection, tag::SEQUENCE, &[SHA_256])?;
                algorithm(&mut protection, tag::CONTEXT_1, &[RSA, SHA_256_WITH_RSA])?;
                protection.finish()?;
            }
        }
        match message_digest {
            Some(message_digest) if content_type == Some(DATA.as_bytes()) => {
                Ok(Self { behind_tag, message_digest })
            }
            Some(_) | None => Err(malformed),
        }
    }
}

/// An AlgorithmIdentifier that must be one of `known`, without parameters or with NULL.
fn algorithm(reader: &mut Reader<'_>, tag: u8, known: &[ObjectIdentifier]) -> Result<(), IdentityError> {
    let mut identifier = reader.inner(tag, "algorithm")?;
    let name = identifier.value(tag::OBJECT_IDENTIFIER)?;
    if !known.iter().any(|known| known.as_bytes() == name) {
        return Err(IdentityError::UnsupportedAlgorithm);
    }
    if !identifier.is_empty() {
        identifier.inner(tag::NULL, "algorithm")?.finish()?;
    }
    identifier.finish()
}

fn expect_oid(
    reader: &mut Reader<'_>,
    expected: ObjectIdentifier,
    part: &'static str,
) -> Result<(), IdentityError> {
    if reader.value(tag::OBJECT_IDENTIFIER)? == expected.as_bytes() {
        Ok(())
    } else {
        Err(IdentityError::Malformed { part })
    }
}

fn version_1(reader: &mut Reader<'_>) -> Result<(), IdentityError> {
    if reader.value(tag::INTEGER)? == [1] {
        Ok(())
    } else {
        Err(IdentityError::Malformed { part: "version" })
    }
}
