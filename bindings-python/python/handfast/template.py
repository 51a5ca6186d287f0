"""The emissary: a file that needs secrets, written when all of them are there, and the command that takes notice of it.

>>> emissary = Emissary(Template(Path("/etc/emissary/app.tpl").read_text()))
>>> step = emissary.step()          # {"type": "poll", "secrets": [{"provider": "file", "id": "db"}]}
>>> emissary.supply("file", "db", Secret(..))
>>> step = emissary.step()          # {"type": "write_file", "path": .., "mode": 0o400, "content": Secret([redacted])}
>>> emissary.report(True)           # written, atomically
>>> step = emissary.step()          # {"type": "run_command", "argv": ["systemctl", "reload", "app"], "timeout_seconds": 30}

The host does all I/O and calls ``step`` again, until it says when to ask again.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from ._native import Emissary, Secret, Template, split_command

__all__ = [
    "Emissary",
    "Failed",
    "Need",
    "Poll",
    "Reference",
    "RunCommand",
    "Step",
    "Template",
    "Wait",
    "WriteFile",
    "split_command",
]


class Reference(TypedDict):
    """Where a secret is. Neither part is secret."""

    provider: str
    id: str


class Need(Reference):
    """A secret that a template needs, and what happens while it is missing."""

    missing: Literal["wait", "default", "optional", "fail"]
    deadline_seconds: int | None


class Poll(TypedDict):
    """Ask the providers for these, and ``supply`` each answer."""

    type: Literal["poll"]
    secrets: list[Reference]


class WriteFile(TypedDict):
    """Write the file: beside its place with these permission bits, to the disk, renamed over it. Then ``report``."""

    type: Literal["write_file"]
    path: str
    mode: int
    content: Secret


class RunCommand(TypedDict):
    """Run the command, never by a shell, and kill it after this time. Then ``report``."""

    type: Literal["run_command"]
    argv: list[str]
    timeout_seconds: int


class Wait(TypedDict):
    """There is nothing to do until then; ever, where there is no time."""

    type: Literal["wait"]
    until: str | None


class Failed(TypedDict):
    """It has ended. What is in place stays."""

    type: Literal["failed"]
    code: str
    message: str


Step = Poll | WriteFile | RunCommand | Wait | Failed
