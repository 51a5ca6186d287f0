"""SPIFFE and SPIRE: what a server is asked for, what its answers mean, and whom a trust domain trusts.

Nothing is sent here: entries are dicts as protobuf libraries read and write them (``ParseDict``, and ``MessageToDict`` with
``preserving_proto_field_name=True``), for whatever gRPC library the executor has.

>>> request = JoinTokenRequest(token, expires_at=work["expires_at"])        # ensure_spire_join_token
>>> reply = agents.CreateJoinToken(CreateJoinTokenRequest(ttl=request.ttl, token=request.token.expose()))
>>> wanted = entry(work["entry"])                                           # ensure_spire_entry
>>> result = entries.BatchCreateEntry(ParseDict({"entries": [wanted]}, BatchCreateEntryRequest())).results[0]
>>> created_entry_outcome(result.status.code, wanted=wanted, found=MessageToDict(result.entry, preserving_proto_field_name=True))
'done'

Of an outcome, ``done`` is reported as it is, ``collision`` too, ``refused`` as ``failed``, ``unknown`` as ``unknown``; after ``altered`` the
entry, which is ours, is deleted and made again. ``Bundle`` reads and writes trust bundles, in PEM and in the standard's JSON.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from ._native import (
    AliasEntry,
    JoinTokenRequest,
    created_entry_outcome,
    deleted_entry_outcome,
    join_token_outcome,
)
from ._native import SpireBundle as Bundle
from ._native import spire_entry as entry

__all__ = [
    "AliasEntry",
    "Bundle",
    "Entry",
    "Id",
    "JoinTokenRequest",
    "Outcome",
    "Selector",
    "created_entry_outcome",
    "deleted_entry_outcome",
    "entry",
    "join_token_outcome",
]

Outcome = Literal["done", "collision", "altered", "refused", "unknown"]
"""What has become of the work."""


class Id(TypedDict):
    """``spire.api.types.SPIFFEID``."""

    trust_domain: str
    path: str


class Selector(TypedDict):
    """``spire.api.types.Selector``."""

    type: str
    value: str


class Entry(TypedDict):
    """``spire.api.types.Entry``, without what the server sets itself."""

    id: str
    spiffe_id: Id
    parent_id: Id
    selectors: list[Selector]
    x509_svid_ttl: int
    jwt_svid_ttl: int
    federates_with: list[str]
    admin: bool
    downstream: bool
    expires_at: int
    dns_names: list[str]
    store_svid: bool
    hint: str
