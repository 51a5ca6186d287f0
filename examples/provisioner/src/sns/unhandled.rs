//! Verified messages that are not for us, kept for a person to look at.

use std::{io, path::PathBuf};

use handfast::sns::Notification;
use serde_json::json;

use crate::private_file;

/// A folder with one file for each message. What is published to a topic may be confidential, so they are private.
#[derive(Debug)]
pub(super) struct Unhandled(PathBuf);

impl Unhandled {
    pub(super) fn new(folder: PathBuf, alone: bool) -> io::Result<Self> {
        private_file::prepare_folder(&folder, alone)?;
        Ok(Self(folder))
    }

    /// Writes what SNS signed, and why it is not for us. A repeated delivery writes the same file again. The name is made
    /// of a time and a UUID, whose grammar the receiver has checked.
    pub(super) fn keep(&self, message: &Notification, reason: &str) -> io::Result<()> {
        let at = message.timestamp().to_string().replace([':', '-'], "");
        let kept = json!({
            "reason": reason,
            "topic_arn": message.topic_arn(),
            "message_id": message.message_id(),
            "timestamp": message.timestamp(),
            "subject": message.subject(),
            "message": message.message(),
        });
        let path = self.0.join(format!("{at}-{}.json", message.message_id()));
        private_file::replace(&path, format!("{kept:#}\n").as_bytes())
    }
}
