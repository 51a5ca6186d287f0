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
    store::{Store, StoreError},
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
        let row: Option<(String, String, String)> = sqlx::query_as(
            "SELECT name, digest, permissions FROM provisioner_operators WHERE id = $1 AND removed_at IS NULL",
        )
        .bind(id)
        .fetch_optional(&store.reader)
        .await?;
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
    let mut transaction = store.writer.begin_with("BEGIN IMMEDIATE").await?;
    let (any,): (bool,) = sqlx::query_as("SELECT EXISTS (SELECT 1 FROM provisioner_operators)")
        .fetch_one(&mut *transaction)
        .await?;
    if any {
        return Ok(());
    }
    let name = ActorName::from_str("admin")?;
    let permissions = [Permission::PackagesRead, Permission::ConfigWrite];
    let (id, token) = new_token();
    insert(&mut transaction, (&id, &name, &token), &permissions, now).await?;
    show(format_args!("operator token of {name} (shown this once): {}", token.expose()))?;
    transaction.commit().await?;
    Ok(())
}

/// The subcommand `operators`.
pub(crate) async fn administer(operators: Operators) -> Result<(), Fatal> {
    if !operators.database.exists() {
        return Err(format!("no database at {}: start the host first", operators.database.display()).into());
    }
    let store = Store::open(&operators.database).await?;
    let now = Clock::system().now().at;
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
    let mut connection = store.writer.acquire().await?;
    match insert(&mut connection, (&id, name, &token), &permissions, now).await {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            return Err(format!("{name} has a token already: remove it first").into());
        }
        other => other?,
    }
    show(format_args!("operator token of {name} (shown this once): {}", token.expose()))
}

async fn list(store: &Store) -> Result<(), Fatal> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT id, name, permissions, created_at FROM provisioner_operators WHERE removed_at IS NULL ORDER BY name",
    )
    .fetch_all(&store.reader)
    .await?;
    rows.iter().try_for_each(|(id, name, permissions, created_at)| {
        show(format_args!("{name}  {permissions}  token {PREFIX}{id}_...  since {created_at}"))
    })
}

async fn remove(store: &Store, name: &ActorName, now: Timestamp) -> Result<(), Fatal> {
    let removed = sqlx::query(
        "UPDATE provisioner_operators SET removed_at = $1 WHERE name = $2 AND removed_at IS NULL",
    )
    .bind(now.to_string())
    .bind(name.as_str())
    .execute(&store.writer)
    .await?;
    if removed.rows_affected() == 0 { Err(format!("{name} has no token").into()) } else { Ok(()) }
}

fn new_token() -> (String, Secret) {
    let id = HEXLOWER.encode(&rand::random::<[u8; 8]>());
    let secret = BASE64URL_NOPAD.encode(&rand::random::<[u8; 32]>());
    let token = Secret::new(format!("{PREFIX}{id}_{secret}"));
    (id, token)
}

async fn insert(
    connection: &mut sqlx::SqliteConnection,
    (id, name, token): (&str, &ActorName, &Secret),
    permissions: &[Permission],
    now: Timestamp,
) -> sqlx::Result<()> {
    let permissions: Vec<_> = permissions.iter().map(|permission| permission.as_str()).collect();
    sqlx::query(
        "INSERT INTO provisioner_operators (id, name, digest, permissions, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(name.as_str())
    .bind(digest(token))
    .bind(permissions.join(" "))
    .bind(now.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a line to standard output, which is for the person who started the program; the log goes elsewhere.
pub(crate) fn show(line: impl Display) -> Result<(), Fatal> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
