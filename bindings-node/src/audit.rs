//! The audit: chains of facts, CloudEvents, counts.

use handfast::{
    audit::{self, CloudEvent, Root},
    crypto::default_backend,
    vocabulary::Error,
};
use napi_derive::napi;

use crate::{
    carry::{self, parse},
    error::{Result, Throw, invalid},
};

/// The last event of a record.
#[napi(object)]
pub struct Head {
    /// The record.
    pub key: String,
    /// Its version.
    pub version: i64,
    /// SHA-256 over the event's body, in hexadecimal.
    pub digest: String,
}

/// Checks that a log is what was written.
#[napi]
pub struct Chain(audit::Chain);

#[napi]
impl Chain {
    /// A chain that goes on from checkpoints, and must lead through the expected heads.
    #[napi(constructor)]
    pub fn new(checkpoints: Vec<Head>, expect: Vec<Head>) -> Result<Self> {
        let mut chain = audit::Chain::resume(default_backend(), heads(&checkpoints, "checkpoints")?);
        chain.expect(heads(&expect, "expect")?);
        Ok(Self(chain))
    }

    /// Takes the next body.
    #[napi]
    pub fn feed(&mut self, body: String) -> Result<()> {
        self.0.feed(&body).map_err(Throw::throw)
    }

    /// The expected heads that were contradicted or never reached, as JSON.
    #[napi]
    pub fn finish(&self) -> String {
        carry::write(&self.0.finish())
    }

    /// Where the chains end now.
    #[napi]
    pub fn heads(&self) -> Vec<Head> {
        self.0.heads().map(Head::from).collect()
    }

    /// How many bodies were fed.
    #[napi(getter)]
    pub fn fed(&self) -> i64 {
        i64::try_from(self.0.fed()).unwrap_or(i64::MAX)
    }

    /// How many of them are not linked.
    #[napi(getter)]
    pub fn unlinked(&self) -> i64 {
        i64::try_from(self.0.unlinked()).unwrap_or(i64::MAX)
    }
}

/// The head that a record has with this body as its last one.
#[napi]
pub fn head(body: String) -> Result<Head> {
    audit::Head::of(&body, &*default_backend()).map(Head::from).map_err(Throw::throw)
}

/// One line about any number of heads.
#[napi]
pub fn root(heads: Vec<Head>) -> Result<String> {
    Ok(Root::over(self::heads(&heads, "heads")?, &*default_backend()).to_string())
}

/// An event's body as a CloudEvent, in JSON.
#[napi]
pub fn cloud_event(body: String, source: String) -> Result<String> {
    let event = CloudEvent::of_event(&body, parse(&source, "source")?);
    event.map(|event| event.to_json()).map_err(Throw::throw)
}

/// A notice's body as a CloudEvent, in JSON.
#[napi]
pub fn cloud_event_of_notice(coalesce: String, body: String, source: String) -> Result<String> {
    let event = CloudEvent::of_notice(&coalesce, &body, parse(&source, "source")?);
    event.map(|event| event.to_json()).map_err(Throw::throw)
}

/// Packages by scope and month.
#[napi]
pub struct Tally(audit::Tally);

#[napi]
impl Tally {
    /// An empty one, or what `toJson` wrote.
    #[napi(constructor)]
    pub fn new(text: Option<String>) -> Result<Self> {
        let Some(text) = text else { return Ok(Self(audit::Tally::default())) };
        let tally = serde_json::from_str(&text);
        tally.map(Self).map_err(|error| Error::CorruptRecord(error.to_string()).throw())
    }

    /// All that it holds, as JSON.
    #[napi]
    pub fn write(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Takes in a body.
    #[napi]
    pub fn add(&mut self, body: String) -> Result<()> {
        self.0.add(&body).map_err(Throw::throw)
    }

    /// Takes in what another tally has.
    #[napi]
    pub fn merge(&mut self, other: String) -> Result<()> {
        self.0.merge(Self::new(Some(other))?.0);
        Ok(())
    }

    /// The counts, as JSON.
    #[napi]
    pub fn rows(&self) -> String {
        carry::write(&self.0.rows())
    }
}

impl From<audit::Head> for Head {
    fn from(head: audit::Head) -> Self {
        let version = i64::try_from(head.version).unwrap_or(i64::MAX);
        Self { key: head.key, version, digest: head.digest.to_string() }
    }
}

fn heads(heads: &[Head], argument: &str) -> Result<Vec<audit::Head>> {
    let head = |(place, head): (usize, &Head)| {
        let at = format!("{argument}[{place}]");
        let version = u64::try_from(head.version)
            .map_err(|_| invalid(&format!("{at}.version"), "expected a number from 0"))?;
        let digest = parse(&head.digest, &format!("{at}.digest"))?;
        Ok(audit::Head { key: head.key.clone(), version, digest })
    };
    heads.iter().enumerate().map(head).collect()
}
