//! From a world that fails to the fewest steps that still fail.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe},
    rc::Rc,
    sync::Once,
};

use crate::{
    step::Step,
    world::{self, Counts},
};

/// Runs a world; an `Err` says what did not hold.
pub(crate) fn outcome(seed: u64, steps: &[Step]) -> Result<Counts, String> {
    quietly(|| world::run(seed, steps))
}

/// Runs without the noise of panics.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                loud(info);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    result.map_err(|cause| text(&*cause))
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

fn text(cause: &(dyn Any + Send)) -> String {
    let owned = cause.downcast_ref::<String>().cloned();
    owned.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// The seed, what failed, and the shortest story that fails as well: steps are taken out, many at once and then one by
/// one, for as long as it still fails.
pub(crate) fn report(seed: u64, mut steps: Vec<Step>, failure: &str) -> String {
    let mut failure = failure.to_owned();
    let mut many = steps.len() / 2;
    while many > 0 {
        let mut place = 0;
        while place < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(place..(place + many).min(steps.len()));
            match outcome(seed, &fewer) {
                Err(why) => (steps, failure) = (fewer, why),
                Ok(_) => place += many,
            }
        }
        many /= 2;
    }
    let lines = |lines: &[String]| lines.iter().map(|line| format!("\n  {line}")).collect::<String>();
    let story = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&story);
    let _ = quietly(|| world::run_with(seed, &steps, &|world| world.story = Some(Rc::clone(&told))));
    let steps: Vec<_> = steps.iter().map(|step| format!("{step:?}")).collect();
    format!(
        "seed {seed} (HANDFAST_SEED={seed} HANDFAST_WORLDS=1): {failure}\nafter{}\nwhich is{}",
        lines(&steps),
        lines(&story.borrow()),
    )
}
