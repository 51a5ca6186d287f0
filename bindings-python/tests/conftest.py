"""Stores of every kind, so that each story is told on each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import AnyStore, Host

import handfast
from handfast.stores.sqlite import SqliteStore


@pytest.fixture(params=["ledger", "sqlite in memory", "sqlite in a file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    if request.param == "ledger":
        yield handfast.Ledger(recording=True)
    else:
        path = ":memory:" if request.param == "sqlite in memory" else tmp_path / "handfast.sqlite"
        with SqliteStore(path) as store:
            yield store


@pytest.fixture
def host(store: AnyStore) -> Host:
    return Host(store)
