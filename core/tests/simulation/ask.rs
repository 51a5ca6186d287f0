//! From small numbers to commands about what there is.

use std::net::IpAddr;

use handfast::{
    aws::{Change, InstanceEvent, InstanceState},
    id::{NodeId, PackageId},
    record::{Key, Record},
    vocabulary::{Action, Authority, CheckIn, Command, Redeem},
};
use serde_json::{Value, json};

use crate::{
    step::{Ask, What},
    world::{SCOPES, World},
};

const INSTANCES: [&str; 2] = ["i-0123456789abcdef0", "i-0123456789abcdef1"];

fn pick<T>(from: &[T], number: u16) -> Option<&T> {
    from.get(usize::from(number).checked_rem(from.len())?)
}

/// One of them, mostly a late one: what is old is mostly over.
fn recent<T>(from: &[T], number: u16) -> Option<&T> {
    let last = usize::from(number % 8).min(from.len().checked_sub(1)?);
    if number.is_multiple_of(5) { pick(from, number / 5) } else { from.get(from.len() - 1 - last) }
}

impl World {
    pub(crate) fn command_of(&self, Ask { what, a, b, c }: Ask) -> Option<Command> {
        let package = |number| recent(&self.packages(), number).copied();
        let node = |number| recent(&self.known.nodes, number).cloned();
        let by =
            |operator: u16| format!("operator:{}", ["ann", "bob"][usize::from(operator.is_multiple_of(8))]);
        let value = match what {
            What::Issue => self.issue(a, b, c),
            What::Deliver => {
                json!({"type": "deliver", "authority": by(b), "to": {"type": "operator", "package": package(a)?}})
            }
            What::MakeLink => {
                let ttl = [60, 3600][usize::from(b % 2)];
                json!({"type": "make_link", "authority": by(b), "package": package(a)?, "ttl_seconds": ttl})
            }
            What::FollowLink => {
                let link = recent(&self.known.links, a)?;
                json!({"type": "deliver", "source": address(b), "to": {"type": "link", "link": link}})
            }
            What::FetchForChild => {
                let (node, subject) = node(a)?;
                let (of, _) = &self.model.nodes[&node];
                let children = &self.model.packages[of].children;
                let child =
                    children.iter().nth(usize::from(b) % children.len().max(1)).copied().or(package(b))?;
                json!({"type": "deliver", "to": {"type": "parent_node", "package": child, "node": node, "fingerprint": subject}})
            }
            What::DeliverToInstance => {
                let source = ["10.0.0.7", "192.0.2.1"][usize::from(b % 4 == 0)];
                json!({"type": "deliver", "source": source, "to": {"type": "instance", "instance": pick(&INSTANCES, a)}})
            }
            What::Reissue => {
                let mut reissue = json!({
                    "type": "reissue", "authority": by(b), "package": package(a)?, "make_before_break": c % 2 == 0,
                    "deliver": c % 3 != 0, "grace_seconds": 300, "ttl_seconds": 60 + u32::from(c % 4) * 300,
                });
                if c % 4 == 0 {
                    reissue["request"] = json!(format!("r-{}", b % 2));
                }
                reissue
            }
            What::Redeem => return self.redeem(a, b, c),
            What::Retry => return recent(&self.known.redeems, a).cloned(),
            What::CheckIn => return self.check_in(a, b, c),
            What::Leave => {
                let (node, subject) = node(a)?;
                json!({"type": "leave", "node": node, "fingerprint": if b % 8 == 0 { "m9".to_owned() } else { subject }})
            }
            What::Evict => json!({"type": "evict", "authority": by(b), "node": node(a)?.0}),
            What::Ban => {
                let subject = name(a, b);
                json!({"type": "ban", "authority": by(c), "scope": SCOPES[usize::from(c % 2)], "subject": subject})
            }
            What::Unban => {
                let banned: Vec<_> = self.model.banned.iter().collect();
                let known = pick(&banned, a).map(|(scope, subject)| (scope.to_string(), subject.to_string()));
                let other = (SCOPES[usize::from(c % 2)].to_owned(), name(a, b));
                let (scope, subject) = known.filter(|_| !c.is_multiple_of(4)).unwrap_or(other);
                json!({"type": "unban", "authority": by(c), "scope": scope, "subject": subject})
            }
            What::ResetRecoveries => {
                let subject = format!("subject/{}/{}", SCOPES[usize::from(c % 2)], name(a, 1));
                let package = package(a).map(|id| Key::Package(id).to_string());
                json!({"type": "reset_recoveries", "authority": by(b), "key": package.filter(|_| c % 3 == 0).unwrap_or(subject)})
            }
            What::Revoke => json!({"type": "revoke", "authority": by(b), "package": package(a)?}),
            What::Configure => json!({
                "type": "configure_scope", "authority": by(b), "scope": "ten", "max_active": 2 + a % 3, "max_outstanding": 2 + b % 4,
            }),
            What::ChangePool => {
                let name = format!("item-{}", a % 4);
                let content = format!("the-content-{a}-of-an-item-{b}-of-the-pool");
                let (add, remove) =
                    if c % 3 == 0 { (json!({}), json!([name])) } else { (json!({name: content}), json!([])) };
                json!({"type": "change_pool", "authority": by(b), "scope": "ten", "pool": "pool", "add": add, "remove": remove})
            }
            What::SeeSubject => {
                let subject = if b % 2 == 0 { format!("node/n{}", a % 3) } else { format!("m{}", a % 5) };
                json!({"type": "observe_subject", "authority": "executor:gate", "scope": SCOPES[usize::from(c % 2)], "subject": subject})
            }
            What::SeeInstance => return Some(self.see_instance(a, b, c)),
            What::Expire => {
                let keys: Vec<_> = self.store.records.keys().collect();
                json!({"type": "expire", "key": pick(&keys, a)?})
            }
            What::Forget => {
                let forgettable = |record: &Record| {
                    matches!(record, Record::Package(_) | Record::Node(_) | Record::Instance(_))
                };
                // Nobody forgets what a worker may still be late with.
                let awaited: Vec<Key> = self.jobs.iter().map(|job| job.effect.id.key()).collect();
                let ended = self.store.records.iter().filter(|(_, record)| forgettable(record));
                let keys: Vec<_> = ended.map(|(key, _)| key).filter(|key| !awaited.contains(key)).collect();
                json!({"type": "forget", "authority": "timer", "key": pick(&keys, a)?})
            }
        };
        Some(Command::from_value(value).unwrap())
    }

    fn packages(&self) -> Vec<PackageId> {
        self.model.packages.values().map(|package| package.born.id).collect()
    }

    fn issue(&self, a: u16, b: u16, c: u16) -> Value {
        let scope = SCOPES[usize::from(c.is_multiple_of(4))];
        let ttl = [60, 600, 900, 900][usize::from(c % 4)];
        let on = ["report", "check_in"][usize::from(c % 2)];
        let mut issue = json!({
            "type": "issue", "authority": "operator:ann", "name": format!("edge-{}", a % 6), "scope": scope,
            "ttl_seconds": ttl,
        });
        let file = json!([{"type": "file", "name": "config", "content": format!("the-text-{a}-of-a-file-{b}-of-the-node")}]);
        let client = json!({"type": "host", "kind": "client", "value": {"type": "drawn"}});
        let more = match b % 16 {
            0 | 1 => json!({"deliver": true}),
            2 => json!({"deliver": true, "contents": file}),
            // The ten-client case: names and keepers, each with a client at the upstream.
            3..=6 => json!({"scope": "ten", "keepers": {"hash": (b / 16) % 3}, "contents": [client]}),
            7 => json!({"deliver": true, "max_uses": 2, "contents": file}),
            8 => json!({"deliver": true, "max_uses": 17, "scope": "free", "contents": file}),
            9 => json!({"deliver": true, "max_uses": null, "contents": file}),
            10 => json!({"deliver": true, "kind": "site", "max_uses": 1 + c % 2}),
            11 => self.below_a_site(c),
            12 => {
                json!({"scope": "ten", "deliver": true, "contents": [{"type": "pool_item", "pool": "pool"}]})
            }
            13 => {
                json!({"contents": [{"type": "spire_join_token", "ttl_seconds": 300}, {"type": "spire_entry"}, client_in(scope, &client)]})
            }
            14 => json!({
                "contents": [{"type": "kubernetes_bootstrap_token"}, {"type": "kubernetes_node", "name": format!("n{}", a % 3)}],
                "bindings": {"node_name": format!("n{}", a % 3)}, "activates_on": on,
            }),
            _ => json!({"kind": "spot", "deliver": true, "activates_on": "check_in"}),
        };
        issue.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        if let Some(hash) = issue["keepers"]["hash"].as_u64() {
            issue["keepers"] = json!({"hash": hash.to_string()});
        } else {
            issue.as_object_mut().unwrap().remove("keepers");
        }
        if c.is_multiple_of(5) {
            issue["request"] = json!(format!("r-{}", a % 2));
        }
        if b % 16 == 2 && c.is_multiple_of(2) {
            (issue["activates_on"], issue["deliver"]) = (json!("delivery"), json!(false));
        }
        issue
    }

    fn below_a_site(&self, c: u16) -> Value {
        let may_have = |(_, package): &(&PackageId, &crate::model::Package)| {
            matches!(package.born.issued.kind.as_str(), "site" | "gateway")
                && (package.live || c.is_multiple_of(8))
        };
        let sites: Vec<_> = self.model.packages.iter().filter(may_have).collect();
        match recent(&sites, c) {
            Some((id, site)) => json!({
                "kind": "gateway", "name": format!("gateway-{}", c % 5), "parent": id, "scope": site.born.issued.scope,
                "deliver": c.is_multiple_of(2),
            }),
            None => json!({"kind": "site", "deliver": true}),
        }
    }

    /// A machine shows a token; mostly it says what the token is bound to.
    fn redeem(&self, a: u16, b: u16, c: u16) -> Option<Command> {
        let lives = |token: &&String| {
            a.is_multiple_of(8) || self.model.tokens.get(*token).is_some_and(|(id, _)| self.model.lives(*id))
        };
        let tokens: Vec<_> = self.known.tokens.iter().filter(lives).collect();
        let token = *recent(&tokens, a / 8)?;
        let bound = self.model.tokens.get(token).map(|(id, _)| &self.model.packages[id].born.issued.bindings);
        let named = bound.and_then(|bindings| bindings.node_name.clone()).filter(|_| !c.is_multiple_of(8));
        let redeem = Redeem {
            token: handfast::Secret::new(token.clone()),
            fingerprint: Some(format!("m{}", b % 6).parse().unwrap()),
            proof: None,
            identity: None,
            instance: None,
            node_name: named.or((c % 16 == 1).then(|| format!("n{}", c % 3).parse().unwrap())),
            spiffe_id: (c % 8 == 3).then(|| format!("spiffe://example.org/n{}", b % 3).parse().unwrap()),
        };
        Some(Command { authority: Authority::Node, source: Some(address(c)), action: Action::Redeem(redeem) })
    }

    fn check_in(&self, a: u16, b: u16, c: u16) -> Option<Command> {
        let lives = |(node, _): &&(NodeId, String)| {
            a.is_multiple_of(8) || self.model.holder(*node).is_some_and(|holder| holder.live)
        };
        let nodes: Vec<_> = self.known.nodes.iter().filter(lives).collect();
        let (node, subject) = *recent(&nodes, a / 8)?;
        let last = self.known.sequences.get(node).copied().unwrap_or(0);
        let sequence = match b % 8 {
            0 => last.max(1),
            1 => last.saturating_sub(1).max(1),
            _ => last + 1,
        };
        // Mostly the name of the attempt says no more than its number, so that a retry has the same; a copy has another.
        let attempt = match c % 8 {
            0 => None,
            1 => Some(format!("{sequence}-copy-{b}")),
            _ => Some(sequence.to_string()),
        };
        let fingerprint = if c.is_multiple_of(16) { "m9".parse() } else { subject.parse() };
        let check_in = CheckIn {
            node: *node,
            fingerprint: Some(fingerprint.unwrap()),
            proof: None,
            credential: None,
            sequence,
            attempt: attempt.map(|attempt| attempt.parse().unwrap()),
        };
        Some(Command {
            authority: Authority::Node,
            source: Some(address(c)),
            action: Action::CheckIn(check_in),
        })
    }

    /// An event of the cloud: a new one, or one that was seen before.
    fn see_instance(&self, a: u16, b: u16, c: u16) -> Command {
        use InstanceState::*;
        let states = [Pending, Running, Running, Running, Stopping, Stopped, ShuttingDown, Terminated];
        let event = match recent(&self.known.events, a).filter(|_| c.is_multiple_of(4)) {
            Some(event) => event.clone(),
            None => InstanceEvent::for_testing(
                pick(&INSTANCES, a).unwrap().parse().unwrap(),
                Change::State { state: states[usize::from(b % 8)] },
                self.clock.minus_seconds(u32::from(c % 60)),
                &format!("event-{a}-{b}"),
            ),
        };
        Command {
            authority: Authority::Event,
            source: None,
            action: Action::ObserveInstance(Box::new(event)),
        }
    }
}

/// A name that somebody goes by, perhaps.
fn name(a: u16, b: u16) -> String {
    match b % 6 {
        0 | 3 => format!("node/n{}", a % 3),
        2 => format!("spiffe://example.org/n{}", a % 3),
        _ => format!("m{}", a % 5),
    }
}

/// Only the scope `ten` promises clients.
fn client_in(scope: &str, client: &Value) -> Value {
    if scope == "ten" {
        client.clone()
    } else {
        json!({"type": "file", "name": "note", "content": "a-note-that-nobody-else-may-read"})
    }
}

fn address(number: u16) -> IpAddr {
    IpAddr::from([192, 0, 2, (number % 3) as u8])
}
