"""handfast enrols machines: from an unknown node to a node that holds its credentials, once and within a time limit.

>>> import handfast
>>> from handfast.stores.sqlite import SqliteStore
>>> registrar = handfast.Registrar(peppers=.., sealing=..)
>>> store = SqliteStore("handfast.sqlite")
>>> command = handfast.issue(name="edge-1", authority="operator:ann", deliver=True)
>>> answer = handfast.run(store, command, registrar=registrar)
>>> answer["token"].expose()

The host does all I/O. ``run`` takes one command through one store; ``Registrar.outstanding`` says what the host must
do outside, and ``handfast.report`` takes in how that went. Commands and answers are dicts, described in
``handfast.types``; secrets in them are ``Secret`` objects. A rule that says no is an answer of type ``refused``; what
is raised is a ``handfast.Error`` with a ``code``.
"""

from . import archive, audit, aws, choria, kubernetes, link, serviceradar, sns, spire, template, userdata, wireguard, work
from ._native import CODES, BatchSession, Ledger, NodeKey, Registrar, Secret, Session, __version__, inspect, timestamp
from .aws import InstanceEvent, InstanceIdentity
from .commands import (
    ban,
    change_pool,
    check_in,
    configure_scope,
    deliver,
    evict,
    expire,
    forget,
    issue,
    leave,
    make_link,
    observe_instance,
    observe_subject,
    redeem,
    reissue,
    report,
    reset_recoveries,
    revoke,
    unban,
)
from .errors import (
    AuditError,
    AwsError,
    Busy,
    ChoriaError,
    CryptoError,
    Error,
    InvalidInput,
    KubernetesError,
    LinkError,
    MissingKey,
    Misuse,
    RuleError,
    SnsError,
    SpireError,
    StoreError,
    TemplateError,
    ArchiveError,
    ServiceRadarError,
    UserDataError,
    WireGuardError,
)
from .running import explain, reseal, reveal, run, run_all, run_all_async, run_async
from .sns import SnsReceiver
from .store import AsyncStore, Store, Vault

__all__ = [
    "CODES",
    "AsyncStore",
    "AuditError",
    "AwsError",
    "BatchSession",
    "Busy",
    "ChoriaError",
    "CryptoError",
    "Error",
    "InstanceEvent",
    "InstanceIdentity",
    "InvalidInput",
    "KubernetesError",
    "Ledger",
    "LinkError",
    "MissingKey",
    "Misuse",
    "NodeKey",
    "Registrar",
    "RuleError",
    "Secret",
    "Session",
    "SnsError",
    "SnsReceiver",
    "SpireError",
    "Store",
    "StoreError",
    "TemplateError",
    "ArchiveError",
    "ServiceRadarError",
    "UserDataError",
    "Vault",
    "WireGuardError",
    "__version__",
    "archive",
    "audit",
    "aws",
    "ban",
    "change_pool",
    "check_in",
    "choria",
    "configure_scope",
    "deliver",
    "evict",
    "expire",
    "explain",
    "forget",
    "inspect",
    "issue",
    "kubernetes",
    "leave",
    "link",
    "make_link",
    "observe_instance",
    "observe_subject",
    "redeem",
    "reissue",
    "report",
    "reseal",
    "reset_recoveries",
    "reveal",
    "revoke",
    "run",
    "run_all",
    "run_all_async",
    "run_async",
    "sns",
    "serviceradar",
    "spire",
    "template",
    "timestamp",
    "unban",
    "userdata",
    "wireguard",
    "work",
]
