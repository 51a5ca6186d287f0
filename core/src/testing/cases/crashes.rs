//! The process is killed between two steps, and another goes on with the store.

use serde_json::json;

use crate::{
    record::Key,
    testing::world::{Run, World, check_in, expire, issue, redeem, report, revoke, surprise, token_of},
    vocabulary::{Answer, Effect, GivenContent, Refusal},
};

pub(super) async fn durable(world: &mut World) -> Run {
    world.crash().await?;
    let file = json!({"type": "file", "name": "f", "content": "secret"});
    let issued = world.issue("edge-1", json!({"contents": [file]})).await?;
    world.crash().await?;
    let token = token_of(issued.clone())?;
    let redeemed = world.redeem(&token, "machine-1").await?;
    world.crash().await?;
    world.run(check_in(&redeemed, "machine-1", 1)).await?;
    world.run(redeem(&token, "machine-2")).await?; // a fact and a notice
    world.crash().await?;
    world.run(revoke(&issued)).await?;
    world.crash().await?;
    world.crash().await?;
    world.issue("edge-1", json!({})).await?;
    Ok(())
}

pub(super) async fn crash_before_commit(world: &mut World) -> Run {
    let mut issuing = world.session(issue("edge-1", json!({})))?;
    let unborn = world.decide(&mut issuing).await?;
    drop(issuing);
    world.model.refuse(&unborn); // it must not be found
    world.crash().await?;
    let token = token_of(world.issue("edge-1", json!({})).await?)?;
    let mut redeeming = world.session(redeem(&token, "machine-1"))?;
    world.decide(&mut redeeming).await?;
    drop(redeeming);
    world.crash().await?;
    let redeemed = world.redeem(&token, "machine-2").await?;
    world.expect(!redeemed.again, "what was not committed spent nothing")
}

pub(super) async fn crash_after_commit(world: &mut World) -> Run {
    let file = json!({"type": "file", "name": "f", "content": "the very same"});
    let request = issue("edge-1", json!({"request": "r-1", "contents": [file]}));
    lose_the_answer(world, request.clone()).await?;
    let token = match world.run(request).await? {
        Answer::Issued(issued) if issued.again => token_of(issued)?,
        other => return Err(surprise(&other)),
    };
    lose_the_answer(world, redeem(&token, "machine-1")).await?;
    let first = world.redeem(&token, "machine-1").await?;
    let second = world.redeem(&token, "machine-1").await?;
    world.expect(first.again && second.again, "the retry finds what was committed")?;
    world.expect(first == second, "and is given the same")?;
    let same = |content: &GivenContent| matches!(content, GivenContent::File { content, .. } if content.expose() == "the very same");
    world.expect(first.contents.len() == 1 && first.contents.iter().all(same), "with the same contents")?;
    let other = world.run(redeem(&token, "machine-2")).await?;
    world.expect_refusal(&other, Refusal::AlreadyClaimed)
}

/// The commit holds, and the process dies before anybody hears of it.
async fn lose_the_answer(world: &mut World, command: serde_json::Value) -> Run {
    let mut session = world.session(command)?;
    let commit = world.decide(&mut session).await?;
    let held = world.commit(&commit).await?;
    world.expect(held, "nobody else is there")?;
    drop(session);
    world.crash().await
}

pub(super) async fn crash_after_effect(world: &mut World) -> Run {
    let contents = json!([{"type": "kubernetes_bootstrap_token"}]);
    let issued = world.issue("edge-1", json!({"deliver": false, "contents": contents})).await?;
    let started = json!({"type": "started", "lease_seconds": 60});
    let done = json!({"type": "done"});
    let ensured = one_effect(world).await?;
    take(world, report("w1", &ensured, started.clone()), true).await?;
    world.crash().await?; // the worker did it, and died before its report
    let found = one_effect(world).await?;
    world.expect(
        found.id == ensured.id && found.work == ensured.work,
        "the effect is outstanding as before",
    )?;
    let early = world.run(report("w2", &found, started.clone())).await?;
    world.expect_refusal(&early, Refusal::NotOutstanding)?;
    world.later(60);
    take(world, report("w2", &found, started), true).await?;
    take(world, report("w2", &found, done.clone()), true).await?;
    take(world, report("w2", &found, done.clone()), false).await?;
    world.crash().await?;
    take(world, report("w1", &found, done.clone()), false).await?;
    let left = world.effects().await?;
    world.expect(left.is_empty(), "what was reported is not outstanding any more")?;
    world.run(revoke(&issued)).await?;
    world.crash().await?;
    let deleted = one_effect(world).await?;
    take(world, report("w1", &deleted, done.clone()), true).await?;
    world.crash().await?;
    take(world, report("w1", &deleted, done), false).await?;
    world.run(expire(&Key::Package(issued.package))).await?;
    let left = world.effects().await?;
    world.expect(left.is_empty(), "the deletion is done as well")
}

async fn one_effect(world: &mut World) -> Run<Effect> {
    let mut effects = world.effects().await?;
    world.expect(effects.len() == 1, "one effect is outstanding")?;
    let effect = effects.remove(0);
    let secrets: Vec<_> = effect.work.secrets().into_iter().map(Key::Secret).collect();
    let rows = world.read(&secrets).await?;
    world.registrar.reveal(&effect, &rows)?;
    Ok(effect)
}

async fn take(world: &mut World, report: serde_json::Value, changed: bool) -> Run {
    match world.run(report).await? {
        Answer::Reported(reported) => world.expect(reported.changed == changed, "a report is taken in once"),
        other => Err(surprise(&other)),
    }
}
