//! What this process has counted since it started, in the text form that Prometheus reads
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>). Where several hosts share a database, each counts
//! its own.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use handfast::code::Code;

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    counts: Mutex<Counts>,
    in_hand: AtomicUsize,
}

#[derive(Debug, Default)]
struct Counts {
    refusals: BTreeMap<&'static str, u64>,
    effects: BTreeMap<&'static str, u64>,
    requests: BTreeMap<(String, String), Requests>,
    conflicts: u64,
}

/// Requests of one method and route.
#[derive(Debug, Default)]
struct Requests {
    by_status: BTreeMap<u16, u64>,
    /// How many took at most so long, in the order of [`BUCKETS`].
    within: [u64; BUCKETS.len()],
    seconds: f64,
    count: u64,
}

/// Upper bounds of the durations that are told apart, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// Statements that the database did not do. It is counted where the error comes into being, which knows no host.
pub(crate) static DATABASE_ERRORS: AtomicU64 = AtomicU64::new(0);

impl Metrics {
    /// The rules said no.
    pub(crate) fn refused(&self, code: Code) {
        *self.counts().refusals.entry(code.as_str()).or_default() += 1;
    }

    /// An effect went this way.
    pub(crate) fn effect(&self, outcome: &'static str) {
        *self.counts().effects.entry(outcome).or_default() += 1;
    }

    /// How many effects this process is at.
    pub(crate) fn set_in_hand(&self, count: usize) {
        self.in_hand.store(count, Ordering::Relaxed);
    }

    /// The same.
    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand.load(Ordering::Relaxed)
    }

    /// Another host was faster.
    pub(crate) fn conflict(&self) {
        self.counts().conflicts += 1;
    }

    /// A request was answered. The route is the pattern and not the path, which could hold a secret, and of which there are
    /// any number.
    pub(crate) fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let mut counts = self.counts();
        let requests = counts.requests.entry((method.to_owned(), route.to_owned())).or_default();
        *requests.by_status.entry(status).or_default() += 1;
        let seconds = took.as_secs_f64();
        for (within, bound) in requests.within.iter_mut().zip(BUCKETS) {
            *within += u64::from(seconds <= bound);
        }
        requests.seconds += seconds;
        requests.count += 1;
    }

    /// All of it, with what the database says now.
    pub(crate) fn text(&self, gauges: &Gauges) -> String {
        let counts = self.counts();
        let mut text = Text::default();
        text.family("provisioner_packages", "gauge", "Packages by their status.");
        for (status, count) in &gauges.packages {
            text.sample("provisioner_packages", &[("status", status)], count);
        }
        text.family("provisioner_due", "gauge", "Records whose deadline or effect is due and not done yet.");
        text.sample("provisioner_due", &[], &gauges.due);
        text.family("provisioner_refusals_total", "counter", "What the rules said no to, by code.");
        for (code, count) in &counts.refusals {
            text.sample("provisioner_refusals_total", &[("code", code)], count);
        }
        text.family("provisioner_effects_total", "counter", "Effects, by how they went.");
        for (outcome, count) in &counts.effects {
            text.sample("provisioner_effects_total", &[("outcome", outcome)], count);
        }
        text.family("provisioner_effects_in_hand", "gauge", "Effects that this process is at.");
        text.sample("provisioner_effects_in_hand", &[], &gauges.in_hand);
        text.family("provisioner_conflicts_total", "counter", "Commits that were decided again.");
        text.sample("provisioner_conflicts_total", &[], &counts.conflicts);
        text.family(
            "provisioner_database_errors_total",
            "counter",
            "Statements that the database did not do.",
        );
        text.sample("provisioner_database_errors_total", &[], &DATABASE_ERRORS.load(Ordering::Relaxed));
        text.requests(&counts.requests);
        text.0
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is so at this moment.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    pub(crate) packages: Vec<(String, i64)>,
    pub(crate) due: i64,
    pub(crate) in_hand: usize,
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// The values of labels are codes, statuses, methods and patterns of routes: nothing in them needs escaping.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &dyn std::fmt::Display) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn requests(&mut self, requests: &BTreeMap<(String, String), Requests>) {
        const TOTAL: &str = "provisioner_http_requests_total";
        const SECONDS: &str = "provisioner_http_request_seconds";
        self.family(TOTAL, "counter", "Requests, by method, route and status.");
        for ((method, route), requests) in requests {
            for (status, count) in &requests.by_status {
                let status = status.to_string();
                self.sample(TOTAL, &[("method", method), ("route", route), ("status", &status)], count);
            }
        }
        self.family(SECONDS, "histogram", "How long requests took.");
        for ((method, route), requests) in requests {
            let labels = [("method", method.as_str()), ("route", route.as_str())];
            for (bound, within) in BUCKETS.iter().zip(requests.within) {
                let bound = bound.to_string();
                self.sample(
                    &format!("{SECONDS}_bucket"),
                    &[labels.as_slice(), &[("le", &bound)]].concat(),
                    &within,
                );
            }
            let all = [labels.as_slice(), &[("le", "+Inf")]].concat();
            self.sample(&format!("{SECONDS}_bucket"), &all, &requests.count);
            self.sample(&format!("{SECONDS}_sum"), &labels, &requests.seconds);
            self.sample(&format!("{SECONDS}_count"), &labels, &requests.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up() {
        let metrics = Metrics::default();
        metrics.refused(Code::Expired);
        metrics.refused(Code::Expired);
        for (millis, status) in [(1, 200), (3, 200), (700, 503)] {
            metrics.request("POST", "/api/redeem", status, Duration::from_millis(millis));
        }
        let text = metrics.text(&Gauges { packages: vec![("created".into(), 7)], due: 1, in_hand: 2 });
        for line in [
            "provisioner_packages{status=\"created\"} 7",
            "provisioner_refusals_total{code=\"expired\"} 2",
            "provisioner_http_requests_total{method=\"POST\",route=\"/api/redeem\",status=\"200\"} 2",
            "provisioner_http_request_seconds_bucket{method=\"POST\",route=\"/api/redeem\",le=\"0.001\"} 1",
            "provisioner_http_request_seconds_bucket{method=\"POST\",route=\"/api/redeem\",le=\"0.005\"} 2",
            "provisioner_http_request_seconds_bucket{method=\"POST\",route=\"/api/redeem\",le=\"+Inf\"} 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
