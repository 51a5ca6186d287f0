//! What must be remembered about topics across restarts, and told to other hosts.

use handfast::{sns::TopicArn, time::Timestamp};

use super::{Sql, Store, StoreError};

impl Store {
    /// Topics that have been seen with signature version 2.
    pub(crate) async fn version_2_topics(&self) -> Result<Vec<String>, StoreError> {
        let topics: Vec<(String,)> = self.fetch(Sql::new("SELECT arn FROM provisioner_topics")).await?;
        Ok(topics.into_iter().map(|(arn,)| arn).collect())
    }

    /// Remembers that a topic has been seen with signature version 2.
    pub(crate) async fn remember_version_2(
        &self,
        topic: &TopicArn,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let insert = Sql::new(
            "INSERT INTO provisioner_topics (arn, version_2_since) VALUES ($1, $2) ON CONFLICT (arn) DO NOTHING",
        );
        self.execute(insert.bind(topic.as_str()).bind(now.to_string())).await?;
        Ok(())
    }
}
