//! How a ledger keeps its records: whole, or, where millions are alike, folded.
//!
//! An outstanding package differs from thousands of others in its id, its name, its token's digest and some instants.
//! The rest is kept once for all of them, as a *shape*: another package with the same rest. Folding and unfolding are
//! exact; a package that differs in anything else, known or yet to come, begins a shape of its own.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, Hash, Hasher},
    sync::Arc,
};

use data_encoding::HEXLOWER;

use super::slots::Fixed;
use crate::{
    id::{Kind, PackageId, PackageName, RequestId, ScopeId, SecretId},
    record::{Key, NameEntry, Package, PackageContent, PackageStatus, Record},
    time::Timestamp,
    vocabulary::{Labels, PackageIssued},
};

/// How one record is kept.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// As it is.
    Whole(Record),
    /// An outstanding package.
    Folded(Box<Folded>),
    /// A name.
    Name(NameEntry),
}

impl Kept {
    /// Keeps a record as small as it goes, and has its key share what it can with it.
    pub(super) fn new(key: &mut Key, record: Record, shapes: &mut Shapes) -> Self {
        let wake_at = record.wake_at();
        match record {
            Record::Package(package) => match Unique::of(&package).filter(|_| is_plain(&package)) {
                Some(unique) => {
                    let (shape, unique) = shapes.fold(Arc::unwrap_or_clone(package), unique);
                    Self::Folded(Box::new(Folded { shape, unique, wake_at }))
                }
                None => Self::Whole(Record::Package(package)),
            },
            Record::Name(entry) => {
                let mut entry = Arc::unwrap_or_clone(entry);
                shapes.share(&mut entry.scope);
                if let Key::Name(scope, _) = key {
                    scope.clone_from(&entry.scope);
                }
                Self::Name(entry)
            }
            Record::Scope(_)
            | Record::Pool(_)
            | Record::Subject(_)
            | Record::Node(_)
            | Record::Instance(_)
            | Record::Forgotten(_) => Self::Whole(record),
        }
    }

    /// The record as it was.
    pub(super) fn record(&self) -> Record {
        match self {
            Self::Whole(record) => record.clone(),
            Self::Folded(folded) => Record::Package(Arc::new(folded.unfold())),
            Self::Name(entry) => Record::Name(Arc::new(entry.clone())),
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Whole(record) => record.wake_at(),
            Self::Folded(folded) => folded.wake_at,
            Self::Name(_) => None,
        }
    }

    /// What lists of packages go by.
    pub(super) fn facts(&self) -> Option<Facts<'_>> {
        match self {
            Self::Whole(Record::Package(package)) => {
                Some(Facts::of(package, package.id, &package.issued.name))
            }
            Self::Folded(folded) => Some(Facts::of(&folded.shape, folded.unique.id, &folded.unique.name)),
            Self::Whole(
                Record::Scope(_)
                | Record::Pool(_)
                | Record::Name(_)
                | Record::Subject(_)
                | Record::Node(_)
                | Record::Instance(_)
                | Record::Forgotten(_),
            )
            | Self::Name(_) => None,
        }
    }
}

/// What lists of packages go by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts<'a> {
    pub(super) id: PackageId,
    pub(super) name: &'a PackageName,
    pub(super) scope: &'a ScopeId,
    pub(super) kind: &'a Kind,
    pub(super) status: PackageStatus,
    pub(super) labels: &'a Labels,
    pub(super) parent: Option<PackageId>,
}

impl<'a> Facts<'a> {
    fn of(package: &'a Package, id: PackageId, name: &'a PackageName) -> Self {
        let PackageIssued { scope, kind, labels, parents, .. } = &*package.issued;
        Self { id, name, scope, kind, status: package.status, labels, parent: parents.first().copied() }
    }
}

/// A package as its shape and what is its own.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    shape: Arc<Package>,
    unique: Unique,
    wake_at: Option<Timestamp>,
}

impl Folded {
    fn unfold(&self) -> Package {
        let mut package = Package::clone(&self.shape);
        let shape = put_on(&mut package, self.unique.clone());
        debug_assert!(shape.is_some(), "a shape is a plain package");
        package
    }
}

/// What no two packages have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unique {
    id: PackageId,
    name: PackageName,
    digest: [u8; 32],
    created_at: Timestamp,
    updated_at: Timestamp,
    expires_at: Timestamp,
    delivery_until: Timestamp,
    request: Option<RequestId>,
}

impl Unique {
    /// `None` when the digest is not the text that 32 bytes have.
    fn of(package: &Package) -> Option<Self> {
        let digest = match &package.token {
            Some(token) => HEXLOWER.decode(token.digest.as_bytes()).ok()?.try_into().ok()?,
            None => [0; 32],
        };
        Some(Self {
            id: package.id,
            name: package.issued.name.clone(),
            digest,
            created_at: package.created_at,
            updated_at: package.updated_at,
            expires_at: package.expires_at,
            delivery_until: package.delivery.as_ref().map_or(package.created_at, |delivery| delivery.until),
            request: package.issued.request.clone(),
        })
    }
}

/// Makes a plain package the one that `unique` tells of, and gives what it was before.
fn put_on(package: &mut Package, unique: Unique) -> Option<Unique> {
    let before = Unique::of(package)?;
    let issued = Arc::make_mut(&mut package.issued);
    if let Some(token) = &mut package.token {
        token.digest = HEXLOWER.encode(&unique.digest);
        token.secret.package = unique.id;
    }
    issued.token.clone_from(&package.token);
    for secret in issued.contents.iter_mut().filter_map(secret_of) {
        secret.package = unique.id;
    }
    package.id = unique.id;
    package.created_at = unique.created_at;
    package.updated_at = unique.updated_at;
    package.expires_at = unique.expires_at;
    issued.expires_at = unique.expires_at;
    if let Some(delivery) = &mut package.delivery {
        delivery.until = unique.delivery_until;
    }
    issued.name = unique.name;
    issued.request = unique.request;
    Some(before)
}

/// Whether nothing has come to a package that would make it unlike all others, and all its secrets are its own.
fn is_plain(package: &Package) -> bool {
    let issued = &package.issued;
    let is_own = |secret: SecretId| secret.package == package.id;
    package.status.is_live()
        && package.nodes.is_empty()
        && package.children.is_empty()
        && package.resources.is_empty()
        && package.link.is_none()
        && package.token == issued.token
        && package.expires_at == issued.expires_at
        && issued.token.iter().all(|token| is_own(token.secret))
        && issued.contents.iter().filter_map(PackageContent::secret).all(is_own)
}

fn secret_of(content: &mut PackageContent) -> Option<&mut SecretId> {
    match content {
        PackageContent::File { secret, .. }
        | PackageContent::KubernetesBootstrapToken { secret, .. }
        | PackageContent::SpireJoinToken { secret, .. }
        | PackageContent::Host { secret, .. } => Some(secret),
        PackageContent::PoolItem { secret, .. } => secret.as_mut(),
    }
}

/// The shapes in use lately: a table of fixed size in which a new one takes the place of an old one. What was folded
/// with the old one keeps it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    packages: Vec<Option<Arc<Package>>>,
    scopes: BTreeSet<ScopeId>,
}

const SHAPES: u64 = 1024;

impl Shapes {
    /// Has one text for all who name the same scope.
    fn share(&mut self, scope: &mut ScopeId) {
        match self.scopes.get(scope) {
            Some(known) => scope.clone_from(known),
            None => drop(self.scopes.insert(scope.clone())),
        }
    }

    /// Gives what is kept of a package: its shape and what is its own.
    fn fold(&mut self, mut package: Package, unique: Unique) -> (Arc<Package>, Unique) {
        let place = usize::try_from(likeness(&package) % SHAPES).unwrap_or(0);
        if self.packages.len() <= place {
            self.packages.resize(place.saturating_add(1), None);
        }
        let known = self.packages.get(place).and_then(Option::clone);
        if let Some(shape) = known
            && let Some(shape_unique) = Unique::of(&shape)
        {
            let own = put_on(&mut package, shape_unique);
            if package == *shape {
                return (shape, unique);
            }
            own.and_then(|own| put_on(&mut package, own));
        }
        let shape = Arc::new(package);
        if let Some(place) = self.packages.get_mut(place) {
            *place = Some(Arc::clone(&shape));
        }
        (shape, unique)
    }
}

/// The same for packages of one shape, and mostly another for others.
fn likeness(package: &Package) -> u64 {
    let mut hasher = Fixed::default().build_hasher();
    let issued = &package.issued;
    issued.scope.hash(&mut hasher);
    issued.kind.hash(&mut hasher);
    issued.labels.iter().for_each(|label| label.hash(&mut hasher));
    issued.contents.len().hash(&mut hasher);
    issued.max_uses.hash(&mut hasher);
    package.status.as_str().hash(&mut hasher);
    hasher.finish()
}
