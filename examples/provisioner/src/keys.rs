//! The keys: peppers for the digests of tokens, sealing keys for secrets at rest, and private keys that sign the
//! credentials of nodes. They are in this one file, and
//! neither in the database nor on the command line nor in the environment: a stolen database opens nothing.

use std::{collections::BTreeMap, io, path::Path};

use data_encoding::{BASE64, HEXLOWER};
use handfast::{
    crypto::default_backend,
    id::KeyId,
    jwt::{Algorithm, SigningKey, SigningRing},
    keyring::KeyRing,
    secret::{Secret, SecretKey},
};
use serde::Deserialize;

use crate::{Fatal, private_file, store::Mark};

/// All key rings.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) peppers: KeyRing,
    pub(crate) sealing: KeyRing,
    /// What node credentials are signed with. A file that was made before there were any has none.
    pub(crate) signing: Option<SigningRing>,
    /// Each key by a digest, which tells it from others and nothing about it.
    pub(crate) marks: Vec<Mark>,
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
            match private_file::create(path, new_file()?.expose().as_bytes()) {
                Ok(()) => {
                    tracing::info!("made new keys in {shown}: back the file up, apart from the database")
                }
                // Another host on this machine was first.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(format!("cannot write {shown}: {error}").into()),
            }
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
        let mut marks = Vec::new();
        let peppers = file.peppers.read("pepper", path, &mut marks)?;
        let sealing = file.sealing.read("sealing", path, &mut marks)?;
        let signing = file.signing.map(|ring| ring.read_signing(path, &mut marks)).transpose()?;
        Ok(Self { peppers, sealing, signing, marks })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    peppers: Ring,
    sealing: Ring,
    #[serde(default)]
    signing: Option<Ring>,
}

/// New secrets are made under `current`; to rotate, add a key, make it current, and keep the old one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ring {
    current: KeyId,
    keys: BTreeMap<KeyId, Secret>,
}

impl Ring {
    fn read(self, ring: &str, path: &Path, marks: &mut Vec<Mark>) -> Result<KeyRing, Fatal> {
        let key = |(id, text): (KeyId, Secret)| {
            let bytes = BASE64
                .decode(text.expose().as_bytes())
                .ok()
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let bytes =
                bytes.ok_or_else(|| format!("{}: key {id} is not base64 of 32 bytes", path.display()))?;
            marks.push((format!("{ring}/{id}"), digest(ring, &bytes)));
            Ok::<_, Fatal>((id, SecretKey::new(bytes)))
        };
        let keys = self.keys.into_iter().map(key).collect::<Result<_, _>>()?;
        KeyRing::new(self.current, keys).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    /// These are private keys in PKCS#8 PEM.
    fn read_signing(self, path: &Path, marks: &mut Vec<Mark>) -> Result<SigningRing, Fatal> {
        let key = |(id, text): (KeyId, Secret)| {
            let key = SigningKey::from_pkcs8_pem(text.expose()).map_err(|_| {
                format!("{}: key {id} is not a private key for ES256 or EdDSA", path.display())
            })?;
            marks.push((format!("signing/{id}"), digest("signing", text.expose().as_bytes())));
            Ok::<_, Fatal>((id, key))
        };
        let keys = self.keys.into_iter().map(key).collect::<Result<_, _>>()?;
        SigningRing::new(self.current, keys, &*default_backend())
            .map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

fn digest(ring: &str, key: &[u8]) -> String {
    let input = [format!("provisioner {ring} key 1\n").as_bytes(), key].concat();
    HEXLOWER.encode(&default_backend().sha256(&input))
}

/// Ids are drawn too, so that a key of another file is missed and not taken for this one.
fn new_file() -> Result<Secret, Fatal> {
    let ring = |key: String| {
        let id = format!("k-{}", HEXLOWER.encode(&rand::random::<[u8; 4]>()));
        format!("{{\n    \"current\": \"{id}\",\n    \"keys\": {{ \"{id}\": \"{key}\" }}\n  }}")
    };
    let drawn = || BASE64.encode(&rand::random::<[u8; 32]>());
    let signing = SigningKey::generate(Algorithm::EdDsa, &mut rand::rng())?.to_pkcs8_pem()?;
    let signing = signing.expose().trim_end().replace('\n', "\\n");
    let (peppers, sealing, signing) = (ring(drawn()), ring(drawn()), ring(signing));
    Ok(Secret::new(format!(
        "{{\n  \"peppers\": {peppers},\n  \"sealing\": {sealing},\n  \"signing\": {signing}\n}}\n"
    )))
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
        let again = Keys::open(&path, true).unwrap();
        assert_eq!((id(&again), again.marks.len()), (first, 3));
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

    #[test]
    fn a_file_without_signing_keys_still_serves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        Keys::open(&path, false).unwrap();
        let mut file: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(file.as_object_mut().unwrap().remove("signing").is_some());
        private_file::replace(&path, file.to_string().as_bytes()).unwrap();
        let keys = Keys::open(&path, true).unwrap();
        assert!(keys.signing.is_none() && keys.marks.len() == 2);
    }
}
