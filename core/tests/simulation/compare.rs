//! After each commit: the records say what the model says, and whatever ended by itself had a reason to.

use handfast::{
    id::PackageId,
    record::{EndReason, Key, Node, Package, PackageStatus, Pool, Record, RetireReason, Scope},
    vocabulary::{Action, Command, Commit},
};

use crate::{
    model::{Model, Times},
    store::Store,
};

impl Model {
    pub(crate) fn compare(&mut self, command: &Command, commit: &Commit, store: &Store, times: Times) {
        for write in &commit.writes {
            if let Record::Node(node) = &write.row.record {
                self.adopt_node(node, store, times);
            }
        }
        for write in &commit.writes {
            if let Record::Package(package) = &write.row.record {
                self.adopt_package(package, store, times);
            }
        }
        for write in &commit.writes {
            match &write.row.record {
                Record::Node(node) => self.compare_node(node),
                Record::Package(package) => self.compare_package(package, store),
                Record::Scope(scope) => self.compare_scope(scope, store),
                Record::Pool(pool) => compare_pool(pool, store),
                Record::Subject(entry) => {
                    let Key::Subject(scope, subject) = &write.key else { panic!("{}", write.key) };
                    assert_eq!(entry.ban.is_some(), self.is_banned(scope, subject), "{}", write.key);
                    assert!(entry.ban.is_none() || (entry.node.is_none() && entry.claimed_by.is_none()));
                    let lives = |id| matches!(store.records.get(&Key::Node(id)), Some(Record::Node(node)) if node.is_live());
                    assert!([entry.node, entry.claimed_by].into_iter().flatten().all(lives), "{}", write.key);
                }
                Record::Name(entry) => {
                    let live = |id| store.status(id).is_some_and(PackageStatus::is_live);
                    assert!(entry.package.is_none_or(live), "{} means what has ended", write.key);
                }
                Record::Instance(_) | Record::Forgotten(_) => {}
            }
        }
        self.what_was_due(command, store, times);
    }

    /// What a timer was sent for and is surely past has come to its end.
    fn what_was_due(&self, command: &Command, store: &Store, times: Times) {
        let Action::Expire(expire) = &command.action else { return };
        match (&expire.key, store.records.get(&expire.key)) {
            (Key::Package(id), Some(Record::Package(record))) => {
                let package = self.package(*id);
                // Nobody knows whether a node of a fleet without a number lives.
                let nobody =
                    if package.max().is_none() { package.uses() == 0 } else { !package.has_live_nodes() };
                let unused = !package.activated && nobody && package.expires_at <= times.sure;
                assert!(!(unused && record.status.is_live()), "{id} should have expired");
                assert!(
                    self.lives(*id) || !record.status.is_live(),
                    "{id} should have ended with its parent"
                );
            }
            (Key::Node(id), Some(Record::Node(record))) => {
                let Some(holder) = self.holder(*id) else { return };
                let silent = record.inactivity_seconds.filter(|_| holder.confirmed);
                let silent =
                    silent.is_some_and(|seconds| holder.last_seen.plus_seconds(seconds) <= times.sure);
                let unconfirmed = !holder.confirmed && holder.activate_by <= times.sure;
                assert!(!record.is_live() || !(silent || unconfirmed), "{id} should have retired");
            }
            _ => {}
        }
    }

    fn adopt_node(&mut self, node: &Node, store: &Store, times: Times) {
        let Some(holder) = self.holder(node.id) else { return };
        let Some(reason) = node.retired.filter(|_| holder.live) else { return };
        let honest = match reason {
            RetireReason::NeverConfirmed => !holder.confirmed && holder.activate_by <= times.perhaps,
            RetireReason::Inactive => holder.confirmed && node.inactive_since(times),
            RetireReason::PackageEnded => !store.status(node.package).is_some_and(PackageStatus::is_live),
            RetireReason::Banned => self.is_banned_node(node.id),
            RetireReason::Left | RetireReason::Evicted | RetireReason::Replaced => false,
        };
        assert!(honest, "{} retired as {reason:?}", node.id);
        self.retire(node.id);
    }

    fn adopt_package(&mut self, record: &Package, store: &Store, times: Times) {
        let package = self.packages.get_mut(&record.id).unwrap();
        if !record.token_open && record.status.is_live() && !package.token_closed && package.token.is_some() {
            assert!(package.expires_at <= times.perhaps, "a token closed before its time");
            package.token_closed = true;
        }
        if record.old_token.is_none() && package.old_until.is_some_and(|until| until <= times.perhaps) {
            package.old_until = None;
        }
        let Some(reason) = record.end_reason.as_ref().filter(|_| package.live) else { return };
        let in_time = package.expires_at <= times.perhaps;
        package.token_closed |= in_time && package.token.is_some();
        let honest = match reason {
            EndReason::Deadline => !package.activated && !package.has_live_nodes() && in_time,
            EndReason::NeverConfirmed => !package.activated && package.is_over(),
            EndReason::LastNodeRetired => package.activated && package.is_over(),
            EndReason::ParentEnded => {
                let ended = |id: &PackageId| !store.status(*id).is_some_and(PackageStatus::is_live);
                record.issued.parents.iter().any(ended)
            }
            EndReason::InstanceTerminated | EndReason::Operator { .. } | EndReason::Replaced { .. } => false,
        };
        assert!(honest, "{} ended for {reason:?}", record.id);
        self.kill(record.id);
    }

    fn compare_node(&self, node: &Node) {
        let (package, _) = &self.nodes[&node.id];
        if let Some(holder) = self.holder(node.id).filter(|holder| holder.live) {
            assert_eq!(node.quarantined, holder.quarantined, "the quarantine of {}", node.id);
        }
        let lives = self.holder(node.id).is_some_and(|holder| holder.live);
        let swept_later = !self.package(*package).live;
        assert!(
            node.is_live() == lives || (swept_later && node.is_live()),
            "{} is {:?}",
            node.id,
            node.status
        );
    }

    fn compare_package(&self, record: &Package, store: &Store) {
        let package = self.package(record.id);
        let id = record.id;
        if !record.status.is_live() {
            assert!(!package.live, "{id} ended");
            assert!(record.nodes.iter().all(|node| !node.live && !node.grant_open));
        } else {
            let above_has_ended =
                record.issued.parents.iter().any(|id| !store.status(*id).is_some_and(PackageStatus::is_live));
            assert!(package.live || above_has_ended, "{id} was revived");
            assert!(!package.live || !package.is_over(), "{id} has no node left and can get none");
        }
        assert_eq!(record.activated_at.is_some(), package.activated, "{id} is activated");
        assert_eq!(record.locked, package.locked, "the lock of {id}");
        assert!(record.clones_suspected <= handfast::limits::CLONE_FACTS);
        assert_eq!(record.token.as_ref().map_or(1, |token| token.generation), package.generation);
        if let Some(max) = package.max() {
            assert!(record.uses() <= max, "{id} was used {} times", record.uses());
            assert_eq!(record.uses(), package.uses(), "uses of {id}");
            let live = package.holders.values().filter(|holder| holder.live).count();
            let known = record.nodes.iter().filter(|node| node.live).count() + record.wide_live as usize;
            assert!(known == live || !package.live, "{id} has {known} live nodes, not {live}");
        }
    }

    fn compare_scope(&self, scope: &Scope, store: &Store) {
        assert!(scope.reserved <= self.most[&scope.id], "{} reserves {}", scope.id, scope.reserved);
        let within = store.records.values().filter_map(|record| match record {
            Record::Package(package) if package.issued.scope == scope.id => Some(package),
            _ => None,
        });
        let (mut reserved, mut outstanding) = (0, 0);
        for package in within {
            reserved += package.reserved;
            outstanding += u32::from(package.status.is_live() && package.issued.reserved > 0);
            let uses = package.issued.max_uses.unwrap_or(1);
            assert!(!package.status.is_live() || package.issued.reserved == 0 || package.reserved == uses);
        }
        assert_eq!((scope.reserved, scope.outstanding), (reserved, outstanding), "{}", scope.id);
    }
}

fn compare_pool(pool: &Pool, store: &Store) {
    for id in pool.items.values().filter_map(|item| item.package) {
        let Some(Record::Package(package)) = store.records.get(&Key::Package(id)) else {
            panic!("{id} has an item")
        };
        assert!(!package.released, "{id} has given everything back");
    }
}

trait Silent {
    fn inactive_since(&self, times: Times) -> bool;
}

impl Silent for Node {
    fn inactive_since(&self, times: Times) -> bool {
        let since = self.last_seen.zip(self.inactivity_seconds);
        since.is_some_and(|(seen, seconds)| seen.plus_seconds(seconds) <= times.perhaps)
    }
}
