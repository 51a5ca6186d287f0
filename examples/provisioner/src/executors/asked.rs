//! What others say, remembered for a while.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use super::PATIENCE;

/// Something that is asked for at most once in [`AGE`], also when it cannot be had, so that strangers cannot make the host
/// ask at will.
#[derive(Debug)]
pub(super) struct Asked<T>(Mutex<Option<(Instant, Result<T, String>)>>);

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Asked<T> {
    /// What was said lately, or is said now.
    pub(super) async fn get(&self, ask: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        let mut kept = self.0.lock().await;
        if let Some((at, said)) = &*kept {
            let age = if said.is_ok() { AGE } else { FAILURE_AGE };
            if at.elapsed() < age {
                return said.clone();
            }
        }
        let said = tokio::time::timeout(PATIENCE, ask).await;
        let said = said.unwrap_or_else(|_| Err("no answer in time".into()));
        *kept = Some((Instant::now(), said.clone()));
        said
    }
}

const AGE: Duration = Duration::from_secs(30);
const FAILURE_AGE: Duration = Duration::from_secs(3);
