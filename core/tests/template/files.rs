//! Template files: what is read, what is refused, and what is said about it.

use handfast::{
    code::Code,
    secret::Secret,
    template::{Missing, Template, TemplateError},
};
use proptest::prelude::*;

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// A template with this front matter and body.
fn parse(front: &str, body: &str) -> Result<Template, TemplateError> {
    Template::parse(&format!("---\n{front}\n---\n{body}"))
}

/// A template with this body and nothing special.
fn plain(body: &str) -> Result<Template, TemplateError> {
    parse("mode: 0400\ndest: /a", body)
}

#[test]
fn a_mode_is_octal_or_refused() {
    for (written, bits) in
        [("0400", 0o400), ("0o640", 0o640), ("0x1A4", 0o644), ("0b110000000", 0o600), ("0777", 0o777)]
    {
        let template = parse(&format!("mode: {written}\ndest: /a"), "x").unwrap();
        assert_eq!(template.mode().bits(), bits, "{written}");
    }
    let refused = [
        "640",
        "400",
        "0888",
        "-1",
        "+0400",
        "0",
        "0000",
        "01000",
        "04755",
        "0o1777",
        "rw-r-----",
        "u=r",
        "0_400",
        "0x",
        "0b",
        "0o",
        "0b2",
        "0x1G",
        "0o+40",
        "0400.0",
        "'0400'",
        "\"0400\"",
        "!!str 0400",
        "0xFFFFFFFFF",
        "~",
        "[0400]",
        "true",
    ];
    for written in refused {
        let read = parse(&format!("mode: {written}\ndest: /a"), "x");
        let error = read.err().unwrap_or_else(|| panic!("{written} is accepted"));
        let expected = matches!(error.code(), Code::TemplateMode | Code::TemplateFrontMatter);
        assert!(expected, "{written}: {error:?}");
    }
    assert_eq!(parse("mode: 640\ndest: /a", "x").unwrap_err().code(), Code::TemplateMode);
}

#[test]
fn front_matter_has_one_reading() {
    let refused = [
        ("mode: 0400", "key dest is missing"),
        ("mode: 0400\ndest:", "key dest is missing"),
        ("mode: 0400\ndest: /a/", "path"),
        ("mode: 0400\ndest: \"/a\\nb\"", "path"),
        ("mode: 0400\ndest: /a\nowner: root", "unknown key owner"),
        ("mode: 0400\ndest: /a\nDest: /b", "unknown key Dest"),
        ("mode: 0400\ndest: /a\ndest: /b", "twice"),
        ("mode: 0400\ndest: &a /a\nonrender: *a", "line"),
        ("<<: {mode: 0400}\ndest: /a", "line"),
        ("mode: 0400\ndest: /a\nsyntax: go", "line 4"),
        ("mode: 0400\ndest: /a\n---x\n", "line"),
        ("- mode", "line"),
        ("mode: 0400\ndest: /a\nsecrets: {s: {provider: p}}", "key id is missing"),
        ("mode: 0400\ndest: /a\nsecrets: {s: {provider: p, id: i, key: k}}", "unknown key key"),
    ];
    for (front, said) in refused {
        let error = parse(front, "{{poll \"p\" \"i\"}}").unwrap_err();
        assert_eq!(error.code(), Code::TemplateFrontMatter, "{front}: {error}");
        assert!(error.to_string().contains(said), "{front}: {error}");
    }
}

#[test]
fn errors_do_not_repeat_a_default() {
    for secrets in [
        "{s: {provider: p, id: i, default: hunter2}}",
        "{s: {provider: p, id: i, missing: hunter2}}",
        "{s: {provider: p, id: i, missing: default, default: [hunter2]}}",
        "{s: {provider: p, id: i, deadline_seconds: hunter2}}",
        "{s: {provider: p, id: i, missing: default, default: \"hunter2\\q\"}}",
    ] {
        let error =
            parse(&format!("mode: 0400\ndest: /a\nsecrets: {secrets}"), "{{poll \"p\" \"i\"}}").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{secrets}: {error:?}");
    }
    let front =
        "mode: 0400\ndest: /a\nsecrets: {s: {provider: p, id: i, missing: default, default: hunter2}}";
    let template = parse(front, "pin=4711 {{poll \"p\" \"i\"}}").unwrap();
    assert!(!format!("{template:?}").contains("hunter2"));
    assert!(!format!("{template:?}").contains("4711"));
}

#[test]
fn the_command_is_split_when_it_is_read() {
    let with = |line: &str| parse(&format!("mode: 0400\ndest: /a\nonrender: {line}"), "x");
    assert_eq!(with("systemctl reload 'my app'").unwrap().command(), ["systemctl", "reload", "my app"]);
    assert_eq!(with("true").unwrap().command(), ["true"]);
    assert!(with("").unwrap().command().is_empty());
    assert!(with("\"\"").unwrap().command().is_empty());
    for line in ["\"  \"", "\"'' a\"", "\"sh -c 'x\""] {
        assert_eq!(with(line).unwrap_err().code(), Code::TemplateCommand, "{line}");
    }
}

#[test]
fn what_is_needed_is_known_without_rendering() {
    let template = plain(
        "{{poll \"a\" \"1\"}} {{ poll `b` `2 \"quoted\"` }} {{\tpoll\n\"a\"  \"1\" }}{{poll \"a\" \"é/ü\"}}",
    )
    .unwrap();
    let needs: Vec<_> = template.needs().iter().map(|need| need.reference.to_string()).collect();
    assert_eq!(needs, ["a 1", "b 2 \"quoted\"", "a é/ü"]);
    let values = [secret("x"), secret("y"), secret("z")];
    assert_eq!(template.render(&values.each_ref()).unwrap().expose(), "x y xz");
    assert_eq!(template.render(&[&values[0]]).unwrap_err().code(), Code::Misuse);
}

/// As Go's text/template gives them.
#[test]
fn trim_markers_take_white_space_away() {
    for (body, rendered) in [
        ("a \n\t{{- poll \"p\" \"i\" -}} \r\n b\n", "a[v]b\n"),
        ("a {{- poll \"p\" \"i\"}} b", "a[v] b"),
        ("a {{poll \"p\" \"i\" -}}\n\n b {{- poll \"p\" \"i\" -}} {{poll \"p\" \"i\"}} ", "a [v]b[v][v] "),
        ("a\u{a0}{{- poll \"p\" \"i\" -}}\u{a0}\u{85}\u{b}\u{c}b", "a\u{a0}[v]\u{a0}\u{85}\u{b}\u{c}b"),
        ("a {{-\tpoll \"p\"\t\"i\"\n-}} b", "a[v]b"),
        ("a {{poll \"p\" \"i\" -}} {% {{- poll \"p\" \"i\"}}", "a [v]{%[v]"),
        ("{{-  poll \"p\" \"i\"  -}} x", "[v]x"),
        ("{ {{- poll \"p\" \"i\" -}} } {", "{[v]} {"),
    ] {
        assert_eq!(plain(body).unwrap().render(&[&secret("[v]")]).unwrap().expose(), rendered, "{body:?}");
    }
    let template = plain("{{poll \"p\" `i -}} `}} x").unwrap();
    assert_eq!(template.needs()[0].reference.id(), "i -}} ", "that is text");
}

#[test]
fn only_the_call_is_read() {
    for body in [
        "{{}}",
        "{{ }}",
        "{{poll}}",
        "{{poll \"a\"}}",
        "{{poll \"a\" \"b\" \"c\"}}",
        "{{poll\"a\" \"b\"}}",
        "{{poll \"a\"\"b\"}}",
        "{{poll(\"a\", \"b\")}}",
        "{{poll 'a' 'b'}}",
        "{{poll \"a\" .ID}}",
        "{{poll \"a\" \"b\\n\"}}",
        "{{-poll \"a\" \"b\"}}",
        "{{- poll \"a\" \"b\"-}}",
        "{{poll \"a\" \"b\" - }}",
        "{{poll \"a\" \"b\" --}}",
        "{{ - poll \"a\" \"b\"}}",
        "{{- - poll \"a\" \"b\"}}",
        "{{- -}}",
        "{{/* a comment */}}",
        "{{if true}}x{{end}}",
        "{{{poll \"a\" \"b\"}}}",
        "{{polling \"a\" \"b\"}}",
        "{{poll \"a\" \"b\" }",
        "{{",
    ] {
        let error = plain(body).unwrap_err();
        assert_eq!(error.code(), Code::TemplateSyntax, "{body}: {error}");
        assert!(error.to_string().starts_with("line 5: "), "{error}");
    }
    let error = plain("a\nb\n{{poll \"a\" \"1\"}}\n{{poll}}").unwrap_err();
    assert!(error.to_string().starts_with("line 8: "), "{error}");
    for body in
        ["{{poll \"A\" \"b\"}}", "{{poll \"\" \"b\"}}", "{{poll \"a\" \"\"}}", "{{poll \"a\" \"b\u{7}\"}}"]
    {
        assert_eq!(plain(body).unwrap_err().code(), Code::TemplateSecret, "{body}");
    }
}

#[test]
fn values_are_data() {
    let hostile = "{{poll \"a\" \"2\"}} {{ s1 }} {% raw %} {# x #} <b>&'\" \r\n\u{0}${HOME} $(id)\n";
    let template = plain("[{{poll \"a\" \"1\"}}]{{poll \"a\" \"2\"}}").unwrap();
    let rendered = template.render(&[&secret(hostile), &secret("hunter2")]).unwrap();
    assert_eq!(rendered.expose(), format!("[{hostile}]hunter2"));
}

#[test]
fn policies_belong_to_secrets_that_are_used() {
    let with = |secrets: &str| {
        parse(
            &format!("mode: 0400\ndest: /a\nsecrets: {{{secrets}}}"),
            "{{poll \"p\" \"i\"}}{{poll \"p\" \"j\"}}",
        )
    };
    let missing = |secret: &str| {
        with(&format!("s: {{provider: p, id: i, {secret}}}")).unwrap().needs()[0].missing.clone()
    };
    assert_eq!(with("").unwrap().needs()[0].missing, Missing::Wait);
    assert_eq!(missing("missing: wait"), Missing::Wait);
    assert_eq!(missing("missing: optional"), Missing::Optional { deadline_seconds: None });
    assert_eq!(missing("missing: fail, deadline_seconds: 300"), Missing::Fail { deadline_seconds: 300 });
    let value = secret("0123");
    assert_eq!(
        missing("missing: default, default: 0123, deadline_seconds: 1"),
        Missing::Default { value, deadline_seconds: Some(1) }
    );
    for secrets in [
        "s: {provider: p, id: i, missing: fail}",
        "s: {provider: p, id: i, missing: default}",
        "s: {provider: p, id: i, default: x}",
        "s: {provider: p, id: i, missing: optional, default: x}",
        "s: {provider: p, id: i, deadline_seconds: 5}",
        "s: {provider: p, id: i, missing: fail, deadline_seconds: 0}",
        "s: {provider: p, id: i, missing: fail, deadline_seconds: 86401}",
        "S: {provider: p, id: i}",
        "1s: {provider: p, id: i}",
        "s: {provider: p, id: k}",
        "s: {provider: p, id: i}, t: {provider: p, id: i}",
        "s: {provider: P, id: i}",
    ] {
        assert_eq!(with(secrets).unwrap_err().code(), Code::TemplateSecret, "{secrets}");
    }
}

#[test]
fn every_limit_holds() {
    let calls =
        |count: usize| (0..count).map(|id| format!("{{{{poll \"p\" \"{id}\"}}}}")).collect::<String>();
    assert_eq!(plain(&calls(64)).unwrap().needs().len(), 64);
    let body = "x".repeat(256 * 1024);
    for too_large in [
        plain(&calls(65)),
        plain(&body),
        plain(&format!("{{{{poll \"p\" \"{}\"}}}}", "i".repeat(2049))),
        parse(&format!("mode: 0400\ndest: /{}", "a".repeat(4096)), "x"),
        parse(&format!("mode: 0400\ndest: /a\nonrender: {}", "a".repeat(4097)), "x"),
    ] {
        assert_eq!(too_large.unwrap_err().code(), Code::TooLarge);
    }
    let template = plain(&"{{poll \"p\" \"i\"}}".repeat(17)).unwrap();
    assert_eq!(template.render(&[&secret(&"v".repeat(61_000))]).unwrap().expose().len(), 17 * 61_000);
    assert_eq!(template.render(&[&secret(&"v".repeat(64 * 1024))]).unwrap_err().code(), Code::TooLarge);
}

proptest! {
    /// Text is text: also where the engine would see a block, a comment or the end of a line.
    #[test]
    fn text_comes_out_as_it_is(body in "([{}%#\\-+\\n\\r \"'\\\\|a-c]|\\PC){0,60}") {
        prop_assume!(!body.contains("{{"));
        let template = plain(&body).unwrap();
        let rendered = template.render(&[]).unwrap();
        prop_assert_eq!(rendered.expose(), body.as_str());
    }

    #[test]
    fn text_around_a_call_comes_out_as_it_is(before in "[{}%#\\-\\n a]{0,12}", value in ".{0,12}", after in "[{}%#\\-\\n a]{0,12}") {
        prop_assume!(!before.contains("{{") && !before.ends_with('{') && !after.contains("{{"));
        let template = plain(&format!("{before}{{{{poll \"p\" \"i\"}}}}{after}")).unwrap();
        let rendered = template.render(&[&secret(&value)]).unwrap();
        prop_assert_eq!(rendered.expose(), format!("{before}{value}{after}"));
    }
}
