//! The SNS receiver and what it has verified.

use handfast::{
    crypto,
    sns::{self, FetchFailure, Headers, Received},
    verified::Verified,
};
use napi::bindgen_prelude::Either;
use napi_derive::napi;

use crate::{
    carry::{self, Secrets},
    error::{Result, Throw, invalid},
    system,
};

/// A verified message of a wanted topic.
#[napi]
pub struct Notification(Verified<sns::Notification>);

/// A verified question whether this endpoint wants the topic.
#[napi]
pub struct Confirmation(Verified<sns::Confirmation>);

/// A verified word that this endpoint was unsubscribed.
#[napi]
pub struct Unsubscription(Verified<sns::Unsubscription>);

impl Notification {
    pub(crate) fn get(&self) -> &Verified<sns::Notification> {
        &self.0
    }
}

/// The members that all three have. One block for each class, because a class has its members in one place.
macro_rules! envelope {
    ($class:ident { $($members:tt)* }) => {
        #[napi]
        impl $class {
            /// The id that SNS gave, a UUID.
            #[napi(getter)]
            pub fn message_id(&self) -> &str {
                self.0.message_id()
            }

            /// When SNS took the message.
            #[napi(getter)]
            pub fn timestamp(&self) -> String {
                self.0.timestamp().to_string()
            }

            /// The topic.
            #[napi(getter)]
            pub fn topic_arn(&self) -> &str {
                self.0.topic_arn().as_str()
            }

            /// `1` or `2`.
            #[napi(getter)]
            pub fn signature_version(&self) -> &'static str {
                self.0.signature_version().as_str()
            }

            $($members)*
        }
    };
}

envelope!(Notification {
    /// The published text.
    #[napi(getter)]
    pub fn message(&self) -> &str {
        self.0.message()
    }

    /// The published subject.
    #[napi(getter)]
    pub fn subject(&self) -> Option<&str> {
        self.0.subject()
    }
});

envelope!(Confirmation {
    /// What to GET, once, to confirm.
    #[napi(getter)]
    pub fn url(&self) -> &str {
        self.0.url()
    }
});

envelope!(Unsubscription {});

/// A certificate to be fetched.
#[napi(object, object_from_js = false)]
pub struct Fetch {
    /// Its URL.
    pub url: String,
    /// Bytes after which to give up.
    pub max_bytes: u32,
    /// Seconds after which to give up.
    pub timeout_seconds: u32,
    /// Always true.
    pub no_redirects: bool,
}

/// What came of a delivery: one member, or none for `wait`.
#[napi(object, object_from_js = false)]
pub struct Delivery {
    /// A certificate is needed.
    pub fetch: Option<Fetch>,
    /// A subscription is to be confirmed.
    pub confirmation: Option<Confirmation>,
    /// A message.
    pub notification: Option<Notification>,
    /// The endpoint was unsubscribed.
    pub unsubscription: Option<Unsubscription>,
}

/// Verifies deliveries of SNS.
#[napi]
pub struct SnsReceiver(sns::Receiver);

#[napi]
impl SnsReceiver {
    /// Takes a policy as JSON.
    #[napi(constructor)]
    pub fn new(policy: String, secrets: Secrets<'_>) -> Result<Self> {
        let policy: sns::Policy = carry::read_as(&policy, &secrets, "")?;
        sns::Receiver::new(policy, crypto::default_backend()).map(Self).map_err(Throw::throw)
    }

    /// Judges a delivery; `headers` are names and values in turn.
    #[napi]
    pub fn receive(
        &mut self,
        body: &[u8],
        headers: Vec<String>,
        now: String,
        trusted: bool,
    ) -> Result<Delivery> {
        let pairs = headers.as_chunks::<2>().0.iter().map(|[name, value]| (name.as_str(), value.as_str()));
        let headers = Headers::from_pairs(pairs).map_err(Throw::throw)?;
        let received = self.0.receive(body, &headers, system::now(&now, trusted)?).map_err(Throw::throw)?;
        let mut delivery =
            Delivery { fetch: None, confirmation: None, notification: None, unsubscription: None };
        match received {
            Received::Need(fetch) => delivery.fetch = Some(fetch.into()),
            Received::Wait => {}
            Received::Confirm(verified) => delivery.confirmation = Some(Confirmation(verified)),
            Received::Notification(verified) => delivery.notification = Some(Notification(verified)),
            Received::Unsubscribed(verified) => delivery.unsubscription = Some(Unsubscription(verified)),
        }
        Ok(delivery)
    }

    /// Takes a fetched certificate.
    #[napi]
    pub fn certificate(&mut self, url: String, file: &[u8], now: String, trusted: bool) -> Result<()> {
        self.0.certificate(&url, Ok(file), system::now(&now, trusted)?).map_err(Throw::throw)
    }

    /// Takes the reason why there is no certificate; always throws what the message is now to be answered with.
    #[napi]
    pub fn certificate_failed(
        &mut self,
        url: String,
        failure: Either<u16, String>,
        now: String,
        trusted: bool,
    ) -> Result<()> {
        let now = system::now(&now, trusted)?;
        self.0.certificate(&url, Err(read_failure(&failure)?), now).map_err(Throw::throw)
    }

    /// Forgets all fetched certificates.
    #[napi]
    pub fn forget_certificates(&mut self) {
        self.0.forget_certificates();
    }
}

impl From<sns::Fetch> for Fetch {
    fn from(fetch: sns::Fetch) -> Self {
        let sns::Fetch { url, max_bytes, timeout_seconds, no_redirects } = fetch;
        Self { url, max_bytes: u32::try_from(max_bytes).unwrap_or(u32::MAX), timeout_seconds, no_redirects }
    }
}

fn read_failure(failure: &Either<u16, String>) -> Result<FetchFailure> {
    let reason = match failure {
        Either::A(status) => return Ok(FetchFailure::Status(*status)),
        Either::B(reason) => reason.as_str(),
    };
    match reason {
        "unreachable" => Ok(FetchFailure::Unreachable),
        "timeout" => Ok(FetchFailure::Timeout),
        "redirect" => Ok(FetchFailure::Redirect),
        "too_large" => Ok(FetchFailure::TooLarge),
        _ => Err(invalid("failure", "expected unreachable, timeout, redirect, too_large or an HTTP status")),
    }
}
