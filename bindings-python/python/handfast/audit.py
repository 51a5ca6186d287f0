"""What can be shown afterwards: that the log is whole, and what it adds up to.

>>> chain = Chain(expect=published_heads)
>>> for row in log:
...     chain.feed(row)                                   # raises AuditError where the log is not what was written
>>> assert not chain.finish()
>>> publish(root(chain.heads()))                          # one line, kept where whoever keeps the log cannot write
>>> post(cloud_event(row, source="https://enroll.example.org"))

Everything works on the stored events, rows or bodies, without records, keys or network.
"""

from __future__ import annotations

import sys
from typing import Any, Literal, TypedDict

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired

from ._native import Chain, Tally, cloud_event, cloud_event_of_notice, head, root

__all__ = [
    "Break",
    "Chain",
    "CloudEvent",
    "Head",
    "Histogram",
    "Tally",
    "TallyRow",
    "cloud_event",
    "cloud_event_of_notice",
    "head",
    "root",
]


class Head(TypedDict):
    """The last event of a record: how far its chain goes."""

    key: str
    version: int
    digest: str
    """SHA-256 over the body of the event, as stored, in lower-case hexadecimal."""


class Break(TypedDict):
    """A published head that the log does not lead through."""

    code: str
    message: str
    position: NotRequired[int]
    key: NotRequired[str]
    version: NotRequired[int]


class CloudEvent(TypedDict):
    """A CloudEvent 1.0 in the JSON format."""

    id: str
    source: str
    specversion: Literal["1.0"]
    type: str
    subject: NotRequired[str]
    time: str
    datacontenttype: Literal["application/json"]
    data: dict[str, Any]


class Histogram(TypedDict):
    """Durations, in milliseconds."""

    count: int
    sum_ms: int
    min_ms: NotRequired[int]
    max_ms: NotRequired[int]
    buckets: list[int]
    """How many took at most 1 s, 10 s, 1 min, 5 min, 15 min, 1 h, 6 h, 1 day, 1 week, and longer; each counts once."""


class TallyRow(TypedDict):
    """What happened to the packages of a scope in a month."""

    scope: str
    month: str
    """In UTC, ``2026-01``."""
    issued: int
    activated: int
    expired: int
    revoked: int
    retired: int
    time_to_activate: Histogram
    """From issue to use, of those activated in the month."""
