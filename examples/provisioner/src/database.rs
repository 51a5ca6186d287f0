//! Which database: a SQLite file, or a PostgreSQL that several hosts share.
//!
//! A command line can be read by everybody on the machine, and a configuration file is copied around: an URL in either
//! holds no password. It comes from `DATABASE_URL`, from `PGPASSWORD`, from the password file that PostgreSQL's own
//! programs read (`~/.pgpass`, `PGPASSFILE`), or from a private file of its own.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use reqwest::Url;
use sqlx::postgres::PgConnectOptions;

use crate::{Fatal, private_file};

/// Where the records are.
#[derive(Clone)]
pub(crate) enum Database {
    /// A file, which one host has for itself.
    Sqlite(PathBuf),
    /// A server, which several hosts may share.
    Postgres(Box<PgConnectOptions>),
}

/// What was said about the database, each part by an option or in the configuration file.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// A path or an URL of the command line.
    pub(crate) option: Option<String>,
    /// A path or an URL of the configuration file, and the folder that its paths are relative to.
    pub(crate) in_file: Option<(String, PathBuf)>,
    /// A file with nothing but the password.
    pub(crate) password_file: Option<PathBuf>,
}

impl Said {
    /// The option wins over the configuration file, and that over `DATABASE_URL`, which may be meant for another program.
    ///
    /// # Errors
    /// What is wrong with it, without a password.
    pub(crate) fn resolve(self) -> Result<Database, Fatal> {
        let database = if let Some(text) = self.option {
            read(&text, Path::new(""), "--database")
        } else if let Some((text, folder)) = self.in_file {
            read(&text, &folder, "database")
        } else if let Some(text) = std::env::var_os(VARIABLE) {
            let text = text.into_string().map_err(|_| format!("{VARIABLE} is no text"))?;
            read(&text, Path::new(""), VARIABLE)
        } else {
            Ok(Database::Sqlite(DEFAULT.into()))
        }?;
        match (database, self.password_file) {
            (Database::Postgres(options), Some(path)) => {
                Ok(Database::Postgres(Box::new(options.password(&password(&path)?))))
            }
            (Database::Sqlite(_), Some(_)) => Err("a SQLite file has no password".into()),
            (database, None) => Ok(database),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(formatter),
            Self::Postgres(options) => {
                let name = options.get_database().unwrap_or_else(|| options.get_username());
                match options.get_socket() {
                    Some(folder) => write!(formatter, "PostgreSQL {name} at {}", folder.display()),
                    None => write!(
                        formatter,
                        "PostgreSQL {name} at {}:{}",
                        options.get_host(),
                        options.get_port()
                    ),
                }
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The default: a file in the working folder.
pub(crate) const DEFAULT: &str = "provisioner.sqlite";
const VARIABLE: &str = "DATABASE_URL";

/// What an URL may say. Others are refused, because sqlx would log them with their values.
const PARAMETERS: [&str; 10] = [
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
];

fn read(text: &str, folder: &Path, origin: &str) -> Result<Database, Fatal> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return postgres(text, origin);
    }
    let path = match text.strip_prefix("sqlite:") {
        Some(path) => path.strip_prefix("//").unwrap_or(path),
        None if text.contains("://") => {
            return Err(format!("{origin}: expected a file, sqlite:FILE or postgres://..").into());
        }
        None => text,
    };
    if path.is_empty() || path.contains('?') {
        return Err(format!("{origin}: expected the path of a file").into());
    }
    Ok(Database::Sqlite(folder.join(path)))
}

/// Nothing that an error says here repeats the URL, which may hold a password.
fn postgres(text: &str, origin: &str) -> Result<Database, Fatal> {
    let url = Url::parse(text).map_err(|error| format!("{origin}: not an URL: {error}"))?;
    for (name, _) in url.query_pairs() {
        if !PARAMETERS.contains(&name.as_ref()) {
            return Err(format!("{origin}: unknown parameter {name}").into());
        }
    }
    let has_password = url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password");
    if has_password && origin != VARIABLE {
        return Err(format!(
            "{origin}: no password belongs here: use {VARIABLE}, PGPASSWORD, ~/.pgpass or --database-password-file"
        )
        .into());
    }
    let options =
        PgConnectOptions::from_str(text).map_err(|_| format!("{origin}: not an URL of PostgreSQL"))?;
    Ok(Database::Postgres(Box::new(options)))
}

fn password(path: &Path) -> Result<String, Fatal> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    if !private_file::is_private(path)? {
        return Err(format!("{shown} can be read by others: chmod 600 it").into());
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn shown(text: &str) -> String {
        read(text, Path::new("/etc/provisioner"), "database").unwrap().to_string()
    }

    #[test]
    fn a_path_or_an_url() {
        for text in ["a.db", "sqlite:a.db", "sqlite://a.db"] {
            assert_eq!(shown(text), "/etc/provisioner/a.db");
        }
        assert_eq!(shown("sqlite:///var/a.db"), "/var/a.db");
        assert_eq!(shown("postgres://ann@db.example:5433/records"), "PostgreSQL records at db.example:5433");
        assert_eq!(shown("postgresql:///records?host=/run/pg&user=ann"), "PostgreSQL records at /run/pg");
        for text in
            ["", "sqlite:", "a.db?mode=ro", "mysql://db/records", "postgres://[", "postgres:///?passwd=x"]
        {
            assert!(read(text, Path::new(""), "database").is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_only_where_it_is_safe_and_never_shown() {
        for text in ["postgres://ann:hunter2@db/records", "postgres://db/records?user=ann&password=hunter2"] {
            for origin in ["--database", "database"] {
                let error = read(text, Path::new(""), origin).unwrap_err().to_string();
                assert!(error.contains("PGPASSWORD") && !error.contains("hunter2"), "{error}");
            }
            let database = read(text, Path::new(""), VARIABLE).unwrap();
            assert!(!format!("{database:?} {database}").contains("hunter2"));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let said = || Said {
            option: Some("postgres://ann@db/records".into()),
            password_file: Some(path.clone()),
            ..Said::default()
        };
        assert!(said().resolve().is_err());
        std::fs::write(&path, "hunter2\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(said().resolve().unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(!format!("{:?}", said().resolve().unwrap()).contains("hunter2"));
        assert!(Said { option: Some("a.db".into()), ..said() }.resolve().is_err());
    }
}
