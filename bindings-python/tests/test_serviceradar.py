"""ServiceRadar's tokens: the same cases as in every language, and those that its own programs judged."""

from typing import Any

import io
import json
import tarfile
from typing import Any

import pytest
from support import LEAF, VECTORS, load, real_vectors

from handfast import CryptoError, Secret, ServiceRadarError, serviceradar
from handfast.archive import Archive

# RFC 8032, section 7.1, test 1.
PRIVATE = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


CASES: dict[str, Any] = load(VECTORS / "serviceradar" / "cases.json")
KEYS: dict[str, str] = {"private_key": CASES["private_keys"][0]}


def members(case: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: case[name] for name in names}


def code_of(action: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises((ServiceRadarError, CryptoError)) as raised:
        action(*arguments, **more)
    return raised.value.code


def test_edge_tokens_come_out_as_in_every_language() -> None:
    for group, is_made in (("made", True), ("read", False)):
        for case in CASES["edge"][group]:
            given = members(case, "package", "download", "api")
            signed = serviceradar.edge_token(**given, **KEYS).expose()
            assert (signed == case["token"]) is is_made, case
            for public_key in CASES["public_keys"]:
                token = serviceradar.verify_edge_token(case["token"], public_key=public_key)
                assert {"package": token.package, "download": token.download.expose(), "api": token.api} == given
    for case in CASES["edge"]["refused"]:
        code = code_of(serviceradar.verify_edge_token, case["token"], public_key=CASES["public_keys"][0])
        assert code == case["code"], case
    assert [len(CASES["edge"][group]) for group in ("made", "read", "refused")] == [5, 1, 58]


def test_collector_tokens_come_out_as_in_every_language() -> None:
    names = ("package", "download", "url", "config", "expires_at")
    more = {"public_key": CASES["public_keys"][0], "now": CASES["now"]}
    for group, is_made in (("made", True), ("read", False)):
        for case in CASES["collector"][group]:
            given = members(case, *names)
            signed = serviceradar.collector_token(**given, **KEYS).expose()
            assert (signed == case["token"]) is is_made, case
            token = serviceradar.verify_collector_token(case["token"], **more)
            found = {name: getattr(token, name) for name in names}
            assert found | {"download": token.download.expose()} == given
    for case in CASES["collector"]["refused"]:
        assert code_of(serviceradar.verify_collector_token, case["token"], **more) == case["code"], case
    assert [len(CASES["collector"][group]) for group in ("made", "read", "refused")] == [2, 1, 23]


def test_keys_are_those_that_its_own_programs_take() -> None:
    case = CASES["edge"]["made"][0]
    given = members(case, "package", "download", "api")
    for private_key in CASES["private_keys"]:
        assert serviceradar.edge_token(**given, private_key=private_key).expose() == case["token"]
    for private_key in CASES["refused_private_keys"]:
        assert code_of(serviceradar.edge_token, **given, private_key=private_key) == "unusable_key", private_key
    for public_key in CASES["refused_public_keys"]:
        code = code_of(serviceradar.verify_edge_token, case["token"], public_key=public_key)
        assert code == "unusable_key", public_key


def test_tokens_are_as_its_own_programs_write_and_read_them() -> None:
    found = load(real_vectors("serviceradar/edgepkg-tokens.json"))
    made = serviceradar.edge_token(
        package="pkg-123", download="dl-456", api="demo.example.com", private_key=found["private_key_env"]
    )
    assert made.expose() == found["rust_encode_v2"]
    accepted = 0
    for case in found["tokens"]:
        theirs = case["results"]["go-head"].startswith("OK ")
        try:
            serviceradar.verify_edge_token(case["token"], public_key=case["public_key_env"])
        except (ServiceRadarError, CryptoError):
            continue
        assert theirs, case["name"]
        accepted += 1
    assert (accepted, len(found["tokens"])) == (5, 44)


def edge() -> Secret:
    return serviceradar.edge_token(
        package="pkg-123", download=Secret("dl-456"), api="https://demo.example.com", private_key=PRIVATE
    )


def test_an_edge_token_is_signed_and_verified() -> None:
    assert edge().expose() == edge().expose()
    token = serviceradar.verify_edge_token(edge(), public_key=PUBLIC)
    assert (token.package, token.download.expose(), token.api) == ("pkg-123", "dl-456", "https://demo.example.com")
    assert "dl-456" not in repr(token)


def test_a_collector_token_ends() -> None:
    token = serviceradar.collector_token(
        url="demo.example.com/", package="p", download="dl", expires_at="2026-01-02T03:04:05Z", private_key=PRIVATE
    )
    verified = serviceradar.verify_collector_token(token, public_key=PUBLIC, now="2026-01-02T03:04:04Z")
    assert (verified.url, verified.expires_at, verified.config) == (
        "https://demo.example.com",
        "2026-01-02T03:04:05.000Z",
        None,
    )
    with pytest.raises(ServiceRadarError) as raised:
        serviceradar.verify_collector_token(token, public_key=PUBLIC, now="2026-01-02T03:04:05Z")
    assert raised.value.code == "serviceradar_expired"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("edgepkg-v1:e30", "serviceradar_unsigned_token"),
        ("collectorpkg-v2:e30.AAAA", "serviceradar_wrong_kind"),
        ("hunter2", "serviceradar_malformed_token"),
    ],
)
def test_what_is_no_edge_token_is_refused(token: str, code: str) -> None:
    with pytest.raises(ServiceRadarError) as raised:
        serviceradar.verify_edge_token(token, public_key=PUBLIC)
    assert raised.value.code == code and "hunter2" not in str(raised.value)


def test_a_changed_token_is_forged_and_a_wrong_key_unusable() -> None:
    other = serviceradar.edge_token(package="pkg-124", download="dl-456", private_key=PRIVATE).expose()
    payload, signature = other.split(".")[0], edge().expose().split(".")[1]
    with pytest.raises(ServiceRadarError) as raised:
        serviceradar.verify_edge_token(f"{payload}.{signature}", public_key=PUBLIC)
    assert raised.value.code == "serviceradar_bad_signature"
    with pytest.raises(CryptoError):
        serviceradar.verify_edge_token(edge(), public_key="00" * 32)


def package(*, metadata: dict[str, Any], bundle: str = LEAF) -> tuple[str, Archive]:
    return serviceradar.edge_package(
        gateway="edge-7", metadata=metadata, env={"A": "b"}, join_token=Secret("join"), bundle=bundle
    )


def test_a_package_has_its_layout() -> None:
    metadata = {"package_id": "p-1", "siteName": "north", "nested": {"a_b": [{"cD": 1}]}}
    name, archive = package(metadata=metadata)
    assert name == "edge-package-edge-7.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(archive.to_tar_gz())) as tar:
        members = ((member.name, tar.extractfile(member)) for member in tar)
        files = {name: file.read().decode() for name, file in members if file is not None}
    assert list(files) == archive.names == [
        "README.txt",
        "metadata.json",
        "edge-gateway.env",
        "spire/upstream-join-token",
        "spire/upstream-bundle.pem",
    ]
    assert json.loads(files["metadata.json"]) == metadata
    assert (files["edge-gateway.env"], files["spire/upstream-join-token"]) == ("A='b'\n", "join\n")


@pytest.mark.parametrize(
    ("metadata", "bundle"), [({}, "no certificate"), ({"share": 0.5}, LEAF), ({"notes": [Secret("hunter2")]}, LEAF)]
)
def test_a_package_must_be_one_that_its_programs_take(metadata: dict[str, Any], bundle: str) -> None:
    with pytest.raises(ServiceRadarError) as raised:
        package(metadata=metadata, bundle=bundle)
    assert raised.value.code == "serviceradar_invalid_package" and "hunter2" not in str(raised.value)
