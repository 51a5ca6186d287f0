//! The subcommand `reseal`: every sealed secret is sealed anew under the current key. Then the old key can be dropped.
//!
//! To rotate: add a key to the key file, make it current, start all hosts anew, reseal, take the old key out, start them again.

use handfast::{crypto::default_backend, registrar::Registrar};

use crate::{
    Fatal, cli,
    config::Settings,
    database::Database,
    keys::Keys,
    operator,
    store::{Claim, Store},
};

/// Goes through the vault once. What is sealed meanwhile is sealed under the key that its host has for the current one.
pub(crate) async fn reseal(options: cli::Serve) -> Result<(), Fatal> {
    let settings = Settings::read(options)?;
    let database = &settings.database;
    if matches!(database, Database::Sqlite(path) if !path.exists()) {
        return Err(format!("no database at {database}: start the host first").into());
    }
    let store = Store::open(database).await.map_err(|error| format!("{database}: {error}"))?;
    let keys = Keys::open(&settings.keys, true)?;
    if store.claim(&keys.marks).await? == Claim::Foreign {
        let keys = settings.keys.display();
        return Err(format!("{keys}: not the keys of {database}: all its hosts share one key file").into());
    }
    let current = keys.sealing.current()?.0.clone();
    let registrar = Registrar::new(settings.policy, keys.peppers, keys.sealing, default_backend())?;
    let (mut seen, mut resealed, mut after) = (0_u64, 0_u64, String::new());
    loop {
        let rows = store.sealed(&after, BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = last.key.to_string();
        for row in &rows {
            seen += 1;
            if let Some(write) = registrar.reseal(row, &mut rand::rng())? {
                resealed += u64::from(store.replace_sealed(row, &write).await?);
            }
        }
    }
    operator::show(format_args!("{resealed} of {seen} secrets sealed anew under {current}"))
}

const BATCH: u32 = 200;
