//! The subcommand `serve`: everything is put together here.

use std::{fs::File, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use data_encoding::HEXLOWER;
use handfast::{
    aws::identity::IdentityVerifier, crypto::default_backend, id::ActorName, registrar::Registrar, rules,
};
use tokio::{net::TcpListener, signal::unix, sync::watch};

use crate::{
    Fatal,
    clock::Clock,
    config::Settings,
    database::Database,
    driver::Driver,
    executors::Executors,
    host::Host,
    keys::Keys,
    operator, private_file,
    routes::{self, App},
    sns::Sns,
    store::{Claim, Store},
};

/// Runs the host until it is told to stop (SIGINT, SIGTERM). It may as well be killed: see [`crate::driver`].
pub(crate) async fn serve(settings: Settings) -> Result<(), Fatal> {
    warn(&settings);
    let _lock = match &settings.database {
        Database::Sqlite(path) => Some(lock(path)?),
        Database::Postgres(_) => None,
    };
    let store =
        Store::open(&settings.database).await.map_err(|error| format!("{}: {error}", settings.database))?;
    let keys = Keys::open(&settings.keys, store.is_in_use().await?)?;
    if store.claim(&keys.marks).await? == Claim::Foreign {
        let (keys, database) = (settings.keys.display(), &settings.database);
        return Err(format!("{keys}: not the keys of {database}: all its hosts share one key file").into());
    }
    let clock = match (settings.now, store.now().await?) {
        (Some(at), _) | (None, Some(at)) => Clock::starting_at(at),
        (None, None) => Clock::System,
    };
    let worker = if store.is_shared() { instance_of(&settings.worker)? } else { settings.worker.clone() };
    let instance_id_alone = settings.instance_id_alone();
    let owner = settings.policy.owner.clone();
    let registrar = Registrar::new(settings.policy, keys.peppers, keys.sealing, default_backend())?;
    let registrar = match keys.signing {
        Some(signing) => registrar.with_signing(signing),
        None => registrar,
    };
    let registrar = match &settings.rule {
        Some(path) => registrar.with_rule(rule(path)?),
        None => registrar,
    };
    let identity = settings.identity.into_iter().enumerate().map(|(place, trust)| {
        let verifier = IdentityVerifier::new(trust, default_backend());
        verifier.map_err(|error| format!("identity[{place}]: {error}"))
    });
    let identity = identity.collect::<Result<Vec<_>, _>>()?;
    let executors = Arc::new(
        Executors::new(
            settings.cloud,
            settings.cluster,
            settings.spire,
            (owner, settings.resources),
            !store.is_shared(),
        )
        .await?,
    );
    operator::ensure_first(&store, clock.now().at).await?;
    let host = Arc::new(Host::new(registrar, store, clock));
    let folders = (settings.certificate_dir, settings.keep_unhandled);
    let sns = match settings.sns {
        Some(topics) => Some(Sns::new(Arc::clone(&host), topics, settings.trust, folders).await?),
        None => None,
    };
    let driver =
        Arc::new(Driver::new(Arc::clone(&host), Arc::clone(&executors), worker, settings.retention_days));
    let trust_forwarded_for = settings.trust_forwarded_for;
    let app = Arc::new(App {
        host,
        executors,
        sns,
        identity,
        trust_forwarded_for,
        fingerprint_header: settings.fingerprint_header,
        instance_id_alone,
    });
    run(settings.listen, app, driver).await
}

async fn run(listen: SocketAddr, app: Arc<App>, driver: Arc<Driver>) -> Result<(), Fatal> {
    let listener =
        TcpListener::bind(listen).await.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let (stop, stopping) = watch::channel(false);
    let driving = tokio::spawn(driver.run(stopping.clone()));
    operator::show(format_args!("listening on http://{}", listener.local_addr()?))?;
    let routes = routes::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let mut until_stop = stopping.clone();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(async move {
        let _ = until_stop.wait_for(|stop| *stop).await;
    });
    let serving = tokio::spawn(serving.into_future());
    told_to_stop().await?;
    tracing::info!("stopping");
    stop.send_replace(true);
    // Whoever is still connected after that is let go: nothing is lost, everybody can ask again.
    let _ = tokio::time::timeout(PATIENCE, async { (serving.await, driving.await) }).await;
    Ok(())
}

/// The operator's own rule.
#[cfg(feature = "rego")]
fn rule(path: &Path) -> Result<Arc<dyn rules::Rule>, Fatal> {
    let shown = path.display();
    let source = std::fs::read_to_string(path).map_err(|error| format!("rule: {shown}: {error}"))?;
    let rule = rules::RegoRule::new(&source, None, rules::DEFAULT_ENTRYPOINT);
    Ok(Arc::new(rule.map_err(|error| format!("rule: {shown}: {error}"))?))
}

#[cfg(not(feature = "rego"))]
fn rule(path: &Path) -> Result<Arc<dyn rules::Rule>, Fatal> {
    Err(format!("rule: this build cannot read {}: build with --features rego", path.display()).into())
}

/// A name of this process' own: where several hosts share a database, none may take another's lease for its own.
fn instance_of(worker: &ActorName) -> Result<ActorName, Fatal> {
    let suffix = HEXLOWER.encode(&rand::random::<[u8; 4]>());
    Ok(format!("{worker}-{suffix}").parse().map_err(|error| format!("worker: {error}"))?)
}

async fn told_to_stop() -> Result<(), Fatal> {
    let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Two hosts on one file would take each other's work for that of a dead process.
fn lock(database: &Path) -> Result<File, Fatal> {
    let path = database.with_added_extension("lock");
    private_file::touch(&path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    let file = File::options().append(true).open(&path)?;
    file.try_lock().map_err(|error| format!("{}: {error}: does another host run on it?", path.display()))?;
    Ok(file)
}

fn warn(settings: &Settings) {
    if settings.instance_id_alone() {
        tracing::warn!(
            "INSECURE: whoever knows an instance id is given that node's credentials \
             (--insecure-instance-id-alone). Instance ids are not secret."
        );
    }
    if settings.sns.as_ref().is_some_and(|sns| sns.development.is_some()) {
        tracing::warn!("INSECURE: certificates of an emulator are trusted (sns.development)");
    }
    if let Some(now) = settings.now {
        tracing::warn!("INSECURE: pretending that it is {now} (--now)");
    }
    if !settings.listen.ip().is_loopback() && settings.trust_forwarded_for.is_empty() {
        tracing::warn!(
            "listening on {} without TLS: kubeconfigs travel in the clear unless a proxy stands in front",
            settings.listen
        );
    }
    if settings.rule.is_some() && settings.policy.rule_mode == rules::Mode::Off {
        tracing::warn!("the rule is not asked (policy.rule_mode is off)");
    }
    if settings.sns.is_some() && settings.policy.instances.is_empty() {
        tracing::warn!("no rule wants any instance: the configuration has no [[policy.instances]]");
    }
}

const PATIENCE: Duration = Duration::from_secs(25);
