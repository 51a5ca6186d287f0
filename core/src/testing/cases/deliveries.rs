//! Networks repeat and reorder what they carry.

use serde_json::json;

use super::rows::{observe, observe_at};
use crate::{
    aws::InstanceState,
    record::Key,
    testing::world::{Run, World, check_in, check_in_as, expire, issue, redeem, revoke, surprise, token_of},
    vocabulary::{Answer, Refusal},
};

pub(super) async fn duplicate_deliveries(world: &mut World) -> Run {
    let once = issue("edge-1", json!({"request": "r-1", "ttl_seconds": 600}));
    let answers = world.interleave(&[once.clone(), once.clone(), once]).await?;
    let first = |answer: &&Answer| matches!(answer, Answer::Issued(issued) if !issued.again);
    world.expect(answers.iter().filter(first).count() == 1, "one of three equal requests issues")?;
    let Some(Answer::Issued(issued)) = answers.iter().find(first).cloned() else { return Ok(()) };
    let token = token_of(issued.clone())?;
    let answers = world.interleave(&[redeem(&token, "machine-1"), redeem(&token, "machine-1")]).await?;
    let again = |answer: &&Answer| matches!(answer, Answer::Redeemed(redeemed) if redeemed.again);
    world.expect(
        answers.iter().filter(again).count() == 1,
        "the second of two equal redemptions is a retry",
    )?;
    let Some(Answer::Redeemed(redeemed)) = answers.first() else { return Ok(()) };
    for again in [false, true, true] {
        let answer = world.run(check_in(redeemed, "machine-1", 1)).await?;
        world
            .expect(matches!(answer, Answer::CheckedIn(it) if it.again == again), "a check-in counts once")?;
    }
    let copied = world.run(check_in_as(redeemed, "machine-1", 1, "another")).await?;
    world.expect_refusal(&copied, Refusal::CloneSuspected)?;
    for changed in [true, false, false] {
        let answer = observe(world, InstanceState::Running).await?;
        let news = matches!(answer, Answer::Observed(observed) if observed.changed == changed);
        world.expect(news, "an event is news once")?;
    }
    let revoking = revoke(&issued);
    let answers = world.interleave(&[revoking.clone(), revoking.clone(), revoking]).await?;
    let first = |answer: &&Answer| matches!(answer, Answer::Revoked(revoked) if !revoked.again);
    world.expect(answers.iter().filter(first).count() == 1, "one of three equal revocations revokes")?;
    world.later(24 * 60 * 60);
    let expiring = expire(&Key::Package(issued.package));
    world.interleave(&[expiring.clone(), expiring]).await?;
    Ok(())
}

pub(super) async fn reordered_deliveries(world: &mut World) -> Run {
    let now = world.now;
    for (state, ago, changed) in [
        (InstanceState::Running, 20, true),
        (InstanceState::Pending, 30, false),
        (InstanceState::Terminated, 0, true),
        (InstanceState::Stopping, 10, false),
        (InstanceState::Running, 5, false),
    ] {
        let answer = observe_at(world, state, now.minus_seconds(ago)).await?;
        let news = matches!(answer, Answer::Observed(observed) if observed.changed == changed);
        world.expect(news, "an event that was held up does not undo a later one")?;
    }
    let token = token_of(world.issue("edge-1", json!({})).await?)?;
    let redeemed = world.redeem(&token, "machine-1").await?;
    for sequence in [1, 3] {
        world.run(check_in(&redeemed, "machine-1", sequence)).await?;
    }
    let late = world.run(check_in(&redeemed, "machine-1", 2)).await?;
    world.expect_refusal(&late, Refusal::CloneSuspected)
}

pub(super) async fn reordered_commits(world: &mut World) -> Run {
    let token = token_of(world.issue("edge-1", json!({})).await?)?;
    let redeemed = world.redeem(&token, "machine-1").await?;
    world.run(check_in(&redeemed, "machine-1", 1)).await?;
    let mut sessions = Vec::new();
    for sequence in [2, 3, 4] {
        let mut session = world.session(check_in(&redeemed, "machine-1", sequence))?;
        let commit = world.decide(&mut session).await?;
        sessions.push((session, commit));
    }
    for (place, (session, commit)) in sessions.iter_mut().rev().enumerate() {
        let held = world.commit(commit).await?;
        world.expect(held == (place == 0), "of three batches on one version the first to arrive holds")?;
        session.committed(held)?;
    }
    let mut stale = Vec::new();
    for (session, commit) in sessions {
        stale.push(commit);
        world.finish(session).await?;
    }
    for sequence in [5, 6] {
        match world.run(check_in(&redeemed, "machine-1", sequence)).await? {
            Answer::CheckedIn(_) => {}
            other => return Err(surprise(&other)),
        }
        for commit in &stale {
            let held = world.commit(commit).await?;
            world.expect(!held, "a batch that was held up does not hold any more")?;
        }
    }
    Ok(())
}
