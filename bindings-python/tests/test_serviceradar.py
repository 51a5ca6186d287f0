"""ServiceRadar's tokens, against those that its own programs wrote."""

import pytest

from handfast import CryptoError, Secret, ServiceRadarError, serviceradar

# RFC 8032, section 7.1, test 1.
PRIVATE = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


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


def test_a_package_has_its_layout() -> None:
    with pytest.raises(ServiceRadarError) as raised:
        serviceradar.edge_package(
            gateway="edge-7", metadata={"label": "Edge 7"}, env={"A": "b"}, join_token="join", bundle="no certificate"
        )
    assert raised.value.code == "serviceradar_invalid_package"
