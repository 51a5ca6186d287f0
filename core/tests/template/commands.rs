//! Command lines: split one way, or refused.

use handfast::{code::Code, template::split_command};
use proptest::prelude::*;

#[test]
fn nothing_is_expanded() {
    let words = split_command(r#"sh -c 'echo "$HOME" > /tmp/x' ~ $(id) `id` {a,b} *"#).unwrap();
    assert_eq!(words, ["sh", "-c", "echo \"$HOME\" > /tmp/x", "~", "$(id)", "`id`", "{a,b}", "*"]);
}

#[test]
fn what_readers_take_differently_is_refused() {
    let refused = [
        "a 'b",
        "a \"b",
        "a \"b\\",
        "a b\\",
        "a \\\nb",
        "a \"\\\n\"",
        r#"a "\n""#,
        r#"a "c:\x""#,
        "a # a comment",
        "#a",
        "a b\r",
        "a \0",
        "a \u{1b}[2J",
        "a 'b\u{7}'",
        "a \"b\u{7}\"",
        "a \\\u{7}",
    ];
    for line in refused {
        assert_eq!(split_command(line).unwrap_err().code(), Code::TemplateCommand, "{line:?}");
    }
    for line in ["a\\#b", "a#b", "'#a'", "\"#\""] {
        assert_eq!(split_command(line).unwrap().len(), 1, "{line}");
    }
}

#[test]
fn both_its_limits_hold() {
    assert_eq!(split_command(&"x".repeat(4096)).unwrap().len(), 1);
    assert_eq!(split_command(&"x".repeat(4097)).unwrap_err().code(), Code::TooLarge);
    assert_eq!(split_command(&"x ".repeat(64)).unwrap().len(), 64);
    assert_eq!(split_command(&"x ".repeat(65)).unwrap_err().code(), Code::TooLarge);
}

/// As everybody quotes: between single quotes, with each quote outside of them.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

proptest! {
    #[test]
    fn any_words_come_back(words in prop::collection::vec("[^\\p{Cc}]{0,12}", 0..8)) {
        let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        prop_assert_eq!(split_command(&line).unwrap(), words);
    }
}
