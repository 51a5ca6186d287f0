//! The program itself, on files and the environment.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixDatagram},
    process::Command,
    time::{Duration, Instant},
};

use support::{Place, events, until};

const SECRET: &str = "hunter2 {{poll \"file\" \"db\"}} $(id)";

#[test]
fn files_are_written_with_their_modes_and_commands_run_by_their_words() {
    let place = Place::new();
    place.secret("db", &format!("{SECRET}\n"));
    place.template(
        "a.tpl",
        "---\nmode: 0400\ndest: OUT/a\nonrender: cp OUT/a 'OUT/a copy' && touch OUT/SHELL\n---\n{{poll \"file\" \"db\"}}\n",
    );
    place.template("b.tpl", "---\nmode: 0644\ndest: OUT/deep/er/b\nonrender: touch OUT/ran-b\n---\n[{{poll \"env\" \"EMISSARY_TEST\"}}]");
    place.template("c.txt", "no template");
    place.template("d.tpl", "---\nmode: 0o600\ndest: OUT/d\n---\n");
    let output = place.program(&["--once", "--patience", "1"]).env("EMISSARY_TEST", SECRET).output().unwrap();
    let ended = support::Ended::of(output);
    // `cp` takes `&&` for a name, and there is no such file: it fails until the time is up.
    assert_eq!(ended.code, 3, "{}", ended.log);
    assert_eq!(place.out("a").unwrap(), format!("{SECRET}\n"));
    assert_eq!(place.out("deep/er/b").unwrap(), format!("[{SECRET}]"));
    assert_eq!((place.mode("a"), place.mode("deep/er/b"), place.mode("d")), (0o400, 0o644, 0o600));
    assert_eq!(place.files(), ["a", "d", "deep", "ran-b"]);
    assert!(ended.events().contains(&"not_run".to_owned()));
    assert!(!ended.log.contains("hunter2"), "{}", ended.log);
}

#[test]
fn once_ends_when_all_is_done() {
    let place = Place::new();
    place.secret("db", "1");
    place.template(
        "a.tpl",
        "---\nmode: 0400\ndest: OUT/a\nonrender: cp OUT/a 'OUT/a copy'\n---\n{{poll \"file\" \"db\"}}",
    );
    let ended = place.once(&[]);
    assert_eq!((ended.code, place.out("a copy").as_deref()), (0, Some("1")), "{}", ended.log);
    assert_eq!(ended.events(), ["written", "ran"]);
    place.secret("db", "2");
    assert_eq!(place.once(&[]).code, 0);
    assert_eq!(place.out("a").as_deref(), Some("2"), "a file without write permission is replaced");
}

#[test]
fn the_daemon_waits_writes_and_writes_again() {
    let place = Place::new();
    place.template(
        "a.tpl",
        "---\nmode: 0400\ndest: OUT/a\nonrender: mkdir OUT/ran\n---\n{{poll \"file\" \"db\"}}",
    );
    let socket = place.path("notify");
    let listening = UnixDatagram::bind(&socket).unwrap();
    listening.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let log = fs::File::create(place.path("log")).unwrap();
    let mut command = place.program(&["--refresh", "1"]);
    let daemon = support::Daemon(command.env("NOTIFY_SOCKET", &socket).stderr(log).spawn().unwrap());
    until("it asks", || place.log().contains("secret_missing"));
    assert!(place.files().is_empty());
    place.secret("db", "");
    until("it asks again", || place.log().contains("\"reason\":\"empty\""));
    assert!(place.files().is_empty());
    place.secret("db", "1\n");
    until("the file is there", || place.out("a").as_deref() == Some("1"));
    let mut said = [0; 16];
    let length = listening.recv(&mut said).unwrap();
    assert_eq!(&said[..length], b"READY=1");
    assert!(place.path("out/ran").exists(), "ready comes after the command");
    fs::remove_dir(place.path("out/ran")).unwrap();
    fs::remove_file(place.path("secrets/db")).unwrap();
    until("it asks in vain", || place.log().matches("secret_missing").count() > 2);
    assert_eq!(place.out("a").as_deref(), Some("1"), "what has come stays");
    place.secret("db", "2");
    until("the file is new", || place.out("a").as_deref() == Some("2"));
    until("the command has run", || place.path("out/ran").exists());
    drop(daemon);
    let written = events(&place.log()).iter().filter(|event| *event == "written").count();
    assert_eq!(written, 2, "{}", place.log());
}

#[test]
fn every_exit_code_has_its_reason() {
    let good = "---\nmode: 0400\ndest: OUT/a\n---\n{{poll \"file\" \"db\"}}";
    let place = Place::new();
    place.template("a.tpl", good);
    assert_eq!(place.once(&["--patience", "1"]).code, 3, "the secret is missing");
    assert_eq!(place.once(&["--patience", "soon"]).code, 2);
    assert_eq!(place.once(&["--check"]).code, 2);
    place.secret("db", "1");
    place.template("b.tpl", "---\nmode: 640\ndest: OUT/b\n---\nx");
    let ended = place.once(&[]);
    assert_eq!(
        (ended.code, place.out("a").as_deref()),
        (1, Some("1")),
        "one is malformed, the other is written"
    );
    assert!(ended.log.contains("template_mode"));
    place.template("b.tpl", "---\nmode: 0640\ndest: OUT/b\n---\n{{poll \"vault\" \"x\"}}");
    let ended = place.once(&[]);
    assert_eq!((ended.code, place.out("b")), (1, None));
    assert!(ended.log.contains("no such provider"), "{}", ended.log);
    let deadline = "secrets: { x: { provider: file, id: x, missing: fail, deadline_seconds: 1 } }";
    place.template(
        "b.tpl",
        &format!("---\nmode: 0640\ndest: OUT/b\n{deadline}\n---\n{{{{poll \"file\" \"x\"}}}}"),
    );
    let ended = place.once(&[]);
    assert_eq!((ended.code, place.out("b")), (1, None));
    assert!(ended.log.contains("template_deadline"), "{}", ended.log);
    fs::remove_dir_all(place.path("tpl")).unwrap();
    assert_eq!(place.once(&[]).code, 1, "no such folder");
}

#[test]
fn check_asks_nobody_and_writes_nothing() {
    let place = Place::new();
    place.template(
        "a.tpl",
        "---\nmode: 0400\ndest: OUT/a\nonrender: reload app\n---\n{{poll \"file\" \"db\"}}",
    );
    let ended = support::Ended::of(place.program(&["--check"]).output().unwrap());
    assert_eq!((ended.code, ended.events()), (0, vec!["template".to_owned(), "needs".to_owned()]));
    assert!(place.files().is_empty());
    place.template("b.tpl", "---\nmode: 0400\n---\n");
    assert_eq!(place.program(&["--check"]).output().unwrap().status.code(), Some(1));
}

#[test]
fn an_old_file_stays_when_there_will_be_no_new_one() {
    let place = Place::new();
    fs::write(place.path("out/a"), "old").unwrap();
    place.template("a.tpl", "---\nmode: 0400\ndest: OUT/a\n---\n{{poll \"file\" \"../tpl/a.tpl\"}}");
    assert_eq!(place.once(&[]).code, 1);
    assert_eq!((place.out("a").as_deref(), place.files().len()), (Some("old"), 1));
}

#[test]
fn secrets_come_from_the_folder_only() {
    let place = Place::new();
    place.secret("inside", "1");
    fs::write(place.path("outside"), "hunter2").unwrap();
    symlink("inside", place.path("secrets/link")).unwrap();
    symlink("../outside", place.path("secrets/leak")).unwrap();
    place.secret("binary", "x");
    fs::write(place.path("secrets/binary"), [0xff, 0xfe]).unwrap();
    place.secret("large", &"x".repeat(70_000));
    for (id, code) in [
        ("link", 0),
        ("inside", 0),
        ("leak", 1),
        ("../outside", 1),
        ("/etc/hostname", 1),
        ("./inside/..", 1),
        ("binary", 1),
        ("large", 1),
        ("", 1),
    ] {
        place
            .template("a.tpl", &format!("---\nmode: 0400\ndest: OUT/a\n---\n{{{{poll \"file\" \"{id}\"}}}}"));
        let ended = place.once(&["--patience", "5"]);
        assert_eq!(ended.code, code, "{id}: {}", ended.log);
        assert!(!ended.log.contains("hunter2"));
    }
}

#[test]
fn a_command_gets_no_secrets_and_not_for_ever() {
    let place = Place::new();
    place.template("a.tpl", "---\nmode: 0400\ndest: OUT/a\nonrender: sh -c 'env > OUT/env; sleep 60; touch OUT/slept'\n---\n{{poll \"env\" \"EMISSARY_TEST\"}}");
    let begin = Instant::now();
    let mut command = place.program(&["--once", "--command-timeout", "1", "--patience", "3"]);
    command.env("EMISSARY_TEST", "hunter2").env("AWS_SECRET_ACCESS_KEY", "hunter2").env("OTHER", "kept");
    let ended = support::Ended::of(command.output().unwrap());
    assert_eq!(ended.code, 3, "{}", ended.log);
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(ended.log.contains("killed after 1.0 seconds"), "{}", ended.log);
    let environment = place.out("env").unwrap();
    assert!(environment.contains("OTHER=kept") && !environment.contains("hunter2"), "{environment}");
}

#[test]
fn a_program_that_is_not_there_is_said() {
    let place = Place::new();
    place.template("a.tpl", "---\nmode: 0400\ndest: OUT/a\nonrender: /no/such/bin arg\n---\nx");
    let ended = place.once(&["--patience", "1"]);
    assert_eq!((ended.code, place.out("a").as_deref()), (3, Some("x")));
    assert!(ended.log.contains("No such file or directory"), "{}", ended.log);
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let place = Place::new();
    fs::create_dir(place.path("out/a")).unwrap();
    place.template("a.tpl", "---\nmode: 0400\ndest: OUT/a\n---\nhunter2");
    let ended = place.once(&["--patience", "1"]);
    assert_eq!((ended.code, place.files()), (3, vec!["a".to_owned()]), "{}", ended.log);
    assert!(ended.log.contains("not_written"));
}

#[test]
fn a_slow_command_keeps_no_other_template_waiting() {
    let place = Place::new();
    place.secret("db", "1");
    place.template("a.tpl", "---\nmode: 0400\ndest: OUT/a\nonrender: sleep 4\n---\nx");
    let deadline = "secrets: { db: { provider: file, id: db, missing: fail, deadline_seconds: 2 } }";
    place.template(
        "b.tpl",
        &format!("---\nmode: 0400\ndest: OUT/b\n{deadline}\n---\n{{{{poll \"file\" \"db\"}}}}"),
    );
    let ended = place.once(&[]);
    assert_eq!((ended.code, place.out("b").as_deref()), (0, Some("1")), "{}", ended.log);
    assert_eq!(ended.events(), ["written", "written", "ran"], "{}", ended.log);
}

#[test]
fn patience_ends_even_where_a_source_does_not_answer() {
    let place = Place::new();
    let made = Command::new("mkfifo").arg(place.path("secrets/nobody-writes")).status().unwrap();
    assert!(made.success());
    place.secret("db", "1");
    place.template("a.tpl", "---\nmode: 0400\ndest: OUT/a\n---\n{{poll \"file\" \"nobody-writes\"}}");
    place.template("b.tpl", "---\nmode: 0400\ndest: OUT/b\n---\n{{poll \"file\" \"db\"}}");
    let begin = Instant::now();
    let mut program = place.daemon(&["--once", "--patience", "2"]);
    until("it ends", || program.0.try_wait().unwrap().is_some());
    assert!((2..10).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    let code = program.0.wait().unwrap().code();
    assert_eq!((code, place.out("b").as_deref()), (Some(3), Some("1")), "{}", place.log());
    assert_eq!(events(&place.log()), ["written", "not_settled"], "{}", place.log());
}

#[test]
fn patience_ends_a_command() {
    let place = Place::new();
    place.template("a.tpl", "---\nmode: 0400\ndest: OUT/a\nonrender: sleep 25\n---\nx");
    let begin = Instant::now();
    let ended = place.once(&["--patience", "2"]);
    assert!((2..10).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    assert_eq!(ended.code, 3, "{}", ended.log);
    assert_eq!(ended.events(), ["written", "not_run", "not_settled"], "{}", ended.log);
}

#[test]
fn a_daemon_that_cannot_start_ends_when_everything_else_is_in_place() {
    for bad in
        ["---\nmode: 400\ndest: OUT/b\n---\n", "---\nmode: 0400\ndest: OUT/b\n---\n{{poll \"vault\" \"x\"}}"]
    {
        let place = Place::new();
        place.template(
            "a.tpl",
            "---\nmode: 0400\ndest: OUT/a\nonrender: mkdir OUT/ran\n---\n{{poll \"file\" \"db\"}}",
        );
        place.template("b.tpl", bad);
        let socket = place.path("notify");
        let listening = UnixDatagram::bind(&socket).unwrap();
        listening.set_nonblocking(true).unwrap();
        let log = fs::File::create(place.path("log")).unwrap();
        let mut command = place.program(&[]);
        let mut daemon = support::Daemon(command.env("NOTIFY_SOCKET", &socket).stderr(log).spawn().unwrap());
        until("it asks", || place.log().contains("secret_missing"));
        assert_eq!(daemon.0.try_wait().unwrap(), None, "{}", place.log());
        place.secret("db", "1");
        until("it ends", || daemon.0.try_wait().unwrap().is_some());
        assert_eq!(daemon.0.wait().unwrap().code(), Some(1), "{}", place.log());
        assert!(place.path("out/ran").exists(), "{}", place.log());
        assert!(listening.recv(&mut [0; 16]).is_err(), "it does not say that it has started");
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return support::skipped("no systemd-analyze");
    }
    let place = Place::new();
    let unit = include_str!("../deploy/emissary.service")
        .replace("/usr/local/bin/emissary", env!("CARGO_BIN_EXE_emissary"));
    let say = |unit: &str| {
        let file = place.path("emissary.service");
        fs::write(&file, unit).unwrap();
        let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(file).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let about = said.lines().filter(|line| line.contains("emissary.service"));
        (output.status.success(), about.collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(say(&unit), (true, String::new()));
    assert_ne!(say(&unit.replace("TimeoutStartSec", "TimeoutStart")).1, "", "it looks");
    let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    assert!(value("TimeoutStartSec=").strip_suffix("min").unwrap().parse::<u8>().is_ok(), "it is finite");
    assert_eq!((value("Restart="), value("StartLimitIntervalSec=")), ("on-failure", "0"));
}

#[test]
fn two_templates_do_not_write_one_file() {
    let place = Place::new();
    symlink("out", place.path("link")).unwrap();
    for dest in ["OUT/a", "OUT//a", "OUT/./a", "OUT/../out/a", "OUT/../link/a", "OUT/new/../a"] {
        place.template("a.tpl", "---\nmode: 0400\ndest: OUT/a\n---\none");
        place.template("b.tpl", &format!("---\nmode: 0400\ndest: {dest}\n---\ntwo"));
        let ended = place.once(&["--patience", "5"]);
        assert_eq!((ended.code, place.out("a").as_deref()), (1, Some("one")), "{dest}: {}", ended.log);
        assert!(ended.log.contains("a.tpl writes"), "{dest}: {}", ended.log);
        assert_eq!(place.program(&["--check"]).output().unwrap().status.code(), Some(1), "{dest}");
    }
    place.template("b.tpl", "---\nmode: 0400\ndest: OUT/new/a\n---\ntwo");
    assert_eq!(place.once(&["--patience", "5"]).code, 0);
}
