//! Where certificates may come from, and where confirmations go.

use super::{SnsError, TopicArn};

/// Domain suffix of a partition (AWS SDK endpoint rules); `None` for partitions that handfast does not know.
pub(super) fn suffix(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" | "aws-us-gov" => Some("amazonaws.com"),
        "aws-cn" => Some("amazonaws.com.cn"),
        "aws-iso" => Some("c2s.ic.gov"),
        "aws-iso-b" => Some("sc2s.sgov.gov"),
        "aws-iso-e" => Some("cloud.adc-e.uk"),
        "aws-iso-f" => Some("csp.hci.ic.gov"),
        "aws-eusc" => Some("amazonaws.eu"),
        _ => None,
    }
}

/// `https://sns.<region>.<suffix>/`: the one place whose certificates may sign for this topic.
pub(super) fn origin(topic: &TopicArn) -> Option<String> {
    suffix(topic.partition()).map(|suffix| format!("https://sns.{}.{suffix}/", topic.region()))
}

/// The name in the signing certificate of a region, as the AWS SDK for Java has it (`SnsHostProvider`).
pub(super) fn certificate_name(topic: &TopicArn) -> Option<String> {
    let region = topic.region();
    match (topic.partition(), region) {
        (
            "aws",
            "ap-east-1" | "ap-east-2" | "ap-south-2" | "ap-southeast-3" | "ap-southeast-4" | "ap-southeast-5"
            | "ap-southeast-6" | "ap-southeast-7" | "me-south-1" | "me-central-1" | "eu-south-1"
            | "eu-south-2" | "eu-central-2" | "af-south-1" | "il-central-1" | "ca-west-1" | "mx-central-1",
        ) => Some(format!("sns-signing.{region}.amazonaws.com")),
        ("aws", _) => Some("sns.amazonaws.com".to_owned()),
        ("aws-cn", "cn-north-1" | "cn-northwest-1") => Some(format!("sns-{region}.amazonaws.com.cn")),
        ("aws-us-gov", "us-gov-west-1" | "us-gov-east-1") => {
            Some("sns-us-gov-west-1.amazonaws.com".to_owned())
        }
        ("aws-iso", "us-iso-east-1") => Some("sns-us-iso-east-1.c2s.ic.gov".to_owned()),
        ("aws-iso-b", "us-isob-east-1") => Some("sns-us-isob-east-1.sc2s.sgov.gov".to_owned()),
        ("aws-iso-f", "us-isof-east-1" | "us-isof-south-1") => {
            Some(format!("sns-signing.{region}.csp.hci.ic.gov"))
        }
        ("aws-iso-e", "eu-isoe-west-1") => Some("sns-signing.eu-isoe-west-1.cloud.adc-e.uk".to_owned()),
        ("aws-eusc", "eusc-de-east-1") => Some("sns-signing.eusc-de-east-1.amazonaws.eu".to_owned()),
        _ => None,
    }
}

/// Checks that a certificate URL is `<prefix>SimpleNotificationService-<32 hex digits>.pem` and nothing else. The
/// comparison is of whole texts, so there is no parser to disagree with the host's HTTP client.
pub(super) fn is_certificate_url(url: &str, prefix: &str) -> bool {
    url.strip_prefix(prefix)
        .and_then(|file| file.strip_prefix("SimpleNotificationService-"))
        .and_then(|file| file.strip_suffix(".pem"))
        .is_some_and(|digits| {
            let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            digits.len() == 32 && digits.bytes().all(hex)
        })
}

/// The refusal of a certificate URL, with what is wrong with it. Only for the message: the decision is made.
pub(super) fn refuse_certificate_url(url: &str, origin: Option<&str>) -> SnsError {
    let Some(origin) = origin else {
        return SnsError::CertificateUrl {
            reason: "is not under the development prefix",
            expected: "<development prefix>SimpleNotificationService-<32 hex digits>.pem".to_owned(),
        };
    };
    let expected = format!("{origin}SimpleNotificationService-<32 hex digits>.pem");
    SnsError::CertificateUrl { reason: fault(url, origin), expected }
}

fn fault(url: &str, origin: &str) -> &'static str {
    let Some(rest) = url.strip_prefix("https://") else { return "is not https" };
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['%', '\\']) {
        return "holds a character or an escape that no certificate URL has";
    }
    if url.contains(['?', '#']) {
        return "holds a query or a fragment";
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host = origin.trim_start_matches("https://").trim_end_matches('/');
    if authority.contains('@') {
        "holds user information"
    } else if authority.strip_prefix(host).is_some_and(|port| port.starts_with(':')) {
        "names a port"
    } else if authority != host {
        "is not on the SNS host of the topic's region"
    } else {
        "is not the path of a signing certificate"
    }
}

/// What a genuine SubscribeURL of this topic and token is, and what is fetched to confirm.
pub(super) fn confirmation(origin: &str, topic: &TopicArn, token: &str) -> String {
    format!("{origin}?Action=ConfirmSubscription&TopicArn={topic}&Token={token}")
}

/// Scheme and authority of a URL prefix that ends in `/`, with a final `/`; `None` when it has another form.
pub(super) fn origin_of_prefix(prefix: &str) -> Option<String> {
    let (scheme, rest) = prefix.split_once("://")?;
    let (authority, _) = rest.split_once('/')?;
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"?#%\\@".contains(&byte);
    (matches!(scheme, "http" | "https")
        && !authority.is_empty()
        && prefix.ends_with('/')
        && prefix.bytes().all(plain)
        && !prefix.contains("/../")
        && !prefix.contains("/./"))
    .then(|| format!("{scheme}://{authority}/"))
}
