//! Running the programs of others, where they are installed.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

/// Whether a program is installed; if not, this is said loudly. With `PEERS=required` it is a failure.
#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
pub(crate) fn present(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
        return true;
    }
    assert!(std::env::var_os("PEERS").is_none_or(|peers| peers != "required"), "{program} is not installed");
    say(&format!("SKIPPED: {program} is not installed"));
    false
}

/// Written directly, because the test harness would swallow what a passing test prints.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A folder that is removed in the end.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(purpose: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("handfast-{purpose}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a program did.
pub(crate) struct Ran(Output);

pub(crate) fn run(command: &mut Command) -> Ran {
    Ran(command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

impl Ran {
    pub(crate) fn succeeds(&self) {
        assert!(self.0.status.success(), "{:?}: {}{}", self.0.status, self.text(), self.errors());
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn errors(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}
