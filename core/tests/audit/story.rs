//! A day at a site, and what its auditor makes of the log.

use handfast::{
    Answer, Command, KeyRing, Ledger, Now, Policy, Registrar, SecretKey, Timestamp,
    audit::{Chain, CloudEvent, Head, Root, Tally},
    code::Code,
    crypto::default_backend,
    id::ScopeId,
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

struct Site {
    registrar: Registrar,
    ledger: Ledger,
    now: Timestamp,
    rng: StdRng,
    /// Every secret that was handed out.
    secrets: Vec<String>,
}

impl Site {
    fn new() -> Self {
        let policy: Policy = serde_json::from_value(json!({"vouched_fingerprints": true})).unwrap();
        let ring = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
        let registrar = Registrar::new(policy, ring(1), ring(2), default_backend()).unwrap();
        let now = "2026-01-31T23:50:00Z".parse().unwrap();
        Self {
            registrar,
            ledger: Ledger::recording(),
            now,
            rng: StdRng::seed_from_u64(7),
            secrets: Vec::new(),
        }
    }

    fn run(&mut self, command: Value) -> Answer {
        let command = Command::from_value(command).unwrap();
        self.ledger.run(&self.registrar, &command, Now::trusted(self.now), &mut self.rng).unwrap()
    }

    fn issue(&mut self, name: &str) -> (String, String) {
        let command = json!({
            "type": "issue", "authority": "operator:ann", "name": name, "deliver": true,
            "contents": [{"type": "file", "name": "a.env", "content": "PASSWORD=hunter2"}],
        });
        let Answer::Issued(issued) = self.run(command) else { panic!("{name}") };
        let token = issued.token.unwrap().expose().to_owned();
        self.secrets.extend([token.clone(), "hunter2".to_owned()]);
        (issued.package.to_string(), token)
    }

    fn redeem(&mut self, token: &str, fingerprint: &str) -> Answer {
        self.run(json!({"type": "redeem", "token": token, "fingerprint": fingerprint, "source": "192.0.2.7"}))
    }

    fn log(&self) -> Vec<String> {
        self.ledger.events().iter().map(handfast::vocabulary::Event::body).collect()
    }
}

/// One package is used, one is revoked, one expires; two strangers come.
fn day() -> Site {
    let mut site = Site::new();
    let (_, first) = site.issue("edge-1");
    let (second, _) = site.issue("edge-2");
    site.issue("edge-3");
    site.now = site.now.plus_seconds(660); // the next month
    let Answer::Redeemed(redeemed) = site.redeem(&first, "machine-1") else { panic!() };
    site.run(json!({"type": "check_in", "node": redeemed.node, "fingerprint": "machine-1", "sequence": 1}));
    for stranger in ["machine-2", "machine-3"] {
        assert!(matches!(site.redeem(&first, stranger), Answer::Refused(_)));
    }
    site.run(json!({"type": "revoke", "authority": "operator:ann", "package": second}));
    site.now = site.now.plus_seconds(3600);
    for key in site.ledger.due(site.now, 100) {
        site.run(json!({"type": "expire", "key": key}));
    }
    site
}

#[test]
fn the_registrar_links_what_the_auditor_checks() {
    let site = day();
    let mut chain = Chain::new(default_backend());
    // What the records and the refusals say of the log.
    let anchor = |(key, version, digest): (String, u64, _)| Head { key, version, digest };
    chain.expect(
        site.ledger.iter().map(|(key, row)| anchor((key.to_string(), row.version, row.head.unwrap()))),
    );
    let refused: Vec<_> = site.ledger.notices().filter_map(|counted| counted.first.anchor.clone()).collect();
    assert!(!refused.is_empty());
    chain.expect(refused.into_iter().map(|of| anchor((of.key.to_string(), of.version, of.head.unwrap()))));
    for body in site.log() {
        chain.feed(&body).unwrap();
    }
    assert_eq!(chain.finish(), []);
    assert_eq!((chain.fed(), chain.unlinked()), (u64::try_from(site.log().len()).unwrap(), 0));
    let root = Root::over(chain.heads(), &*default_backend());
    assert_eq!((root.records, root.facts), (u64::try_from(site.ledger.iter().count()).unwrap(), chain.fed()));

    let mut log = site.log();
    let place = log.iter().position(|body| body.contains("\"status\":\"revoked\"")).unwrap();
    log[place] = log[place].replace("operator:ann", "operator:bob");
    let mut chain = Chain::new(default_backend());
    chain.expect(
        site.ledger.iter().map(|(key, row)| anchor((key.to_string(), row.version, row.head.unwrap()))),
    );
    let mut found: Vec<_> = log.iter().filter_map(|body| chain.feed(body).err()).collect();
    found.extend(chain.finish());
    assert!(
        matches!(found.as_slice(), [one] if [Code::AuditOtherHead, Code::AuditWrongDigest].contains(&one.code())),
        "{found:?}"
    );
}

#[test]
fn everything_can_be_exported_and_no_secret_is_in_it() {
    let site = day();
    let source = || "urn:example:enroll".parse().unwrap();
    let mut exported: Vec<_> =
        site.log().iter().map(|body| CloudEvent::of_event(body, source()).unwrap().to_json()).collect();
    for counted in site.ledger.notices() {
        let notice =
            CloudEvent::of_notice(&counted.first.coalesce(), &counted.first.body(), source()).unwrap();
        assert!(
            notice.subject.as_deref().is_some_and(|subject| subject.starts_with("package/")),
            "{notice:?}"
        );
        exported.push(notice.to_json());
    }
    let exported = exported.join("\n");
    assert!(
        exported.contains("io.handfast.package_issued.v2") && exported.contains("io.handfast.refused.v1")
    );
    assert_eq!(site.secrets.len(), 6);
    for secret in &site.secrets {
        assert!(!exported.contains(secret), "{secret}");
    }
}

#[test]
fn the_day_adds_up() {
    let mut tally = Tally::default();
    day().log().iter().for_each(|body| tally.add(body).unwrap());
    let counts = &tally.counts()[&"default".parse::<ScopeId>().unwrap()];
    let (january, february) = (&counts[&"2026-01".parse().unwrap()], &counts[&"2026-02".parse().unwrap()]);
    assert_eq!((january.issued, january.activated), (3, 0));
    assert_eq!((february.activated, february.revoked, february.expired), (1, 1, 1));
    assert_eq!(february.time_to_activate.sum_ms, 660_000);
    let rows = serde_json::to_value(tally.rows()).unwrap();
    let row = &rows[1];
    assert_eq!(
        (rows.as_array().unwrap().len(), &row["scope"], &row["month"], &row["activated"]),
        (2, &json!("default"), &json!("2026-02"), &json!(1))
    );
}
