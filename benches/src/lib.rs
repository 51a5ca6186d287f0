//! What the benches share: inputs, and an interleaved comparison.
//!
//! Machines are noisy and change their speed meanwhile. Two things are comparable only when they run in turns, so
//! [`compare`] takes short turns and reports, of the same run, the median turn and the quick turns (the tenth
//! percentile): what the two cost while nothing else runs on the machine.

use std::time::{Duration, Instant};

/// Two things of one run.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// The thing that is held against something.
    pub subject: Turns,
    /// What it is held against.
    pub baseline: Turns,
}

/// Nanoseconds for each call.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    /// The tenth percentile.
    pub quick: f64,
    /// The median.
    pub median: f64,
}

impl Comparison {
    /// One line for people and for scripts.
    #[must_use]
    pub fn line(&self, name: &str) -> String {
        let (subject, baseline) = (self.subject, self.baseline);
        format!(
            "{name}: {:.2} us, baseline {:.2} us, beyond {:+.2} us, ratio {:.3} (medians {:.2} and {:.2} us, ratio {:.3})",
            subject.quick / 1000.0,
            baseline.quick / 1000.0,
            (subject.quick - baseline.quick) / 1000.0,
            subject.quick / baseline.quick,
            subject.median / 1000.0,
            baseline.median / 1000.0,
            subject.median / baseline.median,
        )
    }
}

/// Runs both in turns for about `seconds` and sums up the turns of each.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub fn compare(seconds: u64, mut subject: impl FnMut(), mut baseline: impl FnMut()) -> Comparison {
    const CALLS: u32 = 10;
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
    Comparison { subject: sum_up(subjects), baseline: sum_up(baselines) }
}

fn sum_up(mut turns: Vec<f64>) -> Turns {
    turns.sort_by(f64::total_cmp);
    let at = |position: usize| turns.get(position).copied().unwrap_or(f64::NAN);
    Turns { quick: at(turns.len() / 10), median: at(turns.len() / 2) }
}
