//! A command for people, rules and logs: everything that was asked, and no secret.

use serde_json::{Map, Value, json};

use super::{Action, Command, Content, HostValue, Issue, Recipient, Redeem};

/// What stands where a secret was.
const REDACTED: &str = "[redacted]";

impl Command {
    /// The command as a JSON object of the same shape as [`Command::from_value`] reads, with its authority and source. Each
    /// secret in it is replaced by `[redacted]`. There is no `Serialize`: a command that could be written back would
    /// sooner or later be, with its token.
    #[must_use]
    pub fn describe(&self) -> Value {
        let mut members = self.action.describe();
        members.insert("type".to_owned(), self.action.name().into());
        members.insert("authority".to_owned(), json!(self.authority));
        if let Some(source) = self.source {
            members.insert("source".to_owned(), json!(source));
        }
        members.retain(|_, member| !member.is_null());
        Value::Object(members)
    }
}

impl Action {
    fn describe(&self) -> Map<String, Value> {
        let value = match self {
            Self::Issue(issue) => describe_issue(issue),
            Self::Deliver(deliver) => json!({ "to": describe_recipient(&deliver.to) }),
            Self::MakeLink(make) => json!({ "package": make.package, "ttl_seconds": make.ttl_seconds }),
            Self::Reissue(reissue) => json!({
                "package": reissue.package, "make_before_break": reissue.make_before_break,
                "grace_seconds": reissue.grace_seconds, "ttl_seconds": reissue.ttl_seconds,
                "deliver": reissue.deliver, "request": reissue.request,
            }),
            Self::Redeem(redeem) => describe_redeem(redeem),
            Self::CheckIn(check_in) => json!({
                "node": check_in.node, "fingerprint": check_in.fingerprint, "sequence": check_in.sequence,
                "attempt": check_in.attempt,
                "proof": hidden(check_in.proof.as_ref()), "credential": hidden(check_in.credential.as_ref()),
            }),
            Self::Leave(leave) => json!({
                "node": leave.node, "fingerprint": leave.fingerprint,
                "proof": hidden(leave.proof.as_ref()), "credential": hidden(leave.credential.as_ref()),
            }),
            Self::Evict(evict) => json!({ "node": evict.node }),
            Self::Ban(ban) => json!({ "scope": ban.scope, "subject": ban.subject, "reason": ban.reason }),
            Self::Unban(unban) => {
                json!({ "scope": unban.scope, "subject": unban.subject, "reason": unban.reason })
            }
            Self::ResetRecoveries(reset) => json!({ "key": reset.key }),
            Self::Revoke(revoke) => json!({ "package": revoke.package, "reason": revoke.reason }),
            Self::ConfigureScope(configure) => json!({
                "scope": configure.scope, "max_outstanding": configure.max_outstanding,
                "max_active": configure.max_active,
            }),
            Self::ChangePool(change) => {
                let add =
                    change.add.iter().map(|(name, content)| (name.to_string(), hidden(content.as_ref())));
                let add: Map<String, Value> = add.collect();
                json!({ "scope": change.scope, "pool": change.pool, "add": add, "remove": change.remove })
            }
            Self::ObserveSubject(observe) => json!({ "scope": observe.scope, "subject": observe.subject }),
            Self::Expire(expire) => json!({ "key": expire.key }),
            Self::Forget(forget) => json!({ "key": forget.key }),
            Self::Report(report) => json!({ "effect": report.effect }),
            Self::ObserveInstance(event) => json!({
                "instance": event.instance(), "account": event.account(), "region": event.region(),
                "state": event.implied_state(), "occurred_at": event.occurred_at(),
            }),
        };
        if let Value::Object(members) = value { members } else { Map::new() }
    }
}

fn hidden<T>(secret: Option<&T>) -> Value {
    secret.map_or(Value::Null, |_| REDACTED.into())
}

fn describe_issue(issue: &Issue) -> Value {
    json!({
        "name": issue.name, "scope": issue.scope, "kind": issue.kind, "labels": issue.labels, "notes": issue.notes,
        "parent": issue.parent, "keepers": issue.keepers, "ttl_seconds": issue.ttl_seconds, "max_uses": issue.max_uses,
        "inactivity_seconds": issue.inactivity_seconds, "bindings": issue.bindings,
        "activates_on": issue.activates_on, "request": issue.request, "deliver": issue.deliver,
        "contents": issue.contents.iter().map(describe_content).collect::<Vec<_>>(),
    })
}

fn describe_content(content: &Content) -> Value {
    match content {
        Content::File { name, format, .. } => {
            json!({ "type": "file", "name": name, "content": REDACTED, "format": format })
        }
        Content::KubernetesBootstrapToken { groups, ttl_seconds } => {
            json!({ "type": "kubernetes_bootstrap_token", "groups": groups, "ttl_seconds": ttl_seconds })
        }
        Content::KubernetesNode { name } => json!({ "type": "kubernetes_node", "name": name }),
        Content::SpireJoinToken { ttl_seconds, spiffe_id } => {
            json!({ "type": "spire_join_token", "ttl_seconds": ttl_seconds, "spiffe_id": spiffe_id })
        }
        Content::SpireEntry {
            spiffe_id,
            parent_id,
            selectors,
            x509_svid_ttl_seconds,
            jwt_svid_ttl_seconds,
            dns_names,
            federates_with,
            hint,
            downstream,
        } => json!({
            "type": "spire_entry", "spiffe_id": spiffe_id, "parent_id": parent_id, "selectors": selectors,
            "x509_svid_ttl_seconds": x509_svid_ttl_seconds, "jwt_svid_ttl_seconds": jwt_svid_ttl_seconds,
            "dns_names": dns_names, "federates_with": federates_with, "hint": hint, "downstream": downstream,
        }),
        Content::Host { kind, name, value, settings } => {
            let value = match value {
                HostValue::None => json!({ "type": "none" }),
                HostValue::Drawn => json!({ "type": "drawn" }),
                HostValue::Given { .. } => json!({ "type": "given", "value": REDACTED }),
            };
            json!({ "type": "host", "kind": kind, "name": name, "value": value, "settings": settings })
        }
        Content::PoolItem { pool } => json!({ "type": "pool_item", "pool": pool }),
    }
}

fn describe_recipient(recipient: &Recipient) -> Value {
    match recipient {
        Recipient::Operator { package } => json!({ "type": "operator", "package": package }),
        Recipient::Link { .. } => json!({ "type": "link", "link": REDACTED }),
        Recipient::Instance { instance, .. } => json!({ "type": "instance", "instance": instance }),
        Recipient::ParentNode { package, node, fingerprint, .. } => json!({
            "type": "parent_node", "package": package, "node": node, "fingerprint": fingerprint,
        }),
    }
}

fn describe_redeem(redeem: &Redeem) -> Value {
    json!({
        "token": REDACTED, "fingerprint": redeem.fingerprint, "proof": hidden(redeem.proof.as_ref()),
        "instance": redeem.instance, "node_name": redeem.node_name, "spiffe_id": redeem.spiffe_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_asked_and_no_secret() {
        let command = json!({
            "type": "issue", "authority": "operator:ann", "source": "192.0.2.1", "name": "edge-1",
            "contents": [
                {"type": "file", "name": "a", "content": "hunter1"},
                {"type": "host", "kind": "db", "value": {"type": "given", "value": "hunter2"}},
            ],
        });
        let described = Command::from_value(command).unwrap().describe();
        assert_eq!(described["contents"][0]["name"], "a");
        assert_eq!((&described["type"], &described["source"]), (&json!("issue"), &json!("192.0.2.1")));
        let pool = json!({
            "type": "change_pool", "authority": "operator:ann", "scope": "s", "pool": "p", "add": {"a": "hunter3"},
        });
        let redeem = json!({"type": "redeem", "token": "hunter4", "proof": "hunter5"});
        let link = json!({"type": "deliver", "to": {"type": "link", "link": "hunter6"}});
        let others = [pool, redeem, link].map(|command| Command::from_value(command).unwrap().describe());
        assert!(!format!("{described}{others:?}").contains("hunter"), "{others:?}");
        assert_eq!(others[1]["token"], REDACTED);
    }
}
