//! The systemd unit that starts the command.

use std::fmt::Write as _;

/// The unit's name.
pub const UNIT: &str = "handfast-first-boot.service";

/// Where cloud-init puts it; Ignition knows by itself.
pub(super) const PATH: &str = "/etc/systemd/system/handfast-first-boot.service";

/// The unit. Its condition is the token's file, which goes when the command has succeeded: a machine that is off in between
/// tries again, one that has its credentials never does. It never gives up, because nobody is there to start it again; a
/// command that hangs is ended, because a oneshot unit has no time limit by itself (systemd.service(5), `TimeoutStartSec=`).
/// `Restart=` with `Type=oneshot` came with systemd 244.
pub(super) fn write(token: &str, command: &[String]) -> String {
    let mut start = String::new();
    for word in command {
        let before = if start.is_empty() { "" } else { " " };
        let _ = write!(start, "{before}{}", quoted(word));
    }
    format!(
        "[Unit]\n\
         Description=Enroll this machine\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         ConditionPathExists={token}\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         TimeoutStartSec=900\n\
         RemainAfterExit=yes\n\
         UMask=0077\n\
         ExecStart={start}\n\
         ExecStartPost=/bin/rm -f {token}\n\
         Restart=on-failure\n\
         RestartSec=30\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    )
}

/// A word as systemd reads it back (systemd.service(5), "Command lines"): in quotes, nothing expanded.
fn quoted(word: &str) -> String {
    let mut text = String::from("\"");
    for character in word.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '%' | '$' => text.extend([character, character]),
            _ => text.push(character),
        }
    }
    text.push('"');
    text
}
