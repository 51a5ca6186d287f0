"""The Python side of continuity.test.mjs: `continuity.py FILE` takes one JSON request a line and answers in kind.

A request is a command, or `{"reveal": effect}`, or `{"rows": true}`; secrets are shown, because they are the test's own.
"""

import json
import sys

import handfast
from handfast.stores.sqlite import SqliteStore


def ring(byte: int) -> dict:
    return {"current": "k1", "keys": {"k1": bytes([byte]) * 32}}


def answer(request: dict) -> object:
    if "reveal" in request:
        secret = handfast.reveal(store, request["reveal"], registrar=registrar)
        return None if secret is None else secret.to_yaml().expose()
    if "rows" in request:
        return [store.records(record) for record in ("package", "name", "subject", "node")]
    return handfast.run(store, request, registrar=registrar, now="2026-03-01T12:00:30Z")


registrar = handfast.Registrar({"vouched_fingerprints": True}, peppers=ring(1), sealing=ring(2))
store = SqliteStore(sys.argv[1])
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line)), default=handfast.Secret.expose), flush=True)
