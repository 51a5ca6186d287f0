"""verify-sns: says why an Amazon SNS message verifies, or does not.

The same program exists in Rust, Python and Node, with the same command line and the same output.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO, TypeVar

import handfast
from handfast.sns import Verdict, parse_duration, parse_topic_arn, verify_once

HELP = """\
usage: verify-sns MESSAGE.json --certificate FILE.pem --topic ARN --now RFC3339
                  [--max-age DURATION] [--legacy-rsa-1024] [--development]

Verifies one Amazon SNS message as it was posted and prints one line of JSON.

  MESSAGE.json         the body of the HTTP request
  --certificate FILE   the signing certificate, or a public key, in PEM
  --topic ARN          the topic that is expected
  --now RFC3339        the present, for example 2026-03-01T12:00:30Z
  --max-age DURATION   how old the message may be: 90s, 15m, 1h, 7d, or seconds; default 1h
  --legacy-rsa-1024    accept the 1024-bit certificates that SNS had until 2013
  --development        accept an emulator's certificate and certificate URL
  --help               print this

exit status: 0 verified, 1 rejected, 2 wrong usage
"""

OPTIONS = ("--certificate", "--topic", "--now", "--max-age")
SWITCHES = ("--legacy-rsa-1024", "--development")

T = TypeVar("T")


class UsageError(Exception):
    """The command line cannot be understood, or a file cannot be read."""


def main(words: Iterator[str]) -> int:
    try:
        given = parse(words)
        if given is None:
            return write(sys.stdout, HELP, 0)
        verdict = verify(given)
    except UsageError as error:
        return write(sys.stderr, f"verify-sns: {error}\ntry verify-sns --help\n", 2)
    return write(sys.stdout, f"{verdict.to_json()}\n", verdict.exit_status)


def parse(words: Iterator[str]) -> dict[str, str] | None:
    """What was given, by its name; ``None`` when help was asked for."""
    given: dict[str, str] = {}
    for word in words:
        if word in ("--help", "-h"):
            return None
        if word in SWITCHES:
            given[word] = ""
            continue
        if word.startswith("-") and word not in OPTIONS:
            raise UsageError(f"unknown option {word}")
        name, value = (word, next(words, None)) if word in OPTIONS else ("MESSAGE.json", word)
        if value is None:
            raise UsageError(f"{name} needs a value")
        if name in given:
            raise UsageError(f"{name} is given twice")
        given[name] = value
    return given


def verify(given: dict[str, str]) -> Verdict:
    for name in ("MESSAGE.json", "--certificate", "--topic", "--now"):
        if name not in given:
            raise UsageError(f"{name} is missing")
    topic = option(given, "--topic", parse_topic_arn, "the ARN of a topic")
    max_age = option(given, "--max-age", parse_duration, "a duration such as 90s, 15m, 1h or 7d")
    now = option(given, "--now", handfast.timestamp, "a time such as 2026-03-01T12:00:30Z")
    return verify_once(
        read(given["MESSAGE.json"]),
        read(given["--certificate"]),
        topic=topic or "",
        now=now,
        max_age_seconds=max_age,
        legacy_rsa_1024="--legacy-rsa-1024" in given,
        development="--development" in given,
    )


def option(given: dict[str, str], name: str, parser: Callable[[str], T], expected: str) -> T | None:
    if name not in given:
        return None
    try:
        return parser(given[name])
    except handfast.InvalidInput:
        raise UsageError(f"{name} {given[name]} is not {expected}") from None


def read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror} (os error {error.errno})") from None


def write(to: TextIO, text: str, status: int) -> int:
    """A reader that has gone away is no reason for another exit status."""
    with suppress(BrokenPipeError):
        to.buffer.write(text.encode())
        to.buffer.flush()
    return status


if __name__ == "__main__":
    sys.exit(main(iter(sys.argv[1:])))
