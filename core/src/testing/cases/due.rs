//! `due` finds what has to be looked after, the most urgent first.

use serde_json::json;

use crate::{
    Timestamp,
    record::Key,
    testing::world::{Run, World, check_in, expire, revoke, token_of},
    vocabulary::Error,
};

pub(super) async fn due_boundary(world: &mut World) -> Run {
    world.issue("edge-1", json!({"deliver": false, "ttl_seconds": 600})).await?;
    let wakes = world.model.wakes();
    let Some((at, _)) = wakes.first() else { return world.expect(false, "the package has a deadline") };
    for (offset, due) in [(-1, false), (0, true), (1, true), (-600_000, false), (86_400_000, true)] {
        let now = Timestamp::from_unix_millis(at.unix_millis().saturating_add(offset));
        let keys = world.due(now.ok_or(Error::Misuse("a time"))?, 10).await?;
        world.expect(keys.is_empty() != due, "a deadline comes at its millisecond")?;
    }
    Ok(())
}

pub(super) async fn due_order(world: &mut World) -> Run {
    for number in 0..24_u32 {
        let ttl = 60 + number.wrapping_mul(7919) % 24 * 90; // every ninety seconds, out of order
        let more = json!({"deliver": number % 2 == 0, "ttl_seconds": ttl});
        world.issue(&format!("edge-{number}"), more).await?;
        world.later(number % 3);
    }
    for seconds in [0, 60, 300, 900, 2000, 4000] {
        let now = world.now.plus_seconds(seconds);
        for limit in [1, 2, 7, 24, 1000] {
            world.due(now, limit).await?;
        }
    }
    Ok(())
}

pub(super) async fn due_moves(world: &mut World) -> Run {
    let token = token_of(world.issue("used", json!({"ttl_seconds": 600})).await?)?;
    let ended = world.issue("ended", json!({"ttl_seconds": 600})).await?;
    world.issue("waiting", json!({"ttl_seconds": 7200})).await?;
    let redeemed = world.redeem(&token, "machine-1").await?;
    world.run(check_in(&redeemed, "machine-1", 1)).await?;
    world.run(revoke(&ended)).await?;
    for _ in 0..6 {
        world.later(600);
        // What a host's timer does: in the end nothing is due that has been looked after.
        for key in world.due(world.now, 100).await? {
            world.run(expire(&key)).await?;
        }
        let left = world.due(world.now, 100).await?;
        world.expect(left.is_empty(), "what has been looked after is not due any more")?;
    }
    let gone = Key::Package(ended.package);
    world.expect(world.model.wake_at(&gone).is_none(), "what has ended is never due again")
}
