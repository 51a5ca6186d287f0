//! Names that AWS gives: parsed once, bounded, then trusted to be well-formed everywhere.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{code::Code, id::as_text};

/// Why a text is not one of the names of this module. The text itself is not repeated: it is a stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct IdError {
    expected: &'static str,
}

impl IdError {
    pub(super) const fn expected(expected: &'static str) -> Self {
        Self { expected }
    }

    /// [`Code::InvalidInput`].
    #[must_use]
    pub fn code(self) -> Code {
        Code::InvalidInput
    }
}

/// Writes a newtype over a text that `accepts` has passed; it crosses every boundary as that text.
macro_rules! name {
    ($(#[doc = $doc:literal])+ $name:ident, $expected:literal, $pattern:literal, $accepts:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text, as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if $accepts(text) { Ok(Self(text.into())) } else { Err(IdError::expected($expected)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        as_text!($name, $pattern);
    };
}

name! {
    /// An EC2 instance id: `i-` and 8 (before 2016) or 17 lower-case hexadecimal digits.
    ///
    /// It names an instance and proves nothing: anybody who has seen a log or a console knows it.
    InstanceId,
    "an instance id: `i-` and 8 or 17 lower-case hexadecimal digits",
    "^i-([0-9a-f]{8}|[0-9a-f]{17})$",
    is_instance_id
}

name! {
    /// An AWS account id: exactly 12 decimal digits, kept as text because leading zeros count.
    AccountId,
    "an account id: 12 decimal digits",
    "^[0-9]{12}$",
    is_account_id
}

name! {
    /// An AWS region's code, for example `eu-central-1` or `us-gov-west-1`: lower-case words joined by hyphens
    /// with a number at the end, 4 to 32 characters. Which regions exist is AWS's business and changes.
    Region,
    "a region: lower-case words joined by hyphens and a number at the end",
    "^[a-z]+(-[a-z]+)*-[0-9]{1,2}$",
    is_region
}

fn is_instance_id(text: &str) -> bool {
    text.strip_prefix("i-").is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    matches!(text.len(), 4..=32)
        && words.split('-').all(is_word)
        && matches!(number.len(), 1 | 2)
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_ids_are_exact() {
        for good in ["i-4c87e963", "i-0154e7d1fba186b38"] {
            assert_eq!(good.parse::<InstanceId>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "i-",
            "i-4c87e96",
            "i-4C87e963",
            "i-4c87e963 ",
            " i-4c87e963",
            "I-4c87e963",
            "i-4c87e963\n",
            "i-0154e7d1fba186b3",
            "i-0154e7d1fba186b388",
            "mi-0154e7d1fba186b38",
            "i-4c87e96g",
            "i-４c87e96",
        ] {
            assert_eq!(bad.parse::<InstanceId>().unwrap_err().code(), Code::InvalidInput, "{bad:?}");
        }
    }

    #[test]
    fn account_ids_keep_their_zeros() {
        assert_eq!("000123456789".parse::<AccountId>().unwrap().as_str(), "000123456789");
        for bad in ["", "12345678901", "1234567890123", "12345678901x", "<account_number>"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn regions_of_every_partition_parse() {
        for good in [
            "us-east-1",
            "us-gov-west-1",
            "cn-northwest-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "us-isof-south-1",
            "eusc-de-east-1",
            "ap-southeast-7",
            "mx-central-1",
        ] {
            assert_eq!(good.parse::<Region>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "region",
            "us-east-1b",
            "us-east-",
            "-1",
            "US-EAST-1",
            "us--east-1",
            "us-east-123",
            "us.east-1",
        ] {
            assert!(bad.parse::<Region>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn they_cross_boundaries_as_text() {
        let id: InstanceId = serde_json::from_str("\"i-4c87e963\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"i-4c87e963\"");
        assert!(serde_json::from_str::<AccountId>("123456789012").is_err());
    }
}
