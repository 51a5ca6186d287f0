//! Reads an object as if some of its members were not there.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, IgnoredAny, IntoDeserializer, MapAccess, Visitor},
    forward_to_deserialize_any,
};

/// Reads a type from an object that has other members beside its own. Serde's own way (`flatten`) gathers all of them
/// first; this one reads straight on.
pub(crate) fn read_without<T: DeserializeOwned>(text: &str, others: &[&str]) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Without { inner: &mut deserializer, others })?;
    deserializer.end()?;
    Ok(value)
}

struct Without<'a, T> {
    inner: T,
    others: &'a [&'a str],
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Without<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(Without { inner: visitor, others: self.others })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Without<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(formatter)
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<V::Value, M::Error> {
        self.inner.visit_map(Without { inner: members, others: self.others })
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Without<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        while let Some(Name(name)) = self.inner.next_key()? {
            if !self.others.contains(&&*name) {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            self.inner.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, M::Error> {
        self.inner.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Own {
        a: u32,
        #[serde(default)]
        b: Option<Vec<u32>>,
    }

    fn read(text: &str) -> serde_json::Result<Own> {
        read_without(text, &["type", "head"])
    }

    #[test]
    fn other_members_are_passed_over_wherever_they_stand() {
        let own = Own { a: 1, b: Some(vec![2]) };
        for text in [
            r#"{"a":1,"b":[2]}"#,
            r#"{"type":"x","a":1,"head":{"a":[7]},"b":[2]}"#,
            r#"{"b":[2],"a":1,"ty\u0070e":null}"#,
        ] {
            assert_eq!(read(text).unwrap(), own, "{text}");
        }
    }

    #[test]
    fn its_own_members_are_read_as_strictly_as_ever() {
        for text in [
            r#"{"a":1,"c":2}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"type":"x"}"#,
            r#"{"a":1}x"#,
            r#"{"a":"1"}"#,
            "[1]",
            "null",
            r#"{"a":1,"type":}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
