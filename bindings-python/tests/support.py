"""What the tests share: a clock that is set by hand, keys, a host in a few lines, and the vectors."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import handfast
from handfast.stores.sqlite import SqliteStore
from handfast.types import (
    Answer,
    Command,
    Effect,
    EffectOutcome,
    Issued,
    KeyRing,
    Observed,
    Policy,
    Redeemed,
    Refused,
    SnsPolicy,
)

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "core" / "vectors"
START = datetime(2026, 3, 1, 12, 0, 30, tzinfo=timezone.utc)
TOPIC = "arn:aws:sns:us-east-1:123456789012:enroll"
INSTANCE = "i-0a74797fd283b53de"
OPERATOR = "operator:ann"
LEAF = (VECTORS / "sns" / "certificates" / "leaf.pem").read_text("utf-8")

RULE_POLICY: Policy = {
    "vouched_fingerprints": True,
    "instances": [
        {
            "accounts": ["123456789012"],
            "scope": "default",
            "kind": "node",
            "tags": {"role": "worker"},
            "contents": [{"type": "kubernetes_bootstrap_token"}],
        }
    ],
}


def ring(byte: int = 1, kid: str = "k1") -> KeyRing:
    return {"current": kid, "keys": {kid: bytes([byte]) * 32}}


def registrar(policy: Policy | None = None) -> handfast.Registrar:
    return handfast.Registrar({"vouched_fingerprints": True, **(policy or {})}, peppers=ring(1), sealing=ring(2))


AnyStore = handfast.Ledger | SqliteStore


class Host:
    """A store, a registrar and a clock that only moves when it is told to."""

    def __init__(self, store: AnyStore | None = None, policy: Policy | None = None) -> None:
        self.store: AnyStore = store if store is not None else handfast.Ledger(recording=True)
        self.registrar = registrar(policy)
        self.now = START

    def after(self, seconds: float) -> Host:
        self.now += timedelta(seconds=seconds)
        return self

    def run(self, command: Command, *, trusted_clock: bool = True) -> Answer:
        return handfast.run(
            self.store, command, registrar=self.registrar, now=self.now, trusted_clock=trusted_clock
        )

    def issue(self, name: str = "edge-1", **more: Any) -> Issued:
        answer = self.run(handfast.issue(name=name, authority=OPERATOR, **{"deliver": True, **more}))
        assert answer["type"] == "issued", answer
        return answer

    def redeem(self, token: str | handfast.Secret, fingerprint: str = "m1", **more: Any) -> Redeemed:
        answer = self.run(handfast.redeem(token=token, fingerprint=fingerprint, **more))
        assert answer["type"] == "redeemed", answer
        return answer

    def refused(self, command: Command) -> Refused:
        answer = self.run(command)
        assert answer["type"] == "refused", answer
        return answer

    def body(self, key: str) -> str:
        (row,) = self.store.read([key])
        return row["body"]

    def view(self, key: str) -> dict[str, Any]:
        return self.registrar.view(self.body(key))

    def outstanding(self, key: str) -> list[Effect]:
        return self.registrar.outstanding(self.body(key))

    def report(self, effect: Effect, outcome: EffectOutcome, worker: str = "executor:w1") -> Answer:
        return self.run(handfast.report(effect=effect["id"], outcome=outcome, authority=worker))

    def observe(self, state: str, instance: str = INSTANCE) -> Observed:
        answer = self.run(handfast.observe_instance(instance_event(state, self.now, instance)))
        assert answer["type"] == "observed", answer
        return answer

    def events(self) -> Sequence[str]:
        """The bodies of all facts, oldest first."""
        if isinstance(self.store, SqliteStore):
            return [row["body"] for _, row in self.store.events(limit=10_000)]
        return [row["body"] for row in self.store.events()]


def generator() -> ModuleType:
    """The project's own test authority, which signs as SNS does."""
    if "handfast_vectors" not in sys.modules:
        spec = importlib.util.spec_from_file_location("handfast_vectors", VECTORS / "generate.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["handfast_vectors"] = module
        spec.loader.exec_module(module)
    return sys.modules["handfast_vectors"]


def sign(kind: str = "Notification", message: str = "", at: datetime = START, **members: Any) -> bytes:
    with warnings.catch_warnings():
        # SNS still signs with SHA-1, which the library of the test authority is about to forget.
        warnings.simplefilter("ignore")
        signed = generator().sign_message(kind, message, at=handfast.timestamp(at), **members)
    return json.dumps(signed).encode()


def sns_policy(**more: Any) -> SnsPolicy:
    policy: SnsPolicy = {"topics": [{"arn": TOPIC}], "pins": [{"pem": LEAF}]}
    policy.update(more)  # type: ignore[typeddict-item]
    return policy


def notified(message: str, at: datetime = START) -> handfast.sns.Notification:
    received = handfast.SnsReceiver(sns_policy()).receive(sign(message=message, at=at), now=at)
    assert received["type"] == "notification"
    return received["notification"]


def instance_event(state: str, at: datetime = START, instance: str = INSTANCE) -> handfast.InstanceEvent:
    text = generator().ec2_state_change(state, instance, at=handfast.timestamp(at))
    received = handfast.aws.read(notified(text, at), [{"topic": TOPIC}])
    assert received["type"] == "instance"
    return received["event"]


def real_vectors(path: str) -> Path:
    """A folder of the vectors from real systems; skips, loudly, where they are not installed."""
    root = Path(os.environ.get("HANDFAST_VECTORS", ROOT / ".." / "shared" / "vectors"))
    found = root / path
    if not found.exists():
        pytest.skip(f"no {found}; set HANDFAST_VECTORS to the folder of vectors")
    return found


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


