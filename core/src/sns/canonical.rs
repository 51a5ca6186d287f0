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
pub(super) fn signed(fields: &mut Fields<'_>, topic: TopicArn) -> Signed {
    let mut text = Text(std::mem::take(&mut fields.text));
    let message = START.len()..text.0.len();
    text.0.push('\n');
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

/// What [`Fields::text`] begins with.
const START: &str = "Message\n";

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::sns::{SignatureVersion, fields::Subscription};

    const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:enroll";
    const ID: &str = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324";
    const AT: &str = "2026-03-01T12:00:00.000Z";

    fn fields<'a>(message: &str, contents: Contents<'a>) -> Fields<'a> {
        Fields {
            contents,
            version: SignatureVersion::V2,
            text: format!("Message\n{message}"),
            message_id: Cow::Borrowed(ID),
            timestamp_text: Cow::Borrowed(AT),
            timestamp: AT.parse().unwrap(),
            topic: Cow::Borrowed(TOPIC),
            signature: Cow::Borrowed(""),
            signing_cert_url: Cow::Borrowed(""),
        }
    }

    /// Cuts a signed text from its end, as only one sender can have joined it.
    fn cut(text: &str) -> Vec<(String, String)> {
        let mut lines: Vec<&str> = text.strip_suffix('\n').unwrap().split('\n').collect();
        let mut members = Vec::new();
        while lines.get(lines.len() - 2).copied() != Some("MessageId") {
            let (value, name) = (lines.pop().unwrap(), lines.pop().unwrap());
            members.push((name.to_owned(), value.to_owned()));
        }
        let (value, name) = (lines.pop().unwrap(), lines.pop().unwrap());
        members.push((name.to_owned(), value.to_owned()));
        members.push((lines.remove(0).to_owned(), lines.join("\n")));
        members.reverse();
        members
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    proptest! {
        #[test]
        fn a_notification_can_be_cut_in_one_way(
            message in "(?s).{0,40}|(\nMessageId\n|\nSubject\n|Timestamp\n|\n|x){0,8}",
            subject in proptest::option::of("[^\\pC]{0,20}|MessageId|Subject|Timestamp"),
        ) {
            let contents = Contents::Notification { subject: subject.as_deref().map(Cow::Borrowed) };
            let signed = signed(&mut fields(&message, contents), TOPIC.parse().unwrap());
            let mut expected = vec![pair("Message", &message), pair("MessageId", ID)];
            expected.extend(subject.as_deref().map(|subject| pair("Subject", subject)));
            expected.extend([pair("Timestamp", AT), pair("TopicArn", TOPIC), pair("Type", "Notification")]);
            prop_assert_eq!(cut(&signed.text), expected);
            prop_assert_eq!(signed.text.get(signed.message.clone()), Some(&*message));
            prop_assert_eq!(signed.text.get(signed.message_id.clone()), Some(ID));
            let found = signed.subject.clone().and_then(|range| signed.text.get(range));
            prop_assert_eq!(found, subject.as_deref());
        }
    }

    #[test]
    fn a_confirmation_signs_url_and_token() {
        let subscription = Subscription { token: "2336".into(), subscribe_url: "https://x/".into() };
        let text =
            signed(&mut fields("m", Contents::UnsubscribeConfirmation(subscription)), TOPIC.parse().unwrap())
                .text;
        assert_eq!(
            text,
            format!(
                "Message\nm\nMessageId\n{ID}\nSubscribeURL\nhttps://x/\nTimestamp\n{AT}\nToken\n2336\n\
                 TopicArn\n{TOPIC}\nType\nUnsubscribeConfirmation\n"
            )
        );
    }
}
