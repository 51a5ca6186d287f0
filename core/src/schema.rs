//! JSON Schema of everything that crosses a language boundary: the source of the bindings' static types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::{
    aws::{
        InstanceEvent, Trust,
        identity::{IdentityTrust, InstanceIdentity},
    },
    ledger::{Changes, Filter},
    record::{Row, ScopeView},
    registrar::{Explanation, Policy},
    rules, sns,
    vocabulary::{Action, Answer, Authority, Batch, Effect, EffectOutcome},
};

/// One document whose `$defs` hold every type, the top ones under these names: `Action`, `Answer`, `Authority`,
/// `Batch`, `Changes`, `Effect`, `EffectOutcome`, `Explanation`, `Filter`, `IdentityTrust`, `InstanceEvent`, `InstanceIdentity`,
/// `Policy`, `Row`, `RuleMode`, `ScopeView`, `SnsPolicy`, `Trust`. In the dynamic languages a command is an `Action` with
/// `authority` and `source` beside its own members, and a secret in an answer is the binding's own secret type.
#[must_use]
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    for subschema in [
        generator.subschema_for::<Action>(),
        generator.subschema_for::<Answer>(),
        generator.subschema_for::<Authority>(),
        generator.subschema_for::<Batch>(),
        generator.subschema_for::<Changes>(),
        generator.subschema_for::<Effect>(),
        generator.subschema_for::<EffectOutcome>(),
        generator.subschema_for::<Explanation>(),
        generator.subschema_for::<Filter>(),
        generator.subschema_for::<IdentityTrust>(),
        generator.subschema_for::<InstanceEvent>(),
        generator.subschema_for::<InstanceIdentity>(),
        generator.subschema_for::<Policy>(),
        generator.subschema_for::<Row>(),
        generator.subschema_for::<rules::Mode>(),
        generator.subschema_for::<ScopeView>(),
        generator.subschema_for::<sns::Policy>(),
        generator.subschema_for::<Trust>(),
    ] {
        drop(subschema);
    }
    let definitions: Map<String, Value> = generator.take_definitions(true);
    Value::Object(Map::from_iter([("$defs".to_owned(), Value::Object(definitions))]))
}
