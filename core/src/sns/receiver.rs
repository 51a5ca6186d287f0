//! The machine that turns deliveries into verified messages.

use std::{collections::BTreeMap, sync::Arc};

use data_encoding::BASE64;

use super::{
    Confirmation, FetchFailure, Headers, MessageType, Notification, Policy, SignatureVersion, SnsError,
    TopicArn, Unsubscription, arn,
    cache::{Cache, Known},
    canonical,
    certificate::{self, Certificate, Rules},
    chain::Chain,
    fields::{self, Contents, Fields},
    message::Signed,
    pem, url,
};
use crate::{
    crypto::{Backend, RsaDigest, RsaPublicKey},
    limits,
    time::{Now, Timestamp},
    verified::Verified,
};

/// What came of a delivery.
#[derive(Debug)]
#[must_use]
pub enum Received {
    /// Fetch this certificate, call [`Receiver::certificate`] with the outcome, then receive the same body again.
    Need(Fetch),
    /// A certificate of the same region is already being fetched: receive the same body again after that, or answer
    /// with status 503, and SNS will deliver it again.
    Wait,
    /// Confirm the subscription by a GET of [`Confirmation::url`].
    Confirm(Verified<Confirmation>),
    /// A message from a wanted topic.
    Notification(Verified<Notification>),
    /// The endpoint was unsubscribed from a wanted topic.
    Unsubscribed(Verified<Unsubscription>),
}

/// A certificate to be fetched. Where no roots are pinned, its authenticity rests on this very connection: TLS with
/// verified names, no redirects, no proxy that the sender chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The URL, on the SNS host of the topic's region (or under the development prefix).
    pub url: String,
    /// Bytes after which to give up with [`FetchFailure::TooLarge`].
    pub max_bytes: usize,
    /// Seconds after which to give up with [`FetchFailure::Timeout`].
    pub timeout_seconds: u32,
    /// Always true: a redirect is [`FetchFailure::Redirect`].
    pub no_redirects: bool,
}

/// Verifies deliveries of SNS: [`Receiver::receive`] is the only way to a verified message.
///
/// Everything that can be judged without a certificate is judged before one is asked for, and a topic's place on the
/// list before any effect. The receiver keeps certificates and, for each topic, whether it has been seen with signature
/// version 2; both are lost with it, so set `minimum_signature_version` where version 1 must never come back.
#[derive(Debug)]
pub struct Receiver {
    backend: Arc<dyn Backend>,
    rules: Rules,
    max_age_seconds: u32,
    max_ahead_seconds: u32,
    allow_version_downgrade: bool,
    topics: BTreeMap<TopicArn, Topic>,
    chain: Option<Chain>,
    pins: Vec<Pinned>,
    development: Option<Development>,
    cache: Cache,
}

/// What is known about a wanted topic.
#[derive(Debug)]
struct Topic {
    minimum: SignatureVersion,
    /// `https://sns.<region>.<suffix>/`; `None` for emulators' partitions.
    origin: Option<String>,
    certificate_name: Option<String>,
    seen_version_2: bool,
}

#[derive(Debug)]
struct Pinned {
    url: Option<String>,
    key: PinnedKey,
}

#[derive(Clone, Debug)]
enum PinnedKey {
    Certificate(Arc<Certificate>),
    PublicKey(Arc<dyn RsaPublicKey>),
}

#[derive(Debug)]
struct Development {
    prefix: String,
    origin: String,
    any_certificate: bool,
    version_1_unsubscribe: bool,
}

/// The key for a message, and what remains to be done when it fits.
enum Source {
    Pinned(PinnedKey),
    Proven(Arc<Certificate>),
    Candidate(Arc<Certificate>),
}

/// The answer to the search for a key.
enum Found {
    Key(Source),
    Need(Fetch),
    Wait,
}

/// What a message will be once its signature has verified.
enum Outcome {
    Notification,
    Confirm { url: String },
    Unsubscribed,
}

impl Receiver {
    /// Builds a receiver.
    ///
    /// # Errors
    /// [`crate::code::Code::SnsInvalidPolicy`] when there is no topic, when a PEM cannot be read, when a topic lies in
    /// a region whose certificates bear an unknown name, or when the development prefix is not one; the errors of
    /// certificates for what is pinned.
    pub fn new(policy: Policy, backend: Arc<dyn Backend>) -> Result<Self, SnsError> {
        if policy.topics.is_empty() {
            return Err(SnsError::policy("the list of topics is empty"));
        }
        let development = policy.development.as_ref().map(read_development).transpose()?;
        let rules = Rules { legacy_rsa_1024: policy.legacy_rsa_1024, development: false };
        let any_certificate = development.as_ref().is_some_and(|settings| settings.any_certificate);
        let pin_rules = Rules { development: any_certificate, ..rules };
        Ok(Self {
            rules,
            max_age_seconds: policy.max_age_seconds,
            max_ahead_seconds: policy.max_ahead_seconds,
            allow_version_downgrade: policy.allow_version_downgrade,
            topics: read_topics(&policy)?,
            chain: Chain::read(&policy.roots, &policy.intermediates, &backend)?,
            pins: read_pins(&policy, pin_rules, backend.as_ref())?,
            development,
            cache: Cache::default(),
            backend,
        })
    }

    /// Judges a delivery: the body as received, the headers that SNS sends, and the present.
    ///
    /// # Errors
    /// A [`SnsError`]; [`SnsError::is_temporary`] says which are worth another delivery. Nothing is stored for a
    /// message that is refused, except the place of a certificate that was asked for.
    pub fn receive(&mut self, body: &[u8], headers: &Headers<'_>, now: Now) -> Result<Received, SnsError> {
        headers.refuse_raw_delivery()?;
        let mut fields = fields::parse(body)?;
        headers.check(&fields)?;
        let topic = self.admit(&fields)?;
        self.check_age(fields.timestamp, now)?;
        let origin = self.check_certificate_url(&fields, &topic)?;
        let outcome = outcome(&fields, &topic, origin)?;
        let mut buffer = [0_u8; limits::RSA_MAX_BITS / 8];
        let signature = decode_signature(&fields.signature, &mut buffer)?;
        let source = match self.find_key(&fields, &topic, now.at)? {
            Found::Key(source) => source,
            Found::Need(fetch) => return Ok(Received::Need(fetch)),
            Found::Wait => return Ok(Received::Wait),
        };
        let signed = canonical::signed(&mut fields, topic);
        self.verify(&source, &signed, signature)?;
        self.remember(source, &fields, &signed.topic);
        Ok(match outcome {
            Outcome::Notification => Received::Notification(Verified::new(Notification(signed))),
            Outcome::Confirm { url } => Received::Confirm(Verified::new(Confirmation { signed, url })),
            Outcome::Unsubscribed => Received::Unsubscribed(Verified::new(Unsubscription(signed))),
        })
    }

    /// Takes the outcome of a fetch that [`Received::Need`] asked for: the body of a response with status 200, or why
    /// there is none. Afterwards receive the message again.
    ///
    /// # Errors
    /// What is wrong with the certificate. It is remembered for
    /// [`limits::SNS_FETCH_FAILURE_SECONDS`] and is also the answer to messages that name this URL meanwhile.
    /// [`crate::code::Code::SnsUnexpectedCertificate`] when nothing asked for it.
    pub fn certificate(
        &mut self,
        url: &str,
        outcome: Result<&[u8], FetchFailure>,
        now: Now,
    ) -> Result<(), SnsError> {
        if !self.cache.is_fetching(url) {
            return Err(SnsError::UnexpectedCertificate);
        }
        let development = self
            .development
            .as_ref()
            .is_some_and(|settings| settings.any_certificate && url.starts_with(&settings.prefix));
        let rules = Rules { development, ..self.rules };
        let read = outcome
            .map_err(|failure| SnsError::FetchFailed { failure })
            .and_then(|file| Certificate::read(file, rules, self.backend.as_ref()));
        self.cache.answer(url, read, now.at)
    }

    /// Forgets all fetched certificates, so that they are fetched again: for an operator who has heard that one was
    /// withdrawn. There is no other end to them than their validity, which is checked at every use, because the name of
    /// a certificate of SNS changes with its contents.
    pub fn forget_certificates(&mut self) {
        self.cache.clear();
    }

    /// The list, and the version that the topic must have.
    fn admit(&self, fields: &Fields<'_>) -> Result<TopicArn, SnsError> {
        let (arn, topic) =
            self.topics.get_key_value(fields.topic.as_ref()).ok_or_else(|| refuse_topic(&fields.topic))?;
        let exempt = fields.contents.kind() == MessageType::UnsubscribeConfirmation
            && self.development.as_ref().is_some_and(|settings| settings.version_1_unsubscribe);
        if fields.version == SignatureVersion::V2 || exempt {
            return Ok(arn.clone());
        }
        if topic.minimum == SignatureVersion::V2 {
            return Err(SnsError::VersionTooLow);
        }
        if topic.seen_version_2 && !self.allow_version_downgrade {
            return Err(SnsError::VersionDowngrade);
        }
        Ok(arn.clone())
    }

    /// A replayed message is recognised by its id for as long as a host remembers it; the age bounds that time.
    fn check_age(&self, timestamp: Timestamp, now: Now) -> Result<(), SnsError> {
        if !now.trusted {
            return Err(SnsError::ClockUntrusted);
        }
        let millis = now.at.unix_millis().saturating_sub(timestamp.unix_millis());
        let (age, ahead) = (i64::from(self.max_age_seconds), i64::from(self.max_ahead_seconds));
        if millis > age.saturating_mul(1000) {
            let limit_seconds = self.max_age_seconds;
            return Err(SnsError::TooOld { age_seconds: millis.div_euclid(1000), limit_seconds });
        }
        if millis.saturating_neg() > ahead.saturating_mul(1000) {
            let ahead_seconds = millis.saturating_neg().div_euclid(1000);
            return Err(SnsError::TooFarAhead { ahead_seconds, limit_seconds: self.max_ahead_seconds });
        }
        Ok(())
    }

    /// Checks where the certificate lies and gives the origin at which this topic's subscriptions are confirmed.
    fn check_certificate_url(&self, fields: &Fields<'_>, topic: &TopicArn) -> Result<&str, SnsError> {
        let given = fields.signing_cert_url.as_ref();
        if let Some(settings) = &self.development
            && url::is_certificate_url(given, &settings.prefix)
        {
            return Ok(&settings.origin);
        }
        let origin = self.topics.get(topic).and_then(|topic| topic.origin.as_deref());
        match origin {
            Some(origin) if url::is_certificate_url(given, origin) => Ok(origin),
            Some(_) | None => Err(url::refuse_certificate_url(given, origin)),
        }
    }

    fn find_key(&mut self, fields: &Fields<'_>, topic: &TopicArn, now: Timestamp) -> Result<Found, SnsError> {
        let given = fields.signing_cert_url.as_ref();
        let fits = |pin: &&Pinned| pin.url.as_deref().is_none_or(|url| url == given);
        if let Some(pin) = self.pins.iter().find(fits) {
            return Ok(Found::Key(Source::Pinned(pin.key.clone())));
        }
        Ok(match self.cache.look_up(given, topic, now)? {
            Known::Proven(certificate) => Found::Key(Source::Proven(certificate)),
            Known::Candidate(certificate) => Found::Key(Source::Candidate(certificate)),
            Known::Wait => Found::Wait,
            Known::Fetch => Found::Need(Fetch {
                url: given.to_owned(),
                max_bytes: limits::SNS_CERTIFICATE_BYTES,
                timeout_seconds: limits::SNS_FETCH_TIMEOUT_SECONDS,
                no_redirects: true,
            }),
        })
    }

    /// The certificate must have been valid when SNS took the message. With the age window this also bounds how long
    /// after its end a certificate can be used.
    fn verify(&self, source: &Source, signed: &Signed, signature: &[u8]) -> Result<(), SnsError> {
        let digest = match signed.version {
            SignatureVersion::V1 => RsaDigest::Sha1,
            SignatureVersion::V2 => RsaDigest::Sha256,
        };
        let (certificate, chain) = match source {
            Source::Pinned(PinnedKey::PublicKey(key)) => {
                return certificate::verify(key.as_ref(), digest, &signed.text, signature);
            }
            Source::Pinned(PinnedKey::Certificate(certificate)) | Source::Proven(certificate) => {
                (certificate, None)
            }
            Source::Candidate(certificate) => (certificate, self.chain.as_ref()),
        };
        let name = self.topics.get(&signed.topic).and_then(|topic| topic.certificate_name.as_deref());
        certificate.check(signed.timestamp, name)?;
        if let Some(chain) = chain {
            chain.check(&certificate.der, signed.timestamp)?;
        }
        certificate::verify(certificate.key(), digest, &signed.text, signature)
    }

    fn remember(&mut self, source: Source, fields: &Fields<'_>, topic: &TopicArn) {
        match source {
            Source::Candidate(certificate) => {
                self.cache.prove(&fields.signing_cert_url, topic, certificate);
            }
            Source::Pinned(_) | Source::Proven(_) => {}
        }
        if fields.version == SignatureVersion::V2
            && let Some(topic) = self.topics.get_mut(topic)
        {
            topic.seen_version_2 = true;
        }
    }
}

fn read_topics(policy: &Policy) -> Result<BTreeMap<TopicArn, Topic>, SnsError> {
    let mut topics = BTreeMap::new();
    for wanted in &policy.topics {
        let origin = url::origin(&wanted.arn);
        let certificate_name = policy
            .expected_names
            .get(wanted.arn.region())
            .cloned()
            .or_else(|| url::certificate_name(&wanted.arn));
        if policy.development.is_none() && (origin.is_none() || certificate_name.is_none()) {
            let region = wanted.arn.region();
            return Err(SnsError::policy(format!(
                "the certificate name of region {region} is not known: set expected_names"
            )));
        }
        let minimum = wanted.minimum_signature_version;
        let topic = Topic { minimum, origin, certificate_name, seen_version_2: false };
        if topics.insert(wanted.arn.clone(), topic).is_some() {
            return Err(SnsError::policy(format!("topic {} is listed twice", wanted.arn)));
        }
    }
    Ok(topics)
}

/// A topic on the list is well formed because it was read from a policy; only the others are looked at.
fn refuse_topic(topic: &str) -> SnsError {
    if arn::is_topic_arn(topic) {
        SnsError::TopicNotAllowed { topic: topic.to_owned() }
    } else {
        SnsError::invalid("TopicArn", arn::EXPECTED)
    }
}

fn read_pins(policy: &Policy, rules: Rules, backend: &dyn Backend) -> Result<Vec<Pinned>, SnsError> {
    let read = |pin: &super::Pin| {
        let file = pin.pem.as_bytes();
        let key = if pem::is(file, certificate::PUBLIC_KEY) {
            PinnedKey::PublicKey(certificate::read_public_key(file, rules.legacy_rsa_1024, backend)?)
        } else {
            PinnedKey::Certificate(Arc::new(Certificate::read(file, rules, backend)?))
        };
        Ok(Pinned { url: pin.url.clone(), key })
    };
    policy.pins.iter().map(read).collect()
}

fn read_development(settings: &super::Development) -> Result<Development, SnsError> {
    let prefix = settings.certificate_url_prefix.clone();
    let origin = url::origin_of_prefix(&prefix).ok_or_else(|| {
        SnsError::policy("the development prefix is not an http(s) URL that ends in a slash")
    })?;
    Ok(Development {
        prefix,
        origin,
        any_certificate: settings.any_certificate,
        version_1_unsubscribe: settings.version_1_unsubscribe,
    })
}

/// Rebuilds the URL that confirms a subscription, and insists that the message says the same.
fn outcome(fields: &Fields<'_>, topic: &TopicArn, origin: &str) -> Result<Outcome, SnsError> {
    match &fields.contents {
        Contents::Notification { .. } => Ok(Outcome::Notification),
        // Its URL would subscribe again: it is not even looked at.
        Contents::UnsubscribeConfirmation(_) => Ok(Outcome::Unsubscribed),
        Contents::SubscriptionConfirmation(subscription) => {
            let url = url::confirmation(origin, topic, &subscription.token);
            if subscription.subscribe_url != url {
                return Err(SnsError::SubscribeUrl { expected: origin.to_owned() });
            }
            Ok(Outcome::Confirm { url })
        }
    }
}

/// Canonical base64 in the standard alphabet; any other form of the same bytes would be a second name for a message.
fn decode_signature<'b>(text: &str, buffer: &'b mut [u8]) -> Result<&'b [u8], SnsError> {
    let wrong = |expected| SnsError::SignatureEncoding { expected };
    let length = BASE64.decode_len(text.len()).map_err(|_| wrong("canonical base64"))?;
    let target = buffer.get_mut(..length).ok_or(wrong("at most 1024 bytes of base64"))?;
    let length = BASE64.decode_mut(text.as_bytes(), target).map_err(|_| wrong("canonical base64"))?;
    buffer.get(..length).ok_or(wrong("canonical base64"))
}
