"""What a store must do. The words are those of the core; see ``handfast.stores.sqlite`` for one that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol

from .types import Batch, Row

__all__ = ["AsyncStore", "Store", "Vault"]


class Store(Protocol):
    """Keeps the rows. Keys and bodies are opaque text; a sealed secret is a row under ``secret/..`` with version 1."""

    def read(self, keys: Sequence[str], /) -> Sequence[Row]:
        """Give the rows that exist of these keys."""
        ...

    def commit(self, batch: Batch, /) -> bool:
        """Do all of it in one serialisable transaction and give ``True`` once it is durable.

        Do nothing and give ``False`` when a guard does not hold: a row has another version than the guard's, where 0
        means that the row must be absent.
        """
        ...


class AsyncStore(Protocol):
    """The same for ``run_async``."""

    def read(self, keys: Sequence[str], /) -> Awaitable[Sequence[Row]]:
        """As ``Store.read``."""
        ...

    def commit(self, batch: Batch, /) -> Awaitable[bool]:
        """As ``Store.commit``."""
        ...


class Vault(Protocol):
    """A store whose sealed secrets ``handfast.reseal`` can go through."""

    def sealed(self, *, after: str) -> Sequence[Row]:
        """Give a page of sealed secrets in the order of their keys, from after this one; none at the end."""
        ...

    def reseal(self, changes: Sequence[tuple[Row, str]], /) -> int:
        """Replace the bodies of these rows, each if it is still as it was read; give how many that were."""
        ...
