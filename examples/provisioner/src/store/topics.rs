//! What must be remembered about topics across restarts.

use std::collections::BTreeSet;

use handfast::{sns::TopicArn, time::Timestamp};

use super::{Store, StoreError};

impl Store {
    /// Topics that have been seen with signature version 2.
    pub(crate) async fn version_2_topics(&self) -> Result<BTreeSet<String>, StoreError> {
        let topics: Vec<(String,)> =
            sqlx::query_as("SELECT arn FROM provisioner_topics").fetch_all(&self.reader).await?;
        Ok(topics.into_iter().map(|(arn,)| arn).collect())
    }

    /// Remembers that a topic has been seen with signature version 2.
    pub(crate) async fn remember_version_2(
        &self,
        topic: &TopicArn,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO provisioner_topics (arn, version_2_since) VALUES ($1, $2) ON CONFLICT (arn) DO NOTHING",
        )
        .bind(topic.as_str())
        .bind(now.to_string())
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
