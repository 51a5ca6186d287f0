"""Choria's tokens against ``core/vectors/choria/cases.json``, and what Choria's own library says of the same tokens."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from support import VECTORS, load, real_vectors

from handfast import ChoriaError, InvalidInput, Secret
from handfast import inspect as inspect_any
from handfast.choria import (
    HelperReply,
    HelperRequest,
    Issuer,
    IssuerKey,
    VerifiedToken,
    inspect,
    verify,
)

CASES: dict[str, Any] = load(VECTORS / "choria" / "cases.json")
NOW: str = CASES["now"]
DAY_LATER = "2026-01-03T04:04:05Z"
ORGANISATION = IssuerKey(CASES["organisation"])
SERVER: Any = {"type": "server", "identity": "web1.example.net", "collectives": ["choria"]}


def code_of(action: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(ChoriaError) as raised:
        action(*arguments, **more)
    assert "s3cret" not in str(raised.value)
    return raised.value.code


def with_secrets(value: Any) -> Any:
    """The claims of a case as Python has them."""
    if isinstance(value, dict):
        if set(value) == {"$secret"}:
            return Secret(value["$secret"])
        return {name: with_secrets(member) for name, member in value.items()}
    return [with_secrets(item) for item in value] if isinstance(value, list) else value


def issue(case: dict[str, Any], terms: dict[str, Any]) -> Secret:
    issuer, given = Issuer(Secret(case["seed"])), with_secrets(case["claims"])
    if case["kind"] == "appointment":
        return issuer.appoint(given, **terms)
    claims: Any = {"type": case["kind"], **given}
    if "appointment" in case:
        appointment = verify(ORGANISATION, case["appointment"], kind="client", now=NOW)
        return issuer.appointed(appointment).issue(claims, **terms)
    return issuer.issue(claims, **terms)


def test_tokens_are_made_and_read_back() -> None:
    for case in CASES["issued"]:
        kind = case["kind"].replace("appointment", "client")
        terms = {name: value for name, value in case["terms"].items() if name != "at"}
        made = issue(case, {**terms, "now": case["terms"]["at"]})
        tokens = [verify(ORGANISATION, text, kind=kind, now=NOW) for text in (made, case["token"])]
        claims = [json.loads(token.to_json().expose()) for token in tokens]
        for payload in (*claims, case["payload"]):
            payload.pop("jti")  # drawn
            payload.pop("tcs", None)  # over it
        assert claims[0] == claims[1] == case["payload"], case["name"]
    assert len(CASES["issued"]) == 8


def test_what_nobody_could_use_is_not_issued() -> None:
    for case in CASES["refused_to_issue"]:
        claims = {"type": case["kind"], **with_secrets(case["claims"])}
        terms: Any = {"expires_at": DAY_LATER, "public_key": CASES["organisation"], "now": NOW}
        assert code_of(Issuer.generate().issue, claims, **terms) == case["code"], case
    assert len(CASES["refused_to_issue"]) == 12


def test_tokens_of_others_are_judged() -> None:
    for case in CASES["verified"]:
        key, arguments = IssuerKey(case["key"]), {"kind": case["kind"], "now": NOW}
        if "code" in case:
            assert code_of(verify, key, case["token"], **arguments) == case["code"], case["note"]
        else:
            assert verify(key, Secret(case["token"]), **arguments).kind == case["kind"]
    assert len(CASES["verified"]) == 70
    for key in CASES["refused_keys"]:
        assert code_of(IssuerKey, key) == "choria_unusable_key"


def test_a_look_at_a_token_proves_and_shows_nothing() -> None:
    token = inspect(CASES["issued"][1]["token"])
    assert token.kind == "provisioning"
    assert (token.token, token.password) == (Secret("s3cret"), Secret("n4ts <&>"))
    shown = token.describe()
    assert shown["claims"]["srv_domain"] == "example.net" and shown["expires_at"] == "2026-01-03T03:04:05.000Z"
    assert shown["claims"]["extensions"] == {"customer": "[redacted]", "deep": "[redacted]"}
    assert "s3cret" not in f"{shown}{token!r}" and "n4ts" not in str(shown)
    verified = verify(ORGANISATION, CASES["issued"][1]["token"], kind="provisioning", now=NOW)
    assert verified.describe()["claims"]["extensions"]["deep"] == {"someKey": [1, 2.5, None, {"a_b": True}]}
    telling = inspect(CASES["telling"])
    urls = telling.describe()["claims"]["urls"]
    assert urls == ["nats://a.example.net:4222", "nats://b.example.net"]
    assert telling.password == Secret("hunter2") and "hunter2" not in f"{telling.describe()}{telling!r}"
    assert "hunter2" not in str(inspect_any(CASES["telling"]))
    for value in (token, verified, Issuer.generate()):
        with pytest.raises(TypeError):
            pickle.dumps(value)
    with pytest.raises(TypeError):
        VerifiedToken()


def test_arguments_are_named_where_they_are_wrong() -> None:
    issuer = Issuer.generate()
    assert Issuer(issuer.seed()).public_key == issuer.public_key and issuer.seed().expose() not in repr(issuer)
    wrong: list[tuple[Any, str]] = [
        ({**SERVER, "identity": 7}, "identity"),
        ({**SERVER, "permissions": {"stream": True}}, "permissions.stream"),
        ({**SERVER, "type": "user"}, "type"),
        ({"type": "provisioning"}, ""),
    ]
    for claims, path in wrong:
        with pytest.raises(InvalidInput) as raised:
            issuer.issue(claims, expires_at=DAY_LATER, public_key=issuer.public_key, now=NOW)
        assert raised.value.path == path
    with pytest.raises(InvalidInput, match="expected provisioning"):
        verify(ORGANISATION, "x", kind="user", now=NOW)  # type: ignore[arg-type]


def test_the_helpers_conversation() -> None:
    helper = CASES["helper"]
    request = HelperRequest.from_json(helper["request"])
    assert json.loads(request.to_json().expose()) == json.loads(helper["request"])
    assert request.inventory() == {"facts": {"os": "é"}} and request.token == Secret("s3cret")
    assert "s3cret" not in f"{request.describe()}{request!r}"
    for text in helper["refused_requests"]:
        assert code_of(HelperRequest.from_json, text) == "choria_malformed_helper", text
    for case in helper["replies"]:
        reply = HelperReply.from_json(case["json"])
        assert reply.expires_at(now=NOW) == case["expires_at"]
        if "server" in case:
            assert reply.server("n") == {"type": "server", **case["server"]}
        assert HelperReply.from_json(reply.to_json(now=NOW).expose()).expires_at(now=NOW) == case["expires_at"]
    for case in helper["refused_replies"]:
        code = code_of(lambda text=case["json"]: HelperReply.from_json(text).expires_at(now=NOW))
        assert code == case["code"], case
    reply = HelperReply({"key": Secret("-----BEGIN"), "server_claims": {"exp": 7200}})
    assert json.loads(reply.to_json(now=NOW).expose())["server_claims"]["exp"] == 1767326645 + 7200
    assert reply.key == Secret("-----BEGIN") and "BEGIN" not in str(reply.describe())


def test_a_node_is_provisioned() -> None:
    organisation, provisioner, node = Issuer.generate(), Issuer.generate(), Issuer.generate()
    key = IssuerKey(organisation.public_key)
    terms: Any = {"expires_at": DAY_LATER, "now": NOW}
    appointment = organisation.appoint({"callerid": "up=prov"}, public_key=provisioner.public_key, **terms)
    chain = provisioner.appointed(verify(key, appointment, kind="client", now=NOW))
    fleet: Any = {"type": "provisioning", "token": Secret("s3cret"), "urls": ["nats://a"], "extensions": {"role": "db"}}
    carried = verify(key, organisation.issue(fleet, **terms), kind="provisioning", now=NOW)

    node_key: Any = {"public_key": node.public_key}
    asked = HelperRequest(identity="db1", inventory="{}", ed25519_pubkey=node_key, jwt=carried).to_json()
    role = HelperRequest.from_json(asked.expose()).describe()["jwt"]["claims"]["extensions"]["role"]
    reply = HelperReply({"server_claims": {"collectives": [role]}, "configuration": {"a": "b"}})
    issued = chain.issue(reply.server("db1"), public_key=node.public_key, **terms)
    server = verify(key, issued, kind="server", now=NOW).describe()
    assert (server["claims"]["identity"], server["claims"]["collectives"]) == ("db1", ["db"])
    assert server["public_key"] == node.public_key
    assert code_of(chain.issue, fleet, public_key=node.public_key, **terms) == "choria_not_an_issuer"
    other = verify(key, issued, kind="server", now=NOW)
    assert code_of(HelperRequest, identity="a", inventory="", jwt=other) == "choria_wrong_purpose"


# What handfast refuses and the library does not; the reasons are in `core/tests/choria/library.rs`.
STRICTER = {
    "prov-trailing-newline": "jwt_encoding",
    "prov-both-srv-and-urls": "choria_two_brokers",
    "prov-iat-future": "jwt_issued_ahead",
}


def test_the_library_says_the_same() -> None:
    verdicts, met = load(real_vectors("choria/library-verdicts.json")), set()
    for case in verdicts["cases"]:
        key = verdicts["keys"][case["verify_key"]]
        key = IssuerKey(key.get("public_hex") or key["public_pem"])
        arguments = {"kind": case["kind"], "now": "2026-04-01T00:00:00Z"}
        if case["name"] in STRICTER or not case["ok"]:
            code = code_of(verify, key, case["token"], **arguments)
            assert code == STRICTER.get(case["name"], code), case["name"]
            met |= {case["name"]} if case["ok"] else set()
        else:
            claims = verify(key, case["token"], **arguments).to_json().expose()
            assert json.loads(claims) == case["claims_as_parsed"], case["name"]
    assert met == set(STRICTER) and len(verdicts["cases"]) >= 35
