//! Operators: people and scripts that administer packages, each with a bearer token.
//!
//! A token is `hfo_<id>_<secret>`: a public id that finds its row, and 256 random bits. Only a digest is stored, so a
//! stolen database lets nobody in; an unknown id costs the same comparison as a known one.

use std::{fmt::Display, io::Write, str::FromStr};

use clap::ValueEnum;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use handfast::{crypto::default_backend, id::ActorName, secret::Secret, time::Timestamp};

use crate::{
    Fatal,
    cli::{OperatorAction, Operators},
    clock::Clock,
    database::{Database, Said},
    store::{Sql, Store, StoreError, Unit},
};

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Permission {
    /// List packages and read their history.
    #[value(name = "packages:read")]
    PackagesRead,
    /// Change what is so: revoke packages.
    #[value(name = "config:write")]
    ConfigWrite,
}

impl Permission {
    /// As it is written and stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PackagesRead => "packages:read",
            Self::ConfigWrite => "config:write",
        }
    }
}

/// Somebody whose token has been checked.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) name: ActorName,
    permissions: Vec<Permission>,
}

impl Operator {
    /// Whether the token allows it.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Finds out whose token it is; `None` for any that is not good, whatever is wrong with it.
    pub(crate) async fn authenticate(store: &Store, token: &Secret) -> Result<Option<Self>, StoreError> {
        let id = token
            .expose()
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .map_or("", |(id, _)| id);
        let sql = Sql::new(
            "SELECT name, digest, permissions FROM provisioner_operators WHERE id = $1 AND removed_at IS NULL",
        );
        let row: Option<(String, String, String)> = store.fetch(sql.bind(id)).await?.pop();
        let (known, (name, expected, permissions)) = match row {
            Some(row) => (true, row),
            None => (false, ("nobody".into(), digest(&Secret::new(String::new())), String::new())),
        };
        // Secrets compare in constant time.
        if !(Secret::new(expected) == Secret::new(digest(token)) && known) {
            return Ok(None);
        }
        let permissions =
            permissions.split_whitespace().filter_map(|text| Permission::from_str(text, false).ok());
        Ok(Some(Self { name: name.parse()?, permissions: permissions.collect() }))
    }
}

const PREFIX: &str = "hfo_";

fn digest(token: &Secret) -> String {
    let input = format!("provisioner operator token 1\n{}", token.expose());
    HEXLOWER.encode(&default_backend().sha256(input.as_bytes()))
}

/// Makes the first operator's token at the first start and shows it before it counts: whoever kills the program in
/// between gets another one at the next start.
pub(crate) async fn ensure_first(store: &Store, now: Timestamp) -> Result<(), Fatal> {
    let mut unit = store.begin().await?;
    unit.alone("LOCK TABLE provisioner_operators IN SHARE ROW EXCLUSIVE MODE").await?;
    let any: Vec<(String,)> = unit.fetch(Sql::new("SELECT id FROM provisioner_operators LIMIT 1")).await?;
    if !any.is_empty() {
        return Ok(());
    }
    let name = ActorName::from_str("admin")?;
    let permissions = [Permission::PackagesRead, Permission::ConfigWrite];
    let (id, token) = new_token();
    insert(&mut unit, (&id, &name, &token), &permissions, now).await?;
    show(format_args!("operator token of {name} (shown this once): {}", token.expose()))?;
    Ok(unit.commit().await?)
}

/// The subcommand `operators`.
pub(crate) async fn administer(operators: Operators) -> Result<(), Fatal> {
    let said = Said {
        option: operators.records.database,
        password_file: operators.records.database_password_file,
        in_file: None,
    };
    let database = said.resolve()?;
    if matches!(&database, Database::Sqlite(path) if !path.exists()) {
        return Err(format!("no database at {database}: start the host first").into());
    }
    let store = Store::open(&database).await?;
    let now = Clock::System.now().at;
    match operators.action {
        OperatorAction::Add { name, permissions } => add(&store, &name, permissions, now).await,
        OperatorAction::List => list(&store).await,
        OperatorAction::Remove { name } => remove(&store, &name, now).await,
    }
}

async fn add(
    store: &Store,
    name: &ActorName,
    mut permissions: Vec<Permission>,
    now: Timestamp,
) -> Result<(), Fatal> {
    permissions.sort_unstable();
    permissions.dedup();
    let (id, token) = new_token();
    let mut unit = store.begin().await?;
    match insert(&mut unit, (&id, name, &token), &permissions, now).await {
        Err(error) if error.is_duplicate() => {
            return Err(format!("{name} has a token already: remove it first").into());
        }
        other => other?,
    }
    unit.commit().await?;
    show(format_args!("operator token of {name} (shown this once): {}", token.expose()))
}

async fn list(store: &Store) -> Result<(), Fatal> {
    let rows: Vec<(String, String, String, String)> = store
        .fetch(Sql::new(
            "SELECT id, name, permissions, created_at FROM provisioner_operators WHERE removed_at IS NULL ORDER BY name",
        ))
        .await?;
    rows.iter().try_for_each(|(id, name, permissions, created_at)| {
        show(format_args!("{name}  {permissions}  token {PREFIX}{id}_...  since {created_at}"))
    })
}

async fn remove(store: &Store, name: &ActorName, now: Timestamp) -> Result<(), Fatal> {
    let sql =
        Sql::new("UPDATE provisioner_operators SET removed_at = $1 WHERE name = $2 AND removed_at IS NULL");
    let removed = store.execute(sql.bind(now.to_string()).bind(name.as_str())).await?;
    if removed == 0 { Err(format!("{name} has no token").into()) } else { Ok(()) }
}

fn new_token() -> (String, Secret) {
    let id = HEXLOWER.encode(&rand::random::<[u8; 8]>());
    let secret = BASE64URL_NOPAD.encode(&rand::random::<[u8; 32]>());
    let token = Secret::new(format!("{PREFIX}{id}_{secret}"));
    (id, token)
}

async fn insert(
    unit: &mut Unit,
    (id, name, token): (&str, &ActorName, &Secret),
    permissions: &[Permission],
    now: Timestamp,
) -> Result<(), StoreError> {
    let permissions: Vec<_> = permissions.iter().map(|permission| permission.as_str()).collect();
    let sql = Sql::new(
        "INSERT INTO provisioner_operators (id, name, digest, permissions, created_at) VALUES ($1, $2, $3, $4, $5)",
    );
    let row = sql
        .bind(id)
        .bind(name.as_str())
        .bind(digest(token))
        .bind(permissions.join(" "))
        .bind(now.to_string());
    unit.execute(row).await?;
    Ok(())
}

/// Writes a line to standard output, which is for the person who started the program; the log goes elsewhere.
pub(crate) fn show(line: impl Display) -> Result<(), Fatal> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
