"""SPIFFE and SPIRE: what a server is asked for, what its answers mean, and whom a trust domain trusts.

Nothing is sent here: entries are dicts as protobuf libraries read and write them (``ParseDict``, ``MessageToDict``), for
whatever gRPC library the executor has.

>>> request = JoinTokenRequest(token, expires_at=work["expires_at"])        # ensure_spire_join_token
>>> reply = agents.CreateJoinToken(CreateJoinTokenRequest(ttl=request.ttl, token=request.token.expose()))
>>> wanted = entry(work["entry"])                                           # ensure_spire_entry
>>> result = entries.BatchCreateEntry(ParseDict({"entries": [wanted]}, BatchCreateEntryRequest())).results[0]
>>> created_entry_outcome(result.status.code, wanted=wanted, found=MessageToDict(result.entry))
'done'

Of an outcome, ``done`` is reported as it is, ``collision`` too, ``refused`` as ``failed``, ``unknown`` as ``unknown``; after ``altered`` the
entry, which is ours, is deleted and made again. What is no entry at all raises ``InvalidInput``. ``spiffe_id`` and ``selector`` give
the parts of a text, as of ``request.agent_id``. ``Bundle`` reads and writes trust bundles, in PEM and in the standard's JSON.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from ._native import (
    AliasEntry,
    JoinTokenRequest,
    created_entry_outcome,
    deleted_entry_outcome,
    join_token_outcome,
    spiffe_id,
)
from ._native import SpireBundle as Bundle
from ._native import spire_entry as entry
from ._native import spire_selector as selector

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
    "selector",
    "spiffe_id",
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
