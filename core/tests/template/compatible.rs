//! emissary's own templates, as its own code read and rendered them.

use handfast::{
    code::Code,
    secret::Secret,
    template::{Mode, Template, TemplateError, split_command},
};
use serde_json::Value;

use crate::support::{json, real_vectors};

/// Where emissary writes a file and handfast refuses the template: what it writes is not what was meant.
const REFUSED: [(&str, Code, &str); 7] = [
    ("mode-missing", Code::TemplateMode, "the file would have mode 0000, which nobody can read"),
    (
        "mode-setuid",
        Code::TemplateMode,
        "the set-uid bit is dropped on the way: the file has not the mode that was asked for",
    ),
    (
        "duplicate-key",
        Code::TemplateFrontMatter,
        "YAML 1.2 section 3.2.1.3 wants keys to be unique, and readers differ",
    ),
    (
        "poll-pipe",
        Code::TemplateSyntax,
        "pipes and printf are Go's template language, of which only the call is read",
    ),
    ("dot-field", Code::TemplateSyntax, "writes <no value> into the file"),
    (
        "onrender-unbalanced-quote",
        Code::TemplateCommand,
        "the file is replaced, and then the command cannot be run",
    ),
    ("onrender-blank", Code::TemplateCommand, "the file is replaced, and then the program panics"),
];

/// Where neither makes a file. emissary silently does nothing for those without a place to go.
const REFUSED_BY_BOTH: [(&str, Code); 13] = [
    ("mode-quoted", Code::TemplateMode),
    ("no-front-matter", Code::TemplateFrontMatter),
    ("capital-keys", Code::TemplateFrontMatter),
    ("missing-separator", Code::TemplateFrontMatter),
    ("separator-without-newline-at-eof", Code::TemplateFrontMatter),
    ("empty-front-matter", Code::TemplateFrontMatter),
    ("empty-front-matter-blank-line", Code::TemplateFrontMatter),
    ("crlf", Code::TemplateFrontMatter),
    ("bom", Code::TemplateFrontMatter),
    ("yaml-error", Code::TemplateFrontMatter),
    ("poll-one-arg", Code::TemplateSyntax),
    ("unknown-func", Code::TemplateSyntax),
    ("unclosed-action", Code::TemplateSyntax),
];

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// The provider that answered when the vectors were made.
fn fake(template: &Template) -> Vec<Secret> {
    let value = |id: &str| match id {
        "consul_token" => "s3cr3t-consul",
        "empty" => "",
        "html" => "a<b>&\"'",
        other => panic!("the vectors have no secret {other}"),
    };
    let needs = template.needs().iter();
    needs.map(|need| Secret::new(value(need.reference.id()).to_owned())).collect()
}

fn render(template: &Template) -> Result<Secret, TemplateError> {
    template.render(&fake(template).iter().collect::<Vec<_>>())
}

/// As `ls -l` shows it.
fn shown(mode: Mode) -> String {
    let bit = |shift: u32, letter: char| if mode.bits() >> shift & 1 == 1 { letter } else { '-' };
    let bits = (0..9).rev().map(|shift| bit(shift, ['x', 'w', 'r'][usize::try_from(shift % 3).unwrap()]));
    std::iter::once('-').chain(bits).collect()
}

#[test]
fn its_templates_give_the_same_bytes() {
    let Some(path) = real_vectors("emissary/templates-and-shlex.json") else { return };
    let vectors = json(&path);
    let (mut same, mut refused, mut refused_by_both) = (0, 0, 0);
    for vector in vectors["templates"].as_array().unwrap() {
        let name = text(vector, "Name");
        let read = Template::parse(text(vector, "File"));
        let wrote = vector["FileExists"] == true;
        let ours = REFUSED.iter().find(|(case, _, _)| *case == name).map(|(_, code, _)| *code);
        let both = REFUSED_BY_BOTH.iter().find(|(case, _)| *case == name).map(|(_, code)| *code);
        match (ours, both) {
            (None, None) => {
                let template = read.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(wrote, "{name}");
                assert_eq!(render(&template).unwrap().expose(), text(vector, "Rendered"), "{name}");
                assert_eq!(shown(template.mode()), text(vector, "WrittenMode"), "{name}");
                assert_eq!(template.dest(), text(vector, "Dest"), "{name}");
                assert_eq!(template.command().join(" "), text(vector, "OnRender"), "{name}");
                same += 1;
            }
            (Some(code), None) => {
                assert!(wrote, "{name} is refused by both");
                assert_eq!(read.unwrap_err().code(), code, "{name}");
                refused += 1;
            }
            (None, Some(code)) => {
                assert!(!wrote, "{name} is refused by handfast only");
                assert_eq!(read.unwrap_err().code(), code, "{name}");
                refused_by_both += 1;
            }
            (Some(_), Some(_)) => panic!("{name} is listed twice"),
        }
    }
    assert_eq!((refused, refused_by_both), (REFUSED.len(), REFUSED_BY_BOTH.len()));
    assert_eq!(same, 11);
}

#[test]
fn its_command_lines_have_the_same_words() {
    let Some(path) = real_vectors("emissary/templates-and-shlex.json") else { return };
    let vectors = json(&path);
    let cases = vectors["shlex"].as_array().unwrap();
    for case in cases {
        let line = text(case, "in");
        match (split_command(line), case["error"].as_str()) {
            (Ok(words), None) => assert_eq!(serde_json::json!(words), case["words"], "{line:?}"),
            (Err(error), Some(_)) => assert_eq!(error.code(), Code::TemplateCommand, "{line:?}"),
            (ours, theirs) => panic!("{line:?}: {ours:?}, not {theirs:?}"),
        }
    }
    assert_eq!(cases.len(), 12);
}
