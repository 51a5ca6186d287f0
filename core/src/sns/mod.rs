//! Amazon SNS: from the bytes of an HTTP body to a [`Verified`](crate::verified::Verified) message.
//!
//! The page that this follows is "Verifying the signatures of Amazon SNS messages" of the SNS developer guide. What
//! a verified message proves is that SNS sent it, from a topic on the host's list, within the allowed time.

mod arn;
mod cache;
mod canonical;
mod certificate;
mod chain;
mod error;
mod fields;
mod headers;
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
