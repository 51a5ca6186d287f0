//! What the suite cannot see: transactions that really overlap.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{
    Conformance,
    cases::{Case, Telling},
    desk::Desk,
    invariants,
    world::{Run, Stop, Turn, World, issue, quota, redeem, token_of},
};
use crate::{
    id::{NodeId, PackageId},
    record::Key,
    secret::Secret,
    vocabulary::{Answer, Error},
};

/// Many hosts at once on one store, in threads, tasks or processes of yours: they redeem one token for [`Race::USES`],
/// issue one name, and issue packages in a scope for [`Race::QUOTA`]. Exactly so many may win, whatever the interleaving.
///
/// A race is three suites, each driven like any other: [`Race::prepare`] alone, then all [`Race::racers`] at once, each
/// with a connection of its own, then [`Race::finish`] alone, whose report is the verdict.
///
/// ```text
/// let race = Race::new(1, 64);
/// assert!(drive(&mut connect(), race.prepare()).passed());
/// thread::scope(|scope| {
///     for racer in race.racers() { scope.spawn(|| drive(&mut connect(), racer)); }
/// });
/// let report = drive(&mut connect(), race.finish());
/// ```
#[derive(Clone, Debug)]
pub struct Race {
    seed: u64,
    machines: usize,
    board: Board,
}

/// What the racers have in common.
#[derive(Clone, Debug, Default)]
struct Board(Arc<Mutex<Scores>>);

#[derive(Debug, Default)]
struct Scores {
    token: Option<(PackageId, Secret)>,
    redeemed: Vec<NodeId>,
    named: Vec<PackageId>,
    quota: Vec<PackageId>,
    finished: usize,
}

impl Race {
    /// How many machines may redeem the token.
    pub const USES: usize = 5;
    /// How many packages the scope has room for.
    pub const QUOTA: usize = 3;

    /// A race of so many machines; fewer than twice [`Race::USES`] prove little.
    #[must_use]
    pub fn new(seed: u64, machines: usize) -> Self {
        Self { seed, machines, board: Board::default() }
    }

    /// Makes an empty store ready.
    #[must_use]
    pub fn prepare(&self) -> Conformance {
        let board = self.board.clone();
        let tell = move |desk, seed| -> Telling { Box::pin(prepare(desk, seed, board.clone())) };
        let about = "a token, and a scope with a quota, are made for the race";
        Conformance::of(self.seed, Case { name: "race_prepared", about, tell: Box::new(tell) })
    }

    /// One suite for each machine, to be driven all at once.
    pub fn racers(&self) -> impl Iterator<Item = Conformance> + use<> {
        let (seed, board) = (self.seed, self.board.clone());
        (1..=self.machines).map(move |number| {
            let board = board.clone();
            let tell = move |desk, seed| -> Telling { Box::pin(race(desk, seed, number, board.clone())) };
            let about = "one of many machines that want the same";
            let own = seed.wrapping_add(u64::try_from(number).unwrap_or(0).wrapping_mul(0x0100_0000_01b3));
            Conformance::of(own, Case { name: "race_run", about, tell: Box::new(tell) })
        })
    }

    /// Reads back who won, when all racers are done.
    #[must_use]
    pub fn finish(&self) -> Conformance {
        let (board, machines) = (self.board.clone(), self.machines);
        let tell = move |desk, seed| -> Telling { Box::pin(finish(desk, seed, machines, board.clone())) };
        let about = "as many won as there was to win, and the records agree";
        Conformance::of(self.seed, Case { name: "race", about, tell: Box::new(tell) })
    }
}

impl Board {
    fn scores(&self) -> MutexGuard<'_, Scores> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn prepare(desk: Desk, seed: u64, board: Board) -> Run {
    let mut world = World::new(desk, seed)?;
    world.fresh().await?;
    let issued = world.issue("fleet", json!({"max_uses": Race::USES, "scope": "fleet"})).await?;
    board.scores().token = Some((issued.package, token_of(issued)?));
    world.run(quota(u32::try_from(Race::QUOTA).unwrap_or(0))).await?;
    Ok(())
}

async fn race(desk: Desk, seed: u64, number: usize, board: Board) -> Run {
    let mut world = World::among_others(desk, seed)?;
    let (_, token) = board.scores().token.clone().ok_or(Error::Misuse("prepare the race first"))?;
    let won = insist(&mut world, redeem(&token, &machine(number))).await?;
    if let Answer::Redeemed(redeemed) = won {
        board.scores().redeemed.push(redeemed.node);
    }
    let same_name = issue("the-one", json!({"scope": "names", "request": format!("r-{number}")}));
    if let Answer::Issued(issued) = insist(&mut world, same_name).await? {
        board.scores().named.push(issued.package);
    }
    let one_of_few = issue(&machine(number), json!({}));
    if let Answer::Issued(issued) = insist(&mut world, one_of_few).await? {
        board.scores().quota.push(issued.package);
    }
    let mut scores = board.scores();
    scores.finished = scores.finished.saturating_add(1);
    Ok(())
}

/// As a client does that is told to come again.
async fn insist(world: &mut World, command: Value) -> Run<Answer> {
    for _ in 0..PATIENCE {
        let mut session = world.session(command.clone())?;
        loop {
            match world.turn(&mut session).await? {
                Turn::On => {}
                Turn::Over(answer) => return Ok(*answer),
                Turn::Busy => break,
            }
        }
    }
    Err(Stop::Wrong(
        "commit gave false so often that a client gave up: of all that run at once, one must get on"
            .to_owned(),
    ))
}

async fn finish(desk: Desk, seed: u64, machines: usize, board: Board) -> Run {
    let mut world = World::among_others(desk, seed)?;
    let scores = std::mem::take(&mut *board.scores());
    world.expect(
        scores.finished == machines,
        "every racer came to its end: each racer's own report says why not",
    )?;
    count(&world, "machines redeemed a token", scores.redeemed.len(), Race::USES)?;
    count(&world, "packages of one name were issued", scores.named.len(), 1)?;
    count(&world, "packages were issued in a scope", scores.quota.len(), Race::QUOTA)?;
    let fleet = scores.token.map(|(package, _)| package);
    let packages = scores.quota.iter().chain(&scores.named).chain(&fleet).copied().map(Key::Package);
    let mut keys: Vec<_> = packages.chain(scores.redeemed.iter().copied().map(Key::Node)).collect();
    for text in ["scope/default", "name/names/the-one", "name/fleet/fleet"] {
        keys.push(text.parse().map_err(Error::from)?);
    }
    let records = keys.len();
    let mut rows = world.read(&keys).await?;
    world.expect(rows.len() == records, "every record that was committed is there")?;
    let secrets: Vec<_> = invariants::held_secrets(&rows).map_err(Stop::Wrong)?;
    rows.extend(world.read(&secrets).await?);
    invariants::hold(&rows).map_err(Stop::Wrong)
}

fn count(world: &World, what: &str, won: usize, room: usize) -> Run {
    let hint = if won > room {
        "of commits that ran at once more than one saw its guards hold: check the guards and write in one serialisable \
         transaction, or lock what is looked at before it is compared"
    } else {
        "a commit gave false, or was lost, although nobody else had got there before"
    };
    if won == room {
        world.expect(true, what)
    } else {
        Err(Stop::Wrong(format!("{won} {what} for {room}: {hint}")))
    }
}

fn machine(number: usize) -> String {
    format!("machine-{number}")
}

/// How often a client comes again: each time at least one other got on.
const PATIENCE: usize = 100;
