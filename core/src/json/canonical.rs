//! A serde serializer that writes RFC 8785 into one text, without a tree in between.
//!
//! Members are written as they come. An object whose members did not come in their order is put in order once, when
//! it closes: the ranges of its members are sorted and their text is copied.

use std::fmt::{self, Write as _};

use serde::ser::{self, Serialize, Serializer};

use super::key::KeyWriter;

/// Bytes set aside for a text, and members for the objects in it: most records and events fit.
const BYTES: usize = 1024;
const MEMBERS: usize = 32;

/// A value that has no canonical form: a map with a key that is no text.
#[derive(Debug)]
pub(super) struct NoForm;

impl fmt::Display for NoForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no canonical form")
    }
}

impl std::error::Error for NoForm {}

impl ser::Error for NoForm {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

pub(super) fn write<T: Serialize + ?Sized>(value: &T) -> Result<String, NoForm> {
    let mut writer = Writer {
        out: String::with_capacity(BYTES),
        members: Vec::with_capacity(MEMBERS),
        sorted: String::new(),
    };
    value.serialize(&mut writer)?;
    Ok(writer.out)
}

/// Writes a text with the escapes of RFC 8785 section 3.2.2.2, without its quotes.
pub(super) fn escape(text: &str, out: &mut String) {
    if is_plain(text.as_bytes()) {
        out.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..'\u{20}' => push(out, format_args!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
}

/// Whether nothing in the text is to be escaped; eight bytes at a time, the last of them perhaps twice.
fn is_plain(text: &[u8]) -> bool {
    let (chunks, rest) = text.as_chunks::<8>();
    let plain = |chunk: &[u8; 8]| !has_escapes(u64::from_ne_bytes(*chunk));
    chunks.iter().all(plain)
        && match text.last_chunk::<8>() {
            Some(last) => plain(last),
            None => rest.iter().all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\'),
        }
}

/// Whether one of the eight bytes is below a space, a quote or a backslash. A byte is zero or below n exactly where
/// subtracting sets its high bit and the byte itself has none; a borrow only follows such a byte.
fn has_escapes(bytes: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let below = |bytes: u64, n: u64| bytes.wrapping_sub(ONES.wrapping_mul(n)) & !bytes;
    let quotes = bytes ^ ONES.wrapping_mul(0x22);
    let backslashes = bytes ^ ONES.wrapping_mul(0x5c);
    (below(bytes, 0x20) | below(quotes, 1) | below(backslashes, 1)) & ONES.wrapping_mul(0x80) != 0
}

pub(super) fn push(out: &mut String, text: fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = out.write_fmt(text);
}

/// Escapes whatever is formatted into it.
pub(super) struct Escaped<'a>(pub(super) &'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text, self.0);
        Ok(())
    }
}

struct Writer {
    out: String,
    /// The members of all objects that are open, those of the innermost last.
    members: Vec<Member>,
    /// Where an object is put in order; kept for the next one.
    sorted: String,
}

/// Where a member lies in the text.
#[derive(Clone, Copy)]
struct Member {
    /// The first bytes of its name, zero-padded: decides most comparisons.
    prefix: u64,
    /// Whether the order of the name's bytes as written is that of its UTF-16 code units: ASCII without escapes.
    plain: bool,
    start: usize,
    name_end: usize,
    end: usize,
}

impl Member {
    fn new(out: &str, start: usize) -> Self {
        let name = out.as_bytes().get(start.saturating_add(1)..).unwrap_or_default();
        let prefix = name.first_chunk::<8>().copied().unwrap_or_else(|| {
            let mut padded = [0; 8];
            padded.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
            padded
        });
        let plain = name.is_ascii() && !name.contains(&b'\\');
        Self { prefix: u64::from_be_bytes(prefix), plain, start, name_end: out.len(), end: out.len() }
    }

    /// The order of RFC 8785 section 3.2.3.
    fn compare(&self, other: &Self, out: &str) -> std::cmp::Ordering {
        if !(self.plain && other.plain) {
            return self.name(out).encode_utf16().cmp(other.name(out).encode_utf16());
        }
        let written = |member: &Self| out.as_bytes().get(member.start.saturating_add(1)..member.name_end);
        self.prefix.cmp(&other.prefix).then_with(|| written(self).cmp(&written(other)))
    }

    /// The name without its escapes.
    fn name(&self, out: &str) -> String {
        let quoted = out.get(self.start..self.name_end).map(|name| format!("{name}\""));
        serde_json::from_str(&quoted.unwrap_or_default()).unwrap_or_default()
    }
}

impl Writer {
    /// Puts the members from `base` on in their order; the last of several with one name stays, as in a map.
    fn sort(&mut self, base: usize) {
        let Self { out, members, sorted } = self;
        let members = members.get_mut(base..).unwrap_or_default();
        let Some(start) = members.first().map(|member| member.start) else { return };
        members.sort_by(|a, b| a.compare(b, out));
        sorted.clear();
        sorted.reserve(out.len().saturating_sub(start));
        for (position, member) in members.iter().enumerate() {
            let next = members.get(position.saturating_add(1));
            if next.is_some_and(|next| next.compare(member, out).is_eq()) {
                continue;
            }
            if !sorted.is_empty() {
                sorted.push(',');
            }
            sorted.push_str(out.get(member.start..member.end).unwrap_or_default());
        }
        out.truncate(start);
        out.push_str(sorted);
    }

    fn open(&mut self) -> Members<'_> {
        self.out.push('{');
        Members { base: self.members.len(), in_order: true, end: "}", writer: self }
    }

    fn items(&mut self) -> Items<'_> {
        self.out.push('[');
        Items { first: true, end: "]", writer: self }
    }

    /// Begins an object of one member; what follows is its value.
    fn variant(&mut self, name: &str) {
        self.out.push_str("{\"");
        escape(name, &mut self.out);
        self.out.push_str("\":");
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        escape(text, &mut self.out);
        self.out.push('"');
    }

    fn display(&mut self, value: impl fmt::Display) {
        push(&mut self.out, format_args!("{value}"));
    }
}

macro_rules! integers {
    ($($method:ident: $type:ty,)+) => {$(
        fn $method(self, value: $type) -> Result<(), NoForm> {
            self.display(value);
            Ok(())
        }
    )+};
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = NoForm;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
    }

    fn serialize_bool(self, value: bool) -> Result<(), NoForm> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), NoForm> {
        self.serialize_f64(value.into())
    }

    /// Nothing of ours has a fraction: written as serde_json has it.
    fn serialize_f64(self, value: f64) -> Result<(), NoForm> {
        self.display(serde_json::Value::from(value));
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), NoForm> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), NoForm> {
        self.text(value);
        Ok(())
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), NoForm> {
        self.out.push('"');
        write!(Escaped(&mut self.out), "{value}").map_err(|_| NoForm)?;
        self.out.push('"');
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), NoForm> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), NoForm> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoForm> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NoForm> {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoForm> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), NoForm> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoForm> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NoForm> {
        self.variant(variant);
        value.serialize(&mut *self)?;
        self.out.push('}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, NoForm> {
        Ok(self.items())
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, NoForm> {
        Ok(self.items())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, NoForm> {
        Ok(self.items())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'a>, NoForm> {
        self.variant(variant);
        Ok(Items { end: "]}", ..self.items() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, NoForm> {
        Ok(self.open())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, NoForm> {
        Ok(self.open())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'a>, NoForm> {
        self.variant(variant);
        Ok(Members { end: "}}", ..self.open() })
    }
}

/// An array that is being written.
struct Items<'a> {
    writer: &'a mut Writer,
    first: bool,
    end: &'static str,
}

impl Items<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoForm> {
        if !self.first {
            self.writer.out.push(',');
        }
        self.first = false;
        value.serialize(&mut *self.writer)
    }
}

macro_rules! items {
    ($($of:ident: $method:ident,)+) => {$(
        impl ser::$of for Items<'_> {
            type Ok = ();
            type Error = NoForm;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoForm> {
                self.item(value)
            }

            fn end(self) -> Result<(), NoForm> {
                self.writer.out.push_str(self.end);
                Ok(())
            }
        }
    )+};
}

items! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

/// An object that is being written.
struct Members<'a> {
    writer: &'a mut Writer,
    /// Where its members begin in [`Writer::members`].
    base: usize,
    in_order: bool,
    end: &'static str,
}

impl Members<'_> {
    /// Writes a member's name by `name`, and the colon.
    fn name(&mut self, name: impl FnOnce(&mut String) -> Result<(), NoForm>) -> Result<(), NoForm> {
        let Writer { out, members, .. } = &mut *self.writer;
        let previous = members.get(self.base..).and_then(<[Member]>::last);
        if previous.is_some() {
            out.push(',');
        }
        let start = out.len();
        out.push('"');
        name(out)?;
        let member = Member::new(out, start);
        if let Some(previous) = previous {
            self.in_order = self.in_order && previous.compare(&member, out).is_lt();
        }
        out.push_str("\":");
        members.push(member);
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoForm> {
        value.serialize(&mut *self.writer)?;
        if let Some(member) = self.writer.members.last_mut() {
            member.end = self.writer.out.len();
        }
        Ok(())
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), NoForm> {
        self.name(|out| {
            escape(name, out);
            Ok(())
        })?;
        self.value(value)
    }

    fn close(self) {
        if !self.in_order {
            self.writer.sort(self.base);
        }
        self.writer.members.truncate(self.base);
        self.writer.out.push_str(self.end);
    }
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = NoForm;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoForm> {
        self.name(|out| key.serialize(KeyWriter(out)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoForm> {
        self.value(value)
    }

    fn end(self) -> Result<(), NoForm> {
        self.close();
        Ok(())
    }
}

macro_rules! members {
    ($($of:ident,)+) => {$(
        impl ser::$of for Members<'_> {
            type Ok = ();
            type Error = NoForm;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), NoForm> {
                self.member(name, value)
            }

            fn end(self) -> Result<(), NoForm> {
                self.close();
                Ok(())
            }
        }
    )+};
}

members! { SerializeStruct, SerializeStructVariant, }
