//! Amazon SNS: from the bytes of an HTTP body to a [`Verified`](crate::verified::Verified) message.
//!
//! The page that this follows is "Verifying the signatures of Amazon SNS messages" of the SNS developer guide. What
//! a verified message proves is that SNS sent it, from a topic on the host's list, within the allowed time.
//!
//! ```
//! # #[cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use handfast::{crypto::default_backend, sns::{Headers, Policy, Received, Receiver}, time::Now};
//! # fn body() -> &'static [u8] { include_bytes!("../../vectors/sns/messages/v2-ec2-running.json") }
//! # fn http_get(_: &str) -> &'static [u8] { include_bytes!("../../vectors/sns/certificates/leaf.pem") }
//!
//! let topic = "arn:aws:sns:us-east-1:123456789012:enroll".parse()?;
//! let mut receiver = Receiver::new(Policy::for_topics([topic]), default_backend())?;
//! let now = Now::trusted("2026-03-01T12:00:30Z".parse()?);
//! let headers = Headers::from_pairs([("x-amz-sns-message-type", "Notification")])?;
//!
//! let mut received = receiver.receive(body(), &headers, now)?;
//! if let Received::Need(fetch) = received {
//!     receiver.certificate(&fetch.url, Ok(http_get(&fetch.url)), now)?;
//!     received = receiver.receive(body(), &headers, now)?;
//! }
//! let Received::Notification(notification) = received else { panic!("a notification") };
//! assert!(notification.message().contains("running"));
//! # Ok(())
//! # }
//! # #[cfg(not(any(feature = "aws-lc", feature = "rust-crypto")))]
//! # fn main() {}
//! ```

mod arn;
mod cache;
mod canonical;
mod certificate;
mod chain;
mod error;
mod fields;
mod headers;
mod lexer;
mod message;
mod once;
mod pem;
mod policy;
mod receiver;
mod url;

pub use arn::TopicArn;
pub use error::SnsError;
pub use headers::Headers;
pub use message::{Confirmation, MessageType, Notification, SignatureVersion, Unsubscription};
pub use once::{Options, Verdict, parse_duration, verify_once};
pub use policy::{Development, Pin, Policy, TopicPolicy};
pub use receiver::{Fetch, Received, Receiver};

/// Why the host has no certificate to hand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// No answer: name resolution, connection or TLS failed.
    #[error("no connection")]
    Unreachable,
    /// No complete answer within the time allowed.
    #[error("timed out")]
    Timeout,
    /// The answer was a redirect, which is never followed.
    #[error("redirected")]
    Redirect,
    /// The answer had another status than 200.
    #[error("status {0}")]
    Status(u16),
    /// The answer was larger than allowed.
    #[error("too large")]
    TooLarge,
}
