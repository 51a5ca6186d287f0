//! The installer, run by real shells with the tools of real systems, on good packages and on hostile ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers"
)]

mod programs;

use std::{
    collections::BTreeSet,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    process::Command,
};

use flate2::{Compression, write::GzEncoder};
use handfast::{
    Secret,
    archive::{Archive, EnvFile, INSTALLER},
    limits,
};
use programs::{Ran, Scratch, present, run, say};
use sha2::Digest as _;
use tar::{Builder, EntryType, Header};

const SECRET: &str = "hunter2 $HOME \"`id`\" {}";

/// A folder with the installer and a package.
struct Host {
    scratch: Scratch,
    shell: &'static [&'static str],
    /// Tools that are used instead of the system's.
    tools: Option<PathBuf>,
}

impl Host {
    fn new(shell: &'static [&'static str]) -> Self {
        let scratch = Scratch::new("installer");
        scratch.write("install.sh", INSTALLER.as_bytes());
        scratch.write("package.tar.gz", archive().with_digests().unwrap().to_tar_gz().unwrap().expose());
        Self { scratch, shell, tools: None }
    }

    /// Every shell that is installed, and busybox with its own tar, grep and the like.
    fn all() -> Vec<Self> {
        let shells: [&[&str]; 5] = [&["sh"], &["dash"], &["bash"], &["ksh"], &["busybox", "sh"]];
        let mut hosts: Vec<_> = shells.into_iter().filter(|shell| present(shell[0])).map(Self::new).collect();
        if present("busybox") {
            let mut host = Self::new(&["sh"]);
            let tools = host.scratch.path().join("tools");
            std::fs::create_dir(&tools).unwrap();
            run(Command::new("busybox").args(["--install", "-s"]).arg(&tools)).succeeds();
            host.tools = Some(tools);
            hosts.push(host);
        }
        assert!(!hosts.is_empty());
        hosts
    }

    /// Any one.
    fn one() -> Self {
        Self::new(&["sh"])
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let shell = self.tools.as_ref().map_or_else(|| self.shell[0].into(), |tools| tools.join("sh"));
        let mut command = Command::new(shell);
        command.args(&self.shell[1..]).arg("install.sh").args(arguments).current_dir(self.scratch.path());
        if let Some(tools) = &self.tools {
            command.env("PATH", tools);
        }
        command
    }

    fn install(&self, arguments: &[&str]) -> Ran {
        let package = ["--package", "package.tar.gz", "--into", "out"];
        run(&mut self.command(&[package.as_slice(), arguments].concat()))
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.scratch.path().join(path)
    }

    /// The package's own digest.
    fn digest(&self) -> String {
        sha256(&std::fs::read(self.path("package.tar.gz")).unwrap())
    }

    fn mode(&self, path: &str) -> u32 {
        std::fs::metadata(self.path(path)).unwrap().permissions().mode() & 0o7777
    }

    /// Installs with a script in the place of a tool.
    fn install_with(&self, tool: &str, script: &str, arguments: &[&str]) -> Ran {
        let path = self.scratch.write(&format!("shims/{tool}"), format!("#!/bin/sh\n{script}\n").as_bytes());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let package = ["--package", "package.tar.gz", "--into", "out"];
        let mut command = self.command(&[package.as_slice(), arguments].concat());
        let tools =
            self.tools.as_ref().map_or_else(|| "/usr/bin:/bin".into(), |tools| tools.display().to_string());
        let ran = run(command.env("PATH", format!("{}:{tools}", self.path("shims").display())));
        std::fs::remove_dir_all(self.path("shims")).unwrap();
        ran
    }

    /// What is there that was not there before.
    fn left(&self) -> Vec<String> {
        let mut left: Vec<_> = std::fs::read_dir(self.scratch.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !["install.sh", "package.tar.gz", "tools"].contains(&name.as_str()))
            .collect();
        left.sort();
        left
    }

    fn assert_clean(&self, note: &str) {
        assert_eq!(self.left(), Vec::<String>::new(), "{note}");
    }
}

fn sha256(content: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(content))
}

fn archive() -> Archive {
    let env = EnvFile::new()
        .with("CORE_ADDRESS", Secret::new("core.example:50051".into()))
        .and_then(|env| env.with("EDGE_TOKEN", Secret::new(SECRET.into())))
        .unwrap();
    Archive::new()
        .with_file("README.txt".parse().unwrap(), "Unpack me once.\n".to_owned())
        .and_then(|archive| archive.with_file("edge.env".parse()?, env.to_secret()))
        .and_then(|archive| archive.with_file("spire/join-token".parse()?, Secret::new(SECRET.into())))
        .and_then(|archive| {
            archive.with_script("bin/start.sh".parse()?, "#!/bin/sh\necho started\n".to_owned())
        })
        .unwrap()
}

#[test]
fn every_shell_installs_a_package_fills_in_its_environment_and_starts_it() {
    for host in Host::all() {
        let set = ["--env-file", "out/edge.env", "--set", "CORE_ADDRESS=a:1", "--set", "LABEL=Edge 7 $x"];
        let ran = host.install(&[set.as_slice(), &["--then", "pwd; bin/start.sh; umask"]].concat());
        ran.succeeds();
        assert_eq!(ran.errors(), "", "{:?}", host.shell);
        let folder = host.path("out").canonicalize().unwrap();
        assert_eq!(ran.text(), format!("{}\nstarted\n0077\n", folder.display()), "{:?}", host.shell);
        let env = format!("CORE_ADDRESS='a:1'\nEDGE_TOKEN='{SECRET}'\nLABEL='Edge 7 $x'\n");
        assert_eq!(host.read("out/edge.env"), env);
        assert_eq!(host.read("out/spire/join-token"), SECRET);
        let modes = ["out", "out/spire", "out/edge.env", "out/spire/join-token", "out/bin/start.sh"];
        assert_eq!(modes.map(|path| host.mode(path)), [0o700, 0o700, 0o600, 0o600, 0o700]);

        // Again: the folder is replaced as a whole, and what was put there goes with it.
        host.scratch.write("out/left-over", b"x");
        host.install(&[]).succeeds();
        assert!(!host.path("out/left-over").exists());
        assert!(host.read("out/edge.env").starts_with("CORE_ADDRESS='core.example:50051'\n"));
        std::fs::remove_dir_all(host.path("out")).unwrap();
        host.assert_clean("installed");
        let tools = if host.tools.is_some() { ", with busybox's tools" } else { "" };
        say(&format!("peer: {}{tools}, runs the installer, passed", host.shell.join(" ")));
    }
}

#[test]
fn an_environment_file_elsewhere_keeps_what_it_has() {
    for host in Host::all() {
        let before = "# the operator's\nKEEP=\"a \\\" b\"\nexport KEY=1\nKEY=\"o\\\"l\"'d'\nOTHER='x'\nKEY=older\n\nBACK\\SLASH\nlast=1";
        host.scratch.write("node.env", before.as_bytes());
        std::fs::set_permissions(host.path("node.env"), std::fs::Permissions::from_mode(0o644)).unwrap();
        host.install(&[
            "--env-file",
            "node.env",
            "--set",
            "NEW=1=2",
            "--set",
            "KEY=first",
            "--set",
            "KEY=new",
        ])
        .succeeds();
        let after = "# the operator's\nKEEP=\"a \\\" b\"\nexport KEY=1\nKEY='new'\nOTHER='x'\n\nBACK\\SLASH\nlast=1\nNEW='1=2'\n";
        assert_eq!(host.read("node.env"), after, "{:?}", host.shell);
        assert_eq!(host.mode("node.env"), 0o600);

        host.install(&["--env-file", "fresh.env", "--set", "A="]).succeeds();
        assert_eq!((host.read("fresh.env").as_str(), host.mode("fresh.env")), ("A=''\n", 0o600));
        // Without settings it is still made private, or made.
        std::fs::set_permissions(host.path("node.env"), std::fs::Permissions::from_mode(0o644)).unwrap();
        host.install(&["--env-file", "node.env"]).succeeds();
        assert_eq!((host.read("node.env").as_str(), host.mode("node.env")), (after, 0o600));
        host.install(&["--env-file", "bare.env"]).succeeds();
        assert_eq!((host.read("bare.env").as_str(), host.mode("bare.env")), ("", 0o600));
        assert_eq!(host.left(), ["bare.env", "fresh.env", "node.env", "out"]);
    }
}

#[test]
fn an_environment_file_that_is_not_understood_is_left_alone_and_nothing_is_installed() {
    let host = Host::one();
    for before in [
        "KEY='two\nlines'\n",
        "KEY=a\\\nb\n",
        "KEY=it's\n",
        "CERT=\"line 1\nKEY=inside\nend\"\nKEY=1\n",
        "CERT='line 1\nKEY=inside\nend'\n",
        "OTHER=a\\\nKEY=b\n",
        "# a comment that goes on \\\nKEY=1\n",
        "; the same\\\nKEY=1\n",
        "OTHER='for an old systemd\\'\nKEY=1\n",
    ] {
        host.scratch.write("node.env", before.as_bytes());
        let ran = host.install(&["--env-file", "node.env", "--set", "KEY=hunter2"]);
        assert_eq!(ran.code(), Some(1), "{before}");
        assert_eq!(host.read("node.env"), before);
        assert!(!ran.errors().contains("hunter2"));
    }
    std::fs::rename(host.path("node.env"), host.path("real.env")).unwrap();
    symlink("real.env", host.path("node.env")).unwrap();
    assert_eq!(host.install(&["--env-file", "node.env", "--set", "KEY=x"]).code(), Some(1));
    for file in ["node.env", "real.env"] {
        std::fs::remove_file(host.path(file)).unwrap();
    }
    host.assert_clean("not understood");
}

#[test]
fn a_package_is_checked_before_anything_is_in_its_place() {
    let host = Host::one();
    let good = std::fs::read(host.path("package.tar.gz")).unwrap();
    let digest = host.digest();
    host.install(&["--sha256", &digest]).succeeds();
    std::fs::remove_dir_all(host.path("out")).unwrap();
    assert_eq!(host.install(&["--sha256", &"0".repeat(64)]).code(), Some(1));

    let mut cut = good.clone();
    cut.truncate(good.len() / 2);
    host.scratch.write("package.tar.gz", &cut);
    assert_eq!(host.install(&[]).code(), Some(1));

    // Without a list, only with the package's own digest.
    host.scratch.write("package.tar.gz", archive().to_tar_gz().unwrap().expose());
    assert_eq!(host.install(&[]).code(), Some(1));
    host.assert_clean("refused");
    let digest = host.digest();
    host.install(&["--sha256", &digest]).succeeds();
    assert_eq!(host.read("out/spire/join-token"), SECRET);
}

/// A member of a hostile package: its type, its name as bytes, what it links to, its content.
type Member<'a> = (EntryType, &'a [u8], &'a [u8], &'a [u8]);

fn hostile(members: &[Member<'_>]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (kind, name, link, content) in members {
        let mut header = Header::new_ustar();
        let fields = header.as_ustar_mut().unwrap();
        fields.name[..name.len()].copy_from_slice(name);
        fields.linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(*kind);
        header.set_mode(0o4755);
        header.set_uid(1000);
        header.set_gid(1000);
        header.set_mtime(0);
        header.set_size(content.len().try_into().unwrap());
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn hostile_members_are_refused_and_leave_nothing_behind() {
    let absolute = std::env::temp_dir().join(format!("handfast-escaped-{}", std::process::id()));
    let absolute_name = absolute.to_str().unwrap().as_bytes().to_vec();
    let deep = ["a"; limits::ARCHIVE_DEPTH + 1].join("/");
    let packages: [(&str, Vec<Member<'_>>); 25] = [
        ("absolute", vec![(FILE, &absolute_name, b"", b"x")]),
        ("parent", vec![(FILE, b"../escaped", b"", b"x")]),
        ("parent inside", vec![(FILE, b"a/../../escaped", b"", b"x")]),
        ("here", vec![(FILE, b"./a", b"", b"x")]),
        ("symbolic link", vec![(EntryType::Symlink, b"a", b"/etc/passwd", b"")]),
        ("through a link", vec![(EntryType::Symlink, b"a", b"..", b""), (FILE, b"a/escaped", b"", b"x")]),
        ("hard link out", vec![(EntryType::Link, b"a", b"/etc/passwd", b"")]),
        ("hard link in", vec![(FILE, b"a", b"", b"x"), (EntryType::Link, b"b", b"a", b"")]),
        ("pipe", vec![(EntryType::Fifo, b"a", b"", b"")]),
        ("device", vec![(EntryType::Char, b"a", b"", b"")]),
        ("newline", vec![(FILE, b"a\nb", b"", b"x")]),
        ("escape", vec![(FILE, b"a\x1b[2J", b"", b"x")]),
        ("space", vec![(FILE, b"a b", b"", b"x")]),
        ("option", vec![(FILE, b"--checkpoint=1", b"", b"x")]),
        ("backslash", vec![(FILE, b"a\\b", b"", b"x")]),
        ("not ASCII", vec![(FILE, "ä".as_bytes(), b"", b"x")]),
        ("full stop", vec![(FILE, b"a.", b"", b"x")]),
        ("twice", vec![(FILE, b"a", b"", b"x"), (FILE, b"a", b"", b"y")]),
        ("twice in another case", vec![(FILE, b"a", b"", b"x"), (FILE, b"A", b"", b"y")]),
        ("device of Windows", vec![(FILE, b"NUL", b"", b"x")]),
        ("device with an extension", vec![(FILE, b"a/com1.txt", b"", b"x")]),
        ("two spellings of a folder", vec![(FILE, b"A/x", b"", b"x"), (FILE, b"a/y", b"", b"x")]),
        ("a folder and a file", vec![(FILE, b"A", b"", b"x"), (FILE, b"a/y", b"", b"x")]),
        ("deep", vec![(FILE, deep.as_bytes(), b"", b"x")]),
        ("the installer's mark", vec![(FILE, b".handfast-package", b"", b"x")]),
    ];
    for host in Host::all() {
        for (note, members) in &packages {
            host.scratch.write("package.tar.gz", &hostile(members));
            let digest = host.digest();
            let ran = host.install(&["--sha256", &digest]);
            assert_eq!(ran.code(), Some(1), "{:?} {note}: {}{}", host.shell, ran.text(), ran.errors());
            assert!(
                ran.errors().starts_with("install: ") && !ran.errors().contains('\x1b'),
                "{note}: {}",
                ran.errors()
            );
            assert_eq!(ran.text(), "", "{note}");
            host.assert_clean(note);
            assert!(!absolute.exists() && !host.path("escaped").exists(), "{note}");
        }
        // The same way of making one, with nothing hostile but its modes and owners.
        host.scratch.write(
            "package.tar.gz",
            &hostile(&[(EntryType::Directory, b"a/", b"", b""), (FILE, b"a/b", b"", b"x")]),
        );
        let digest = host.digest();
        host.install(&["--sha256", &digest]).succeeds();
        assert_eq!((host.mode("out/a"), host.mode("out/a/b")), (0o700, 0o700));
    }
}

#[test]
fn a_list_of_digests_must_name_each_file_once_and_rightly() {
    let (a, b) = (sha256(b"x"), sha256(b"y"));
    let host = Host::one();
    for (list, good) in [
        (format!("{a}  a\n{b}  b\n"), true),
        (format!("{b}  b\n{a}  a\n"), true),
        (format!("{a}  a\n"), false),
        (format!("{a}  a\n{a}  b\n"), false),
        (format!("{a}  a\n{b}  b\n{b}  c\n"), false),
        (format!("{a}  a\n{a}  a\n{b}  b\n"), false),
        (format!("{a}  a\n{b} *b\n"), false),
        (format!("{a}  a\n{b}  b\n{a}  ../package.tar.gz\n"), false),
        (format!("{}  a\n{b}  b\n", a.to_uppercase()), false),
        (String::new(), false),
        ("x\n".to_owned(), false),
    ] {
        let members: [Member<'_>; 3] =
            [(FILE, b"a", b"", b"x"), (FILE, b"b", b"", b"y"), (FILE, b"SHA256SUMS", b"", list.as_bytes())];
        host.scratch.write("package.tar.gz", &hostile(&members));
        let ran = host.install(&[]);
        assert_eq!(ran.code(), Some(i32::from(!good)), "{list}: {}", ran.errors());
        assert_eq!(host.path("out").exists(), good, "{list}");
        if good {
            std::fs::remove_dir_all(host.path("out")).unwrap();
        }
        host.assert_clean(&list);
    }
}

#[test]
fn what_fills_the_disk_is_cut_off() {
    let host = Host::one();
    host.scratch.write("package.tar.gz", &hostile(&[(FILE, b"zeros", b"", &vec![0; 64 << 20])]));
    let digest = host.digest();
    assert_eq!(host.install(&["--sha256", &digest]).code(), Some(1));
    host.assert_clean("a large file");

    // Many files, each of which is small.
    let names: Vec<_> = (0..20).map(|number| format!("zeros{number}")).collect();
    let zeros = vec![0; 1 << 20];
    let members: Vec<Member<'_>> =
        names.iter().map(|name| (FILE, name.as_bytes(), &b""[..], &zeros[..])).collect();
    for host in Host::all() {
        host.scratch.write("package.tar.gz", &hostile(&members));
        let ran = host.install(&["--sha256", &host.digest()]);
        assert_eq!((ran.code(), ran.text()), (Some(1), String::new()), "{:?}", host.shell);
        assert!(ran.errors().starts_with("install: "), "{}", ran.errors());
        host.assert_clean("large together");
    }
}

/// The script's limits are not below those of the crate.
#[test]
fn the_largest_package_is_installed() {
    let mut archive = Archive::new();
    let folders = ["a"; limits::ARCHIVE_DEPTH - 1].join("/");
    let size = limits::ARCHIVE_BYTES / limits::ARCHIVE_FILES;
    // What does not shrink much.
    let content: Vec<u8> =
        (0..size.div_ceil(32)).flat_map(|block| sha2::Sha256::digest(block.to_le_bytes())).collect();
    let name = |number: usize| {
        let start = format!("{folders}/{number:02}");
        format!("{start}{}", "x".repeat(limits::ARCHIVE_NAME_BYTES - start.len()))
    };
    for number in 0..limits::ARCHIVE_FILES {
        archive = archive.with_file(name(number).parse().unwrap(), content[..size].to_vec()).unwrap();
    }
    for host in Host::all() {
        let package = archive.clone().with_digests().unwrap().to_tar_gz().unwrap();
        host.scratch.write("package.tar.gz", package.expose());
        host.install(&[]).succeeds();
        assert_eq!(std::fs::read(host.path("out").join(name(63))).unwrap(), content[..size]);
    }

    // And names are not longer than there.
    let host = Host::one();
    let mut header = Header::new_ustar();
    header.set_path(format!("{}/{}", "a".repeat(limits::ARCHIVE_NAME_BYTES - 1), "b")).unwrap();
    header.set_mode(0o600);
    header.set_size(0);
    header.set_cksum();
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append(&header, &[][..]).unwrap();
    host.scratch.write("package.tar.gz", &tar.into_inner().unwrap().finish().unwrap());
    assert_eq!(host.install(&["--sha256", &host.digest()]).code(), Some(1));
    host.assert_clean("a long name");
}

#[test]
fn a_folder_that_is_not_a_package_is_never_replaced() {
    let host = Host::one();
    host.scratch.write("out/precious", b"x");
    assert_eq!(host.install(&[]).code(), Some(1));
    assert_eq!(host.read("out/precious"), "x");
    std::fs::remove_file(host.path("out/precious")).unwrap();
    host.install(&[]).succeeds();

    std::fs::remove_dir_all(host.path("out")).unwrap();
    host.scratch.write("elsewhere/precious", b"x");
    symlink("elsewhere", host.path("out")).unwrap();
    assert_eq!(host.install(&[]).code(), Some(1));
    assert_eq!(host.read("elsewhere/precious"), "x");
    for into in ["/", ".", "..", "no/such/parent", "install.sh"] {
        let ran = run(&mut host.command(&["--package", "package.tar.gz", "--into", into]));
        assert!(matches!(ran.code(), Some(1 | 2)), "{into}: {}", ran.errors());
    }
    assert_eq!(host.read("install.sh"), INSTALLER);
}

#[test]
fn no_secret_is_printed_and_none_is_in_a_message() {
    let host = Host::one();
    for arguments in [
        &["--env-file", "e", "--set", "KEY=hunter2'"][..],
        &["--env-file", "e", "--set", "KEY=hunter2\\"],
        &["--env-file", "e", "--set", "KEY=hunter2\n"],
        &["--env-file", "e", "--set", "KEY=a\nhunter2"],
        &["--env-file", "e", "--set", "hunter2"],
        &["--env-file", "e", "--set", "1KEY=hunter2"],
        &["--env-file", "e", "--set", "A B=hunter2"],
        &["--set", "KEY=hunter2"],
        &["--ask", "hunter2!"],
        &["--sha256", "hunter2"],
        &["hunter2"],
        &["--nothing=hunter2"],
        &["--set"],
        &["--sha256", ""],
        &["--env-file", ""],
        &["--then", ""],
        &["--into", ""],
        &["--env-file", "e", "--ask", ""],
    ] {
        let ran = host.install(arguments);
        assert_eq!(ran.code(), Some(2), "{arguments:?}");
        assert!(!ran.errors().contains("hunter2") && ran.text().is_empty(), "{}", ran.errors());
        host.assert_clean("wrong usage");
    }
    let ran = host.install(&["--env-file", "out/edge.env", "--set", "EDGE_TOKEN=hunter2"]);
    ran.succeeds();
    assert_eq!((ran.text(), ran.errors()), (String::new(), String::new()));
}

#[test]
fn the_command_decides_the_exit_code_in_the_operators_locale() {
    let host = Host::one();
    assert_eq!(host.install(&["--then", "exit 7"]).code(), Some(7));
    let mut command =
        host.command(&["--package", "package.tar.gz", "--into", "out", "--then", "echo $LC_ALL"]);
    assert_eq!(run(command.env("LC_ALL", "C.UTF-8")).text(), "C.UTF-8\n");
    let ran = host.install(&["--sha256", &"0".repeat(64), "--then", "touch ran"]);
    assert_eq!((ran.code(), host.path("ran").exists()), (Some(1), false));
}

#[test]
fn help_names_every_option() {
    let host = Host::one();
    let help = run(&mut host.command(&["--help"]));
    help.succeeds();
    for option in ["--package", "--sha256", "--into", "--env-file", "--set", "--ask", "--then", "--help"] {
        assert!(help.text().contains(option), "{option}");
    }
    assert_eq!(run(&mut host.command(&[])).code(), Some(2));
}

/// On a terminal that `script` (util-linux) makes.
fn on_a_terminal(host: &Host, typed: &str, shell: &str) -> Ran {
    let words =
        "install.sh --package package.tar.gz --into out --env-file node.env --ask KEY --then 'echo done'";
    let script =
        format!("(sleep 1; printf '{typed}\\n'; sleep 1) | script -qec \"{shell} {words}\" /dev/null");
    run(Command::new("sh").args(["-c", &script]).current_dir(host.scratch.path()))
}

#[test]
fn a_secret_is_asked_for_on_a_terminal_without_being_shown() {
    let host = Host::one();
    let ran = host.install(&["--env-file", "node.env", "--ask", "KEY"]);
    assert_eq!(ran.code(), Some(1), "no terminal");
    host.assert_clean("no terminal");
    if !present("script") {
        return;
    }
    for shell in ["sh", "dash", "bash", "busybox sh"] {
        if !present(shell.split(' ').next().unwrap()) {
            continue;
        }
        let host = Host::one();
        let ran = on_a_terminal(&host, "hunter2", shell);
        ran.succeeds();
        assert!(ran.text().contains("KEY: ") && ran.text().contains("done"), "{shell}: {}", ran.text());
        assert!(!ran.text().contains("hunter2"), "{shell}: {}", ran.text());
        assert_eq!(host.read("node.env"), "KEY='hunter2'\n", "{shell}");
    }
}

#[test]
fn the_script_is_one_that_shellcheck_finds_nothing_in() {
    if present("shellcheck") {
        let host = Host::one();
        let ran = run(Command::new("shellcheck").args(["--shell=sh"]).arg(host.path("install.sh")));
        assert_eq!((ran.code(), ran.text()), (Some(0), String::new()));
    }
}

/// A variable that the caller exports stays exported, whatever it is given.
#[test]
fn no_secret_gets_into_the_environment_of_a_command() {
    let names: BTreeSet<_> = INSTALLER
        .split(|character: char| character.is_whitespace() || ";(".contains(character))
        .filter_map(|word| word.split_once('='))
        .map(|(name, _)| name)
        .chain(INSTALLER.split("read -r ").skip(1).filter_map(|rest| rest.split([' ', ';']).next()))
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .collect();
    assert!(["settings", "value", "line", "candidate"].iter().all(|name| names.contains(name)), "{names:?}");
    for host in Host::all() {
        host.scratch.write("node.env", b"KEY=hunter2\nOTHER=1\n");
        let set =
            ["--env-file", "node.env", "--set", "KEY=hunter2", "--set", "LAST=hunter2", "--then", "env"];
        let package = ["--package", "package.tar.gz", "--into", "out"];
        let mut command = host.command(&[package, [set[0], set[1], set[2], set[3]]].concat());
        command.args(&set[4..]);
        let ran = run(command.envs(names.iter().map(|name| (name, "1"))));
        ran.succeeds();
        assert!(
            ran.text().contains("PATH=") && !ran.text().contains("hunter2"),
            "{:?}: {}",
            host.shell,
            ran.text()
        );
    }
}

/// A run that is ended in the middle leaves what was there.
#[test]
fn a_run_that_is_ended_changes_nothing() {
    for host in Host::all() {
        host.install(&[]).succeeds();
        host.scratch.write("out/of-the-old", b"x");
        let ran = host.install_with("tar", "kill -TERM $PPID\nsleep 1", &[]);
        assert_ne!(ran.code(), Some(0));
        assert_eq!(host.read("out/of-the-old"), "x");
        assert_eq!(host.left(), ["out"]);

        // The moment when DIR is not there: all is done, or nothing.
        let ran = host.install_with("mv", "/bin/mv \"$@\"\nkill -TERM $PPID\nsleep 0.2", &[]);
        assert_eq!(host.path("out/of-the-old").exists(), ran.code() != Some(0), "{:?}", host.shell);
        assert!(host.path("out/edge.env").exists(), "{:?}", host.shell);
        assert_eq!(host.left(), ["out"], "{:?}", host.shell);
    }
}

#[test]
fn a_rename_that_fails_leaves_folder_and_environment_file_as_they_were() {
    let host = Host::one();
    host.scratch.write("node.env", b"A=1\n");
    let set = ["--env-file", "node.env", "--set", "A=2"];
    // Without DIR, and with it.
    for before in [&["node.env"][..], &["node.env", "out"]] {
        for failing in 1..=3 {
            let script = format!(
                "echo x >> {0}\n[ $(wc -l < {0}) -ne {failing} ] || exit 1\nexec /bin/mv \"$@\"",
                host.path("shims/count").display()
            );
            let ran = host.install_with("mv", &script, &set);
            if before.len() == 1 && failing == 3 {
                ran.succeeds();
            } else {
                assert_eq!(ran.code(), Some(1), "{failing}");
                assert_eq!(
                    (host.read("node.env").as_str(), host.left().as_slice()),
                    ("A=1\n", &before.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..]),
                    "{failing}"
                );
                assert_eq!(host.path("out/of-the-old").exists(), before.len() == 2);
            }
        }
        host.scratch.write("out/of-the-old", b"x");
        host.scratch.write("node.env", b"A=1\n");
    }
}

#[test]
fn what_a_killed_run_left_is_put_right_by_the_next() {
    for host in Host::all() {
        host.install(&[]).succeeds();
        host.scratch.write("out/of-the-old", b"x");
        host.scratch.write("node.env", b"A=1\n");
        let set = ["--env-file", "node.env", "--set", "A=hunter2"];
        let ran = host.install_with("mv", "/bin/mv \"$@\"\nkill -KILL $PPID", &set);
        assert!(ran.code() != Some(0) && !host.path("out").exists(), "{:?}", host.shell);
        // Even by one that installs nothing itself.
        let ran = host.install(&[&set[..], &["--sha256", &"0".repeat(64)]].concat());
        assert_eq!(ran.code(), Some(1), "{}", ran.errors());
        assert_eq!((host.read("out/of-the-old").as_str(), host.read("node.env").as_str()), ("x", "A=1\n"));
        assert_eq!(host.left(), ["node.env", "out"], "{:?}", host.shell);

        let ran = host.install_with("tar", "kill -KILL $PPID", &set);
        assert!(ran.code() != Some(0) && host.path("out/of-the-old").exists(), "{:?}", host.shell);
        host.install(&set).succeeds();
        assert_eq!(host.read("node.env"), "A='hunter2'\n");
        assert_eq!(host.left(), ["node.env", "out"], "{:?}", host.shell);
    }
}

#[test]
fn two_runs_at_once_are_kept_apart() {
    for host in Host::all() {
        host.scratch.write("b.env", b"A=1\n");
        // While the first one reads its package, one comes for the same folder, and one for the same environment file.
        let inner = host.shell.join(" ");
        let gzip = host.tools.as_ref().map_or_else(|| "/bin/gzip".into(), |tools| tools.join("gzip"));
        let script = format!(
            "run() {{ {inner} install.sh --package package.tar.gz \"$@\" 2>&1; echo $?; }}\n\
             run --into ./out > second\n\
             run --into other --env-file b.env > third\n\
             exec {} \"$@\"",
            gzip.display()
        );
        host.install_with("gzip", &script, &["--env-file", "./b.env"]).succeeds();
        for (file, lock) in [("second", "/.out.handfast.lock "), ("third", "/.b.env.handfast.lock ")] {
            let said = host.read(file);
            assert!(said.starts_with("install: another run is at work") && said.ends_with("\n1\n"), "{said}");
            assert!(said.contains(lock), "{said}");
        }
        assert_eq!(host.left(), ["b.env", "out", "second", "third"], "{:?}", host.shell);

        // The way out that is told, for what cannot be known to be dead.
        host.scratch.write(".out.handfast.lock/holder", b"1 elsewhere\n");
        let ran = host.install(&[]);
        assert!(
            ran.code() == Some(1) && ran.errors().contains("/.out.handfast.lock and run again"),
            "{}",
            ran.errors()
        );
        std::fs::remove_dir_all(host.path(".out.handfast.lock")).unwrap();
        host.install(&[]).succeeds();
    }
}

#[test]
fn a_folder_that_appears_meanwhile_is_neither_replaced_nor_installed_into() {
    let host = Host::one();
    let ran = host.install_with("chmod", "mkdir -p out\ntouch out/precious\nexec /bin/chmod \"$@\"", &[]);
    assert_eq!(ran.code(), Some(1), "{}", ran.errors());
    assert!(host.path("out/precious").exists());
    assert_eq!(host.left(), ["out"]);
    std::fs::remove_dir_all(host.path("out")).unwrap();

    // Between the two renames: then there are two folders, and the operator is told where the old one is.
    host.install(&[]).succeeds();
    let ran = host.install_with("mv", "/bin/mv \"$@\"\n[ -e out ] || mkdir out", &[]);
    assert_eq!(ran.code(), Some(1), "{}", ran.errors());
    assert_eq!(std::fs::read_dir(host.path("out")).unwrap().count(), 0);
    assert!(ran.errors().contains("/.out.handfast/old\n"), "{}", ran.errors());
    assert!(host.read(".out.handfast/old/edge.env").contains(SECRET));
}

#[test]
fn an_environment_file_in_the_folder_is_known_by_whichever_path() {
    for host in Host::all() {
        std::fs::create_dir(host.path("real")).unwrap();
        symlink("real", host.path("link")).unwrap();
        let install = |into: &str, env_file: &str| {
            let package = ["--package", "package.tar.gz", "--into", into];
            run(&mut host.command(&[package, ["--env-file", env_file, "--set", "CORE_ADDRESS=a:1"]].concat()))
        };
        let absolute = host.path("real/x/edge.env");
        let absolute = absolute.to_str().unwrap();
        for (into, env_file) in [
            ("link/x", "real/x/edge.env"),
            ("real/x", "link/x/edge.env"),
            ("./real/x/", "real/./../link/x/edge.env"),
            ("real/../real/x", absolute),
            ("link/x", absolute),
            ("link/x", "link//x//edge.env"),
        ] {
            // At first, and when it is there.
            for _ in 0..2 {
                install(into, env_file).succeeds();
                assert!(
                    host.read("real/x/edge.env").starts_with("CORE_ADDRESS='a:1'\nEDGE_TOKEN="),
                    "{env_file}"
                );
                assert_eq!(host.left(), ["link", "real"], "{:?} {env_file}", host.shell);
            }
            std::fs::remove_dir_all(host.path("real/x")).unwrap();
        }
        for env_file in [
            "real/x/../y.env",
            "real/x/./y.env",
            "real/x",
            "real/x/.",
            "real/x/..",
            "real/x/",
            "real/x/.handfast-package",
        ] {
            let ran = install("link/x", env_file);
            assert_eq!(ran.code(), Some(2), "{env_file}: {}", ran.errors());
            assert_eq!(host.left(), ["link", "real"], "{env_file}");
        }
        install("link/x", "y.env").succeeds();
        assert_eq!(install("link/x", "real/x/../y.env").code(), Some(2));
        assert_eq!(host.read("y.env"), "CORE_ADDRESS='a:1'\n");
        std::fs::remove_dir_all(host.path("real/x")).unwrap();
        for env_file in ["no/such/y.env", "real/x/no/such/y.env", "real"] {
            assert_eq!(install("link/x", env_file).code(), Some(1), "{env_file}");
        }
        assert_eq!(std::fs::read_dir(host.path("real")).unwrap().count(), 0);
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let host = Host::one();
    host.scratch.write("node.env", b"A=1\n");
    // The shell's own number is that of the installer.
    let script = "ln -s victim node.env.new.$$; ln -s victim .node.env.handfast; ln -s victim .out.handfast\n\
                  exec sh install.sh --package package.tar.gz --into out --env-file node.env --set A=hunter2";
    let ran = run(Command::new("sh").args(["-c", script]).current_dir(host.scratch.path()));
    assert!(!host.path("victim").exists(), "{}", ran.errors());
    assert!(!host.path("node.env").is_symlink());
    assert_eq!(ran.code(), Some(1), "{}", ran.errors());
}
