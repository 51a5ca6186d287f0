//! Counted refusals. Strangers cause them, so they must not fill the disk.

use super::{Sql, Store, StoreError};

/// Rows of counted refusals that are kept; the oldest go first.
pub(crate) const NOTICES: u32 = 100_000;

impl Store {
    /// Deletes the oldest rows beyond `keep`. Their keys begin with their minute, so that they sort by time.
    pub(crate) async fn bound_notices(&self, keep: u32) -> Result<u64, StoreError> {
        let delete = Sql::new(
            "DELETE FROM handfast_notices WHERE \"coalesce\" <= \
             (SELECT \"coalesce\" FROM handfast_notices ORDER BY \"coalesce\" DESC LIMIT 1 OFFSET $1)",
        );
        self.execute(delete.bind(keep)).await
    }
}

#[cfg(test)]
mod tests {
    use handfast::vocabulary::{Batch, NoticeRow};

    use super::{super::testing::for_each_database, *};

    #[tokio::test]
    async fn the_oldest_go_first() {
        for_each_database(async |store| the_oldest_go_first_in(&store).await).await;
    }

    async fn the_oldest_go_first_in(store: &Store) {
        let notice = |minute: u32| NoticeRow {
            coalesce: format!("{minute:010}|unknown|-|-"),
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            body: "{}".into(),
        };
        let notices = [3, 1, 2, 5, 4, 4].map(notice).into();
        let batch = Batch { guards: vec![], writes: vec![], events: vec![], notices, vault: vec![] };
        assert!(store.commit(&batch).await.unwrap());
        assert_eq!(store.bound_notices(5).await.unwrap(), 0);
        assert_eq!(store.bound_notices(3).await.unwrap(), 2);
        let left: Vec<(String, i64)> = store
            .fetch(Sql::new("SELECT \"coalesce\", count FROM handfast_notices ORDER BY 1"))
            .await
            .unwrap();
        let minutes: Vec<_> = left.iter().map(|(key, count)| (key.get(..10).unwrap(), *count)).collect();
        assert_eq!(minutes, [("0000000003", 1), ("0000000004", 2), ("0000000005", 1)]);
    }
}
