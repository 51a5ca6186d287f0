//! Several processes on one database: whatever clients do at once, and whoever is killed, each token has exactly the uses
//! that it was issued with, and nothing is lost, doubled or half done.
//!
//! Small, unless `PROOF=full`: then it takes minutes, and a missing PostgreSQL is a failure.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    dead_code,
    reason = "tests"
)]

mod enrolling;
mod fleet;
mod history;
mod presenting;
#[path = "../support/mod.rs"]
mod support;

use std::{
    io::Write,
    ops::Range,
    time::{Duration, Instant},
};

use self::{
    fleet::Fleet,
    history::{Database, History},
    support::{Place, postgres::Server},
};
use tokio::sync::Mutex;

/// How much is done.
struct Size {
    processes: usize,
    /// Who presents the same tokens, and how many of those there are.
    presenters: usize,
    tokens: usize,
    /// Who enrols while processes are killed, and how often that happens.
    enrollers: usize,
    kills: u32,
    /// How long a process lives that is going to be killed.
    lives: Range<Duration>,
    /// Whether some packages carry what must be made outside. Who is killed over it holds a lease that has to run out.
    outside: bool,
}

const SMALL: Size = Size {
    processes: 3,
    presenters: 64,
    tokens: 6,
    enrollers: 16,
    kills: 12,
    lives: Duration::from_millis(100)..Duration::from_millis(2500),
    outside: false,
};
const FULL: Size = Size { processes: 4, tokens: 512, enrollers: 64, kills: 100, outside: true, ..SMALL };

fn is_full() -> bool {
    std::env::var_os("PROOF").is_some_and(|size| size == "full")
}

fn size() -> Size {
    if is_full() { FULL } else { SMALL }
}

/// A server, unless PostgreSQL is not installed; for a full proof it must be.
fn server() -> Option<Server> {
    let server = Server::start();
    assert!(
        server.is_some() || !is_full(),
        "the proof needs PostgreSQL (`scripts/postgres.sh install` as root)"
    );
    server
}

/// Hosts that take proofs of keys, and what a proxy vouches for.
fn configured(place: Place) -> Place {
    let place = place.with_proofs();
    let top =
        "trust_forwarded_for = [\"127.0.0.1/32\"]\nfingerprint_header = \"X-Client-Fingerprint\"\nlisten =";
    place.edit("provisioner.toml", "listen =", top);
    place.edit("provisioner.toml", "[policy]\n", "[policy]\nvouched_fingerprints = true\n");
    place
}

/// Says what was counted, also where the output of tests is kept back.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// One at a time: each uses the whole machine.
static TURN: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn of_all_who_present_a_token_at_once_exactly_one_wins() {
    let Some(server) = server() else { return };
    let (_turn, size) = (TURN.lock().await, size());
    let url = server.database().await;
    let fleet = Fleet::start(configured(Place::at(&url)), size.processes);
    let since = Instant::now();
    let rounds = presenting::race(&fleet.front(), size.tokens, size.presenters).await;
    let quota = presenting::race_for_quota(&fleet.front(), size.presenters).await;
    let (took, unheard) = (since.elapsed(), fleet.front().unheard());
    drop(fleet.stop());
    let history = History::read(&Database::Postgres(url)).await;
    let counted = presenting::check(&rounds, unheard, &history);
    let Size { tokens, presenters, processes, .. } = size;
    say(&format!(
        "race: {tokens} tokens x {presenters} clients, {processes} processes, {took:.0?}: {counted}; a scope of {quota} gave \
         {presenters} who asked at once {quota}"
    ));
}

#[tokio::test]
async fn killed_again_and_again_nothing_is_lost_and_nothing_doubled() {
    let Some(server) = server() else { return };
    let _turn = TURN.lock().await;
    let url = server.database().await;
    let place = configured(Place::at(&url));
    say(&killed("PostgreSQL", place, Database::Postgres(url), size()).await);
}

#[tokio::test]
async fn neither_on_a_file_that_one_process_has() {
    let _turn = TURN.lock().await;
    let place = configured(Place::new());
    let file = Database::Sqlite(place.database());
    let size = Size { processes: 1, enrollers: 16, kills: size().kills / 2, ..size() };
    say(&killed("SQLite", place, file, size).await);
}

async fn killed(name: &str, place: Place, database: Database, size: Size) -> String {
    let mut fleet = Fleet::start(place, size.processes);
    let since = Instant::now();
    let (told, kills) = enrolling::in_a_storm(&mut fleet, &size).await;
    if size.outside {
        enrolling::until_nothing_is_left_to_do(&fleet.front()).await;
    }
    let (took, place) = (since.elapsed(), fleet.stop());
    let history = History::read(&database).await;
    let counted = enrolling::check(&told, &history, &place.path("state/manifests"));
    let Size { processes, enrollers, .. } = size;
    format!(
        "kill, {name}: {} kills of {processes} processes, {} of them before they listened, {enrollers} clients, {took:.0?}: \
         {counted}",
        kills.all, kills.unborn
    )
}
