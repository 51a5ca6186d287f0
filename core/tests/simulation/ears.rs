//! Hears everything that leaves the library in the clear, and knows every secret that ever was.

use std::collections::{BTreeSet, HashMap};

#[derive(Default)]
pub(crate) struct Ears {
    text: String,
    secrets: BTreeSet<String>,
}

/// Bytes of a secret that are looked for: in base32 eighty bits, which nobody meets by chance.
const NEEDLE: usize = 16;

/// Bytes that are looked at first.
const WORD: usize = 8;

impl Ears {
    pub(crate) fn hear(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A secret, as it is and as it would look in other clothes.
    pub(crate) fn keep(&mut self, secret: &str) {
        // The public part of a token or a link may be heard.
        let core = match secret.strip_prefix("hf1_") {
            Some(token) => token.rsplit('_').next().unwrap(),
            None => secret.rsplit('.').next().unwrap(),
        };
        self.secrets.insert(core.to_owned());
        self.secrets.insert(data_encoding::HEXLOWER.encode(core.as_bytes()));
        self.secrets.insert(data_encoding::BASE64URL_NOPAD.encode(core.as_bytes()));
    }

    pub(crate) fn heard(&self) -> usize {
        self.text.len()
    }

    /// No part of any secret was heard: neither its beginning nor its end.
    pub(crate) fn check(&self) {
        let mut needles: HashMap<&[u8], &str> = HashMap::new();
        let mut sieve = vec![false; 1 << 16];
        for secret in &self.secrets {
            let bytes = secret.as_bytes();
            assert!(bytes.len() >= NEEDLE, "a secret that is too short to look for: {secret}");
            for part in [&bytes[..NEEDLE], &bytes[bytes.len() - NEEDLE..]] {
                sieve[place(part)] = true;
                needles.insert(part, secret);
            }
        }
        for window in self.text.as_bytes().windows(NEEDLE) {
            if sieve[place(window)] {
                let found = needles.get(window);
                assert!(found.is_none(), "a secret leaked: {found:?}");
            }
        }
    }
}

/// Where the sieve keeps what begins like this.
fn place(window: &[u8]) -> usize {
    let word = u64::from_le_bytes(window[..WORD].try_into().unwrap());
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize
}
