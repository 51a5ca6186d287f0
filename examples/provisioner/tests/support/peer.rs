//! Finding the real programs that the host works with, and saying how it went: a line each, as `make peers-heavy` shows them.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// A program that is there. When it is dropped, it says how its test went.
pub(crate) struct Peer {
    name: &'static str,
    version: String,
}

impl Peer {
    /// `version`: what the program says it is.
    pub(crate) fn new(name: &'static str, version: &str) -> Self {
        Self { name, version: version.trim().to_owned() }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let went = if std::thread::panicking() { "failed" } else { "passed" };
        say(&format!("peer: {}, {}, {went}", self.name, self.version));
    }
}

/// Programs in the folders that a variable names, in those of the path, or where `make peers-heavy` puts them. `None`, loudly, where
/// one is not there.
pub(crate) fn find<const N: usize>(variable: &str, programs: [&'static str; N]) -> Option<[PathBuf; N]> {
    let folders = std::env::var_os(variable).or_else(|| std::env::var_os("PATH")).unwrap_or_default();
    let installed = std::env::var_os("HANDFAST_PEERS").map(|folder| Path::new(&folder).join("go/bin"));
    let folders: Vec<_> = std::env::split_paths(&folders).chain(installed).collect();
    let found =
        programs.map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()));
    if let Some(place) = found.iter().position(Option::is_none) {
        let name = programs[place];
        say(&format!("peer: {name}, absent, skipped: make peers-heavy, or name its folder in {variable}"));
        assert!(std::env::var_os("PEERS").is_none_or(|value| value != "required"), "{name} is required");
        return None;
    }
    Some(found.map(Option::unwrap_or_default))
}

/// Written directly, because the test harness would swallow what a passing test prints.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
