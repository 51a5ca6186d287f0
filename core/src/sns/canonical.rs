//! The text that SNS signs.

use std::ops::Range;

use super::{
    TopicArn,
    fields::{Contents, Fields},
    message::Signed,
};

/// Joins the signed members, each as `name\nvalue\n`, in the order that SNS has them (SNS developer guide, "Verifying
/// the signatures of Amazon SNS messages"), and remembers where the values lie.
///
/// Only Message may hold a newline, and it comes first: read from its end, the text can be cut in one way only.
pub(super) fn signed(fields: &Fields<'_>, topic: TopicArn) -> Signed {
    let mut text = Text(String::with_capacity(capacity(fields)));
    let message = text.push("Message", &fields.message);
    let message_id = text.push("MessageId", &fields.message_id);
    let subject = match &fields.contents {
        Contents::Notification { subject } => {
            let subject = subject.as_ref().map(|subject| text.push("Subject", subject));
            text.push("Timestamp", &fields.timestamp_text);
            subject
        }
        Contents::SubscriptionConfirmation(subscription)
        | Contents::UnsubscribeConfirmation(subscription) => {
            text.push("SubscribeURL", &subscription.subscribe_url);
            text.push("Timestamp", &fields.timestamp_text);
            text.push("Token", &subscription.token);
            None
        }
    };
    text.push("TopicArn", &fields.topic);
    text.push("Type", fields.contents.kind().as_str());
    Signed {
        text: text.0,
        message,
        message_id,
        subject,
        timestamp: fields.timestamp,
        topic,
        version: fields.version,
    }
}

struct Text(String);

impl Text {
    fn push(&mut self, name: &str, value: &str) -> Range<usize> {
        self.0.push_str(name);
        self.0.push('\n');
        let start = self.0.len();
        self.0.push_str(value);
        let end = self.0.len();
        self.0.push('\n');
        start..end
    }
}

/// Enough for the names, the newlines and the fixed-length values, so that the text is allocated once.
fn capacity(fields: &Fields<'_>) -> usize {
    let own = match &fields.contents {
        Contents::Notification { subject } => subject.as_ref().map_or(0, |subject| subject.len()),
        Contents::SubscriptionConfirmation(subscription)
        | Contents::UnsubscribeConfirmation(subscription) => {
            subscription.token.len().saturating_add(subscription.subscribe_url.len())
        }
    };
    [fields.message.len(), fields.topic.len(), own, 192].into_iter().fold(0, usize::saturating_add)
}
