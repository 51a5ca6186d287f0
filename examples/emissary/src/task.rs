//! One template on its way: performs what its machine asks for, one thing after the other, in a thread of its own. What
//! takes long here, a source or a command, keeps no other template waiting.

use std::{sync::Arc, thread, time::Duration};

use handfast::{
    Timestamp,
    template::{Emissary, Reference, Schedule, Step, Supply, Template},
};
use rand::rngs::StdRng;

use crate::{
    clock::{self, Clock},
    command, file, log,
    provider::Providers,
};

/// What all of them share.
pub(crate) struct Shared {
    pub(crate) providers: Providers,
    pub(crate) clock: Clock,
    pub(crate) schedule: Schedule,
    pub(crate) command_timeout: Duration,
    /// When to give up what is not done.
    pub(crate) deadline: Option<Timestamp>,
    /// Names of environment variables that hold secrets, so that no command is given them.
    pub(crate) variables: Vec<String>,
}

/// How far a template is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its file is in place, and its command has run. Where there is a deadline, that is the end.
    Settled,
    /// It has ended for good.
    Failed,
    /// The time is up.
    Late,
}

/// A template, and what to call it.
pub(crate) struct Task {
    shared: Arc<Shared>,
    name: String,
    emissary: Emissary,
    rng: StdRng,
}

impl Task {
    pub(crate) fn new(shared: Arc<Shared>, name: String, template: Arc<Template>, rng: StdRng) -> Self {
        let emissary = Emissary::new(template, shared.schedule, shared.clock.now());
        Self { shared, name, emissary, rng }
    }

    /// Lives until it has ended; tells when it is settled for the first time.
    pub(crate) fn live(mut self, tell: impl Fn(Stage)) {
        let mut told = false;
        loop {
            let wake_at = match self.attend() {
                Ok(wake_at) => wake_at,
                Err(end) => return tell(end),
            };
            if !told && self.emissary.is_settled() {
                tell(Stage::Settled);
                told = true;
            }
            if told && self.shared.deadline.is_some() {
                return;
            }
            sleep(self.shared.clock.now(), wake_at.into_iter().chain(self.shared.deadline).min());
        }
    }

    /// Does what there is to do now, and says when there will be more.
    fn attend(&mut self) -> Result<Option<Timestamp>, Stage> {
        loop {
            let now = self.shared.clock.now();
            if self.shared.deadline.is_some_and(|deadline| now >= deadline) && !self.emissary.is_settled() {
                self.give_up();
                return Err(Stage::Late);
            }
            let name = self.name.as_str();
            let done = match self.emissary.step(now) {
                Step::Wait(until) => return Ok(until),
                Step::Failed(error) => {
                    let (code, reason) = (error.code().as_str(), error.to_string());
                    log::error("failed", &[("template", name), ("code", code), ("reason", &reason)]);
                    return Err(Stage::Failed);
                }
                Step::Poll(due) => {
                    due.iter().for_each(|secret| self.ask(secret));
                    continue;
                }
                Step::WriteFile(order) => {
                    let members = [("template", name), ("path", order.path)];
                    let written = file::write(&order).map_err(|error| error.to_string());
                    say("written", "not_written", &members, written)
                }
                Step::RunCommand(order) => {
                    let limit = Duration::from_secs(order.timeout_seconds.into());
                    let left = self.shared.deadline.map(|deadline| clock::between(now, deadline));
                    let limit =
                        left.into_iter().chain([self.shared.command_timeout]).fold(limit, Duration::min);
                    let program = order.argv.first().map_or("", String::as_str);
                    let members = [("template", name), ("program", program)];
                    say("ran", "not_run", &members, command::run(order.argv, &self.shared.variables, limit))
                }
            };
            // There was something to report on: the step has just said so.
            let _reported = self.emissary.report(done, self.shared.clock.now(), &mut self.rng);
        }
    }

    fn ask(&mut self, secret: &Reference) {
        let answer = self.shared.providers.ask(secret);
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
                &[("template", &self.name), ("provider", provider), ("id", id), ("reason", reason)],
            );
        }
        // The machine itself has asked for it.
        let _taken = self.emissary.supply(secret, answer.supply, self.shared.clock.now(), &mut self.rng);
    }

    fn give_up(&self) {
        for need in self.emissary.waits_for() {
            let (provider, id) = (need.reference.provider(), need.reference.id());
            log::error("still_missing", &[("template", &self.name), ("provider", provider), ("id", id)]);
        }
    }
}

/// Without a time there is nothing to wake for: the template is done and needs no secret.
fn sleep(now: Timestamp, until: Option<Timestamp>) {
    thread::sleep(until.map_or(Duration::MAX, |until| clock::between(now, until)));
}

fn say(well: &str, badly: &str, members: &[(&'static str, &str)], outcome: Result<(), String>) -> bool {
    match &outcome {
        Ok(()) => log::info(well, members),
        Err(reason) => log::warn(badly, &[members, &[("reason", reason.as_str())]].concat()),
    }
    outcome.is_ok()
}
