//! Rules in Rego, evaluated by [regorus](https://docs.rs/regorus).

mod source;

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use regorus::{CompiledPolicy, Engine};
use serde_json::Value;

use super::{Question, Rule, RuleError, Verdict};
use crate::{limits, vocabulary::Reason};

/// Where a policy's denials are looked for, unless something else is said.
pub const DEFAULT_ENTRYPOINT: &str = "data.handfast.deny";

/// A [`Rule`] that is a policy in Rego (version 1 of the language).
///
/// The question is `input`: see [`Question::to_value`]. The entrypoint must be a set or an array, of strings or of objects
/// with a string `msg`; it denies if there is anything in it, and the first of the texts in sorted order is the
/// reason. A set rule (`deny contains .. if ..`) is empty where nothing applies:
///
/// ```
/// # use handfast::rules::{DEFAULT_ENTRYPOINT, RegoRule};
/// let policy = r#"
///     package handfast
///
///     deny contains "packages are issued from the office only" if {
///         input.command.type == "issue"
///         not net.cidr_contains(data.office, input.source)
///     }
/// "#;
/// let data = serde_json::json!({ "office": "192.0.2.0/24" });
/// RegoRule::new(policy, Some(data), DEFAULT_ENTRYPOINT).unwrap();
/// ```
///
/// What a policy must know about: `not` over something undefined is true, so that a rule that denies unless some member has
/// the right value also denies where the member is absent; and a rule that denies if a member has a wrong value does not.
///
/// Evaluation is pure. Of the built-in functions there are those that compute, with regular expressions (in linear time)
/// and `net.cidr_contains`. `time.now_ns`, `rand.intn`, `uuid.rfc4122`, `http.send`, `opa.runtime` and whatever else
/// reaches outside are refused when the policy is loaded; any other function that does not exist fails when it is
/// called. The time is `input.now`. A policy always ends, because recursion is refused, but it may take long
/// (`numbers.range` over a number from the input, nested loops over `input.facts`): there is no limit, because there is
/// no clock. Whoever writes the policy answers for that.
pub struct RegoRule {
    policy: CompiledPolicy,
    entrypoint: String,
}

impl RegoRule {
    /// Compiles a policy, once. `data` is what the policy finds under `data` beside its own packages.
    ///
    /// # Errors
    /// [`RuleError`] for a source above [`limits::RULE_BYTES`], one that does not compile, data that is no object or that
    /// collides with the policy, and an entrypoint that is no rule of the policy.
    pub fn new(source: &str, data: Option<Value>, entrypoint: &str) -> Result<Self, RuleError> {
        if source.len() > limits::RULE_BYTES {
            return Err(RuleError::new("the policy is too large"));
        }
        let mut engine = Engine::new();
        engine.set_strict_builtin_errors(true);
        for (name, arguments) in REACHES_OUTSIDE {
            let refuse = move |_| Err(anyhow::anyhow!("{name} is not available: rules are pure"));
            engine.add_extension(name.into(), arguments, Box::new(refuse)).map_err(failed)?;
        }
        engine.add_extension("net.cidr_contains".into(), 2, Box::new(cidr_contains)).map_err(failed)?;
        let package = engine.add_policy("policy.rego".into(), source.into()).map_err(failed)?;
        let tree = engine.get_ast_as_json().map_err(failed)?;
        source::check(&serde_json::from_str(&tree).map_err(failed)?, &package)?;
        if let Some(data) = data {
            // The engine would let the data win over the rules.
            if package.split(['.', '[']).nth(1).is_some_and(|root| data.get(root).is_some()) {
                return Err(RuleError::new("the data collides with the policy's package"));
            }
            engine.add_data(value_of(data)?).map_err(failed)?;
        }
        // An entrypoint that is no rule is an error already here.
        let policy = engine.compile_with_entrypoint(&entrypoint.into()).map_err(failed)?;
        Ok(Self { policy, entrypoint: entrypoint.to_owned() })
    }
}

impl fmt::Debug for RegoRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RegoRule").field("entrypoint", &self.entrypoint).finish_non_exhaustive()
    }
}

impl Rule for RegoRule {
    fn judge(&self, question: &Question<'_>) -> Result<Verdict, RuleError> {
        let denials = self.policy.eval_with_input(value_of(question.to_value())?).map_err(failed)?;
        Ok(match first_of(&denials)? {
            Some(reason) => Verdict::Deny { reason: Reason::from(reason) },
            None => Verdict::Allow,
        })
    }
}

/// The built-in functions of Rego that read a clock, draw randomness or reach outside, with their arguments. They are not
/// compiled in; should another crate of the program compile them in, these stand before them.
const REACHES_OUTSIDE: [(&str, u8); 7] = [
    ("http.send", 1),
    ("net.lookup_ip_addr", 1),
    ("opa.runtime", 0),
    ("rand.intn", 2),
    ("test.sleep", 1),
    ("time.now_ns", 0),
    ("uuid.rfc4122", 1),
];

/// The first text of the denials in sorted order, or `None` where there are none.
fn first_of(denials: &regorus::Value) -> Result<Option<&str>, RuleError> {
    use regorus::Value::{Array, Bool, Null, Number, Object, Set, String, Undefined};
    let texts: Result<Vec<&str>, RuleError> = match denials {
        Set(set) => set.iter().map(text_of).collect(),
        Array(array) => array.iter().map(text_of).collect(),
        Undefined => Err(RuleError::new("the entrypoint is undefined")),
        Null | Bool(_) | Number(_) | String(_) | Object(_) => {
            Err(RuleError::new("the entrypoint is neither a set nor an array"))
        }
    };
    Ok(texts?.into_iter().min())
}

fn text_of(denial: &regorus::Value) -> Result<&str, RuleError> {
    let message = denial.as_object().ok().and_then(|members| members.get(&"msg".into())).unwrap_or(denial);
    message
        .as_string()
        .map(AsRef::as_ref)
        .map_err(|_| RuleError::new("a denial is neither a string nor an object with a string `msg`"))
}

/// OPA's `net.cidr_contains`: whether the network holds the address, or the whole of the other network.
fn cidr_contains(arguments: Vec<regorus::Value>) -> anyhow::Result<regorus::Value> {
    let network = |place: usize| -> anyhow::Result<IpNet> {
        let text = arguments.get(place).map(regorus::Value::as_string).transpose()?;
        let text = text.ok_or_else(|| anyhow::anyhow!("expected two texts"))?;
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        Ok(text.parse().or_else(|_| address())?)
    };
    Ok(network(0)?.contains(&network(1)?).into())
}

/// The value as the engine has it. Its own conversion would make what it cannot read undefined, and a policy about
/// something undefined denies nothing.
fn value_of(value: Value) -> Result<regorus::Value, RuleError> {
    serde_json::from_value(value).map_err(failed)
}

fn failed(error: impl fmt::Display) -> RuleError {
    RuleError::new(&error.to_string())
}
