#!/usr/bin/env python3
"""Writes identity/cases.json: what every language must do with EC2 instance identity documents.

    python generate_identity.py          write the cases and the seeds of the fuzz target; again, and no byte changes
    python generate_identity.py check    exit 1 when a committed file differs from what would be written

The documents are signed as AWS signs them, with the public test keys of keys/. Nothing here calls handfast, and the
signatures are put together by hand: half of them are wrong on purpose, which no library would write.
Can also be imported: `rsa2048` and `certificate_of` make what a test of a host needs.
"""

import base64
import functools
import hashlib
import json
import sys
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import NameOID

import generate

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parent.parent / "fuzz" / "corpus" / "identity"

INSTANCE = "i-0a74797fd283b53de"
ACCOUNT = "123456789012"
REGION = "us-east-1"
PENDING = "2026-03-01T12:00:00Z"
NOW = "2026-03-01T12:00:30Z"

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
SHA_1 = "1.3.14.3.2.26"
SHA_256 = "2.16.840.1.101.3.4.2.1"
SHA_512 = "2.16.840.1.101.3.4.2.3"
RSA = "1.2.840.113549.1.1.1"
RSA_PSS = "1.2.840.113549.1.1.10"
SHA_1_WITH_RSA = "1.2.840.113549.1.1.5"
SHA_256_WITH_RSA = "1.2.840.113549.1.1.11"
DSA = "1.2.840.10040.4.3"


# DER and BER.


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        length = bytes([len(body)])
    else:
        digits = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(digits)]) + digits
    return bytes([tag]) + length + body


def endless(tag, *parts):
    """With an indefinite length."""
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = b""
    for number in [40 * first + second, *rest]:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.insert(0, number & 0x7F | 0x80)
        out += bytes(digits)
    return tlv(6, out)


def sequence(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *parts)


def octets(data):
    return tlv(4, data)


NULL = tlv(5)
VERSION_1 = tlv(2, b"\1")


def algorithm(name, parameters=NULL):
    return sequence(oid(name), parameters)


@functools.cache
def private_key(name):
    return generate.private_key(name)


# What AWS writes.


def document(**changes):
    """A document as the metadata service gives it; a member that is `...` is left out."""
    members = {
        "accountId": ACCOUNT,
        "architecture": "x86_64",
        "availabilityZone": "us-east-1a",
        "billingProducts": None,
        "devpayProductCodes": None,
        "marketplaceProductCodes": None,
        "imageId": "ami-0abcdef1234567890",
        "instanceId": INSTANCE,
        "instanceType": "t3.micro",
        "kernelId": None,
        "pendingTime": PENDING,
        "privateIp": "10.0.0.209",
        "ramdiskId": None,
        "region": REGION,
        "version": "2017-09-30",
    }
    members = {name: value for name, value in {**members, **changes}.items() if value is not ...}
    lines = ",\n".join(f"  {json.dumps(name)} : {json.dumps(value)}" for name, value in members.items())
    return f"{{\n{lines}\n}}".encode()


def identity_of(written):
    """What must come out of it."""
    members = json.loads(written)
    names = {
        "instance": "instanceId",
        "account": "accountId",
        "region": "region",
        "private_ip": "privateIp",
        "availability_zone": "availabilityZone",
        "image": "imageId",
        "instance_type": "instanceType",
        "architecture": "architecture",
        "version": "version",
    }
    identity = {name: members[member] for name, member in names.items() if members.get(member) is not None}
    return {**identity, "pending_at": members["pendingTime"].removesuffix("Z") + ".000Z"}


def rsa_signature(data, key="leaf", digest=hashes.SHA256):
    return private_key(key).sign(data, padding.PKCS1v15(), digest())


def issuer_and_serial(serial=b"\0\xb6\x4b\xde"):
    name = sequence(set_of(sequence(oid("2.5.4.10"), tlv(0x13, b"handfast test"))))
    return sequence(name, tlv(2, serial))


def attribute(name, *values):
    return sequence(oid(name), set_of(*values))


def attributes(content, *, without=(), **changes):
    """The four that AWS signs, in DER's order; `without` some, or with others instead."""
    protection = sequence(algorithm(SHA_256), tlv(0xA1, oid(SHA_256_WITH_RSA), NULL))
    four = {
        "content_type": attribute(CONTENT_TYPE, oid(DATA)),
        "signing_time": attribute(SIGNING_TIME, tlv(0x17, b"260301120003Z")),
        "protection": attribute(ALGORITHM_PROTECTION, protection),
        "message_digest": attribute(MESSAGE_DIGEST, octets(hashlib.sha256(content).digest())),
    }
    return [value for name, value in {**four, **changes}.items() if name not in without]


def signer(content, *, key="leaf", signed=None, digest=None, name=None, signature=None, sid=None, version=VERSION_1,
           unsigned=b""):
    """A SignerInfo. `signed` are its attributes; an empty list stands for none at all."""
    signed = attributes(content) if signed is None else signed
    if signature is None:
        signature = rsa_signature(set_of(*signed) if signed else content, key)
    return sequence(
        version,
        sid or issuer_and_serial(),
        digest or algorithm(SHA_256),
        tlv(0xA0, *signed) if signed else b"",
        name or algorithm(SHA_256_WITH_RSA),
        octets(signature),
        unsigned,
    )


def signed_data(content, *signers, digests=None, encapsulated=None, kind=DATA, certificates=b"", shell=endless,
                name=SIGNED_DATA, version=VERSION_1, after=b""):
    """A ContentInfo. AWS's shell has indefinite lengths, and the document is an octet string in parts."""
    if encapsulated is None:
        inner = endless(0x24, octets(content)) if shell is endless else octets(content)
        encapsulated = shell(0xA0, inner)
    body = shell(
        0x30,
        version,
        digests or set_of(algorithm(SHA_256)),
        shell(0x30, oid(kind), encapsulated),
        certificates,
        set_of(*(signers or [signer(content)])),
        after,
    )
    return shell(0x30, oid(name), shell(0xA0, body))


def in_lines(der, width=76, end="\n"):
    text = base64.b64encode(der).decode()
    return end.join(text[at : at + width] for at in range(0, len(text), width))


def rsa2048(written, key="leaf"):
    """The text of the metadata service's `rsa2048` for a document."""
    return in_lines(signed_data(written, signer(written, key=key)))


def certificate_of(key, *, start=datetime(2015, 8, 14), end=datetime(2195, 1, 17), signed_by=None):
    """A certificate as AWS publishes them: self-signed, an authority, without names."""
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "handfast test")])
    built = (
        x509.CertificateBuilder(serial_number=0xB64BDE)
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private_key(key).public_key())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(True, 0), True)
        .sign(private_key(signed_by or key), hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


# Trusts.


def trust(certificates=None, **more):
    return {"certificates": certificates or {REGION: [certificate_of("leaf")]}, "accounts": [ACCOUNT], **more}


def trusts():
    leaf, other, short = certificate_of("leaf"), certificate_of("other"), certificate_of("rsa-1024")
    ended = certificate_of("leaf", end=datetime(2026, 3, 1, 12, 0, 29))
    return {
        "default": trust({REGION: [leaf], "us-west-2": [other]}),
        "rotation": trust({REGION: [other, leaf]}),
        "replaced": trust({REGION: [ended, leaf]}),
        "last second": trust({REGION: [certificate_of("leaf", end=datetime(2026, 3, 1, 12, 0, 30))]}),
        "ended": trust({REGION: [ended]}),
        "not yet": trust({REGION: [certificate_of("leaf", start=datetime(2026, 3, 1, 12, 0, 31))]}),
        "signed by anybody": trust({REGION: [certificate_of("leaf", signed_by="other")]}),
        "legacy": trust({REGION: [leaf, short]}, legacy_rsa_1024=True),
        "one of two regions": trust({REGION: [leaf], "us-west-2": [leaf]}, regions=["us-west-2"]),
        "same key in two regions": trust({"eu-south-1": [leaf], "eu-south-2": [leaf]}),
        "another account": trust(accounts=["111122223333"]),
        "two accounts": trust(accounts=["111122223333", ACCOUNT]),
        "a minute": trust(max_age_seconds=60),
        "a day": trust(max_age_seconds=24 * 60 * 60),
    }


def refused_trusts():
    leaf = certificate_of("leaf")
    one = {REGION: [leaf]}
    refused = {
        "no account": trust(accounts=[]),
        "no certificate": {"certificates": {}, "accounts": [ACCOUNT]},
        "a region without one": trust({REGION: []}),
        "a region that is wanted and has none": trust(one, regions=["us-west-2"]),
        "nine for a region": trust({REGION: [leaf] * 9}),
        "an age of no boot": trust(one, max_age_seconds=59),
        "an age of more than a day": trust(one, max_age_seconds=24 * 60 * 60 + 1),
        "RSA-1024 without the switch": trust({REGION: [certificate_of("rsa-1024")]}),
        "an exponent of 3": trust({REGION: [certificate_of("exponent-3")]}),
        "an elliptic curve": trust({REGION: [certificate_of("ec", signed_by="leaf")]}),
        "not PEM": trust({REGION: ["certificate"]}),
        "a key instead": trust({REGION: [leaf.replace("CERTIFICATE", "PUBLIC KEY")]}),
        "damaged": trust({REGION: [leaf.replace("MII", "MIJ", 1)]}),
        "too large": trust({REGION: [leaf + "\n" * 16 * 1024]}),
    }
    return [{"name": name, "trust": given} for name, given in refused.items()]


# Cases.


class Cases:
    def __init__(self):
        self.cases = []

    def add(self, name, proof, expected, trust="default", now=NOW, trusted_clock=True):
        assert name not in [case["name"] for case in self.cases], name
        if isinstance(expected, bytes):
            expected = {"verdict": "verified", "identity": identity_of(expected)}
        else:
            expected = {"verdict": "rejected", "code": expected}
        case = {"name": name, "trust": trust, "now": now, "proof": proof, "expected": expected}
        self.cases.append(case if trusted_clock else {**case, "trusted_clock": False})

    def pkcs7(self, name, signature, expected, **where):
        text = signature if isinstance(signature, str) else in_lines(signature)
        self.add(name, {"pkcs7": text}, expected, **where)

    def signed(self, name, written, expected, **where):
        """A document that is signed rightly, whatever is in it."""
        self.pkcs7(name, signed_data(written), written if expected is None else expected, **where)


def cases():
    collected = Cases()
    accepted(collected)
    altered(collected)
    misshapen(collected)
    wrong_attributes(collected)
    wrong_algorithms(collected)
    wrong_encodings(collected)
    judged(collected)
    documents(collected)
    plain(collected)
    return collected.cases


def accepted(all_cases):
    good = document()
    all_cases.pkcs7("as AWS gives it", rsa2048(good), good)
    all_cases.pkcs7("all in DER", signed_data(good, shell=tlv), good)
    halves = endless(0xA0, endless(0x24, octets(good[:100]), octets(b""), octets(good[100:])))
    all_cases.pkcs7("a document in parts", signed_data(good, encapsulated=halves), good)
    definite = endless(0xA0, tlv(0x24, octets(good[:100]), octets(good[100:])))
    all_cases.pkcs7("in parts of a definite length", signed_data(good, encapsulated=definite), good)
    text = rsa2048(good)
    all_cases.pkcs7("in one line", text.replace("\n", ""), good)
    all_cases.pkcs7("lines end in CR LF", text.replace("\n", "\r\n") + "\r\n", good)
    all_cases.pkcs7("between PEM lines", f"-----BEGIN PKCS7-----\n{text}\n-----END PKCS7-----\n", good)
    rsa = algorithm(RSA)
    protection = attribute(ALGORITHM_PROTECTION, sequence(algorithm(SHA_256), tlv(0xA1, oid(RSA), NULL)))
    signed = attributes(good, protection=protection)
    all_cases.pkcs7("rsaEncryption", signed_data(good, signer(good, name=rsa, signed=signed)), good)
    bare = signer(good, digest=algorithm(SHA_256, b""), name=algorithm(SHA_256_WITH_RSA, b""))
    all_cases.pkcs7("algorithms without parameters", signed_data(good, bare, digests=set_of(algorithm(SHA_256, b""))), good)
    fewer = attributes(good, without=("protection", "signing_time"))
    all_cases.pkcs7("only the attributes that must be", signed_data(good, signer(good, signed=fewer)), good)
    all_cases.pkcs7("no signed attributes", signed_data(good, signer(good, signed=[])), good)
    certificate = x509.load_pem_x509_certificate(certificate_of("leaf").encode())
    der = certificate.public_bytes(serialization.Encoding.DER)
    all_cases.pkcs7("its certificate comes along", signed_data(good, certificates=tlv(0xA0, der)), good)
    another = signer(good, sid=issuer_and_serial(b"\1"))
    all_cases.pkcs7("the signer's name is not signed", signed_data(good, another), good)
    detached = in_lines(signed_data(good, encapsulated=b""))
    all_cases.add("detached", {"pkcs7": detached, "document": good.decode()}, good)
    all_cases.add("the document twice", {"pkcs7": text, "document": good.decode()}, good)
    for name in ("rotation", "replaced", "last second", "signed by anybody", "two accounts"):
        all_cases.signed(f"trust: {name}", good, None, trust=name)
    west = document(region="us-west-2", availabilityZone="us-west-2-lax-1a")
    all_cases.pkcs7("another region with its own key", rsa2048(west, "other"), west)
    south = document(region="eu-south-2")
    all_cases.signed("trust: same key in two regions", south, None, trust="same key in two regions")


def altered(all_cases):
    good = document()
    bad = "aws_identity_bad_signature"
    genuine = signed_data(good)
    digest, signature = hashlib.sha256(good).digest(), rsa_signature(set_of(*attributes(good)))
    for name, part, other in [
        ("instance", INSTANCE.encode(), b"i-0a74797fd283b53df"),
        ("account", b'"123456789012"', b'"123456789013"'),
        ("address", b"10.0.0.209", b"10.0.0.210"),
        ("time", PENDING.encode(), b"2026-03-01T12:00:01Z"),
        ("blank", b'"version" : ', b'"version":  '),
        ("digest", digest, bytes([digest[0] ^ 1]) + digest[1:]),
        ("signing time", b"260301120003Z", b"260301120004Z"),
        ("signature's first byte", signature, bytes([signature[0] ^ 1]) + signature[1:]),
        ("signature's last byte", signature, signature[:-1] + bytes([signature[-1] ^ 1])),
    ]:
        assert genuine.count(part) == 1
        all_cases.pkcs7(f"altered: {name}", genuine.replace(part, other), bad)
    changed = document(instanceId="i-0a74797fd283b53df")
    matching = signer(changed, signature=signature)
    all_cases.pkcs7("altered: document and digest", signed_data(changed, matching), bad)
    moved = document(region="us-west-2")
    all_cases.pkcs7("altered: into another region", signed_data(moved, signer(moved, signature=signature)), bad)
    all_cases.pkcs7("a digest of something else", signed_data(good, signer(good, signed=attributes(b"{}"))), bad)
    short = attributes(good, message_digest=attribute(MESSAGE_DIGEST, octets(digest[:20])))
    all_cases.pkcs7("a digest that is too short", signed_data(good, signer(good, signed=short)), bad)
    all_cases.pkcs7("another key", signed_data(good, signer(good, key="other")), bad)
    all_cases.pkcs7("the key of another region", rsa2048(document(region="us-west-2")), bad)
    attacker = x509.load_pem_x509_certificate(certificate_of("other").encode())
    along = tlv(0xA0, attacker.public_bytes(serialization.Encoding.DER))
    forged = signed_data(good, signer(good, key="other"), certificates=along)
    all_cases.pkcs7("another key, whose certificate comes along", forged, bad)
    sha_1 = rsa_signature(set_of(*attributes(good)), digest=hashes.SHA1)
    all_cases.pkcs7("SHA-1 that calls itself SHA-256", signed_data(good, signer(good, signature=sha_1)), bad)
    stripped = signer(good, signed=[], signature=signature)
    all_cases.pkcs7("attributes taken away", signed_data(good, stripped), bad)
    reordered = attributes(good)[::-1]
    all_cases.pkcs7("attributes in another order", signed_data(good, signer(good, signed=reordered, signature=signature)), bad)
    all_cases.pkcs7("a short signature", signed_data(good, signer(good, signature=signature[1:])), bad)
    all_cases.pkcs7("an empty signature", signed_data(good, signer(good, signature=b"")), bad)
    all_cases.pkcs7("a long signature", signed_data(good, signer(good, signature=b"\0" + signature)), bad)


def misshapen(all_cases):
    good = document()
    bad = "aws_identity_malformed"
    detached = signed_data(good, encapsulated=b"")
    both = {
        "two signers": signed_data(good, signer(good), signer(good)),
        "two signers, the second forged": signed_data(good, signer(good), signer(good, key="other")),
        "no signer": signed_data(good, b""),
        "bytes after the end": signed_data(good) + b"\0",
        "bytes after the end of DER": signed_data(good, shell=tlv) + b"\0",
        "bytes after the signers": signed_data(good, after=NULL),
        "cut short": signed_data(good)[:-1],
        "cut short in DER": signed_data(good, shell=tlv)[:-1],
        "empty": b"",
        "not signed data": signed_data(good, name=DATA),
        "signed data version 3": signed_data(good, version=tlv(2, b"\3")),
        "a version of two bytes": signed_data(good, version=tlv(2, b"\0\1")),
        "content that is not data": signed_data(good, kind=SIGNED_DATA),
        "content that is no octet string": signed_data(good, encapsulated=endless(0xA0, tlv(0x0C, good))),
        "two contents": signed_data(good, encapsulated=endless(0xA0, octets(good), octets(good))),
        "content twice": signed_data(good, encapsulated=endless(0xA0, octets(good)) * 2),
        "parts within parts": signed_data(good, encapsulated=endless(0xA0, endless(0x24, endless(0x24, octets(good))))),
        "revocation lists": signed_data(good, certificates=tlv(0xA1, NULL)),
        "certificates of an indefinite length": signed_data(good, certificates=endless(0xA0)),
        "no digest algorithm": signed_data(good, digests=set_of()),
        "two digest algorithms": signed_data(good, digests=set_of(algorithm(SHA_256), algorithm(SHA_256))),
        "a signer by key identifier": signed_data(good, signer(good, sid=tlv(0x80, b"\1" * 20), version=tlv(2, b"\3"))),
        "a signer of version 3": signed_data(good, signer(good, version=tlv(2, b"\3"))),
        "unsigned attributes": signed_data(good, signer(good, unsigned=tlv(0xA1, attributes(good)[1]))),
        "signers in a sequence": signed_data(good).replace(set_of(signer(good)), sequence(signer(good))),
        "a length with a leading zero": signed_data(good).replace(b"\x31\x82", b"\x31\x83\0", 1),
        "a long form of a short length": signed_data(good).replace(VERSION_1, b"\2\x81\1\1", 1),
        "a signer of an indefinite length": signed_data(good).replace(signer(good), endless(0x30, signer(good)[4:])),
        "detached without its document": detached,
    }
    for name, signature in both.items():
        all_cases.pkcs7(name, signature, bad)
    text = good.decode()
    all_cases.add("another document beside", {"pkcs7": rsa2048(good), "document": text + "\n"}, bad)
    altered_text = text.replace(INSTANCE, "i-0a74797fd283b53df")
    all_cases.add("detached from another", {"pkcs7": in_lines(detached), "document": altered_text},
                  "aws_identity_bad_signature")
    set_as_document = set_of(*attributes(good))
    confused = signer(set_as_document, signed=[], signature=rsa_signature(set_as_document))
    all_cases.pkcs7("attributes passed off as the document", signed_data(set_as_document, confused), bad)


def wrong_attributes(all_cases):
    good = document()
    bad = "aws_identity_malformed"
    again = attribute(MESSAGE_DIGEST, octets(hashlib.sha256(b"{}").digest()))
    for name, signed in {
        "no message digest": attributes(good, without=("message_digest",)),
        "no content type": attributes(good, without=("content_type",)),
        "neither": attributes(good, without=("message_digest", "content_type")),
        "another content type": attributes(good, content_type=attribute(CONTENT_TYPE, oid(SIGNED_DATA))),
        "two content types": attributes(good, content_type=attribute(CONTENT_TYPE, oid(DATA), oid(DATA))),
        "no value": attributes(good, message_digest=attribute(MESSAGE_DIGEST)),
        "two values": attributes(good, message_digest=attribute(MESSAGE_DIGEST, octets(b"1" * 32), octets(b"2" * 32))),
        "the digest twice": [*attributes(good), again],
        "a digest of another type": attributes(good, message_digest=attribute(MESSAGE_DIGEST, tlv(3, b"\0" * 33))),
        "bytes after one": [*attributes(good), b"\0"],
        "bytes in one": attributes(good, signing_time=sequence(oid(SIGNING_TIME), set_of(NULL), NULL)),
        "seventeen": [*attributes(good), *(attribute(f"1.3.6.1.4.1.32473.{n}", NULL) for n in range(13))],
    }.items():
        all_cases.pkcs7(f"attributes: {name}", signed_data(good, signer(good, signed=signed)), bad)
    # An empty [0] is there and has nothing of what must be in it.
    empty = signed_data(good, shell=tlv, *[sequence(
        VERSION_1, issuer_and_serial(), algorithm(SHA_256), tlv(0xA0), algorithm(SHA_256_WITH_RSA),
        octets(rsa_signature(set_of())))])
    all_cases.pkcs7("attributes: none in their place", empty, bad)


def wrong_algorithms(all_cases):
    good = document()
    bad = "aws_identity_unsupported_algorithm"

    def protected(digest, signature):
        value = sequence(algorithm(digest), tlv(0xA1, oid(signature), NULL))
        return attributes(good, protection=attribute(ALGORITHM_PROTECTION, value))

    dsa = signer(good, digest=algorithm(SHA_1), name=algorithm(DSA), signed=attributes(good, without=("protection",)))
    for name, signature in {
        "the metadata service's pkcs7": signed_data(good, dsa, digests=set_of(algorithm(SHA_1))),
        "SHA-1": signed_data(good, signer(good, digest=algorithm(SHA_1)), digests=set_of(algorithm(SHA_1))),
        "SHA-1 of the signer": signed_data(good, signer(good, digest=algorithm(SHA_1))),
        "SHA-1 with RSA": signed_data(good, signer(good, name=algorithm(SHA_1_WITH_RSA))),
        "SHA-512": signed_data(good, digests=set_of(algorithm(SHA_512))),
        "PSS": signed_data(good, signer(good, name=algorithm(RSA_PSS, sequence()))),
        "DSA": signed_data(good, signer(good, name=algorithm(DSA))),
        "another digest is protected": signed_data(good, signer(good, signed=protected(SHA_1, SHA_256_WITH_RSA))),
        "another algorithm is protected": signed_data(good, signer(good, signed=protected(SHA_256, SHA_1_WITH_RSA))),
    }.items():
        all_cases.pkcs7(f"algorithm: {name}", signature, bad)
    odd = signer(good, name=algorithm(SHA_256_WITH_RSA, sequence()))
    all_cases.pkcs7("algorithm: odd parameters", signed_data(good, odd), "aws_identity_malformed")
    full = signer(good, name=algorithm(SHA_256_WITH_RSA, tlv(5, b"\0")))
    all_cases.pkcs7("algorithm: NULL with contents", signed_data(good, full), "aws_identity_malformed")


def wrong_encodings(all_cases):
    # Of a length that leaves two characters of padding.
    text = next(text for n in range(3) if (text := rsa2048(document(version="1" * (n + 1)))).endswith("=="))
    bad = "aws_identity_malformed"
    for name, given in {
        "no base64": "identity",
        "a blank inside": text.replace("\n", " "),
        "base64 of the URL alphabet": text.replace("+", "-").replace("/", "_"),
        "without padding": text.rstrip("="),
        "trailing bits": text[:-3] + chr(ord(text[-3]) + 1) + "==",
        "one PEM line": f"-----BEGIN PKCS7-----\n{text}\n",
        "another PEM label": f"-----BEGIN CMS-----\n{text}\n-----END CMS-----\n",
        "two of them": f"{text}\n{text}",
        "a byte order mark": "\ufeff" + text,
        "JSON": json.dumps({"pkcs7": text}),
    }.items():
        all_cases.pkcs7(f"text: {name}", given, bad)
    all_cases.pkcs7("text: too large", "A" * (16 * 1024 + 1), "too_large")


def judged(all_cases):
    good = document()
    untrusted = "aws_identity_untrusted_region"
    all_cases.signed("a region without a certificate", document(region="eu-west-1"), untrusted)
    all_cases.signed("a region that is not wanted", good, untrusted, trust="one of two regions")
    all_cases.signed("the same key in a third region", good, untrusted, trust="same key in two regions")
    all_cases.signed("another account", good, "aws_identity_untrusted_account", trust="another account")
    all_cases.pkcs7("another account, forged", signed_data(good, signer(good, key="other")),
                    "aws_identity_bad_signature", trust="another account")
    all_cases.signed("the last instant", good, None, now="2026-03-01T12:14:59.999Z")
    all_cases.signed("too old", good, "aws_identity_too_old", now="2026-03-01T12:15:00Z")
    all_cases.signed("too old for a minute", good, "aws_identity_too_old", trust="a minute", now="2026-03-01T12:01:00Z")
    all_cases.signed("not too old for a day", good, None, trust="a day", now="2026-03-02T11:59:59.999Z")
    all_cases.signed("a minute ahead", good, None, now="2026-03-01T11:59:00Z")
    all_cases.signed("further ahead", good, "aws_identity_too_far_ahead", now="2026-03-01T11:58:59.999Z")
    all_cases.signed("a clock that was never set", good, "aws_identity_clock_untrusted", trusted_clock=False)
    all_cases.signed("a certificate that has ended", good, "aws_identity_certificate_not_valid", trust="ended")
    all_cases.signed("a certificate of tomorrow", good, "aws_identity_certificate_not_valid", trust="not yet")


def documents(all_cases):
    for name, changes in {
        "no address": {"privateIp": ...},
        "null for an address": {"privateIp": None},
        "an IPv6 address": {"privateIp": "fd00::1"},
        "an id of before 2016": {"instanceId": "i-4c87e963"},
        "only what must be": dict.fromkeys(
            ["architecture", "availabilityZone", "imageId", "instanceType", "privateIp", "version"], ...),
        "more members": {"marketplaceProductCodes": ["4i20ezfza3p7xx2kt2g8weu2u"], "later": {"a": [1, True]}},
        "64 members": {f"m{n}": n for n in range(64 - 15)},
    }.items():
        all_cases.signed(f"document: {name}", document(**changes), None)
    for name, changes in {
        "no instance": {"instanceId": ...},
        "no account": {"accountId": ...},
        "no region": {"region": ...},
        "no time": {"pendingTime": ...},
        "null for an instance": {"instanceId": None},
        "a number for an account": {"accountId": 123456789012},
        "an instance of another kind": {"instanceId": "mi-0a74797fd283b53de"},
        "an instance in capitals": {"instanceId": INSTANCE.upper()},
        "an account of eleven digits": {"accountId": "12345678901"},
        "a zone for a region": {"region": "us-east-1a"},
        "a time without a zone": {"pendingTime": "2026-03-01T12:00:00"},
        "a date for a time": {"pendingTime": "2026-03-01"},
        "an address that is none": {"privateIp": "10.0.0.256"},
        "a network for an address": {"privateIp": "10.0.0.0/8"},
        "a list for an image": {"imageId": ["ami-1"]},
        "an empty image": {"imageId": ""},
        "a line break in a type": {"instanceType": "t3\nmicro"},
        "a blank in an architecture": {"architecture": "x86 64"},
        "a long version": {"version": "2" * 129},
        "65 members": {f"m{n}": n for n in range(65 - 15)},
    }.items():
        all_cases.signed(f"document: {name}", document(**changes), "aws_identity_malformed")
    good = document()
    deep = b"[" * 40 + b"]" * 40
    for name, written in {
        "two instances": good.replace(b"{", b'{"instanceId" : "i-4c87e963",', 1),
        "two instances, one escaped": good.replace(b"{", b'{"instance\\u0049d" : "i-4c87e963",', 1),
        "an array": b"[" + good + b"]",
        "bytes after it": good + b"{}",
        "a byte order mark": b"\xef\xbb\xbf" + good,
        "not UTF-8": good.replace(b"x86_64", b"x86\xff64"),
        "a lone surrogate": good.replace(b"x86_64", b"\\ud800"),
        "nested deeply": good.replace(b"{", b'{"a" : ' + deep + b",", 1),
        "empty": b"",
        "not JSON": b"instance",
    }.items():
        all_cases.signed(f"document: {name}", written, "aws_identity_malformed")
    large = document(later="x" * 8 * 1024)
    all_cases.signed("document: too large", large, "too_large")


def plain(all_cases):
    good = document()
    text = good.decode()

    def add(name, signature, expected, written=text, trust="legacy"):
        signature = signature if isinstance(signature, str) else in_lines(signature)
        all_cases.add(f"plain: {name}", {"document": written, "signature": signature}, expected, trust=trust)

    bad = "aws_identity_bad_signature"
    signature = rsa_signature(good, "rsa-1024")
    add("as AWS gives it", signature, good)
    add("in one line", base64.b64encode(signature).decode(), good)
    add("ends in a line break", in_lines(signature) + "\n", good)
    add("by a key of 2048 bits", rsa_signature(good), good, trust="default")
    add("by a key of 1024 bits without the switch", signature, bad, trust="default")
    add("altered", signature, bad, written=text.replace("t3.micro", "t3.large"))
    add("a line break more", signature, bad, written=text + "\n")
    add("another key", rsa_signature(good, "other"), bad)
    add("SHA-1", rsa_signature(good, "rsa-1024", hashes.SHA1), bad)
    add("the last byte", signature[:-1] + bytes([signature[-1] ^ 1]), bad)
    add("short", signature[:-1], bad)
    add("empty", "", bad)
    add("attributes instead", set_of(*attributes(good)), bad)
    add("no base64", "signature!", "aws_identity_malformed")
    add("too large", "A" * (16 * 1024 + 4), "too_large")
    add("no document", signature, "aws_identity_malformed", written="")
    add("a large document", signature, "too_large", written=" " * 8 * 1024 + text)
    add("another account", signature, bad, written=text.replace(ACCOUNT, "111122223333"))
    other = document(accountId="111122223333")
    add("signed for another account", rsa_signature(other, "rsa-1024"), "aws_identity_untrusted_account",
        written=other.decode())


# Files.


def seeds(all_cases):
    """For the fuzz target: see `fuzz/src/identity.rs` for their form."""
    made = {}
    for case in all_cases:
        proof, name = case["proof"], case["name"].replace(": ", "-").replace(" ", "-").replace("'", "").replace(",", "")
        if case["trust"] not in ("default", "legacy") or case["now"] != NOW or "too_large" in str(case["expected"]):
            continue
        text, written = proof.get("pkcs7", ""), proof.get("document", "").encode()
        if "signature" in proof:
            seed = b"\3" + proof["signature"].encode() + b"\x1e" + written
        elif name.startswith("text-"):
            seed = b"\1" + text.encode()
        elif written:
            seed = b"\2" + base64.b64decode(text) + b"\x1e" + written
        else:
            seed = b"\0" + base64.b64decode(text.partition("-----\n")[2].partition("\n-----")[0] or text)
        made[CORPUS / f"seed-{name}"] = seed
    return made


def everything():
    all_cases = cases()
    written = {"trusts": trusts(), "refused_trusts": refused_trusts(), "cases": all_cases}
    text = json.dumps(written, indent=1, ensure_ascii=False) + "\n"
    return {HERE / "identity" / "cases.json": text.encode(), **seeds(all_cases)}


def write():
    files = everything()
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(files)} files, {len(cases())} cases")


def check():
    stale = [str(path) for path, data in everything().items() if not path.exists() or path.read_bytes() != data]
    if stale:
        sys.exit("these differ from what generate_identity.py writes: " + ", ".join(stale))


if __name__ == "__main__":
    {(): write, ("check",): check}[tuple(sys.argv[1:])]()
