//! The keys: peppers for the digests of tokens and sealing keys for secrets at rest. They are in this one file, and
//! neither in the database nor on the command line nor in the environment: a stolen database opens nothing.

use std::{collections::BTreeMap, path::Path};

use data_encoding::{BASE64, HEXLOWER};
use handfast::{
    id::KeyId,
    keyring::KeyRing,
    secret::{Secret, SecretKey},
};
use serde::Deserialize;

use crate::{Fatal, private_file};

/// Both key rings.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) peppers: KeyRing,
    pub(crate) sealing: KeyRing,
}

impl Keys {
    /// Reads the file, or makes it where there is none. `in_use` says that the database already relies on keys: then a
    /// missing file is a loss to be mended by its operator, and new keys would only hide it.
    pub(crate) fn open(path: &Path, in_use: bool) -> Result<Self, Fatal> {
        let shown = path.display();
        if !path.exists() {
            if in_use {
                return Err(format!("{shown} is missing, but the database has records: restore it").into());
            }
            private_file::create(path, new_file().expose().as_bytes())
                .map_err(|error| format!("cannot write {shown}: {error}"))?;
            tracing::info!("made new keys in {shown}: back the file up, apart from the database");
        }
        if !private_file::is_private(path)? {
            return Err(
                format!("{shown} can be read by others: chmod 600 it, and consider its keys known").into()
            );
        }
        let text = Secret::new(std::fs::read_to_string(path)?);
        // What serde says of a broken file could repeat a key.
        let file: File = serde_json::from_str(text.expose())
            .map_err(|error| format!("{shown}, line {}: not a key file", error.line()))?;
        Ok(Self { peppers: file.peppers.read(path)?, sealing: file.sealing.read(path)? })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    peppers: Ring,
    sealing: Ring,
}

/// New secrets are made under `current`; to rotate, add a key, make it current, and keep the old one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ring {
    current: KeyId,
    keys: BTreeMap<KeyId, Secret>,
}

impl Ring {
    fn read(self, path: &Path) -> Result<KeyRing, Fatal> {
        let key = |(id, text): (KeyId, Secret)| {
            let bytes = BASE64.decode(text.expose().as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
            bytes
                .map(|bytes| (id.clone(), SecretKey::new(bytes)))
                .ok_or_else(|| format!("{}: key {id} is not base64 of 32 bytes", path.display()))
        };
        let keys = self.keys.into_iter().map(key).collect::<Result<_, _>>()?;
        KeyRing::new(self.current, keys).map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

/// Ids are drawn too, so that a key of another file is missed and not taken for this one.
fn new_file() -> Secret {
    let ring = || {
        let id = format!("k-{}", HEXLOWER.encode(&rand::random::<[u8; 4]>()));
        let key = BASE64.encode(&rand::random::<[u8; 32]>());
        format!("{{\n    \"current\": \"{id}\",\n    \"keys\": {{ \"{id}\": \"{key}\" }}\n  }}")
    };
    Secret::new(format!("{{\n  \"peppers\": {},\n  \"sealing\": {}\n}}\n", ring(), ring()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let id = |keys: &Keys| keys.sealing.current().unwrap().0.clone();
        let first = id(&Keys::open(&path, false).unwrap());
        assert_eq!(id(&Keys::open(&path, true).unwrap()), first);
    }

    #[test]
    fn refuses_what_would_lose_or_leak_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(Keys::open(&path, true).unwrap_err().to_string().contains("restore it"));
        Keys::open(&path, false).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Keys::open(&path, true).unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, r#"{"peppers": {"current": "a", "keys": {"a": "hunter2"}}, "sealing": 1}"#)
            .unwrap();
        assert!(!Keys::open(&path, true).unwrap_err().to_string().contains("hunter2"));
    }
}
