//! cloud-init configurations (cloudinit.readthedocs.io, modules `write_files` and `runcmd`).

use data_encoding::BASE64;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{File, Mode, UNIT, UserData, unit};

pub(super) fn write(files: &[File], unit: &str) -> UserData {
    let contents: Vec<_> = files.iter().map(|file| Carried::new(file.content.expose())).collect();
    let written = files
        .iter()
        .zip(&contents)
        .map(|(file, content)| Written::new(file.path.as_str(), file.mode, content));
    let the_unit = Carried::new(unit);
    let written: Vec<_> = written.chain([Written::new(unit::PATH, Mode::Public, &the_unit)]).collect();
    let room: usize = written.iter().map(|file| file.path.len() + 2 * file.content.len() + 128).sum();
    let start = &["systemctl", "enable", "--now", "--no-block", UNIT];
    let document = Document { write_files: written, runcmd: [&["systemctl", "daemon-reload"], start] };
    UserData::write("#cloud-config\n", &document, room + 512)
}

/// A content as it is where that is beyond doubt, else in base64. YAML 1.1 folds line separators that JSON leaves alone,
/// and its readers refuse characters that JSON allows.
enum Carried<'a> {
    Plain(&'a str),
    Encoded(Zeroizing<String>),
}

impl<'a> Carried<'a> {
    fn new(content: &'a str) -> Self {
        if content.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
            return Self::Plain(content);
        }
        let mut text = Zeroizing::new(String::with_capacity(BASE64.encode_len(content.len())));
        BASE64.encode_append(content.as_bytes(), &mut text);
        Self::Encoded(text)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    write_files: Vec<Written<'a>>,
    /// Each is one command, without a shell.
    runcmd: [&'a [&'a str]; 2],
}

#[derive(Serialize)]
struct Written<'a> {
    path: &'a str,
    owner: &'static str,
    /// A text: a number would be read in decimal by some and in octal by others.
    permissions: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    content: &'a str,
}

impl<'a> Written<'a> {
    fn new(path: &'a str, mode: Mode, content: &'a Carried<'_>) -> Self {
        let (encoding, content) = match content {
            Carried::Plain(text) => (None, *text),
            Carried::Encoded(text) => (Some("b64"), text.as_str()),
        };
        let permissions = format!("{:04o}", mode.bits());
        Self { path, owner: "root:root", permissions, encoding, content }
    }
}
