"""ServiceRadar: ``edgepkg-v2`` and ``collectorpkg-v2`` tokens, and the archive of an edge package.

>>> token = edge_token(package="pkg-123", download=secret, api="https://demo.example.com", private_key=key)
>>> verify_edge_token(token, public_key=public).package
'pkg-123'

A token is read in the one spelling that its maker gives it. Tokens of the first version bear no signature and are refused.
"""

from ._native import (
    CollectorToken,
    EdgeToken,
    collector_token,
    edge_package,
    edge_token,
    verify_collector_token,
    verify_edge_token,
)

__all__ = [
    "CollectorToken",
    "EdgeToken",
    "collector_token",
    "edge_package",
    "edge_token",
    "verify_collector_token",
    "verify_edge_token",
]
