//! Workers: some do their work well, some fail, some die, some come too late or say it twice.

use handfast::{
    aws::InstanceState,
    record::{Key, Record},
    registrar::Revealed,
    time::Timestamp,
    vocabulary::{Action, Answer, Command, Effect, EffectOutcome, Report, Work},
};
use serde_json::json;

use crate::{
    step::{Fate, Going, Way},
    world::World,
};

/// Something that a worker has taken.
pub(crate) struct Job {
    pub(crate) effect: Effect,
    worker: u8,
    until: Timestamp,
    /// What came of it, once it was done.
    done: Option<EffectOutcome>,
    /// Whether it was done after its lease: then the worker does not die before it has said so.
    owes: bool,
}

const LEASE: u32 = 30;

impl World {
    pub(crate) fn effects(&self) -> Vec<Effect> {
        self.store.records.values().flat_map(|record| self.registrar.outstanding(record)).collect()
    }

    pub(crate) fn work(&mut self, pick: u16, worker: u8, way: Way) {
        let mut effects = self.effects();
        effects.retain(|effect| effect.not_before.is_none_or(|at| at <= self.clock));
        if effects.is_empty() {
            return;
        }
        let effect = effects.swap_remove(usize::from(pick) % effects.len());
        self.ears.hear(&serde_json::to_string(&effect).unwrap());
        if !self.report(&effect, worker, EffectOutcome::Started { lease_seconds: LEASE }) {
            return;
        }
        self.counts.effects += 1;
        let job = Job { until: self.clock.plus_seconds(LEASE), effect, worker, done: None, owes: false };
        match way {
            Way::Takes => self.jobs.push(job),
            Way::Well => {
                let outcome = self.perform(&job.effect);
                self.report(&job.effect, worker, outcome);
            }
            Way::Fails => {
                self.report(
                    &job.effect,
                    worker,
                    EffectOutcome::Failed { reason: "the upstream is down".into() },
                );
            }
            Way::Unsure => {
                self.perform(&job.effect);
                self.report(&job.effect, worker, EffectOutcome::Unknown);
            }
            Way::Collides => {
                if !self.upstream.has(&job.effect.work) {
                    self.upstream.take_name(&job.effect.work);
                }
                let outcome = self.perform(&job.effect);
                self.report(&job.effect, worker, outcome);
            }
        }
    }

    /// A worker goes on with what it took. Only in worlds of zombies is it done after the lease.
    pub(crate) fn go_on(&mut self, pick: u16, what: Going) {
        if self.jobs.is_empty() {
            return;
        }
        let place = usize::from(pick) % self.jobs.len();
        let late = self.latest.max(self.clock) >= self.jobs[place].until; // its own clock is not set back
        match what {
            Going::Does if late && !self.zombies => drop(self.jobs.swap_remove(place)),
            Going::Does => {
                let effect = self.jobs[place].effect.clone();
                self.jobs[place].done = Some(self.perform(&effect));
                self.jobs[place].owes |= late;
            }
            Going::Reports => self.settle(place),
            Going::ReportsTwice => {
                let (effect, worker, done) =
                    (self.jobs[place].effect.clone(), self.jobs[place].worker, self.jobs[place].done.clone());
                if let Some(outcome) = done {
                    self.report(&effect, worker, outcome);
                }
                self.settle(place);
            }
            Going::Dies if self.jobs[place].owes => self.settle(place),
            Going::Dies => drop(self.jobs.swap_remove(place)),
        }
    }

    /// The worker says what came of it.
    pub(crate) fn settle(&mut self, place: usize) {
        let Job { effect, worker, done, until, .. } = self.jobs.swap_remove(place);
        self.counts.late += u64::from(self.clock >= until);
        self.report(&effect, worker, done.unwrap_or(EffectOutcome::Failed { reason: "gave up".into() }));
    }

    pub(crate) fn report(&mut self, effect: &Effect, worker: u8, outcome: EffectOutcome) -> bool {
        let action = Action::Report(Report { effect: effect.id.clone(), outcome });
        let command =
            Command { authority: format!("executor:w{worker}").parse().unwrap(), source: None, action };
        matches!(self.command(0, command, Fate::Lives, true), Some(Answer::Reported(_)))
    }

    pub(crate) fn perform(&mut self, effect: &Effect) -> EffectOutcome {
        match &effect.work {
            Work::Sweep { package } => {
                for key in self.store.below(&Key::Package(*package)) {
                    let expire = Command::from_value(json!({"type": "expire", "key": key})).unwrap();
                    self.command(0, expire, Fate::Lives, true);
                }
                EffectOutcome::Done
            }
            Work::DescribeInstance { instance, .. } => {
                let known = self.store.records.get(&Key::Instance(instance.clone()));
                let state = match known {
                    Some(Record::Instance(known)) => known.state,
                    _ => InstanceState::Running,
                };
                serde_json::from_value(json!({
                    "type": "described", "account": "123456789012", "region": "us-east-1", "state": state,
                    "addresses": ["10.0.0.7"], "tags": {"role": "node"},
                }))
                .unwrap()
            }
            work => {
                let keys: Vec<_> = work.secrets().into_iter().map(Key::Secret).collect();
                let Ok(revealed) = self.registrar.reveal(effect, &self.store.read(&keys)) else {
                    // Its package has ended meanwhile, and the secret with it.
                    return EffectOutcome::Failed { reason: "there is no secret any more".into() };
                };
                if let Revealed::BootstrapToken(manifest) = &revealed {
                    self.ears.hear(&format!("{manifest:?}"));
                }
                self.upstream.perform(work, &revealed)
            }
        }
    }
}
