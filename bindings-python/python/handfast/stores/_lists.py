"""The queries behind the lists of ``handfast.stores.sqlite``: each filter, and each page, by an index."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..types import WriteRow

__all__ = ["COLUMNS", "records"]

COLUMNS = "key, version, body, record, scope, name, kind, status, parent, labels, created_at, wake_at"


def records(
    record: str,
    *,
    scope: str | None,
    status: str | Collection[str] | None,
    kind: str | None,
    name: str | None,
    name_prefix: str | None,
    labels: Mapping[str, str] | None,
    parent: str | None,
    after: WriteRow | None,
    limit: int,
) -> tuple[str, list[str | int]]:
    """The query for a page of records, with its arguments."""
    found = Query("handfast_records AS r").where("r.record = ?", record)
    for column, value in (("scope", scope), ("kind", kind), ("name", name), ("parent", parent)):
        if value is not None:
            found.where(f"r.{column} = ?", value)
    if status is not None:
        any_of = [status] if isinstance(status, str) else list(status)
        found.where(f"r.status IN ({', '.join('?' * len(any_of))})", *any_of)
    order = ["created_at", "key"]
    place = [after["index"]["created_at"], after["key"]] if after else None
    if name_prefix is not None:
        order = ["name", *order]
        place = [after["index"].get("name", ""), *place] if after and place else None
        found.where("r.name >= ? AND r.name < ?", max(name_prefix, place[0] if place else ""), name_prefix + LAST)
    by = ", ".join(f"r.{column}" for column in order)
    for number, (label, value) in enumerate((labels or {}).items()):
        if number == 0 and name_prefix is None:
            # The list of the label leads; it has the same order.
            found.source = f"handfast_labels AS l CROSS JOIN {found.source} ON r.key = l.key"
            found.where("l.label = ? AND l.value = ?", label, value)
            by = ", ".join(f"l.{column}" for column in order)
        else:
            found.where(LABELLED, label, value)
    if place is not None:
        found.where(f"({by}) > ({', '.join('?' * len(place))})", *place)
    columns = ", ".join(f"r.{column}" for column in COLUMNS.split(", "))
    query = f"SELECT {columns} FROM {found.source} WHERE {' AND '.join(found.terms)} ORDER BY {by} LIMIT ?"
    return query, [*found.arguments, limit]


LABELLED = (
    "EXISTS (SELECT 1 FROM handfast_labels AS o"
    " WHERE o.label = ? AND o.value = ? AND o.created_at = r.created_at AND o.key = r.key)"
)

LAST = "\U0010ffff"
"""Sorts after every text that begins alike."""


class Query:
    """What is looked for, where, and with which arguments."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.terms: list[str] = []
        self.arguments: list[str | int] = []

    def where(self, term: str, *arguments: str) -> Query:
        self.terms.append(term)
        self.arguments += arguments
        return self
