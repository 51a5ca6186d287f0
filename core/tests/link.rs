//! Download links in the hands of those who should not have them.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::collections::BTreeMap;

use handfast::{
    KeyRing, SecretKey, Timestamp,
    code::Code,
    crypto::default_backend,
    limits,
    link::{Link, LinkError, Links},
};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The first is the current one.
fn links(keys: &[(&str, u8)]) -> Links {
    let ring = keys.iter().map(|(kid, byte)| (kid.parse().unwrap(), SecretKey::new([*byte; 32])));
    let ring = KeyRing::new(keys[0].0.parse().unwrap(), ring.collect::<BTreeMap<_, _>>()).unwrap();
    Links::new(ring, default_backend())
}

fn link() -> Link {
    Link {
        package: "019b7ca9-8c88-7118-b0d3-641a68f94a69".parse().unwrap(),
        number: 1,
        expires_at: time("2026-03-01T12:00:30.001Z"),
    }
}

/// Computed with Python's hmac, hashlib and base64.
const TEXT: &str =
    "hfl1_k1.AZt8qYyIcRiw02QaaPlKaQAAAAEAAAGcqUV_MQ.1Lqc4QsRqX4PGEVjPqifzZx3YdkDrbejPzrGz1_8kNc";

#[test]
fn a_link_has_the_text_that_its_documentation_says() {
    let links = links(&[("k1", 1)]);
    assert_eq!(links.sign(&link()).unwrap().expose(), TEXT);
    assert_eq!(*links.verify(TEXT, time("2026-03-01T12:00:30Z")).unwrap(), link());
    assert_eq!(TEXT.len(), "k1".len() + 88);
    let longest = KeyRing::single("k".repeat(32).parse().unwrap(), SecretKey::new([1; 32]));
    let longest = Links::new(longest, default_backend()).sign(&link()).unwrap();
    assert_eq!(longest.expose().len(), limits::LINK_BYTES);
}

#[test]
fn it_ends_at_its_time() {
    let links = links(&[("k1", 1)]);
    for (now, good) in [
        ("1970-01-01T00:00:00Z", true),
        ("2026-03-01T12:00:30.000Z", true),
        ("2026-03-01T12:00:30.001Z", false),
        ("2026-03-01T12:00:30.002Z", false),
        ("9999-12-31T23:59:59Z", false),
    ] {
        let verified = links.verify(TEXT, time(now));
        assert_eq!(verified.as_ref().err(), if good { None } else { Some(&LinkError::Expired) }, "{now}");
    }
}

#[test]
fn keys_rotate_and_are_taken_out_of_use() {
    let before = time("2026-03-01T12:00:00Z");
    let rotated = links(&[("k2", 2), ("k1", 1)]);
    assert_eq!(*rotated.verify(TEXT, before).unwrap(), link());
    let new = rotated.sign(&link()).unwrap();
    assert!(new.expose().starts_with("hfl1_k2."));
    assert_eq!(links(&[("k1", 1)]).verify(new.expose(), before), Err(LinkError::UnknownKey));
    assert_eq!(links(&[("k2", 2)]).verify(TEXT, before), Err(LinkError::UnknownKey));
    assert_eq!(links(&[("k1", 2)]).verify(TEXT, before), Err(LinkError::Forged), "another key of that name");
    let renamed = TEXT.replacen("k1", "k2", 1);
    assert_eq!(links(&[("k2", 1)]).verify(&renamed, before), Err(LinkError::Forged), "the kid is signed");
}

#[test]
fn whoever_alters_a_character_has_no_link() {
    let links = links(&[("k1", 1)]);
    let before = time("2026-03-01T12:00:00Z");
    for place in 0..TEXT.len() {
        for other in ["A", "z", "0", "-", "_", ".", "=", "%", "/", " ", "\n", "ä", ""] {
            let mut altered = TEXT.to_owned();
            altered.replace_range(place..=place, other);
            if altered != TEXT {
                let error = links.verify(&altered, before).expect_err(&altered);
                assert_ne!(error, LinkError::Expired, "{altered}");
            }
        }
    }
    // The expiry is believed only once the link is: nothing can be learnt with a forged one.
    let mut forged = TEXT.to_owned();
    forged.replace_range(TEXT.len() - 10..TEXT.len() - 9, "0");
    assert_eq!(links.verify(&forged, time("2027-01-01T00:00:00Z")), Err(LinkError::Forged));
}

#[test]
fn what_is_no_link_is_malformed() {
    let links = links(&[("k1", 1)]);
    let before = time("2026-03-01T12:00:00Z");
    let long = format!("{TEXT}{}", "A".repeat(100_000));
    let last = TEXT.len() - 1;
    for wrong in [
        "",
        "hfl1_",
        "hfl1_k1..",
        &TEXT[..last],
        &TEXT[1..],
        &format!("{TEXT}="),
        &format!("{TEXT}."),
        &format!("{TEXT}\n"),
        &format!(" {TEXT}"),
        &TEXT.replacen("hfl1", "hf1", 1),
        &TEXT.to_uppercase(),
        &TEXT.replacen('.', "/", 1),
        &TEXT.replacen("k1", "", 1),
        &TEXT.replacen("k1", "k.1", 1),
        &long,
    ] {
        assert_eq!(links.verify(wrong, before), Err(LinkError::Malformed), "{wrong:.200}");
    }
    // The last character of a MAC holds four bits: what differs in the other two is another spelling, not another link.
    let spellings = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let good = |c: char| links.verify(&format!("{}{c}", &TEXT[..last]), before) != Err(LinkError::Malformed);
    assert_eq!(spellings.chars().filter(|c| good(*c)).count(), 16);
}

#[test]
fn it_needs_no_escaping_in_a_path_and_shows_itself_to_no_log() {
    let links = links(&[("key_2-old", 1)]);
    for number in [0, 1, u32::MAX] {
        let text = links.sign(&Link { number, ..link() }).unwrap();
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        assert!(text.expose().bytes().all(unreserved), "RFC 3986 section 2.3");
        assert_eq!(format!("{text:?}"), "[redacted]");
        assert_eq!(links.verify(text.expose(), time("2026-03-01T12:00:00Z")).unwrap().number, number);
    }
    assert!(!format!("{links:?}").contains("[1, 1"), "keys are redacted");
}

#[test]
fn each_no_has_its_code() {
    let codes = [LinkError::Malformed, LinkError::UnknownKey, LinkError::Forged, LinkError::Expired]
        .map(LinkError::code);
    assert_eq!(codes, [Code::LinkMalformed, Code::LinkUnknownKey, Code::LinkForged, Code::LinkExpired]);
}
