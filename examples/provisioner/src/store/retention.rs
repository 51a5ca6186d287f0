//! What has ended, and the facts of what was forgotten.

use handfast::{record::Key, time::Timestamp};

use super::{Pools, Sql, Store, StoreError};

/// An ended record, and its place in the order of all that were made before it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) created_at: String,
    pub(crate) key: Key,
    pub(crate) body: String,
}

impl Store {
    /// Records that have ended and were made by then, the earliest first, from behind that one.
    pub(crate) async fn ended(
        &self,
        by: Timestamp,
        after: Option<&Ended>,
        limit: u32,
    ) -> Result<Vec<Ended>, StoreError> {
        let (created_at, key) =
            after.map_or_else(Default::default, |last| (last.created_at.clone(), last.key.to_string()));
        let sql = Sql::new("SELECT created_at, key, body FROM handfast_records")
            .then(match &self.pools {
                // It would rather take the index of all states, and sort.
                Pools::Sqlite(_) => " INDEXED BY provisioner_records_ended",
                Pools::Postgres(_) => "",
            })
            // The index is over these very states.
            .then(" WHERE status IN ('expired', 'revoked', 'retired', 'shutting-down', 'terminated')")
            .with(" AND (created_at, key) > (", created_at)
            .with(", ", key)
            .with(") AND created_at <= ", by.to_string())
            .with(" ORDER BY created_at, key LIMIT ", limit);
        let rows: Vec<(String, String, String)> = self.fetch(sql).await?;
        let ended = |(created_at, key, body): (String, String, String)| {
            Ok(Ended { created_at, key: key.parse()?, body })
        };
        rows.into_iter().map(ended).collect()
    }

    /// Deletes the facts of some records that were forgotten, all of each at once, and says how many facts. Which records
    /// those are the log itself says, so that nothing is left over when this comes late, or is killed. Where their chains had
    /// got to stays with the records: an auditor goes on from there.
    pub(crate) async fn prune_forgotten(&self, records: u32) -> Result<u64, StoreError> {
        let delete = Sql::new(
            "DELETE FROM handfast_events WHERE key IN \
             (SELECT key FROM handfast_events WHERE fact = 'forgotten' ORDER BY sequence LIMIT $1)",
        );
        self.execute(delete.bind(records)).await
    }
}
