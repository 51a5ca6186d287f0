"""The drivers: one command through one store."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from ._native import BootstrapSecret, Ledger, Registrar, Secret
from .errors import Error
from .store import AsyncStore, Store, Vault
from .types import Answer, Command, Effect, Explanation, Row

__all__ = ["explain", "reseal", "reveal", "run", "run_all", "run_all_async", "run_async"]


def run(
    store: Store | Ledger,
    command: Command,
    *,
    registrar: Registrar,
    now: datetime | str | None = None,
    trusted_clock: bool = True,
) -> Answer:
    """Decide a command, commit what it changes, and give the answer.

    A rule that says no is an answer too, ``{"type": "refused", "code": .., "class": ..}``; tell a presenter the
    class and little more. The answer's secrets exist only after the commit.

    ``now`` is an aware ``datetime`` or RFC 3339 text; the system's clock when left out. With
    ``trusted_clock=False`` nothing irreversible happens on the strength of the clock.

    Raises ``InvalidInput`` for a malformed command, ``Busy`` after too many conflicts, ``StoreError``, ``MissingKey``.
    """
    if isinstance(store, Ledger):
        return store.run(registrar, command, now=now, trusted_clock=trusted_clock)
    session = registrar.session(command)
    while True:
        step = session.next(now, trusted_clock)
        if step["type"] == "load":
            session.loaded(store.read(step["keys"]))
        elif step["type"] == "commit":
            session.committed(store.commit(step["batch"]))
        else:
            return step["answer"]


async def run_async(
    store: AsyncStore | Store | Ledger,
    command: Command,
    *,
    registrar: Registrar,
    now: datetime | str | None = None,
    trusted_clock: bool = True,
) -> Answer:
    """As ``run``, for stores whose methods are coroutines. Takes any other store, too."""
    if isinstance(store, Ledger):
        return store.run(registrar, command, now=now, trusted_clock=trusted_clock)
    session = registrar.session(command)
    while True:
        step = session.next(now, trusted_clock)
        if step["type"] == "load":
            session.loaded(await _awaited(store.read(step["keys"])))
        elif step["type"] == "commit":
            session.committed(await _awaited(store.commit(step["batch"])))
        else:
            return step["answer"]


def run_all(
    store: Store | Ledger,
    commands: Iterable[Command],
    *,
    registrar: Registrar,
    now: datetime | str | None = None,
    trusted_clock: bool = True,
) -> list[Answer | Error]:
    """Decide several commands in one commit where that works out, each on what the ones before it have brought about.

    One waits for the disk once instead of once for each, and commands about the same record do not conflict with each
    other. Where something keeps them from it, each is taken by itself, in their order, so that none fails for another
    one's sake.

    Gives one answer for each, in their order; what is wrong with a command is an ``Error`` in its place. What the store
    raises is raised; then nobody knows what was committed, as with ``run``. At most 256 commands.
    """
    if isinstance(store, Ledger):
        return store.run_all(registrar, commands, now=now, trusted_clock=trusted_clock)
    session = registrar.session_all(commands)
    while True:
        step = session.next(now, trusted_clock)
        if step["type"] == "load":
            session.loaded(store.read(step["keys"]))
        elif step["type"] == "commit":
            session.committed(store.commit(step["batch"]))
        else:
            return step["answers"]


async def run_all_async(
    store: AsyncStore | Store | Ledger,
    commands: Iterable[Command],
    *,
    registrar: Registrar,
    now: datetime | str | None = None,
    trusted_clock: bool = True,
) -> list[Answer | Error]:
    """As ``run_all``, for stores whose methods are coroutines. Takes any other store, too."""
    if isinstance(store, Ledger):
        return store.run_all(registrar, commands, now=now, trusted_clock=trusted_clock)
    session = registrar.session_all(commands)
    while True:
        step = session.next(now, trusted_clock)
        if step["type"] == "load":
            session.loaded(await _awaited(store.read(step["keys"])))
        elif step["type"] == "commit":
            session.committed(await _awaited(store.commit(step["batch"])))
        else:
            return step["answers"]


def reseal(store: Vault | Ledger, *, registrar: Registrar) -> int:
    """Seal every secret of a store's vault anew that is not under the current sealing key; give how many that were.

    So a sealing key is rotated: make a new one current at every host and keep the old one in the ring, call this, then
    take the old one away. May run while others work on the store, and again after a crash.
    """
    if isinstance(store, Ledger):
        return store.reseal(registrar)
    count, last = 0, ""
    while rows := store.sealed(after=last):
        anew = [(row, registrar.reseal(row)) for row in rows]
        count += store.reseal([(row, sealed) for row, sealed in anew if sealed is not None])
        last = rows[-1]["key"]
    return count


def explain(
    store: Store | Ledger,
    command: Command,
    *,
    registrar: Registrar,
    now: datetime | str | None = None,
    trusted_clock: bool = True,
) -> Explanation:
    """Say what would come of a command, without doing it: ``accepted`` with the facts, or ``refused`` with the code."""
    keys: list[str] = []
    rows: list[Row] = []
    while True:
        explanation = registrar.explain(command, keys=keys, rows=rows, now=now, trusted_clock=trusted_clock)
        if explanation["type"] != "need":
            return explanation
        keys += explanation["keys"]
        rows += store.read(explanation["keys"])


def reveal(store: Store | Ledger, effect: Effect, *, registrar: Registrar) -> BootstrapSecret | Secret | None:
    """Open what an executor needs for an effect; ``None`` when it needs nothing but the effect itself."""
    keys = registrar.vault_keys(effect)
    rows: Sequence[Row] = store.read(keys) if keys else []
    return registrar.reveal(effect, rows)


T = TypeVar("T")


async def _awaited(value: Awaitable[T] | T) -> T:
    if inspect.isawaitable(value):
        return await value
    return value
