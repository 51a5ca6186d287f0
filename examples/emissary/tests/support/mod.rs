//! What the tests share: a folder of templates and secrets, and the program on it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// Templates below `tpl`, secrets below `secrets`, files below `out`.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        for folder in ["tpl", "secrets", "out"] {
            fs::create_dir(place.path(folder)).unwrap();
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A template; `OUT` stands for the folder of files.
    pub(crate) fn template(&self, name: &str, text: &str) {
        let text = text.replace("OUT", self.path("out").to_str().unwrap());
        fs::write(self.path("tpl").join(name), text).unwrap();
    }

    pub(crate) fn secret(&self, name: &str, text: &str) {
        fs::write(self.path("secrets").join(name), text).unwrap();
    }

    pub(crate) fn out(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path("out").join(name)).ok()
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path("out").join(name)).unwrap().permissions().mode() & 0o7777
    }

    /// The names of everything below `out`, hidden files too.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("out")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program on this place, with a strange umask.
    pub(crate) fn program(&self, options: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 0177; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_emissary")]);
        command.args(options).arg("--file-dir").arg(self.path("secrets")).arg(self.path("tpl"));
        command.env_remove("NOTIFY_SOCKET").stdin(Stdio::null());
        command
    }

    pub(crate) fn once(&self, options: &[&str]) -> Ended {
        Ended::of(self.program(&[&["--once"], options].concat()).output().unwrap())
    }

    /// The program as a daemon, its log in a file.
    pub(crate) fn daemon(&self, options: &[&str]) -> Daemon {
        let log = fs::File::create(self.path("log")).unwrap();
        Daemon(self.program(options).stderr(log).spawn().unwrap())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }
}

/// How the program ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) log: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        assert!(output.stdout.is_empty());
        Self { code: output.status.code().unwrap(), log: String::from_utf8(output.stderr).unwrap() }
    }

    /// The members `event` of the log, each line of which is JSON.
    pub(crate) fn events(&self) -> Vec<String> {
        events(&self.log)
    }
}

pub(crate) fn events(log: &str) -> Vec<String> {
    let read =
        |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    log.lines().map(|line| read(line)["event"].as_str().unwrap().to_owned()).collect()
}

/// Ends with the test.
pub(crate) struct Daemon(pub(crate) Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A loud word about a test that cannot be run here.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
