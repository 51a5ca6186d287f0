//! Several hosts on one database, which are killed at random and started again.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{Host, Place};

/// The hosts. Whoever asks one that has just been killed asks another one.
pub(crate) struct Fleet {
    place: Place,
    hosts: Vec<Mutex<Option<Host>>>,
    urls: Mutex<Vec<Option<String>>>,
    storm: AtomicBool,
    kills: AtomicU32,
    answers: AtomicU64,
    /// The first operator's token.
    pub(crate) operator: String,
}

impl Fleet {
    pub(crate) fn start(place: Place, size: usize) -> Arc<Self> {
        let first = place.start();
        let operator = first.token.clone().unwrap();
        let mut hosts = vec![first];
        hosts.extend((1..size).map(|_| place.start()));
        let urls = hosts.iter().map(|host| Some(host.url.clone())).collect();
        let hosts = hosts.into_iter().map(|host| Mutex::new(Some(host))).collect();
        let (storm, kills) = (AtomicBool::new(true), AtomicU32::new(0));
        let (urls, answers) = (Mutex::new(urls), AtomicU64::new(0));
        Arc::new(Self { place, hosts, urls, storm, kills, answers, operator })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn kills(&self) -> u32 {
        self.kills.load(Ordering::Relaxed)
    }

    /// One of the hosts that live, as a load balancer chooses it.
    pub(crate) async fn url(&self) -> String {
        loop {
            let urls: Vec<_> = self.urls.lock().unwrap().iter().flatten().cloned().collect();
            if !urls.is_empty() {
                return urls[rand::rng().random_range(0..urls.len())].clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Somebody was answered: the fleet gets on.
    pub(crate) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Kills one host after the other and starts it again, until it is told to stop and there were enough. In between,
    /// some requests are answered, however slow this machine is.
    pub(crate) fn rage(self: &Arc<Self>, seed: u64, at_least: u32) -> std::thread::JoinHandle<()> {
        let fleet = Arc::clone(self);
        std::thread::spawn(move || {
            let mut rng = StdRng::seed_from_u64(seed);
            while fleet.storm.load(Ordering::Relaxed) || fleet.kills() < at_least {
                let enough = fleet.answers.load(Ordering::Relaxed) + rng.random_range(0..100);
                let patience = Instant::now() + Duration::from_secs(2);
                std::thread::sleep(Duration::from_millis(rng.random_range(1..200)));
                while fleet.answers.load(Ordering::Relaxed) < enough && Instant::now() < patience {
                    std::thread::sleep(Duration::from_millis(1));
                }
                fleet.kill(rng.random_range(0..fleet.hosts.len()));
            }
        })
    }

    /// The storm passes.
    pub(crate) fn calm(&self) {
        self.storm.store(false, Ordering::Relaxed);
    }

    fn kill(&self, number: usize) {
        let mut place = self.hosts[number].lock().unwrap();
        // First the signal, and only then is it known: requests are under way.
        if let Some(host) = place.take() {
            host.kill();
        }
        self.urls.lock().unwrap()[number] = None;
        self.kills.fetch_add(1, Ordering::Relaxed);
        let host = self.place.start();
        self.urls.lock().unwrap()[number] = Some(host.url.clone());
        *place = Some(host);
    }

    /// Kills all of them, for good.
    pub(crate) fn end(&self) {
        for host in &self.hosts {
            if let Some(host) = host.lock().unwrap().take() {
                host.kill();
            }
        }
    }
}
