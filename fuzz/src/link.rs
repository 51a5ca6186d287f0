//! Download links against whoever chooses the whole text.
//!
//! Input: a text that is presented as a link. Its first bytes are also taken for what a link says, its last two for the
//! place and the kind of an alteration. What verifies is what was signed, in the one spelling that signing gives.

use std::collections::BTreeMap;

use handfast::{
    KeyRing, SecretKey, Timestamp,
    crypto::default_backend,
    id::PackageId,
    link::{Link, LinkError, Links},
};

/// The time of all inputs, in milliseconds: genuine links among the seeds end before it, at it, and after it.
const NOW: i64 = 1_772_366_430_000;

/// One input.
pub(crate) fn run(input: &[u8]) {
    let links = links();
    if let Ok(text) = std::str::from_utf8(input) {
        present(&links, text);
    }
    if let (Some((fields, _)), Some((_, [place, kind]))) =
        (input.split_first_chunk::<22>(), input.split_last_chunk::<2>())
    {
        sign(&links, fields, usize::from(*place), *kind);
    }
}

/// A ring of two keys, so that links of a key that is not the current one verify, too.
fn links() -> Links {
    let key = |name: &str, byte| (name.parse().expect("a key id"), SecretKey::new([byte; 32]));
    let keys = BTreeMap::from([key("k1", 1), key("key_2-old", 2)]);
    Links::new(KeyRing::new("k1".parse().expect("a key id"), keys).expect("a ring"), default_backend())
}

fn present(links: &Links, text: &str) {
    let now = Timestamp::from_unix_millis(NOW).expect("a time");
    match links.verify(text, now) {
        Ok(link) => {
            assert!(link.expires_at > now && text.starts_with("hfl1_"));
            if text.starts_with("hfl1_k1.") {
                assert_eq!(links.sign(&link).expect("signs").expose(), text, "one link, one spelling");
            }
            assert_eq!(links.verify(text, link.expires_at), Err(LinkError::Expired));
        }
        Err(LinkError::Expired) => {
            let earlier = Timestamp::from_unix_millis(-8_000_000_000_000_000).expect("a time");
            assert!(links.verify(text, earlier).is_ok_and(|link| link.expires_at <= now));
        }
        Err(LinkError::Malformed | LinkError::UnknownKey | LinkError::Forged) => {}
    }
}

fn sign(links: &Links, fields: &[u8; 22], place: usize, kind: u8) {
    let (random, rest) = fields.split_first_chunk::<10>().expect("enough");
    let (number, rest) = rest.split_first_chunk::<4>().expect("enough");
    let millis = i64::from_be_bytes(rest.try_into().expect("enough")) % 8_000_000_000_000_000;
    let expires_at = Timestamp::from_unix_millis(millis).expect("a time");
    let package = PackageId::new(expires_at, random);
    let link = Link { package, number: u32::from_be_bytes(*number), expires_at };
    let before = Timestamp::from_unix_millis(millis - 1).expect("a time");

    let text = links.sign(&link).expect("signs").expose().to_owned();
    assert_eq!(*links.verify(&text, before).expect("verifies"), link);
    assert_eq!(links.verify(&text, expires_at), Err(LinkError::Expired));

    let mut altered = text.clone().into_bytes();
    let place = place % altered.len();
    match kind % 3 {
        0 => altered[place] ^= (kind / 3) | 1,
        1 => drop(altered.remove(place)),
        _ => altered.insert(place, kind),
    }
    if let Ok(altered) = String::from_utf8(altered) {
        assert!(altered == text || links.verify(&altered, before).is_err(), "{altered}");
    }
}
