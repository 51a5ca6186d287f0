//! Rows come back as they were committed.

use serde_json::json;

use crate::{
    aws::{Change, InstanceEvent, InstanceState},
    record::{Key, Record},
    testing::world::{Run, World, check_in, expire, issue, revoke, surprise, token_of},
    vocabulary::{Action, Answer, Authority, Command, EffectOutcome, Error, Report, from_value},
};

pub(super) async fn absent_rows(world: &mut World) -> Run {
    let keys = [
        "package/01890a5d-ac96-774b-bcce-b302099a8057",
        "name/default/edge-1",
        "subject/default/machine-1",
        "node/n-00112233445566778899aabbccddeeff",
        "instance/i-0123456789abcdef0",
        "secret/01890a5d-ac96-774b-bcce-b302099a8057.1",
    ];
    let keys = keys.map(str::parse).into_iter().collect::<Result<Vec<Key>, _>>().map_err(Error::from)?;
    world.read(&keys).await?;
    world.read(&[]).await?;
    world.due(world.now, 100).await?;
    world.issue("edge-1", json!({})).await?;
    world.read(&keys).await?;
    Ok(())
}

pub(super) async fn round_trip(world: &mut World) -> Run {
    let file = json!({"type": "file", "name": "long", "content": "ä€😀\r\n\t\"\\'".repeat(3000)});
    let labels = json!({
        "composed": "\u{e9}", "decomposed": "e\u{301}", "beyond": "😀𝄞\u{10ffff}", "quotes": "'\"`\\''; --%_$1?",
        "spaces": "  a  b  ", "right-to-left": "\u{202e}abc\u{202c}", "separators": "\u{2028}\u{2029}\u{feff}",
        "like-json": "{\"b\": 1.0, \"a\": [1e2]}", "braces": "${x} {{x}} %(x)s :x @x", "empty": "",
        "long": "ß".repeat(128),
    });
    let issued = world.issue("edge-1", json!({"labels": labels, "contents": [file]})).await?;
    observe(world, InstanceState::Running).await?;
    describe(world, "null \u{0} bell \u{7} line\nfeed \u{85} \"quoted\" back\\slash 😀").await?;
    world.run(revoke(&issued)).await?;
    Ok(())
}

pub(super) async fn exact_keys(world: &mut World) -> Run {
    for name in ["edge-1", "Edge-1", "EDGE-1", "edge_1", "edge.1"] {
        world.issue(name, json!({})).await?;
        world.issue(name, json!({"scope": "Default"})).await?;
    }
    Ok(())
}

pub(super) async fn many_keys(world: &mut World) -> Run {
    let file = |number: usize| json!({"type": "file", "name": format!("f{number}"), "content": "x"});
    for number in 0..4 {
        let contents: Vec<_> = (0..16).map(file).collect();
        world.issue(&format!("edge-{number}"), json!({"contents": contents})).await?;
    }
    let mut keys = world.model.known();
    for number in 0..40 {
        keys.push(format!("name/default/nobody-{number}").parse().map_err(Error::from)?);
    }
    world.expect(keys.len() > 100, "the story asks for more than a hundred keys")?;
    world.read(&keys).await?;
    keys.reverse();
    world.read(&keys).await?;
    Ok(())
}

pub(super) async fn newest_version(world: &mut World) -> Run {
    let issued = world.issue("edge-1", json!({})).await?;
    let package = Key::Package(issued.package);
    let token = token_of(issued)?;
    let redeemed = world.redeem(&token, "machine-1").await?;
    let keys = [package, Key::Node(redeemed.node)];
    for sequence in 1..=12 {
        world.read(&keys).await?;
        world.later(30);
        world.run(check_in(&redeemed, "machine-1", sequence)).await?;
        world.read(&keys).await?;
    }
    Ok(())
}

pub(super) async fn history(world: &mut World) -> Run {
    let issued = world.issue("edge-1", json!({"labels": {"site": "Zürich"}})).await?;
    let package = Key::Package(issued.package);
    let mut late = world.session(issue("edge-1", json!({})))?;
    let stale = world.decide(&mut late).await?;
    let redeemed = world.redeem(&token_of(issued)?, "machine-1").await?;
    for sequence in 1..=12 {
        world.run(check_in(&redeemed, "machine-1", sequence)).await?;
    }
    world.commit(&stale).await?;
    world.later(24 * 60 * 60);
    world.run(expire(&package)).await?;
    for key in world.model.records().cloned().collect::<Vec<_>>() {
        world.history(&key).await?;
    }
    Ok(())
}

/// A cloud event of the story's instance, as of now.
pub(super) async fn observe(world: &mut World, state: InstanceState) -> Run<Answer> {
    observe_at(world, state, world.now).await
}

pub(super) async fn observe_at(world: &mut World, state: InstanceState, at: crate::Timestamp) -> Run<Answer> {
    let instance = INSTANCE.parse().map_err(|_| Error::Misuse("an instance id"))?;
    let event = InstanceEvent::unsigned(
        instance,
        Change::State { state },
        at,
        "7bf73129-1428-4cd3-a780-95db273d1602",
    );
    let action = Action::ObserveInstance(Box::new(event));
    let session = world.registrar.session(Command { authority: Authority::Event, source: None, action });
    world.finish(session).await
}

/// The cloud's API answers with a tag of this text.
async fn describe(world: &mut World, text: &str) -> Run {
    let key: Key = format!("instance/{INSTANCE}").parse().map_err(Error::from)?;
    let rows = world.read(std::slice::from_ref(&key)).await?;
    let outcome: EffectOutcome = from_value(
        json!({
            "type": "described", "account": "123456789012", "region": "us-east-1", "state": "running",
            "addresses": ["10.0.0.7", "2001:db8::7"], "tags": {"note": text, "a": "", "aa": "2", "B": "3"},
        }),
        "outcome",
    )?;
    for row in rows {
        for effect in world.registrar.outstanding(&Record::from_body(&row.body)?) {
            let report = Action::Report(Report { effect: effect.id, outcome: outcome.clone() });
            let authority = "executor:w1".parse().map_err(Error::from)?;
            let session = world.registrar.session(Command { authority, source: None, action: report });
            match world.finish(session).await? {
                Answer::Reported(_) => {}
                other => return Err(surprise(&other)),
            }
        }
    }
    Ok(())
}

pub(super) const INSTANCE: &str = "i-0123456789abcdef0";
