//! The stories, in the order in which they are told: the simple ones first, so that the first failure is the clearest.

mod crashes;
mod deliveries;
mod due;
mod guards;
mod rows;
mod vault;
mod writers;

use std::pin::Pin;

use super::{
    desk::Desk,
    world::{Run, World},
};

/// One story.
pub(super) struct Case {
    /// Its name, which does not change.
    pub(super) name: &'static str,
    /// What it is about.
    pub(super) about: &'static str,
    /// Begins to tell it.
    pub(super) tell: Box<dyn Fn(Desk, u64) -> Telling + Send>,
}

/// A story that is being told.
pub(super) type Telling = Pin<Box<dyn Future<Output = Run> + Send>>;

/// A case from an `async fn(&mut World) -> Run`: it begins with an empty store and ends with an audit.
macro_rules! case {
    ($module:ident::$name:ident, $about:literal) => {
        Case {
            name: stringify!($name),
            about: $about,
            tell: Box::new(|desk, seed| {
                Box::pin(async move {
                    let mut world = World::new(desk, seed)?;
                    world.fresh().await?;
                    $module::$name(&mut world).await?;
                    world.audit().await
                })
            }),
        }
    };
}

/// All of them.
pub(super) fn all() -> Vec<Case> {
    vec![
        case!(rows::absent_rows, "what is not there has no row"),
        case!(rows::round_trip, "keys and texts come back byte for byte"),
        case!(rows::exact_keys, "keys that differ in one letter's case are two"),
        case!(rows::many_keys, "a hundred keys are read at once"),
        case!(rows::newest_version, "read sees every commit"),
        case!(guards::stale_guard, "a row that has moved on refuses the batch"),
        case!(
            guards::absent_guard,
            "a row that must be absent refuses the batch when it is there, and the reverse"
        ),
        case!(guards::write_skew, "a row that was only looked at guards as well"),
        case!(guards::all_or_nothing, "a batch that is refused leaves nothing behind"),
        case!(guards::same_batch_twice, "a transaction that is presented again does not hold again"),
        case!(guards::empty_batch, "a batch that changes nothing holds if its guards hold"),
        case!(guards::counted_notices, "refusals of one kind are counted, and are no error"),
        case!(vault::sealed_secrets, "sealed secrets are kept beside the records"),
        case!(vault::shredded_secrets, "a shredded secret is gone for good"),
        case!(due::due_boundary, "what is due at this very millisecond is due"),
        case!(due::due_order, "the earliest first, and not more than asked for"),
        case!(due::due_moves, "a record is due by its latest write"),
        case!(writers::two_writers, "of two hosts that decide at once one has to decide again"),
        case!(writers::one_name, "many hosts issue one name, and one gets it"),
        case!(writers::counted_token, "64 machines redeem a token for five, and five win"),
        case!(writers::scope_quota, "many hosts issue in a scope for three, and three packages live"),
        case!(writers::pool_items, "many hosts take items of one pool, and each item is with one"),
        case!(deliveries::duplicate_deliveries, "what arrives twice happens once"),
        case!(deliveries::reordered_deliveries, "what arrives late does not undo what came after it"),
        case!(deliveries::reordered_commits, "a batch that was held up does not overwrite newer ones"),
        case!(crashes::durable, "what was committed is there after a crash"),
        case!(crashes::crash_before_commit, "a crash before the commit leaves nothing"),
        case!(crashes::crash_after_commit, "a crash before the answer: the retry gets the same grant"),
        case!(crashes::crash_after_effect, "a crash before the report: the effect is outstanding as before"),
        case!(writers::several_hosts, "a random day of three hosts, with crashes"),
        case!(rows::history, "the events of a record are kept in order"),
    ]
}
