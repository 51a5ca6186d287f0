//! The host: performs what the machines ask for, one thing after the other.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use handfast::{
    Timestamp, limits,
    template::{Emissary, Need, Reference, Schedule, Step, Supply, Template},
};
use rand::{
    SeedableRng as _,
    rngs::{StdRng, SysRng},
};

use crate::{
    cli::Cli,
    clock::{self, Clock},
    command, file, log, notify,
    provider::Providers,
};

/// How it ended.
pub(crate) enum Outcome {
    /// Everything is in place.
    Done,
    /// A template is malformed, or has failed for good.
    Failed,
    /// Something is missing, or does not work, and the time is up.
    Late,
}

/// A template on its way, and what to call it.
struct Task {
    name: String,
    emissary: Emissary,
    ended: bool,
}

/// What all of them share.
struct Host {
    providers: Providers,
    clock: Clock,
    rng: StdRng,
    command_timeout: Duration,
    /// Names of environment variables that hold secrets, so that no command is given them.
    variables: Vec<String>,
}

/// Runs until everything is in place (`--once`), or for as long as a template lives.
pub(crate) fn run(cli: &Cli) -> io::Result<Outcome> {
    let (templates, mut failed) = read_templates(&cli.templates)?;
    if cli.check {
        templates.iter().for_each(|(name, template)| describe(name, template));
        return Ok(if failed { Outcome::Failed } else { Outcome::Done });
    }
    let clock = Clock::start();
    let deadline = cli.once.then(|| clock.now().plus_seconds(cli.patience));
    let schedule = Schedule { refresh_seconds: cli.refresh, ..Schedule::default() };
    let mut host = Host {
        providers: Providers::new(cli)?,
        rng: StdRng::try_from_rng(&mut SysRng).map_err(io::Error::other)?,
        command_timeout: Duration::from_secs(cli.command_timeout.into()),
        variables: variables(&templates),
        clock,
    };
    let start = |(name, template)| Task {
        name,
        emissary: Emissary::new(template, schedule, host.clock.now()),
        ended: false,
    };
    let mut tasks: Vec<Task> = templates.into_iter().map(start).collect();
    let mut told = false;
    loop {
        let wake_at = tasks.iter_mut().filter_map(|task| host.attend(task)).min();
        failed |= tasks.iter().any(|task| task.ended);
        tasks.retain(|task| !task.ended);
        let settled = tasks.iter().all(|task| task.emissary.is_settled());
        if settled && !failed && !told {
            notify::ready()?;
            told = true;
        }
        if (settled && cli.once) || tasks.is_empty() {
            return Ok(if failed { Outcome::Failed } else { Outcome::Done });
        }
        let now = host.clock.now();
        if deadline.is_some_and(|deadline| now >= deadline) {
            tasks.iter().for_each(give_up);
            return Ok(if failed { Outcome::Failed } else { Outcome::Late });
        }
        sleep(now, wake_at.into_iter().chain(deadline).min());
    }
}

/// Without a time there is nothing to wake for: every template is done and needs no secret.
fn sleep(now: Timestamp, until: Option<Timestamp>) {
    thread::sleep(until.map_or(Duration::MAX, |until| clock::between(now, until)));
}

impl Host {
    /// Does what there is to do for a template now, and says when there will be more.
    fn attend(&mut self, task: &mut Task) -> Option<Timestamp> {
        loop {
            let now = self.clock.now();
            let done = match task.emissary.step(now) {
                Step::Wait(until) => return until,
                Step::Failed(error) => {
                    let (code, reason) = (error.code().as_str(), error.to_string());
                    log::error("failed", &[("template", &task.name), ("code", code), ("reason", &reason)]);
                    task.ended = true;
                    return None;
                }
                Step::Poll(due) => {
                    due.iter().for_each(|secret| self.ask(task, secret));
                    continue;
                }
                Step::WriteFile(order) => {
                    let members = [("template", task.name.as_str()), ("path", order.path)];
                    tell(
                        "written",
                        "not_written",
                        &members,
                        file::write(&order).map_err(|error| error.to_string()),
                    )
                }
                Step::RunCommand(order) => {
                    let limit = Duration::from_secs(order.timeout_seconds.into()).min(self.command_timeout);
                    let program = order.argv.first().map_or("", String::as_str);
                    let members = [("template", task.name.as_str()), ("program", program)];
                    tell("ran", "not_run", &members, command::run(order.argv, &self.variables, limit))
                }
            };
            // There was something to report on: the step has just said so.
            let _reported = task.emissary.report(done, self.clock.now(), &mut self.rng);
        }
    }

    fn ask(&mut self, task: &mut Task, secret: &Reference) {
        let answer = self.providers.ask(secret);
        if let Some(reason) = &answer.reason {
            let event = match answer.supply {
                Supply::Value(_) => "supplied",
                Supply::Missing => "secret_missing",
                Supply::Unavailable => "provider_unavailable",
                Supply::Refused => "secret_refused",
            };
            let (provider, id) = (secret.provider(), secret.id());
            log::warn(
                event,
                &[("template", &task.name), ("provider", provider), ("id", id), ("reason", reason)],
            );
        }
        // The machine itself has asked for it.
        let _taken = task.emissary.supply(secret, answer.supply, self.clock.now(), &mut self.rng);
    }
}

fn tell(well: &str, badly: &str, members: &[(&'static str, &str)], outcome: Result<(), String>) -> bool {
    match &outcome {
        Ok(()) => log::info(well, members),
        Err(reason) => log::warn(badly, &[members, &[("reason", reason.as_str())]].concat()),
    }
    outcome.is_ok()
}

fn give_up(task: &Task) {
    for need in task.emissary.waits_for() {
        let (provider, id) = (need.reference.provider(), need.reference.id());
        log::error("still_missing", &[("template", &task.name), ("provider", provider), ("id", id)]);
    }
    if !task.emissary.is_settled() {
        log::error("not_settled", &[("template", &task.name)]);
    }
}

type Named = (String, Arc<Template>);

/// Every `*.tpl` of a folder, by name, and whether some could not be read.
fn read_templates(folder: &Path) -> io::Result<(Vec<Named>, bool)> {
    let entries =
        fs::read_dir(folder).map_err(|error| io::Error::other(format!("{}: {error}", folder.display())))?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tpl"));
    paths.sort();
    let (mut templates, mut failed) = (Vec::new(), false);
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match read_template(&path) {
            Ok(template) => templates.push((name, Arc::new(template))),
            Err((code, reason)) => {
                log::error("malformed", &[("template", &name), ("code", code), ("reason", &reason)]);
                failed = true;
            }
        }
    }
    Ok((templates, failed))
}

fn read_template(path: &Path) -> Result<Template, (&'static str, String)> {
    let text =
        file::read_text(path, limits::TEMPLATE_BYTES).map_err(|error| ("unreadable", error.to_string()))?;
    Template::parse(&text).map_err(|error| (error.code().as_str(), error.to_string()))
}

fn describe(name: &str, template: &Template) {
    let (mode, command) = (template.mode().to_string(), template.command().join(" "));
    log::info(
        "template",
        &[("template", name), ("path", template.dest()), ("mode", &mode), ("command", &command)],
    );
    for Need { reference, missing, .. } in template.needs() {
        let (provider, id) = (reference.provider(), reference.id());
        log::info(
            "needs",
            &[("template", name), ("provider", provider), ("id", id), ("missing", missing.as_str())],
        );
    }
}

fn variables(templates: &[Named]) -> Vec<String> {
    let needs = templates.iter().flat_map(|(_, template)| template.needs());
    let named = needs.filter(|need| need.reference.provider() == "env");
    named.map(|need| need.reference.id().to_owned()).collect()
}
