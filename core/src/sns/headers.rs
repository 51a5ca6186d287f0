//! The HTTP headers that SNS sends beside a message.

use super::{SnsError, fields::Fields};

/// The headers, as far as they matter. They are not signed: they can only contradict the body, never replace it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    /// `x-amz-sns-message-type`.
    pub message_type: Option<&'a str>,
    /// `x-amz-sns-message-id`.
    pub message_id: Option<&'a str>,
    /// `x-amz-sns-topic-arn`.
    pub topic_arn: Option<&'a str>,
    /// `x-amz-sns-rawdelivery`.
    pub raw_delivery: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// Picks what matters out of all headers of a request, whatever their case.
    ///
    /// # Errors
    /// [`crate::code::Code::SnsHeaderMismatch`] when one of them is given twice.
    pub fn from_pairs<I>(pairs: I) -> Result<Self, SnsError>
    where
        I: IntoIterator<Item = (&'a str, &'a str)>,
    {
        let mut headers = Self::default();
        for (name, value) in pairs {
            let known = [
                (MESSAGE_TYPE, &mut headers.message_type),
                (MESSAGE_ID, &mut headers.message_id),
                (TOPIC_ARN, &mut headers.topic_arn),
                (RAW_DELIVERY, &mut headers.raw_delivery),
            ];
            for (header, slot) in known {
                if name.eq_ignore_ascii_case(header) && slot.replace(value).is_some() {
                    return Err(SnsError::HeaderMismatch { header });
                }
            }
        }
        Ok(headers)
    }

    /// A raw delivery is only the published text: anybody could have sent it.
    pub(super) fn refuse_raw_delivery(&self) -> Result<(), SnsError> {
        match self.raw_delivery {
            None => Ok(()),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(()),
            Some(_) => Err(SnsError::Unsigned),
        }
    }

    pub(super) fn check(&self, fields: &Fields<'_>) -> Result<(), SnsError> {
        for (header, given, in_body) in [
            (MESSAGE_TYPE, self.message_type, fields.contents.kind().as_str()),
            (MESSAGE_ID, self.message_id, &fields.message_id),
            (TOPIC_ARN, self.topic_arn, &fields.topic),
        ] {
            if given.is_some_and(|given| given != in_body) {
                return Err(SnsError::HeaderMismatch { header });
            }
        }
        Ok(())
    }
}

const MESSAGE_TYPE: &str = "x-amz-sns-message-type";
const MESSAGE_ID: &str = "x-amz-sns-message-id";
const TOPIC_ARN: &str = "x-amz-sns-topic-arn";
const RAW_DELIVERY: &str = "x-amz-sns-rawdelivery";
