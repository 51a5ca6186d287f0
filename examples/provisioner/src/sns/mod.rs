//! SNS over HTTP: from a request's body to something that the host does.

mod certificates;
mod unhandled;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use handfast::{
    aws::{self, AwsError, InstanceId, Trust},
    code::Code,
    crypto::default_backend,
    id::PackageId,
    record::InstanceState,
    sns::{
        Confirmation, Fetch, FetchFailure, Headers, Notification, Policy, Received, Receiver,
        SignatureVersion, SnsError, TopicArn,
    },
    verified::Verified,
    vocabulary::{Action, Answer, Authority, Command, Observed},
};
use serde::Serialize;
use tokio::{sync::Notify, task::block_in_place};

use self::{certificates::Web, unhandled::Unhandled};
use crate::{
    Fatal,
    host::{Host, HostError},
};

/// Receives what SNS posts.
#[derive(Clone, Debug)]
pub(crate) struct Sns(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    host: Arc<Host>,
    receiver: Mutex<Receiver>,
    /// Says that a certificate has been handed in.
    fetched: Notify,
    certificate_dir: Option<PathBuf>,
    web: Web,
    trust: Vec<Trust>,
    unhandled: Option<Unhandled>,
    /// Topics that are known in the database to have been seen with signature version 2.
    version_2: Mutex<BTreeSet<String>>,
    allow_version_downgrade: bool,
}

/// What came of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub(crate) enum Handled {
    /// It is about an instance, and has been taken in.
    Observed {
        instance: InstanceId,
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<InstanceState>,
        /// `false`: old news.
        changed: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        package: Option<PackageId>,
    },
    /// It is authentic, and nothing follows from it.
    Ignored { reason: String },
    /// The subscription is confirmed.
    Confirmed,
    /// The subscription has ended.
    Unsubscribed,
}

/// Why a message was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejected {
    #[error(transparent)]
    Sns(#[from] SnsError),
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error("the subscription could not be confirmed: {0}")]
    NotConfirmed(FetchFailure),
    #[error("certificates take too long to fetch")]
    Slow,
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Rejected {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Sns(error) => error.code().as_str(),
            Self::Aws(error) => error.code().as_str(),
            Self::NotConfirmed(_) => "sns_not_confirmed",
            Self::Slow => Code::SnsFetchFailed.as_str(),
            Self::Host(error) => error.code().map_or("store", Code::as_str),
        }
    }
}

impl Sns {
    /// Builds the receiver, and lets no topic fall back to SHA-1 that was seen with SHA-256 before the restart.
    pub(crate) async fn new(
        host: Arc<Host>,
        mut policy: Policy,
        trust: Vec<Trust>,
        (certificate_dir, keep_unhandled): (Option<PathBuf>, Option<PathBuf>),
    ) -> Result<Self, Fatal> {
        let version_2: BTreeSet<_> = host.store.version_2_topics().await?.into_iter().collect();
        if !policy.allow_version_downgrade {
            for topic in policy.topics.iter_mut().filter(|topic| version_2.contains(topic.arn.as_str())) {
                topic.minimum_signature_version = SignatureVersion::V2;
            }
        }
        let alone = !host.store.is_shared();
        let plain_http = policy.development.is_some();
        let allow_version_downgrade = policy.allow_version_downgrade;
        Ok(Self(Arc::new(Inner {
            receiver: Mutex::new(Receiver::new(policy, default_backend())?),
            fetched: Notify::new(),
            certificate_dir,
            web: Web::new(plain_http)?,
            trust,
            unhandled: keep_unhandled.map(|folder| Unhandled::new(folder, alone)).transpose()?,
            version_2: Mutex::new(version_2),
            allow_version_downgrade,
            host,
        })))
    }

    /// Judges a request and does what follows from it.
    pub(crate) async fn take(
        &self,
        body: &[u8],
        headers: &Headers<'_>,
        source: std::net::IpAddr,
    ) -> Result<Handled, Rejected> {
        let received = tokio::time::timeout(PATIENCE, self.receive(body, headers)).await;
        match received.map_err(|_| Rejected::Slow)?? {
            Received::Notification(notification) => {
                self.remember(notification.topic_arn(), notification.signature_version()).await?;
                self.notified(&notification, source).await
            }
            Received::Confirm(confirmation) => {
                self.remember(confirmation.topic_arn(), confirmation.signature_version()).await?;
                self.confirm(&confirmation).await
            }
            Received::Unsubscribed(ended) => {
                tracing::warn!(topic = %ended.topic_arn(), "this endpoint was unsubscribed");
                Ok(Handled::Unsubscribed)
            }
            // `receive` does not end with these.
            Received::Need(_) | Received::Wait => Err(Rejected::Slow),
        }
    }

    async fn receive(&self, body: &[u8], headers: &Headers<'_>) -> Result<Received, SnsError> {
        loop {
            let fetched = self.0.fetched.notified();
            let received = self.receiver().receive(body, headers, self.0.host.clock.now())?;
            match received {
                Received::Need(fetch) => {
                    // In a task of its own: the sender may hang up, the receiver must still get its answer.
                    let fetching = tokio::spawn(self.clone().fetch(fetch));
                    drop(fetching.await);
                }
                Received::Wait => fetched.await,
                other @ (Received::Notification(_) | Received::Confirm(_) | Received::Unsubscribed(_)) => {
                    return Ok(other);
                }
            }
        }
    }

    async fn fetch(self, fetch: Fetch) {
        let outcome = match &self.0.certificate_dir {
            Some(folder) => certificates::from_folder(folder, &fetch),
            None => self.0.web.certificate(&fetch).await,
        };
        let file = outcome.as_ref().map(Vec::as_slice).map_err(|failure| *failure);
        let taken = self.receiver().certificate(&fetch.url, file, self.0.host.clock.now());
        match taken {
            Ok(()) => tracing::info!(url = fetch.url, "fetched a signing certificate"),
            Err(error) => tracing::warn!(url = fetch.url, "{error}"),
        }
        self.0.fetched.notify_waiters();
    }

    async fn notified(
        &self,
        notification: &Verified<Notification>,
        source: std::net::IpAddr,
    ) -> Result<Handled, Rejected> {
        let event = match aws::read(notification, &self.0.trust) {
            Ok(aws::Received::Instance(event)) => event,
            Ok(aws::Received::NotForUs(reason)) => {
                self.keep(notification, reason.as_str());
                return Ok(Handled::Ignored { reason: reason.to_string() });
            }
            Err(error) => {
                self.keep(notification, error.code().as_str());
                return Err(error.into());
            }
        };
        let action = Action::ObserveInstance(event);
        let command = Command { authority: Authority::Event, source: Some(source), action };
        let answer = self.0.host.run(command).await?;
        if let Answer::Observed(Observed { instance, state, changed, package }) = answer {
            return Ok(Handled::Observed { instance, state, changed, package });
        }
        let Answer::Refused(refused) = answer else {
            tracing::error!("an event was answered with {answer:?}");
            return Ok(Handled::Ignored { reason: Code::Misuse.to_string() });
        };
        tracing::warn!(message = notification.message_id(), code = %refused.code(), "{}", refused.refusal);
        Ok(Handled::Ignored { reason: refused.code().to_string() })
    }

    async fn confirm(&self, confirmation: &Confirmation) -> Result<Handled, Rejected> {
        self.0.web.confirm(confirmation.url()).await.map_err(Rejected::NotConfirmed)?;
        tracing::info!(topic = %confirmation.topic_arn(), "confirmed the subscription");
        Ok(Handled::Confirmed)
    }

    /// Remembers a topic's signature version, and lets it not fall back: another host may have seen version 2.
    async fn remember(&self, topic: &TopicArn, version: SignatureVersion) -> Result<(), Rejected> {
        let store = &self.0.host.store;
        if version == SignatureVersion::V2 {
            if !self.version_2().contains(topic.as_str()) {
                let now = self.0.host.clock.now().at;
                store.remember_version_2(topic, now).await.map_err(HostError::from)?;
                self.version_2().insert(topic.to_string());
            }
        } else if store.is_shared() && !self.0.allow_version_downgrade {
            let known = store.version_2_topics().await.map_err(HostError::from)?;
            if known.iter().any(|known| known == topic.as_str()) {
                return Err(SnsError::VersionDowngrade.into());
            }
        }
        Ok(())
    }

    /// Keeping is for people: that it fails is no reason to have SNS send the message again.
    fn keep(&self, notification: &Notification, reason: &str) {
        tracing::info!(message = notification.message_id(), reason, "a verified message is not for us");
        let Some(unhandled) = &self.0.unhandled else { return };
        if let Err(error) = block_in_place(|| unhandled.keep(notification, reason)) {
            tracing::error!("cannot keep message {}: {error}", notification.message_id());
        }
    }

    fn receiver(&self) -> MutexGuard<'_, Receiver> {
        self.0.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn version_2(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.version_2.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SNS gives an endpoint 15 seconds to answer (SNS developer guide, "HTTP/HTTPS endpoints").
const PATIENCE: Duration = Duration::from_secs(12);
