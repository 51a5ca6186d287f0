"""A whole SNS verification through Python, in turns with Rust and with what one would use instead.

    python benches/python/sns.py [--seconds N] [--rust PATH]

Both of a line verify the same message in the same run, certificate at hand, in short turns. ``--rust`` is the program
``sns_turns`` of the folder ``benches``. Peers that are not installed are left out, loudly.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import handfast

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "core" / "vectors" / "sns"
TOPIC = "arn:aws:sns:us-east-1:123456789012:enroll"
CERTIFICATE = (VECTORS / "certificates" / "leaf.pem").read_bytes()
CALLS = 20

Turn = Callable[[], float]
"""Runs some calls and gives the nanoseconds for each."""


def main() -> None:
    parser = argparse.ArgumentParser(description="A whole SNS verification through Python, beside Rust and its peers.")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long to run for each line")
    parser.add_argument("--rust", type=Path, default=rust_program(), help="the program sns_turns")
    arguments = parser.parse_args()
    for version in ("1", "2"):
        body = (VECTORS / "messages" / f"v{version}-autoscaling-launch-direct.json").read_bytes()
        title = f"sns verify v{version} through Python, body of {len(body)} bytes"
        subject = timed(handfast_call(body))
        with rust(arguments.rust, version) as baseline:
            if baseline is not None:
                compare(f"{title}: handfast in Rust", subject, baseline, arguments.seconds)
        for name, make in peers(version):
            compare(f"{title}: {name}", subject, timed(make(body)), arguments.seconds)


def rust_program() -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "sns_turns"


def compare(title: str, subject: Turn, baseline: Turn, seconds: float) -> None:
    """Runs both in turns, because machines change their speed, and prints the quick turns (the tenth percentile: what
    they cost while nothing else runs) and the medians."""
    turns: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        turns[0].append(subject())
        turns[1].append(baseline())
    ours, theirs = (statistics.quantiles(values, n=10) for values in turns)
    print(
        f"RATIO {title}: {ours[0] / 1000:.2f} us, baseline {theirs[0] / 1000:.2f} us, ratio {ours[0] / theirs[0]:.3f} "
        f"(medians {ours[4] / 1000:.2f} and {theirs[4] / 1000:.2f} us, ratio {ours[4] / theirs[4]:.3f})",
        flush=True,
    )


def timed(call: Callable[[], object]) -> Turn:
    def turn() -> float:
        start = time.perf_counter_ns()
        for _ in range(CALLS):
            call()
        return (time.perf_counter_ns() - start) / CALLS

    return turn


@contextmanager
def rust(program: Path, version: str) -> Iterator[Turn | None]:
    if not program.exists():
        print(f"SKIPPED: no {program}: cargo build --release -p handfast-benches --example sns_turns", file=sys.stderr)
        yield None
        return
    with subprocess.Popen([program, version], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii") as child:
        assert child.stdin is not None and child.stdout is not None
        ask, answer = child.stdin, child.stdout

        def turn() -> float:
            print(CALLS, file=ask, flush=True)
            return float(answer.readline())

        yield turn
        ask.close()


def handfast_call(body: bytes) -> Callable[[], object]:
    """As a host calls it: by the system's clock. The message of the vectors is of another day, so any age will do."""
    any_age = 2**32 - 1
    receiver = handfast.SnsReceiver(
        {"topics": [{"arn": TOPIC}], "max_age_seconds": any_age, "max_ahead_seconds": any_age}
    )
    received = receiver.receive(body)
    assert received["type"] == "need"
    receiver.certificate(received["fetch"]["url"], CERTIFICATE)
    assert receiver.receive(body)["type"] == "notification"
    return lambda: receiver.receive(body)


def peers(version: str) -> Iterator[tuple[str, Callable[[bytes], Callable[[], object]]]]:
    try:
        import cryptography

        yield f"cryptography {cryptography.__version__} by hand", by_hand
    except ImportError:
        print("SKIPPED: cryptography is not installed", file=sys.stderr)
        return
    if version != "1":
        return
    try:
        importlib.import_module("sns_message_validator")

        yield "sns-message-validator", validator
    except ImportError:
        print("SKIPPED: sns-message-validator is not installed", file=sys.stderr)


def by_hand(body: bytes) -> Callable[[], object]:
    """The shortest thing that checks the signature, with the key parsed once."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = x509.load_pem_x509_certificate(CERTIFICATE).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    digests: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")

    def verify() -> object:
        message = json.loads(body)
        signed = "".join(f"{name}\n{message[name]}\n" for name in names if name in message).encode()
        digest = digests[message["SignatureVersion"]]
        key.verify(b64decode(message["Signature"]), signed, padding.PKCS1v15(), digest)
        return message

    verify()
    return verify


def validator(body: bytes) -> Callable[[], object]:
    """The package as it is, with a fetch that costs nothing."""
    module: Any = importlib.import_module("sns_message_validator.sns_message_validator")

    class Response:
        content = CERTIFICATE

    class Requests:
        @staticmethod
        def get(_: str) -> Response:
            return Response()

    module.requests = Requests
    checker = module.SNSMessageValidator()

    def verify() -> object:
        return checker.validate_message(json.loads(body))

    verify()
    return verify


if __name__ == "__main__":
    main()
