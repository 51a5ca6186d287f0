"""The host's loop: deadlines that have come, sweeps, and the effects that are left for the host's own executors.

>>> for effect in work.outstanding(store, registrar=registrar):
...     outcome = perform(effect)  # yours; ``handfast.reveal`` opens what it needs
...     handfast.run(store, handfast.report(effect=effect["id"], outcome=outcome, authority="executor:me"), ..)

Call it every second or so, or when ``store.next_wake()`` has come. Any number of hosts may do so at once: what two of
them do at the same time is done once, and every effect can be done twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ._native import Ledger, Registrar, timestamp
from .commands import expire, report
from .running import run
from .store import Store
from .types import Effect, EffectOutcome, RecordType, WriteRow

__all__ = ["ListingStore", "outstanding", "sweep"]


class ListingStore(Store, Protocol):
    """A store that knows what is due, and lists what is below a package: ``handfast.stores.sqlite`` does."""

    def due(self, now: datetime | str | None = None, limit: int = 100) -> Sequence[str]:
        """Give the keys of records about which something is due, the earliest first."""
        ...

    def records(
        self,
        record: RecordType,
        *,
        parent: str,
        status: Collection[str],
        after: WriteRow | None,
    ) -> Sequence[WriteRow]:
        """Give a page of the records with one of these statuses that have this parent; none at the end."""
        ...


def outstanding(
    store: ListingStore | Ledger,
    *,
    registrar: Registrar,
    worker: str = "sweeper",
    now: datetime | str | None = None,
    trusted_clock: bool = True,
    limit: int = 100,
) -> list[Effect]:
    """Apply the deadlines of up to ``limit`` records, perform their sweeps as ``worker``, and give their other effects.

    Those are for the host to perform and to report; until then they are given again. What has to wait, or is leased by
    somebody, is left out.
    """
    effects: list[Effect] = []
    present = timestamp(now)
    for key in store.due(now, limit):
        run(store, expire(key=key), registrar=registrar, now=now, trusted_clock=trusted_clock)
        for row in store.read([key]):
            for effect in registrar.outstanding(row):
                if effect.get("not_before", "") > present:
                    continue
                if effect["work"]["type"] == "sweep":
                    sweep(store, effect, registrar=registrar, worker=worker, now=now, trusted_clock=trusted_clock)
                else:
                    effects.append(effect)
    return effects


def sweep(
    store: ListingStore | Ledger,
    effect: Effect,
    *,
    registrar: Registrar,
    worker: str = "sweeper",
    now: datetime | str | None = None,
    trusted_clock: bool = True,
) -> bool:
    """Perform one effect of type ``sweep``: end all that is below an ended package, and report it as ``worker``.

    ``False`` when something is left, which then is swept again after a delay.
    """
    work = effect["work"]
    if work["type"] != "sweep":
        raise ValueError(f"an effect of type {work['type']} is no sweep")
    for key in below(store, work["package"]):
        run(store, expire(key=key), registrar=registrar, now=now, trusted_clock=trusted_clock)
    done = next(below(store, work["package"]), None) is None
    outcome: EffectOutcome = {"type": "done"} if done else {"type": "unknown"}
    said = report(effect=effect["id"], outcome=outcome, authority=f"executor:{worker}")
    run(store, said, registrar=registrar, now=now, trusted_clock=trusted_clock)
    return done


LIVE: dict[RecordType, tuple[str, ...]] = {
    "node": ("claimed", "active"),
    "package": ("created", "delivered", "activated"),
}


def below(store: ListingStore | Ledger, package: str) -> Iterator[str]:
    """The keys of the live nodes and packages right below a package."""
    for record, live in LIVE.items():
        for rows in pages(store, record, package, live):
            yield from (row["key"] for row in rows if row["index"].get("status") in live)


def pages(
    store: ListingStore | Ledger, record: RecordType, package: str, live: tuple[str, ...]
) -> Iterator[Sequence[WriteRow]]:
    if isinstance(store, Ledger):
        place: str | None = None
        while True:
            if record == "node":
                page = store.nodes(package, after=place)
            else:
                page = store.packages(parent=package, after=place)
            yield page["records"]
            place = page["next"]
            if place is None:
                return
    last: WriteRow | None = None
    while rows := store.records(record, parent=f"package/{package}", status=live, after=last):
        yield rows
        last = rows[-1]
