"""What a Kubernetes node needs to join: a bootstrap token, its Secret, and a kubeconfig that ``kubeadm join`` takes.

>>> token = BootstrapToken.generate()
>>> secret = BootstrapSecret(token, expires_at=.., owner="handfast", instance="i-0a74797fd283b53de")
>>> secret.to_yaml().expose()          # for the API server: the token begins to work
>>> ClusterInfo.from_config_map(text).verify(token).kubeconfig(token).expose()    # for the node
"""

from ._native import (
    BootstrapSecret,
    BootstrapToken,
    ClusterInfo,
    VerifiedClusterInfo,
    ca_pin,
    sign_detached,
    verify_detached,
)

__all__ = [
    "BootstrapSecret",
    "BootstrapToken",
    "ClusterInfo",
    "VerifiedClusterInfo",
    "ca_pin",
    "sign_detached",
    "verify_detached",
]
