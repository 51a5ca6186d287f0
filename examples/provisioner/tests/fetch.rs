//! What the host gets from the web: signing certificates and confirmations, here from an emulator on this machine.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use support::{HERE, Place, authority};

const LEAF: &str = include_str!("../../../core/vectors/sns/certificates/leaf.pem");

/// A web server that gives every request one answer, after a delay, and remembers what was asked.
struct Web {
    origin: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    fn new(answer: impl Fn(&str) -> String + Send + 'static, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remember = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                let reply = answer(&path);
                remember.lock().unwrap().push(path);
                std::thread::sleep(delay);
                let _ = stream.write_all(reply.as_bytes());
            }
        });
        Self { origin, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// The development configuration, with the certificates of an emulator.
fn place(web: &Web) -> Place {
    let place = Place::new();
    let development = format!(
        "[sns.development]\ncertificate_url_prefix = \"{}\"\nany_certificate = true\n\n[policy]",
        web.origin
    );
    place.edit("provisioner.toml", "[policy]", &development);
    place.edit("provisioner.toml", "certificate_dir = \"certificates\"\n", "");
    place
}

fn message(web: &Web, kind: &str) -> String {
    let text = authority::state_change(HERE, "running").to_string();
    let message = if kind == "Notification" {
        json!({ "Type": kind, "Message": text })
    } else {
        json!({ "Type": kind })
    };
    authority::signed(message, authority::TOPIC, &web.origin)
}

#[tokio::test]
async fn a_certificate_is_fetched_once_for_all_who_wait() {
    let web = Web::new(|_| ok(LEAF), Duration::from_millis(300));
    let place = place(&web);
    let host = place.start();
    let posts = (0..5).map(|_| message(&web, "Notification")).collect::<Vec<_>>();
    let replies = tokio::join!(
        host.sns(&posts[0]),
        host.sns(&posts[1]),
        host.sns(&posts[2]),
        host.sns(&posts[3]),
        host.sns(&posts[4])
    );
    for reply in [replies.0, replies.1, replies.2, replies.3, replies.4] {
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    assert_eq!(web.asked(), [format!("/{}", authority::CERTIFICATE)]);
    host.joined(HERE).await;
}

#[tokio::test]
async fn a_subscription_is_confirmed_at_the_rebuilt_url() {
    let web = Web::new(|path| ok(if path.ends_with(".pem") { LEAF } else { "<ok/>" }), Duration::ZERO);
    let place = place(&web);
    let host = place.start();
    let reply = host.sns(&message(&web, "SubscriptionConfirmation")).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["result"]), (200, &"confirmed".into()));
    let asked = web.asked();
    assert_eq!(asked.len(), 2);
    assert!(
        asked[1].starts_with(&format!("/?Action=ConfirmSubscription&TopicArn={}&Token=", authority::TOPIC))
    );
    let token = asked[1].rsplit('=').next().unwrap();
    assert!(token.len() == 256 && !place.log().contains(token), "the token is in the log");

    let other = "arn:aws:sns:us-east-1:123456789012:other";
    let strange = authority::signed(json!({ "Type": "SubscriptionConfirmation" }), other, &web.origin);
    assert_eq!(host.sns(&strange).await.json()["code"], "sns_topic_not_allowed");
    assert_eq!(web.asked().len(), 2);
}

#[tokio::test]
async fn a_confirmation_that_fails_is_asked_for_again() {
    let gone = "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let web =
        Web::new(move |path| if path.ends_with(".pem") { ok(LEAF) } else { gone.to_owned() }, Duration::ZERO);
    let place = place(&web);
    let host = place.start();
    let reply = host.sns(&message(&web, "SubscriptionConfirmation")).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (503, &"sns_not_confirmed".into()));
}

#[tokio::test]
async fn what_is_no_certificate_is_neither_believed_nor_fetched_again_at_will() {
    let redirect = |_: &str| {
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
    };
    let missing = |_: &str| "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned();
    let endless = |_: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(64 * 1024));
    let page = |_: &str| ok(&format!("<html>{LEAF}</html>"));
    let webs = [
        (Web::new(redirect, Duration::ZERO), 503, "sns_fetch_failed"),
        (Web::new(missing, Duration::ZERO), 503, "sns_fetch_failed"),
        (Web::new(endless, Duration::ZERO), 503, "sns_fetch_failed"),
        (Web::new(page, Duration::ZERO), 403, "sns_certificate_malformed"),
    ];
    for (web, status, code) in webs {
        let place = place(&web);
        let host = place.start();
        for _ in 0..3 {
            let reply = host.sns(&message(&web, "Notification")).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (status, &code.into()), "{reply:?}");
        }
        assert_eq!(web.asked().len(), 1);
        assert_eq!(host.packages(host.token.as_ref().unwrap()).await.len(), 0);
    }
}
