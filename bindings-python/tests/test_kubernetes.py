"""Kubernetes material against ``core/vectors/kubernetes/cases.json``, the same cases as in every language."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from support import START, VECTORS, load

from handfast import InvalidInput, KubernetesError, Secret
from handfast.kubernetes import (
    BootstrapSecret,
    BootstrapToken,
    ClusterInfo,
    ca_pin,
    sign_detached,
    verify_detached,
)

CASES: dict[str, Any] = load(VECTORS / "kubernetes" / "cases.json")
TOKEN = BootstrapToken("07401b.f395accd246ae52d")


def code_of(action: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(KubernetesError) as raised:
        action(*arguments, **more)
    return raised.value.code


def test_tokens_are_exact() -> None:
    accepted, refused = CASES["tokens"]["accepted"], CASES["tokens"]["refused"]
    for text in accepted:
        for token in (BootstrapToken(text), BootstrapToken(Secret(text))):
            assert token.to_secret() == Secret(text)
            assert (token.id, token.secret_name) == (text[:6], f"bootstrap-token-{text[:6]}")
    for text in refused:
        assert code_of(BootstrapToken, text) == "kubernetes_malformed_token", text
    assert (len(accepted), len(refused)) == (4, 19)
    with pytest.raises(InvalidInput, match="expected a text or a Secret"):
        BootstrapToken(7)  # type: ignore[arg-type]


def test_generated_tokens_differ() -> None:
    tokens = [BootstrapToken.generate() for _ in range(100)]
    assert len({token.to_secret().expose() for token in tokens}) == 100
    assert all(BootstrapToken(token.to_secret()) == token for token in tokens)
    assert tokens[0] != tokens[1] and tokens[0] != tokens[0].to_secret()


def test_groups_are_those_that_kubernetes_accepts() -> None:
    accepted, refused = CASES["groups"]["accepted"], CASES["groups"]["refused"]
    for group in accepted:
        secret = BootstrapSecret(TOKEN, expires_at=START, owner="p1", groups=[group])
        assert group in secret.to_json().expose()
    for group in refused:
        code = code_of(BootstrapSecret, TOKEN, expires_at=START, owner="p1", groups=[group])
        assert code == "kubernetes_invalid_manifest", group
    assert (len(accepted), len(refused)) == (4, 12)


def test_manifests_have_these_bytes() -> None:
    for case in CASES["manifests"]:
        secret = BootstrapSecret(
            BootstrapToken(case["token"]),
            expires_at=case["expires_at"],
            owner=case["owner"],
            instance=case["instance"],
            groups=case["groups"],
            description=case["description"],
        )
        assert secret.to_yaml().expose() == case["yaml"]
        assert secret.to_json().expose() == case["json"]
        assert secret.namespace == "kube-system"
        assert repr(secret) == f"<handfast.kubernetes.BootstrapSecret {secret.name}>"
    assert len(CASES["manifests"]) == 6


def test_a_manifest_refuses_what_the_api_server_would() -> None:
    wrong: list[dict[str, Any]] = [
        {"owner": "a b"},
        {"owner": "p1", "instance": "i-\n"},
        {"owner": "p1", "groups": []},
        {"owner": "p1", "description": "two\nlines"},
        {"owner": "p1", "labels": {"a/b/c": "d"}},
    ]
    for arguments in wrong:
        code = code_of(BootstrapSecret, TOKEN, expires_at=START, **arguments)
        assert code == "kubernetes_invalid_manifest", arguments
    labelled = BootstrapSecret(TOKEN, expires_at=START, owner="p1", labels={"example.org/rack": "r1"})
    assert 'example.org/rack: "r1"' in labelled.to_yaml().expose()


def test_cluster_info_becomes_a_kubeconfig() -> None:
    for case in CASES["cluster_infos"]["accepted"]:
        info = ClusterInfo.from_config_map(case["config_map"])
        assert (info.server, info.authority) == (case["server"], case["authority"].encode())
        assert info.pins() == case["pins"]
        assert repr(info) == f"<handfast.kubernetes.ClusterInfo of {info.server}>"
        for text, kubeconfig in zip(case["tokens"], case["kubeconfigs"], strict=True):
            token = BootstrapToken(text)
            assert info.kubeconfig(token).expose() == kubeconfig
            verified = info.verify(token)
            assert verified.kubeconfig(token).expose() == kubeconfig
            assert (verified.server, verified.authority, verified.pins()) == (
                info.server,
                info.authority,
                info.pins(),
            )
            reversed_secret = BootstrapToken(f"{text[:6]}.{text[:6:-1]}")
            assert code_of(info.verify, reversed_secret) == "kubernetes_bad_signature"
            stranger = BootstrapToken(f"zzzzzz.{text[7:]}")
            assert code_of(info.verify, stranger) == "kubernetes_missing_signature"
        other = "sha256:" + "0" * 64
        for pin in info.pins():
            assert info.verify_pinned([other, pin]).server == info.server
        for pins in ([], [other]):
            assert code_of(info.verify_pinned, pins) == "kubernetes_pin_mismatch"
    assert len(CASES["cluster_infos"]["accepted"]) == 6


def test_a_cluster_info_that_would_weaken_a_node_is_refused() -> None:
    refused = CASES["cluster_infos"]["refused"]
    for case in refused:
        spaces = case.get("config_map_of_spaces")
        text = " " * spaces if spaces else case["config_map"]
        assert code_of(ClusterInfo.from_config_map, text) == case["code"], case["note"]
    assert len(refused) == 26


def test_signatures_are_those_of_the_bootstrap_signer() -> None:
    accepted, refused = CASES["signatures"]["accepted"], CASES["signatures"]["refused"]
    for case in accepted:
        token = BootstrapToken(case["token"])
        assert sign_detached(case["content"], token) == case["signature"]
        verify_detached(case["content"], token, case["signature"])
    for case in refused:
        token = BootstrapToken(case["token"])
        code = code_of(verify_detached, case["content"], token, case["signature"])
        assert code == "kubernetes_bad_signature", case["note"]
    assert (len(accepted), len(refused)) == (8, 9)


def test_pins_name_the_key_of_a_certificate() -> None:
    accepted, refused = CASES["pins"]["accepted"], CASES["pins"]["refused"]
    for case in accepted:
        pem = case["certificate"]
        der = b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")))
        assert ca_pin(pem.encode()) == ca_pin(der) == case["pin"]
        for bad in (der + b"\0", der[1:], b"", b"hello", pem.encode() * 2):
            assert code_of(ca_pin, bad) == "kubernetes_malformed_certificate"
    info = ClusterInfo.from_config_map(CASES["cluster_infos"]["accepted"][0]["config_map"])
    for pin in refused:
        assert code_of(info.verify_pinned, [pin]) == "kubernetes_malformed_pin", pin
    for pin in CASES["pins"]["same"]:
        assert code_of(info.verify_pinned, [pin]) == "kubernetes_pin_mismatch"
    assert (len(accepted), len(CASES["pins"]["same"]), len(refused)) == (3, 3, 12)
