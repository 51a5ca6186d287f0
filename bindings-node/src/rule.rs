//! A function of the host's as the operator's own rule.

use std::{
    cell::{Cell, Ref, RefCell, RefMut},
    fmt,
};

use handfast::{
    rules::{Question, Rule, RuleError, Verdict},
    vocabulary::Error,
};
use napi::{Env, bindgen_prelude::FunctionRef};
use serde::Deserialize;

use crate::{
    carry,
    error::{Result, Throw},
};

/// A function of `lib/registrar.mjs` that takes a question as JSON, asks the host's rule, and gives a [`Said`] as JSON. It never
/// throws.
pub(crate) type Judge = FunctionRef<String, String>;

/// It, as a rule.
pub(crate) struct Callback(Judge);

impl From<Judge> for Callback {
    fn from(judge: Judge) -> Self {
        Self(judge)
    }
}

/// What the rule has said.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Allow,
    Deny(String),
    Failed(String),
}

impl Rule for Callback {
    fn judge(&self, question: &Question<'_>) -> std::result::Result<Verdict, RuleError> {
        let env = ENV.get().ok_or_else(|| RuleError::new("asked outside of a call from JavaScript"))?;
        let said = self.0.borrow_back(&env).and_then(|judge| judge.call(carry::write(&question.to_value())));
        let said = said.map_err(|error| RuleError::new(&error.reason))?;
        match serde_json::from_str(&said) {
            Ok(Said::Allow) => Ok(Verdict::Allow),
            Ok(Said::Deny(reason)) => Ok(Verdict::Deny { reason: reason.into() }),
            Ok(Said::Failed(message)) => Err(RuleError::new(&message)),
            Err(error) => Err(RuleError::new(&error.to_string())),
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Callback")
    }
}

thread_local! {
    static ENV: Cell<Option<Env>> = const { Cell::new(None) };
}

/// Decides something about which a rule may have to be asked.
pub(crate) fn deciding<T>(env: Env, decide: impl FnOnce() -> T) -> T {
    let outer = ENV.replace(Some(env));
    let decided = decide();
    ENV.set(outer);
    decided
}

/// What is decided by one call at a time: a rule that came back for it would find it half done.
pub(crate) struct Exclusive<T>(RefCell<T>);

impl<T> Exclusive<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    pub(crate) fn get(&self) -> Result<Ref<'_, T>> {
        self.0.try_borrow().map_err(|_| WITHIN.throw())
    }

    pub(crate) fn get_mut(&self) -> Result<RefMut<'_, T>> {
        self.0.try_borrow_mut().map_err(|_| WITHIN.throw())
    }
}

const WITHIN: Error = Error::Misuse("a rule may look at its question only");
