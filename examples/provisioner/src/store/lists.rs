//! Lists for operators, a page at a time.

use std::{fmt, str::FromStr};

use super::{Pools, Sql, Store, StoreError};
use data_encoding::BASE64URL_NOPAD;
use handfast::{
    id::{Kind, PackageId, PackageName, ScopeId},
    record::{Key, NodeStatus, PackageStatus, Record},
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, de::Error as _};

/// Which packages are wanted.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) scope: Option<ScopeId>,
    pub(crate) kind: Option<Kind>,
    pub(crate) status: Option<PackageStatus>,
    /// The beginning of a name.
    pub(crate) name: Option<PackageName>,
    pub(crate) label: Option<(String, String)>,
    pub(crate) parent: Option<PackageId>,
}

/// Which nodes are wanted.
#[derive(Debug, Default)]
pub(crate) struct NodeFilter {
    pub(crate) package: Option<PackageId>,
    pub(crate) scope: Option<ScopeId>,
    pub(crate) status: Option<NodeStatus>,
}

/// Where the next page begins: after this record, in the order of issue, the latest first. Stable while packages come
/// and go. Opaque to clients.
#[derive(Debug)]
pub(crate) struct Cursor {
    created_at: String,
    key: String,
}

/// What of a list's statement depends on where its order comes from.
struct InOrder {
    after: &'static str,
    latest_first: &'static str,
}

/// The bodies of some records.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) bodies: Vec<String>,
    pub(crate) next: Option<Cursor>,
}

/// Some events, each with its place in the whole log.
#[derive(Debug)]
pub(crate) struct EventPage {
    pub(crate) events: Vec<(i64, String)>,
    pub(crate) next: Option<i64>,
}

const RECORDS: InOrder = InOrder {
    after: " AND (kept.created_at, kept.key) < (",
    latest_first: " ORDER BY kept.created_at DESC, kept.key DESC",
};

impl Store {
    /// Packages, the latest first.
    pub(crate) async fn packages(
        &self,
        filter: &Filter,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page, StoreError> {
        let (mut sql, in_order) = self.listed(filter.label.as_ref());
        sql = sql
            .with_some(" AND kept.scope = ", filter.scope.as_ref().map(ToString::to_string))
            .with_some(" AND kept.kind = ", filter.kind.as_ref().map(ToString::to_string))
            .with_some(" AND kept.status = ", filter.status.map(|status| status.as_str()))
            .with_some(" AND kept.parent = ", filter.parent.map(|parent| Key::Package(parent).to_string()));
        if let Some(name) = &filter.name {
            // No text of any alphabet sorts behind this character.
            sql = sql
                .with(" AND kept.name >= ", name.as_str())
                .with(" AND kept.name < ", format!("{name}\u{10ffff}"));
        }
        self.page(sql, &in_order, after, limit).await
    }

    /// Nodes, the latest first.
    pub(crate) async fn nodes(
        &self,
        filter: &NodeFilter,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page, StoreError> {
        let sql = Sql::new(
            "SELECT kept.body, kept.created_at, kept.key FROM handfast_records AS kept WHERE kept.record = 'node'",
        )
        .with_some(" AND kept.parent = ", filter.package.map(|package| Key::Package(package).to_string()))
        .with_some(" AND kept.scope = ", filter.scope.as_ref().map(ToString::to_string))
        .with_some(" AND kept.status = ", filter.status.map(|status| status.as_str()));
        self.page(sql, &RECORDS, after, limit).await
    }

    async fn page(
        &self,
        mut sql: Sql,
        in_order: &InOrder,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page, StoreError> {
        if let Some(cursor) = after {
            sql = sql
                .then(in_order.after)
                .with("", cursor.created_at.as_str())
                .with(", ", cursor.key.as_str())
                .then(")");
        }
        sql = sql.then(in_order.latest_first).with(" LIMIT ", u32::from(limit).saturating_add(1));
        let mut rows: Vec<(String, String, String)> = self.fetch(sql).await?;
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let last = rows.last().filter(|_| more);
        let next =
            last.map(|(_, created_at, key)| Cursor { created_at: created_at.clone(), key: key.clone() });
        Ok(Page { bodies: rows.into_iter().map(|(body, ..)| body).collect(), next })
    }

    /// The packages, perhaps those with a label, and what stands in the order of the list. SQLite has a table of labels in
    /// that order; PostgreSQL has an index of them.
    fn listed(&self, label: Option<&(String, String)>) -> (Sql, InOrder) {
        const LABELS: InOrder = InOrder {
            after: " AND (place.created_at, place.key) < (",
            latest_first: " ORDER BY place.created_at DESC, place.key DESC",
        };
        const ALL: &str = "SELECT kept.body, kept.created_at, kept.key FROM handfast_records AS kept WHERE kept.record = 'package'";
        const LABELLED: &str = "SELECT kept.body, kept.created_at, kept.key FROM handfast_labels AS place \
            CROSS JOIN handfast_records AS kept ON kept.key = place.key WHERE kept.record = 'package'";
        match (label, &self.pools) {
            (None, _) => (Sql::new(ALL), RECORDS),
            (Some((key, value)), Pools::Sqlite(_)) => {
                let sql = Sql::new(LABELLED).with(" AND place.label = ", key.as_str());
                (sql.with(" AND place.value = ", value.as_str()), LABELS)
            }
            (Some((key, value)), Pools::Postgres(_)) => {
                let sql = Sql::new(ALL)
                    .with(" AND kept.labels <> '{}' AND kept.labels @> jsonb_build_object(", key.as_str());
                (sql.with(", ", value.as_str()).then(")"), RECORDS)
            }
        }
    }

    /// How many packages there are of each status, in one scope or in all.
    pub(crate) async fn packages_by_status(
        &self,
        scope: Option<&ScopeId>,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = Sql::new(
            "SELECT status, COUNT(*) FROM handfast_records WHERE record = 'package' AND status IS NOT NULL",
        )
        .with_some(" AND scope = ", scope.map(ToString::to_string));
        self.fetch(sql.then(" GROUP BY status ORDER BY status")).await
    }

    /// How many records wait for something that is due.
    pub(crate) async fn count_due(&self, by: Timestamp) -> Result<i64, StoreError> {
        let sql =
            Sql::new("SELECT COUNT(*) FROM handfast_records WHERE wake_at IS NOT NULL AND wake_at <= $1");
        let counts: Vec<(i64,)> = self.fetch(sql.bind(by.to_string())).await?;
        Ok(counts.first().map_or(0, |(count,)| *count))
    }

    /// The bodies of a scope's pools.
    pub(crate) async fn pools(&self, scope: &ScopeId) -> Result<Vec<String>, StoreError> {
        let sql =
            Sql::new("SELECT body FROM handfast_records WHERE record = 'pool' AND scope = $1 ORDER BY key");
        let rows: Vec<(String,)> = self.fetch(sql.bind(scope.to_string())).await?;
        Ok(rows.into_iter().map(|(body,)| body).collect())
    }

    /// One package's body.
    pub(crate) async fn package(&self, id: PackageId) -> Result<Option<String>, StoreError> {
        Ok(self.read(&[Key::Package(id)]).await?.pop().map(|row| row.body))
    }

    /// The history of a package and of the instance that it was issued for, in the order of their commits.
    pub(crate) async fn events(
        &self,
        package: &str,
        after: i64,
        limit: u16,
    ) -> Result<EventPage, StoreError> {
        let record = Record::from_body(package).map_err(|error| StoreError::Foreign(error.to_string()))?;
        let Record::Package(package) = record else { return Err(StoreError::Foreign("no package".into())) };
        let instance = package.issued.instance.clone().map(|id| Key::Instance(id).to_string());
        let sql = Sql::new("SELECT sequence, body FROM handfast_events WHERE key IN ($1, $2)")
            .bind(Key::Package(package.id).to_string())
            .bind(instance)
            .with(" AND sequence > ", after)
            .with(" ORDER BY sequence LIMIT ", u32::from(limit).saturating_add(1));
        let mut events: Vec<(i64, String)> = self.fetch(sql).await?;
        let more = events.len() > usize::from(limit);
        events.truncate(limit.into());
        let next = events.last().filter(|_| more).map(|(sequence, _)| *sequence);
        Ok(EventPage { events, next })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&BASE64URL_NOPAD.encode(format!("{} {}", self.created_at, self.key).as_bytes()))
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NOT_A_CURSOR)?;
        let plain = String::from_utf8(bytes).map_err(|_| NOT_A_CURSOR)?;
        let (created_at, key) = plain.split_once(' ').ok_or(NOT_A_CURSOR)?;
        Ok(Self { created_at: created_at.to_owned(), key: key.to_owned() })
    }
}

const NOT_A_CURSOR: &str = "not a cursor of this list";

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
