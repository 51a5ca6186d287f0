//! The reference: deliberately simple bookkeeping of what was promised to whom, from commands and answers alone.
//!
//! Where clocks disagree there are two times: `sure` is what the host that decided believed, and `perhaps` is the latest
//! instant that any host has ever believed. What is past by `sure` must count as past; what is not past by `perhaps` must
//! not.

use std::collections::{BTreeMap, BTreeSet};

use handfast::{
    id::{Fingerprint, NodeId, PackageId, RequestId, ScopeId, SecretId, Subject},
    record::{Package as PackageRecord, PackageContent},
    registrar::CloneReaction,
    time::Timestamp,
    vocabulary::{
        Action, ActivatesOn, Answer, Command, Deliver, Delivered, GivenContent, Issue, Issued, Recipient,
        Redeem, Redeemed, Refusal, Reissue, ReissuedAnswer,
    },
};

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) packages: BTreeMap<PackageId, Package>,
    pub(crate) nodes: BTreeMap<NodeId, (PackageId, Fingerprint)>,
    /// Every enrollment token that anybody was ever given.
    pub(crate) tokens: BTreeMap<String, (PackageId, u16)>,
    /// Every sealed secret, in the clear.
    pub(crate) plain: BTreeMap<SecretId, String>,
    pub(crate) banned: BTreeSet<(ScopeId, Subject)>,
    /// Most reservations that a scope has ever been allowed.
    pub(crate) most: BTreeMap<ScopeId, u32>,
    pub(crate) dead_instances: BTreeSet<String>,
    pub(crate) forgotten: BTreeSet<String>,
    pub(crate) moves: bool,
    pub(crate) reaction: CloneReaction,
    /// What each node said of itself, when it redeemed last.
    pub(crate) names: BTreeMap<NodeId, Vec<Subject>>,
}

pub(crate) struct Package {
    pub(crate) born: PackageRecord,
    pub(crate) live: bool,
    pub(crate) activated: bool,
    /// To whom the current token was handed.
    pub(crate) recipient: Option<String>,
    pub(crate) generation: u16,
    /// Until when the token before the current one is good; `None`: it is dead.
    pub(crate) old_until: Option<Timestamp>,
    pub(crate) token: Option<SecretId>,
    pub(crate) expires_at: Timestamp,
    pub(crate) token_closed: bool,
    /// Tokens up to this generation were locked.
    pub(crate) locked: Option<u16>,
    pub(crate) holders: BTreeMap<Fingerprint, Holder>,
    pub(crate) children: BTreeSet<PackageId>,
}

/// Who spent a use.
pub(crate) struct Holder {
    pub(crate) node: NodeId,
    pub(crate) generation: u16,
    pub(crate) live: bool,
    pub(crate) confirmed: bool,
    pub(crate) retry_until: Timestamp,
    pub(crate) activate_by: Timestamp,
    pub(crate) sequence: u64,
    pub(crate) last_seen: Timestamp,
    pub(crate) given: Vec<String>,
    pub(crate) attempt: Option<RequestId>,
    pub(crate) quarantined: bool,
}

impl Package {
    pub(crate) fn new(born: &PackageRecord) -> Self {
        Self {
            live: true,
            activated: false,
            recipient: None,
            generation: 1,
            old_until: None,
            token: born.token.as_ref().map(|token| token.secret),
            expires_at: born.expires_at,
            token_closed: false,
            locked: None,
            holders: BTreeMap::new(),
            children: BTreeSet::new(),
            born: born.clone(),
        }
    }

    pub(crate) fn max(&self) -> Option<u32> {
        self.born.issued.max_uses
    }

    pub(crate) fn uses(&self) -> u32 {
        self.holders.len() as u32
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.max().is_some_and(|max| self.uses() >= max)
    }

    pub(crate) fn has_live_nodes(&self) -> bool {
        self.holders.values().any(|holder| holder.live)
    }

    /// Whether nothing keeps it alive: it was used, no node is left, and none can come.
    pub(crate) fn is_over(&self) -> bool {
        self.max().is_some()
            && self.uses() > 0
            && !self.has_live_nodes()
            && (self.is_spent() || self.token_closed)
    }

    fn is_delivered(&self) -> bool {
        self.recipient.is_some()
    }
}

/// When it was decided, as said above.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) sure: Timestamp,
    pub(crate) perhaps: Timestamp,
}

impl Model {
    pub(crate) fn package(&self, id: PackageId) -> &Package {
        self.packages.get(&id).unwrap_or_else(|| panic!("nobody issued {id}"))
    }

    fn package_mut(&mut self, id: PackageId) -> &mut Package {
        self.packages.get_mut(&id).unwrap_or_else(|| panic!("nobody issued {id}"))
    }

    /// Whether a package and everything above it lives.
    pub(crate) fn lives(&self, id: PackageId) -> bool {
        self.packages.get(&id).is_some_and(|package| {
            package.live && package.born.issued.parents.iter().all(|parent| self.packages[parent].live)
        })
    }

    pub(crate) fn holder(&self, node: NodeId) -> Option<&Holder> {
        let (package, subject) = self.nodes.get(&node)?;
        self.package(*package).holders.get(subject).filter(|holder| holder.node == node)
    }

    fn holder_mut(&mut self, node: NodeId) -> Option<&mut Holder> {
        let (package, subject) = self.nodes.get(&node)?.clone();
        self.package_mut(package).holders.get_mut(&subject).filter(|holder| holder.node == node)
    }

    /// The live node that a subject is within a scope.
    pub(crate) fn node_of(&self, scope: &ScopeId, subject: &Fingerprint) -> Option<(PackageId, NodeId)> {
        let lives = |(id, package): (&PackageId, &Package)| {
            let holder = package.holders.get(subject)?;
            (package.born.issued.scope == *scope && self.lives(*id) && holder.live)
                .then_some((*id, holder.node))
        };
        self.packages.iter().find_map(lives)
    }

    pub(crate) fn live_by_name(&self, issue: &Issue) -> impl Iterator<Item = (&PackageId, &Package)> {
        let (scope, name) = (issue.scope.clone(), issue.name.clone());
        self.packages.iter().filter(move |(_, package)| {
            package.live && package.born.issued.scope == scope && package.born.issued.name == name
        })
    }

    pub(crate) fn is_banned(&self, scope: &ScopeId, subject: &Subject) -> bool {
        self.banned.contains(&(scope.clone(), subject.clone()))
    }

    /// Whether a node is banned under any name that it goes by.
    pub(crate) fn is_banned_node(&self, node: NodeId) -> bool {
        let Some((package, _)) = self.nodes.get(&node) else { return false };
        let scope = &self.package(*package).born.issued.scope;
        self.names[&node].iter().any(|name| self.is_banned(scope, name))
    }

    /// Somebody was refused as one machine too many: what follows from that.
    pub(crate) fn suspect(&mut self, command: &Command, refusal: Refusal) {
        let (package, node) = match (&command.action, refusal) {
            (Action::CheckIn(check_in), Refusal::CloneSuspected) => {
                (self.nodes[&check_in.node].0, Some(check_in.node))
            }
            (Action::Redeem(redeem), Refusal::AlreadyClaimed) => {
                let package = self.package(self.tokens[redeem.token.expose()].0);
                let only = package.holders.values().map(|holder| holder.node).next();
                (package.born.id, only.filter(|_| package.max() == Some(1)))
            }
            _ => return,
        };
        if self.reaction != CloneReaction::Alert {
            let package = self.package_mut(package);
            package.locked = Some(package.generation);
        }
        if let (CloneReaction::Quarantine, Some(holder)) =
            (self.reaction, node.and_then(|node| self.holder_mut(node)))
        {
            holder.quarantined |= holder.live;
        }
    }

    /// A package and everything below it ends, and all nodes with it.
    pub(crate) fn kill(&mut self, id: PackageId) {
        let package = self.package_mut(id);
        package.live = false;
        package.holders.values_mut().for_each(|holder| holder.live = false);
        for child in package.children.clone() {
            if self.packages[&child].live {
                self.kill(child);
            }
        }
    }

    pub(crate) fn retire(&mut self, node: NodeId) {
        if let Some(holder) = self.holder_mut(node) {
            holder.live = false;
        }
    }

    /// Takes in a committed command and what it came to.
    pub(crate) fn take(&mut self, command: &Command, answer: &Answer, times: Times) {
        match (&command.action, answer) {
            (Action::Issue(issue), Answer::Issued(issued)) => self.issued(command, issue, issued),
            (Action::Deliver(deliver), Answer::Delivered(delivered)) => {
                self.delivered(command, deliver, delivered, times)
            }
            (Action::MakeLink(make), Answer::Linked(_)) => {
                assert!(self.package(make.package).live && !self.package(make.package).is_delivered());
            }
            (Action::Reissue(reissue), Answer::Reissued(reissued)) => {
                self.reissued(command, reissue, reissued)
            }
            (Action::Redeem(redeem), Answer::Redeemed(redeemed)) => self.redeemed(redeem, redeemed, times),
            (Action::CheckIn(check_in), Answer::CheckedIn(answer)) => {
                let (package, subject) = self.nodes[&check_in.node].clone();
                assert!(self.lives(package), "a check-in below an end");
                assert_eq!(check_in.fingerprint.as_ref(), Some(&subject));
                assert!(!self.is_banned_node(check_in.node));
                let holder = self.holder_mut(check_in.node).unwrap();
                assert!(holder.live && (holder.confirmed || times.sure < holder.activate_by));
                assert!(!holder.quarantined, "in quarantine");
                assert_eq!(answer.again, check_in.sequence == holder.sequence);
                assert!(check_in.sequence >= holder.sequence);
                assert!(!answer.again || holder.attempt.is_none() || holder.attempt == check_in.attempt);
                if !answer.again {
                    holder.attempt = check_in.attempt.clone();
                }
                (holder.sequence, holder.confirmed) = (check_in.sequence, true);
                if !answer.again {
                    holder.last_seen = holder.last_seen.max(times.perhaps);
                }
                if self.package(package).born.issued.activates_on == ActivatesOn::CheckIn {
                    self.package_mut(package).activated = true;
                }
            }
            (Action::Leave(leave), Answer::NodeEnded(_)) => {
                assert!(self.holder(leave.node).is_none_or(|holder| !holder.live || !holder.quarantined));
                self.retire(leave.node);
            }
            (Action::Evict(evict), Answer::NodeEnded(_)) => self.retire(evict.node),
            (Action::Ban(ban), Answer::Banned(banned)) => {
                self.banned.insert((ban.scope.clone(), ban.subject.clone()));
                if let Some(node) = banned.node {
                    self.retire(node);
                }
            }
            (Action::Unban(unban), Answer::Unbanned(unbanned)) => {
                let was = self.banned.remove(&(unban.scope.clone(), unban.subject.clone()));
                assert_eq!(unbanned.again, !was);
            }
            (Action::Revoke(revoke), Answer::Revoked(revoked)) => {
                assert_eq!(revoked.again, !self.package(revoke.package).live);
                self.kill(revoke.package);
            }
            (Action::ConfigureScope(configure), Answer::Configured(_)) => {
                let most = self.most.entry(configure.scope.clone()).or_default();
                *most = (*most).max(configure.max_active.unwrap_or(u32::MAX));
            }
            (Action::ObserveSubject(_), Answer::SubjectObserved(seen)) => {
                let package = self.package_mut(seen.package);
                assert!(package.live);
                package.activated |= seen.activated;
            }
            (Action::ObserveInstance(event), Answer::Observed(observed)) => {
                if observed
                    .state
                    .is_some_and(|state| state.as_str() == "terminated" || state.as_str() == "shutting-down")
                {
                    self.dead_instances.insert(event.instance().to_string());
                    let of = |package: &&Package| {
                        package.live && package.born.issued.instance.as_ref() == Some(event.instance())
                    };
                    let ended = self.packages.values().find(of).map(|package| package.born.id);
                    ended.into_iter().for_each(|id| self.kill(id));
                }
            }
            (Action::Forget(forget), Answer::Forgotten(_)) => {
                self.forgotten.insert(forget.key.to_string());
            }
            (Action::ChangePool(_), Answer::Configured(_))
            | (Action::ResetRecoveries(_), Answer::RecoveriesReset(_))
            | (Action::Expire(_), Answer::Expired(_))
            | (Action::Report(_), Answer::Reported(_)) => {}
            (action, answer) => panic!("{} came to {answer:?}", action.name()),
        }
    }

    fn issued(&mut self, command: &Command, issue: &Issue, issued: &Issued) {
        let others: Vec<_> =
            self.live_by_name(issue).map(|(id, _)| *id).filter(|id| *id != issued.package).collect();
        if issued.again {
            assert!(others.is_empty() && self.package(issued.package).live);
        } else {
            for other in others {
                let keepers = &self.package(other).born.issued.keepers;
                assert!(
                    !issue.keepers.is_empty() && !keepers.is_empty() && issue.keepers != *keepers,
                    "two of one name"
                );
                self.kill(other);
            }
            if let Some(parent) = issue.parent {
                assert!(self.lives(parent), "a child of what has ended");
                self.package_mut(parent).children.insert(issued.package);
            }
            let bindings = &issue.bindings;
            let named = bindings.node_name.clone().map(Subject::NodeName);
            for subject in named.into_iter().chain(bindings.spiffe_id.clone().map(Subject::Spiffe)) {
                assert!(!self.is_banned(&issue.scope, &subject));
                let names = |other: &&Package| {
                    let bindings = &other.born.issued.bindings;
                    bindings.node_name.clone().map(Subject::NodeName) == Some(subject.clone())
                        || bindings.spiffe_id.clone().map(Subject::Spiffe) == Some(subject.clone())
                };
                let same = self
                    .packages
                    .values()
                    .filter(|other| other.live && other.born.issued.scope == issue.scope);
                assert_eq!(same.filter(names).count(), 1, "two packages name {subject}");
            }
        }
        if let Some(token) = &issued.token {
            self.hand_over(issued.package, &format!("{}", command.authority), token.expose(), issued.again);
        }
    }

    /// A token is handed to somebody: to one, and to that one as often as it wants in its window.
    fn hand_over(&mut self, id: PackageId, to: &str, token: &str, again: bool) {
        let package = &self.packages[&id];
        let secret = package.token.unwrap();
        assert_eq!(Some(token), self.plain.get(&secret).map(String::as_str), "another token");
        match &package.recipient {
            Some(recipient) => assert!(again && recipient == to, "handed to {recipient}, and then to {to}"),
            None => assert!(!again, "nobody had it before"),
        }
        let generation = package.generation;
        self.tokens.insert(token.to_owned(), (id, generation));
        self.package_mut(id).recipient = Some(to.to_owned());
    }

    fn delivered(&mut self, command: &Command, deliver: &Deliver, delivered: &Delivered, times: Times) {
        let id = delivered.package;
        assert!(self.lives(id), "handed over after its end");
        let to = match &deliver.to {
            Recipient::Operator { .. } => format!("{}", command.authority),
            Recipient::Link { link } => format!("link {} from {:?}", link.expose(), command.source),
            Recipient::Instance { instance, .. } => {
                assert!(!self.dead_instances.contains(instance.as_str()));
                format!("instance {instance}")
            }
            Recipient::ParentNode { node, .. } => {
                let holder = self.holder(*node).unwrap();
                assert!(holder.live && holder.confirmed && !holder.quarantined);
                assert!(!self.is_banned_node(*node));
                format!("node {node}")
            }
        };
        let package = self.package(id);
        assert!(package.activated || times.sure < package.expires_at, "handed over after its time");
        match &delivered.token {
            Some(token) => self.hand_over(id, &to, token.expose(), delivered.again),
            None => {
                assert_eq!(given(&delivered.contents), self.contents(id));
                let package = self.package_mut(id);
                assert!(
                    package.recipient.is_none() && !delivered.again
                        || package.recipient.as_ref() == Some(&to)
                );
                package.recipient = Some(to);
                package.activated = true;
            }
        }
    }

    /// Everything that a package carries, in the clear.
    fn contents(&self, id: PackageId) -> Vec<String> {
        let secrets = self.package(id).born.issued.contents.iter().filter_map(PackageContent::secret);
        secrets.map(|secret| self.plain[&secret].clone()).collect()
    }

    fn reissued(&mut self, command: &Command, reissue: &Reissue, reissued: &ReissuedAnswer) {
        let package = self.package_mut(reissue.package);
        assert!(package.live, "a new token for what has ended");
        if !reissued.again {
            package.generation += 1;
            package.old_until = reissued.old_until;
            let longer = |until| !reissue.make_before_break || until > package.expires_at;
            assert!(!reissued.old_until.is_some_and(longer), "the old token gains time");
            package.expires_at = reissued.expires_at;
            (package.recipient, package.token_closed) = (None, false);
        }
        if let Some(token) = &reissued.token {
            self.hand_over(
                reissue.package,
                &format!("{}", command.authority),
                token.expose(),
                reissued.again,
            );
        }
    }

    fn redeemed(&mut self, redeem: &Redeem, redeemed: &Redeemed, times: Times) {
        let subject = redeem.fingerprint.clone().unwrap();
        let (id, generation) = *self.tokens.get(redeem.token.expose()).expect("a token that was handed out");
        assert_eq!(id, redeemed.package);
        let package = self.package(id);
        let scope = package.born.issued.scope.clone();
        assert!(self.lives(id), "redeemed after its end");
        assert!(
            generation == package.generation
                || (generation + 1 == package.generation
                    && package.old_until.is_some_and(|until| times.sure < until)),
            "a dead token"
        );
        assert!(generation != package.generation || package.is_delivered());
        assert!(package.locked.is_none_or(|locked| locked < generation), "a locked token");
        let says: Vec<Subject> = says(redeem).collect();
        assert!(!says.iter().any(|name| self.is_banned(&scope, name)), "a banned subject");
        let (given, all) = (given(&redeemed.contents), self.contents(id));
        assert_eq!(redeemed.contents_shredded, given.len() < all.len(), "what was shredded is said");
        assert!(
            package.born.issued.bindings.node_name.is_none()
                || package.born.issued.bindings.node_name == redeem.node_name
        );
        if redeemed.again {
            let holder = &package.holders[&subject];
            assert!(
                holder.live
                    && !holder.confirmed
                    && holder.generation == generation
                    && times.sure < holder.retry_until
            );
            assert_eq!((&given, redeemed.node), (&holder.given, holder.node), "the same grant");
            return;
        }
        assert!(times.sure < package.expires_at, "a first grant after its time");
        assert!(!self.names.contains_key(&redeemed.node) || !self.is_banned_node(redeemed.node));
        assert!(given == all || (generation > 1 && given.iter().all(|content| all.contains(content))));
        let elsewhere = self.node_of(&scope, &subject).filter(|(other, _)| *other != id);
        if let Some((_, node)) = elsewhere {
            assert!(self.moves && !package.holders.contains_key(&subject), "a node twice");
            self.retire(node);
        }
        let package = self.package_mut(id);
        match package.holders.get(&subject) {
            Some(known) => assert!(generation > known.generation, "anew by an old token"),
            None if package.is_spent() => {
                assert!(
                    package.max() == Some(1)
                        && package.holders.values().all(|old| old.generation < generation),
                    "too many"
                );
                package.holders.clear();
            }
            None => {}
        }
        let holder = Holder {
            node: redeemed.node,
            generation,
            live: true,
            confirmed: false,
            retry_until: redeemed.retry_until,
            activate_by: redeemed.activate_by,
            sequence: 0,
            last_seen: times.perhaps,
            given,
            attempt: None,
            quarantined: false,
        };
        package.holders.insert(subject.clone(), holder);
        package.activated |= package.born.issued.activates_on == ActivatesOn::Redeem;
        if generation == package.generation {
            package.old_until = None;
        }
        self.nodes.insert(redeemed.node, (id, subject));
        self.names.insert(redeemed.node, says);
    }
}

/// Who somebody with a token says that it is.
pub(crate) fn says(redeem: &Redeem) -> impl Iterator<Item = Subject> {
    let key = redeem.fingerprint.clone().map(Subject::Fingerprint);
    let node_name = redeem.node_name.clone().map(Subject::NodeName);
    key.into_iter().chain(node_name).chain(redeem.spiffe_id.clone().map(Subject::Spiffe))
}

fn given(contents: &[GivenContent]) -> Vec<String> {
    contents.iter().filter_map(GivenContent::secret).map(|secret| secret.expose().to_owned()).collect()
}
