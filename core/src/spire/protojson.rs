//! Numbers and bytes as ProtoJSON writes them: 64-bit integers as decimal text, bytes in base64
//! (<https://protobuf.dev/programming-guides/json/>).

use std::{borrow::Cow, fmt::Display, str::FromStr};

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use serde::{Deserialize, Deserializer, de::Error as _};

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected an integer")]
enum Written<'a, T> {
    Number(T),
    Text(#[serde(borrow)] Cow<'a, str>),
}

/// Reads an integer, whether it is written as a number or as text.
pub(super) fn integer<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr<Err: Display>,
{
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.parse().map_err(|_| D::Error::custom("expected an integer")),
    }
}

/// Reads bytes in either alphabet of base64, padded or not: readers must take all four.
pub(super) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    let alphabets = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD];
    let read = alphabets.iter().find_map(|alphabet| alphabet.decode(text.as_bytes()).ok());
    read.ok_or_else(|| D::Error::custom("expected base64"))
}
