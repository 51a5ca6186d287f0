//! The host: a thread for each template, and one that hears how far they are.

use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use handfast::{Timestamp, template::Schedule};
use rand::{
    SeedableRng as _,
    rngs::{StdRng, SysRng},
};

use crate::{
    cli::Cli,
    clock::{self, Clock},
    log, notify,
    provider::Providers,
    task::{Shared, Stage, Task},
    templates::{self, Named},
};

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// Everything is in place.
    Done,
    /// A template is malformed, or has failed for good.
    Failed,
    /// Something is missing, or does not work, and the time is up.
    Late,
}

/// How long a template may take to say that its time is up, and to end its command. One that waits for a source does not
/// say so.
const GRACE: Duration = Duration::from_secs(1);

/// Runs until everything is in place (`--once`), or for as long as a template lives.
pub(crate) fn run(cli: &Cli) -> io::Result<Outcome> {
    let (templates, failed) = templates::read(&cli.templates)?;
    if cli.check {
        templates.iter().for_each(|(name, template)| templates::describe(name, template));
        return Ok(if failed { Outcome::Failed } else { Outcome::Done });
    }
    let clock = Clock::start();
    let shared = Arc::new(Shared {
        providers: Providers::new(cli)?,
        schedule: Schedule { refresh_seconds: cli.refresh, ..Schedule::default() },
        command_timeout: Duration::from_secs(cli.command_timeout.into()),
        deadline: cli.once.then(|| clock.now().plus_seconds(cli.patience)),
        variables: templates::variables(&templates),
        clock,
    });
    let starting = templates.iter().map(|(name, _)| name.clone()).collect();
    let news = start(&shared, templates)?;
    Watch { shared, news, starting, failed }.run()
}

/// What has happened to which template.
type News = (String, Stage);

fn start(shared: &Arc<Shared>, templates: Vec<Named>) -> io::Result<Receiver<News>> {
    let (sender, news) = mpsc::channel();
    for (name, template) in templates {
        let rng = StdRng::try_from_rng(&mut SysRng).map_err(io::Error::other)?;
        let (sender, task) = (sender.clone(), Task::new(Arc::clone(shared), name.clone(), template, rng));
        // Nobody listens any more when the program is ending.
        let tell = move |stage| drop(sender.send((name.clone(), stage)));
        thread::Builder::new().spawn(move || task.live(tell))?;
    }
    Ok(news)
}

struct Watch {
    shared: Arc<Shared>,
    news: Receiver<News>,
    /// The templates that are neither settled nor ended.
    starting: BTreeSet<String>,
    failed: bool,
}

impl Watch {
    fn run(mut self) -> io::Result<Outcome> {
        let mut late = false;
        while !self.starting.is_empty() {
            match self.hear() {
                Ok((name, stage)) => {
                    self.starting.remove(&name);
                    self.failed |= stage == Stage::Failed;
                    late |= stage == Stage::Late;
                    if stage == Stage::Late {
                        log::error("not_settled", &[("template", &name)]);
                    }
                }
                Err(_) => {
                    self.starting.iter().for_each(|name| log::error("not_settled", &[("template", name)]));
                    late = true;
                    break;
                }
            }
        }
        if self.failed {
            return Ok(Outcome::Failed);
        }
        if late || self.shared.deadline.is_some() {
            return Ok(if late { Outcome::Late } else { Outcome::Done });
        }
        notify::ready()?;
        while let Ok((_, stage)) = self.news.recv() {
            self.failed |= stage == Stage::Failed;
        }
        Ok(if self.failed { Outcome::Failed } else { Outcome::Done })
    }

    /// The next news; none when a template has not told its end in time.
    fn hear(&self) -> Result<News, RecvTimeoutError> {
        match self.shared.deadline {
            None => self.news.recv().map_err(RecvTimeoutError::from),
            Some(deadline) => self.news.recv_timeout(self.left(deadline) + GRACE),
        }
    }

    fn left(&self, deadline: Timestamp) -> Duration {
        clock::between(self.shared.clock.now(), deadline)
    }
}
