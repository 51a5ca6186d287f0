//! The Jinja syntax: declared secrets are variables.

use handfast::{
    code::Code,
    secret::Secret,
    template::{Template, TemplateError},
};

const FRONT: &str = "---\nmode: 0400\ndest: /a\nsyntax: jinja\nsecrets:\n  db: { provider: p, id: prod/db }\n  tls: { provider: p, id: tls, missing: optional }\n---\n";

fn parse(body: &str) -> Result<Template, TemplateError> {
    Template::parse(&format!("{FRONT}{body}"))
}

fn render(body: &str, db: &str, tls: &str) -> Result<String, TemplateError> {
    let values = [Secret::new(db.to_owned()), Secret::new(tls.to_owned())];
    parse(body)?.render(&values.each_ref()).map(|rendered| rendered.expose().to_owned())
}

#[test]
fn secrets_are_variables() {
    let body = "db = {{ db }}\n{% if tls %}tls = {{ tls | upper }}\n{% endif %}{# a comment #}json = {{ db | tojson }}\n";
    assert_eq!(render(body, "a\"b", "").unwrap(), "db = a\"b\njson = \"a\\\"b\"\n");
    assert_eq!(render(body, "x", "on").unwrap(), "db = x\ntls = ON\njson = \"x\"\n");
    let needs: Vec<_> =
        parse(body).unwrap().needs().iter().map(|need| need.reference.id().to_owned()).collect();
    assert_eq!(needs, ["prod/db", "tls"]);
}

#[test]
fn a_value_is_no_template_and_is_not_escaped() {
    let hostile = "{{ tls }}{% raw %}<b>&'\"";
    assert_eq!(render("{{ db }}|{{ tls }}", hostile, "hunter2").unwrap(), format!("{hostile}|hunter2"));
}

#[test]
fn what_is_declared_is_what_is_used() {
    for (body, said) in [
        ("{{ db }}", "tls: declared and not used"),
        ("{{ db }}{{ tls }}{{ port }}", "port: used and not declared"),
        ("{{ db }}{{ tls }}{{ debug() }}", "debug: used and not declared"),
        ("{{ db }}{{ tls }}{{ poll(\"p\", \"i\") }}", "poll: used and not declared"),
        ("{% set db = 1 %}{{ db }}{{ tls }}", "db: declared and not used"),
    ] {
        let error = parse(body).unwrap_err();
        assert_eq!(error.code(), Code::TemplateSecret, "{body}");
        assert!(error.to_string().ends_with(said), "{body}: {error}");
    }
    assert!(
        parse("{% for n in range(2) %}{{ n }}{{ db }}{% endfor %}{% if false %}{{ tls }}{% endif %}").is_ok()
    );
}

#[test]
fn nothing_comes_from_elsewhere() {
    for body in [
        "{% include \"/etc/passwd\" %}{{ db }}{{ tls }}",
        "{% extends \"/etc/passwd\" %}{{ db }}{{ tls }}",
        "{% import \"/etc/passwd\" as x %}{{ db }}{{ tls }}",
        "{{ db }}{{ tls }",
        "{{ db }}{{ tls }}{% if %}",
        "{{ db | frobnicate }}{{ tls }}",
    ] {
        let refused = render(body, "hunter2", "").unwrap_err();
        assert!(matches!(refused.code(), Code::TemplateSyntax | Code::TemplateRender), "{body}: {refused}");
        assert!(!format!("{refused:?}").contains("hunter2"));
    }
    assert_eq!(parse("{% include \"x\" %}").unwrap_err().code(), Code::TemplateSyntax);
}

#[test]
fn errors_name_the_line_and_no_value() {
    let error = parse("{{ db }}\n{{ tls }}\n{% endif %}").unwrap_err();
    assert!(error.to_string().starts_with("line 11: "), "{error}");
    for body in [
        "{{ db }}{{ tls }}\n{{ db.password }}",
        "{{ db }}{{ tls }}\n{{ db + 1 }}",
        "{{ db }}{{ tls }}\n{{ db | int }}",
        "{{ db }}{{ tls }}\n{{ range(db) }}",
        "{{ db }}{{ tls }}\n{{ db() }}",
    ] {
        let error = render(body, "hunter2", "").unwrap_err();
        assert_eq!(error.code(), Code::TemplateRender, "{body}");
        assert!(error.to_string().starts_with("line 10: "), "{body}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{body}: {error}");
    }
}

#[test]
fn work_and_memory_are_bounded() {
    for body in [
        "{{ db }}{{ tls }}{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{{ db }}{{ tls }}{{ \"x\" * 100000000000 }}",
        "{{ db }}{{ tls }}{% set x = namespace(v=\"x\") %}{% for a in range(60) %}{% set x.v = x.v ~ x.v %}{% endfor %}",
        "{{ db }}{{ tls }}{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ db }}{{ tls }}{{ \"%0999999999d\" | format(1) }}",
    ] {
        let error = render(body, "", "").unwrap_err();
        assert_eq!(error.code(), Code::TemplateRender, "{body}: {error}");
    }
    let deep = |depth| format!("{{{{ {}db{} }}}}{{{{ tls }}}}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&deep(10)).is_ok());
    assert_eq!(parse(&deep(10_000)).unwrap_err().code(), Code::TemplateSyntax);
}
