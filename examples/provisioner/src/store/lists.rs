//! Lists for operators, a page at a time.

use std::{fmt, str::FromStr};

use super::{Sql, Store, StoreError};
use data_encoding::BASE64URL_NOPAD;
use handfast::{
    id::{Kind, PackageId, ScopeId},
    record::{Key, PackageStatus, Record},
};
use serde::{Deserialize, Deserializer, de::Error as _};

/// Which packages are wanted.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) scope: Option<ScopeId>,
    pub(crate) kind: Option<Kind>,
    pub(crate) status: Option<PackageStatus>,
}

/// Where the next page begins: after this package, in the order of issue, the latest first. Stable while packages come
/// and go. Opaque to clients.
#[derive(Debug)]
pub(crate) struct Cursor {
    created_at: String,
    key: String,
}

/// The bodies of some packages.
#[derive(Debug)]
pub(crate) struct PackagePage {
    pub(crate) bodies: Vec<String>,
    pub(crate) next: Option<Cursor>,
}

/// Some events, each with its place in the whole log.
#[derive(Debug)]
pub(crate) struct EventPage {
    pub(crate) events: Vec<(i64, String)>,
    pub(crate) next: Option<i64>,
}

impl Store {
    /// Packages, the latest first.
    pub(crate) async fn packages(
        &self,
        filter: &Filter,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<PackagePage, StoreError> {
        let mut sql = Sql::new("SELECT body, created_at, key FROM handfast_records WHERE record = 'package'")
            .with_some(" AND scope = ", filter.scope.as_ref().map(ToString::to_string))
            .with_some(" AND kind = ", filter.kind.as_ref().map(ToString::to_string))
            .with_some(" AND status = ", filter.status.map(|status| status.as_str()));
        if let Some(cursor) = after {
            sql = sql
                .with(" AND (created_at, key) < (", cursor.created_at.as_str())
                .with(", ", cursor.key.as_str())
                .then(")");
        }
        sql = sql.with(" ORDER BY created_at DESC, key DESC LIMIT ", u32::from(limit).saturating_add(1));
        let mut rows: Vec<(String, String, String)> = self.fetch(sql).await?;
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let last = rows.last().filter(|_| more);
        let next =
            last.map(|(_, created_at, key)| Cursor { created_at: created_at.clone(), key: key.clone() });
        Ok(PackagePage { bodies: rows.into_iter().map(|(body, ..)| body).collect(), next })
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
