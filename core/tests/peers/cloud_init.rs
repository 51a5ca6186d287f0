//! cloud-init's schema takes our configurations, and its own module writes the files.

use std::{fs, os::unix::fs::MetadataExt as _, process::Command};

use handfast::{
    Secret,
    userdata::{File, FirstBoot, UNIT},
};

use crate::peer::{find, need_root, peer, run, succeed, text};

pub(crate) const TOKEN: &str = "hf1_0123456789_abcdefghijklmnopqrstuvwxyz";
/// What YAML readers stumble over.
pub(crate) const ODD: &str =
    "yes\n12:30:45\n\ttab \u{7f}\u{85}\u{2028}\u{feff}\u{1f511}\r\n# {{ no }} %{x} \"'\\ : - &a *a !b\n\n";

/// A first boot with all that a document can hold, in this folder.
pub(crate) fn boot(folder: &str) -> FirstBoot {
    let path = |name: &str| format!("{folder}/{name}").parse().unwrap();
    let command = ["/bin/true", "--token-file", "$HOME %H \"x\" \\ ; 'y'", ";", ""];
    let boot = FirstBoot::new(Secret::new(TOKEN.into()), path("token"), command).unwrap();
    boot.with_file(File::private(path("odd"), Secret::new(ODD.into()))).unwrap()
}

/// What cloud-init does with `write_files`, without the rest of a boot. The last file is the unit, which this machine shall not get.
const WRITE: &str = "\
import sys
from cloudinit import util
from cloudinit.config import cc_write_files
document = util.load_yaml(open(sys.argv[1]).read())
unit = document['write_files'].pop()
cc_write_files.write_files('test', document['write_files'], 'root:root')
print(unit['path'])
print(document['runcmd'])
";

#[test]
fn cloud_init_takes_our_documents_and_writes_the_token_for_root_alone() {
    peer("cloud-init", &["cloud-init", "--version"], "the package `cloud-init`", |cloud_init| {
        let check = |document: &str| {
            let file = cloud_init.write("user-data", document);
            let output = run(cloud_init.command().args(["schema", "--config-file"]).arg(file));
            (output.status.success(), text(&output.stdout) + &text(&output.stderr))
        };
        let good = boot("/etc/handfast").cloud_config().expose().to_owned();
        let (accepted, said) = check(&good);
        assert!(accepted && !said.to_lowercase().contains("warn") && !said.contains("deprecat"), "{said}");
        let (accepted, said) = check(&good.replace("\"0600\"", "384"));
        assert!(!accepted, "it looks: {said}");

        need_root()?;
        let python = find("python3").ok_or("no python3, which cloud-init is written in")?;
        let folder = cloud_init.folder.join("etc");
        let Some(Ok(boot)) = folder.to_str().map(|folder| std::panic::catch_unwind(|| boot(folder))) else {
            return Err(format!("{} is no path for user data", folder.display()));
        };
        let file = cloud_init.write("user-data", boot.cloud_config().expose());
        // The distribution's own Python has cloud-init's modules.
        let python = if fs::exists("/usr/bin/python3").unwrap() { "/usr/bin/python3".into() } else { python };
        let said = succeed(Command::new(python).args(["-c", WRITE]).arg(file));
        let expected = format!(
            "/etc/systemd/system/{UNIT}\n[['systemctl', 'daemon-reload'], ['systemctl', 'enable', '--now', '--no-block', '{UNIT}']]\n"
        );
        assert_eq!(said, expected);
        let token = folder.join("token");
        let metadata = fs::metadata(&token).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.uid(), metadata.gid()), (0o600, 0, 0));
        assert_eq!(fs::read_to_string(token).unwrap(), TOKEN);
        assert_eq!(fs::read_to_string(folder.join("odd")).unwrap(), ODD);
        Ok(())
    });
}
