//! Templates against whoever writes the whole file, and values against a template that reads them.
//!
//! Input: a template file. Whatever it says, its secrets stay out of every error; a command line has words or is refused;
//! what the machine asks to be written is what rendering gives; and a body in emissary's spelling comes out as its text
//! with values in the place of its calls, by a second reading of its own.

use handfast::{
    Secret, Timestamp,
    template::{Emissary, Schedule, Step, Supply, Template, split_command},
};
use rand::{SeedableRng, rngs::StdRng};

/// Would be a call, a variable, a block and a comment, if values were read.
const VALUE: &str = "hunter2 {{poll \"a\" \"b\"}} {{ s0 }} {% raw %} {# -#}\n";

/// One input.
pub(crate) fn run(input: &[u8]) {
    let Ok(file) = std::str::from_utf8(input) else { return };
    split(file);
    let template = match Template::parse(file) {
        Ok(template) => template,
        Err(error) => return assert!(!error.to_string().is_empty() && !error.code().as_str().is_empty()),
    };
    assert!((1..=0o777).contains(&template.mode().bits()) && !template.dest().is_empty());
    let value = Secret::new(VALUE.to_owned());
    let values = vec![&value; template.needs().len()];
    let rendered = template.render(&values);
    match &rendered {
        Ok(content) => {
            assert_eq!(template.render(&values).expect("it was rendered before").expose(), content.expose());
            if !file.contains("syntax") {
                second_reading(file, &template, content.expose());
            }
        }
        Err(error) => assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}"),
    }
    play(template, &value, rendered.ok());
}

/// Words that are quoted come back.
fn split(line: &str) {
    let Ok(words) = split_command(line) else { return };
    let quoted: Vec<_> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    match split_command(&quoted.join(" ")) {
        Ok(again) => assert_eq!(again, words),
        Err(error) => assert_eq!(error.code().as_str(), "too_large"),
    }
}

/// White space to Go's templates.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

fn second_reading(file: &str, template: &Template, rendered: &str) {
    let closes = |need: &handfast::template::Need| need.reference.id().contains("}}");
    if template.needs().iter().any(closes) {
        return;
    }
    let (_, mut body) = file[4..].split_once("\n---\n").expect("front matter");
    let mut expected = String::new();
    while let Some((text, call)) = body.split_once("{{") {
        let (call, rest) = call.split_once("}}").expect("a call ends");
        let (before, call) = match call.strip_prefix('-') {
            Some(call) => (text.trim_end_matches(SPACE), call),
            None => (text, call),
        };
        assert!(call.trim_start().starts_with("poll"), "{call}");
        expected.extend([before, VALUE]);
        body = if call.ends_with('-') { rest.trim_start_matches(SPACE) } else { rest };
    }
    expected.push_str(body);
    assert_eq!(rendered, expected);
}

fn play(template: Template, value: &Secret, rendered: Option<Secret>) {
    let now = Timestamp::from_unix_millis(1_772_366_430_000).expect("a time");
    let mut rng = StdRng::seed_from_u64(1);
    let needs = template.needs().to_vec();
    let runs = !template.command().is_empty();
    let mut emissary = Emissary::new(template, Schedule::default(), now);
    for need in &needs {
        let Step::Poll(due) = emissary.step(now) else { panic!("{} was not supplied", need.reference) };
        assert!(due.contains(&need.reference));
        emissary.supply(&need.reference, Supply::Value(value.clone()), now, &mut rng).expect("it is needed");
    }
    match (emissary.step(now), rendered) {
        (Step::WriteFile(write), Some(content)) => assert_eq!(write.content, &content),
        (Step::Failed(error), None) => return assert_ne!(error.code().as_str(), "misuse"),
        (step, rendered) => panic!("{step:?}, and rendered: {}", rendered.is_some()),
    }
    emissary.report(true, now, &mut rng).expect("it was to be written");
    if runs {
        assert!(matches!(emissary.step(now), Step::RunCommand(run) if !run.argv[0].is_empty()));
        emissary.report(true, now, &mut rng).expect("it was to be run");
    }
    assert!(emissary.is_settled() && matches!(emissary.step(now), Step::Wait(_)));
}
