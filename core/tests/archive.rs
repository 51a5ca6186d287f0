//! Archives: which names there are, what is written, and that shells and systemd read the environment files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers"
)]

mod programs;

use std::{io::Read, path::Path, process::Command};

use flate2::read::GzDecoder;
use handfast::{
    Secret,
    archive::{Archive, ArchiveError, DIGESTS, EnvFile, FileName},
    code::Code,
    limits,
};
use programs::{Scratch, present, run};
use proptest::prelude::*;

fn name(text: &str) -> FileName {
    text.parse().unwrap()
}

/// What an ordinary package has in it.
fn archive() -> Archive {
    let env = EnvFile::new().with("CORE_ADDRESS", Secret::new("core.example:50051".into())).unwrap();
    Archive::new()
        .with_file(name("README.txt"), "Unpack me once.\n".to_owned())
        .and_then(|archive| archive.with_file(name("metadata.json"), "{}\n".to_owned()))
        .and_then(|archive| archive.with_file(name("edge.env"), env.to_secret()))
        .and_then(|archive| archive.with_file(name("spire/join-token"), Secret::new("join-me\n".into())))
        .and_then(|archive| archive.with_file(name("spire/ca/bundle.pem"), vec![b'x'; 40_000]))
        .and_then(|archive| archive.with_script(name("bin/start.sh"), "#!/bin/sh\n".to_owned()))
        .and_then(|archive| archive.with_file(name("empty"), Vec::new()))
        .and_then(Archive::with_digests)
        .unwrap()
}

#[test]
fn the_same_files_are_the_same_bytes_and_nothing_of_the_host_is_in_them() {
    let (tar, zip) = (archive().to_tar_gz().unwrap(), archive().to_zip().unwrap());
    assert_eq!((&tar, &zip), (&archive().to_tar_gz().unwrap(), &archive().to_zip().unwrap()));
    // RFC 1952: no time, no name, and a system that is not told.
    assert_eq!(tar.expose()[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let mut names = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(tar.expose())).entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert!(header.as_ustar().is_some());
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.mtime().unwrap(), 315_532_800);
        assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
        names.push(String::from_utf8(entry.path_bytes().into_owned()).unwrap());
    }
    let folders = ["spire/", "spire/ca/", "bin/"];
    let files = [
        "README.txt",
        "metadata.json",
        "edge.env",
        "spire/join-token",
        "spire/ca/bundle.pem",
        "bin/start.sh",
        "empty",
        DIGESTS,
    ];
    assert_eq!(names, [folders.as_slice(), files.as_slice()].concat());
    assert_eq!(archive().names().map(FileName::as_str).collect::<Vec<_>>(), files[..7]);
}

#[test]
fn the_list_of_digests_is_what_sha256sum_writes() {
    let tar = archive().to_tar_gz().unwrap();
    let mut tar = tar::Archive::new(GzDecoder::new(tar.expose()));
    let mut list = String::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().to_str() == Some(DIGESTS) {
            entry.read_to_string(&mut list).unwrap();
        }
    }
    assert_eq!(list.lines().count(), 7);
    assert!(
        list.ends_with("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n"),
        "{list}"
    );
}

#[test]
fn a_name_means_one_file_below_the_folder_on_every_system() {
    for good in [
        "a",
        ".env",
        "a/b/c/d/e/f/g/h",
        "A-1_2+3@4=5,6.tar.gz",
        "com",
        "com10",
        "console.log",
        "nulls",
        &"x".repeat(100),
    ] {
        assert_eq!(name(good).as_str(), good);
    }
    for bad in [
        "",
        "/",
        "/etc/passwd",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/./b",
        "a\\b",
        "..\\a",
        "C:a",
        "C:/a",
        "a:b",
        "a\nb",
        "a\0b",
        "a\x1b[0m",
        "a\u{7f}",
        "a b",
        " a",
        "a ",
        "ä",
        "a\u{202e}b",
        "~/a~",
        "$HOME",
        "`a`",
        "*",
        "?",
        "<",
        "|",
        "-rf",
        "a/-rf",
        "a.",
        "a./b",
        "...",
        "NUL",
        "nul",
        "a/nul",
        "Nul.txt",
        "con.tar.gz",
        "AUX",
        "prn",
        "COM1",
        "com0.txt",
        "lpt9",
    ] {
        assert_eq!(bad.parse::<FileName>().unwrap_err().code(), Code::ArchiveInvalidName, "{bad:?}");
    }
    for large in ["x".repeat(101), "a/".repeat(8) + "a"] {
        assert_eq!(large.parse::<FileName>().unwrap_err().code(), Code::TooLarge, "{large}");
    }
}

#[test]
fn two_names_are_never_one_file() {
    let add = |names: &[&str]| {
        names.iter().try_fold(Archive::new(), |archive, text| archive.with_file(name(text), Vec::new()))
    };
    for good in [&["a", "b"], &["a/x", "a/y"], &["a/b", "a.b"]] {
        assert!(add(good).is_ok(), "{good:?}");
    }
    for bad in [
        &["a", "a"],
        &["a", "A"],
        &["a", "a/b"],
        &["a/b", "a"],
        &["a/b", "A"],
        &["A/x", "a/y"],
        &["a/b/c", "A/d"],
    ] {
        assert_eq!(add(bad).unwrap_err(), ArchiveError::DuplicateName, "{bad:?}");
    }
    assert_eq!(
        add(&["sha256sums"]).and_then(Archive::with_digests).unwrap_err(),
        ArchiveError::DuplicateName
    );
    assert_eq!(archive().with_file(name(DIGESTS), Vec::new()).unwrap_err(), ArchiveError::DuplicateName);
}

#[test]
fn an_archive_has_limits() {
    let files = |count| {
        (0..count).try_fold(Archive::new(), |archive, number: usize| {
            archive.with_file(name(&format!("f{number}")), Vec::new())
        })
    };
    assert!(files(limits::ARCHIVE_FILES).is_ok());
    assert_eq!(files(limits::ARCHIVE_FILES + 1).unwrap_err().code(), Code::TooLarge);
    let full = Archive::new().with_file(name("a"), vec![0; limits::ARCHIVE_BYTES]).unwrap();
    assert_eq!(full.with_file(name("b"), vec![0]).unwrap_err().code(), Code::TooLarge);
}

#[test]
fn an_environment_file_says_only_what_every_reader_reads_alike() {
    let env = |key: &str, value: &str| EnvFile::new().with(key, Secret::new(value.into()));
    let text = "'; rm -rf / #";
    assert_eq!(env("A", text).unwrap_err().code(), Code::ArchiveInvalidVariable);
    for value in ["", "a b", "$HOME `id` $(id) \"x\" #no", "{\"a\":\"b\"}", "ä", "%n", "=", " a ", "*"] {
        assert_eq!(env("A_1", value).unwrap().to_secret().expose(), format!("A_1='{value}'\n"));
    }
    for value in ["'", "\\", "a\nb", "a\r", "\0", "\t", "\u{85}", "\u{7f}"] {
        assert_eq!(env("A", value).unwrap_err().code(), Code::ArchiveInvalidVariable, "{value:?}");
    }
    for key in ["", "1A", "A-B", "A B", "A=", "Ä", "export A", &"A".repeat(129)] {
        assert_eq!(env(key, "").unwrap_err().code(), Code::ArchiveInvalidVariable, "{key:?}");
    }
    assert_eq!(
        env("A", "1").unwrap().with("A", Secret::new("2".into())).unwrap_err().code(),
        Code::ArchiveInvalidVariable
    );
    assert_eq!(env("A", &"x".repeat(limits::ENV_VALUE_BYTES + 1)).unwrap_err().code(), Code::TooLarge);
    assert!(!format!("{:?}", env("A", "hunter2").unwrap()).contains("hunter2"));
}

const VALUES: [&str; 6] =
    ["a b", "$HOME `id` $(id) \"x\" #no", "{\"a\": [1, 2]}", "ä€", "%n %% ;&|", " edges "];

#[test]
fn shells_read_an_environment_file_as_it_was_meant() {
    let mut env = EnvFile::new();
    for (number, value) in VALUES.iter().enumerate() {
        env = env.with(&format!("V{number}"), Secret::new((*value).into())).unwrap();
    }
    let scratch = Scratch::new("env-shells");
    let file = scratch.write("e.env", env.to_secret().expose().as_bytes());
    for shell in [&["sh"][..], &["dash"], &["bash", "--posix"], &["busybox", "sh"]] {
        if !present(shell[0]) {
            continue;
        }
        for (number, value) in VALUES.iter().enumerate() {
            let mut command = Command::new(shell[0]);
            command
                .args(&shell[1..])
                .args(["-c", &format!(". \"$1\"; printf %s \"$V{number}\""), "x"])
                .arg(&file);
            assert_eq!(run(&mut command).text(), *value, "{shell:?}");
        }
    }
}

/// `systemd-tmpfiles` reads `os-release` with the parser that reads an `EnvironmentFile=`, and writes what it found.
#[test]
fn systemd_reads_an_environment_file_as_it_was_meant() {
    if !present("systemd-tmpfiles") {
        return;
    }
    for value in VALUES {
        let scratch = Scratch::new("env-systemd");
        let env = EnvFile::new().with("VARIANT_ID", Secret::new(value.into())).unwrap().to_secret();
        scratch.write("etc/os-release", env.expose().as_bytes());
        let rules = scratch.write("rules.conf", b"f /seen - - - - %W\n");
        let mut command = Command::new("systemd-tmpfiles");
        command.args(["--create", "--root"]).arg(scratch.path()).arg(rules);
        run(&mut command).succeeds();
        assert_eq!(std::fs::read_to_string(scratch.path().join("seen")).unwrap(), value);
    }
}

proptest! {
    #[test]
    fn a_name_never_leads_out_of_its_folder(text in "[-a-zA-Z./\\\\:~ ]{0,12}") {
        if let Ok(name) = text.parse::<FileName>() {
            let path = Path::new(name.as_str());
            prop_assert!(path.is_relative());
            prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
            prop_assert_eq!(path.to_str().unwrap(), text);
        }
    }
}
