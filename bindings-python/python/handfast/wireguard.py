"""WireGuard: keys, and the configuration of an interface as ``wg-quick`` reads it.

>>> key = PrivateKey.generate()
>>> hub = Peer(public_key, allowed_ips=["10.9.0.0/24"], endpoint="vpn.example:51820", persistent_keepalive=25)
>>> config = Config(key, addresses=["10.9.0.2/32"], peers=[hub])
>>> handfast.change_pool(scope="edge", pool="wireguard", add={"peer-2": config.to_secret()}, format="wireguard", authority="operator:ann")

``Config.parse`` reads strictly: a configuration that would make ``wg-quick`` run a command (``PostUp``) is refused.
"""

from ._native import WireguardConfig as Config
from ._native import WireguardKey as PrivateKey
from ._native import WireguardPeer as Peer
from ._native import generate_preshared_key

__all__ = ["Config", "Peer", "PrivateKey", "generate_preshared_key"]
