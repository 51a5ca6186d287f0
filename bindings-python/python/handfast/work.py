"""The host's loop: deadlines that have come, sweeps, and the effects that the host's own executors perform.

>>> while True:
...     work.perform(store, executor, registrar=registrar)  # your executor does one effect and says how it went
...     time.sleep(1)  # or until ``store.next_wake()``

Any number of hosts may do so at once: what two of them do at the same time is done once, and every effect can be done
twice. For a loop of your own, with leases or in parallel, there is ``outstanding``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ._native import BootstrapSecret, Ledger, Registrar, Secret, timestamp
from .commands import expire, report
from .running import reveal, run
from .store import Store
from .types import Effect, EffectOutcome, RecordType, WriteRow

__all__ = ["Executor", "ListingStore", "outstanding", "perform", "sweep"]

Executor = Callable[[Effect, BootstrapSecret | Secret | None], EffectOutcome]
"""Does one effect, with what ``handfast.reveal`` gave for it, and says how it went."""



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


def perform(
    store: ListingStore | Ledger,
    executor: Executor,
    *,
    registrar: Registrar,
    worker: str = "host",
    now: datetime | str | None = None,
    trusted_clock: bool = True,
    limit: int = 100,
) -> int:
    """Do what is to be done now about up to ``limit`` records, and report it as ``worker``: deadlines, sweeps, effects.

    Gives how many effects the executor was asked for. Whatever it raises ends this: what it had not done is done next time.
    """
    effects = outstanding(
        store, registrar=registrar, worker=worker, now=now, trusted_clock=trusted_clock, limit=limit
    )
    for effect in effects:
        outcome = executor(effect, reveal(store, effect, registrar=registrar))
        said = report(effect=effect["id"], outcome=outcome, authority=f"executor:{worker}")
        run(store, said, registrar=registrar, now=now, trusted_clock=trusted_clock)
    return len(effects)


def outstanding(
    store: ListingStore | Ledger,
    *,
    registrar: Registrar,
    worker: str = "host",
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
    worker: str = "host",
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
