//! What crosses a language boundary, read by the letter.
//!
//! What serde derives is kinder than the schema: it takes a list for an object, by the order of the members; inside of a union
//! it takes a number for a tag; and it overlooks the members of a variant that has none. Nobody means that, so it is a
//! mistake in a program, or somebody who tries what else is overlooked.

use serde::{
    Deserialize, Deserializer,
    de::{
        Error as _, IntoDeserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Error, Map, Value};

/// A value whose objects are objects.
pub(super) struct Strict(pub(super) Value);

impl IntoDeserializer<'_, Error> for Strict {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Strict {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Strict));
                let read = visitor.visit_seq(&mut items)?;
                items.end().map(|()| read)
            }
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, member)| (name, Strict(member)));
                let mut members = MapDeserializer::new(members);
                let read = visitor.visit_map(&mut members)?;
                members.end().map(|()| read)
            }
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                plain.deserialize_any(visitor)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.is_array() {
            return Err(Error::invalid_type(Unexpected::Seq, &"an object"));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if !self.0.is_string() {
            return Err(Error::custom("expected a text"));
        }
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_identifier(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map ignored_any
    }
}

/// Reads a union by its `type`, as `derived` does, but by the letter. The variants called `bare` have no members.
pub(super) fn tagged<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    bare: &[&str],
    derived: fn(Strict) -> Result<T, Error>,
) -> Result<T, D::Error> {
    let members = Map::deserialize(deserializer)?;
    let Some(Value::String(tag)) = members.get("type") else {
        let missing = !members.contains_key("type");
        return Err(if missing {
            D::Error::missing_field("type")
        } else {
            D::Error::custom("expected a text as its type")
        });
    };
    let other = members.keys().find(|name| *name != "type").filter(|_| bare.contains(&tag.as_str()));
    if let Some(other) = other {
        return Err(D::Error::custom(format!("unknown field `{other}`, there are no fields")));
    }
    derived(Strict(Value::Object(members))).map_err(D::Error::custom)
}

/// Has a union of which `#[serde(remote = "Self")]` derives the reading be read by the letter.
macro_rules! by_the_letter {
    ($($union:ty $([$($bare:literal),*])?),*) => {$(
        impl<'de> serde::Deserialize<'de> for $union {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::vocabulary::strict::tagged(deserializer, &[$($($bare),*)?], <$union>::deserialize)
            }
        }
    )*};
}

pub(super) use by_the_letter;
