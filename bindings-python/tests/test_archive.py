"""Archives and environment files."""

import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from handfast import ArchiveError, Secret, archive


def package() -> archive.Archive:
    env = archive.env_file({"PASSWORD": Secret("hunter2"), "SITE": "north east"})
    made = archive.Archive().with_file("README.txt", "read me\n").with_file("etc/edge.env", env)
    return made.with_script("bin/run.sh", b"#!/bin/sh\n").with_digests()


def test_the_same_files_are_the_same_bytes() -> None:
    assert package().to_tar_gz() == package().to_tar_gz()
    assert package().to_zip() == package().to_zip()
    assert package().names == ["README.txt", "etc/edge.env", "bin/run.sh"]


def test_other_programs_unpack_it(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(package().to_tar_gz())) as tar:
        tar.extractall(tmp_path / "tar", filter="data")
    assert (tmp_path / "tar/etc/edge.env").read_text() == "PASSWORD='hunter2'\nSITE='north east'\n"
    with zipfile.ZipFile(io.BytesIO(package().to_zip())) as zipped:
        assert zipped.testzip() is None
        assert zipped.read("bin/run.sh") == b"#!/bin/sh\n"


def test_the_installer_installs_it(tmp_path: Path) -> None:
    (tmp_path / "install.sh").write_text(archive.INSTALLER)
    (tmp_path / "package.tar.gz").write_bytes(package().to_tar_gz())
    command = ["sh", "install.sh", "--package", "package.tar.gz", "--into", "installed"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "hunter2" not in done.stdout + done.stderr
    assert (tmp_path / "installed/README.txt").read_text() == "read me\n"


@pytest.mark.parametrize("name", ["../x", "/x", "a\\b", "con", "a/../b", "x."])
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(ArchiveError) as raised:
        archive.Archive().with_file(name, "x")
    assert raised.value.code == "archive_invalid_name"


def test_nothing_shows_a_secret() -> None:
    assert "hunter2" not in repr(package()) + str(archive.env_file({"A": "hunter2"}))
    with pytest.raises(ArchiveError) as raised:
        archive.env_file({"A": "hunter2'"})
    assert raised.value.code == "archive_invalid_variable" and "hunter2" not in str(raised.value)
