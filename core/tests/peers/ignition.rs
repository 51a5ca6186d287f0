//! Ignition validates our configurations, and writes the files.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    process::Command,
};

use handfast::userdata::{FirstBoot, IgnitionVersion, UNIT};

use crate::peer::{Peer, need_root, peer, run, succeed, text};

/// Where distributions keep the program that runs in the initial RAM disk; under this other name it writes into a folder.
const ENGINE: &str = "/usr/lib/dracut/modules.d/30ignition/ignition";

const FROM: &str = "the package `ignition` of Debian or Fedora";

#[test]
fn ignition_validate_has_nothing_to_say() {
    peer("ignition-validate", &["ignition-validate", "-version"], FROM, |validate| {
        let boot = crate::cloud_init::boot("/etc/handfast");
        let say = |document: &str| {
            let file = validate.write("config.ign", document);
            let output = run(validate.command().arg(file));
            (output.status.success(), text(&output.stdout) + &text(&output.stderr))
        };
        let good = document(&boot, IgnitionVersion::V3_3);
        assert_eq!(say(&good), (true, String::new()), "no error, and no warning");
        let (accepted, said) = say(&good.replace("384", "0.5"));
        assert!(!accepted, "it looks: {said}");
        // Older ones do not know 3.4 yet; then it is no verdict about us.
        let (accepted, said) = say(&document(&boot, IgnitionVersion::V3_4));
        assert!(accepted && said.is_empty() || said.contains("version"), "{said}");
        Ok(())
    });
}

#[test]
fn ignition_apply_writes_the_token_for_root_alone() {
    peer(ENGINE, &[ENGINE, "--version"], FROM, apply);
}

fn apply(peer: &Peer) -> Result<(), String> {
    need_root()?;
    let (program, root) = (peer.folder.join("ignition-apply"), peer.folder.join("root"));
    fs::create_dir(&root).unwrap();
    symlink(ENGINE, &program).unwrap();
    let boot = crate::cloud_init::boot("/etc/handfast");
    let file = peer.write("config.ign", &document(&boot, IgnitionVersion::V3_3));
    let arguments = ["--ignore-unsupported", "--offline", "--root"];
    succeed(Command::new(program).args(arguments).arg(&root).arg(file));

    let token = root.join("etc/handfast/token");
    let metadata = fs::metadata(&token).unwrap();
    assert_eq!((metadata.mode() & 0o7777, metadata.uid(), metadata.gid()), (0o600, 0, 0));
    assert_eq!(fs::read_to_string(token).unwrap(), crate::cloud_init::TOKEN);
    let odd = fs::read_to_string(root.join("etc/handfast/odd")).unwrap();
    assert_eq!(odd, crate::cloud_init::ODD);
    let unit = fs::read_to_string(root.join("etc/systemd/system").join(UNIT)).unwrap();
    assert!(unit.contains("ConditionPathExists=/etc/handfast/token"));
    let presets = fs::read_dir(root.join("etc/systemd/system-preset")).unwrap();
    let presets: String = presets.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(presets.contains(&format!("enable {UNIT}")), "{presets}");
    Ok(())
}

fn document(boot: &FirstBoot, version: IgnitionVersion) -> String {
    boot.ignition(version).expose().to_owned()
}
