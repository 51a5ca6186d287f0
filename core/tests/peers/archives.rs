//! The unpackers of others give back every file, with its mode, and have nothing to say.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use handfast::{
    Secret,
    archive::{Archive, DIGESTS},
};

use crate::peer::{Peer, Skipped, peer, run, succeed, text};

/// Files with their modes: plain ones, a script, an empty one, one larger than a block of deflate.
const FILES: [(&str, u32, &str, usize); 6] = [
    ("README.txt", 0o600, "Unpack me once.\n", 1),
    ("spire/join-token", 0o600, "join-me\n", 1),
    ("spire/ca/bundle.pem", 0o600, "0123456789abcdef", 8_192),
    ("bin/start.sh", 0o700, "#!/bin/sh\n", 1),
    (".env", 0o600, "A='1'\n", 1),
    ("empty", 0o600, "", 1),
];

fn archive() -> Archive {
    let add = |archive: Archive, (name, mode, content, times): (&str, u32, &str, usize)| {
        let content = Secret::new(content.repeat(times));
        match mode {
            0o700 => archive.with_script(name.parse()?, content),
            _ => archive.with_file(name.parse()?, content),
        }
    };
    FILES.into_iter().try_fold(Archive::new(), add).and_then(Archive::with_digests).unwrap()
}

/// What is to be unpacked, and an empty folder for it.
fn given(peer: &Peer, is_tar: bool) -> (PathBuf, PathBuf) {
    let bytes = if is_tar { archive().to_tar_gz() } else { archive().to_zip() }.unwrap();
    let (file, folder) = (peer.folder.join("archive"), peer.folder.join("out"));
    fs::write(&file, bytes.expose()).unwrap();
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    (file, folder)
}

/// Unpacks with these arguments, in which `FILE` and `FOLDER` stand for those.
fn unpacks(peer: &Peer, is_tar: bool, arguments: &[&str]) -> Result<(), Skipped> {
    let (file, folder) = given(peer, is_tar);
    let mut command = peer.command();
    for argument in arguments {
        match *argument {
            "FILE" => command.arg(&file),
            "FOLDER" => command.arg(&folder),
            argument => command.arg(argument),
        };
    }
    let output = run(&mut command);
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && said.is_empty(), "{arguments:?}: {said}");
    assert_unpacked(&folder);
    Ok(())
}

fn assert_unpacked(folder: &Path) {
    let mode = |path: &str| fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o7777;
    for (name, expected, content, times) in FILES {
        assert_eq!(mode(name), expected, "{name}");
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), content.repeat(times), "{name}");
    }
    assert_eq!([mode("spire"), mode("spire/ca"), mode("bin")], [0o755; 3]);
    succeed(Command::new("sha256sum").args(["--check", "--strict", "--quiet", DIGESTS]).current_dir(folder));
}

#[test]
fn gnu_tar_unpacks_a_tar_gz() {
    peer("tar", &["tar", "--version"], "tar", |peer| unpacks(peer, true, &["-xpzf", "FILE", "-C", "FOLDER"]));
}

#[test]
fn bsdtar_unpacks_both() {
    peer("bsdtar", &["bsdtar", "--version"], "libarchive-tools", |peer| {
        unpacks(peer, true, &["-xpf", "FILE", "-C", "FOLDER"])?;
        unpacks(peer, false, &["-xpf", "FILE", "-C", "FOLDER"])
    });
}

#[test]
fn busybox_unpacks_a_tar_gz() {
    peer("busybox", &["busybox"], "busybox", |peer| {
        unpacks(peer, true, &["tar", "-xpzf", "FILE", "-C", "FOLDER"])
    });
}

#[test]
fn unzip_unpacks_a_zip() {
    peer("unzip", &["unzip", "-v"], "unzip", |peer| unpacks(peer, false, &["-q", "FILE", "-d", "FOLDER"]));
}

/// Its data filter refuses whatever leads out of the folder. Its zipfile restores no modes, but sees them.
#[test]
fn python_unpacks_both() {
    const TAR: &str = "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter='data')";
    const ZIP: &str = "\
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    for member in archive.infolist():
        os.chmod(archive.extract(member, sys.argv[2]), member.external_attr >> 16 & 0o7777)
        assert member.date_time == (1980, 1, 1, 0, 0, 0)";
    peer("python3", &["python3", "--version"], "python3", |peer| {
        unpacks(peer, true, &["-c", TAR, "FILE", "FOLDER"])?;
        unpacks(peer, false, &["-c", ZIP, "FILE", "FOLDER"])
    });
}
