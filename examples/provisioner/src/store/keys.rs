//! Which keys belong to this database. Hosts that share it must share them too: what one of them has sealed or digested,
//! every other must be able to read.

use super::{Sql, Store, StoreError};

/// A key by its name, `<ring>/<id>`, and a digest of it.
pub(crate) type Mark = (String, String);

/// How a host's keys are to those of the database.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// They belong to it.
    Ours,
    /// It has been used with others.
    Foreign,
}

impl Store {
    /// Claims the database for these keys. A key that is new joins those that are known, as when keys are rotated: but
    /// of each ring, one must be known, and none may have changed under its name.
    pub(crate) async fn claim(&self, marks: &[Mark]) -> Result<Claim, StoreError> {
        let mut unit = self.begin().await?;
        unit.alone("LOCK TABLE provisioner_keys IN SHARE ROW EXCLUSIVE MODE").await?;
        let known: Vec<Mark> = unit.fetch(Sql::new("SELECT id, digest FROM provisioner_keys")).await?;
        if !belongs(&known, marks) {
            return Ok(Claim::Foreign);
        }
        for (id, digest) in marks.iter().filter(|mark| !known.contains(mark)) {
            let insert = Sql::new("INSERT INTO provisioner_keys (id, digest) VALUES ($1, $2)");
            unit.execute(insert.bind(id.as_str()).bind(digest.as_str())).await?;
        }
        unit.commit().await?;
        Ok(Claim::Ours)
    }
}

fn belongs(known: &[Mark], marks: &[Mark]) -> bool {
    let ring = |mark: &Mark| mark.0.split_once('/').map(|(ring, _)| ring.to_owned());
    let has_changed = |mark: &Mark| known.iter().any(|(id, digest)| *id == mark.0 && *digest != mark.1);
    let is_found = |other: &Mark| marks.iter().any(|mark| ring(mark) == ring(other) && known.contains(mark));
    !marks.iter().any(has_changed) && known.iter().all(is_found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_join_but_not_replace() {
        let marks = |text: &str| -> Vec<Mark> {
            text.split_whitespace()
                .map(|mark| mark.split_once('=').unwrap())
                .map(|(a, b)| (a.into(), b.into()))
                .collect()
        };
        let known = marks("pepper/a=1 sealing/b=2");
        for good in ["pepper/a=1 sealing/b=2", "pepper/a=1 pepper/c=3 sealing/b=2"] {
            assert!(belongs(&known, &marks(good)), "{good}");
        }
        for bad in
            ["pepper/a=1 sealing/c=3", "pepper/c=1 sealing/b=2", "pepper/a=1 sealing/b=3", "pepper/a=1"]
        {
            assert!(!belongs(&known, &marks(bad)), "{bad}");
        }
        assert!(belongs(&[], &known));
    }
}
