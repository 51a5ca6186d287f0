"""SPIFFE and SPIRE: the same cases as in every language, and an executor as a host would write it."""

from __future__ import annotations

import base64
import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from support import OPERATOR, VECTORS, Host, load

import handfast
from handfast import InvalidInput, Secret, SpireError, spire, work
from handfast.types import Effect, EffectOutcome

CASES: dict[str, Any] = load(VECTORS / "spire" / "cases.json")
DOMAIN: str = CASES["trust_domain"]
TOKEN: str = CASES["alias"]["token"]


def code_of(action: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises((SpireError, InvalidInput)) as raised:
        action(*arguments, **more)
    assert TOKEN not in str(raised.value)
    return raised.value.code


def read(case: dict[str, Any]) -> spire.Bundle:
    if "json" in case:
        return spire.Bundle.from_json(case["json"], trust_domain=DOMAIN)
    return spire.Bundle.from_pem(case["pem"], trust_domain=DOMAIN)


def test_bundles_come_out_as_in_every_language() -> None:
    bundles = CASES["bundles"]
    for case in bundles["made"]:
        bundle = read(case)
        assert (bundle.trust_domain, bundle.to_json(), bundle.to_pem()) == (DOMAIN, case["json"], case["pem"])
        assert [base64.b64encode(der).decode() for der in bundle.x509_authorities] == case["x509_authorities"]
        keys = {name: base64.b64encode(spki).decode() for name, spki in bundle.jwt_authorities.items()}
        assert keys == case["jwt_authorities"]
        assert bundle.sequence == case["sequence"] and bundle.refresh_hint_seconds == case["refresh_hint_seconds"]
        from_pem = spire.Bundle.from_pem(case["pem"], trust_domain=DOMAIN)
        assert from_pem.x509_authorities == bundle.x509_authorities and (from_pem == bundle) == (not keys)
    for case in bundles["read"]:
        assert read(case).to_json() == case["expected"], case["note"]
    for case in bundles["refused"]:
        assert code_of(read, case) == case["code"], case["note"]
    for case in bundles["replies"]:
        more = {"trust_domain": DOMAIN, "now": CASES["now"]}
        if "code" in case:
            assert code_of(spire.Bundle.from_reply, case["reply"], **more) == case["code"], case["note"]
        else:
            assert spire.Bundle.from_reply(case["reply"], **more).to_json() == case["json"], case["note"]
    counts = [len(bundles[group]) for group in ("made", "read", "refused", "replies")]
    assert counts == [3, 3, 37, 17]


def test_entries_come_out_as_in_every_language() -> None:
    entries = CASES["entries"]
    for case in entries["made"]:
        assert spire.entry(case["entry"]) == case["expected"]
    for case in entries["refused"]:
        assert code_of(spire.entry, case["entry"]) == case["code"], case["note"]
    assert [len(entries[group]) for group in ("made", "refused")] == [2, 16]


def test_an_alias_shows_the_token_only_when_it_is_asked() -> None:
    case = CASES["alias"]
    for token in (TOKEN, Secret(TOKEN)):
        alias = spire.AliasEntry(token, id=case["id"], spiffe_id=case["spiffe_id"])
        assert alias.expose() == case["expected"]
        assert TOKEN not in repr(alias) + str(alias)
        with pytest.raises(TypeError):
            pickle.dumps(alias)
    for refused in case["refused"]:
        more = {"id": case["id"], "spiffe_id": refused["spiffe_id"]}
        assert code_of(spire.AliasEntry, refused["token"], **more) == "spire_invalid_request"
    assert code_of(spire.AliasEntry, TOKEN, id="a/b", spiffe_id=case["spiffe_id"]) == "invalid_input"


def test_a_join_token_says_how_long_it_lives() -> None:
    for case in CASES["join_tokens"]:
        more = {"expires_at": case["expires_at"], "now": CASES["now"]}
        if case["ttl"] is None:
            assert code_of(spire.JoinTokenRequest, TOKEN, **more) == "spire_invalid_request"
            continue
        request = spire.JoinTokenRequest(Secret(TOKEN), agent_id="spiffe://example.org/a", **more)
        assert (request.ttl, request.token.expose(), request.agent_id) == (case["ttl"], TOKEN, "spiffe://example.org/a")
        assert TOKEN not in repr(request)


def test_a_member_has_one_of_its_names() -> None:
    twice = {"trust_domain": DOMAIN, "trustDomain": DOMAIN}
    assert code_of(spire.Bundle.from_reply, twice, trust_domain=DOMAIN) == "invalid_input"


def test_answers_mean_the_same_in_every_language() -> None:
    outcomes = CASES["outcomes"]
    wanted = outcomes["wanted"]
    for case in outcomes["created"]:
        found = spire.created_entry_outcome(case["status"], wanted=wanted, found=case["found"])
        assert found == case["outcome"], case
    for case in outcomes["join_token"]:
        assert spire.join_token_outcome(case["status"], case["message"]) == case["outcome"], case
    for case in outcomes["deleted"]:
        assert spire.deleted_entry_outcome(case["status"]) == case["outcome"], case
    assert [len(outcomes[group]) for group in ("created", "join_token", "deleted")] == [26, 7, 5]


def test_names_have_one_spelling_in_every_language() -> None:
    names = CASES["names"]
    for case in names["trust_domains"]:
        if case["valid"]:
            assert spire.Bundle.from_json('{"keys":[]}', trust_domain=case["text"]).trust_domain == case["text"]
        else:
            assert code_of(spire.Bundle.from_json, '{"keys":[]}', trust_domain=case["text"]) == "invalid_input", case
    for group, parts in (("ids", spire.spiffe_id), ("selectors", spire.selector)):
        for case in names[group]:
            if case["parts"] is None:
                assert code_of(parts, case["text"]) == "invalid_input", case
            else:
                assert parts(case["text"]) == case["parts"]
    assert [len(names[group]) for group in ("trust_domains", "ids", "selectors")] == [14, 29, 17]


def shown(error: BaseException) -> str:
    """All that a log could show of an error."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + repr(error.args)


def test_slips_are_told_without_what_was_found() -> None:
    """The token stands in all of them; a slip is no ``collision``, upon which ours would be given up."""
    for case in CASES["slips"]:
        with pytest.raises(InvalidInput) as raised:
            spire.created_entry_outcome(6, wanted=case["wanted"], found=case["found"])
        assert raised.value.path == case["path"], case["note"]
        assert str(raised.value).startswith(f"{case['path']}: "), case["note"]
        assert TOKEN not in shown(raised.value), case["note"]
    assert len(CASES["slips"]) == 22


def test_no_secret_is_seen_in_a_request_or_an_error() -> None:
    later: Any = {"expires_at": "2026-01-02T03:14:05Z", "now": CASES["now"]}
    request = spire.JoinTokenRequest(TOKEN, **later)
    assert TOKEN not in f"{request!r} {request} {[request]} {request.token!r} {request.token}"
    for dump in (json.dumps, pickle.dumps):
        with pytest.raises(TypeError) as unwritten:
            dump(request)
        assert TOKEN not in shown(unwritten.value)
    anything: Any = TOKEN.encode()
    mistakes: list[Callable[[], object]] = [
        lambda: spire.JoinTokenRequest(f"{TOKEN}/", **later),
        lambda: spire.JoinTokenRequest(TOKEN, agent_id=TOKEN, **later),
        lambda: spire.JoinTokenRequest(TOKEN, expires_at=TOKEN),
        lambda: spire.JoinTokenRequest(anything, **later),
        lambda: spire.AliasEntry(f"{TOKEN} ", id="a", spiffe_id="spiffe://example.org/a"),
        lambda: spire.AliasEntry(TOKEN, id=f"{TOKEN}/", spiffe_id="spiffe://example.org/a"),
        lambda: spire.AliasEntry(TOKEN, id="a", spiffe_id=TOKEN),
        lambda: spire.entry({"id": Secret(TOKEN)}),
        lambda: spire.entry({"id": f"{TOKEN}/"}),
        lambda: spire.spiffe_id(TOKEN),
        lambda: spire.selector(TOKEN),
        lambda: spire.Bundle.from_pem(TOKEN, trust_domain=DOMAIN),
        lambda: spire.Bundle.from_json(TOKEN, trust_domain=DOMAIN),
        lambda: spire.Bundle.from_pem("", trust_domain=f"{TOKEN}/"),
    ]
    for mistake in mistakes:
        with pytest.raises((SpireError, InvalidInput)) as raised:
            mistake()
        assert TOKEN not in "".join(map(repr, (raised.value, raised.value.args, vars(raised.value), raised.value.__cause__)))


def test_an_executor_makes_what_a_package_wants_and_takes_it_away() -> None:
    """The server's side is a dict here; ``make test-spire`` has the real one."""
    server: dict[str, spire.Entry] = {}
    tokens: dict[str, int] = {}
    template = "spiffe://{trust_domain}/agents/{package}"
    rules: Any = {"trust_domain": DOMAIN, "agent_id": template, "parent_id": template, "selectors": ["unix:uid:1000"]}
    host = Host(policy={"spire": rules | {"spiffe_id": "spiffe://{trust_domain}/edge/{name}"}})

    def ensure(wanted: spire.Entry) -> spire.Outcome:
        found = server.setdefault(wanted["id"], wanted)
        return spire.created_entry_outcome(0 if found is wanted else 6, wanted=wanted, found=found)

    def execute(effect: Effect, revealed: object) -> EffectOutcome:
        task = effect["work"]
        if task["type"] == "ensure_spire_join_token":
            assert isinstance(revealed, Secret)
            request = spire.JoinTokenRequest(revealed, expires_at=task["expires_at"], now=host.now)
            tokens[request.token.expose()] = request.ttl
            outcome = spire.join_token_outcome(0)
        elif task["type"] == "ensure_spire_alias":
            assert isinstance(revealed, Secret)
            outcome = ensure(spire.AliasEntry(revealed, id=task["id"], spiffe_id=task["spiffe_id"]).expose())
        elif task["type"] == "ensure_spire_entry":
            outcome = ensure(spire.entry(task["entry"]))
        else:
            assert task["type"] == "delete_spire_entry"
            outcome = spire.deleted_entry_outcome(0 if server.pop(task["id"], None) else 5)
        assert outcome == "done"
        return {"type": "done"}

    contents: Any = [{"type": "spire_join_token"}, {"type": "spire_entry", "x509_svid_ttl_seconds": 600}]
    package = host.issue(contents=contents, deliver=False)["package"]
    assert work.perform(host.store, execute, registrar=host.registrar, now=host.now) == 3
    assert list(tokens.values()) == [900]
    assert sorted(entry["spiffe_id"]["path"] for entry in server.values()) == [f"/agents/{package}", "/edge/edge-1"]
    assert not any(token in event for token in tokens for event in host.events())
    host.run(handfast.revoke(package=package, authority=OPERATOR))
    assert work.perform(host.store, execute, registrar=host.registrar, now=host.now) == 2
    assert server == {}


def test_a_pasted_text_is_named_without_its_secret() -> None:
    token = "abcdef.0123456789abcdef"
    for text in (token, Secret(token), f" {token}\n"):
        inspected = handfast.inspect(text)
        assert inspected == {"type": "kubernetes_bootstrap_token", "id": "abcdef", "secret_name": "bootstrap-token-abcdef"}
    assert handfast.inspect("hf1_x") == {"type": "malformed", "like": "enrollment_token", "code": "malformed_token"}
    cut = {"type": "malformed", "like": "service_radar", "code": "serviceradar_malformed_token"}
    assert handfast.inspect("edgepkg-v2:x") == cut
    edge = f"edgepkg-v2:eyJwa2ciOiJodW50ZXIyIiwiZGwiOiJodW50ZXIyIn0.{'A' * 86}"
    assert handfast.inspect(edge) == {"type": "service_radar", "kind": "edge"}
    assert handfast.inspect("eyJhbGciOiJFUzI1NiJ9.e30") == {"type": "malformed", "like": "jwt", "code": "jwt_not_compact"}
    assert handfast.inspect("hunter2") == {"type": "unknown"}
    with pytest.raises(InvalidInput):
        handfast.inspect(7)  # type: ignore[arg-type]


def test_pasted_texts_are_named_as_in_every_language() -> None:
    cases: list[dict[str, Any]] = load(VECTORS / "inspect" / "cases.json")
    for case in cases:
        for text in (case["text"], Secret(case["text"])):
            inspected = handfast.inspect(text)
            assert inspected == case["expected"], case["note"]
            seen = repr(inspected) + json.dumps(inspected)
            assert not [hidden for hidden in case["hidden"] if hidden in seen], case["note"]
    assert len(cases) == 55
