//! WireGuard configurations against whoever prepared them.
//!
//! Input: a text that is taken for a configuration. What is accepted has one spelling, holds no command, and says the
//! same when it is read again.

use handfast::wireguard::{Config, WireGuardError};

/// One input; whether it is accepted.
pub(crate) fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    match Config::parse(text) {
        Ok(config) => {
            accepted(&config);
            true
        }
        Err(WireGuardError::MalformedLine { line, what }) => {
            assert!((1..=text.lines().count()).contains(&line) && !what.is_empty());
            false
        }
        Err(WireGuardError::Command { line }) => {
            let line = text.lines().nth(line - 1).expect("a line").to_ascii_lowercase();
            assert!(["preup", "postup", "predown", "postdown"].iter().any(|key| line.contains(key)));
            false
        }
        Err(WireGuardError::Inconsistent { .. } | WireGuardError::TooLarge { .. }) => false,
        Err(error @ (WireGuardError::MalformedKey { .. } | WireGuardError::MalformedHost { .. })) => {
            panic!("without its line: {error}")
        }
    }
}

fn accepted(config: &Config) {
    let written = config.to_secret();
    let again = Config::parse(written.expose()).expect("what is written is read");
    assert_eq!(&again, config);
    assert_eq!(again.to_secret(), written, "one configuration, one spelling");
    let same = Config::new(config.interface().clone(), config.peers().to_vec());
    assert_eq!(&same.expect("its parts fit together"), config);

    let keys = ["[", "PrivateKey = ", "Address = ", "DNS = ", "ListenPort = ", "MTU = ", "PublicKey = "];
    let more = ["PresharedKey = ", "AllowedIPs = ", "Endpoint = ", "PersistentKeepalive = "];
    for line in written.expose().lines().filter(|line| !line.is_empty()) {
        assert!(keys.iter().chain(&more).any(|key| line.starts_with(key)) && line.is_ascii(), "{line}");
    }
}
