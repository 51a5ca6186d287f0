//! systemd reads the unit.

use handfast::userdata::UNIT;

use crate::peer::{peer, run, text};

#[test]
fn systemd_analyze_finds_nothing_wrong_with_the_unit() {
    peer("systemd-analyze", &["systemd-analyze", "--version"], "systemd", |analyze| {
        let document = crate::cloud_init::boot("/etc/handfast").cloud_config();
        let document: serde_json::Value =
            serde_json::from_str(document.expose().split_once('\n').unwrap().1).unwrap();
        let unit = document["write_files"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
        let say = |unit: &str| {
            let file = analyze.write(UNIT, unit);
            let output = run(analyze.command().args(["verify", "--man=no"]).arg(file));
            let said = text(&output.stdout) + &text(&output.stderr);
            said.lines().filter(|line| line.contains(UNIT)).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(say(unit), "");
        assert_ne!(say(&unit.replace("ExecStart=\"", "ExecStart=\"\\q")), "", "it looks");
        Ok(())
    });
}
