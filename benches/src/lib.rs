//! What the benches share: inputs, and an interleaved comparison.
//!
//! Machines are noisy and change their speed meanwhile. Two things are comparable only when they run in turns, so
//! [`compare`] takes short turns and reports medians of the same run.

use std::time::{Duration, Instant};

/// Medians of one run, in nanoseconds for each call.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// The thing that is held against something.
    pub subject: f64,
    /// What it is held against.
    pub baseline: f64,
}

impl Comparison {
    /// One line for people and for scripts.
    #[must_use]
    pub fn line(&self, name: &str) -> String {
        format!(
            "{name}: {:.2} us, baseline {:.2} us, beyond {:+.2} us, ratio {:.3}",
            self.subject / 1000.0,
            self.baseline / 1000.0,
            (self.subject - self.baseline) / 1000.0,
            self.subject / self.baseline
        )
    }
}

/// Runs both in turns for about `seconds` and takes the median turn of each.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub fn compare(seconds: u64, mut subject: impl FnMut(), mut baseline: impl FnMut()) -> Comparison {
    const CALLS: u32 = 40;
    let turn = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        for _ in 0..CALLS {
            work();
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    let (mut subjects, mut baselines) = (Vec::new(), Vec::new());
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        subjects.push(turn(&mut subject));
        baselines.push(turn(&mut baseline));
    }
    Comparison { subject: median(subjects), baseline: median(baselines) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
