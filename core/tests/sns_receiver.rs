//! Stories of the receiver with a clock that stands still until it is moved: topics, versions, age, headers,
//! certificates and what strangers can do to them.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a test's helpers"
)]

mod support;

use std::{path::Path, sync::Arc};

use handfast::{
    code::Code,
    crypto::Backend,
    sns::{FetchFailure, Headers, Pin, Policy, Received, Receiver, SignatureVersion, SnsError, TopicPolicy},
    time::{Now, Timestamp},
};
use support::backends;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:enroll";
const URL: &str =
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-00112233445566778899aabbccddeeff.pem";
const START: &str = "2026-03-01T12:00:30Z";

fn file(path: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/sns");
    std::fs::read(folder.join(path)).unwrap()
}

fn message(name: &str) -> Vec<u8> {
    file(&format!("messages/{name}.json"))
}

fn certificate(name: &str) -> Vec<u8> {
    file(&format!("certificates/{name}.pem"))
}

fn pem(name: &str) -> String {
    String::from_utf8(certificate(name)).unwrap()
}

fn policy() -> Policy {
    Policy::for_topics([TOPIC.parse().unwrap()])
}

/// A receiver, its clock and what happened.
struct Host {
    receiver: Receiver,
    now: Timestamp,
}

impl Host {
    fn new(policy: Policy, backend: &Arc<dyn Backend>) -> Self {
        let receiver = Receiver::new(policy, Arc::clone(backend)).unwrap();
        Self { receiver, now: START.parse().unwrap() }
    }

    fn wait(&mut self, seconds: u32) {
        self.now = self.now.plus_seconds(seconds);
    }

    fn receive(&mut self, body: &[u8]) -> Result<Received, SnsError> {
        self.receiver.receive(body, &Headers::default(), Now::trusted(self.now))
    }

    fn code(&mut self, body: &[u8]) -> Code {
        self.receive(body).unwrap_err().code()
    }

    fn answer(&mut self, url: &str, outcome: Result<&[u8], FetchFailure>) -> Result<(), SnsError> {
        self.receiver.certificate(url, outcome, Now::trusted(self.now))
    }

    fn needs(&mut self, body: &[u8]) -> String {
        match self.receive(body).unwrap() {
            Received::Need(fetch) => fetch.url,
            other => panic!("{other:?}"),
        }
    }

    fn waits(&mut self, body: &[u8]) {
        assert!(matches!(self.receive(body).unwrap(), Received::Wait));
    }

    fn verifies(&mut self, body: &[u8]) {
        assert!(!matches!(self.receive(body).unwrap(), Received::Need(_) | Received::Wait));
    }

    fn serves(&mut self, body: &[u8]) {
        assert!(!matches!(self.serve(body).unwrap(), Received::Need(_) | Received::Wait));
    }

    /// Receives, fetches the genuine certificate when asked to, and receives again.
    fn serve(&mut self, body: &[u8]) -> Result<Received, SnsError> {
        match self.receive(body)? {
            Received::Need(fetch) => {
                self.answer(&fetch.url, Ok(&certificate("leaf")))?;
                self.receive(body)
            }
            other => Ok(other),
        }
    }
}

fn on_every_backend(story: impl Fn(&Arc<dyn Backend>)) {
    let backends = backends();
    assert!(!backends.is_empty());
    backends.iter().for_each(story);
}

/// The message with another certificate URL, which the signature does not cover.
fn from_url(body: &[u8], url: &str) -> Vec<u8> {
    String::from_utf8(body.to_vec()).unwrap().replace(URL, url).into_bytes()
}

fn bogus_url(number: u32) -> String {
    format!("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{number:032x}.pem")
}

#[test]
fn a_certificate_is_fetched_once_and_kept() {
    on_every_backend(|backend| {
        let mut host = Host::new(policy(), backend);
        assert_eq!(host.needs(&message("v2-ec2-running")), URL);
        host.waits(&message("v2-notification"));
        host.answer(URL, Ok(&certificate("leaf"))).unwrap();
        host.verifies(&message("v2-ec2-running"));
        host.wait(1800);
        host.verifies(&message("v2-notification"));
        host.verifies(&message("v2-notification"));
        host.receiver.forget_certificates();
        assert_eq!(host.needs(&message("v2-notification")), URL);
    });
}

#[test]
fn a_verified_notification_tells_what_was_signed() {
    on_every_backend(|backend| {
        let mut host = Host::new(policy(), backend);
        let Received::Notification(it) = host.serve(&message("v2-notification-unicode")).unwrap() else {
            panic!("not a notification");
        };
        assert_eq!(it.message(), "line1\nMessageId\nnot-an-id\né你😀 \t\"quoted\\\"");
        assert_eq!(it.subject(), Some("ünï"));
        assert_eq!(it.timestamp().to_string(), "2026-03-01T12:00:00.000Z");
        assert_eq!(it.topic_arn().as_str(), TOPIC);
        assert_eq!(it.signature_version(), SignatureVersion::V2);
        assert!(!format!("{it:?}").contains("quoted"), "the contents are the publisher's");
        let Received::Notification(it) = host.serve(&message("empty-subject")).unwrap() else {
            panic!("not a notification");
        };
        assert_eq!(it.subject(), Some(""));
    });
}

#[test]
fn a_subscription_is_confirmed_at_the_rebuilt_url() {
    on_every_backend(|backend| {
        let mut host = Host::new(policy(), backend);
        let Received::Confirm(it) = host.serve(&message("v2-subscription-confirmation")).unwrap() else {
            panic!("not a confirmation");
        };
        let token = "2336412f37fb687f5d51e6e241d164b1".repeat(8);
        assert_eq!(
            it.url(),
            format!(
                "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}"
            )
        );
        assert!(!format!("{it:?}").contains(&token), "the token is for the confirmation only");
        let unsubscribed = host.serve(&message("v2-unsubscribe-confirmation")).unwrap();
        assert!(matches!(unsubscribed, Received::Unsubscribed(_)));
    });
}

#[test]
fn a_topic_seen_with_version_2_does_not_go_back() {
    on_every_backend(|backend| {
        let mut host = Host::new(policy(), backend);
        host.serves(&message("v1-notification"));
        // What does not verify teaches nothing.
        assert_eq!(host.code(&message("tampered-message")), Code::SnsBadSignature);
        host.verifies(&message("v1-notification"));
        host.verifies(&message("v2-notification"));
        assert_eq!(host.code(&message("v1-notification")), Code::SnsVersionDowngrade);
        assert_eq!(host.code(&message("v1-unsubscribe-confirmation")), Code::SnsVersionDowngrade);
        host.verifies(&message("v2-notification"));

        let mut lenient = policy();
        lenient.allow_version_downgrade = true;
        let mut host = Host::new(lenient, backend);
        host.serves(&message("v2-notification"));
        host.verifies(&message("v1-notification"));
    });
}

#[test]
fn a_policy_may_demand_version_2() {
    on_every_backend(|backend| {
        let mut strict = policy();
        strict.topics[0].minimum_signature_version = SignatureVersion::V2;
        let mut host = Host::new(strict, backend);
        assert_eq!(host.code(&message("v1-notification")), Code::SnsVersionTooLow);
        assert_eq!(host.needs(&message("v2-notification")), URL);
    });
}

#[test]
fn nothing_is_fetched_for_a_message_that_is_refused_anyway() {
    on_every_backend(|backend| {
        let mut host = Host::new(policy(), backend);
        for (name, code) in [
            ("another-topic", Code::SnsTopicNotAllowed),
            ("certificate-url-host-suffix", Code::SnsCertificateUrl),
            ("subscribe-url-elsewhere", Code::SnsSubscribeUrl),
            ("signature-wrapped", Code::SnsSignatureEncoding),
        ] {
            assert_eq!(host.code(&message(name)), code);
        }
        host.wait(3600);
        assert_eq!(host.code(&message("v2-notification")), Code::SnsTooOld);
        host.now = "2026-03-01T11:00:00Z".parse().unwrap();
        assert_eq!(host.code(&message("v2-notification")), Code::SnsTooFarAhead);
        let mut oversize = message("v2-notification");
        oversize.resize(512 * 1024 + 1, b' ');
        assert_eq!(host.code(&oversize), Code::SnsTooLarge);
        // Whatever came before, the first fetch is still free.
        host.now = START.parse().unwrap();
        assert_eq!(host.needs(&message("v2-notification")), URL);
    });
}

#[test]
fn an_untrusted_clock_accepts_nothing() {
    let mut host = Host::new(policy(), &handfast::crypto::default_backend());
    let now = Now::untrusted(host.now);
    let error = host.receiver.receive(&message("v2-notification"), &Headers::default(), now).unwrap_err();
    assert_eq!(error.code(), Code::SnsClockUntrusted);
    assert!(error.is_temporary());
}

#[test]
fn headers_may_only_agree() {
    let body = message("v2-notification");
    let id =
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()["MessageId"].as_str().unwrap().to_owned();
    let pairs = [
        ("X-Amz-Sns-Message-Type", "Notification"),
        ("x-amz-sns-message-id", id.as_str()),
        ("x-amz-sns-topic-arn", TOPIC),
        ("x-amz-sns-rawdelivery", "false"),
        ("content-type", "text/plain"),
    ];
    let mut host = Host::new(policy(), &handfast::crypto::default_backend());
    let now = Now::trusted(host.now);
    let headers = Headers::from_pairs(pairs).unwrap();
    assert!(matches!(host.receiver.receive(&body, &headers, now).unwrap(), Received::Need(_)));
    for (position, value, code) in [
        (0, "SubscriptionConfirmation", Code::SnsHeaderMismatch),
        (1, "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", Code::SnsHeaderMismatch),
        (2, "arn:aws:sns:us-east-1:123456789012:other", Code::SnsHeaderMismatch),
        (3, "true", Code::SnsUnsigned),
        (3, "", Code::SnsUnsigned),
    ] {
        let mut changed = pairs;
        changed[position].1 = value;
        let headers = Headers::from_pairs(changed).unwrap();
        assert_eq!(host.receiver.receive(&body, &headers, now).unwrap_err().code(), code);
    }
    let twice = pairs.into_iter().chain([("X-AMZ-SNS-TOPIC-ARN", TOPIC)]);
    assert_eq!(Headers::from_pairs(twice).unwrap_err().code(), Code::SnsHeaderMismatch);
}

#[test]
fn a_failed_fetch_is_remembered_for_a_minute() {
    on_every_backend(|backend| {
        let mut host = Host::new(policy(), backend);
        host.needs(&message("v2-notification"));
        let error = host.answer(URL, Err(FetchFailure::Status(503))).unwrap_err();
        assert_eq!(error.to_string(), "the signing certificate could not be fetched: status 503");
        host.wait(59);
        let again = host.receive(&message("v2-notification")).unwrap_err();
        assert_eq!((again.code(), again.is_temporary()), (Code::SnsFetchFailed, true));
        host.wait(1);
        assert_eq!(host.needs(&message("v2-notification")), URL);
        // A bad certificate is a failure too, and says what was wrong with it.
        let error = host.answer(URL, Ok(&certificate("error-page"))).unwrap_err();
        assert_eq!(error.code(), Code::SnsCertificateMalformed);
        assert_eq!(host.code(&message("v2-notification")), Code::SnsCertificateMalformed);
        host.wait(60);
        host.serves(&message("v2-notification"));
    });
}

#[test]
fn an_oversized_certificate_is_not_read() {
    let mut host = Host::new(policy(), &handfast::crypto::default_backend());
    host.needs(&message("v2-notification"));
    let error = host.answer(URL, Ok(&vec![b'-'; 16 * 1024 + 1])).unwrap_err();
    assert_eq!(error.code(), Code::SnsCertificateTooLarge);
}

#[test]
fn a_fetch_that_nobody_answers_is_given_up() {
    let mut host = Host::new(policy(), &handfast::crypto::default_backend());
    host.needs(&message("v2-notification"));
    host.wait(29);
    host.waits(&message("v2-notification"));
    host.wait(1);
    host.needs(&message("v2-notification"));
    // A clock that was put back gives the place up as well.
    host.now = host.now.minus_seconds(20);
    host.needs(&message("v2-notification"));
}

#[test]
fn a_certificate_that_nobody_asked_for_is_refused() {
    let mut host = Host::new(policy(), &handfast::crypto::default_backend());
    let unasked = host.answer(URL, Ok(&certificate("leaf"))).unwrap_err();
    assert_eq!(unasked.code(), Code::SnsUnexpectedCertificate);
    host.needs(&message("v2-notification"));
    host.answer(URL, Ok(&certificate("leaf"))).unwrap();
    let twice = host.answer(URL, Ok(&certificate("other-key"))).unwrap_err();
    assert_eq!(twice.code(), Code::SnsUnexpectedCertificate);
    host.verifies(&message("v2-notification"));
}

/// A stranger sends well-formed messages that name certificates of his choice.
#[test]
fn strangers_can_neither_make_the_host_fetch_at_will_nor_evict_what_is_proven() {
    on_every_backend(|backend| {
        let mut host = Host::new(policy(), backend);
        host.serves(&message("v2-notification"));
        let (mut fetched, mut refused) = (0, 0);
        for number in 0..1000 {
            let url = bogus_url(number);
            match host.receive(&from_url(&message("v2-ec2-running"), &url)) {
                Ok(Received::Need(fetch)) => {
                    host.answer(&fetch.url, Err(FetchFailure::Status(404))).unwrap_err();
                    fetched += 1;
                }
                Err(error) => {
                    assert_eq!((error.code(), error.is_temporary()), (Code::SnsFetchLimited, true));
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((fetched, refused), (4, 996));
        host.verifies(&message("v2-ec2-running"));
        host.wait(60);
        host.needs(&from_url(&message("v2-ec2-running"), &bogus_url(5000)));
    });
}

/// Genuine certificates that do not fit the message stay candidates, and their places are free again after a minute.
#[test]
fn only_a_certificate_under_which_a_message_verified_is_kept() {
    on_every_backend(|backend| {
        let mut host = Host::new(policy(), backend);
        let tampered = message("tampered-message");
        host.needs(&tampered);
        host.answer(URL, Ok(&certificate("leaf"))).unwrap();
        assert_eq!(host.code(&tampered), Code::SnsBadSignature);
        host.wait(60);
        host.needs(&tampered);
        host.answer(URL, Ok(&certificate("leaf"))).unwrap();
        host.verifies(&message("v2-notification"));
        host.wait(60);
        host.verifies(&message("v2-notification"));
    });
}

/// More certificates verify than are kept: the one used last longest goes, the one in use stays.
#[test]
fn the_lasting_cache_is_bounded_by_use() {
    let backend = handfast::crypto::default_backend();
    let mut host = Host::new(policy(), &backend);
    let serve = |host: &mut Host, number: u32| {
        let body = from_url(&message("v2-notification"), &bogus_url(number));
        match host.receive(&body).unwrap() {
            Received::Need(fetch) => {
                host.answer(&fetch.url, Ok(&certificate("leaf"))).unwrap();
                host.verifies(&body);
                true
            }
            Received::Notification(_) => false,
            other => panic!("{other:?}"),
        }
    };
    assert!(serve(&mut host, 0));
    assert!(serve(&mut host, 1));
    for number in 2..66 {
        assert!(!serve(&mut host, 0), "in use, so kept");
        assert!(serve(&mut host, number));
    }
    assert!(!serve(&mut host, 0));
    assert!(serve(&mut host, 1), "not used for the longest time, so dropped");
}

#[test]
fn validity_is_checked_at_every_use() {
    on_every_backend(|backend| {
        let mut host = Host::new(policy(), backend);
        let expired = certificate("expired");
        host.needs(&message("v2-notification"));
        host.answer(URL, Ok(&expired)).unwrap();
        let error = host.receive(&message("v2-notification")).unwrap_err();
        assert_eq!(error.code(), Code::SnsCertificateNotValid);
        assert!(error.to_string().contains("2026-03-01T11:59:59.000Z"), "{error}");
    });
}

#[test]
fn pinned_roots_decide_where_there_are_any() {
    on_every_backend(|backend| {
        let mut rooted = policy();
        rooted.roots = vec![pem("root")];
        rooted.intermediates = vec![pem("intermediate")];
        let mut host = Host::new(rooted.clone(), backend);
        host.serves(&message("v2-notification"));

        let mut host = Host::new(rooted.clone(), backend);
        host.needs(&message("v2-notification"));
        host.answer(URL, Ok(&certificate("self-signed"))).unwrap();
        assert_eq!(host.code(&message("v2-notification")), Code::SnsCertificateUntrusted);

        let mut leaf_only = rooted.clone();
        leaf_only.intermediates.clear();
        let mut host = Host::new(leaf_only, backend);
        let error = host.serve(&message("v2-notification")).unwrap_err();
        assert_eq!(error.code(), Code::SnsCertificateUntrusted);

        rooted.roots = vec![pem("emulator")];
        let mut host = Host::new(rooted, backend);
        assert_eq!(
            host.serve(&message("v2-notification")).unwrap_err().code(),
            Code::SnsCertificateUntrusted
        );
    });
}

#[test]
fn a_pinned_certificate_or_key_is_used_instead_of_a_fetched_one() {
    on_every_backend(|backend| {
        for (name, url) in
            [("leaf", None), ("public-key", None), ("leaf", Some(URL)), ("public-key", Some(URL))]
        {
            let mut pinned = policy();
            pinned.pins = vec![Pin { pem: pem(name), url: url.map(str::to_owned) }];
            let mut host = Host::new(pinned, backend);
            host.verifies(&message("v2-notification"));
            assert_eq!(host.code(&message("tampered-message")), Code::SnsBadSignature);
            assert_eq!(host.code(&message("certificate-url-http")), Code::SnsCertificateUrl);
            let elsewhere = from_url(&message("v2-notification"), &bogus_url(1));
            assert_eq!(matches!(host.receive(&elsewhere).unwrap(), Received::Need(_)), url.is_some());
        }
        let mut wrong = policy();
        wrong.pins = vec![Pin { pem: pem("opt-in-region"), url: None }];
        assert_eq!(Host::new(wrong, backend).code(&message("v2-notification")), Code::SnsCertificateName);
    });
}

#[test]
fn names_can_be_set_for_regions_that_the_table_does_not_know() {
    let backend = handfast::crypto::default_backend();
    let iso = "arn:aws-iso:sns:us-iso-west-1:123456789012:enroll";
    let unknown =
        Receiver::new(Policy::for_topics([iso.parse().unwrap()]), Arc::clone(&backend)).unwrap_err();
    assert_eq!(unknown.code(), Code::SnsInvalidPolicy);
    let mut named = Policy::for_topics([iso.parse().unwrap()]);
    named.expected_names.insert("us-iso-west-1".into(), "sns-us-iso-west-1.c2s.ic.gov".into());
    assert!(Receiver::new(named, Arc::clone(&backend)).is_ok());

    let mut renamed = policy();
    renamed.expected_names.insert("us-east-1".into(), "sns-signing.eu-central-2.amazonaws.com".into());
    let mut host = Host::new(renamed, &backend);
    host.needs(&message("v2-notification"));
    host.answer(URL, Ok(&certificate("opt-in-region"))).unwrap();
    host.verifies(&message("v2-notification"));
}

#[test]
fn a_policy_that_cannot_work_is_refused_at_the_start() {
    let backend = handfast::crypto::default_backend();
    let refuse = |change: &dyn Fn(&mut Policy), code: Code| {
        let mut broken = policy();
        change(&mut broken);
        assert_eq!(Receiver::new(broken, Arc::clone(&backend)).unwrap_err().code(), code);
    };
    refuse(&|it| it.topics.clear(), Code::SnsInvalidPolicy);
    refuse(&|it| it.topics.push(it.topics[0].clone()), Code::SnsInvalidPolicy);
    refuse(&|it| it.roots.push("no PEM".into()), Code::SnsInvalidPolicy);
    refuse(&|it| it.intermediates.push(pem("intermediate")), Code::SnsInvalidPolicy);
    refuse(&|it| it.pins.push(Pin { pem: pem("error-page"), url: None }), Code::SnsCertificateMalformed);
    refuse(&|it| it.pins.push(Pin { pem: pem("rsa-1024"), url: None }), Code::SnsCertificateKey);
    let prefixes =
        ["", "http://127.0.0.1", "ftp://127.0.0.1/", "http:///x/", "http://a@b/", "http://a/?x/", "//a/"];
    for prefix in prefixes {
        let development = handfast::sns::Development::localstack(prefix);
        refuse(&|it| it.development = Some(development.clone()), Code::SnsInvalidPolicy);
    }
}

#[test]
fn a_policy_is_read_from_data() {
    let read = |text: &str| serde_json::from_str::<Policy>(text);
    let small = read(r#"{"topics":[{"arn":"arn:aws:sns:us-east-1:123456789012:enroll"}]}"#).unwrap();
    assert_eq!((small.max_age_seconds, small.max_ahead_seconds), (3600, 300));
    assert!(!small.legacy_rsa_1024 && !small.allow_version_downgrade && small.development.is_none());
    let full = read(
        r#"{"topics":[{"arn":"arn:aws:sns:us-east-1:123456789012:enroll","minimum_signature_version":"2"}],
            "max_age_seconds":604800,"max_ahead_seconds":0,"legacy_rsa_1024":false,"allow_version_downgrade":true,
            "roots":[],"intermediates":[],"expected_names":{"eu-west-9":"sns.amazonaws.com"},
            "pins":[{"pem":"x"}],
            "development":{"certificate_url_prefix":"http://127.0.0.1:4566/","any_certificate":true}}"#,
    )
    .unwrap();
    let TopicPolicy { minimum_signature_version, .. } = &full.topics[0];
    assert_eq!(*minimum_signature_version, SignatureVersion::V2);
    assert!(!full.development.unwrap().version_1_unsubscribe);
    for text in [
        "{}",
        r#"{"topics":["arn:aws:sns:us-east-1:123456789012:enroll"]}"#,
        r#"{"topics":[{"arn":"arn:aws:sns:us-east-1:1:enroll"}]}"#,
        r#"{"topics":[],"max_age":5}"#,
        r#"{"topics":[],"max_age_seconds":-1}"#,
        r#"{"topics":[],"development":true}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}
