"""Templates that need secrets: emissary's own, and the machine around them."""

from __future__ import annotations

import json
import pickle
from datetime import timedelta
from typing import Any

import pytest
from support import START, real_vectors

from handfast import CODES, InvalidInput, Misuse, Secret, TemplateError
from handfast.template import Emissary, Template, split_command

FILE = """---
mode: 0400
dest: /etc/app.conf
onrender: systemctl reload "my app"
secrets:
  tls: { provider: env, id: TLS, missing: optional, deadline_seconds: 60 }
---
db = {{poll "file" "db"}}
tls = {{poll "env" "TLS"}}
"""

FAKE = {"consul_token": "s3cr3t-consul", "empty": "", "html": "a<b>&\"'"}
# Why each of these is refused is told in the core's test of the same vectors.
STRICTER = {
    "mode-missing",
    "mode-setuid",
    "duplicate-key",
    "poll-pipe",
    "dot-field",
    "onrender-unbalanced-quote",
    "onrender-blank",
}


def vectors() -> Any:
    return json.loads((real_vectors("emissary") / "templates-and-shlex.json").read_text("utf-8"))


def test_the_templates_of_emissary_give_the_same_bytes() -> None:
    same = refused = 0
    for vector in vectors()["templates"]:
        if vector["FileExists"] and vector["Name"] not in STRICTER:
            template = Template(vector["File"])
            rendered = template.render([FAKE[need["id"]] for need in template.needs])
            assert rendered.expose() == vector["Rendered"], vector["Name"]
            assert (template.dest, f"{template.mode:o}") == (vector["Dest"], vector["Mode"])
            same += 1
        else:
            with pytest.raises(TemplateError) as raised:
                Template(vector["File"])
            assert raised.value.code.startswith("template_") and raised.value.code in CODES
            refused += 1
    assert (same, refused) == (11, 20)


def test_the_command_lines_of_emissary_have_the_same_words() -> None:
    cases = vectors()["shlex"]
    for case in cases:
        if "error" in case:
            with pytest.raises(TemplateError):
                split_command(case["in"])
        else:
            assert split_command(case["in"]) == case["words"]
    assert len(cases) == 12


def test_a_template_tells_what_it_needs() -> None:
    template = Template(FILE)
    assert template.needs == [
        {"provider": "file", "id": "db", "missing": "wait", "deadline_seconds": None},
        {"provider": "env", "id": "TLS", "missing": "optional", "deadline_seconds": 60},
    ]
    assert (template.mode, template.dest) == (0o400, "/etc/app.conf")
    assert template.command == ["systemctl", "reload", "my app"]
    assert template.render(["{{x}}", Secret("on")]) == Secret("db = {{x}}\ntls = on\n")
    with pytest.raises(Misuse, match="one value for each need"):
        template.render(["one"])
    with pytest.raises(InvalidInput, match="expected a text or a Secret"):
        template.render([7, 8])  # type: ignore[list-item]


def test_the_file_is_written_when_all_are_there_and_then_the_command_runs() -> None:
    emissary = Emissary(Template(FILE), now=START)
    assert emissary.step(now=START) == {
        "type": "poll",
        "secrets": [{"provider": "file", "id": "db"}, {"provider": "env", "id": "TLS"}],
    }
    emissary.supply_failed("env", "TLS", "missing", now=START)
    emissary.supply("file", "db", Secret("hunter2"), now=START)
    assert [need["id"] for need in emissary.waits_for] == ["TLS"]
    step = emissary.step(now=START)
    assert step["type"] == "wait" and step["until"] is not None and step["until"] <= "2026-03-01T12:00:31.500Z"
    emissary.supply_failed("env", "TLS", "unavailable", now=START)
    late = START + timedelta(seconds=60)
    write = emissary.step(now=late)
    assert write["type"] == "write_file"
    assert (write["path"], write["mode"]) == ("/etc/app.conf", 0o400)
    assert write["content"] == Secret("db = hunter2\ntls = \n")
    assert "hunter2" not in f"{write} {emissary!r}"
    emissary.report(False, now=late)
    assert emissary.step(now=late)["type"] != "write_file"
    late += timedelta(seconds=2)
    assert emissary.step(now=late)["type"] == "write_file"
    emissary.report(True, now=late)
    run = {"type": "run_command", "argv": ["systemctl", "reload", "my app"], "timeout_seconds": 30}
    assert emissary.step(now=late) == run
    emissary.report(True, now=late)
    assert emissary.settled
    assert emissary.next_poll is not None
    emissary.supply("env", "TLS", "on", now=late)
    assert not emissary.settled and emissary.step(now=late)["type"] == "write_file"


def test_a_refusal_ends_it() -> None:
    emissary = Emissary(Template(FILE), first_seconds=5, max_seconds=5, refresh_seconds=5)
    emissary.supply_failed("file", "db", "refused")
    message = "secret file db is refused"
    assert emissary.step() == {"type": "failed", "code": "template_refused", "message": message}
    assert emissary.next_poll is None


def test_mistakes_are_said() -> None:
    emissary = Emissary(Template(FILE))
    with pytest.raises(Misuse, match="does not need this secret"):
        emissary.supply("file", "other", "x")
    with pytest.raises(Misuse, match="nothing to report on"):
        emissary.report(True)
    with pytest.raises(InvalidInput):
        emissary.supply_failed("file", "db", "gone")  # type: ignore[arg-type]
    with pytest.raises(TemplateError) as raised:
        emissary.supply("FILE", "db", "x")
    assert raised.value.code == "template_secret"
    for value in (emissary, Template(FILE)):
        with pytest.raises(TypeError):
            pickle.dumps(value)
