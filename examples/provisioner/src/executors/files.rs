//! Executors for development and for clusters that are fed by other means: instances out of a file, manifests into a
//! folder.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use handfast::{
    aws::InstanceId,
    kubernetes::{BootstrapSecret, LabelValue},
    limits,
    vocabulary::Description,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Failure;
use crate::private_file;

/// A JSON list of objects: the members of a [`Description`], and `instance`. It is read at each question, so that it can
/// be edited while the host runs.
#[derive(Debug)]
pub(super) struct Instances(pub(super) PathBuf);

impl Instances {
    pub(super) fn describe(&self, instance: &InstanceId) -> Result<Description, Failure> {
        let shown = self.0.display();
        let text = std::fs::read(&self.0).map_err(|error| failed(&self.0, &error))?;
        let listed: Vec<Map<String, Value>> =
            serde_json::from_slice(&text).map_err(|error| Failure::Failed(format!("{shown}: {error}")))?;
        for mut entry in listed {
            if entry.remove("instance").as_ref().and_then(Value::as_str) == Some(instance.as_str()) {
                return serde_json::from_value(entry.into())
                    .map_err(|error| Failure::Failed(format!("{shown}: {instance}: {error}")));
            }
        }
        Err(Failure::Failed(format!("{shown} does not list it")))
    }
}

/// One file for each bootstrap token, named like its Secret, for `kubectl apply -f`.
#[derive(Debug)]
pub(super) struct Manifests {
    folder: PathBuf,
    cluster_info: PathBuf,
    owner: LabelValue,
}

impl Manifests {
    pub(super) fn new(
        folder: PathBuf,
        cluster_info: PathBuf,
        owner: LabelValue,
        alone: bool,
    ) -> io::Result<Self> {
        private_file::prepare_folder(&folder, alone)?;
        Ok(Self { folder, cluster_info, owner })
    }

    pub(super) fn ensure(&self, manifest: &BootstrapSecret) -> Result<(), Failure> {
        let path = self.path(&manifest.name())?;
        let wanted = manifest.to_yaml();
        match private_file::create(&path, wanted.expose().as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map_err(|error| failed(&path, &error)),
        }
        let found = std::fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        if found == wanted.expose() {
            Ok(())
        } else if self.is_ours(&found) {
            private_file::replace(&path, wanted.expose().as_bytes()).map_err(|error| failed(&path, &error))
        } else {
            Err(Failure::Collision)
        }
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), Failure> {
        let path = self.path(name)?;
        match std::fs::read_to_string(&path) {
            Ok(found) if !self.is_ours(&found) => return Err(Failure::Collision),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&path, &error)),
            Ok(_) | Err(_) => {}
        }
        private_file::remove(&path).map_err(|error| failed(&path, &error))
    }

    pub(super) fn cluster_info(&self) -> Result<String, String> {
        let shown = self.cluster_info.display();
        let size = std::fs::metadata(&self.cluster_info).map_err(|error| format!("{shown}: {error}"))?.len();
        if usize::try_from(size).is_ok_and(|size| size <= limits::KUBERNETES_DOCUMENT_BYTES) {
            std::fs::read_to_string(&self.cluster_info).map_err(|error| format!("{shown}: {error}"))
        } else {
            Err(format!("{shown} is too large"))
        }
    }

    /// Names come out of records; one that is no Secret's name must not become a path.
    fn path(&self, name: &str) -> Result<PathBuf, Failure> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.bytes().all(plain) {
            Ok(self.folder.join(format!("{name}.yaml")))
        } else {
            Err(Failure::Failed("its name is not a Secret's".into()))
        }
    }

    fn is_ours(&self, text: &str) -> bool {
        let owner = serde_saphyr::from_str::<Manifest>(text)
            .ok()
            .and_then(|manifest| manifest.metadata.labels.get(BootstrapSecret::OWNER_LABEL).cloned());
        owner.as_deref() == Some(self.owner.as_str())
    }
}

#[derive(Deserialize)]
struct Manifest {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use handfast::kubernetes::BootstrapToken;

    use super::*;

    fn manifests(folder: &Path, owner: &str) -> Manifests {
        Manifests::new(folder.to_path_buf(), folder.join("cluster-info.yaml"), owner.parse().unwrap(), true)
            .unwrap()
    }

    fn secret(token: &str, owner: &str) -> BootstrapSecret {
        let token: BootstrapToken = token.parse().unwrap();
        BootstrapSecret::new(token, "2026-01-01T00:00:00Z".parse().unwrap(), owner.parse().unwrap())
    }

    #[test]
    fn ensured_and_deleted_any_number_of_times() {
        let folder = tempfile::tempdir().unwrap();
        let ours = manifests(folder.path(), "a");
        let wanted = secret("abcdef.0123456789abcdef", "a");
        let path = folder.path().join("bootstrap-token-abcdef.yaml");
        for _ in 0..2 {
            ours.ensure(&wanted).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), wanted.to_yaml().expose());
        }
        assert!(private_file::is_private(&path).unwrap());
        for _ in 0..2 {
            ours.delete("bootstrap-token-abcdef").unwrap();
            assert!(!path.exists());
        }
    }

    #[test]
    fn what_is_not_ours_is_neither_overwritten_nor_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = secret("abcdef.0123456789abcdef", "b");
        manifests(folder.path(), "b").ensure(&theirs).unwrap();
        let ours = manifests(folder.path(), "a");
        assert!(matches!(ours.ensure(&secret("abcdef.fedcba9876543210", "a")), Err(Failure::Collision)));
        assert!(matches!(ours.delete("bootstrap-token-abcdef"), Err(Failure::Collision)));
        assert!(matches!(ours.delete("../bootstrap-token-abcdef"), Err(Failure::Failed(_))));
        let path = folder.path().join("bootstrap-token-abcdef.yaml");
        assert_eq!(std::fs::read_to_string(path).unwrap(), theirs.to_yaml().expose());
    }

    #[test]
    fn instances_come_from_the_file_as_it_is_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instances.json");
        let id: InstanceId = "i-0123456789abcdef0".parse().unwrap();
        let file = Instances(path.clone());
        assert!(matches!(file.describe(&id), Err(Failure::Failed(_))));
        let entry = r#"{"instance": "i-0123456789abcdef0", "account": "123456789012", "region": "us-east-1",
            "state": "running", "addresses": ["192.0.2.1"], "tags": {"Role": "worker"}"#;
        std::fs::write(&path, format!("[{entry}}}]")).unwrap();
        assert_eq!(file.describe(&id).unwrap().tags["Role"], "worker");
        std::fs::write(&path, format!("[{entry}, \"typo\": 1}}]")).unwrap();
        assert!(matches!(file.describe(&id), Err(Failure::Failed(reason)) if reason.contains("typo")));
    }
}
