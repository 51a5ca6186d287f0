//! Permission bits.

use std::{fmt, str::FromStr};

use super::TemplateError;

/// The permission bits of a file: `0001` to `0777`.
///
/// A number says whether it is octal: `0400` and `0o400` are, and `0x100` and `0b100000000` are the same bits. `400` would
/// be decimal, which is 0620 and never meant, so it is refused. So are set-uid, set-gid and sticky bits, which have no
/// meaning for a file of secrets and are dropped on the way by some systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(u32);

impl Mode {
    /// The bits, as `chmod` takes them.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for Mode {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let refuse = |what| TemplateError::Mode { what };
        let (digits, radix) = if let Some(digits) = text.strip_prefix("0x") {
            (digits, 16)
        } else if let Some(digits) = text.strip_prefix("0b") {
            (digits, 2)
        } else if let Some(digits) = text.strip_prefix("0o") {
            (digits, 8)
        } else if let Some(digits) = text.strip_prefix('0') {
            (digits, 8)
        } else {
            return Err(refuse("expected an octal number that begins with 0, for example 0400"));
        };
        let all_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        let bits = u32::from_str_radix(digits, radix).ok().filter(|_| all_digits);
        match bits.ok_or(refuse("expected an octal number that begins with 0, for example 0400"))? {
            0 => Err(refuse("nobody could read the file")),
            bits @ 1..=0o777 => Ok(Self(bits)),
            0o1000.. => Err(refuse("only the nine permission bits, at most 0777")),
        }
    }
}

/// Four octal digits.
impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04o}", self.0)
    }
}
