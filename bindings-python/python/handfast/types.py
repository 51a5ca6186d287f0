"""The dicts that cross: commands, answers, effects, policies, rows. For annotations; at run time they are plain dicts.

Those that the core has are generated from its JSON Schema (``_schema.py``); here are the few that are Python's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

from ._native import Confirmation, InstanceEvent, NodeKey, Notification, Secret, Unsubscription
from ._schema import *
from ._schema import Answer, Batch, NoticeRow, WriteRow
from .choria import TokenDict
from .errors import Error


RecordType = Literal["scope", "pool", "package", "name", "subject", "node", "instance", "forgotten"]


class KeyRing(TypedDict):
    """Named symmetric keys, one of them current. Old keys still open what was made under them."""

    current: str
    keys: dict[str, bytes]


class SigningRing(TypedDict):
    """Named private keys, the texts in PKCS#8 PEM, one of them current. What was signed under the others still verifies."""

    current: str
    keys: Mapping[str, NodeKey | Secret | str | bytes]


class Jwks(TypedDict):
    """A JWK set (RFC 7517)."""

    keys: list[dict[str, str]]


class LoadStep(TypedDict):
    """Read these rows, then call ``Session.loaded``."""

    type: Literal["load"]
    keys: list[str]


class CommitStep(TypedDict):
    """Commit this in one transaction, then call ``Session.committed``."""

    type: Literal["commit"]
    batch: Batch


class AnswerStep(TypedDict):
    """The session is over."""

    type: Literal["answer"]
    answer: Answer


Step = LoadStep | CommitStep | AnswerStep


class AnswersStep(TypedDict):
    """The session over several commands is over."""

    type: Literal["answers"]
    answers: list[Answer | Error]


BatchStep = LoadStep | CommitStep | AnswersStep


class Question(TypedDict):
    """What a rule is asked: everything that the decision rests on, and no secret."""

    command: dict[str, Any]
    """The command; every secret in it is ``[redacted]``."""
    authority: str
    """On whose behalf, as the host authenticated it."""
    source: str | None
    """The address that the request came from, as the host saw it."""
    now: str
    """When: RFC 3339 in UTC with three decimals, so that it compares as text."""
    records: dict[str, dict[str, Any]]
    """Every record that the decision looked at and that exists, by its key, as it is before."""
    facts: list[dict[str, Any]]
    """The facts that would be written, in order, each with the ``key`` of its record."""


Rule = Callable[[Question], Literal[True] | str]
"""The operator's own rule: ``True`` allows, a text denies and says why, for the audit; a node is not told.

It must be quick, and a pure function of its question: a decision may be made several times. With the ``rule_mode`` that
is called ``enforce``, a rule that raises, or gives anything else, lets nothing happen: ``RuleError``. With ``warn``, that
is reported like a denial."""


class CountedNotice(TypedDict):
    """Refusals of one kind, counted, with the first of them."""

    count: int
    notice: NoticeRow


class SubjectChange(TypedDict):
    """How a subject stands: only one that is ``active`` is a node."""

    subject: str
    status: Literal["active", "expected", "banned", "gone"]


class Page(TypedDict):
    """A part of a list of a ``Ledger``."""

    records: list[WriteRow]
    next: str | None
    """For ``after``; ``None`` at the end of the list."""


class Fetch(TypedDict):
    """A certificate to be fetched: over TLS with verified names, without redirects, up to these limits."""

    url: str
    max_bytes: int
    timeout_seconds: int
    no_redirects: Literal[True]


class Need(TypedDict):
    """Fetch this certificate, give it to ``SnsReceiver.certificate``, and receive the same body again."""

    type: Literal["need"]
    fetch: Fetch


class Wait(TypedDict):
    """A certificate of the same region is being fetched: receive the same body again after that, or answer 503."""

    type: Literal["wait"]


class Confirm(TypedDict):
    """Confirm the subscription by a GET of ``confirmation.url``."""

    type: Literal["confirm"]
    confirmation: Confirmation


class Notified(TypedDict):
    """A message from a wanted topic."""

    type: Literal["notification"]
    notification: Notification


class Unsubscribed(TypedDict):
    """The endpoint was unsubscribed from a wanted topic."""

    type: Literal["unsubscribed"]
    unsubscription: Unsubscription


Received = Need | Wait | Confirm | Notified | Unsubscribed


class InstanceReceived(TypedDict):
    """An event about one instance."""

    type: Literal["instance"]
    event: InstanceEvent


class NotForUs(TypedDict):
    """Authentic and harmless, but nothing that concerns an instance."""

    type: Literal["not_for_us"]
    reason: str


AwsReceived = InstanceReceived | NotForUs


class InspectedEnrollmentToken(TypedDict):
    """An enrollment token."""

    type: Literal["enrollment_token"]
    package: str
    generation: int


class InspectedLink(TypedDict):
    """A download link."""

    type: Literal["download_link"]
    key: str
    package: str
    number: int
    expires_at: str


class InspectedBootstrapToken(TypedDict):
    """A Kubernetes bootstrap token."""

    type: Literal["kubernetes_bootstrap_token"]
    id: str
    secret_name: str


class InspectedCaPin(TypedDict):
    """The pin of a certificate authority, as kubeadm takes it."""

    type: Literal["kubernetes_ca_pin"]
    pin: str


class InspectedChoria(TokenDict):
    """A token of Choria's."""

    type: Literal["choria"]


class InspectedServiceRadar(TypedDict):
    """A token of ServiceRadar's. Whether it is whole can only be said with the key that it was signed with."""

    type: Literal["service_radar"]
    kind: Literal["edge", "collector", "unsigned"]


class InspectedJwt(TypedDict):
    """Another JWT. Of claims that are not registered only the names are told."""

    type: Literal["jwt"]
    purpose: Literal["node_credential", "proof", "other"]
    algorithm: str
    typ: str | None
    key: str | None
    issuer: str | None
    subject: str | None
    issued_at: str | None
    not_before: str | None
    expires_at: str | None
    claims: list[str]


class InspectedMalformed(TypedDict):
    """A text that begins like one of them and is not: cut off, mistyped, or changed on its way."""

    type: Literal["malformed"]
    like: str
    code: str


class InspectedUnknown(TypedDict):
    """Nothing that is known here."""

    type: Literal["unknown"]


Inspected = (
    InspectedEnrollmentToken
    | InspectedLink
    | InspectedBootstrapToken
    | InspectedCaPin
    | InspectedChoria
    | InspectedServiceRadar
    | InspectedJwt
    | InspectedMalformed
    | InspectedUnknown
)
"""What a pasted text is. It holds no secret, so that it can be shown and logged. Nothing of it is proven."""
