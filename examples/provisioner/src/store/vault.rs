//! Sealed secrets, one after the other, for whoever seals them anew.

use handfast::{record::Row, vocabulary::VaultWrite};

use super::{Sql, Store, StoreError, row};

impl Store {
    /// Some rows of the vault, in the order of their keys.
    pub(crate) async fn sealed(&self, after: &str, limit: u32) -> Result<Vec<Row>, StoreError> {
        let sql = Sql::new("SELECT key, sealed FROM handfast_vault");
        let sql = sql.with(" WHERE key > ", after).with(" ORDER BY key LIMIT ", limit);
        let rows: Vec<(String, String)> = self.fetch(sql).await?;
        rows.into_iter().map(|(key, sealed)| row((key, 1, sealed))).collect()
    }

    /// Replaces a row, if it is still as it was read: it may have been shredded meanwhile.
    pub(crate) async fn replace_sealed(&self, before: &Row, write: &VaultWrite) -> Result<bool, StoreError> {
        let VaultWrite::Put { sealed, .. } = write else { return Ok(false) };
        let sql = Sql::new("UPDATE handfast_vault SET sealed = $1 WHERE key = $2 AND sealed = $3");
        let sql = sql.bind(sealed.as_str()).bind(before.key.to_string()).bind(before.body.as_str());
        Ok(self.execute(sql).await? == 1)
    }
}
