//! A batch is done as a whole while all that its decision looked at is still so, or not at all.

use serde_json::json;

use crate::{
    record::Key,
    testing::world::{Run, World, check_in, expire, issue, redeem, revoke, token_of},
    vocabulary::{Commit, Error, Guard, Refusal},
};

pub(super) async fn stale_guard(world: &mut World) -> Run {
    let issued = world.issue("edge-1", json!({})).await?;
    let mut revoking = world.session(revoke(&issued))?;
    let right = world.decide(&mut revoking).await?;
    for (place, guard) in right.guards.iter().enumerate() {
        for version in [guard.version.saturating_sub(1), guard.version.saturating_add(1), u64::MAX >> 11] {
            if guard.version > 0 && version > 0 && version != guard.version {
                let held = world.commit(&with_guard(&right, place, version)).await?;
                world.expect(!held, "a batch with a wrong guard was refused")?;
            }
        }
    }
    let held = world.commit(&right).await?;
    world.expect(held, "the batch with the right guards held")
}

pub(super) async fn absent_guard(world: &mut World) -> Run {
    world.issue("edge-1", json!({})).await?;
    let mut issuing = world.session(issue("edge-2", json!({})))?;
    let right = world.decide(&mut issuing).await?;
    for (place, guard) in right.guards.iter().enumerate() {
        let wrong = if guard.version == 0 { 1 } else { 0 };
        let held = world.commit(&with_guard(&right, place, wrong)).await?;
        world.expect(!held, "a batch with a wrong guard was refused")?;
    }
    let taken = Guard { key: name("edge-1")?, version: 0 };
    let held = world.commit(&with_more(&right, taken)).await?;
    world.expect(!held, "a batch that wants a row absent that is there was refused")?;
    let free = Guard { key: name("edge-3")?, version: 0 };
    let held = world.commit(&with_more(&right, free)).await?;
    world.expect(held, "a batch that wants a row absent that is absent held")
}

pub(super) async fn write_skew(world: &mut World) -> Run {
    let token = token_of(world.issue("edge-1", json!({})).await?)?;
    let redeemed = world.redeem(&token, "machine-1").await?;
    world.run(check_in(&redeemed, "machine-1", 1)).await?;
    // The check-in looks at the package and writes only the node; a second machine writes only the package.
    let mut session = world.session(check_in(&redeemed, "machine-1", 2))?;
    let decided = world.decide(&mut session).await?;
    let package = Key::Package(redeemed.package);
    let looked_at = decided.guards.iter().any(|guard| guard.key == package);
    let written = decided.writes.iter().any(|write| write.key == package);
    world.expect(looked_at && !written, "a check-in looks at its package and does not write it")?;
    let second = world.run(redeem(&token, "machine-2")).await?;
    world.expect_refusal(&second, Refusal::AlreadyClaimed)?;
    let held = world.commit(&decided).await?;
    world.expect(!held, "the check-in was decided on a package that has moved on")?;
    session.committed(held)?;
    world.finish(session).await?;
    // A guard on a row that has nothing to do with the writes.
    let mut session = world.session(check_in(&redeemed, "machine-1", 3))?;
    let decided = world.decide(&mut session).await?;
    let stale = Guard { key: name("edge-1")?, version: 9 };
    let held = world.commit(&with_more(&decided, stale)).await?;
    world.expect(!held, "a guard on a row that is not written refused the batch")
}

pub(super) async fn all_or_nothing(world: &mut World) -> Run {
    let file = json!({"type": "file", "name": "f", "content": "secret"});
    let token = token_of(world.issue("edge-1", json!({"contents": [file]})).await?)?;
    let redeemed = world.redeem(&token, "machine-1").await?;
    for number in 0..3 {
        let name = format!("new-{number}");
        let issuing = issue(&name, json!({"contents": [file]}));
        refused_then_right(world, issuing, number).await?; // new rows and secrets
        let checking_in =
            check_in(&redeemed, "machine-1", u64::try_from(number).unwrap_or(0).saturating_add(1));
        refused_then_right(world, checking_in, number).await?; // replaced rows, shredded secrets at the first
    }
    Ok(())
}

/// Presents what was decided with a guard that does not hold, at the beginning, in the middle or at the end of the
/// guards; then as it was decided.
async fn refused_then_right(world: &mut World, command: serde_json::Value, place: usize) -> Run {
    let mut session = world.session(command)?;
    let right = world.decide(&mut session).await?;
    let mut wrong = (*right).clone();
    let place = place.saturating_mul(wrong.guards.len()) / 2;
    wrong.guards.insert(place.min(wrong.guards.len()), Guard { key: name("edge-1")?, version: 77 });
    let held = world.commit(&wrong).await?;
    world.expect(!held, "a batch with a wrong guard was refused")?;
    world.audit().await?;
    let held = world.commit(&right).await?;
    world.expect(held, "the same batch with the right guards held")
}

pub(super) async fn same_batch_twice(world: &mut World) -> Run {
    let mut session = world.session(issue("edge-1", json!({})))?;
    let once = world.decide(&mut session).await?;
    for first in [true, false, false] {
        let held = world.commit(&once).await?;
        world.expect(held == first, "a batch that writes holds once")?;
    }
    session.committed(true)?;
    world.finish(session).await?;
    Ok(())
}

pub(super) async fn empty_batch(world: &mut World) -> Run {
    let issued = world.issue("edge-1", json!({})).await?;
    let mut session = world.session(expire(&Key::Package(issued.package)))?;
    let nothing_due = world.decide(&mut session).await?;
    world.expect(nothing_due.is_empty(), "nothing is due yet")?;
    for _ in 0..2 {
        let held = world.commit(&nothing_due).await?;
        world.expect(held, "it holds as often as it is presented")?;
    }
    let unguarded = Commit { guards: Vec::new(), ..(*nothing_due).clone() };
    world.commit(&unguarded).await?;
    world.run(revoke(&issued)).await?;
    let held = world.commit(&nothing_due).await?;
    world.expect(!held, "the package has moved on")?;
    session.committed(held)?;
    world.finish(session).await?;
    Ok(())
}

pub(super) async fn counted_notices(world: &mut World) -> Run {
    let token = token_of(world.issue("edge-1", json!({})).await?)?;
    world.redeem(&token, "machine-1").await?;
    let unknown = json!({"type": "revoke", "authority": "operator:ann", "package": "01890a5d-ac96-774b-bcce-b302099a8057"});
    for _ in 0..12 {
        let answer = world.run(unknown.clone()).await?;
        world.expect_refusal(&answer, Refusal::Unknown)?;
        let answer = world.run(redeem(&token, "machine-2")).await?;
        world.expect_refusal(&answer, Refusal::AlreadyClaimed)?;
    }
    Ok(())
}

fn with_guard(commit: &Commit, place: usize, version: u64) -> Commit {
    let mut changed = commit.clone();
    if let Some(guard) = changed.guards.get_mut(place) {
        guard.version = version;
    }
    changed
}

fn with_more(commit: &Commit, guard: Guard) -> Commit {
    let mut changed = commit.clone();
    changed.guards.push(guard);
    changed
}

fn name(name: &str) -> Result<Key, Error> {
    Ok(format!("name/default/{name}").parse()?)
}
