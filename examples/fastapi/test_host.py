"""The host over HTTP: what an operator, a node and a stranger see of it."""

from __future__ import annotations

import ast
import importlib.util
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

import handfast
from handfast.stores.sqlite import SqliteStore
from handfast.types import Effect, EffectOutcome, KeyRing, SigningRing

PROGRAM = Path(__file__).with_name("host.py")
ANN = {"Authorization": "Bearer ann's token"}
OPERATORS = {sha256(b"ann's token").hexdigest(): "ann"}
URL = "https://enrol.example.org"
SIGNING = handfast.NodeKey.generate("EdDSA")


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fastapi_host", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fastapi_host"] = module
    spec.loader.exec_module(module)
    return module


def registrar() -> handfast.Registrar:
    keys: KeyRing = {"current": "k1", "keys": {"k1": bytes(range(32))}}
    signing: SigningRing = {"current": "s1", "keys": {"s1": SIGNING}}
    return handfast.Registrar({"base_url": URL}, peppers=keys, sealing=keys, signing=signing)


performed: list[str] = []


def executor(effect: Effect, _: object) -> EffectOutcome:
    performed.append(effect["work"]["type"])
    return {"type": "done"}


def client(path: Path) -> TestClient:
    return TestClient(load().create_app(SqliteStore(path), registrar(), OPERATORS, executor), client=("192.0.2.7", 4711))


@pytest.fixture
def http(tmp_path: Path) -> Iterator[TestClient]:
    with client(tmp_path / "handfast.sqlite") as http:
        yield http


def issue(http: TestClient, **package: Any) -> str:
    response = http.post("/packages", json={"name": "edge-1", **package}, headers=ANN)
    assert response.status_code == 200, response.text
    assert "token" not in response.json()
    return str(response.json()["package"])


class Node:
    """A node with its key, as RFC 9449 has it."""

    def __init__(self, http: TestClient) -> None:
        self.http, self.key, self.nonce = http, handfast.NodeKey.generate(), ""

    def post(self, path: str, token: str, body: dict[str, Any] | None = None) -> Response:
        for _ in range(2):
            proof = self.key.make_proof(method="POST", url=URL + path, token=token, nonce=self.nonce or None)
            headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
            response = self.http.post(path, json=body or {}, headers=headers)
            if response.status_code != 401:
                break
            assert response.json() == {"code": "use_nonce"}
            self.nonce = response.headers["dpop-nonce"]
        return response


def test_a_node_is_enrolled(http: TestClient) -> None:
    package = issue(http, contents=[{"type": "file", "name": "agent.env", "content": "PASSWORD=hunter2"}])
    response = http.post(f"/packages/{package}/deliver", headers=ANN)
    assert response.headers["cache-control"] == "no-store"
    token = response.json()["token"]
    assert token.startswith("hf1_")

    node = Node(http)
    response = node.post("/redeem", token)
    assert response.headers["cache-control"] == "no-store"
    grant = response.json()
    assert grant["contents"] == [{"type": "file", "name": "agent.env", "content": "PASSWORD=hunter2"}]
    assert node.post("/redeem", token).json() == {**grant, "again": True}

    check_in = {"node": grant["node"], "sequence": 1, "attempt": "first"}
    checked_in = node.post("/check-in", grant["credential"]["token"], check_in).json()
    assert checked_in["type"] == "checked_in"
    thief = Node(http).post("/check-in", checked_in["credential"]["token"], {**check_in, "sequence": 2})
    assert (thief.status_code, thief.json()) == (403, {"detail": "denied"})
    response = Node(http).post("/redeem", token)
    assert (response.status_code, response.json()) == (403, {"detail": "denied"})


def test_operators_show_their_token(http: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}):
        for path in ("/packages", f"/packages/{'0' * 8}/deliver"):
            assert http.post(path, json={"name": "a"}, headers=headers).status_code == 401


def test_a_caller_cannot_choose_its_authority(http: TestClient, tmp_path: Path) -> None:
    issue(http, authority="operator:mallory", type="revoke")
    with SqliteStore(tmp_path / "handfast.sqlite") as store:
        facts = [registrar().view(row)["authority"] for _, row in store.events()]
    assert facts and set(facts) == {"operator:ann"}


def test_what_is_wrong_is_said_with_its_place(http: TestClient) -> None:
    for package, path in [({"name": "a/b"}, "name"), ({"name": "a", "ttl": 1}, "ttl"), ({}, "")]:
        response = http.post("/packages", json=package, headers=ANN)
        assert (response.status_code, response.json()["path"]) == (400, path)
    assert http.post("/redeem", json={"token": 7}).status_code == 422
    response = http.post("/redeem", headers={"Authorization": "DPoP hf1_x", "DPoP": "nonsense"})
    assert (response.status_code, response.json()) == (400, {"detail": "malformed"})


def test_a_stranger_learns_nothing(http: TestClient) -> None:
    unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert http.post(f"/packages/{unknown}/deliver", headers=ANN).status_code == 404
    for token in ("hf1_guessed", "x"):
        response = Node(http).post("/redeem", token)
        assert (response.status_code, response.json()) == (400, {"detail": "malformed"})


def test_records_outlive_the_process(tmp_path: Path) -> None:
    with client(tmp_path / "handfast.sqlite") as http:
        package = issue(http)
    with client(tmp_path / "handfast.sqlite") as http:
        token = http.post(f"/packages/{package}/deliver", headers=ANN).json()["token"]
        assert Node(http).post("/redeem", token).status_code == 200
    with SqliteStore(tmp_path / "handfast.sqlite") as store:
        (claimed,) = (row for _, row in store.events() if row["fact"] == "node_claimed")
        assert registrar().view(claimed)["source"] == "192.0.2.7"


def test_deadlines_and_effects_are_seen_to_while_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "handfast.sqlite"
    with SqliteStore(path) as store:
        old = handfast.issue(name="old", authority="operator:ann", ttl_seconds=60)
        handfast.run(store, old, registrar=registrar(), now="2026-01-01T00:00:00Z")
        with client(path) as http:
            package = issue(http, contents=[{"type": "host", "kind": "client"}])
            for _ in range(50):
                response = http.post(f"/packages/{package}/deliver", headers=ANN)
                if response.status_code == 200:
                    break
                assert response.json() == {"detail": "later"}
                time.sleep(0.1)
        assert response.status_code == 200 and performed == ["ensure_host"]
        assert [row["index"].get("status") for row in store.records()] == ["expired", "delivered"]


def test_it_starts_from_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("PEPPER", "SEALING"):
        monkeypatch.setenv(f"HANDFAST_{name}", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=")
    monkeypatch.setenv("HANDFAST_URL", URL)
    monkeypatch.setenv("HANDFAST_SIGNING", SIGNING.to_pem().expose())
    monkeypatch.setenv("HANDFAST_OPERATOR_SHA256", next(iter(OPERATORS)))
    with TestClient(load().from_environment()) as http:
        issue(http)
    assert (tmp_path / "handfast.sqlite").exists()


def test_it_is_short() -> None:
    """At most sixty lines that are neither blank nor imports."""
    source = PROGRAM.read_text("utf-8")
    imports = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = [line for number, line in enumerate(source.splitlines(), 1) if line.strip() and number not in imports]
    assert len(lines) <= 60 and max(map(len, lines)) <= 120
