"""A sealing key is rotated."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support import AnyStore, Host, ring

import handfast
from handfast.stores.sqlite import SqliteStore
from handfast.types import KeyRing, Row

OLD, NEW = ring(2), ring(3, "k2")
BOTH: KeyRing = {"current": "k2", "keys": {**OLD["keys"], **NEW["keys"]}}


def registrar(sealing: KeyRing) -> handfast.Registrar:
    return handfast.Registrar({"vouched_fingerprints": True}, peppers=ring(1), sealing=sealing)


def vault(store: AnyStore) -> list[str]:
    """The sealed secrets, as they are kept."""
    if isinstance(store, SqliteStore):
        return [row["body"] for row in store.sealed(limit=10_000)]
    return [word for word in store.snapshot().split('"') if word.startswith("1.k")]


def test_a_sealing_key_is_rotated_and_the_old_one_taken_away(host: Host) -> None:
    contents = [{"type": "file", "name": "a", "content": "hunter2"}]
    # More than a page of them, each with a token and a file.
    tokens = [host.issue(f"edge-{number}", contents=contents)["token"] for number in range(60)]
    assert len(vault(host.store)) == 120 and all(body.startswith("1.k1.") for body in vault(host.store))

    assert handfast.reseal(host.store, registrar=registrar(BOTH)) == 120
    assert len(vault(host.store)) == 120 and all(body.startswith("1.k2.") for body in vault(host.store))
    assert handfast.reseal(host.store, registrar=registrar(BOTH)) == 0

    host.registrar = registrar(NEW)
    (content,) = host.redeem(tokens[0])["contents"]
    assert content["type"] == "file" and content["content"].expose() == "hunter2"


def test_a_key_that_was_taken_away_too_early_is_missed(host: Host) -> None:
    host.issue()
    with pytest.raises(handfast.MissingKey):
        handfast.reseal(host.store, registrar=registrar(NEW))
    assert handfast.reseal(host.store, registrar=registrar(BOTH)) == 1


def test_what_is_shredded_meanwhile_stays_so() -> None:
    class Slow(SqliteStore):
        """Somebody else is faster."""

        def reseal(self, changes: Sequence[tuple[Row, str]], /) -> int:
            self.connection.execute("DELETE FROM handfast_vault WHERE key = ?", (changes[0][0]["key"],))
            self.connection.execute("UPDATE handfast_vault SET sealed = 'x' WHERE key = ?", (changes[1][0]["key"],))
            return super().reseal(changes)

    with Slow(":memory:") as store:
        for number in range(3):
            Host(store).issue(f"edge-{number}")
        assert handfast.reseal(store, registrar=registrar(BOTH)) == 1
        bodies = vault(store)
        assert len(bodies) == 2 and "x" in bodies


def test_one_row() -> None:
    with SqliteStore(":memory:") as store:
        host = Host(store)
        issued = host.issue()
        (row,) = store.sealed()
        body = registrar(BOTH).reseal(row)
        assert body is not None and body.startswith("1.k2.")
        assert registrar(BOTH).reseal({**row, "body": body}) is None
        with pytest.raises(handfast.CryptoError):
            registrar(BOTH).reseal({**row, "body": "1.k1.AAAA"})
        (package,) = store.read([f"package/{issued['package']}"])
        with pytest.raises(handfast.InvalidInput) as raised:
            registrar(BOTH).reseal(package)
        assert raised.value.path == "key"
