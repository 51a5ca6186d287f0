"""The conformance suite: the shipped stores pass it, and a wrong one is told what to mend."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

import handfast
from handfast.stores.sqlite import SqliteStore
from handfast.testing import CheckedStore, check_store, check_store_async
from handfast.types import Batch, Row


class InFile(SqliteStore):
    """The shipped store, which knows its file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path
        self.connection.execute("PRAGMA synchronous = OFF")  # what is tested does not cut the power

    def reopened(self) -> InFile:
        self.close()
        return InFile(self.path)


def bodies(store: SqliteStore, key: str) -> list[str]:
    return [row["body"] for _, row in store.events(key)]


def test_the_sqlite_store_passes_every_story(tmp_path: Path) -> None:
    numbers = count()
    report = check_store(
        lambda: InFile(tmp_path / f"{next(numbers)}.sqlite"), reopen=InFile.reopened, events=bodies
    )
    assert report.passed and not report.skipped and not report.failures, report
    assert len(report.cases) > 25 and all(case["checks"] >= 10 for case in report.cases)
    assert str(report).endswith(f"{len(report.cases)} passed, 0 failed, 0 skipped (seed 1)")


def test_the_ledger_passes() -> None:
    report = check_store(handfast.Ledger, reopen=lambda ledger: handfast.Ledger.restore(ledger.snapshot()))
    assert report.passed, report
    assert list(report.skipped) == ["history"]


def test_without_reopen_the_crashes_are_skipped_and_said_to_be() -> None:
    report = check_store(handfast.Ledger)
    assert report.passed and {"durable", "crash_after_commit"} <= set(report.skipped), report
    assert "SKIPPED durable: the driver cannot open the store again" in str(report)


class Wrapped:
    """A store in front of a right one."""

    def __init__(self) -> None:
        self.store = SqliteStore(":memory:")

    def read(self, keys: Sequence[str], /) -> Sequence[Row]:
        return self.store.read(keys)

    def commit(self, batch: Batch, /) -> bool:
        return self.store.commit(batch)

    def due(self, now: str, limit: int, /) -> Sequence[str]:
        return self.store.due(now, limit)

    def close(self) -> None:
        self.store.close()


class LooksAtWritesOnly(Wrapped):
    def commit(self, batch: Batch, /) -> bool:
        written = {write["key"] for write in batch["writes"]}
        guards = [guard for guard in batch["guards"] if guard["key"] in written]
        return super().commit({**batch, "guards": guards})


class KeepsShredded(Wrapped):
    def commit(self, batch: Batch, /) -> bool:
        return super().commit({**batch, "vault": [row for row in batch["vault"] if "sealed" in row]})


class LatestFirst(Wrapped):
    def due(self, now: str, limit: int, /) -> Sequence[str]:
        return list(reversed(super().due(now, limit)))


class SaysNothing(Wrapped):
    def commit(self, batch: Batch, /) -> bool:
        super().commit(batch)
        return None  # type: ignore[return-value]


class RaisesOnConflict(Wrapped):
    def commit(self, batch: Batch, /) -> bool:
        if not super().commit(batch):
            raise RuntimeError("version conflict")
        return True


class GivesTextForNumbers(Wrapped):
    def read(self, keys: Sequence[str], /) -> Sequence[Row]:
        return [{**row, "version": str(row["version"])} for row in super().read(keys)]  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("make", "story", "sentence"),
    [
        (LooksAtWritesOnly, "write_skew", "every guard counts, not only those of the rows that are written"),
        (KeepsShredded, "shredded_secrets", "can still be read after it was shredded"),
        (LatestFirst, "due_order", "the earliest wake_at comes first"),
        (SaysNothing, "stale_guard", "TypeError"),
        (RaisesOnConflict, "two_writers", "a guard that does not hold is no error (RuntimeError: version conflict)"),
        (GivesTextForNumbers, "round_trip", "InvalidInput: rows[0].version: "),
    ],
)
def test_a_wrong_store_fails_the_story_that_is_about_its_mistake(
    make: type[Wrapped], story: str, sentence: str
) -> None:
    report = check_store(make, stories=[story])
    assert not report.passed and sentence in report.failures[story], report


class Slow:
    """A store of coroutines."""

    def __init__(self) -> None:
        self.store = Wrapped()

    async def read(self, keys: Sequence[str], /) -> Sequence[Row]:
        await asyncio.sleep(0)
        return self.store.read(keys)

    async def commit(self, batch: Batch, /) -> bool:
        await asyncio.sleep(0)
        return self.store.commit(batch)

    async def due(self, now: str, limit: int, /) -> Sequence[str]:
        return self.store.due(now, limit)

    async def close(self) -> None:
        self.store.close()


def test_a_store_of_coroutines_is_awaited() -> None:
    async def make() -> Slow:
        return Slow()

    report = asyncio.run(check_store_async(make))
    assert report.passed and len(report.skipped) < len(report.cases) / 2, report
    with pytest.raises(TypeError, match="use check_store_async"):
        check_store(Slow)


def test_other_dice_and_single_stories() -> None:
    report = check_store(handfast.Ledger, seed=7, stories=["counted_token", "several_hosts"])
    assert report.passed and report.seed == 7 and [case["name"] for case in report.cases] == [
        "counted_token",
        "several_hosts",
    ]
    assert not check_store(handfast.Ledger, stories=["no such story"]).passed


def test_a_store_that_cannot_be_made_fails_every_story() -> None:
    def make() -> CheckedStore:
        raise OSError("no space left on device")

    report = check_store(make)
    assert len(report.failures) == len(report.cases), report
    assert all("OSError: no space left on device" in why for why in report.failures.values())


def test_the_suite_lets_no_evidence_out() -> None:
    assert not hasattr(handfast.InstanceEvent, "for_testing")
    with pytest.raises(TypeError):
        handfast.InstanceEvent()
