"""What can go wrong, each with a stable ``code``.

A rule that says no is not here: that is an answer, ``{"type": "refused", "code": ..}``. ``handfast.CODES`` explains
every code.
"""

from __future__ import annotations

__all__ = [
    "AuditError",
    "AwsError",
    "Busy",
    "ChoriaError",
    "CryptoError",
    "Error",
    "InvalidInput",
    "KubernetesError",
    "LinkError",
    "MissingKey",
    "Misuse",
    "RuleError",
    "SnsError",
    "SpireError",
    "StoreError",
    "TemplateError",
    "ArchiveError",
    "ServiceRadarError",
    "UserDataError",
    "WireGuardError",
]


class Error(Exception):
    """Every error of handfast. The message never repeats a secret."""

    code: str
    """Says which error it is, for programs; it never changes once released."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])


class InvalidInput(Error, ValueError):
    """A command, policy or argument is missing something, or something in it is unknown or wrong."""

    path: str
    """Where in the value, for example ``contents[0].name``; empty for the whole."""

    def __init__(self, message: str, code: str = "invalid_input", path: str = "") -> None:
        Exception.__init__(self, message, code, path)
        self.code = code
        self.path = path


class Misuse(Error):
    """The library was called wrongly: a bug in the program."""


class Busy(Error):
    """Too many conflicting commits on the same records; try again later."""


class StoreError(Error):
    """The store gave back what cannot be read, or not all that it should hold."""


class MissingKey(Error):
    """A stored digest or sealed secret names a key that no key ring of this registrar holds: put it back."""


class CryptoError(Error):
    """A primitive refused: most likely, stored ciphertext was altered."""


class RuleError(Error):
    """The operator's own rule could not say, and nothing happens without its word."""


class SnsError(Error):
    """A message of Amazon SNS is not to be believed."""

    temporary: bool
    """Whether the same message may be accepted later: answer 503, and SNS delivers it again; otherwise answer 403."""

    def __init__(self, message: str, code: str, temporary: bool = False) -> None:
        Exception.__init__(self, message, code, temporary)
        self.code = code
        self.temporary = temporary


class AwsError(Error):
    """An AWS event or identity document is not authentic, is malformed, or tells of what it is not trusted with."""


class ChoriaError(Error):
    """A token, key or helper document of Choria is malformed, does not verify, or could not be used."""


class KubernetesError(Error):
    """A bootstrap token, ``cluster-info``, signature or pin is malformed or does not verify."""


class TemplateError(Error):
    """A template or a command line is malformed, or a template cannot be rendered."""


class WireGuardError(Error):
    """A WireGuard key or configuration is malformed, or would run a command."""


class ArchiveError(Error):
    """A file or a variable that cannot go into an archive."""


class ServiceRadarError(Error):
    """A token of ServiceRadar's that is malformed, forged or over, or a package that its programs would not take."""


class SpireError(Error):
    """A trust bundle that nobody should trust, or a request that a SPIRE server would refuse."""


class UserDataError(Error):
    """User data cannot be made of this, or is larger than the cloud takes."""


class AuditError(Error):
    """A log is not what was written."""

    position: int | None
    """How many events were fed before this one."""
    key: str | None
    """The record, where the event says so."""
    version: int | None
    """The record's version, where the event says so."""

    def __init__(
        self,
        message: str,
        code: str,
        position: int | None = None,
        key: str | None = None,
        version: int | None = None,
    ) -> None:
        Exception.__init__(self, message, code, position, key, version)
        self.code = code
        self.position = position
        self.key = key
        self.version = version


class LinkError(Error):
    """A download link is malformed, of an unknown key, forged, or expired."""
