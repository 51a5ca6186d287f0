#!/usr/bin/env python3
"""The project's own test authority: it signs SNS messages as Amazon SNS signs them.

    python generate.py             write every vector; running it again changes no byte
    python generate.py check       exit 1 when a committed vector differs from what would be written
    python generate.py sign ...    print one freshly signed message (see `sign --help`)

The keys in keys/ are public test keys. Nothing trusts them by default: a host has to pin the certificate
sns/certificates/leaf.pem, or serve it where it fetches signing certificates from.
Needs the package of requirements.txt. Can also be imported: `sign_message`, `ec2_state_change`,
`autoscaling_lifecycle`.
"""

import argparse
import base64
import json
import sys
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HERE = Path(__file__).resolve().parent
KEYS = HERE / "keys"
SNS = HERE / "sns"
CORPUS = HERE.parent.parent / "fuzz" / "corpus" / "sns_receiver"

TOPIC = "arn:aws:sns:us-east-1:123456789012:enroll"
OTHER_TOPIC = "arn:aws:sns:us-east-1:123456789012:other"
INSTANCE = "i-0a74797fd283b53de"
AT = "2026-03-01T12:00:00.000Z"
NOW = "2026-03-01T12:00:30Z"
CERTIFICATE_FILE = "SimpleNotificationService-00112233445566778899aabbccddeeff.pem"
TOKEN = "2336412f37fb687f5d51e6e241d164b1" * 8
RSA_1024_AT = "2013-04-09T19:56:12.524Z"

NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


# Signing, as SNS does it.


def canonical(message):
    """The text that SNS signs: `name\\nvalue\\n` for each signed member that is present and not null."""
    names = NOTIFICATION if message["Type"] == "Notification" else CONFIRMATION
    present = (name for name in names if message.get(name) is not None)
    return "".join(f"{name}\n{message[name]}\n" for name in present).encode()


def signature(message, key, version=None):
    digest = {"1": hashes.SHA1, "2": hashes.SHA256}[version or message["SignatureVersion"]]()
    return base64.b64encode(key.sign(canonical(message), padding.PKCS1v15(), digest)).decode()


def origin(topic):
    _, partition, _, region, _, _ = topic.split(":")
    suffix = {"aws-cn": "amazonaws.com.cn"}.get(partition, "amazonaws.com")
    return f"https://sns.{region}.{suffix}/"


def unsigned(kind, message, *, topic=TOPIC, version="2", subject=None, at=AT, message_id=None, base=None):
    """A message without its signature, its members in the order of SNS."""
    base = base or origin(topic)
    members = {"Type": kind, "MessageId": message_id or str(uuid.uuid4())}
    if kind != "Notification":
        members["Token"] = TOKEN
    members["TopicArn"] = topic
    if subject is not None:
        members["Subject"] = subject
    members["Message"] = message
    if kind != "Notification":
        members["SubscribeURL"] = f"{base}?Action=ConfirmSubscription&TopicArn={topic}&Token={TOKEN}"
    members["Timestamp"] = at
    members["SignatureVersion"] = version
    members["Signature"] = ""
    members["SigningCertURL"] = base + CERTIFICATE_FILE
    if kind == "Notification":
        members["UnsubscribeURL"] = f"{base}?Action=Unsubscribe&SubscriptionArn={topic}:{uuid.UUID(int=7)}"
    return members


def sign_message(kind="Notification", message="", *, key=None, **members):
    """A signed message as a dict; `json.dumps` of it is the body that SNS would post."""
    signed = unsigned(kind, message, **members)
    signed["Signature"] = signature(signed, key or private_key("leaf"))
    return signed


def now_text():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# What AWS publishes through EventBridge.


def event(detail_type, source, detail, resources, *, at=AT, account="123456789012", region="us-east-1"):
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([detail_type, detail, at]))),
            "detail-type": detail_type,
            "source": source,
            "account": account,
            "time": at[:19] + "Z",
            "region": region,
            "resources": resources,
            "detail": detail,
        },
        separators=(",", ":"),
    )


def ec2_state_change(state, instance=INSTANCE, *, account="123456789012", region="us-east-1", at=AT):
    """EC2 Instance State-change Notification."""
    return event(
        "EC2 Instance State-change Notification",
        "aws.ec2",
        {"instance-id": instance, "state": state},
        [f"arn:aws:ec2:{region}:{account}:instance/{instance}"],
        at=at,
        account=account,
        region=region,
    )


def autoscaling_lifecycle(action, instance=INSTANCE, *, account="123456789012", region="us-east-1", at=AT,
                          group="nodes"):
    """EC2 Instance-launch (or -terminate) Lifecycle Action."""
    launching = action == "launch"
    arn = f"arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{uuid.UUID(int=11)}:autoScalingGroupName/{group}"
    return event(
        f"EC2 Instance-{action} Lifecycle Action",
        "aws.autoscaling",
        {
            "LifecycleActionToken": str(uuid.uuid5(uuid.NAMESPACE_URL, instance + action)),
            "AutoScalingGroupName": group,
            "LifecycleHookName": f"{group}-{action}",
            "EC2InstanceId": instance,
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_" + ("LAUNCHING" if launching else "TERMINATING"),
            "NotificationMetadata": "pool=workers; zone=us-east-1a; image=ami-0abcdef1234567890; owner=platform",
            "Origin": "EC2" if launching else "AutoScalingGroup",
            "Destination": "AutoScalingGroup" if launching else "EC2",
        },
        [arn],
        at=at,
        account=account,
        region=region,
    )


# Keys and certificates.


def private_key(name):
    """A committed key; made once, when it is missing."""
    path = KEYS / f"{name}.pem"
    if not path.exists():
        KEYS.mkdir(exist_ok=True)
        path.write_bytes(
            new_key(name).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return serialization.load_pem_private_key(path.read_bytes(), None)


def new_key(name):
    if name == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    bits = 1024 if name == "rsa-1024" else 2048
    return rsa.generate_private_key(3 if name == "exponent-3" else 65537, bits)


def certificate(subject, key, *, issuer=None, issuer_key=None, names=None, ca=False, usages=True, server=True,
                start=datetime(2025, 1, 1), end=datetime(2045, 1, 1), serial=1, extra=None):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder(serial_number=serial)
        .subject_name(name)
        .issuer_name(issuer or name)
        .public_key(key.public_key())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca, None), True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
    builder = builder.add_extension(
        x509.KeyUsage(usages and not ca, False, True, False, False, ca, ca, False, False), True
    )
    if server and not ca:
        eku = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(eku), False)
    if extra:
        builder = builder.add_extension(extra, True)
    return builder.sign(issuer_key or key, hashes.SHA256())


def certificates():
    """Every certificate and every file that only looks like one, by file name."""
    root_key, middle_key, leaf_key = (private_key(name) for name in ("root", "intermediate", "leaf"))
    root = certificate("handfast test root", root_key, ca=True)
    middle = certificate("handfast test intermediate", middle_key, issuer=root.subject, issuer_key=root_key,
                         ca=True, serial=2)

    def leaf(serial, names=("sns.amazonaws.com",), key=leaf_key, subject=None, **options):
        options.setdefault("issuer", middle.subject)
        options.setdefault("issuer_key", middle_key)
        return certificate(subject or (names or ("sns.amazonaws.com",))[0], key, names=names, serial=serial,
                           **options)

    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"\x05\x00")
    made = {
        "root": root,
        "intermediate": middle,
        "leaf": leaf(10),
        "opt-in-region": leaf(11, ["sns-signing.eu-central-2.amazonaws.com"]),
        "china": leaf(12, ["sns-cn-north-1.amazonaws.com.cn"]),
        "govcloud": leaf(13, ["sns-us-gov-west-1.amazonaws.com"]),
        "rsa-1024": leaf(14, None, private_key("rsa-1024"), start=datetime(2010, 10, 8), end=datetime(2013, 10, 7)),
        "emulator": certificate("emulator", private_key("other"), ca=True, serial=15),
        "self-signed": leaf(16, issuer=None, issuer_key=None),
        "wrong-name": leaf(20, ["sns.example.com"]),
        "wildcard": leaf(21, ["*.amazonaws.com"]),
        "only-common-name": leaf(22, None),
        "expired": leaf(23, end=datetime(2026, 3, 1, 11, 59, 59)),
        "not-yet": leaf(24, start=datetime(2026, 3, 1, 12, 0, 1)),
        "authority": certificate("sns.amazonaws.com", leaf_key, names=["sns.amazonaws.com"], ca=True, serial=25),
        "no-digital-signature": leaf(26, usages=False),
        "no-server-auth": leaf(27, server=False),
        "critical-extension": leaf(28, extra=unknown),
        "exponent-3": leaf(29, key=private_key("exponent-3")),
        "ec": leaf(30, key=private_key("ec")),
        "other-key": leaf(31, key=private_key("other")),
    }
    files = {f"{name}.pem": made[name].public_bytes(serialization.Encoding.PEM) for name in made}
    leaf_pem = files["leaf.pem"]
    files["public-key.pem"] = leaf_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    files["error-page.pem"] = b"<html><body>Not found\n" + leaf_pem + b"</body></html>\n"
    files["two-blocks.pem"] = leaf_pem + files["other-key.pem"]
    files["trailing-der.pem"] = pem(made["leaf"].public_bytes(serialization.Encoding.DER) + b"\0")
    files["empty.pem"] = b""
    return files


def pem(der):
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()


# The cases.


class Cases:
    """Collects files and manifest entries."""

    def __init__(self):
        self.files = {}
        self.manifest = []

    def add(self, name, body, expected, *, certificate="leaf.pem", topic=TOPIC, now=NOW, **options):
        if isinstance(body, dict):
            body = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
        if isinstance(body, str):
            body = body.encode()
        if isinstance(expected, str):
            expected = {"verdict": "rejected", "code": expected}
        assert f"messages/{name}.json" not in self.files, name
        self.files[f"messages/{name}.json"] = body
        self.manifest.append(
            {
                "name": name,
                "file": f"messages/{name}.json",
                "certificate": f"certificates/{certificate}",
                "topic": topic,
                "now": now,
                "options": options,
                "expected": expected,
            }
        )

    def good(self, name, message, **where):
        expected = {
            "verdict": "verified",
            "type": message["Type"],
            "topic_arn": message["TopicArn"],
            "message_id": message["MessageId"],
            "signature_version": message["SignatureVersion"],
            "subject": message.get("Subject"),
        }
        self.add(name, message, expected, topic=message["TopicArn"], **where)


def stable(name, kind="Notification", text="Hello world", **members):
    """A signed message whose id depends on its name only."""
    members.setdefault("message_id", str(uuid.uuid5(uuid.NAMESPACE_URL, "handfast:" + name)))
    return sign_message(kind, text, **members)


def resigned(message, key=None, **changes):
    """The message with other members, signed again."""
    message = {**message, **changes}
    message["Signature"] = signature(message, key or private_key("leaf"))
    return message


def cases():
    all_cases = Cases()
    accepted(all_cases)
    refused_messages(all_cases)
    refused_json(all_cases)
    refused_urls(all_cases)
    refused_certificates(all_cases)
    return all_cases


CONFIRM_TEXT = (
    "You have chosen to subscribe to the topic {0}.\n"
    "To confirm the subscription, visit the SubscribeURL included in this message."
)
UNSUBSCRIBE_TEXT = (
    "You have chosen to deactivate subscription {0}:" + str(uuid.UUID(int=7)) + ".\n"
    "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
)
DIRECT_LAUNCH = json.dumps(
    {
        "Progress": 50,
        "AccountId": "123456789012",
        "Description": f"Launching a new EC2 instance: {INSTANCE}",
        "RequestId": str(uuid.UUID(int=12)),
        "EndTime": "2026-03-01T11:59:59.000Z",
        "AutoScalingGroupARN": "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:"
        + str(uuid.UUID(int=11))
        + ":autoScalingGroupName/nodes",
        "ActivityId": str(uuid.UUID(int=12)),
        "StartTime": "2026-03-01T11:59:26.000Z",
        "Service": "AWS Auto Scaling",
        "Time": "2026-03-01T11:59:59.000Z",
        "EC2InstanceId": INSTANCE,
        "StatusCode": "InProgress",
        "StatusMessage": "",
        "Details": {"Subnet ID": "subnet-6b6f2d1c", "Availability Zone": "us-east-1a"},
        "AutoScalingGroupName": "nodes",
        "Cause": "At 2026-03-01T11:59:20Z a user request increased the desired capacity from 0 to 1.",
        "Event": "autoscaling:EC2_INSTANCE_LAUNCH",
    }
)


def accepted(all_cases):
    texts = {
        "notification": ("Notification", "Hello world", None),
        "notification-subject": ("Notification", "Hello world", "A subject"),
        "notification-unicode": ("Notification", "line1\nMessageId\nnot-an-id\né你😀 \t\"quoted\\\"", "ünï"),
        "subscription-confirmation": ("SubscriptionConfirmation", CONFIRM_TEXT.format(TOPIC), None),
        "unsubscribe-confirmation": ("UnsubscribeConfirmation", UNSUBSCRIBE_TEXT.format(TOPIC), None),
        "autoscaling-launch-lifecycle": ("Notification", autoscaling_lifecycle("launch"), None),
        "autoscaling-terminate-lifecycle": ("Notification", autoscaling_lifecycle("terminate"), None),
        "autoscaling-launch-direct": ("Notification", DIRECT_LAUNCH, 'Auto Scaling: launch for group "nodes"'),
        "ec2-running": ("Notification", ec2_state_change("running"), None),
        "ec2-terminated": ("Notification", ec2_state_change("terminated"), None),
    }
    for version in ("1", "2"):
        for name, (kind, text, subject) in texts.items():
            name = f"v{version}-{name}"
            all_cases.good(name, stable(name, kind, text, version=version, subject=subject))
    empty = stable("empty-subject", subject="")
    all_cases.good("empty-subject", empty)
    all_cases.good("lambda-spelling", as_lambda(stable("lambda-spelling")))
    all_cases.good("public-key", stable("public-key"), certificate="public-key.pem")
    all_cases.good("self-signed-without-roots", stable("self-signed"), certificate="self-signed.pem")
    attributes = {**stable("attributes"), "MessageAttributes": {"a": {"Type": "String", "Value": "b"}},
                  "SequenceNumber": "10000000000000000000"}
    all_cases.good("unsigned-members", attributes)
    compact = stable("compact")
    all_cases.good("compact", compact)
    all_cases.files["messages/compact.json"] = json.dumps(compact, separators=(",", ":")).encode()
    fifo = "arn:aws:sns:us-east-1:123456789012:enroll.fifo"
    all_cases.good("fifo-topic", stable("fifo", topic=fifo))
    regions = {
        "opt-in-region": "arn:aws:sns:eu-central-2:123456789012:enroll",
        "china": "arn:aws-cn:sns:cn-north-1:123456789012:enroll",
        "govcloud": "arn:aws-us-gov:sns:us-gov-east-1:123456789012:enroll",
    }
    for name, topic in regions.items():
        all_cases.good(name, stable(name, topic=topic), certificate=f"{name}.pem")
    old = stable("rsa-1024", version="1", at=RSA_1024_AT, key=private_key("rsa-1024"))
    all_cases.good("rsa-1024-legacy", old, certificate="rsa-1024.pem", now="2013-04-09T20:00:00Z",
                   legacy_rsa_1024=True)
    local = {"base": "http://127.0.0.1:4566/_aws/sns/", "key": private_key("other")}
    all_cases.good("development", stable("development", **local), certificate="emulator.pem", development=True)
    all_cases.good("oldest-by-default", stable("oldest"), now="2026-03-01T13:00:00Z")
    all_cases.good("a-week-old", stable("a-week-old"), now="2026-03-08T12:00:00Z", max_age_seconds=604800)
    all_cases.good("five-minutes-ahead", stable("ahead"), now="2026-03-01T11:55:00Z")


def as_lambda(message):
    """The spelling in which Lambda receives SNS messages."""
    spelled = {name.replace("URL", "Url"): value for name, value in message.items()}
    return {**spelled, "Subject": None}


def refused_messages(all_cases):
    good = stable("refused", subject="A subject")
    confirm = stable("refused-confirmation", "SubscriptionConfirmation", CONFIRM_TEXT.format(TOPIC))
    bad, refuse = "sns_bad_signature", all_cases.add
    refuse("tampered-message", {**good, "Message": "Hello World"}, bad)
    refuse("tampered-subject", {**good, "Subject": "B subject"}, bad)
    refuse("tampered-timestamp", {**good, "Timestamp": "2026-03-01T12:00:00.001Z"}, bad)
    refuse("removed-subject", {name: good[name] for name in good if name != "Subject"}, bad)
    refuse("null-subject", {**good, "Subject": None}, bad)
    refuse("signed-by-another-key", resigned(good, private_key("other")), bad)
    refuse("version-2-called-1", {**good, "SignatureVersion": "1"}, bad)
    refuse("version-1-called-2", {**good, "Signature": signature(good, private_key("leaf"), "1")}, bad)
    subjectless = {**good}
    subjectless["Signature"] = signature({**good, "Subject": None}, private_key("leaf"))
    refuse("subject-left-out-of-the-signature", subjectless, bad)
    refuse("confirmation-called-notification", {**confirm, "Type": "Notification"}, bad)
    split = {**good, "MessageId": f"{good['MessageId']}\nSubject\n{good['Subject']}", "Subject": None}
    assert canonical(split) == canonical(good)
    refuse("split-into-message-id", split, "sns_invalid_field")
    head, tail = "first line", f"{uuid.UUID(int=1)}"
    long = stable("split", text=f"{head}\nMessageId\n{tail}")
    moved = {**long, "Message": head, "MessageId": f"{tail}\nMessageId\n{long['MessageId']}"}
    assert canonical(moved) == canonical(long)
    refuse("split-out-of-message", moved, "sns_invalid_field")
    refuse("newline-in-subject", resigned(good, Subject="a\nb"), "sns_invalid_field")
    refuse("timestamp-without-millis", resigned(good, Timestamp="2026-03-01T12:00:00Z"), "sns_invalid_field")
    refuse("timestamp-impossible", resigned(good, Timestamp="2026-02-30T12:00:00.000Z"), "sns_invalid_field")
    refuse("message-id-not-a-uuid", resigned(good, MessageId="1"), "sns_invalid_field")
    refuse("topic-not-an-arn", resigned(good, TopicArn="enroll"), "sns_invalid_field")
    refuse("token-not-hexadecimal", resigned(confirm, Token="../x"), "sns_invalid_field")
    refuse("version-3", {**good, "SignatureVersion": "3"}, "sns_unsupported_version")
    refuse("type-lower-case", {**good, "Type": "notification"}, "sns_unknown_type")
    refuse("type-with-suffix", {**good, "Type": "NotificationX"}, "sns_unknown_type")
    refuse("another-topic", stable("another-topic", topic=OTHER_TOPIC), "sns_topic_not_allowed")
    refuse("topic-prefix", stable("topic-prefix", topic=TOPIC + "2"), "sns_topic_not_allowed")
    refuse("one-second-too-old", stable("one-second"), "sns_too_old", now="2026-03-01T13:00:01Z")
    refuse("too-old-for-this-host", stable("too-old"), "sns_too_old", max_age_seconds=29)
    refuse("too-far-ahead", stable("too-far"), "sns_too_far_ahead", now="2026-03-01T11:54:59Z")
    encoded, encoding = good["Signature"], "sns_signature_encoding"
    refuse("signature-wrapped", {**good, "Signature": encoded[:64] + "\n" + encoded[64:]}, encoding)
    refuse("signature-unpadded", {**good, "Signature": encoded.rstrip("=")}, encoding)
    refuse("signature-url-alphabet", {**good, "Signature": "-_" + encoded[2:]}, encoding)
    refuse("signature-not-canonical", {**good, "Signature": not_canonical(encoded)}, encoding)
    refuse("signature-short", {**good, "Signature": base64.b64encode(b"\1" * 255).decode()}, encoding)
    refuse("signature-empty", {**good, "Signature": ""}, encoding)
    refuse("signature-huge", {**good, "Signature": "A" * 4096}, encoding)
    places = {
        "subscribe-url-elsewhere": "https://sns.us-east-1.amazonaws.com.example.com/?Action=ConfirmSubscription"
        f"&TopicArn={TOPIC}&Token={TOKEN}",
        "subscribe-url-of-another-topic": f"{origin(TOPIC)}?Action=ConfirmSubscription&TopicArn={OTHER_TOPIC}&Token={TOKEN}",
        "subscribe-url-of-another-action": f"{origin(TOPIC)}?Action=Publish&TopicArn={TOPIC}&Token={TOKEN}",
        "subscribe-url-with-more": f"{confirm['SubscribeURL']}&AuthenticateOnUnsubscribe=true",
        "subscribe-url-http": confirm["SubscribeURL"].replace("https", "http"),
    }
    for name, url in places.items():
        refuse(name, resigned(confirm, SubscribeURL=url), "sns_subscribe_url")


def not_canonical(encoded):
    """The same bytes with other unused bits in the last character."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    assert encoded.endswith("==")
    return encoded[:-3] + alphabet[alphabet.index(encoded[-3]) + 1] + "=="


def refused_json(all_cases):
    good = stable("refused-json")
    text = json.dumps(good)
    refuse = all_cases.add
    refuse("raw-delivery", ec2_state_change("running"), "sns_missing_field")
    refuse("not-json", "Hello world", "sns_malformed_json")
    refuse("empty-body", "", "sns_malformed_json")
    refuse("array", f"[{text}]", "sns_malformed_json")
    refuse("trailing-bytes", text + "{}", "sns_malformed_json")
    refuse("byte-order-mark", "\ufeff" + text, "sns_malformed_json")
    refuse("lone-surrogate", text.replace("Hello world", "\\ud800"), "sns_malformed_json")
    refuse("comment", "/**/" + text, "sns_malformed_json")
    refuse("not-utf-8", text.encode().replace(b"Hello", b"\xff\xfe"), "sns_not_utf8")
    duplicate = "sns_duplicate_field"
    refuse("message-twice", text[:-1] + ', "Message": "Hello world"}', duplicate)
    refuse("message-twice-by-escape", text[:-1] + ', "M\\u0065ssage": "Hello"}', duplicate)
    refuse("both-spellings", text[:-1] + f', "SigningCertUrl": "{good["SigningCertURL"]}"}}', duplicate)
    refuse("another-case", text[:-1] + ', "message": "Hello"}', duplicate)
    refuse("message-not-a-string", {**good, "Message": {"default": "Hello world"}}, "sns_field_type")
    refuse("version-a-number", {**good, "SignatureVersion": 2}, "sns_field_type")
    refuse("timestamp-null", {**good, "Timestamp": None}, "sns_field_type")
    refuse("subject-a-list", {**good, "Subject": []}, "sns_field_type")
    for name in ("Signature", "SigningCertURL", "Message", "Timestamp"):
        rest = {member: good[member] for member in good if member != name}
        refuse(f"without-{name.lower()}", rest, "sns_missing_field")


def refused_urls(all_cases):
    good = stable("refused-urls")
    right = good["SigningCertURL"]
    host = "sns.us-east-1.amazonaws.com"
    wrong = {
        "http": right.replace("https", "http"),
        "uppercase-scheme": right.replace("https", "HTTPS"),
        "host-suffix": right.replace(host, host + ".example.com"),
        "host-prefix": right.replace(host, "evil" + host),
        "host-uppercase": right.replace(host, host.upper()),
        "host-trailing-dot": right.replace(host, host + "."),
        "another-service": right.replace(host, "s3.us-east-1.amazonaws.com"),
        "bucket": right.replace(host, "sns.us-east-1.s3.amazonaws.com"),
        "another-region": right.replace("us-east-1", "us-east-2"),
        "global-host": right.replace(host, "sns.amazonaws.com"),
        "another-partition": right.replace(host, host + ".cn"),
        "user-information": right.replace("https://", "https://user@"),
        "user-information-host": right.replace(host, f"{host}@example.com"),
        "port": right.replace(host, host + ":443"),
        "query": right + "?x=.pem",
        "fragment": right + "#.pem",
        "percent": right.replace("Simple", "%53imple"),
        "backslash": right.replace(host + "/", host + "\\"),
        "newline": right + "\n",
        "folder": right.replace(CERTIFICATE_FILE, "x/" + CERTIFICATE_FILE),
        "dots": right.replace(CERTIFICATE_FILE, "../" + CERTIFICATE_FILE),
        "uppercase-digits": right.replace("aabbccddeeff", "AABBCCDDEEFF"),
        "too-few-digits": right.replace("00112233", "0011223"),
        "another-file": right.replace(".pem", ".exe"),
        "empty": "",
    }
    for name, url in wrong.items():
        all_cases.add(f"certificate-url-{name}", {**good, "SigningCertURL": url}, "sns_certificate_url")


def refused_certificates(all_cases):
    codes = {
        "error-page": "sns_certificate_malformed",
        "two-blocks": "sns_certificate_malformed",
        "trailing-der": "sns_certificate_malformed",
        "empty": "sns_certificate_malformed",
        "wrong-name": "sns_certificate_name",
        "wildcard": "sns_certificate_name",
        "only-common-name": "sns_certificate_name",
        "opt-in-region": "sns_certificate_name",
        "expired": "sns_certificate_not_valid",
        "not-yet": "sns_certificate_not_valid",
        "authority": "sns_certificate_usage",
        "no-digital-signature": "sns_certificate_usage",
        "no-server-auth": "sns_certificate_usage",
        "critical-extension": "sns_certificate_usage",
        "exponent-3": "sns_certificate_key",
        "ec": "sns_certificate_key",
        "emulator": "sns_certificate_usage",
        "other-key": "sns_bad_signature",
    }
    good = stable("refused-certificates")
    for name, code in codes.items():
        all_cases.add(f"certificate-{name}", good, code, certificate=f"{name}.pem")
    old = stable("rsa-1024-strict", version="1", at=RSA_1024_AT, key=private_key("rsa-1024"))
    all_cases.add("certificate-rsa-1024", old, "sns_certificate_key", certificate="rsa-1024.pem",
                  now="2013-04-09T20:00:00Z")


# The command line.


def everything():
    """Every generated file, by path."""
    all_cases = cases()
    files = {SNS / "certificates" / name: data for name, data in certificates().items()}
    files |= {SNS / name: data for name, data in all_cases.files.items()}
    manifest = json.dumps({"cases": all_cases.manifest}, indent=1, ensure_ascii=False) + "\n"
    files[SNS / "manifest.json"] = manifest.encode()
    return files | corpus(all_cases, certificates())


def corpus(all_cases, certificate_files):
    """Seeds for the fuzz target of the receiver: see `fuzz/src/sns_receiver.rs` for their form."""
    seeds = {}
    for case in all_cases.manifest:
        name, options = case["name"], case["options"]
        if name.startswith(("certificate-url-", "tampered-", "signature-", "v1-")):
            continue
        switches = options.get("legacy_rsa_1024", False) | options.get("development", False) << 1
        seed = bytes([switches]) + all_cases.files[case["file"]]
        file = Path(case["certificate"]).name
        if file != "leaf.pem":
            seed += b"\x1e" + certificate_files[file]
        seeds[CORPUS / f"seed-{name}"] = seed
    return seeds


def write():
    files = everything()
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    count = len(json.loads(files[SNS / "manifest.json"])["cases"])
    print(f"{len(files)} files, {count} cases")


def check():
    stale = [str(path) for path, data in everything().items() if not path.exists() or path.read_bytes() != data]
    if stale:
        sys.exit("these differ from what generate.py writes: " + ", ".join(stale))


def sign(arguments):
    at = arguments.at or now_text()
    account, region = arguments.topic.split(":")[4], arguments.topic.split(":")[3]
    place = {"account": account, "region": region, "at": at}
    events = {
        "running": lambda: ec2_state_change("running", arguments.instance, **place),
        "terminated": lambda: ec2_state_change("terminated", arguments.instance, **place),
        "launch": lambda: autoscaling_lifecycle("launch", arguments.instance, **place),
        "terminate": lambda: autoscaling_lifecycle("terminate", arguments.instance, **place),
    }
    text = events[arguments.event]() if arguments.event else arguments.message
    if arguments.message_file:
        text = Path(arguments.message_file).read_text(encoding="utf-8")
    signed = sign_message(
        arguments.type,
        text,
        topic=arguments.topic,
        version=arguments.signature_version,
        subject=arguments.subject,
        at=at,
        message_id=arguments.message_id,
    )
    print(json.dumps(signed, indent=2, ensure_ascii=False))


def main():
    parser = argparse.ArgumentParser(description="The test authority for SNS messages.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("check", help="compare the committed vectors with what would be written")
    signing = commands.add_parser("sign", help="print one signed message")
    signing.add_argument("--type", default="Notification",
                         choices=["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"])
    signing.add_argument("--topic", default=TOPIC)
    signing.add_argument("--event", choices=["running", "terminated", "launch", "terminate"],
                         help="an EC2 state change, or an Auto Scaling lifecycle action, as EventBridge sends it")
    signing.add_argument("--instance", default=INSTANCE, help="the instance id of the event")
    signing.add_argument("--message", default="Hello world")
    signing.add_argument("--message-file")
    signing.add_argument("--subject")
    signing.add_argument("--signature-version", default="2", choices=["1", "2"])
    signing.add_argument("--message-id")
    signing.add_argument("--at", help="YYYY-MM-DDTHH:MM:SS.mmmZ; the present when left out")
    arguments = parser.parse_args()
    {None: write, "check": check, "sign": lambda: sign(arguments)}[arguments.command]()


if __name__ == "__main__":
    main()
