//! The little of BER (ITU-T X.690) that an AWS signature needs: a cursor that goes forward and never recurses.
//!
//! AWS writes the outer shell with indefinite lengths and everything that is signed in DER. So [`Reader::enter`] takes
//! either length, and [`Reader::value`] only the shortest definite one. Tags have one byte here.

use std::borrow::Cow;

use super::IdentityError;

/// Universal tags, and the context-specific ones of CMS (RFC 5652 section 12.1).
pub(super) mod tag {
    pub(in super::super) const INTEGER: u8 = 0x02;
    pub(in super::super) const OCTET_STRING: u8 = 0x04;
    pub(in super::super) const NULL: u8 = 0x05;
    pub(in super::super) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(in super::super) const OCTET_STRING_IN_PARTS: u8 = 0x24;
    pub(in super::super) const SEQUENCE: u8 = 0x30;
    pub(in super::super) const SET: u8 = 0x31;
    pub(in super::super) const CONTEXT_0: u8 = 0xa0;
    pub(in super::super) const CONTEXT_1: u8 = 0xa1;
}

const INDEFINITE: u8 = 0x80;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// What is still to be read.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    part: &'static str,
}

/// A constructed value that was entered and is still to be left.
#[derive(Clone, Copy)]
pub(super) enum Frame {
    /// It ends where this many bytes are left.
    Definite(usize),
    /// It ends with two zero bytes.
    Indefinite,
}

impl<'a> Reader<'a> {
    /// `part` names what is read, for errors.
    pub(super) fn new(bytes: &'a [u8], part: &'static str) -> Self {
        Self { rest: bytes, part }
    }

    /// The next tag, or `None` at the end.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(super) fn finish(&self) -> Result<(), IdentityError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }

    /// Goes into a constructed value, whichever length it has.
    pub(super) fn enter(&mut self, tag: u8) -> Result<Frame, IdentityError> {
        self.tag(tag)?;
        if self.peek() == Some(INDEFINITE) {
            self.take(1)?;
            return Ok(Frame::Indefinite);
        }
        let length = self.length()?;
        self.rest.len().checked_sub(length).map(Frame::Definite).ok_or_else(|| self.malformed())
    }

    /// Whether the entered value has no more members. Past its end it has none either, and then [`Self::leave`] fails.
    pub(super) fn at_end(&self, frame: Frame) -> bool {
        match frame {
            Frame::Definite(left) => self.rest.len() <= left,
            Frame::Indefinite => self.rest.starts_with(&END_OF_CONTENTS),
        }
    }

    /// Leaves a value whose members have all been read: exactly at its end.
    pub(super) fn leave(&mut self, frame: Frame) -> Result<(), IdentityError> {
        match frame {
            Frame::Definite(left) if self.rest.len() == left => Ok(()),
            Frame::Indefinite if self.at_end(frame) => self.take(END_OF_CONTENTS.len()).map(drop),
            Frame::Definite(_) | Frame::Indefinite => Err(self.malformed()),
        }
    }

    /// The contents of the next value, which must have this tag and a DER length.
    pub(super) fn value(&mut self, tag: u8) -> Result<&'a [u8], IdentityError> {
        self.tag(tag)?;
        let length = self.length()?;
        self.take(length)
    }

    /// The next value, with a tag like that of [`Self::value`]: its contents, and all of it behind the tag.
    pub(super) fn value_and_length(&mut self, tag: u8) -> Result<(&'a [u8], &'a [u8]), IdentityError> {
        self.tag(tag)?;
        let behind_tag = self.rest;
        let length = self.length()?;
        let value = self.take(length)?;
        let end = behind_tag.len().saturating_sub(self.rest.len());
        Ok((value, behind_tag.get(..end).unwrap_or_default()))
    }

    /// A reader over the contents of the next value, which must have this tag and a DER length.
    pub(super) fn inner(&mut self, tag: u8, part: &'static str) -> Result<Self, IdentityError> {
        let bytes = self.value(tag).map_err(|_| IdentityError::Malformed { part })?;
        Ok(Self::new(bytes, part))
    }

    /// An OCTET STRING, whole or in parts.
    pub(super) fn octets(&mut self) -> Result<Cow<'a, [u8]>, IdentityError> {
        if self.peek() != Some(tag::OCTET_STRING_IN_PARTS) {
            return self.value(tag::OCTET_STRING).map(Cow::Borrowed);
        }
        let frame = self.enter(tag::OCTET_STRING_IN_PARTS)?;
        let mut octets = Vec::new();
        while !self.at_end(frame) {
            octets.extend_from_slice(self.value(tag::OCTET_STRING)?);
        }
        self.leave(frame)?;
        Ok(Cow::Owned(octets))
    }

    fn tag(&mut self, tag: u8) -> Result<(), IdentityError> {
        if self.peek() == Some(tag) { self.take(1).map(drop) } else { Err(self.malformed()) }
    }

    /// A DER length: one byte below 128, else as few as will do. Two are enough for everything within our limits.
    fn length(&mut self) -> Result<usize, IdentityError> {
        let mut number =
            |count| Ok(self.take(count)?.iter().fold(0_usize, |value, byte| value << 8 | usize::from(*byte)));
        let (length, shortest) = match number(1)? {
            0x81 => (number(1)?, 0x80),
            0x82 => (number(2)?, 0x100),
            long if long >= 0x80 => return Err(self.malformed()),
            short => (short, 0),
        };
        if length >= shortest { Ok(length) } else { Err(self.malformed()) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], IdentityError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.malformed())?;
        self.rest = rest;
        Ok(taken)
    }

    fn malformed(&self) -> IdentityError {
        IdentityError::Malformed { part: self.part }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Reader::new(bytes, "test")
    }

    #[test]
    fn lengths_are_the_shortest() {
        let long = [&[tag::OCTET_STRING, 0x82, 1, 0][..], &[7; 256]].concat();
        assert_eq!(reader(&long).value(tag::OCTET_STRING).unwrap(), [7; 256]);
        let middle = [&[tag::OCTET_STRING, 0x81, 0x80][..], &[7; 128]].concat();
        assert_eq!(reader(&middle).value(tag::OCTET_STRING).unwrap(), [7; 128]);
        assert_eq!(reader(&[tag::NULL, 0]).value(tag::NULL).unwrap(), [0_u8; 0]);
        for bad in [
            &[][..],
            &[tag::OCTET_STRING],
            &[tag::OCTET_STRING, 2, 7],
            &[tag::OCTET_STRING, 0x80, 0, 0],
            &[tag::OCTET_STRING, 0x81, 1, 7],
            &[tag::OCTET_STRING, 0x82, 0, 1, 7],
            &[tag::OCTET_STRING, 0x83, 0, 0, 1, 7],
            &[tag::OCTET_STRING, 0xff, 7],
            &[tag::SEQUENCE, 1, 7],
        ] {
            assert!(reader(bad).value(tag::OCTET_STRING).is_err(), "{bad:02x?}");
        }
    }

    #[test]
    fn a_value_is_left_at_its_end_and_nowhere_else() {
        for (bytes, good) in [
            (&[tag::SEQUENCE, 3, tag::INTEGER, 1, 5][..], true),
            (&[tag::SEQUENCE, 0x80, tag::INTEGER, 1, 5, 0, 0], true),
            (&[tag::SEQUENCE, 4, tag::INTEGER, 1, 5, 0], false),
            (&[tag::SEQUENCE, 2, tag::INTEGER, 1, 5], false),
            (&[tag::SEQUENCE, 0x80, tag::INTEGER, 1, 5, 0], false),
            (&[tag::SEQUENCE, 0x80, tag::INTEGER, 1, 5, 0, 1], false),
            (&[tag::SEQUENCE, 5, tag::INTEGER, 1, 5], false),
        ] {
            let mut reader = reader(bytes);
            let read = reader.enter(tag::SEQUENCE).and_then(|frame| {
                reader.value(tag::INTEGER)?;
                reader.leave(frame)
            });
            assert_eq!(read.is_ok() && reader.is_empty(), good, "{bytes:02x?}");
        }
    }

    #[test]
    fn octets_come_whole_or_in_parts() {
        for bytes in
            [&[4, 3, 1, 2, 3][..], &[0x24, 7, 4, 1, 1, 4, 2, 2, 3], &[0x24, 0x80, 4, 1, 1, 4, 2, 2, 3, 0, 0]]
        {
            let mut reader = reader(bytes);
            assert_eq!(reader.octets().unwrap().as_ref(), [1, 2, 3]);
            reader.finish().unwrap();
        }
        // A part is not in parts itself, and none goes past the end of the whole.
        for bad in [&[0x24, 0x80, 0x24, 0x80, 4, 1, 1, 0, 0, 0, 0][..], &[0x24, 3, 4, 2, 1, 2]] {
            assert!(reader(bad).octets().is_err(), "{bad:02x?}");
        }
    }
}
