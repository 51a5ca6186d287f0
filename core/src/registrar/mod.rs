//! The registrar: policy, keys, and the pure function [`Registrar::decide`].

mod ban;
mod batch;
mod batch_session;
mod bindings;
mod check_in;
mod clone;
mod contents;
mod credential;
mod deliver;
mod draft;
mod end;
mod expire;
mod explain;
mod forget;
mod instance;
mod issue;
mod policy;
mod presenter;
mod redeem;
mod reissue;
mod resource;
mod revoke;
mod route;
mod scope;
mod session;
mod spire;
mod standing;
mod subject;

use std::sync::Arc;

pub use batch::{BatchDecision, BatchOutcome, PendingAll};
pub use batch_session::{BatchSession, BatchStep};
pub use explain::Explanation;
pub use policy::{CloneReaction, Enrolled, InstanceRule, KindRule, Policy, Release, SpirePolicy};
use rand_core::CryptoRng;
pub use resource::Revealed;
pub use session::{Session, Step};

pub(crate) use self::credential::Unsigned;
use self::{
    draft::{Draft, Stop},
    presenter::Doing,
};
use crate::{
    code::Code,
    crypto::Backend,
    json,
    jwt::{Nonces, PublicKeys, SigningRing, TargetUrl},
    keyring::KeyRing,
    limits,
    link::Links,
    record::{Record, Records, Row},
    rules::{Question, Rule, Ruling},
    seal::Sealer,
    time::Now,
    vocabulary::{Command, Effect, Error, Event, Outcome, Refusal, VaultWrite},
};

/// The configured state machine. It holds no record and changes nothing: it only decides.
#[derive(Clone, Debug)]
pub struct Registrar {
    policy: Policy,
    peppers: KeyRing,
    sealer: Sealer,
    links: Links,
    nonces: Nonces,
    signing: Option<Arc<SigningRing>>,
    rule: Option<Arc<dyn Rule>>,
    targets: Vec<(Doing, TargetUrl)>,
    backend: Arc<dyn Backend>,
}

impl Registrar {
    /// Takes the policy and the keys: `peppers` key the digests of tokens, `sealing` seals secrets at rest. Neither
    /// may be kept beside the records, or a stolen database is a stolen fleet.
    ///
    /// # Errors
    /// [`Error::Input`] when the policy exceeds a limit.
    pub fn new(
        policy: Policy,
        peppers: KeyRing,
        sealing: KeyRing,
        backend: Arc<dyn Backend>,
    ) -> Result<Self, Error> {
        policy.check()?;
        let sealer = Sealer::new(sealing, Arc::clone(&backend));
        let links = Links::new(peppers.clone(), Arc::clone(&backend));
        let nonces = Nonces::new(peppers.clone(), Arc::clone(&backend));
        let targets = targets(&policy)?;
        Ok(Self { policy, peppers, sealer, links, nonces, signing: None, rule: None, targets, backend })
    }

    /// With keys to sign node credentials with: every node that proves a key is given one. Keep the private keys with
    /// the other two rings, apart from the records.
    #[must_use]
    pub fn with_signing(self, keys: SigningRing) -> Self {
        Self { signing: Some(Arc::new(keys)), ..self }
    }

    /// With an operator's own rule, which is asked after everything else has allowed a command, as far as the policy's
    /// `rule_mode` wants.
    #[must_use]
    pub fn with_rule(self, rule: Arc<dyn Rule>) -> Self {
        Self { rule: Some(rule), ..self }
    }

    /// What the operator's own rule says of what is about to happen.
    fn rule_on(&self, draft: &Draft<'_>, command: &Command) -> Result<Ruling, Error> {
        let Some(rule) = &self.rule else { return Ok(Ruling::Allow) };
        let view = |record: &Record| serde_json::to_value(record).unwrap_or_default();
        let question = || Question {
            command: command.describe(),
            authority: &command.authority,
            source: command.source,
            now: draft.now(),
            records: draft.seen().map(|(key, record)| (key.to_string(), view(record))).collect(),
            facts: draft.facts().iter().map(fact_with_key).collect(),
        };
        Ok(self.policy.rule_mode.consult(&**rule, question)?)
    }

    /// The public keys that node credentials verify under, for a host's other services; with
    /// [`jwt::credential::authenticate`](crate::jwt::credential::authenticate).
    #[must_use]
    pub fn public_keys(&self) -> Option<&PublicKeys> {
        self.signing.as_ref().map(|ring| ring.public())
    }

    /// A nonce for a node's next proof, so that a host may give one before it is asked for it.
    ///
    /// # Errors
    /// Never, once the registrar is built.
    pub fn nonce(&self, now: Now) -> Result<String, Error> {
        self.nonces.issue(now.at)
    }

    fn target(&self, doing: Doing) -> Option<&TargetUrl> {
        self.targets.iter().find(|(known, _)| *known == doing).map(|(_, url)| url)
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Decides a command: pure, and the whole of handfast. Everything that the decision looked at is in its guards;
    /// everything that it changes is in its commit; what it answers is released after the commit.
    ///
    /// # Errors
    /// Bad input, a broken store or a mistaken configuration; see [`Error`]. What the rules do not allow is a
    /// decision with [`Answer::Refused`](crate::vocabulary::Answer::Refused).
    pub fn decide(
        &self,
        command: &Command,
        records: &dyn Records,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Result<Outcome, Error> {
        let mut draft = Draft::new(self, records, (&command.authority, command.source), now, rng);
        match route::decide(&mut draft, command) {
            Ok(answer) => {
                let decision = match self.rule_on(&draft, command)? {
                    Ruling::Allow => draft.accept(answer)?,
                    Ruling::Warn(reason) => {
                        draft.note(Code::PolicyWarning, None, command.action.name(), Some(reason));
                        draft.accept(answer)?
                    }
                    Ruling::Deny(reason) => {
                        draft.refused(Refusal::Policy, None, command.action.name(), Some(reason))?
                    }
                };
                Ok(Outcome::Decision(Box::new(decision)))
            }
            Err(Stop::Need(keys)) => Ok(Outcome::Need(keys)),
            Err(Stop::Refuse(refusal, anchor)) => {
                let decision = draft.refused(refusal, anchor, command.action.name(), None)?;
                Ok(Outcome::Decision(Box::new(decision)))
            }
            Err(Stop::UseNonce) => Ok(Outcome::Decision(Box::new(draft.use_nonce()?))),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    /// Starts a session: the loop of loading, deciding and committing, without the I/O.
    #[must_use]
    pub fn session(self: &Arc<Self>, command: Command) -> Session {
        Session::new(Arc::clone(self), command)
    }

    /// The effects that are outstanding for a record: a function of the record alone, so that nothing is lost in a crash.
    #[must_use]
    pub fn outstanding(&self, record: &Record) -> Vec<Effect> {
        match record {
            Record::Package(package) => resource::outstanding(package),
            Record::Instance(instance) => instance::outstanding(instance).into_iter().collect(),
            Record::Scope(_)
            | Record::Pool(_)
            | Record::Name(_)
            | Record::Subject(_)
            | Record::Node(_)
            | Record::Forgotten(_) => Vec::new(),
        }
    }

    /// Seals a row of the vault anew, under the current key; `None`, when it is under it already. So a sealing key is
    /// rotated: make a new one current, seal every row of the vault anew, then take the old key away. Write the row only
    /// if it is still as it was read: it may have been shredded meanwhile.
    ///
    /// # Errors
    /// [`Error::Input`] for a row that is not of the vault; [`Error::MissingKey`], [`Error::Crypto`].
    pub fn reseal(&self, row: &Row, rng: &mut dyn CryptoRng) -> Result<Option<VaultWrite>, Error> {
        let id = row.key.secret().ok_or_else(|| Error::input("key", "names no sealed secret"))?;
        if self.sealer.is_current(&row.body) {
            return Ok(None);
        }
        let secret = self.sealer.open(id, &row.body)?;
        Ok(Some(VaultWrite::Put { id, sealed: self.sealer.seal(id, &secret, rng)? }))
    }

    /// A stored body as JSON for people and APIs. There is no secret in it: there is none in any record or event.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`].
    pub fn view(&self, body: &str) -> Result<serde_json::Value, Error> {
        json::parse(body.as_bytes(), limits::RECORD_BYTES)
            .map_err(|error| Error::CorruptRecord(error.to_string()))
    }
}

/// A fact, and the record that it is about, as a rule sees it.
fn fact_with_key(event: &Event) -> serde_json::Value {
    let mut fact = serde_json::to_value(&event.fact).unwrap_or_default();
    if let Some(members) = fact.as_object_mut() {
        members.insert("key".to_owned(), event.key.to_string().into());
    }
    fact
}

/// The URLs that proofs cover.
fn targets(policy: &Policy) -> Result<Vec<(Doing, TargetUrl)>, Error> {
    let Some(base) = &policy.base_url else { return Ok(Vec::new()) };
    let target = |doing: Doing| {
        let url = format!("{base}{}", doing.path()).parse();
        url.map(|url| (doing, url)).map_err(|_| Error::input("base_url", "not an absolute URL"))
    };
    Doing::ALL.into_iter().map(target).collect()
}
