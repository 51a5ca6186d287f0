//! The audit, as a feed: facts in their order, and refusals as they are counted. Whoever follows it from cursor to cursor
//! misses nothing.

use std::{fmt, str::FromStr, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use handfast::time::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};
use sqlx::PgPool;

use super::{Pools, Sql, Store, StoreError};

/// What is wanted of the audit.
#[derive(Debug, Default)]
pub(crate) struct AuditFilter {
    /// An authority, as the events have it.
    pub(crate) actor: Option<String>,
    /// The name of a fact, or the code of a refusal.
    pub(crate) code: Option<String>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) kind: Option<EntryKind>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryKind {
    Fact,
    Refusal,
}

/// How far somebody has read: facts and refusals have each their own order. Opaque to clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AuditCursor {
    sequence: i64,
    /// A refusal that is counted once more moves to a later place, and is seen again with its new count.
    last_at: String,
    coalesce: String,
}

/// A fact or a counted refusal.
#[derive(Debug)]
pub(crate) enum Entry {
    Fact { sequence: i64, at: String, body: String },
    Refusals { coalesce: String, count: i64, first_at: String, last_at: String, body: String },
}

impl Entry {
    /// When it happened last.
    fn at(&self) -> &str {
        match self {
            Self::Fact { at, .. } | Self::Refusals { last_at: at, .. } => at,
        }
    }
}

impl Store {
    /// The next entries after the cursor, the earliest first, and the cursor behind them.
    pub(crate) async fn audit(
        &self,
        filter: &AuditFilter,
        after: &AuditCursor,
        now: Timestamp,
        limit: u16,
    ) -> Result<(Vec<Entry>, AuditCursor), StoreError> {
        let settled = match &self.pools {
            // Who writes is alone, so the numbers are in the order of the commits.
            Pools::Sqlite(_) => i64::MAX,
            Pools::Postgres(pool) => settled(pool, after.sequence).await?,
        };
        let mut entries = Vec::new();
        if filter.kind != Some(EntryKind::Refusal) {
            entries.extend(self.facts(filter, after, settled, limit).await?);
        }
        if filter.kind != Some(EntryKind::Fact) {
            entries.extend(self.refusals(filter, after, now, limit).await?);
        }
        entries.sort_by(|a, b| a.at().cmp(b.at()));
        entries.truncate(limit.into());
        let mut cursor = after.clone();
        for entry in &entries {
            match entry {
                Entry::Fact { sequence, .. } => cursor.sequence = cursor.sequence.max(*sequence),
                Entry::Refusals { last_at, coalesce, .. } => {
                    let place = (last_at.clone(), coalesce.clone());
                    (cursor.last_at, cursor.coalesce) = place.max((cursor.last_at, cursor.coalesce));
                }
            }
        }
        Ok((entries, cursor))
    }

    async fn facts(
        &self,
        filter: &AuditFilter,
        after: &AuditCursor,
        settled: i64,
        limit: u16,
    ) -> Result<Vec<Entry>, StoreError> {
        let sql = Sql::new("SELECT sequence, at, body FROM handfast_events")
            .with(" WHERE sequence > ", after.sequence)
            .with(" AND sequence <= ", settled)
            .with_some(" AND fact = ", filter.code.clone())
            .with_some(self.actor(), filter.actor.clone())
            .with_some(" AND at >= ", filter.since.map(|since| since.to_string()))
            .with(" ORDER BY sequence LIMIT ", limit);
        let rows: Vec<(i64, String, String)> = self.fetch(sql).await?;
        // Within one page, what was committed later shall not come earlier, whatever the clocks of its hosts said.
        let mut latest = String::new();
        let entry = |(sequence, at, body): (i64, String, String)| {
            latest = at.max(std::mem::take(&mut latest));
            Entry::Fact { sequence, at: latest.clone(), body }
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    /// A row of the last seconds is left for the next time: its commit may be on its way with an earlier time.
    async fn refusals(
        &self,
        filter: &AuditFilter,
        after: &AuditCursor,
        now: Timestamp,
        limit: u16,
    ) -> Result<Vec<Entry>, StoreError> {
        let settled = Timestamp::from_unix_millis(now.unix_millis().saturating_sub(REFUSALS_SETTLE_MILLIS));
        let sql = Sql::new("SELECT \"coalesce\", count, first_at, last_at, body FROM handfast_notices")
            .with(" WHERE (last_at, \"coalesce\") > (", after.last_at.as_str())
            .with(", ", after.coalesce.as_str())
            .with(") AND last_at <= ", settled.unwrap_or(now).to_string())
            .with_some(self.code(), filter.code.clone())
            .with_some(self.actor(), filter.actor.clone())
            .with_some(" AND last_at >= ", filter.since.map(|since| since.to_string()))
            .with(" ORDER BY last_at, \"coalesce\" LIMIT ", limit);
        let rows: Vec<(String, i64, String, String, String)> = self.fetch(sql).await?;
        let entry = |(coalesce, count, first_at, last_at, body)| Entry::Refusals {
            coalesce,
            count,
            first_at,
            last_at,
            body,
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    /// As the indexes of the migrations have it.
    fn actor(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite(_) => " AND json_extract(body, '$.authority') = ",
            Pools::Postgres(_) => r#" AND (substring(body from '"authority":"([^"]*)"')) = "#,
        }
    }

    fn code(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite(_) => " AND json_extract(body, '$.code') = ",
            Pools::Postgres(_) => " AND (body::json ->> 'code') = ",
        }
    }
}

/// Up to which number every fact is there that ever will be. Of two transactions, the one that drew its numbers first may
/// end last, and a reader that went past it would never see it. So: whoever writes when the highest number is taken is waited
/// for, as he holds a lock on the table from before he draws a number until after his facts can be seen. Nobody is kept from
/// writing.
async fn settled(pool: &PgPool, at_least: i64) -> Result<i64, StoreError> {
    let highest: i64 = sqlx::query_scalar(
        "SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence('handfast_events', 'sequence')::regclass), 0)",
    )
    .fetch_one(pool)
    .await?;
    let mut waiting: Option<Vec<String>> = None;
    for _ in 0..SETTLE_LOOKS {
        let writing: Vec<String> = sqlx::query_scalar(
            "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' \
             AND relation = 'handfast_events'::regclass",
        )
        .fetch_all(pool)
        .await?;
        let left: Vec<_> = match waiting {
            None => writing,
            Some(waiting) => {
                waiting.into_iter().filter(|transaction| writing.contains(transaction)).collect()
            }
        };
        if left.is_empty() {
            return Ok(highest);
        }
        waiting = Some(left);
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
    // Somebody writes for seconds: nothing new is shown until he has ended.
    Ok(at_least)
}

const SETTLE_LOOKS: u32 = 400;
const SETTLE_PAUSE: Duration = Duration::from_millis(5);
const REFUSALS_SETTLE_MILLIS: i64 = 5_000;

impl fmt::Display for AuditCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = format!("{} {} {}", self.sequence, self.last_at, self.coalesce);
        formatter.write_str(&BASE64URL_NOPAD.encode(plain.as_bytes()))
    }
}

impl FromStr for AuditCursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const INVALID: &str = "not a cursor of this list";
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| INVALID)?;
        let plain = String::from_utf8(bytes).map_err(|_| INVALID)?;
        let mut parts = plain.splitn(3, ' ');
        let (Some(sequence), Some(last_at), Some(coalesce)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(INVALID);
        };
        let sequence = sequence.parse().map_err(|_| INVALID)?;
        if plain.contains('\0') || sequence < 0 {
            return Err(INVALID);
        }
        Ok(Self { sequence, last_at: last_at.to_owned(), coalesce: coalesce.to_owned() })
    }
}

impl<'de> Deserialize<'de> for AuditCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
