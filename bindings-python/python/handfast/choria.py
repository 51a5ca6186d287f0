"""Choria's tokens, and the conversation with its provisioner's helper.

>>> issuer = Issuer(seed)                    # 64 hexadecimal digits: the organisation's seed file
>>> claims = {"type": "provisioning", "token": Secret("s3cret"), "urls": ["nats://broker.example.net:4222"]}
>>> issuer.issue(claims, expires_at=..).expose()             # provisioning.jwt, for a whole fleet
>>> verify(IssuerKey(issuer.public_key), text, kind="provisioning").token

``inspect`` reads a token that nothing is known of, and proves nothing. Trim what you read from a file: a token has one
spelling.
"""

from __future__ import annotations

import sys
from typing import Any, Literal, TypedDict

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired

from ._native import (
    ChainIssuer,
    HelperReply,
    HelperRequest,
    Issuer,
    IssuerKey,
    Secret,
    UnverifiedToken,
    VerifiedToken,
)
from ._native import inspect_choria as inspect
from ._native import verify_choria as verify

__all__ = [
    "Appointed",
    "ChainIssuer",
    "Claims",
    "Client",
    "ClientPermissions",
    "Csr",
    "HelperReply",
    "HelperReplyDict",
    "HelperRequest",
    "HelperServer",
    "Issuer",
    "IssuerKey",
    "NodeKeyDict",
    "Provisioning",
    "Server",
    "ServerPermissions",
    "TokenDict",
    "UnverifiedToken",
    "VerifiedToken",
    "inspect",
    "verify",
]


class Provisioning(TypedDict):
    """What a fleet carries: where it is provisioned, and with what secret."""

    type: Literal["provisioning"]
    token: Secret
    """The secret with which a provisioner may configure a node."""
    urls: NotRequired[list[str]]
    """The brokers; these or `srv_domain`."""
    srv_domain: NotRequired[str | None]
    """Where the brokers are looked up."""
    secure: NotRequired[bool]
    """Connect with TLS; on unless said otherwise."""
    by_default: NotRequired[bool]
    registration: NotRequired[str | None]
    facts: NotRequired[str | None]
    user: NotRequired[str | None]
    password: NotRequired[Secret | None]
    extensions: NotRequired[dict[str, Any] | None]
    """What the operator's helper understands. Everybody who has the token can read it."""
    ou: NotRequired[str]
    protocol_2: NotRequired[bool]
    update: NotRequired[bool]


class ServerPermissions(TypedDict, total=False):
    """What a node may do besides being managed."""

    submission: bool
    streams: bool
    governor: bool
    service_host: bool


class Server(TypedDict):
    """Who a node is."""

    type: Literal["server"]
    identity: str
    collectives: list[str]
    permissions: NotRequired[ServerPermissions | None]
    ou: NotRequired[str]
    pub_subjects: NotRequired[list[str]]


class ClientPermissions(TypedDict, total=False):
    """What a client may do."""

    streams_admin: bool
    streams_user: bool
    events_viewer: bool
    election_user: bool
    system_user: bool
    governor: bool
    org_admin: bool
    fleet_management: bool
    signed_fleet_management: bool
    service: bool
    authentication_delegator: bool
    provisioner: bool


class Appointed(TypedDict):
    """Who a client is."""

    callerid: str
    agents: NotRequired[list[str]]
    ou: NotRequired[str]
    user_properties: NotRequired[dict[str, str]]
    opa_policy: NotRequired[str | None]
    permissions: NotRequired[ClientPermissions | None]
    pub_subjects: NotRequired[list[str]]
    sub_subjects: NotRequired[list[str]]


class Client(Appointed):
    """The same, where other kinds are possible."""

    type: Literal["client"]


Claims = Provisioning | Server | Client


class TokenDict(TypedDict):
    """All that a token says but its secrets. Times are RFC 3339."""

    algorithm: NotRequired[str]
    """Of a token that was only looked at."""
    issuer: str | None
    subject: str | None
    purpose: str
    id: str | None
    issued_at: str | None
    not_before: str | None
    expires_at: str | None
    public_key: str | None
    chain_signature: str | None
    issuer_expires_at: str | None
    claims: dict[str, Any]


class Csr(TypedDict, total=False):
    """A node's certificate request."""

    csr: str
    public_key: str
    ssldir: str


class NodeKeyDict(TypedDict):
    """A node's new Ed25519 key, in hexadecimal digits."""

    public_key: str
    directory: NotRequired[str]
    signature: NotRequired[str]


class HelperServer(TypedDict, total=False):
    """What a helper may say about a node's server token."""

    exp: int | None
    """Seconds since 1970, or, below 1,000,000,000, seconds from now."""
    collectives: list[str]
    permissions: ServerPermissions | None
    ou: str | None
    pub_subjects: list[str]


class HelperReplyDict(TypedDict, total=False):
    """What is to become of a node."""

    defer: bool
    shutdown: bool
    msg: str
    key: Secret | None
    certificate: str
    ca: str
    ssldir: str
    server_claims: HelperServer | None
    configuration: dict[str, str]
    action_policies: dict[str, str]
    opa_policies: dict[str, str]
    upgrade: str
