//! A strict reader of one flat JSON object (RFC 8259) that borrows what it can.
//!
//! A message is read at wire speed because most of its members are borrowed from the body, and the one large member
//! with many escapes, Message, is unescaped straight into the text that is verified. Values of unknown members go
//! through the crate's strict JSON reader. The tests and the fuzz target hold this reader against serde_json.

use std::borrow::Cow;

use serde::de::{Deserialize, DeserializeSeed, Deserializer};
use serde_json::Value;

use super::{SnsError, error::clip};
use crate::json::Strict;

/// A place in the text.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes of the whole text.
    pub(super) fn length(&self) -> usize {
        self.text.len()
    }

    /// Skips white space and looks at the next byte.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.at = self.at.saturating_add(blank);
        rest.get(blank).copied()
    }

    /// Skips white space and this byte.
    pub(super) fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), SnsError> {
        if self.peek() != Some(byte) {
            return Err(self.fault(reason));
        }
        self.at = self.at.saturating_add(1);
        Ok(())
    }

    /// Reads a string.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, SnsError> {
        self.expect(b'"', "expected a string")?;
        let start = self.at;
        let length = plain_length(self.text.as_bytes().get(start..).unwrap_or_default());
        let end = start.saturating_add(length);
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.at = end.saturating_add(1);
            return Ok(Cow::Borrowed(self.text.get(start..end).unwrap_or_default()));
        }
        self.rest_of_string(Vec::new()).map(Cow::Owned)
    }

    /// Reads a string to the end of another text.
    pub(super) fn string_after(&mut self, text: String) -> Result<String, SnsError> {
        self.expect(b'"', "expected a string")?;
        self.rest_of_string(text.into_bytes())
    }

    /// Reads any value, strictly.
    pub(super) fn value(&mut self) -> Result<Value, SnsError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Member>();
        match values.next() {
            Some(Ok(Member(value))) => {
                self.at = self.at.saturating_add(values.byte_offset());
                Ok(value)
            }
            Some(Err(error)) => {
                let message = error.to_string();
                Err(self.fault(message.split(" at line ").next().unwrap_or_default()))
            }
            None => Err(self.fault("ends too early")),
        }
    }

    /// Insists on the end of the text.
    pub(super) fn end(&mut self) -> Result<(), SnsError> {
        if self.peek().is_some() { Err(self.fault("goes on after the object")) } else { Ok(()) }
    }

    /// A refusal that names this place.
    pub(super) fn fault(&self, reason: &str) -> SnsError {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
        SnsError::MalformedJson { reason: clip(reason), line, column }
    }

    /// Unescapes up to the closing quote: the plain cases in blocks, whatever they leave byte by byte.
    fn rest_of_string(&mut self, mut text: Vec<u8>) -> Result<String, SnsError> {
        loop {
            self.at = unescape_blocks(self.text.as_bytes(), self.at, &mut text);
            match self.text.as_bytes().get(self.at) {
                Some(byte) if !matches!(byte, b'"' | b'\\' | 0..0x20) => {
                    text.push(*byte);
                    self.at = self.at.saturating_add(1);
                }
                Some(_) | None => {
                    if self.end_or_escape(&mut text)? {
                        return self.finish(text);
                    }
                }
            }
        }
    }

    /// Takes the byte that ended a run; whether it was the closing quote.
    fn end_or_escape(&mut self, text: &mut Vec<u8>) -> Result<bool, SnsError> {
        match self.text.as_bytes().get(self.at) {
            Some(b'"') => {
                self.at = self.at.saturating_add(1);
                Ok(true)
            }
            Some(b'\\') => {
                self.at = self.at.saturating_add(1);
                self.escape(text).map(|()| false)
            }
            Some(_) => Err(self.fault("control character in a string")),
            None => Err(self.fault("ends inside a string")),
        }
    }

    /// Only whole characters have been copied, so this never fails.
    fn finish(&self, text: Vec<u8>) -> Result<String, SnsError> {
        String::from_utf8(text).map_err(|_| self.fault("not text"))
    }

    /// What stands behind a backslash.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), SnsError> {
        let plain = match self.text.as_bytes().get(self.at) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'u') => {
                self.at = self.at.saturating_add(1);
                let character = self.unicode()?;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            Some(_) => return Err(self.fault("unknown escape")),
            None => return Err(self.fault("ends inside a string")),
        };
        self.at = self.at.saturating_add(1);
        text.push(plain);
        Ok(())
    }

    /// The digits of `\uXXXX`, or of a pair of them (RFC 8259 section 7).
    fn unicode(&mut self) -> Result<char, SnsError> {
        let first = self.four_digits()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let second = match self.text.get(self.at..).and_then(|rest| rest.strip_prefix("\\u")) {
            Some(_) if first < 0xdc00 => {
                self.at = self.at.saturating_add(2);
                self.four_digits()?
            }
            Some(_) | None => return Err(self.fault("lone surrogate")),
        };
        if !(0xdc00..0xe000).contains(&second) {
            return Err(self.fault("lone surrogate"));
        }
        // Both lie in their ranges: the sum is a character beyond the basic plane.
        let high = first.saturating_sub(0xd800) << 10;
        char::from_u32((high | second.saturating_sub(0xdc00)).saturating_add(0x1_0000))
            .ok_or_else(|| self.fault("lone surrogate"))
    }

    fn four_digits(&mut self) -> Result<u32, SnsError> {
        let end = self.at.saturating_add(4);
        let digits =
            self.text.get(self.at..end).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let value = value.ok_or_else(|| self.fault("bad \\u escape"))?;
        self.at = end;
        Ok(value)
    }
}

/// Copies a string's bytes in blocks of 64, dropping the backslash before a quote, a slash or a backslash, and says
/// where it stopped: at another escape, at the end of the string, or where less than a block is left.
///
/// Escapes stand close together and at no regular distance in JSON that is carried in JSON. So the special bytes of a
/// whole block are found first, without a branch that the processor could guess wrongly, and each run between two of
/// them is copied as one piece of fixed size that is cut afterwards.
fn unescape_blocks(bytes: &[u8], mut at: usize, text: &mut Vec<u8>) -> usize {
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<64>) {
        let start = at;
        let mut found = special_bits(block);
        while found != 0 {
            let place = start.saturating_add(usize::try_from(found.trailing_zeros()).unwrap_or(64));
            copy_run(bytes, at, place, text);
            at = place;
            let next = bytes.get(place.saturating_add(1));
            let (Some(b'\\'), Some(byte @ (b'"' | b'\\' | b'/'))) = (bytes.get(place), next) else {
                return at;
            };
            text.push(*byte);
            at = place.saturating_add(2);
            // Neither this backslash nor the byte behind it is special any more.
            let lowest = found & found.wrapping_neg();
            found &= !(lowest | lowest << 1);
        }
        let end = start.saturating_add(64);
        if at < end {
            copy_run(bytes, at, end, text);
            at = end;
        }
    }
    at
}

/// Appends `bytes[from..to]`.
fn copy_run(bytes: &[u8], from: usize, to: usize, text: &mut Vec<u8>) {
    let length = to.saturating_sub(from);
    match bytes.get(from..).and_then(<[u8]>::first_chunk::<32>) {
        Some(piece) if length <= 32 => {
            let end = text.len().saturating_add(length);
            text.extend_from_slice(piece);
            text.truncate(end);
        }
        Some(_) | None => text.extend_from_slice(bytes.get(from..to).unwrap_or_default()),
    }
}

/// One bit for each byte of the block that is a quote, a backslash or a control character.
fn special_bits(block: &[u8; 64]) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    words.iter().rev().fold(0, |bits, word| {
        // Collects the highest bit of each byte in the lowest eight bits.
        let eight = (specials(u64::from_le_bytes(*word)) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits << 8 | eight
    })
}

/// How many bytes stand before the next quote, backslash or control character; eight at a time, because the strings
/// are long.
fn plain_length(bytes: &[u8]) -> usize {
    let mut length = 0_usize;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return length.saturating_add(usize::try_from(found.trailing_zeros() / 8).unwrap_or(8));
        }
        length = length.saturating_add(8);
    }
    let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
    length.saturating_add(plain)
}

/// Sets the highest bit of exactly those bytes that are a quote, a backslash or a control character. No byte's sum
/// reaches the next one, because only its lower seven bits take part.
fn specials(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let not_zero = |word: u64| (word & LOW).wrapping_add(LOW) | word;
    let not_control = (word & LOW).wrapping_add(ONES.wrapping_mul(0x60)) | word;
    let not_quote = not_zero(word ^ ONES.wrapping_mul(u64::from(b'"')));
    let not_backslash = not_zero(word ^ ONES.wrapping_mul(u64::from(b'\\')));
    !(not_control & not_quote & not_backslash) & !LOW
}

/// The value of an unknown member, read by the crate's strict reader one level down.
struct Member(Value);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strict { depth: 1 }.deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ours(text: &str) -> Option<String> {
        let mut lexer = Lexer::new(text);
        let string = lexer.string().ok()?.into_owned();
        lexer.end().ok()?;
        let again = Lexer::new(text).string_after("x".to_owned()).unwrap();
        assert_eq!(again, format!("x{string}"));
        Some(string)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn strings_are_read_as_serde_json_reads_them(
            text in r#"[ \n]?"([a-zé😀]{0,12}|\\["\\/bfnrtux]|\\u[dD][89abcdefAF][0-9a-f]{2}|\\u[0-9a-fA-F]{0,5}|[\x00-\x20"\\]|[^"]){0,8}"?[ x]?"#,
        ) {
            prop_assert_eq!(ours(&text), serde_json::from_str::<String>(&text).ok());
        }

        #[test]
        fn what_is_written_is_read(text in any::<String>()) {
            prop_assert_eq!(ours(&serde_json::to_string(&text).unwrap()), Some(text));
        }

        #[test]
        fn long_strings_with_escapes_are_read(
            parts in prop::collection::vec(prop_oneof!["[a-zé]{0,70}", Just("\"".to_owned()), Just("\\".to_owned()), Just("/\n\t".to_owned()), any::<String>()], 0..40),
        ) {
            let text = parts.concat();
            prop_assert_eq!(ours(&serde_json::to_string(&text).unwrap()), Some(text));
        }

        #[test]
        fn exactly_the_special_bytes_are_marked(block in any::<[u8; 64]>(), mixed in any::<[bool; 64]>()) {
            let pick = |(byte, special): (u8, bool)| if special { b"\"\\\x1f\x20\x00\x21\x23"[usize::from(byte % 7)] } else { byte };
            let block: Vec<u8> = block.into_iter().zip(mixed).map(pick).collect();
            let bits = special_bits(block.first_chunk().unwrap());
            for (position, byte) in block.iter().enumerate() {
                prop_assert_eq!(bits >> position & 1 == 1, matches!(byte, b'"' | b'\\' | 0..0x20));
            }
        }

        #[test]
        fn runs_end_at_the_first_special_byte(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), any::<u8>(), 0x1f_u8..0x24, 0x7f_u8..0xa3], 0..40)) {
            let expected = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            prop_assert_eq!(plain_length(&bytes), expected.unwrap_or(bytes.len()));
        }
    }
}
