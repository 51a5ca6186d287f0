//! KSUIDs: the ids of Choria's tokens, in which the time of issue is written.

use std::{fmt, str::FromStr};

use rand_core::CryptoRng;

use super::ChoriaError;
use crate::time::Timestamp;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 2014-05-13T16:53:20Z, where KSUIDs begin to count seconds.
const EPOCH: i64 = 1_400_000_000;
const LENGTH: usize = 27;
const INVALID: ChoriaError = ChoriaError::InvalidClaim { claim: "jti", expected: "a KSUID" };

/// A time in whole seconds and 128 random bits; 27 characters of base 62, which sort by time.
/// See <https://github.com/segmentio/ksuid>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ksuid([u8; 20]);

impl Ksuid {
    /// A new one of this second.
    ///
    /// # Errors
    /// `choria_invalid_claim` for a time before 2014 or after 2150, which it cannot express.
    pub fn new<R: CryptoRng + ?Sized>(at: Timestamp, rng: &mut R) -> Result<Self, ChoriaError> {
        let seconds = at.unix_millis().div_euclid(1000).saturating_sub(EPOCH);
        let seconds = u32::try_from(seconds).map_err(|_| INVALID)?;
        let mut bytes = [0; 20];
        let (time, random) = bytes.split_at_mut(4);
        time.copy_from_slice(&seconds.to_be_bytes());
        rng.fill_bytes(random);
        Ok(Self(bytes))
    }

    /// The second in which it was made.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        let seconds = self.0.iter().take(4).fold(0_i64, |seconds, byte| seconds << 8 | i64::from(*byte));
        let millis = seconds.saturating_add(EPOCH).saturating_mul(1000);
        Timestamp::from_unix_millis(millis).unwrap_or(Timestamp::new(chrono::DateTime::UNIX_EPOCH))
    }
}

impl fmt::Display for Ksuid {
    /// Long division by 62, from the last digit to the first.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut number = self.0;
        let mut text = [b'0'; LENGTH];
        for digit in text.iter_mut().rev() {
            let rest = number.iter_mut().fold(0_u32, |rest, byte| {
                let dividend = rest << 8 | u32::from(*byte);
                *byte = u8::try_from(dividend / 62).unwrap_or_default();
                dividend % 62
            });
            *digit = usize::try_from(rest).ok().and_then(|rest| ALPHABET.get(rest)).copied().unwrap_or(b'0');
        }
        formatter.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Ksuid {
    type Err = ChoriaError;

    /// Refuses the texts beyond the largest KSUID, which wrap around to other ids in careless readers.
    fn from_str(text: &str) -> Result<Self, ChoriaError> {
        if text.len() != LENGTH {
            return Err(INVALID);
        }
        let mut number = [0_u8; 20];
        for character in text.bytes() {
            let digit = ALPHABET.iter().position(|known| *known == character).ok_or(INVALID)?;
            let digit = u32::try_from(digit).map_err(|_| INVALID)?;
            let carry = number.iter_mut().rev().fold(digit, |carry, byte| {
                let [_, _, _, low] = (u32::from(*byte) * 62 + carry).to_be_bytes();
                let high = (u32::from(*byte) * 62 + carry) >> 8;
                *byte = low;
                high
            });
            if carry != 0 {
                return Err(INVALID);
            }
        }
        Ok(Self(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_of_each() {
        let published = "0ujtsYcgvSTl8PAuAdqWYSMnLOv";
        let id: Ksuid = published.parse().unwrap();
        assert_eq!(id.to_string(), published);
        assert_eq!(id.issued_at().to_string(), "2017-10-10T04:00:47.000Z");
        let [first, last] = [Ksuid([0; 20]), Ksuid([255; 20])];
        assert_eq!(first.to_string(), "000000000000000000000000000");
        assert_eq!(last.to_string(), "aWgEPTl1tmebfsQzFP4bxwgy80V");
        for id in [first, last] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for wrong in
            ["", "aWgEPTl1tmebfsQzFP4bxwgy80W", "zzzzzzzzzzzzzzzzzzzzzzzzzzz", "0ujtsYcgvSTl8PAuAdqWYSMnLO-"]
        {
            assert_eq!(wrong.parse::<Ksuid>(), Err(INVALID), "{wrong}");
        }
    }
}
