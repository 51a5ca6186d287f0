"""A store in one SQLite file, over the standard library's ``sqlite3``.

The tables are the same for every language: a record that one writes, another continues. Several processes may share a
file. Keep it off network file systems, which cannot lock.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import Any

from .._native import SQLITE_SCHEMA, SQLITE_UPGRADE, scope_view, timestamp
from ..types import Batch, CountedNotice, EventRow, Index, RecordType, Row, ScopeView, SubjectChange, WriteRow
from . import _lists

__all__ = ["SqliteStore"]


class SqliteStore:
    """Records, sealed secrets, events and counted refusals in SQLite; ``:memory:`` for a store that is lost at exit.

    One connection behind a lock: share a store between threads. ``connection`` is for tables of your own.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 10.0) -> None:
        """Open the file, and make it and its tables when they are missing. A file of an earlier schema is brought up to date.

        ``timeout`` is how many seconds to wait for another process that is writing.
        """
        self._lock = Lock()
        self.connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
        try:
            # A commit counts once it is durable, and what is shredded is overwritten.
            self.connection.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
            )
            self._make_tables()
        except BaseException:
            self.connection.close()
            raise

    def read(self, keys: Sequence[str], /) -> list[Row]:
        """Give the rows that exist of these keys: records, and sealed secrets with version 1."""
        with self._transaction("DEFERRED") as connection:
            rows = [_read(connection, key) for key in keys]
        return [row for row in rows if row is not None]

    def commit(self, batch: Batch, /) -> bool:
        """Do all of it in one transaction and give ``True``, or nothing and ``False`` when a guard does not hold."""
        changes = batch["writes"] or batch["events"] or batch["notices"] or batch["vault"]
        with self._transaction("IMMEDIATE" if changes else "DEFERRED") as connection:
            held = all(_version(connection, guard["key"]) == guard["version"] for guard in batch["guards"])
            if held:
                _apply(connection, batch)
        return held

    def due(self, now: datetime | str | None = None, limit: int = 100) -> list[str]:
        """Give the keys of records about which something is due by ``now``, the earliest first.

        For each: run ``handfast.expire(key=key)``, then look at the record's outstanding effects.
        """
        rows = self._rows(
            "SELECT key FROM handfast_records WHERE wake_at <= ? ORDER BY wake_at, key LIMIT ?", timestamp(now), limit
        )
        return [key for (key,) in rows]

    def next_wake(self) -> str | None:
        """When something is due next, or ``None``: a host may sleep until then."""
        ((at,),) = self._rows("SELECT min(wake_at) FROM handfast_records")
        return None if at is None else str(at)

    def records(
        self,
        record: RecordType = "package",
        *,
        scope: str | None = None,
        status: str | Collection[str] | None = None,
        kind: str | None = None,
        name: str | None = None,
        name_prefix: str | None = None,
        labels: Mapping[str, str] | None = None,
        parent: str | None = None,
        after: WriteRow | None = None,
        limit: int = 100,
    ) -> list[WriteRow]:
        """List records of one type, the oldest first; ``after`` the last row of one page gives the next.

        All that is given must hold: one of several ``status``, all ``labels``, the key of a package as the ``parent`` of
        nodes and packages. With a ``name_prefix`` the list is in the order of names.
        """
        query, arguments = _lists.records(
            record,
            scope=scope,
            status=status,
            kind=kind,
            name=name,
            name_prefix=name_prefix,
            labels=labels,
            parent=parent,
            after=after,
            limit=limit,
        )
        return [_write_row(row) for row in self._rows(query, *arguments)]

    def subjects(self, scope: str, *, after: int = 0, limit: int = 100) -> list[tuple[int, SubjectChange]]:
        """List the subjects of a scope in the order of their latest changes, each with how it stands now: ``active``,
        ``expected``, ``banned`` or ``gone``.

        ``after`` the last number that you have seen gives what has changed since: so a host keeps an allow-list in step.
        """
        rows = self._rows(SUBJECTS, scope, after, limit)
        subject = len(f"subject/{scope}/")
        return [(sequence, {"subject": key[subject:], "status": status}) for sequence, key, status in rows]

    def scope(self, scope: str) -> ScopeView | None:
        """What is promised in a scope and what of it is in use; ``None`` for one that was never configured."""
        with self._transaction("DEFERRED") as connection:
            found = connection.execute(
                "SELECT body FROM handfast_records WHERE record = 'scope' AND scope = ?", (scope,)
            ).fetchone()
            (active,) = connection.execute(
                "SELECT count(*) FROM handfast_records WHERE record = 'package' AND scope = ? AND status = 'activated'",
                (scope,),
            ).fetchone()
        return None if found is None else scope_view(found[0], active=active)

    def events(self, key: str | None = None, *, after: int = 0, limit: int = 100) -> list[tuple[int, EventRow]]:
        """List facts in the order of their commits, of one record or of all, each with its sequence number.

        ``after`` the last number of one page gives the next.
        """
        rows = self._rows(
            "SELECT sequence, key, version, at, fact, scope, body FROM handfast_events"
            " WHERE (?1 IS NULL OR key = ?1) AND sequence > ?2 ORDER BY sequence LIMIT ?3",
            *(key, after, limit),
        )
        return [(row[0], _event_row(row)) for row in rows]

    def notices(self, *, limit: int = 100) -> list[CountedNotice]:
        """List counted refusals, the latest first."""
        rows = self._rows(
            "SELECT count, coalesce, first_at, body FROM handfast_notices ORDER BY last_at DESC, coalesce LIMIT ?", limit
        )
        return [
            {"count": count, "notice": {"coalesce": coalesce, "at": at, "body": body}}
            for count, coalesce, at, body in rows
        ]

    def sealed(self, *, after: str = "", limit: int = 100) -> list[Row]:
        """List sealed secrets in the order of their keys; ``after`` the last key of one page gives the next."""
        rows = self._rows("SELECT key, sealed FROM handfast_vault WHERE key > ? ORDER BY key LIMIT ?", after, limit)
        return [{"key": key, "version": 1, "body": sealed} for key, sealed in rows]

    def reseal(self, changes: Sequence[tuple[Row, str]], /) -> int:
        """Replace sealed secrets in one transaction, each if it is still as it was read; give how many that were.

        It may have been shredded meanwhile. ``handfast.reseal`` goes through all of them.
        """
        with self._transaction("IMMEDIATE") as connection:
            return connection.executemany(
                "UPDATE handfast_vault SET sealed = ? WHERE key = ? AND sealed = ?",
                [(sealed, row["key"], row["body"]) for row, sealed in changes],
            ).rowcount

    def close(self) -> None:
        """Close the file. What was committed is in it."""
        with self._lock:
            self.connection.close()

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _make_tables(self) -> None:
        if "parent" in self._columns():
            self.connection.executescript(SQLITE_SCHEMA)
            return
        with self._transaction("IMMEDIATE") as connection:
            columns = self._columns()
            for statement in _statements(SQLITE_UPGRADE if columns and "parent" not in columns else SQLITE_SCHEMA):
                connection.execute(statement)

    def _columns(self) -> list[str]:
        return [name for (name,) in self.connection.execute("SELECT name FROM pragma_table_info('handfast_records')")]

    @contextmanager
    def _transaction(self, mode: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self.connection.execute(f"BEGIN {mode}")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *arguments: str | int | None) -> list[Any]:
        with self._lock:
            return self.connection.execute(query, arguments).fetchall()


SUBJECTS = """
SELECT e.sequence, r.key, iif(r.status = 'active' AND p.status NOT IN ('created', 'delivered', 'activated'), 'gone', r.status)
FROM handfast_events AS e CROSS JOIN handfast_records AS r ON r.key = e.key AND r.version = e.version
LEFT JOIN handfast_records AS n ON n.key = 'node/' || json_extract(r.body, '$.node')
LEFT JOIN handfast_records AS p ON p.key = n.parent
WHERE e.key >= 'subject/' AND e.key < 'subject0' AND e.scope = ? AND e.sequence > ? ORDER BY e.sequence LIMIT ?
"""
"""A node of a package that has ended is none, also before a sweep has come by."""


def _statements(script: str) -> Iterator[str]:
    """The statements of a script. ``executescript`` would commit what is open."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _read(connection: sqlite3.Connection, key: str) -> Row | None:
    if key.startswith("secret/"):
        row = connection.execute("SELECT 1, sealed FROM handfast_vault WHERE key = ?", (key,)).fetchone()
    else:
        row = connection.execute("SELECT version, body FROM handfast_records WHERE key = ?", (key,)).fetchone()
    return None if row is None else {"key": key, "version": row[0], "body": row[1]}


def _version(connection: sqlite3.Connection, key: str) -> int:
    row = connection.execute("SELECT version FROM handfast_records WHERE key = ?", (key,)).fetchone()
    return 0 if row is None else int(row[0])


def _apply(connection: sqlite3.Connection, batch: Batch) -> None:
    connection.executemany(
        "INSERT INTO handfast_records"
        f" ({_lists.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
        " version = excluded.version, body = excluded.body, record = excluded.record, scope = excluded.scope,"
        " name = excluded.name, kind = excluded.kind, status = excluded.status, parent = excluded.parent,"
        " labels = excluded.labels, created_at = excluded.created_at, wake_at = excluded.wake_at",
        [_columns(write) for write in batch["writes"]],
    )
    connection.executemany(
        "INSERT INTO handfast_events (key, version, at, fact, scope, body) VALUES (?, ?, ?, ?, ?, ?)",
        [(row["key"], row["version"], row["at"], row["fact"], row.get("scope"), row["body"]) for row in batch["events"]],
    )
    connection.executemany(
        "INSERT INTO handfast_notices (coalesce, count, first_at, last_at, body) VALUES (?1, 1, ?2, ?2, ?3)"
        " ON CONFLICT (coalesce) DO UPDATE SET count = count + 1, last_at = max(last_at, excluded.last_at)",
        [(row["coalesce"], row["at"], row["body"]) for row in batch["notices"]],
    )
    for secret in batch["vault"]:
        if "sealed" in secret:
            connection.execute(
                "INSERT INTO handfast_vault (key, sealed) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed",
                (secret["key"], secret["sealed"]),
            )
        else:
            connection.execute("DELETE FROM handfast_vault WHERE key = ?", (secret["key"],))


def _columns(write: WriteRow) -> tuple[str | int | None, ...]:
    index = write["index"]
    return (
        write["key"],
        write["version"],
        write["body"],
        index["record"],
        index.get("scope"),
        index.get("name"),
        index.get("kind"),
        index.get("status"),
        index.get("parent"),
        json.dumps(index.get("labels", {}), ensure_ascii=False, separators=(",", ":"), sort_keys=True),
        index["created_at"],
        index.get("wake_at"),
    )


def _write_row(row: tuple[Any, ...]) -> WriteRow:
    key, version, body, record, scope, name, kind, status, parent, labels, created_at, wake_at = row
    index: Index = {"record": record, "labels": json.loads(labels), "created_at": created_at}
    if scope is not None:
        index["scope"] = scope
    if name is not None:
        index["name"] = name
    if kind is not None:
        index["kind"] = kind
    if status is not None:
        index["status"] = status
    if parent is not None:
        index["parent"] = parent
    if wake_at is not None:
        index["wake_at"] = wake_at
    return {"key": key, "version": version, "body": body, "index": index}


def _event_row(row: tuple[Any, ...]) -> EventRow:
    _, key, version, at, fact, scope, body = row
    event: EventRow = {"key": key, "version": version, "at": at, "fact": fact, "body": body}
    if scope is not None:
        event["scope"] = scope
    return event
