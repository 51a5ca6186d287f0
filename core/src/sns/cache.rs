//! Which certificates are known, which are being fetched, and which could not be had.
//!
//! The attacker knows a topic's name and sends messages with certificate URLs of his choice, all of the right form.
//! He must neither make the host fetch at will, nor push out what is in use. So only a certificate under which a
//! message has verified enters the lasting part; everything else lives in a few short-lived places of its region.

use std::{collections::BTreeMap, sync::Arc};

use super::{SnsError, TopicArn, certificate::Certificate};
use crate::{limits, time::Timestamp};

/// The two parts.
#[derive(Debug, Default)]
pub(super) struct Cache {
    proven: BTreeMap<String, Proven>,
    /// By region; regions come only from the policy's topics.
    candidates: BTreeMap<String, Vec<Candidate>>,
    uses: u64,
}

/// What is known about a URL.
pub(super) enum Known {
    /// A message has verified under it before.
    Proven(Arc<Certificate>),
    /// It was fetched; nothing has verified under it yet.
    Candidate(Arc<Certificate>),
    /// The host is asked to fetch it, now.
    Fetch,
    /// It, or another one of its region, is being fetched.
    Wait,
}

#[derive(Debug)]
struct Proven {
    certificate: Arc<Certificate>,
    last_use: u64,
}

#[derive(Debug)]
struct Candidate {
    url: String,
    since: Timestamp,
    state: State,
}

#[derive(Debug)]
enum State {
    Fetching,
    Fetched(Arc<Certificate>),
    Failed(SnsError),
}

impl Cache {
    /// Looks a URL up, and reserves a place for the fetch where there is one.
    pub(super) fn look_up(&mut self, url: &str, topic: &TopicArn, now: Timestamp) -> Result<Known, SnsError> {
        if let Some(proven) = self.proven.get_mut(url) {
            self.uses = self.uses.saturating_add(1);
            proven.last_use = self.uses;
            return Ok(Known::Proven(Arc::clone(&proven.certificate)));
        }
        let region = topic.region();
        let places = self.candidates.entry(region.to_owned()).or_default();
        places.retain(|candidate| candidate.is_live(now));
        if let Some(candidate) = places.iter().find(|candidate| candidate.url == url) {
            return match &candidate.state {
                State::Fetching => Ok(Known::Wait),
                State::Fetched(certificate) => Ok(Known::Candidate(Arc::clone(certificate))),
                State::Failed(error) => Err(error.clone()),
            };
        }
        if places.iter().any(|candidate| matches!(candidate.state, State::Fetching)) {
            return Ok(Known::Wait);
        }
        if places.len() >= limits::SNS_CANDIDATES_PER_REGION {
            return Err(SnsError::FetchLimited { region: region.to_owned() });
        }
        places.push(Candidate { url: url.to_owned(), since: now, state: State::Fetching });
        Ok(Known::Fetch)
    }

    /// Takes the outcome of a fetch that [`Cache::look_up`] asked for.
    pub(super) fn answer(
        &mut self,
        url: &str,
        outcome: Result<Certificate, SnsError>,
        now: Timestamp,
    ) -> Result<(), SnsError> {
        let waiting = self
            .candidates
            .values_mut()
            .flatten()
            .find(|candidate| candidate.url == url && matches!(candidate.state, State::Fetching))
            .ok_or(SnsError::UnexpectedCertificate)?;
        waiting.since = now;
        let (state, result) = match outcome {
            Ok(certificate) => (State::Fetched(Arc::new(certificate)), Ok(())),
            Err(error) => (State::Failed(error.clone()), Err(error)),
        };
        waiting.state = state;
        result
    }

    /// Whether a fetch of this URL was asked for.
    pub(super) fn is_fetching(&self, url: &str) -> bool {
        self.candidates
            .values()
            .flatten()
            .any(|candidate| candidate.url == url && matches!(candidate.state, State::Fetching))
    }

    /// Moves a candidate under which a message has verified into the lasting part.
    pub(super) fn prove(&mut self, url: &str, topic: &TopicArn, certificate: Arc<Certificate>) {
        if let Some(places) = self.candidates.get_mut(topic.region()) {
            places.retain(|candidate| candidate.url != url);
        }
        if self.proven.len() >= limits::SNS_PROVEN_CERTIFICATES {
            let oldest = self.proven.iter().min_by_key(|(_, proven)| proven.last_use);
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                self.proven.remove(&oldest);
            }
        }
        self.uses = self.uses.saturating_add(1);
        self.proven.insert(url.to_owned(), Proven { certificate, last_use: self.uses });
    }

    pub(super) fn clear(&mut self) {
        self.proven.clear();
        self.candidates.clear();
    }
}

impl Candidate {
    /// Places are given up after a while, also when the clock was put back meanwhile.
    fn is_live(&self, now: Timestamp) -> bool {
        let seconds = match self.state {
            State::Fetching => limits::SNS_FETCH_ABANDONED_SECONDS,
            State::Fetched(_) | State::Failed(_) => limits::SNS_FETCH_FAILURE_SECONDS,
        };
        self.since <= now && now < self.since.plus_seconds(seconds)
    }
}
