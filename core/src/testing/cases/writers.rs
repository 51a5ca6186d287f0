//! Several hosts on one store.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    secret::Secret,
    testing::{
        dice::Dice,
        world::{
            OPERATOR, Run, World, check_in, expire, fill_pool, issue, quota, redeem, report, revoke, token_of,
        },
    },
    vocabulary::{Answer, Issued, Redeemed, Refusal},
};

pub(super) async fn two_writers(world: &mut World) -> Run {
    let token = token_of(world.issue("edge-1", json!({})).await?)?;
    let mut one = world.session(redeem(&token, "machine-1"))?;
    let mut two = world.session(redeem(&token, "machine-2"))?;
    let (first, second) = (world.decide(&mut one).await?, world.decide(&mut two).await?);
    let held = world.commit(&second).await?;
    world.expect(held, "the first to commit holds")?;
    two.committed(held)?;
    let held = world.commit(&first).await?;
    world.expect(!held, "the second to commit does not")?;
    one.committed(held)?;
    let winner = world.finish(two).await?;
    world.expect(matches!(winner, Answer::Redeemed(_)), "the first has the token")?;
    let loser = world.finish(one).await?;
    world.expect_refusal(&loser, Refusal::AlreadyClaimed)
}

pub(super) async fn one_name(world: &mut World) -> Run {
    let commands: Vec<_> = (0..8).map(|_| issue("edge-1", json!({}))).collect();
    let answers = world.interleave(&commands).await?;
    world.expect(
        answers.iter().filter_map(issued).count() == 1 && answers.len() == 8,
        "one of eight gets the name",
    )
}

pub(super) async fn counted_token(world: &mut World) -> Run {
    let issued = world.issue("fleet", json!({"max_uses": 5})).await?;
    let token = token_of(issued)?;
    let commands: Vec<_> = (0..64).map(|machine| redeem(&token, &format!("machine-{machine}"))).collect();
    let answers = world.interleave(&commands).await?;
    let winners = answers.iter().filter(|answer| matches!(answer, Answer::Redeemed(_))).count();
    world.expect(winners == 5 && answers.len() == 64, "five of 64 win")?;
    // As clients do whose reply was lost, the winners ask again, and some others: the winners get the same.
    let won = |(_, answer): &(_, _)| matches!(answer, Answer::Redeemed(_));
    let (winners, losers): (Vec<_>, Vec<_>) = commands.into_iter().zip(answers).partition(won);
    let again: Vec<_> =
        winners.into_iter().chain(losers.into_iter().take(5)).map(|(command, _)| command).collect();
    let answers = world.interleave(&again).await?;
    let free = |answer: &&Answer| matches!(answer, Answer::Redeemed(redeemed) if redeemed.again);
    world.expect(answers.iter().filter(free).count() == 5, "the winners' retries are free")
}

pub(super) async fn scope_quota(world: &mut World) -> Run {
    world.run(quota(3)).await?;
    let commands: Vec<_> = (0..8).map(|number| issue(&format!("edge-{number}"), json!({}))).collect();
    let answers = world.interleave(&commands).await?;
    let issued: Vec<_> = answers.iter().filter_map(issued).collect();
    world.expect(issued.len() == 3 && answers.len() == 8, "three of eight packages fit")?;
    // Each end makes room for one, whatever the order.
    let mut commands: Vec<_> = issued.into_iter().map(revoke).collect();
    commands.extend((8..16).map(|number| issue(&format!("edge-{number}"), json!({}))));
    world.interleave(&commands).await?;
    Ok(())
}

pub(super) async fn pool_items(world: &mut World) -> Run {
    world.run(fill_pool(&["a", "b", "c"])).await?;
    let item = json!({"contents": [{"type": "pool_item", "pool": "p"}]});
    let commands: Vec<_> = (0..6).map(|number| issue(&format!("edge-{number}"), item.clone())).collect();
    let answers = world.interleave(&commands).await?;
    let issued: Vec<_> = answers.iter().filter_map(issued).cloned().collect();
    world.expect(issued.len() == 3 && answers.len() == 6, "three of six packages get an item")?;
    let mut given = BTreeSet::new();
    for (number, issued) in issued.into_iter().enumerate() {
        let redeemed = world.redeem(&token_of(issued)?, &format!("machine-{number}")).await?;
        given.extend(redeemed.contents.iter().map(|content| format!("{content:?}")));
        let revoking = json!({"type": "revoke", "authority": OPERATOR, "package": redeemed.package});
        world.run(revoking).await?;
    }
    world.expect(given.len() == 3, "and each its own")?;
    world.issue("edge-9", item).await?;
    Ok(())
}

fn issued(answer: &Answer) -> Option<&Issued> {
    if let Answer::Issued(issued) = answer { Some(issued) } else { None }
}

pub(super) async fn several_hosts(world: &mut World) -> Run {
    world.run(quota(4)).await?;
    let mut day = Day::default();
    for hour in 0..12 {
        let mut commands: Vec<_> = (0..8).map(|_| day.something(&mut world.dice)).collect();
        for effect in world.effects().await?.into_iter().take(2) {
            let outcome = ["done", "unknown", "collision"].get(world.dice.throw(3)).copied();
            commands.push(report("w1", &effect, json!({"type": outcome.unwrap_or("done")})));
        }
        commands.extend(world.due(world.now, 3).await?.iter().map(expire));
        let answers = world.interleave(&commands).await?;
        commands.iter().zip(answers).for_each(|(command, answer)| day.learn(command, answer));
        let pause = world.dice.throw(5);
        world.later([0, 5, 200, 700, 2000].get(pause).copied().unwrap_or(0));
        if hour % 4 == 3 {
            world.crash_if_possible().await?;
        }
    }
    Ok(())
}

/// What is known in the course of the random day.
#[derive(Default)]
struct Day {
    issued: Vec<Issued>,
    tokens: Vec<Secret>,
    nodes: Vec<(Redeemed, String)>,
    names: usize,
}

impl Day {
    fn learn(&mut self, command: &Value, answer: Answer) {
        if let Answer::Issued(mut issued) = answer {
            self.tokens.extend(issued.token.take());
            self.issued.push(issued);
        } else if let Answer::Redeemed(redeemed) = answer {
            let machine = command.get("fingerprint").and_then(Value::as_str).unwrap_or_default();
            self.nodes.push((redeemed, machine.to_owned()));
        }
    }

    /// One command that somebody gives.
    fn something(&mut self, dice: &mut Dice) -> Value {
        let machine = format!("machine-{}", dice.throw(6));
        let token = dice.throw(self.tokens.len());
        let node = dice.throw(self.nodes.len());
        let package = dice.throw(self.issued.len());
        match (dice.throw(10), self.tokens.get(token), self.nodes.get(node), self.issued.get(package)) {
            (0..=3, Some(token), ..) => redeem(token, &machine),
            (4..=6, _, Some((redeemed, machine)), _) => {
                check_in(redeemed, machine, u64::try_from(dice.throw(4)).unwrap_or(0).saturating_add(1))
            }
            (7, .., Some(issued)) => revoke(issued),
            _ => self.new_package(dice),
        }
    }

    fn new_package(&mut self, dice: &mut Dice) -> Value {
        self.names = self.names.saturating_add(1);
        let uses = dice.throw(3).saturating_add(1);
        let external = dice.throw(2) == 1;
        let contents = if external {
            json!([{"type": "kubernetes_bootstrap_token"}])
        } else {
            json!([{"type": "file", "name": "f", "content": "secret"}])
        };
        let more = json!({"max_uses": uses, "contents": contents, "deliver": !external});
        issue(&format!("edge-{}", self.names % 5), more)
    }
}
