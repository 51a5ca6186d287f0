//! An HTTP client that sends no token in the clear. `examples/cli` uses this very file.

use std::time::Duration;

/// A client for a host; `None` for one whose way there others could listen to.
pub(crate) fn client(base: &str, timeout: Duration) -> Option<ureq::Agent> {
    let is_local = is_local(base);
    if !base.starts_with("https://") && !is_local {
        return None;
    }
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0);
    // A proxy of the environment would read what is meant for this computer; through TLS it reads nothing.
    let config = if is_local { config.proxy(None) } else { config };
    Some(config.build().into())
}

/// Whether a URL stays on this computer, so that nobody can listen. What stands before an `@` is no host: with it, the token
/// would go in the clear to whatever comes after.
fn is_local(url: &str) -> bool {
    let authority = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { authority }
    });
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computer_is_local() {
        for url in ["http://127.0.0.1/api", "http://127.0.0.1:80", "http://[::1]:8080/x", "http://localhost"]
        {
            assert!(is_local(url), "{url}");
        }
        for url in [
            "http://127.0.0.1.example.org",
            "http://127.0.0.1@example.org",
            "http://localhost:x@127.0.0.5:18099/api",
            "http://localhost:80@example.org",
            "http://localhost:80@example.org:80",
            "http://localhost?@example.org",
            "https://localhost",
            "http://[::1].x/",
        ] {
            assert!(!is_local(url), "{url}");
        }
    }
}
