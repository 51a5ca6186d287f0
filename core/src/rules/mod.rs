//! The operator's own rule over every decision, beside the built-in ones.
//!
//! A [`Rule`] is asked after everything else has allowed a command, and before anything is committed: it can only
//! refuse what would otherwise happen. It sees the command without its secrets, on whose behalf and from where it
//! comes, the records as they are, and the facts that would be written. It is pure like everything else in the core: the
//! same question has the same answer, or the store's conflict handling and a replay would not agree.
//!
//! ```
//! use handfast::rules::{Mode, Question, Rule, RuleError, Ruling, Verdict};
//!
//! /// Nobody issues anything at night.
//! #[derive(Debug)]
//! struct Daylight;
//!
//! impl Rule for Daylight {
//!     fn judge(&self, question: &Question<'_>) -> Result<Verdict, RuleError> {
//!         let hour = question.now.to_string().get(11..13).and_then(|hour| hour.parse::<u8>().ok());
//!         match hour {
//!             Some(6..=21) => Ok(Verdict::Allow),
//!             Some(_) => Ok(Verdict::Deny { reason: "it is night".into() }),
//!             None => Err(RuleError::new("no hour")),
//!         }
//!     }
//! }
//!
//! # let authority = handfast::Authority::Timer;
//! let question = || Question {
//!     command: serde_json::json!({ "type": "issue", "name": "edge-1" }),
//!     authority: &authority,
//!     source: None,
//!     now: "2026-01-02T03:04:05Z".parse().unwrap(),
//!     records: Default::default(),
//!     facts: Vec::new(),
//! };
//! assert_eq!(Mode::Enforce.consult(&Daylight, question), Ok(Ruling::Deny("it is night".into())));
//! assert_eq!(Mode::Warn.consult(&Daylight, question), Ok(Ruling::Warn("it is night".into())));
//! assert_eq!(Mode::Off.consult(&Daylight, question), Ok(Ruling::Allow));
//! ```
//!
//! With the feature `rego`, `RegoRule` is such a rule written in Rego, the language of the Open Policy Agent.

#[cfg(feature = "rego")]
mod rego;

use std::{collections::BTreeMap, fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[cfg(feature = "rego")]
pub use self::rego::{DEFAULT_ENTRYPOINT, RegoRule};
use crate::{
    code::Code,
    time::Timestamp,
    vocabulary::{Authority, Reason},
};

/// A rule of the operator's.
pub trait Rule: fmt::Debug + Send + Sync {
    /// Says whether what is about to happen may happen. Must be deterministic, and quick: it runs within the decision.
    ///
    /// # Errors
    /// [`RuleError`] where the rule cannot say. That is never taken for a yes.
    fn judge(&self, question: &Question<'_>) -> Result<Verdict, RuleError>;
}

/// What a rule is asked: everything that the decision rests on.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The command as it may be logged: every secret in it is redacted, so that no rule can leak one.
    pub command: Value,
    /// On whose behalf, as the host authenticated it.
    pub authority: &'a Authority,
    /// The address that the request came from, as the host saw it.
    pub source: Option<IpAddr>,
    /// When.
    pub now: Timestamp,
    /// Every record that the decision looked at and that exists, by the text of its key, as it is before.
    pub records: BTreeMap<String, Value>,
    /// The facts that would be written, in order. None for a command that changes nothing.
    pub facts: Vec<Value>,
}

impl Question<'_> {
    /// The question as one JSON object with the members `command`, `authority` (as text), `source` (text or null), `now` (RFC
    /// 3339 in UTC with three decimals, so that times compare as texts), `records` and `facts`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "command": self.command,
            "authority": self.authority,
            "source": self.source,
            "now": self.now,
            "records": self.records,
            "facts": self.facts,
        })
    }
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may happen.
    Allow,
    /// It may not.
    Deny {
        /// Why, for the audit and the operator. A node is not told.
        reason: Reason,
    },
}

/// How far a rule is listened to: for its rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RuleMode"))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is not asked.
    Off,
    /// It is asked and reported, and nothing is refused: to see what it would do before it does it.
    Warn,
    /// What it denies is refused, and a rule that fails lets nothing through. The default, because whoever configures a
    /// rule expects it to hold.
    #[default]
    Enforce,
}

impl Mode {
    /// Asks the rule as far as this mode wants, and says what follows. The question is only made where it is asked.
    ///
    /// | mode | allows | denies | fails |
    /// |---|---|---|---|
    /// | off | allow | allow | allow |
    /// | warn | allow | warn | warn |
    /// | enforce | allow | deny | error |
    ///
    /// # Errors
    /// [`RuleError`] of a rule that failed in [`Mode::Enforce`]: an operator's mistake, so the command fails rather than
    /// being refused, and nothing happens.
    pub fn consult<'a>(
        self,
        rule: &dyn Rule,
        question: impl FnOnce() -> Question<'a>,
    ) -> Result<Ruling, RuleError> {
        match (self, || rule.judge(&question())) {
            (Self::Off, _) => Ok(Ruling::Allow),
            (Self::Warn, judge) => Ok(match judge() {
                Ok(Verdict::Allow) => Ruling::Allow,
                Ok(Verdict::Deny { reason }) => Ruling::Warn(reason),
                Err(error) => Ruling::Warn(error.to_string().into()),
            }),
            (Self::Enforce, judge) => judge().map(|verdict| match verdict {
                Verdict::Allow => Ruling::Allow,
                Verdict::Deny { reason } => Ruling::Deny(reason),
            }),
        }
    }
}

/// What follows from a rule's verdict in a [`Mode`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Go on.
    Allow,
    /// Go on, and report that the rule would have refused, or could not say.
    Warn(Reason),
    /// Refuse.
    Deny(Reason),
}

/// Why a rule could not be loaded, or could not say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rule failed: {message}")]
pub struct RuleError {
    message: String,
}

impl RuleError {
    /// With a message for the operator, cut like a [`Reason`].
    #[must_use]
    pub fn new(message: &str) -> Self {
        Self { message: Reason::from(message).as_str().to_owned() }
    }

    /// [`Code::RuleFailed`].
    #[must_use]
    pub fn code(&self) -> Code {
        Code::RuleFailed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says what it was made to say.
    #[derive(Debug)]
    struct Fixed(Result<Verdict, RuleError>);

    impl Rule for Fixed {
        fn judge(&self, _: &Question<'_>) -> Result<Verdict, RuleError> {
            self.0.clone()
        }
    }

    fn question() -> Question<'static> {
        Question {
            command: json!({ "type": "issue" }),
            authority: &Authority::Timer,
            source: Some("10.0.0.1".parse().unwrap()),
            now: "2026-01-02T03:04:05Z".parse().unwrap(),
            records: BTreeMap::from([("scope/default".to_owned(), json!({ "version": 1 }))]),
            facts: vec![json!({ "type": "issued" })],
        }
    }

    #[test]
    fn each_mode_listens_as_far_as_it_says() {
        let reason = Reason::from("no");
        let failure = RuleError::new("broken");
        let deny = || Ok(Verdict::Deny { reason: reason.clone() });
        for (mode, said, expected) in [
            (Mode::Off, Ok(Verdict::Allow), Ok(Ruling::Allow)),
            (Mode::Off, deny(), Ok(Ruling::Allow)),
            (Mode::Off, Err(failure.clone()), Ok(Ruling::Allow)),
            (Mode::Warn, Ok(Verdict::Allow), Ok(Ruling::Allow)),
            (Mode::Warn, deny(), Ok(Ruling::Warn(reason.clone()))),
            (Mode::Warn, Err(failure.clone()), Ok(Ruling::Warn("the rule failed: broken".into()))),
            (Mode::Enforce, Ok(Verdict::Allow), Ok(Ruling::Allow)),
            (Mode::Enforce, deny(), Ok(Ruling::Deny(reason.clone()))),
            (Mode::Enforce, Err(failure.clone()), Err(failure.clone())),
        ] {
            assert_eq!(mode.consult(&Fixed(said.clone()), question), expected, "{mode:?} {said:?}");
        }
    }

    #[test]
    fn a_rule_that_is_off_costs_no_question() {
        let asked = Mode::Off.consult(&Fixed(Ok(Verdict::Allow)), || panic!("not to be made"));
        assert_eq!(asked, Ok(Ruling::Allow));
    }

    #[test]
    fn a_rule_holds_unless_somebody_says_otherwise() {
        assert_eq!(Mode::default(), Mode::Enforce);
        for (mode, text) in [(Mode::Off, "off"), (Mode::Warn, "warn"), (Mode::Enforce, "enforce")] {
            assert_eq!(serde_json::to_value(mode).unwrap(), text);
        }
    }

    #[test]
    fn a_question_is_one_object() {
        let expected = json!({
            "command": { "type": "issue" },
            "authority": "timer",
            "source": "10.0.0.1",
            "now": "2026-01-02T03:04:05.000Z",
            "records": { "scope/default": { "version": 1 } },
            "facts": [{ "type": "issued" }],
        });
        assert_eq!(question().to_value(), expected);
        let unknown = Question { source: None, ..question() };
        assert_eq!(unknown.to_value().get("source"), Some(&Value::Null));
    }

    #[test]
    fn an_error_cannot_forge_a_log_line() {
        assert_eq!(RuleError::new("a\nb").to_string(), "the rule failed: a b");
        assert_eq!(RuleError::new("a").code(), Code::RuleFailed);
    }
}
