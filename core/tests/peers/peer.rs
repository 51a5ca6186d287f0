//! Finding a program, running it, and saying how it went.

use std::{
    ffi::OsStr,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A program that is there.
pub(crate) struct Peer {
    pub(crate) path: PathBuf,
    pub(crate) folder: PathBuf,
}

/// Why a test could not be made.
pub(crate) type Skipped = String;

/// Runs a test of one program: `version` is the command that says which it is, `from` what brings it.
pub(crate) fn peer(
    program: &str,
    version: &[&str],
    from: &str,
    test: impl FnOnce(&Peer) -> Result<(), Skipped>,
) {
    let found = find(program);
    let program = Path::new(program).file_name().unwrap().to_str().unwrap();
    let Some(path) = found else {
        return skipped(program, "absent", &format!("install {from}"));
    };
    let said = run(Command::new(version[0]).args(&version[1..]));
    let said = format!("{}{}", text(&said.stdout), text(&said.stderr));
    let version = said.lines().next().unwrap_or("unknown").trim().to_owned();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = format!("peers-{program}-{}-{number}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let peer = Peer { path, folder };
    let result = catch_unwind(AssertUnwindSafe(|| test(&peer)));
    std::fs::remove_dir_all(&peer.folder).unwrap();
    match result {
        Ok(Ok(())) => say(&format!("peer: {program}, {version}, passed")),
        Ok(Err(why)) => skipped(program, &version, &why),
        Err(panic) => {
            say(&format!("peer: {program}, {version}, failed"));
            resume_unwind(panic);
        }
    }
}

impl Peer {
    /// The program, to be started in the test's own folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder);
        command
    }

    /// Writes a file into the folder, readable by its owner alone.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

/// Output of a command that must succeed.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = run(command);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{err}", output.status);
    out
}

/// Output of a command that must succeed, given something to read.
pub(crate) fn fed(command: &mut Command, input: &str) -> String {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// What only root can do is skipped for everybody else.
pub(crate) fn need_root() -> Result<(), Skipped> {
    let id = succeed(Command::new("id").arg("-u"));
    if id.trim() == "0" { Ok(()) } else { Err("run it as root".to_owned()) }
}

/// Where a program is: in `PATH` and the folders that only root's has. A path leads where it leads.
#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(OsStr::new(program))).find(|path| path.is_file())
}

/// Where `make peers` has put something.
#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
pub(crate) fn installed(path: &str) -> String {
    let folder = std::env::var_os("HANDFAST_PEERS")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers"), PathBuf::from);
    folder.join(path).display().to_string()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
fn skipped(program: &str, version: &str, why: &str) {
    say(&format!("peer: {program}, {version}, skipped: {why}"));
    assert!(
        std::env::var_os("PEERS").is_none_or(|value| value != "required"),
        "{program} is required: {why}"
    );
}

/// Written directly, because the test harness would swallow what a passing test prints.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
