//! Lists for operators, a page at a time.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use handfast::{
    id::{Kind, PackageId, ScopeId},
    record::{Key, PackageStatus, Record},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use sqlx::{QueryBuilder, Sqlite};

use super::{Store, StoreError};

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
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT body, created_at, key FROM handfast_records WHERE record = 'package'",
        );
        for (condition, value) in [
            (" AND scope = ", filter.scope.as_ref().map(ToString::to_string)),
            (" AND kind = ", filter.kind.as_ref().map(ToString::to_string)),
            (" AND status = ", filter.status.map(|status| status.as_str().to_owned())),
        ] {
            if let Some(value) = value {
                query.push(condition).push_bind(value);
            }
        }
        if let Some(cursor) = after {
            query.push(" AND (created_at, key) < (").push_bind(&cursor.created_at).push(", ");
            query.push_bind(&cursor.key).push(")");
        }
        query
            .push(" ORDER BY created_at DESC, key DESC LIMIT ")
            .push_bind(i64::from(limit).saturating_add(1));
        let mut rows: Vec<(String, String, String)> = query.build_query_as().fetch_all(&self.reader).await?;
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
        let mut events: Vec<(i64, String)> = sqlx::query_as(
            "SELECT sequence, body FROM handfast_events WHERE key IN ($1, $2) AND sequence > $3 ORDER BY sequence LIMIT $4",
        )
        .bind(Key::Package(package.id).to_string())
        .bind(instance)
        .bind(after)
        .bind(i64::from(limit).saturating_add(1))
        .fetch_all(&self.reader)
        .await?;
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
