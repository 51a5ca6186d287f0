//! What the receiver asks the host to get: signing certificates, and the confirmation of subscriptions.

use std::{fs::File, io::Read, path::Path, time::Duration};

use handfast::{
    limits,
    sns::{Fetch, FetchFailure},
};
use reqwest::{Client, Response, redirect};

/// The web, without redirects: every URL is one that the receiver has built or checked.
#[derive(Debug)]
pub(super) struct Web(Client);

impl Web {
    /// `plain_http` is for emulators only.
    pub(super) fn new(plain_http: bool) -> reqwest::Result<Self> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .https_only(!plain_http)
            .referer(false)
            .user_agent(concat!("handfast-provisioner/", env!("CARGO_PKG_VERSION")));
        Ok(Self(client.build()?))
    }

    /// Fetches a signing certificate.
    pub(super) async fn certificate(&self, fetch: &Fetch) -> Result<Vec<u8>, FetchFailure> {
        let seconds = Duration::from_secs(fetch.timeout_seconds.into());
        tokio::time::timeout(seconds, async { read(self.get(&fetch.url).await?, fetch.max_bytes).await })
            .await
            .unwrap_or(Err(FetchFailure::Timeout))
    }

    /// Confirms a subscription. The URL holds the token, so it is never logged.
    pub(super) async fn confirm(&self, url: &str) -> Result<(), FetchFailure> {
        let seconds = Duration::from_secs(limits::SNS_FETCH_TIMEOUT_SECONDS.into());
        let response = tokio::time::timeout(seconds, self.get(url)).await;
        response.unwrap_or(Err(FetchFailure::Timeout)).map(drop)
    }

    async fn get(&self, url: &str) -> Result<Response, FetchFailure> {
        let response = self.0.get(url).send().await.map_err(|error| failure(&error))?;
        match response.status().as_u16() {
            200 => Ok(response),
            300..=399 => Err(FetchFailure::Redirect),
            status => Err(FetchFailure::Status(status)),
        }
    }
}

/// Stops reading at the limit, whatever the response says of its length.
async fn read(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, FetchFailure> {
    let mut file = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if file.len().saturating_add(chunk.len()) > max_bytes {
            return Err(FetchFailure::TooLarge);
        }
        file.extend_from_slice(&chunk);
    }
    Ok(file)
}

fn failure(error: &reqwest::Error) -> FetchFailure {
    if error.is_timeout() { FetchFailure::Timeout } else { FetchFailure::Unreachable }
}

/// Takes a certificate out of a folder, where its file bears the name that it has in the URL.
pub(super) fn from_folder(folder: &Path, fetch: &Fetch) -> Result<Vec<u8>, FetchFailure> {
    let name = fetch.url.rsplit('/').next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if name.starts_with('.') || !name.bytes().all(plain) {
        return Err(FetchFailure::Unreachable);
    }
    let limit = u64::try_from(fetch.max_bytes).unwrap_or(u64::MAX);
    let mut file = Vec::new();
    File::open(folder.join(name))
        .and_then(|open| open.take(limit.saturating_add(1)).read_to_end(&mut file))
        .map_err(|_| FetchFailure::Unreachable)?;
    if file.len() > fetch.max_bytes { Err(FetchFailure::TooLarge) } else { Ok(file) }
}
