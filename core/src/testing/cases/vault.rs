//! Sealed secrets: a table of their own, in the same transaction.

use serde_json::json;

use crate::{
    record::Key,
    testing::world::{Run, World, check_in, expire, revoke, token_of},
    vocabulary::{Answer, GivenContent},
};

pub(super) async fn sealed_secrets(world: &mut World) -> Run {
    let big = "x".repeat(crate::limits::FILE_BYTES);
    let files = json!([
        {"type": "file", "name": "empty", "content": ""},
        {"type": "file", "name": "big", "content": big},
    ]);
    let issued = world.issue("edge-1", json!({"contents": files})).await?;
    let sealed: Vec<_> = world.model.sealed().cloned().collect();
    world.expect(sealed.len() >= 3, "the token and both files are sealed")?;
    world.read(&sealed).await?;
    let redeemed = world.redeem(&token_of(issued)?, "machine-1").await?;
    let intact = |content: &GivenContent| matches!(content, GivenContent::File { content, .. } if content.expose().is_empty() || content.expose() == big);
    world.expect(
        redeemed.contents.len() == 2 && redeemed.contents.iter().all(intact),
        "both files came back whole",
    )
}

pub(super) async fn shredded_secrets(world: &mut World) -> Run {
    let file = json!({"type": "file", "name": "f", "content": "secret"});
    let contents = json!({"contents": [file, {"type": "file", "name": "g", "content": "secret"}]});
    let revoked = world.issue("revoked", contents.clone()).await?;
    let expired = world.issue("expired", contents.clone()).await?;
    let used = token_of(world.issue("used", contents.clone()).await?)?;
    let kept = world.issue("kept", json!({"ttl_seconds": 86_400, "contents": [file]})).await?;
    world.run(revoke(&revoked)).await?;
    let redeemed = world.redeem(&used, "machine-1").await?;
    world.run(check_in(&redeemed, "machine-1", 1)).await?;
    world.later(60 * 60);
    world.run(expire(&Key::Package(expired.package))).await?;
    world.audit().await?;
    world.expect(world.model.sealed().count() > 0, "what is still to be handed out is kept")?;
    let given = world.redeem(&token_of(kept)?, "machine-2").await?;
    world.expect(given.contents.len() == 1, "and is handed out")?;
    world.crash_if_possible().await?;
    let again = world.run(revoke(&revoked)).await?;
    world.expect(matches!(again, Answer::Revoked(revoked) if revoked.again), "what has ended stays ended")
}
