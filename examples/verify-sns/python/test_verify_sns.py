"""The real program over the vectors that all three languages share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("verify_sns.py")
VECTORS = Path(__file__).resolve().parents[3] / "core" / "vectors" / "sns"
GOOD = [
    "messages/v2-notification.json",
    "--certificate",
    "certificates/leaf.pem",
    "--topic",
    "arn:aws:sns:us-east-1:123456789012:enroll",
    "--now",
    "2026-03-01T12:00:30Z",
]


def verify_sns(arguments: list[str], program: list[str] | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [*(program or [sys.executable, str(PROGRAM)]), *arguments]
    return subprocess.run(command, cwd=VECTORS, capture_output=True, timeout=60, check=False)


def arguments_of(case: dict[str, Any]) -> list[str]:
    arguments = [case["file"], "--certificate", case["certificate"], "--topic", case["topic"], "--now", case["now"]]
    if "max_age_seconds" in case["options"]:
        arguments += ["--max-age", f"{case['options']['max_age_seconds']}s"]
    switches = {"legacy_rsa_1024": "--legacy-rsa-1024", "development": "--development"}
    return arguments + [switch for name, switch in switches.items() if case["options"].get(name)]


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / "manifest.json").read_bytes())["cases"]
    return found


def wrong() -> list[tuple[list[str], str]]:
    def changed(position: int, value: str) -> list[str]:
        return [*GOOD[:position], value, *GOOD[position + 1 :]]

    return [
        ([], "MESSAGE.json is missing"),
        (GOOD[:1], "--certificate is missing"),
        (GOOD[:3], "--topic is missing"),
        (GOOD[:5], "--now is missing"),
        (GOOD[:6], "--now needs a value"),
        (changed(0, "messages/none.json"), "cannot read messages/none.json: "),
        (changed(2, "certificates/none.pem"), "cannot read certificates/none.pem: "),
        (changed(4, "enroll"), "--topic enroll is not the ARN of a topic"),
        (changed(6, "yesterday"), "--now yesterday is not a time such as 2026-03-01T12:00:30Z"),
        (changed(6, ""), "--now  is not a time such as 2026-03-01T12:00:30Z"),
        ([*GOOD, "--max-age", "soon"], "--max-age soon is not a duration such as 90s, 15m, 1h or 7d"),
        ([*GOOD, "--insecure"], "unknown option --insecure"),
        ([*GOOD, "again.json"], "MESSAGE.json is given twice"),
        ([*GOOD, "--now", "2026-03-01T12:00:30Z"], "--now is given twice"),
    ]


def test_every_case_is_printed_as_the_manifest_says() -> None:
    all_cases = cases()
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda case: verify_sns(arguments_of(case)), all_cases))
    for case, result in zip(all_cases, results, strict=True):
        assert not result.stderr, case["name"]
        line = result.stdout.decode()
        assert line.endswith("\n") and line.count("\n") == 1, case["name"]
        printed = json.loads(line)
        verified = case["expected"]["verdict"] == "verified"
        assert result.returncode == (0 if verified else 1), case["name"]
        if not verified:
            assert printed.pop("reason"), case["name"]
        assert printed == case["expected"], case["name"]
    assert len(all_cases) == 138


def test_wrong_usage_says_what_is_wrong() -> None:
    assert verify_sns(GOOD).returncode == 0
    for arguments, message in wrong():
        result = verify_sns(arguments)
        assert (result.returncode, result.stdout) == (2, b""), arguments
        assert result.stderr.decode().startswith(f"verify-sns: {message}"), arguments
        assert result.stderr.endswith(b"\ntry verify-sns --help\n")


def test_help_goes_to_the_standard_output() -> None:
    result = verify_sns(["--help"])
    assert result.returncode == 0 and not result.stderr
    assert result.stdout.startswith(b"usage: verify-sns MESSAGE.json")


def test_the_rust_program_prints_the_same_bytes() -> None:
    """Where it has been built: ``VERIFY_SNS`` names it, or it lies in the target folder."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", VECTORS.parents[2] / "target"))
    built = [target / profile / "verify-sns" for profile in ("release", "debug")]
    named = os.environ.get("VERIFY_SNS")
    program = named or next((str(path) for path in built if path.exists()), None) or shutil.which("verify-sns")
    if program is None:
        pytest.skip("the Rust program is not built; set VERIFY_SNS")
    all_arguments = [*map(arguments_of, cases()), *(arguments for arguments, _ in wrong()), ["--help"], ["-h"]]

    def outputs(arguments: list[str]) -> list[tuple[int, bytes, bytes]]:
        results = (verify_sns(arguments), verify_sns(arguments, [str(program)]))
        return [(result.returncode, result.stdout, result.stderr) for result in results]

    with ThreadPoolExecutor(2) as pool:
        for arguments, (ours, theirs) in zip(all_arguments, pool.map(outputs, all_arguments), strict=True):
            assert ours == theirs, arguments
    assert len(all_arguments) == 138 + 16
