//! Every refusal must be an honest one: what it says must be so. Whatever the rules do not forbid is thereby allowed; a
//! winner's retry, for one, can only be refused once its grant is closed.

use handfast::{
    id::Subject,
    record::{Key, Record},
    vocabulary::{Action, Command, Issue, Redeem, Refusal},
};

use crate::{
    model::{Model, Times, says},
    store::Store,
};

impl Model {
    pub(crate) fn check_refusal(
        &self,
        command: &Command,
        refusal: Refusal,
        times: Times,
        trusted: bool,
        store: &Store,
    ) {
        let honest = match refusal {
            Refusal::ClockSuspect => !trusted,
            _ => self.is_honest(command, refusal, times, store),
        };
        assert!(honest, "{} was refused as {refusal:?}: {}", command.action.name(), command.describe());
    }

    fn is_honest(&self, command: &Command, refusal: Refusal, times: Times, store: &Store) -> bool {
        match &command.action {
            Action::Issue(issue) => self.issue(issue, refusal, store),
            Action::Redeem(redeem) => self.redeem(redeem, refusal, times),
            Action::CheckIn(check_in) => {
                let Some((id, subject)) = self.nodes.get(&check_in.node) else {
                    return refusal == Refusal::Unknown;
                };
                let holder = self.holder(check_in.node);
                match refusal {
                    Refusal::Unknown => {
                        self.is_forgotten(&Key::Package(*id)) || self.is_forgotten(&Key::Node(check_in.node))
                    }
                    Refusal::Ended => !self.lives(*id),
                    Refusal::NodeRetired => holder.is_none_or(|holder| !holder.live),
                    Refusal::Expired => {
                        holder.is_some_and(|holder| !holder.confirmed && holder.activate_by <= times.perhaps)
                    }
                    Refusal::CloneSuspected => holder.is_some_and(|holder| {
                        let other = holder.attempt.is_some() && holder.attempt != check_in.attempt;
                        check_in.sequence < holder.sequence || (check_in.sequence == holder.sequence && other)
                    }),
                    Refusal::Quarantined => holder.is_some_and(|holder| holder.quarantined),
                    Refusal::BindingMismatch => check_in.fingerprint.as_ref() != Some(subject),
                    Refusal::Banned => self.is_banned_node(check_in.node),
                    _ => false,
                }
            }
            Action::Revoke(revoke) => {
                refusal == Refusal::Unknown && self.is_forgotten(&Key::Package(revoke.package))
            }
            Action::Evict(evict) => refusal == Refusal::Unknown && self.is_forgotten(&Key::Node(evict.node)),
            Action::Reissue(reissue) => match refusal {
                Refusal::Ended => !self.package(reissue.package).live,
                Refusal::Unknown => self.is_forgotten(&Key::Package(reissue.package)),
                Refusal::NotReady => reissue.deliver && !is_ready(store, reissue.package),
                _ => false,
            },
            Action::Deliver(_) => match refusal {
                Refusal::Link(_)
                | Refusal::LinkReplaced
                | Refusal::WrongAddress
                | Refusal::AddressWindowClosed
                | Refusal::Unknown
                | Refusal::BindingMismatch
                | Refusal::NotActive
                | Refusal::Banned
                | Refusal::Quarantined
                | Refusal::Ended
                | Refusal::ParentEnded
                | Refusal::Expired
                | Refusal::AlreadyDelivered
                | Refusal::NotReady => self.deliver(command, refusal, times, store),
                _ => false,
            },
            Action::Report(_) => matches!(refusal, Refusal::NotOutstanding | Refusal::Unknown),
            Action::Leave(leave) => match refusal {
                Refusal::BindingMismatch | Refusal::Unknown => true,
                Refusal::Quarantined => self.holder(leave.node).is_some_and(|holder| holder.quarantined),
                _ => false,
            },
            Action::ResetRecoveries(reset) => match (&reset.key, refusal) {
                (Key::Package(id), Refusal::Ended) => !self.package(*id).live,
                (key, Refusal::Unknown) => self.is_forgotten(key),
                _ => false,
            },
            Action::MakeLink(make) => match refusal {
                Refusal::Ended => !self.package(make.package).live,
                Refusal::AlreadyDelivered => self.package(make.package).recipient.is_some(),
                Refusal::Unknown => self.is_forgotten(&Key::Package(make.package)),
                _ => false,
            },
            Action::Forget(_) => matches!(refusal, Refusal::NotEnded | Refusal::Unknown),
            Action::ObserveSubject(_) => matches!(refusal, Refusal::UnknownSubject | Refusal::Banned),
            Action::ObserveInstance(_) => matches!(refusal, Refusal::Expired | Refusal::BindingMismatch),
            Action::ChangePool(_) => refusal == Refusal::PoolItemInUse,
            Action::Ban(_) | Action::Unban(_) | Action::ConfigureScope(_) | Action::Expire(_) => false,
        }
    }

    fn is_forgotten(&self, key: &Key) -> bool {
        self.forgotten.contains(&key.to_string())
    }

    fn deliver(&self, command: &Command, refusal: Refusal, times: Times, store: &Store) -> bool {
        use handfast::vocabulary::Recipient;
        let Action::Deliver(deliver) = &command.action else { return false };
        let (Recipient::Operator { package: id } | Recipient::ParentNode { package: id, .. }) = &deliver.to
        else {
            return true;
        };
        let Some(package) = self.packages.get(id) else { return refusal == Refusal::Unknown };
        let carrier = match &deliver.to {
            Recipient::ParentNode { node, .. } => Some(*node),
            _ => None,
        };
        match refusal {
            Refusal::Banned => carrier.is_some_and(|node| self.is_banned_node(node)),
            Refusal::Quarantined => {
                carrier.and_then(|node| self.holder(node)).is_some_and(|holder| holder.quarantined)
            }
            Refusal::Ended => !package.live,
            Refusal::ParentEnded => !self.lives(*id),
            Refusal::Expired => package.expires_at <= times.perhaps,
            Refusal::AlreadyDelivered => package.recipient.is_some(),
            Refusal::NotReady => !is_ready(store, *id),
            Refusal::Unknown if matches!(deliver.to, Recipient::Operator { .. }) => {
                self.is_forgotten(&Key::Package(*id))
            }
            _ => true,
        }
    }

    fn issue(&self, issue: &Issue, refusal: Refusal, store: &Store) -> bool {
        let mut same_name = self.live_by_name(issue);
        match refusal {
            Refusal::NameTaken => {
                same_name.any(|(_, other)| issue.keepers.is_empty() || other.born.issued.keepers.is_empty())
            }
            Refusal::QuotaExceeded => {
                let Some(Record::Scope(scope)) = store.records.get(&Key::Scope(issue.scope.clone())) else {
                    return false;
                };
                let full = scope.free().is_some_and(|free| issue.max_uses.unwrap_or(1) > free);
                full || scope.max_outstanding.is_some_and(|max| scope.outstanding >= max)
            }
            Refusal::UnboundedPackage => issue.max_uses.is_none() && self.most.contains_key(&issue.scope),
            Refusal::PoolEmpty => true,
            Refusal::ParentEnded => {
                issue.parent.is_some_and(|parent| !self.lives(parent)) || same_name.next().is_some()
            }
            Refusal::ParentNotAllowed => issue.parent.is_some() || issue.kind.as_str() == "gateway",
            Refusal::Unknown => issue.parent.is_some_and(|parent| self.is_forgotten(&Key::Package(parent))),
            Refusal::SubjectTaken => issue.bindings.node_name.as_ref().is_some_and(|name| {
                let names = |(_, other): (_, &crate::model::Package)| {
                    other.live
                        && other.born.issued.scope == issue.scope
                        && other.born.issued.bindings.node_name.as_ref() == Some(name)
                };
                self.packages.iter().any(names)
            }),
            Refusal::Banned => issue
                .bindings
                .node_name
                .clone()
                .is_some_and(|name| self.is_banned(&issue.scope, &Subject::NodeName(name))),
            _ => false,
        }
    }

    fn redeem(&self, redeem: &Redeem, refusal: Refusal, times: Times) -> bool {
        let Some((id, generation)) = self.tokens.get(redeem.token.expose()) else {
            return matches!(refusal, Refusal::UnknownToken | Refusal::MalformedToken);
        };
        let package = self.package(*id);
        let scope = &package.born.issued.scope;
        let subject = redeem.fingerprint.clone().unwrap();
        let holder = package.holders.get(&subject);
        let current = *generation == package.generation;
        let old_is_over = package.old_until.is_none_or(|until| until <= times.perhaps);
        match refusal {
            Refusal::UnknownToken => {
                (!current && (generation + 1 != package.generation || old_is_over)) || !package.live
            }
            Refusal::Ended => !package.live || self.moves,
            Refusal::ParentEnded => !self.lives(*id),
            Refusal::NotDelivered => current && package.recipient.is_none(),
            Refusal::Expired => package.expires_at <= times.perhaps || (!current && old_is_over),
            Refusal::BindingMismatch => {
                let name = &package.born.issued.bindings.node_name;
                name.is_some() && *name != redeem.node_name
            }
            Refusal::AlreadyClaimed => package.is_spent() && holder.is_none(),
            Refusal::GrantClosed => {
                holder.is_some_and(|holder| holder.confirmed || holder.retry_until <= times.perhaps)
            }
            Refusal::NodeRetired => {
                let was = |(node, of): (_, &(_, _))| {
                    *of == (*id, subject.clone()) && self.is_forgotten(&Key::Node(node))
                };
                holder.is_some_and(|holder| !holder.live)
                    || self.nodes.iter().any(|(node, of)| was((*node, of)))
            }
            Refusal::SubjectEnrolled => self.node_of(scope, &subject).is_some_and(|(other, _)| other != *id),
            Refusal::TokenLocked => package.locked.is_some_and(|locked| *generation <= locked),
            Refusal::Banned => {
                let before = self.nodes.iter().filter(|(_, of)| **of == (*id, subject.clone()));
                says(redeem).any(|name| self.is_banned(scope, &name))
                    || before.map(|(node, _)| *node).any(|node| self.is_banned_node(node))
            }
            Refusal::RecoveryExhausted => *generation > 1,
            _ => false,
        }
    }
}

fn is_ready(store: &Store, id: handfast::id::PackageId) -> bool {
    matches!(store.records.get(&Key::Package(id)), Some(Record::Package(package)) if package.is_ready())
}
