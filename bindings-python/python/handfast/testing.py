"""Does your store keep its promises? The conformance suite of handfast, for stores written in Python.

>>> from handfast.testing import check_store
>>> report = check_store(make_store, reopen=reopen)
>>> assert report.passed, report

Every guarantee of handfast rests on the store. The suite tells stories that only a right store survives: conflicting
writers, write skew, batches that must fail as a whole, crashes between the steps, duplicate and reordered deliveries.
A store that fails is told what to mend. The stories are told one step at a time, so transactions never overlap: what
isolation your database gives them under load, read in its manual.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypedDict, TypeVar

from ._native import Conformance, Ledger
from .running import _awaited
from .types import Batch, Row

__all__ = ["CaseResult", "CheckedStore", "Failed", "Passed", "Report", "Skipped", "check_store", "check_store_async"]


class Passed(TypedDict):
    """The store did right."""

    type: Literal["passed"]


class Failed(TypedDict):
    """The store did wrong: ``why`` says what is to be mended."""

    type: Literal["failed"]
    why: str


class Skipped(TypedDict):
    """Nothing is known: ``why`` says what the story needs."""

    type: Literal["skipped"]
    why: str


class CaseResult(TypedDict):
    """What came of one story. Its name does not change between versions."""

    name: str
    about: str
    checks: int
    outcome: Passed | Failed | Skipped


@dataclass(frozen=True)
class Report:
    """What came of all stories; its text has one line for each.

    ``passed`` is true when stories were told and none failed. Look at ``skipped``, too.
    """

    passed: bool
    seed: int
    cases: Sequence[CaseResult]
    text: str

    @property
    def failures(self) -> dict[str, str]:
        """The stories that failed, each with what is to be mended."""
        outcomes = ((case["name"], case["outcome"]) for case in self.cases)
        return {name: outcome["why"] for name, outcome in outcomes if outcome["type"] == "failed"}

    @property
    def skipped(self) -> dict[str, str]:
        """The stories that were skipped, each with what it needs."""
        outcomes = ((case["name"], case["outcome"]) for case in self.cases)
        return {name: outcome["why"] for name, outcome in outcomes if outcome["type"] == "skipped"}

    def __str__(self) -> str:
        return self.text


class CheckedStore(Protocol):
    """A store as ``handfast.Store``, with ``due``. Each method may be a coroutine for ``check_store_async``."""

    def read(self, keys: Sequence[str], /) -> Sequence[Row] | Awaitable[Sequence[Row]]:
        """As ``handfast.Store.read``."""
        ...

    def commit(self, batch: Batch, /) -> bool | Awaitable[bool]:
        """As ``handfast.Store.commit``."""
        ...

    def due(self, now: str, limit: int, /) -> Sequence[str] | Awaitable[Sequence[str]]:
        """Give the keys whose ``wake_at`` has come, the earliest first."""
        ...


S = TypeVar("S", bound="CheckedStore | Ledger")


def check_store(
    make_store: Callable[[], S],
    *,
    reopen: Callable[[S], S] | None = None,
    events: Callable[[S, str], Sequence[str]] | None = None,
    seed: int = 1,
    stories: Sequence[str] | None = None,
) -> Report:
    """Tell the stories to a store.

    ``make_store()`` gives an empty store, once for each story; the one before is closed if it has a ``close``.
    ``reopen(store)`` drops connections, caches and buffers, as a crash of the process would, and gives the same store
    opened again; without it the crashes are skipped. ``events(store, key)`` gives the bodies of a record's events,
    oldest first; without it the story about them is skipped. ``stories`` tells only those of these names.
    """
    driver = _Driver(make_store, reopen, events)
    return _at_once(driver.drive(Conformance(seed=seed, stories=stories)))


async def check_store_async(
    make_store: Callable[[], S | Awaitable[S]],
    *,
    reopen: Callable[[S], S | Awaitable[S]] | None = None,
    events: Callable[[S, str], Sequence[str] | Awaitable[Sequence[str]]] | None = None,
    seed: int = 1,
    stories: Sequence[str] | None = None,
) -> Report:
    """As ``check_store``, for stores whose methods, and arguments of this function, are coroutines."""
    driver = _Driver(make_store, reopen, events)
    return await driver.drive(Conformance(seed=seed, stories=stories))


class _Driver(Generic[S]):
    """Does one step after the other. Without coroutines nothing in it ever waits."""

    def __init__(
        self,
        make_store: Callable[[], S | Awaitable[S]],
        reopen: Callable[[S], S | Awaitable[S]] | None,
        events: Callable[[S, str], Sequence[str] | Awaitable[Sequence[str]]] | None,
    ) -> None:
        self.make_store, self.reopen, self.events = make_store, reopen, events
        self.made: list[S] = []

    async def drive(self, suite: Conformance) -> Report:
        try:
            while (step := suite.next())["type"] != "done":
                try:
                    await self.do(suite, step)
                except Exception as error:
                    suite.failed(f"{type(error).__name__}: {error}")
        finally:
            await self.close()
        return Report(passed=step["passed"], text=step["text"], **step["report"])

    async def do(self, suite: Conformance, step: dict[str, Any]) -> None:
        if step["type"] == "fresh":
            await self.close()
            self.made.append(await _awaited(self.make_store()))
            suite.ready()
            return
        store = self.made[-1]
        if step["type"] == "read":
            suite.rows(await _awaited(store.read(step["keys"])))
        elif step["type"] == "commit":
            if isinstance(store, Ledger):
                suite.commit_to(store)
            else:
                suite.held(await _awaited(store.commit(step["batch"])))
        elif step["type"] == "due":
            suite.keys(await _awaited(store.due(step["now"], step["limit"])))
        elif step["type"] == "reopen" and self.reopen is not None:
            self.made[-1] = await _awaited(self.reopen(store))
            suite.ready()
        elif step["type"] == "events" and self.events is not None:
            suite.events(list(await _awaited(self.events(store, step["key"]))))
        else:
            suite.unable()

    async def close(self) -> None:
        while self.made:
            close = getattr(self.made.pop(), "close", None)
            if close is not None:
                await _awaited(close())


T = TypeVar("T")


def _at_once(coroutine: Any) -> Report:
    """Run what never waits; a store of coroutines belongs to ``check_store_async``."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        report: Report = done.value
        return report
    coroutine.close()
    raise TypeError("this store is asynchronous: use check_store_async")
