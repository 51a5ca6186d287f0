//! What has ended is kept for its time, and then forgotten.

use handfast::{record::Key, time::Timestamp};

use super::{Sql, Store, StoreError};

impl Store {
    /// Packages, nodes and instances that have ended, of which nothing is left outside and nothing has happened to since then;
    /// the oldest first.
    pub(crate) async fn ended_before(&self, at: Timestamp, limit: u32) -> Result<Vec<Key>, StoreError> {
        let sql = Sql::new(
            "SELECT kept.key FROM handfast_records AS kept \
             WHERE kept.record IN ('package', 'node', 'instance') AND kept.wake_at IS NULL \
             AND kept.status IN ('expired', 'revoked', 'retired', 'terminated')",
        )
        .with(" AND kept.created_at <= ", at.to_string())
        .with(
            " AND NOT EXISTS (SELECT 1 FROM handfast_events AS event WHERE event.key = kept.key AND event.at > ",
            at.to_string(),
        )
        .with(") ORDER BY kept.created_at LIMIT ", limit);
        let keys: Vec<(String,)> = self.fetch(sql).await?;
        keys.into_iter().map(|(key,)| Ok(key.parse()?)).collect()
    }

    /// Whether nothing has happened to a record since then.
    pub(crate) async fn is_untouched_since(&self, key: &Key, at: Timestamp) -> Result<bool, StoreError> {
        let sql = Sql::new("SELECT version FROM handfast_events").with(" WHERE key = ", key.to_string());
        let later: Vec<(i64,)> = self.fetch(sql.with(" AND at > ", at.to_string()).then(" LIMIT 1")).await?;
        Ok(later.is_empty())
    }

    /// Deletes the history of records that were forgotten. The version and the digest of their last fact stay with the
    /// record, so that a copy of the history can still be checked.
    pub(crate) async fn delete_forgotten_history(&self) -> Result<u64, StoreError> {
        let delete = "DELETE FROM handfast_events WHERE key IN \
            (SELECT key FROM handfast_records WHERE record = 'forgotten')";
        self.execute(Sql::new(delete)).await
    }
}
