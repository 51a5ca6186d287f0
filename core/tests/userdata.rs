//! User data: Ignition configurations and cloud-init's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers"
)]

use data_encoding::BASE64;
use handfast::{
    Secret,
    code::Code,
    limits,
    userdata::{Cloud, File, FilePath, FirstBoot, IgnitionVersion, Mode, UNIT, UserDataError},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const TOKEN: &str = "hf1_0123456789_abcdefghijklmnopqrstuvwxyz";
const PATH: &str = "/etc/handfast/token";
const COMMAND: [&str; 3] = ["/usr/local/bin/first-boot", "--token-file", PATH];

fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn boot() -> FirstBoot {
    FirstBoot::new(secret(TOKEN), path(PATH), COMMAND).unwrap()
}

fn ignition(boot: &FirstBoot) -> Value {
    serde_json::from_str(boot.ignition(IgnitionVersion::V3_3).expose()).unwrap()
}

/// What stands below the first line, which is JSON, and as YAML the same.
fn cloud_config(boot: &FirstBoot) -> Value {
    let document = boot.cloud_config();
    let body = document.expose().strip_prefix("#cloud-config\n").unwrap();
    let value: Value = serde_json::from_str(body).unwrap();
    assert_eq!(serde_saphyr::from_str::<Value>(body).unwrap(), value, "YAML says something else");
    value
}

fn unit(boot: &FirstBoot) -> String {
    let text = ignition(boot)["systemd"]["units"][0]["contents"].as_str().unwrap().to_owned();
    let files = cloud_config(boot)["write_files"].as_array().unwrap().clone();
    assert_eq!(text_of(files.last().unwrap()), text, "the same unit in both");
    text
}

fn text_of(file: &Value) -> String {
    let content = file["content"].as_str().unwrap();
    match file["encoding"].as_str() {
        None => content.to_owned(),
        Some("b64") => String::from_utf8(BASE64.decode(content.as_bytes()).unwrap()).unwrap(),
        Some(other) => panic!("{other}"),
    }
}

fn start(boot: &FirstBoot) -> String {
    unit(boot).lines().find_map(|line| line.strip_prefix("ExecStart=").map(str::to_owned)).unwrap()
}

#[test]
fn ignition_writes_the_token_for_root_alone_and_enables_the_unit() {
    let document = ignition(&boot());
    assert_eq!(document["ignition"], json!({"version": "3.3.0"}));
    let source = format!("data:;base64,{}", BASE64.encode(TOKEN.as_bytes()));
    let file = json!({"path": PATH, "overwrite": true, "mode": 384, "contents": {"source": source}});
    assert_eq!(document["storage"]["files"], json!([file]));
    let units = document["systemd"]["units"].as_array().unwrap();
    assert_eq!((units.len(), &units[0]["name"], &units[0]["enabled"]), (1, &json!(UNIT), &json!(true)));
    let newer = boot().ignition(IgnitionVersion::V3_4);
    assert_eq!(newer.expose(), boot().ignition("3.3.0".parse().unwrap()).expose().replace("3.3.0", "3.4.0"));
    assert!("3.5.0".parse::<IgnitionVersion>().is_err());
}

#[test]
fn cloud_init_writes_the_token_for_root_alone_and_starts_the_unit() {
    let document = cloud_config(&boot());
    let file = json!({"path": PATH, "owner": "root:root", "permissions": "0600", "content": TOKEN});
    assert_eq!(document["write_files"][0], file);
    let unit = &document["write_files"][1];
    assert_eq!(unit["path"], format!("/etc/systemd/system/{UNIT}"));
    assert_eq!((&unit["permissions"], &unit["owner"]), (&json!("0644"), &json!("root:root")));
    assert_eq!(
        document["runcmd"],
        json!([["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", "--no-block", UNIT]])
    );
}

#[test]
fn the_unit_waits_for_the_network_and_runs_until_it_has_succeeded_once() {
    let unit = unit(&boot());
    for line in [
        "Wants=network-online.target",
        "After=network-online.target",
        "ConditionPathExists=/etc/handfast/token",
        "Type=oneshot",
        r#"ExecStart="/usr/local/bin/first-boot" "--token-file" "/etc/handfast/token""#,
        "ExecStartPost=/bin/rm -f /etc/handfast/token",
        "Restart=on-failure",
        "RestartSec=30",
        "StartLimitIntervalSec=0",
        "TimeoutStartSec=900",
        "WantedBy=multi-user.target",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}:\n{unit}");
    }
    assert!(!unit.contains(TOKEN), "everybody reads a unit");
}

#[test]
fn no_word_of_the_command_is_interpreted() {
    let words = ["/bin/x", "a b", "$HOME", "%H", "\"; rm -rf /", "back\\slash", "", ";", "'", "\u{fc}"];
    let boot = FirstBoot::new(secret(TOKEN), path(PATH), words).unwrap();
    let expected = r#""/bin/x" "a b" "$$HOME" "%%H" "\"; rm -rf /" "back\\slash" "" ";" "'" "ü""#;
    assert_eq!(start(&boot), expected);
}

#[test]
fn what_could_be_misread_is_refused() {
    let new = |token: &str, words: &[&str]| FirstBoot::new(secret(token), path(PATH), words.iter().copied());
    let code = |result: Result<FirstBoot, UserDataError>| result.unwrap_err().code();
    for token in ["", "a b", "token\n", "t\u{f6}ken", &"x".repeat(limits::JWT_BYTES + 1)] {
        assert_eq!(code(new(token, &COMMAND)), Code::UserdataInvalid, "{token:?}");
    }
    let many = vec!["/bin/x"; limits::USER_DATA_ARGUMENTS + 1];
    let long = "x".repeat(limits::USER_DATA_ARGUMENT_BYTES + 1);
    for words in [
        &[][..],
        &["first-boot"],
        &["@/bin/x"],
        &["-/bin/x"],
        &["/bin/$x"],
        &["/bin/../x"],
        &["/bin/x", "a\nExecStart=/bin/sh"],
        &["/bin/x", "a\u{0}"],
        &["/bin/x", &format!("--token={TOKEN}")],
        &["/bin/x", &long],
        &many,
    ] {
        assert_eq!(code(new(TOKEN, words)), Code::UserdataInvalid, "{words:?}");
    }
    for text in [
        "",
        "/",
        "etc/x",
        "/etc/",
        "/etc//x",
        "/etc/../x",
        "/etc/x y",
        "/etc/%n",
        "/etc/\u{fc}",
        "/run/x",
        "/tmp/x",
        "/etc/x\n",
    ] {
        assert_eq!(text.parse::<FilePath>().unwrap_err().code(), Code::UserdataInvalid, "{text:?}");
    }
    assert!(format!("/{}", "x".repeat(limits::USER_DATA_PATH_BYTES)).parse::<FilePath>().is_err());
    assert!("600".parse::<Mode>().is_err() && "0666".parse::<Mode>().is_err());
}

#[test]
fn files_go_where_nothing_else_goes() {
    let file = |text: &str| File::private(path(text), secret("x"));
    let unit = format!("/etc/systemd/system/{UNIT}");
    for taken in [PATH, "/etc/handfast", "/etc/handfast/token/x", &unit] {
        assert_eq!(boot().with_file(file(taken)).unwrap_err().code(), Code::UserdataInvalid, "{taken}");
    }
    let large = File::private(path("/etc/x"), Secret::new("x".repeat(limits::FILE_BYTES + 1)));
    assert!(boot().with_file(large).is_err());
    let mut many = boot();
    for number in 0..limits::USER_DATA_FILES {
        many = many.with_file(file(&format!("/etc/x{number}"))).unwrap();
    }
    assert!(many.with_file(file("/etc/x")).is_err());
}

#[test]
fn modes_are_decimal_here_and_octal_there() {
    let mut boot = boot();
    let modes = ["0600", "0700", "0644", "0755"];
    for mode in modes {
        let file =
            File { path: path(&format!("/etc/{mode}")), content: secret("x"), mode: mode.parse().unwrap() };
        boot = boot.with_file(file).unwrap();
    }
    let files = ignition(&boot)["storage"]["files"].clone();
    let written: Vec<_> =
        files.as_array().unwrap()[1..].iter().map(|file| file["mode"].as_u64().unwrap()).collect();
    assert_eq!(written, [384, 448, 420, 493]);
    let files = cloud_config(&boot)["write_files"].clone();
    let written: Vec<_> =
        files.as_array().unwrap()[1..5].iter().map(|file| file["permissions"].clone()).collect();
    assert_eq!(written, modes);
}

#[test]
fn each_cloud_has_its_limit() {
    let limits: Vec<_> = Cloud::ALL.iter().map(|cloud| (cloud.as_str(), cloud.limit())).collect();
    let expected = [
        ("aws", 16_384),
        ("azure", 65_535),
        ("gcp", 262_144),
        ("openstack", 49_149),
        ("digitalocean", 65_536),
        ("hetzner", 32_768),
        ("oracle", 24_000),
    ];
    assert_eq!(limits, expected);
    for cloud in Cloud::ALL {
        assert_eq!(cloud.as_str().parse::<Cloud>().unwrap(), cloud);
        boot().cloud_config().fits(cloud).unwrap();
        boot().ignition(IgnitionVersion::default()).fits(cloud).unwrap();
    }
    assert_eq!("AWS".parse::<Cloud>().unwrap_err().code(), Code::UserdataInvalid);
}

#[test]
fn a_limit_is_met_to_the_byte() {
    let with = |bytes: usize| {
        boot()
            .with_file(File::private(path("/etc/x"), Secret::new("x".repeat(bytes))))
            .unwrap()
            .cloud_config()
    };
    let rest = with(0).expose().len();
    let limit = Cloud::Aws.limit();
    with(limit - rest).fits(Cloud::Aws).unwrap();
    let error = with(limit - rest + 1).fits(Cloud::Aws).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (Code::UserdataTooLarge, "16385 bytes of user data, of which aws takes 16384")
    );
    with(limit - rest + 1).fits(Cloud::Azure).unwrap();
}

#[test]
fn nothing_secret_is_shown_and_the_same_gives_the_same() {
    let document = boot().cloud_config();
    assert_eq!(document, boot().cloud_config());
    assert_eq!(format!("{document:?}"), "UserData([redacted])");
    assert!(!format!("{:?}", boot()).contains(TOKEN));
    assert_eq!(document.clone().into_secret().expose(), document.expose());
}

proptest! {
    /// Whatever a file holds, both documents carry it, and stay within the room that was set aside for them.
    #[test]
    fn contents_arrive_as_they_are(content in ".{0,200}|[\\x00-\\x7f]{0,200}|[\"\\\\\n]{0,200}|\u{85}|\u{2028}|\u{feff}") {
        let boot = boot().with_file(File::private(path("/etc/x"), secret(&content))).unwrap();
        let written = &cloud_config(&boot)["write_files"][1];
        prop_assert_eq!(text_of(written), content.clone());
        let written = ignition(&boot)["storage"]["files"][1]["contents"]["source"].as_str().unwrap().to_owned();
        let encoded = written.strip_prefix("data:;base64,").unwrap();
        prop_assert_eq!(BASE64.decode(encoded.as_bytes()).unwrap(), content.into_bytes());
    }

    /// Undoing the quoting as systemd does gives the words again.
    #[test]
    fn words_arrive_as_they_are(words in prop::collection::vec("[ -~\u{e4}]{0,20}", 0..5)) {
        let words: Vec<_> = std::iter::once("/bin/x".to_owned()).chain(words).collect();
        let boot = FirstBoot::new(secret(TOKEN), path(PATH), words.clone()).unwrap();
        prop_assert_eq!(read_back(&start(&boot)), words);
    }
}

/// The part of systemd.service(5), "Command lines", that is used.
fn read_back(line: &str) -> Vec<String> {
    let (mut words, mut word, mut inside) = (Vec::new(), String::new(), false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' if inside => {
                words.push(std::mem::take(&mut word));
                inside = false;
            }
            '"' => inside = true,
            '\\' => word.push(characters.next().unwrap()),
            '%' | '$' => {
                assert_eq!(characters.next(), Some(character), "{line}");
                word.push(character);
            }
            _ if inside => word.push(character),
            _ => assert_eq!(character, ' '),
        }
    }
    words
}
