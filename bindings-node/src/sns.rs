//! The SNS receiver and what it has verified.

use std::{cell::RefCell, rc::Rc};

use handfast::{
    crypto,
    sns::{self, FetchFailure, Headers, Received},
    verified::Verified,
};
use napi::bindgen_prelude::{Either, External};
use napi_derive::napi;

use crate::{
    carry::{self, Secrets},
    error::{Result, Throw, invalid},
    system,
};

/// What a verified message tells; the class in `lib/sns.mjs` reads it when it is asked.
#[napi(object, object_from_js = false)]
pub struct Told {
    /// The id that SNS gave, a UUID.
    pub message_id: String,
    /// When SNS took the message.
    pub timestamp: String,
    /// The topic.
    pub topic_arn: String,
    /// `1` or `2`.
    pub signature_version: &'static str,
    /// The published text, of notifications.
    pub message: Option<String>,
    /// The published subject, of notifications that have one.
    pub subject: Option<String>,
    /// What to GET, once, to confirm; of confirmations.
    pub url: Option<String>,
}

/// Verified notifications as JavaScript holds them: several in one object, because one of its own for each would cost
/// more than all else here. A shelf lives as long as one of its notifications.
#[derive(Default)]
pub struct Shelf(Rc<RefCell<Vec<Verified<sns::Notification>>>>);

/// How many notifications share a shelf: enough to make its cost small, few enough to keep little memory alive.
const PLACES: usize = 16;

/// Roughly the bytes of a notification, for the garbage collector.
const NOTIFICATION_BYTES: usize = 2048;

impl Shelf {
    /// Puts a notification onto the shelf, or onto a new one when it is full, and gives its place there.
    fn put(&mut self, notification: Verified<sns::Notification>) -> u32 {
        if self.0.borrow().len() >= PLACES {
            *self = Self::default();
        }
        let mut notifications = self.0.borrow_mut();
        notifications.push(notification);
        u32::try_from(notifications.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Reads what lies in a place.
    pub(crate) fn with<T>(
        &self,
        place: u32,
        read: impl FnOnce(&Verified<sns::Notification>) -> T,
    ) -> Result<T> {
        let notifications = self.0.borrow();
        let found = usize::try_from(place).ok().and_then(|place| notifications.get(place));
        found.map(read).ok_or_else(|| invalid("", "expected a verified message"))
    }
}

macro_rules! tell {
    ($message:expr) => {
        Told {
            message_id: $message.message_id().to_owned(),
            timestamp: $message.timestamp().to_string(),
            topic_arn: $message.topic_arn().to_string(),
            signature_version: $message.signature_version().as_str(),
            message: None,
            subject: None,
            url: None,
        }
    };
}

/// Reads a notification.
#[napi]
pub fn tell_notification(shelf: &External<Shelf>, place: u32) -> Result<Told> {
    shelf.with(place, |held| {
        let message = Some(held.message().to_owned());
        Told { message, subject: held.subject().map(str::to_owned), ..tell!(held) }
    })
}

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

/// What came of a delivery that is no notification: one member, or none for `wait`.
#[napi(object, object_from_js = false)]
pub struct Delivery {
    /// A certificate is needed.
    pub fetch: Option<Fetch>,
    /// A subscription is to be confirmed.
    pub confirmation: Option<Told>,
    /// The endpoint was unsubscribed.
    pub unsubscription: Option<Told>,
}

/// Verifies deliveries of SNS.
#[napi]
pub struct SnsReceiver {
    receiver: sns::Receiver,
    shelf: Shelf,
}

#[napi]
impl SnsReceiver {
    /// Takes a policy as JSON.
    #[napi(constructor)]
    pub fn new(policy: String, secrets: Secrets<'_>) -> Result<Self> {
        let policy: sns::Policy = carry::read_as(&policy, &secrets, "")?;
        let receiver = sns::Receiver::new(policy, crypto::default_backend()).map_err(Throw::throw)?;
        Ok(Self { receiver, shelf: Shelf::default() })
    }

    /// Judges a delivery; `headers` are names and values in turn. A notification goes onto the shelf: its place is given,
    /// and at place 0 the shelf is a new one.
    #[napi]
    pub fn receive(
        &mut self,
        body: &[u8],
        headers: Option<Vec<String>>,
        now: i64,
        trusted: bool,
    ) -> Result<Either<u32, Delivery>> {
        let headers = headers.unwrap_or_default();
        let pairs = headers.as_chunks::<2>().0.iter().map(|[name, value]| (name.as_str(), value.as_str()));
        let headers = Headers::from_pairs(pairs).map_err(Throw::throw)?;
        let received =
            self.receiver.receive(body, &headers, system::now(now, trusted)?).map_err(Throw::throw)?;
        let mut delivery = Delivery { fetch: None, confirmation: None, unsubscription: None };
        match received {
            Received::Notification(verified) => return Ok(Either::A(self.shelf.put(verified))),
            Received::Need(fetch) => delivery.fetch = Some(fetch.into()),
            Received::Wait => {}
            Received::Confirm(verified) => {
                delivery.confirmation =
                    Some(Told { url: Some(verified.url().to_owned()), ..tell!(verified) });
            }
            Received::Unsubscribed(verified) => delivery.unsubscription = Some(tell!(verified)),
        }
        Ok(Either::B(delivery))
    }

    /// The shelf of the last notification.
    #[napi]
    pub fn shelf(&self) -> External<Shelf> {
        let size = PLACES.saturating_mul(NOTIFICATION_BYTES);
        External::new_with_size_hint(Shelf(Rc::clone(&self.shelf.0)), size)
    }

    /// Takes a fetched certificate.
    #[napi]
    pub fn certificate(&mut self, url: String, file: &[u8], now: i64, trusted: bool) -> Result<()> {
        self.receiver.certificate(&url, Ok(file), system::now(now, trusted)?).map_err(Throw::throw)
    }

    /// Takes the reason why there is no certificate; always throws what the message is now to be answered with.
    #[napi]
    pub fn certificate_failed(
        &mut self,
        url: String,
        failure: Either<u16, String>,
        now: i64,
        trusted: bool,
    ) -> Result<()> {
        let now = system::now(now, trusted)?;
        self.receiver.certificate(&url, Err(read_failure(&failure)?), now).map_err(Throw::throw)
    }

    /// Forgets all fetched certificates.
    #[napi]
    pub fn forget_certificates(&mut self) {
        self.receiver.forget_certificates();
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
