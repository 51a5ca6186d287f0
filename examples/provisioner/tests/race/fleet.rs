//! Several processes of the host on one database, which may be killed again and again.

use std::{
    ops::Range,
    os::unix::process::ExitStatusExt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rand::{RngExt, seq::IndexedRandom};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::support::{Host, Place, Reply};

/// Processes of the host. They share one folder: the configuration and the keys, and manifests where no cluster is.
pub(crate) struct Fleet {
    hosts: Vec<Host>,
    front: Front,
}

/// What clients see of them.
#[derive(Clone)]
pub(crate) struct Front {
    shared: Arc<Shared>,
    /// The first operator's token.
    operator: String,
    pub(crate) client: Client,
}

struct Shared {
    place: Arc<Place>,
    /// Where each process listens, while it lives.
    urls: Mutex<Vec<Option<String>>>,
    is_stormy: AtomicBool,
    kills: AtomicU32,
    /// Processes that were killed before they listened.
    unborn: AtomicU32,
    /// Requests without an answer that says what came of them.
    unheard: AtomicU32,
}

/// How many were killed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kills {
    pub(crate) all: u32,
    /// Of them, those that had not come to listen yet.
    pub(crate) unborn: u32,
}

/// Processes whose lives are short, until [`Storm::ends`].
pub(crate) struct Storm(Vec<JoinHandle<Host>>);

impl Fleet {
    /// The first process makes the keys, the tables and the first operator; the others find them.
    pub(crate) fn start(place: Place, processes: usize) -> Self {
        let place = Arc::new(place);
        let hosts: Vec<_> = (0..processes).map(|_| place.start()).collect();
        let operator = hosts[0].token.clone().unwrap();
        let urls = Mutex::new(hosts.iter().map(|host| Some(host.url.clone())).collect());
        let [kills, unborn, unheard] = [0; 3].map(AtomicU32::new);
        let shared = Shared { place, urls, is_stormy: AtomicBool::new(false), kills, unborn, unheard };
        let client = Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        Self { hosts, front: Front { shared: Arc::new(shared), operator, client } }
    }

    pub(crate) fn front(&self) -> Front {
        self.front.clone()
    }

    /// From now on each process lives for a while and is killed, as the kernel would, and another takes its place.
    pub(crate) fn storm(&mut self, lives: &Range<Duration>) -> Storm {
        self.front.shared.is_stormy.store(true, Ordering::Relaxed);
        let keep = |(slot, host)| {
            let (shared, lives) = (Arc::clone(&self.front.shared), lives.clone());
            std::thread::spawn(move || shared.keep_killing(slot, host, lives))
        };
        Storm(self.hosts.drain(..).enumerate().map(keep).collect())
    }

    /// No more kills: the processes that are there at the end stay.
    pub(crate) async fn calm(&mut self, storm: Storm) {
        self.front.shared.is_stormy.store(false, Ordering::Relaxed);
        let hosts = tokio::task::spawn_blocking(|| {
            storm.0.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        self.hosts = hosts.await.unwrap();
    }

    /// Stops them well, and gives what they leave.
    pub(crate) fn stop(self) -> Arc<Place> {
        let place = Arc::clone(&self.front.shared.place);
        for host in self.hosts {
            assert!(host.stop(), "{}", place.log());
        }
        assert!(!place.log().contains("panicked"), "{}", place.log());
        place
    }
}

impl Front {
    pub(crate) fn place(&self) -> &Place {
        &self.shared.place
    }

    pub(crate) fn kills(&self) -> Kills {
        let (all, unborn) = (&self.shared.kills, &self.shared.unborn);
        Kills { all: all.load(Ordering::Relaxed), unborn: unborn.load(Ordering::Relaxed) }
    }

    pub(crate) fn is_stormy(&self) -> bool {
        self.shared.is_stormy.load(Ordering::Relaxed)
    }

    /// Where some process listens, or did a moment ago.
    fn url(&self) -> Option<String> {
        let urls: Vec<_> = self.shared.urls.lock().unwrap().iter().flatten().cloned().collect();
        urls.choose(&mut rand::rng()).cloned()
    }

    /// Asks one process after the other until one has an answer, as a node does that boots.
    pub(crate) async fn insist(&self, mut ask: impl AsyncFnMut(&str) -> Option<Reply>) -> Reply {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.url() {
                None => {}
                Some(url) => match ask(&url).await {
                    Some(reply) if reply.status != 503 => return reply,
                    Some(reply) if reply.json()["code"] == "busy" => {} // nothing was done
                    Some(_) | None => drop(self.shared.unheard.fetch_add(1, Ordering::Relaxed)),
                },
            }
            assert!(Instant::now() < deadline, "no answer for {PATIENCE:?}:\n{}", self.shared.place.log());
            let pause = Duration::from_millis(rand::rng().random_range(5..50));
            tokio::time::sleep(pause).await;
        }
    }

    /// How many requests had no answer that says what came of them.
    pub(crate) fn unheard(&self) -> u32 {
        self.shared.unheard.load(Ordering::Relaxed)
    }

    /// A request of the operator, repeated until it is answered.
    pub(crate) async fn try_to_operate(&self, method: Method, path: &str, body: &Value) -> Reply {
        let ask = async |url: &str| {
            let request =
                self.client.request(method.clone(), format!("{url}{path}")).bearer_auth(&self.operator);
            let request = request.header("content-type", "application/json");
            let body = if body.is_null() { String::new() } else { body.to_string() };
            Reply::read(request.body(body).send().await.ok()?).await
        };
        self.insist(ask).await
    }

    /// The same; anything but success is a failure of the test.
    pub(crate) async fn operate(&self, method: Method, path: &str, body: &Value) -> Value {
        let reply = self.try_to_operate(method.clone(), path, body).await;
        assert!(reply.status.is_success(), "{method} {path}: {reply:?}");
        reply.json()
    }
}

impl Shared {
    /// Kills the process of a slot, and those that come after it, until the storm is over. Gives the one that stays.
    fn keep_killing(&self, slot: usize, first: Host, lives: Range<Duration>) -> Host {
        let life = || rand::rng().random_range(lives.clone());
        std::thread::sleep(life());
        first.kill();
        self.gone(slot);
        while self.is_stormy.load(Ordering::Relaxed) {
            // Its life is counted from its very start, so that some die while they open the database.
            match self.place.try_start(Some(life()), &mut Vec::new()) {
                Some(mut host) => {
                    self.listens(slot, &host);
                    let status = host.child.wait().unwrap();
                    assert_eq!(status.signal(), Some(9), "it ended by itself:\n{}", self.place.log());
                }
                None => drop(self.unborn.fetch_add(1, Ordering::Relaxed)),
            }
            self.gone(slot);
        }
        let last = self.place.start();
        self.listens(slot, &last);
        last
    }

    fn listens(&self, slot: usize, host: &Host) {
        self.urls.lock().unwrap()[slot] = Some(host.url.clone());
    }

    fn gone(&self, slot: usize) {
        self.urls.lock().unwrap()[slot] = None;
        self.kills.fetch_add(1, Ordering::Relaxed);
    }
}

/// How long a client goes on. Longer than the lease of an effect whose process was killed.
const PATIENCE: Duration = Duration::from_secs(150);
