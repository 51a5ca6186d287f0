//! Where the next page of a list begins: after this entry.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    id::{NodeId, PackageId, PackageName, as_text},
    vocabulary::Error,
};

/// Where the next page begins: after this entry, whether it still exists or not. Its text is opaque; it is no secret and
/// proves nothing, so a host checks who may see a list at each page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub(super) Position);

/// A place in a list, by the order of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Package(PackageId),
    Name(PackageName, PackageId),
    Node(NodeId),
}

impl Cursor {
    pub(super) fn package(&self) -> Result<PackageId, Error> {
        if let Position::Package(id) = &self.0 { Ok(*id) } else { Err(foreign()) }
    }

    pub(super) fn name(&self) -> Result<(PackageName, PackageId), Error> {
        if let Position::Name(name, id) = &self.0 { Ok((name.clone(), *id)) } else { Err(foreign()) }
    }

    pub(super) fn node(&self) -> Result<NodeId, Error> {
        if let Position::Node(id) = &self.0 { Ok(*id) } else { Err(foreign()) }
    }
}

fn foreign() -> Error {
    Error::input("cursor", "belongs to another list")
}

fn malformed() -> Error {
    Error::input("cursor", "is none that a list gave")
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = match &self.0 {
            Position::Package(id) => format!("package {id}"),
            Position::Name(name, id) => format!("name {name} {id}"),
            Position::Node(id) => format!("node {id}"),
        };
        formatter.write_str(&BASE64URL_NOPAD.encode(plain.as_bytes()))
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| malformed())?;
        let plain = String::from_utf8(bytes).map_err(|_| malformed())?;
        let mut words = plain.split(' ');
        let mut word = || words.next().ok_or_else(malformed);
        let position = match word()? {
            "package" => Position::Package(word()?.parse().map_err(|_| malformed())?),
            "name" => Position::Name(
                word()?.parse().map_err(|_| malformed())?,
                word()?.parse().map_err(|_| malformed())?,
            ),
            "node" => Position::Node(word()?.parse().map_err(|_| malformed())?),
            _ => return Err(malformed()),
        };
        if words.next().is_some() { Err(malformed()) } else { Ok(Self(position)) }
    }
}

as_text!(Cursor, "^[A-Za-z0-9_-]+$");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    #[test]
    fn a_cursor_has_one_text_and_nothing_else_is_one() {
        let id = "019b7ca9-8c88-7118-b0d3-641a68f94a69";
        for plain in [format!("package {id}"), format!("name edge-1 {id}"), format!("node n-{:032x}", 7)] {
            let text = BASE64URL_NOPAD.encode(plain.as_bytes());
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text, "{plain}");
        }
        for plain in ["", "package", "package x", "package  ", "name a", "node n-1", "pool a", "\u{1F}"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("package {id} "), format!("name edge-1 {id} x"), format!("name a/b {id}")])
        {
            let text = BASE64URL_NOPAD.encode(plain.as_bytes());
            assert_eq!(text.parse::<Cursor>().unwrap_err().code(), Code::InvalidInput, "{plain:?}");
        }
        for text in ["*", "a", "cGFja2FnZQ==", "__8"] {
            assert_eq!(text.parse::<Cursor>().unwrap_err().code(), Code::InvalidInput, "{text:?}");
        }
    }
}
