//! What has ended is forgotten after its retention, and its facts go with it. What is left of each is one small record: its
//! version and the digest of its last fact, from which the chains of the audit can still be checked.

use handfast::{
    record::Record,
    registrar::Explanation,
    time::Timestamp,
    vocabulary::{Action, Answer, Authority, Command, Forget},
};

use crate::{
    host::{Host, HostError},
    store::Ended,
};

/// Forgets what ended so many days ago, and says how many records. What is not over yet, because something of it is left
/// outside or a late message could still speak of it, waits for the next time.
pub(crate) async fn forget_ended(host: &Host, retention_days: u16) -> Result<u64, HostError> {
    let by = host.clock.now().at.minus_seconds(u32::from(retention_days).saturating_mul(DAY_SECONDS));
    let (mut last, mut forgotten) = (None, 0);
    loop {
        let batch = host.store.ended(by, last.as_ref(), BATCH).await?;
        for ended in &batch {
            match forget(host, ended, by).await {
                Ok(true) => forgotten += 1,
                Ok(false) => {}
                // One record that cannot be read must not keep the others.
                Err(error) => tracing::error!(key = %ended.key, "cannot be forgotten: {error}"),
            }
        }
        match batch.into_iter().next_back() {
            Some(ended) => last = Some(ended),
            None => break,
        }
    }
    while host.store.prune_forgotten(BATCH).await? > 0 {}
    Ok(forgotten)
}

/// Asks first: a refusal would be an entry of the audit each time.
async fn forget(host: &Host, ended: &Ended, by: Timestamp) -> Result<bool, HostError> {
    if Record::from_body(&ended.body)?.updated_at() > by {
        return Ok(false);
    }
    let action = Action::Forget(Forget { key: ended.key.clone() });
    let command = Command { authority: Authority::Timer, source: None, action };
    match host.explain(&command).await? {
        Explanation::Accepted { .. } => Ok(matches!(host.run(command).await?, Answer::Forgotten(_))),
        Explanation::Refused(_) | Explanation::Need { .. } => Ok(false),
    }
}

const DAY_SECONDS: u32 = 24 * 60 * 60;
/// Records of one look.
const BATCH: u32 = 100;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Instant};

    use handfast::{
        audit::{Chain, Head},
        crypto::default_backend,
        keyring::KeyRing,
        registrar::{Policy, Registrar},
        secret::SecretKey,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        clock::Clock,
        store::{Sql, Store, for_each_database},
    };

    /// A host whose clock the story sets.
    fn host(store: Store) -> Host {
        let key = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
        let policy = Policy { vouched_fingerprints: true, ..Policy::default() };
        let registrar = Registrar::new(policy, key(1), key(2), default_backend()).unwrap();
        Host::new(registrar, store, Clock::starting_at("2026-01-01T00:00:00Z".parse().unwrap()))
    }

    async fn run(host: &Host, command: Value) -> Answer {
        host.run(Command::from_value(command).unwrap()).await.unwrap()
    }

    /// Issues a package, and has it redeemed.
    async fn enrolled(host: &Host, name: &str) -> String {
        let issue = json!({ "type": "issue", "authority": "operator:ann", "name": name, "deliver": true });
        let Answer::Issued(issued) = run(host, issue).await else { panic!("not issued") };
        let token = issued.token.unwrap();
        let redeem = json!({ "type": "redeem", "token": token.expose(), "fingerprint": name });
        assert!(matches!(run(host, redeem).await, Answer::Redeemed(_)));
        issued.package.to_string()
    }

    async fn revoke(host: &Host, package: &str) {
        run(host, json!({ "type": "revoke", "authority": "operator:ann", "package": package })).await;
    }

    /// Where the chains of all records have got to, and of those the forgotten ones, as the records say.
    async fn heads(host: &Host) -> (Vec<Head>, Vec<Head>) {
        let sql = Sql::new("SELECT key, version, record, body FROM handfast_records ORDER BY key");
        let rows: Vec<(String, i64, String, String)> = host.store.fetch(sql).await.unwrap();
        let head = |(key, version, record, body): (String, i64, String, String)| {
            let body: Value = serde_json::from_str(&body).unwrap();
            let digest = body["head"].as_str().unwrap().parse().unwrap();
            (record, Head { key, version: version.try_into().unwrap(), digest })
        };
        let all: Vec<_> = rows.into_iter().map(head).collect();
        let forgotten = all.iter().filter(|(record, _)| record == "forgotten").map(|(_, head)| head.clone());
        let forgotten = forgotten.collect();
        (all.into_iter().map(|(_, head)| head).collect(), forgotten)
    }

    async fn log(host: &Host) -> Vec<(String, String)> {
        host.store.fetch(Sql::new("SELECT key, body FROM handfast_events ORDER BY sequence")).await.unwrap()
    }

    #[tokio::test]
    async fn the_ended_goes_the_living_stays_and_the_chains_still_hold() {
        for_each_database(async |store| {
            let host = host(store);
            let at = |text: &str| host.clock.set(text.parse().unwrap(), Instant::now());
            let (old, late, living) = (
                enrolled(&host, "old").await,
                enrolled(&host, "late").await,
                enrolled(&host, "living").await,
            );
            revoke(&host, &old).await;
            at("2026-01-31T00:00:00Z");
            revoke(&host, &late).await;
            assert_eq!(forget_ended(&host, 30).await.unwrap(), 0, "a moment is missing");
            let published = heads(&host).await.0;
            at("2026-02-01T00:00:00Z");
            assert_eq!(forget_ended(&host, 30).await.unwrap(), 2, "the package and its node");
            assert_eq!(forget_ended(&host, 30).await.unwrap(), 0);

            let log = log(&host).await;
            let of =
                |package: &str| log.iter().filter(|(key, _)| *key == format!("package/{package}")).count();
            assert_eq!(of(&old), 0);
            assert!(of(&late) > 0 && of(&living) > 0);
            // Offline: from where the forgotten ended, through all that was published of the others, to where they are.
            let (all, forgotten) = heads(&host).await;
            assert_eq!(forgotten.len(), 2);
            let mut chain = Chain::resume(default_backend(), forgotten.clone());
            let kept = |head: &Head| !forgotten.iter().any(|gone| gone.key == head.key);
            chain.expect(published.into_iter().filter(kept));
            for (_, body) in &log {
                chain.feed(body).unwrap();
            }
            assert_eq!((chain.finish(), chain.heads().collect::<Vec<_>>()), (vec![], all));
            // Without the checkpoints nobody takes what is left for the whole.
            let facts: BTreeMap<_, _> = chain.heads().map(|head| (head.key, head.version)).collect();
            assert!(facts.values().sum::<u64>() > u64::try_from(log.len()).unwrap());
        })
        .await;
    }

    #[tokio::test]
    async fn facts_that_a_killed_host_has_left_go_at_the_next_time() {
        for_each_database(async |store| {
            let host = host(store);
            let package = enrolled(&host, "edge-1").await;
            revoke(&host, &package).await;
            let key = format!("package/{package}");
            run(&host, json!({ "type": "forget", "authority": "timer", "key": key })).await;
            assert!(log(&host).await.iter().any(|(of, _)| *of == key), "its facts are there yet");
            forget_ended(&host, 30).await.unwrap();
            assert!(log(&host).await.iter().all(|(of, _)| *of != key));
        })
        .await;
    }
}
