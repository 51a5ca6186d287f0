//! Resources of kinds that the operator's own programs know: each is a private JSON file, which those programs watch.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use handfast::{
    id::{ResourceKind, ResourceName},
    kubernetes::LabelValue,
    record::HostResource,
    secret::Secret,
};
use serde::{Deserialize, Serialize};

use super::Failure;
use crate::private_file;

/// A folder with one file for each resource.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    owner: LabelValue,
}

#[derive(Deserialize, Serialize)]
struct File<'a> {
    owner: String,
    kind: String,
    name: String,
    settings: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

impl Folder {
    pub(super) fn new(path: PathBuf, owner: LabelValue, alone: bool) -> io::Result<Self> {
        private_file::prepare_folder(&path, alone)?;
        Ok(Self { path, owner })
    }

    pub(super) fn ensure(&self, resource: &HostResource, value: Option<&Secret>) -> Result<(), Failure> {
        let path = self.file(&resource.kind, &resource.name);
        let file = File {
            owner: self.owner.to_string(),
            kind: resource.kind.to_string(),
            name: resource.name.to_string(),
            settings: resource.settings.clone(),
            value: value.map(Secret::expose),
        };
        let wanted =
            Secret::new(serde_json::to_string(&file).map_err(|error| Failure::Failed(error.to_string()))?);
        if self.is_foreign(&path)? {
            return Err(Failure::Collision);
        }
        private_file::replace(&path, wanted.expose().as_bytes()).map_err(|error| failed(&path, &error))
    }

    pub(super) fn delete(&self, kind: &ResourceKind, name: &ResourceName) -> Result<(), Failure> {
        let path = self.file(kind, name);
        if self.is_foreign(&path)? {
            return Err(Failure::Collision);
        }
        private_file::remove(&path).map_err(|error| failed(&path, &error))
    }

    /// Kinds and names begin with a letter or digit and hold neither slash nor plus, so each has a file of its own here.
    fn file(&self, kind: &ResourceKind, name: &ResourceName) -> PathBuf {
        self.path.join(format!("{kind}+{name}.json"))
    }

    /// Whether a file is there that does not bear our mark.
    fn is_foreign(&self, path: &Path) -> Result<bool, Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Secret::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(path, &error)),
        };
        let marked = serde_json::from_str::<Marked>(text.expose());
        Ok(marked.map_or(true, |marked| marked.owner != self.owner.as_str()))
    }
}

#[derive(Deserialize)]
struct Marked {
    owner: String,
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ensured_and_deleted_and_never_what_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let of = |owner: &str| Folder::new(folder.path().into(), owner.parse().unwrap(), true).unwrap();
        let resource = |kind: &str, name: &str| HostResource {
            kind: kind.parse().unwrap(),
            name: name.parse().unwrap(),
            secret: None,
            settings: BTreeMap::from([("port".into(), "51820".into())]),
        };
        let (ours, theirs) = (of("a"), of("b"));
        let tunnel = resource("tunnel", "a.b");
        for _ in 0..2 {
            ours.ensure(&tunnel, Some(&Secret::new("hunter2".into()))).unwrap();
        }
        let path = folder.path().join("tunnel+a.b.json");
        assert!(private_file::is_private(&path).unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("hunter2") && text.contains("51820"), "{text}");
        assert!(matches!(theirs.ensure(&tunnel, None), Err(Failure::Collision)));
        assert!(matches!(theirs.delete(&tunnel.kind, &tunnel.name), Err(Failure::Collision)));
        ours.ensure(&resource("tunnel.a", "b"), None).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        for _ in 0..2 {
            ours.delete(&tunnel.kind, &tunnel.name).unwrap();
            assert!(!path.exists());
        }
    }
}
