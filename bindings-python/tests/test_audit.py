"""What an auditor can tell from the stored log alone, and download links."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import pickle
import struct
from datetime import datetime
from typing import Any

import pytest
from support import ROOT, START, Host, ring

import handfast
from handfast import audit
from handfast.types import EventRow

SOURCE = "https://enroll.example.org"


def day() -> Host:
    """One package is used, one is revoked; a stranger comes."""
    host = Host()
    token = host.issue("edge-1")["token"]
    other = host.issue("edge-2")["package"]
    redeemed = host.redeem(token, "machine-1")
    host.after(30).run(handfast.check_in(node=redeemed["node"], fingerprint="machine-1", sequence=1))
    host.run(handfast.redeem(token=token, fingerprint="machine-2"))
    host.run(handfast.revoke(authority="operator:ann", package=other))
    return host


def log_of(host: Host) -> list[EventRow]:
    assert isinstance(host.store, handfast.Ledger)
    return host.store.events()


def test_a_whole_log_leads_to_its_heads() -> None:
    log = log_of(day())
    chain = audit.Chain()
    for row in log:
        chain.feed(row)
    heads = chain.heads()
    assert chain.finish() == [] and chain.fed == len(log) and chain.unlinked == 0
    assert heads == sorted(heads, key=lambda head: head["key"])
    last = {row["key"]: row for row in log}
    assert heads == [audit.head(last[key]) for key in sorted(last)]
    assert all(head["digest"] == hashlib.sha256(last[head["key"]]["body"].encode()).hexdigest() for head in heads)
    line = audit.root(heads)
    assert line.startswith(f"handfast-audit-1 {len(heads)} {len(log)} ") and line == audit.root(heads[::-1])

    again = audit.Chain(expect=heads)
    for row in log:
        again.feed(row["body"])
    assert again.finish() == []
    middle = audit.Chain()
    for row in log[:5]:
        middle.feed(row)
    rest = audit.Chain(checkpoints=middle.heads(), expect=heads)
    for row in log[5:]:
        rest.feed(row)
    assert rest.finish() == [] and rest.heads() == heads


def test_what_is_done_to_a_log_shows() -> None:
    log = [row["body"] for row in log_of(day())]
    heads = [audit.head(body) for body in log]
    altered = [body.replace("operator:ann", "operator:bob", 1) for body in log]
    found: list[handfast.AuditError] = []
    chain = audit.Chain(expect=list({head["key"]: head for head in heads}.values()))
    for body in altered:
        try:
            chain.feed(body)
        except handfast.AuditError as error:
            found.append(error)
    first = found[0]
    assert first.code == "audit_wrong_digest" and first.version == 2 and (first.key or "").startswith("package/")
    assert first.position is not None and json.loads(log[first.position])["key"] == first.key
    assert {broken["code"] for broken in chain.finish()} == {"audit_other_head"}

    empty = audit.Chain(expect=heads[:1])
    assert empty.finish() == [
        {
            "code": "audit_unreached_head",
            "message": "was published, and is not in the log",
            "key": heads[0]["key"],
            "version": 1,
        }
    ]
    for body, code in [
        ("hunter2", "audit_malformed_fact"),
        (log[0].replace(":", ": ", 1), "audit_not_canonical"),
        (log[2], "audit_missing_facts"),
    ]:
        with pytest.raises(handfast.AuditError) as raised:
            audit.Chain().feed(body)
        assert raised.value.code == code and raised.value.position == 0
        assert "hunter2" not in str(raised.value)
        assert isinstance(pickle.loads(pickle.dumps(raised.value)), handfast.AuditError)
    with pytest.raises(handfast.InvalidInput) as invalid:
        audit.Chain(expect=[{"key": "k", "version": 1, "digest": "00"}])
    assert invalid.value.path == "expect[0].digest"


def test_a_log_of_schema_1_is_read_and_said_to_be_unlinked() -> None:
    log = (ROOT / "core/vectors/ledger/events-schema-1.jsonl").read_text("utf-8").splitlines()
    chain = audit.Chain()
    for body in log:
        chain.feed(body)
    assert chain.unlinked == len(log) - len(chain.heads()) > 0


def events_and_refusals(host: Host) -> list[audit.CloudEvent]:
    assert isinstance(host.store, handfast.Ledger)
    notices = [row["notice"] for row in host.store.notices()]
    assert notices
    events = [audit.cloud_event(row, source=SOURCE) for row in host.store.events()]
    return events + [audit.cloud_event_of_notice(notice, source=SOURCE) for notice in notices]


def test_facts_and_refusals_are_cloudevents() -> None:
    host = day()
    first, *_, refusal = events_and_refusals(host)
    row = log_of(host)[0]
    assert first == {
        "id": f"{row['key']}#1",
        "source": SOURCE,
        "specversion": "1.0",
        "type": "io.handfast.package_issued.v2",
        "subject": row["key"],
        "time": row["at"],
        "datacontenttype": "application/json",
        "data": json.loads(row["body"]),
    }
    assert refusal["type"] == "io.handfast.refused.v1" and refusal["data"]["code"] == "already_claimed"
    with pytest.raises(handfast.InvalidInput) as invalid:
        audit.cloud_event(row, source="not a uri")
    assert invalid.value.path == "source"
    with pytest.raises(handfast.StoreError):
        audit.cloud_event("{}", source=SOURCE)
    with pytest.raises(handfast.InvalidInput):
        audit.cloud_event_of_notice({}, source=SOURCE)  # type: ignore[typeddict-item]


def test_the_sdk_of_the_cloudevents_project_reads_them() -> None:
    formats = pytest.importorskip("cloudevents.core.formats.json", reason="SKIPPED: pip install cloudevents")
    from cloudevents.core.v1.event import CloudEvent

    exported = events_and_refusals(day())
    assert len({event["id"] for event in exported}) == len(exported) > 10
    for event in exported:
        read = formats.JSONFormat().read(CloudEvent, json.dumps(event))
        assert (read.get_id(), read.get_source(), read.get_type()) == (event["id"], SOURCE, event["type"])
        assert read.get_subject() == event["subject"] and read.get_data() == event["data"]
        assert read.get_time().tzinfo is not None and read.get_specversion() == "1.0"


def test_a_tally_is_the_same_in_parts() -> None:
    log = log_of(day())
    whole = audit.Tally()
    for row in log:
        whole.add(row)
    (row_,) = whole.rows()
    assert (row_["scope"], row_["month"]) == ("default", "2026-03")
    assert (row_["issued"], row_["activated"], row_["revoked"], row_["expired"]) == (2, 1, 1, 0)
    assert row_["time_to_activate"]["sum_ms"] == 30_000 and sum(row_["time_to_activate"]["buckets"]) == 1

    parts = [audit.Tally(), audit.Tally()]
    for place, row in enumerate(log):
        parts[place % 2].add(row["body"])
    merged = audit.Tally.from_json(parts[0].to_json())
    merged.merge(parts[1])
    assert merged.to_json() == whole.to_json()
    for broken in ("", "{}x", '{"open": 1}'):
        with pytest.raises(handfast.StoreError):
            audit.Tally.from_json(broken)
    with pytest.raises(handfast.StoreError):
        whole.add("{}")


def link_text(package: bytes, number: int, expires_at: int, key: bytes = b"\1" * 32, kid: str = "k1") -> str:
    """As the documentation of links has it."""
    payload = package + struct.pack(">Iq", number, expires_at)
    mac = hmac.digest(key, b"handfast link 1\n" + kid.encode() + b"\n" + payload, "sha256")
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (payload, mac)]
    return f"hfl1_{kid}.{parts[0]}.{parts[1]}"


PACKAGE = "019b7ca9-8c88-7118-b0d3-641a68f94a69"


def test_a_link_is_believed_only_when_it_is_authentic_and_in_time() -> None:
    links = handfast.link.Links(ring())
    end = int(START.timestamp() * 1000) + 1
    text = link_text(bytes.fromhex(PACKAGE.replace("-", "")), 3, end)
    for given in (text, handfast.Secret(text)):
        link = links.verify(given, now=START)
        assert (link.package, link.number, link.expires_at) == (PACKAGE, 3, "2026-03-01T12:00:30.001Z")
    cases: list[tuple[str, datetime | str, str]] = [
        (text, "2026-03-01T12:00:30.001Z", "link_expired"),
        (text[:-1], START, "link_malformed"),
        (text.replace(".", "/"), START, "link_malformed"),
        (text.replace("k1", "k2"), START, "link_unknown_key"),
        (link_text(bytes(16), 3, end, key=b"\2" * 32), START, "link_forged"),
    ]
    for wrong, now, code in cases:
        with pytest.raises(handfast.LinkError) as raised:
            links.verify(wrong, now=now)
        assert raised.value.code == code and wrong not in str(raised.value)


def test_evidence_and_keys_are_not_made_or_copied_out() -> None:
    links = handfast.link.Links(ring())
    with pytest.raises(TypeError):
        handfast.link.VerifiedLink()
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            copied(links)
    shown: Any = repr(links) + repr(audit.Chain()) + repr(audit.Tally())
    assert shown.count("<handfast.") == 3
    with pytest.raises(handfast.InvalidInput) as invalid:
        links.verify(7)  # type: ignore[arg-type]
    assert invalid.value.path == "link"
    with pytest.raises(handfast.InvalidInput):
        handfast.link.Links({"current": "k1", "keys": {"k1": b"short"}})
