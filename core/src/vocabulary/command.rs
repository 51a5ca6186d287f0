//! What is asked of the registrar.

use std::net::IpAddr;

use super::{
    Authority, Ban, ChangePool, CheckIn, ConfigureScope, Deliver, Error, Evict, Expire, Forget, Issue, Leave,
    MakeLink, ObserveSubject, Recipient, Redeem, Reissue, Report, ResetRecoveries, Revoke, Unban,
    strict::Strict,
};
use crate::{
    aws::{InstanceEvent, identity::InstanceIdentity},
    verified::Verified,
};

/// One command with the authority behind it.
#[derive(Clone, Debug)]
pub struct Command {
    /// On whose behalf, as the host authenticated it.
    pub authority: Authority,
    /// The address the request came from, as the host saw it: behind a proxy that is the host's business to know.
    pub source: Option<IpAddr>,
    /// What is asked.
    pub action: Action,
}

impl Command {
    /// Reads a command from JSON as it crosses a language boundary: the members of its action, a `type`, and
    /// `authority` and `source` beside them. `authority` may be left out where only one is possible.
    ///
    /// # Errors
    /// [`Code::InvalidInput`](crate::code::Code::InvalidInput) with the path of what is missing, unknown or wrong.
    pub fn from_value(mut value: serde_json::Value) -> Result<Self, Error> {
        let members = value.as_object_mut().ok_or_else(|| Error::input("", "expected an object"))?;
        let authority = members.remove("authority");
        let source = members.remove("source").filter(|source| !source.is_null());
        let kind = members.remove("type").ok_or_else(|| Error::input("type", "is required"))?;
        let action = Action::from_members(kind.as_str().unwrap_or_default(), value)?;
        let authority = match authority {
            Some(given) => from_value(given, "authority")?,
            None => action.only_authority().ok_or_else(|| Error::input("authority", "is required"))?,
        };
        let source = source.map(|source| from_value(source, "source")).transpose()?;
        Ok(Self { authority, source, action })
    }
}

impl Command {
    /// Puts an instance's verified identity document beside a redemption, or a delivery to that instance.
    ///
    /// # Errors
    /// [`Code::InvalidInput`](crate::code::Code::InvalidInput) for any other command.
    pub fn with_identity(mut self, identity: Verified<InstanceIdentity>) -> Result<Self, Error> {
        let identity = Some(Box::new(identity));
        if let Action::Redeem(redeem) = &mut self.action {
            redeem.identity = identity;
        } else if let Action::Deliver(Deliver { to: Recipient::Instance { identity: place, .. } }) =
            &mut self.action
        {
            *place = identity;
        } else {
            return Err(Error::input("identity", "goes with redeem, or deliver to an instance"));
        }
        Ok(self)
    }
}

/// Reads a policy, an effect or another value that crosses a language boundary; `at` is where it stands itself, for
/// the path in the error, and is empty for the whole.
///
/// # Errors
/// [`Code::InvalidInput`](crate::code::Code::InvalidInput) with the path of what is missing, unknown or wrong.
pub fn from_value<T: serde::de::DeserializeOwned>(value: serde_json::Value, at: &str) -> Result<T, Error> {
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let inner = error.path().to_string();
        let path = match (at, inner.as_str()) {
            ("", ".") => String::new(),
            ("", _) => inner,
            (_, ".") => at.to_owned(),
            (_, item) if item.starts_with('[') => format!("{at}{item}"),
            (_, _) => format!("{at}.{inner}"),
        };
        Error::input(&path, &error.inner().to_string())
    })
}

/// [`from_value`] for what may hold a secret as plain text: the error says what is expected, and not what is there.
pub(crate) fn from_secret_value<T: serde::de::DeserializeOwned>(
    value: serde_json::Value,
    at: &str,
) -> Result<T, Error> {
    from_value(value, at).map_err(|error| {
        let Error::Input { path, message } = &error else { return error };
        if !message.starts_with("invalid ") {
            return error;
        }
        let expected = message.rsplit_once(", expected ").map_or("another value", |(_, expected)| expected);
        Error::input(path, &format!("expected {expected}"))
    })
}

/// What is asked.
#[expect(clippy::large_enum_variant, reason = "a command lives for one decision, and issues are common")]
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(tag = "type", rename_all = "snake_case")
)]
pub enum Action {
    /// Make a package.
    Issue(Issue),
    /// Hand a package over.
    Deliver(Deliver),
    /// Have a download link made for a package.
    MakeLink(MakeLink),
    /// Give a live package a new token.
    Reissue(Reissue),
    /// Present an enrollment token.
    Redeem(Redeem),
    /// Say that a node is alive.
    CheckIn(CheckIn),
    /// A node says that it goes.
    Leave(Leave),
    /// Send a node away; it may return with a new token.
    Evict(Evict),
    /// Never let a subject be a node again.
    Ban(Ban),
    /// Lift a ban.
    Unban(Unban),
    /// Count recoveries from 0 again.
    ResetRecoveries(ResetRecoveries),
    /// End a package for good.
    Revoke(Revoke),
    /// Set a scope's quota.
    ConfigureScope(ConfigureScope),
    /// Fill or empty a pool.
    ChangePool(ChangePool),
    /// Take note that a subject has connected.
    ObserveSubject(ObserveSubject),
    /// Apply the deadlines of one record.
    Expire(Expire),
    /// Forget a record that has ended.
    Forget(Forget),
    /// Say how an effect went.
    Report(Report),
    /// Take note of a verified cloud event. Evidence has no JSON form: only a verifier makes it.
    #[cfg_attr(feature = "schema", schemars(skip))]
    ObserveInstance(Box<InstanceEvent>),
}

impl Action {
    /// The action's name, as in its `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Issue(_) => "issue",
            Self::Deliver(_) => "deliver",
            Self::MakeLink(_) => "make_link",
            Self::Reissue(_) => "reissue",
            Self::Redeem(_) => "redeem",
            Self::CheckIn(_) => "check_in",
            Self::Leave(_) => "leave",
            Self::Evict(_) => "evict",
            Self::Ban(_) => "ban",
            Self::Unban(_) => "unban",
            Self::ResetRecoveries(_) => "reset_recoveries",
            Self::Revoke(_) => "revoke",
            Self::ConfigureScope(_) => "configure_scope",
            Self::ChangePool(_) => "change_pool",
            Self::ObserveSubject(_) => "observe_subject",
            Self::Expire(_) => "expire",
            Self::Forget(_) => "forget",
            Self::Report(_) => "report",
            Self::ObserveInstance(_) => "observe_instance",
        }
    }

    /// Reads the members of the action of that name. Not a derived tagged enum, which would lose the paths of errors.
    fn from_members(kind: &str, members: serde_json::Value) -> Result<Self, Error> {
        match kind {
            "issue" => from_value(members, "").map(Self::Issue),
            "deliver" => from_value(members, "").map(Self::Deliver),
            "make_link" => from_value(members, "").map(Self::MakeLink),
            "reissue" => from_value(members, "").map(Self::Reissue),
            "redeem" => from_value(members, "").map(Self::Redeem),
            "check_in" => from_value(members, "").map(Self::CheckIn),
            "leave" => from_value(members, "").map(Self::Leave),
            "evict" => from_value(members, "").map(Self::Evict),
            "ban" => from_value(members, "").map(Self::Ban),
            "unban" => from_value(members, "").map(Self::Unban),
            "reset_recoveries" => from_value(members, "").map(Self::ResetRecoveries),
            "revoke" => from_value(members, "").map(Self::Revoke),
            "configure_scope" => from_value(members, "").map(Self::ConfigureScope),
            "change_pool" => from_value(members, "").map(Self::ChangePool),
            "observe_subject" => from_value(members, "").map(Self::ObserveSubject),
            "expire" => from_value(members, "").map(Self::Expire),
            "forget" => from_value(members, "").map(Self::Forget),
            "report" => from_value(members, "").map(Self::Report),
            _ => Err(Error::input("type", &format!("expected one of {}", NAMES.join(", ")))),
        }
    }

    /// The authority, where an action has just one.
    fn only_authority(&self) -> Option<Authority> {
        match self {
            Self::Redeem(_) | Self::CheckIn(_) | Self::Leave(_) => Some(Authority::Node),
            Self::Expire(_) => Some(Authority::Timer),
            Self::ObserveInstance(_) => Some(Authority::Event),
            Self::Deliver(deliver) => match deliver.to {
                Recipient::Link { .. } | Recipient::Instance { .. } | Recipient::ParentNode { .. } => {
                    Some(Authority::Node)
                }
                Recipient::Operator { .. } => None,
            },
            Self::Issue(_)
            | Self::MakeLink(_)
            | Self::Reissue(_)
            | Self::Evict(_)
            | Self::Ban(_)
            | Self::Unban(_)
            | Self::ResetRecoveries(_)
            | Self::Revoke(_)
            | Self::ConfigureScope(_)
            | Self::ChangePool(_)
            | Self::ObserveSubject(_)
            | Self::Forget(_)
            | Self::Report(_) => None,
        }
    }
}

/// The actions that have a JSON form.
const NAMES: [&str; 18] = [
    "issue",
    "deliver",
    "make_link",
    "reissue",
    "redeem",
    "check_in",
    "leave",
    "evict",
    "ban",
    "unban",
    "reset_recoveries",
    "revoke",
    "configure_scope",
    "change_pool",
    "observe_subject",
    "expire",
    "forget",
    "report",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::Key;

    #[test]
    fn defaults_are_filled_in_and_the_authority_is_inferred_where_it_is_certain() {
        let command =
            Command::from_value(json!({"type": "issue", "authority": "operator:ann", "name": "edge-1"}))
                .unwrap();
        let Action::Issue(issue) = command.action else { panic!("{command:?}") };
        assert_eq!((issue.scope.as_str(), issue.kind.as_str(), issue.max_uses), ("default", "node", Some(1)));
        let expire =
            Command::from_value(json!({"type": "expire", "key": "instance/i-0123456789abcdef0"})).unwrap();
        assert_eq!(expire.authority, Authority::Timer);
    }

    #[test]
    fn errors_name_the_path() {
        let path = |value| Command::from_value(value).unwrap_err().to_string();
        assert!(path(json!({"type": "issue", "name": "a"})).starts_with("authority: is required"));
        let second =
            from_value::<Vec<Key>>(json!(["package/01890a5d-ac96-774b-bcce-b302099a8057", "x"]), "keys");
        assert!(second.unwrap_err().to_string().starts_with("keys[1]: not a valid Key"));
        let unknown = path(
            json!({"type": "issue", "authority": "operator:ann", "name": "a", "bindings": {"cidr": []}}),
        );
        assert!(unknown.starts_with("bindings.cidr: unknown field"), "{unknown}");
        let evidence = path(json!({"type": "observe_instance", "authority": "event"}));
        assert!(evidence.starts_with("type: expected one of issue"), "{evidence}");
    }

    #[test]
    fn a_tag_is_a_text_and_what_it_does_not_know_is_refused() {
        let issue = |content: serde_json::Value| json!({"type": "issue", "authority": "operator:ann", "name": "a", "contents": [content]});
        let host = |value: serde_json::Value| {
            issue(json!({"type": "host", "kind": "dns", "name": "a", "value": value}))
        };
        let report = |outcome: serde_json::Value| {
            let effect = "package/01890a5d-ac96-774b-bcce-b302099a8057#1.ensure.1";
            json!({"type": "report", "authority": "executor:w", "effect": effect, "outcome": outcome})
        };
        for good in [host(json!({"type": "drawn"})), report(json!({"type": "done"}))] {
            Command::from_value(good).unwrap();
        }
        for bad in [
            json!({"type": 0, "authority": "operator:ann", "name": "a"}),
            issue(json!({"type": 0, "name": "a", "content": "b"})),
            issue(json!({"type": {"file": null}, "name": "a", "content": "b"})),
            issue(json!([0, "a", "b"])),
            issue(json!(["file", "a", "b"])),
            issue(json!(["file", {"name": "a", "content": "b"}])),
            host(json!({"type": 0})),
            host(json!({"type": 1})),
            host(json!({"type": 2, "value": "hunter2"})),
            host(json!({"type": {"none": null}})),
            host(json!(["none"])),
            host(json!("none")),
            host(json!({"type": "none", "value": "hunter2"})),
            host(json!({"type": "none", "extra": null})),
            host(json!({"type": "drawn", "bytes": 32})),
            host(json!({"type": "given"})),
            host(json!({"type": "given", "value": "hunter2", "extra": 1})),
            report(json!({"type": 1})),
            report(json!({"type": "done", "reason": "none"})),
            report(json!({"type": "collision", "extra": 1})),
            report(json!({"type": "unknown", "extra": 1})),
            report(json!(["done"])),
            json!({"type": "deliver", "authority": "node", "to": {"type": 2, "instance": "i-0123456789abcdef0"}}),
            json!({"type": "deliver", "authority": "node", "to": ["instance", "i-0123456789abcdef0"]}),
            json!({"type": "issue", "authority": "operator:ann", "name": "a", "bindings": []}),
            json!({"type": "issue", "authority": "operator:ann", "name": "a", "activates_on": {"redeem": null}}),
        ] {
            let error = Command::from_value(bad.clone()).expect_err(&bad.to_string());
            assert_eq!(error.code(), crate::code::Code::InvalidInput, "{bad}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_secret_that_a_binding_carries_fits_only_where_secrets_belong() {
        let carried = json!({"$secret": "hunter2"});
        let redeem = json!({"type": "redeem", "token": carried, "fingerprint": "a"});
        let Action::Redeem(redeem) = Command::from_value(redeem).unwrap().action else {
            panic!("a redemption")
        };
        assert_eq!(redeem.token.expose(), "hunter2");
        let package = "01890a5d-ac96-774b-bcce-b302099a8057";
        let misplaced = Command::from_value(
            json!({"type": "revoke", "authority": "operator:ann", "package": package, "reason": carried}),
        );
        let error = misplaced.unwrap_err().to_string();
        assert!(error.starts_with("reason: ") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_error_about_a_secret_does_not_repeat_it() {
        let error = Command::from_value(
            json!({"type": "redeem", "token": "hf1_hunter2", "fingerprint": "not valid!"}),
        )
        .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let error =
            Command::from_value(json!({"type": "redeem", "token": {"hunter2": 1}, "fingerprint": "a"}))
                .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
