//! Rendering a template, beside the engine under it with the same text and the same values: once with what it has rendered
//! kept in a [`Secret`], as a template keeps it, because wiping that costs about as much as rendering it does, and once as
//! the engine gives it.
#![allow(missing_docs, reason = "a bench has no callers")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may end when its input is wrong")]

use std::{fmt::Write as _, hint::black_box};

use criterion::Criterion;
use handfast::{Secret, template::Template};
use handfast_benches::compare;
use minijinja::{Environment, context};

/// A configuration file of a few secrets among forty lines.
fn bodies() -> (String, String) {
    let (mut ours, mut bare) = (String::new(), String::new());
    for line in 0..40 {
        let _ = writeln!(ours, "setting_{line} = \"a value that is not secret\"");
        let _ = writeln!(bare, "setting_{line} = \"a value that is not secret\"");
    }
    for (id, name) in [("prod/db", "db"), ("prod/consul", "consul"), ("prod/tls", "tls")] {
        let _ = writeln!(ours, "{name} = \"{{{{poll \"awssm\" \"{id}\"}}}}\"");
        let _ = writeln!(bare, "{name} = \"{{{{ {name} }}}}\"");
    }
    (ours, bare)
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let (ours, bare) = bodies();
    let template = Template::parse(&format!("---\nmode: 0400\ndest: /etc/app.conf\n---\n{ours}")).unwrap();
    let mut environment = Environment::new();
    environment.add_template("bare", &bare).unwrap();
    let texts = ["s3cr3t-of-the-database", "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "-----BEGIN KEY-----"];
    let secrets = texts.map(|text| Secret::new(text.to_owned()));

    let whole = || {
        black_box(template.render(black_box(&secrets.each_ref())).unwrap());
    };
    let render = || {
        let [db, consul, tls] = black_box(texts);
        let values = context! { db => db, consul => consul, tls => tls };
        environment.get_template("bare").unwrap().render(values).unwrap()
    };
    let wiped = || drop(black_box(Secret::new(render())));
    let bare = || drop(black_box(render()));
    let mut group = criterion.benchmark_group("template");
    group.bench_function("whole", |bencher| bencher.iter(whole));
    group.bench_function("wiped", |bencher| bencher.iter(wiped));
    group.bench_function("bare", |bencher| bencher.iter(bare));
    group.finish();
    println!(
        "RATIO {}",
        compare(4, whole, wiped).line("template rendering, beside minijinja and a wiped result")
    );
    println!("RATIO {}", compare(4, whole, bare).line("template rendering, beside minijinja alone"));
    criterion.final_summary();
}
