//! AWS Secrets Manager, by the SDK: its credentials, region and endpoint come from where the SDK looks for them.

use std::{error::Error as _, io, sync::OnceLock, time::Duration};

use aws_config::{BehaviorVersion, timeout::TimeoutConfig};
use aws_sdk_secretsmanager::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError},
    operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput},
};
use tokio::runtime::{Builder, Runtime};

use super::Answer;

/// What asking once may take, with the SDK's own retries.
const TIMEOUT: Duration = Duration::from_secs(15);
/// A secret that its owner has left empty: the service takes no empty ones.
const EMPTY: &str = "intentionally-empty";
/// What asking again will not change.
const LASTING: [&str; 5] = [
    "AccessDeniedException",
    "InvalidParameterException",
    "ValidationException",
    "UnrecognizedClientException",
    "DecryptionFailure",
];

pub(super) struct SecretsManager {
    runtime: Runtime,
    /// Made when it is first asked: a machine without templates for it needs no network.
    client: OnceLock<Client>,
}

impl SecretsManager {
    pub(super) fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, client: OnceLock::new() })
    }

    /// The present version of a secret, by name or ARN.
    pub(super) fn ask(&self, id: &str) -> Answer {
        let client = self.client.get_or_init(|| self.connect());
        match self.runtime.block_on(client.get_secret_value().secret_id(id).send()) {
            Ok(found) => read(found),
            Err(error) => explain(&error),
        }
    }

    fn connect(&self) -> Client {
        let timeout = TimeoutConfig::builder().operation_timeout(TIMEOUT).build();
        let loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeout);
        Client::new(&self.runtime.block_on(loader.load()))
    }
}

fn read(found: GetSecretValueOutput) -> Answer {
    match found.secret_string {
        Some(text) if text == EMPTY => Answer::missing("intentionally empty"),
        Some(text) => Answer::value(text),
        None => Answer::refused("a binary secret"),
    }
}

/// A secret that is marked for deletion is as missing as one that was never made.
fn explain(error: &SdkError<GetSecretValueError>) -> Answer {
    let Some(said) = error.as_service_error() else {
        let cause =
            error.source().map_or_else(|| error.to_string(), |cause| DisplayErrorContext(cause).to_string());
        return Answer::unavailable(cause);
    };
    let code = said.code().unwrap_or("no code");
    if said.is_resource_not_found_exception() || said.is_invalid_request_exception() {
        Answer::missing(code)
    } else if LASTING.contains(&code) {
        Answer::refused(code)
    } else {
        Answer::unavailable(code)
    }
}
