"""User data that carries a token to the first boot."""

from __future__ import annotations

import json
import pickle
from base64 import b64decode

import pytest

from handfast import InvalidInput, Secret, UserDataError
from handfast.userdata import CLOUDS, FIRST_BOOT_UNIT, FirstBoot

TOKEN = "hf1_0123456789_abcdefghijklmnopqrstuvwxyz"
PATH = "/etc/handfast/token"
COMMAND = ["/usr/local/bin/first-boot", "--token-file", PATH]


def boot(token: str | Secret = TOKEN) -> FirstBoot:
    return FirstBoot(token, token_path=PATH, command=COMMAND)


def test_ignition_carries_the_token_for_root_alone() -> None:
    document = json.loads(boot(Secret(TOKEN)).ignition().to_secret().expose())
    [file] = document["storage"]["files"]
    assert (file["path"], file["mode"]) == (PATH, 0o600)
    assert b64decode(file["contents"]["source"].removeprefix("data:;base64,")).decode() == TOKEN
    assert document["systemd"]["units"][0]["name"] == FIRST_BOOT_UNIT
    newer = boot().ignition(version="3.4.0").to_secret().expose()
    assert json.loads(newer)["ignition"]["version"] == "3.4.0"


def test_cloud_init_carries_the_token_for_root_alone() -> None:
    more = boot().with_file("/etc/handfast/run", Secret("#!/bin/true\n"), mode="0700").with_file("/etc/x", "é")
    text = more.cloud_config().to_secret().expose()
    first, rest = text.split("\n", 1)
    document = json.loads(rest)
    assert first == "#cloud-config" and document["runcmd"][1][-1] == FIRST_BOOT_UNIT
    files = [(file["path"], file["permissions"], file["owner"]) for file in document["write_files"]]
    assert files[:3] == [
        (PATH, "0600", "root:root"),
        ("/etc/handfast/run", "0700", "root:root"),
        ("/etc/x", "0600", "root:root"),
    ]
    assert document["write_files"][0]["content"] == TOKEN
    assert b64decode(document["write_files"][2]["content"]).decode() == "é"


def test_a_cloud_has_a_limit() -> None:
    assert list(CLOUDS) == ["aws", "azure", "gcp", "openstack", "digitalocean", "hetzner", "oracle"]
    document = boot().with_file("/etc/x", "x" * 16_384).cloud_config()
    assert len(document) > CLOUDS["aws"]
    with pytest.raises(UserDataError, match="of which aws takes 16384") as raised:
        document.fits("aws")
    assert raised.value.code == "userdata_too_large"
    for cloud in [*CLOUDS][1:]:
        document.fits(cloud)
    with pytest.raises(UserDataError) as raised:
        document.fits("nowhere")
    assert raised.value.code == "userdata_invalid"


def test_what_could_be_misread_is_refused() -> None:
    for make in (
        lambda: boot("a b"),
        lambda: FirstBoot(TOKEN, token_path="etc/x", command=COMMAND),
        lambda: FirstBoot(TOKEN, token_path=PATH, command=["first-boot"]),
        lambda: FirstBoot(TOKEN, token_path=PATH, command=["/bin/x", TOKEN]),
        lambda: boot().with_file(PATH, "x"),
        lambda: boot().with_file("/etc/x", "x", mode="600"),
        lambda: boot().ignition(version="2.3.0"),
    ):
        with pytest.raises(UserDataError) as raised:
            make()
        assert raised.value.code == "userdata_invalid" and TOKEN not in str(raised.value)
    with pytest.raises(InvalidInput, match="expected a text or a Secret"):
        boot(7)  # type: ignore[arg-type]


def test_nothing_secret_is_shown_or_pickled() -> None:
    document = boot().cloud_config()
    assert document == boot().cloud_config() != boot().ignition()
    assert (repr(document), repr(boot())) == ("UserData([redacted])", "FirstBoot([redacted])")
    for value in (document, boot()):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(value)
