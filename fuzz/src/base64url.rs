//! A codec of the targets' own, so that their second reading shares nothing with the first.
#![allow(dead_code, reason = "each target uses its part")]

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Unpadded base64url.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 6 {
            count -= 6;
            text.push(digit(bits >> count));
        }
    }
    if count > 0 {
        text.push(digit(bits << (6 - count)));
    }
    text
}

fn digit(bits: u32) -> char {
    char::from(ALPHABET[usize::try_from(bits & 63).expect("six bits")])
}

/// What [`encode`] writes.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|digit| *digit == letter).expect("base64url");
        bits = (bits << 6) | u32::try_from(value).expect("six bits");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).expect("eight bits"));
        }
    }
    assert_eq!(encode(&bytes), text, "one spelling");
    bytes
}
