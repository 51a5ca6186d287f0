//! From a signed message to a kubeconfig, and to nothing left, over HTTP.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;

use reqwest::Method;
use support::{ELSEWHERE, HERE, Place, UNWANTED, authority, token_in, until};

#[tokio::test]
async fn an_instance_runs_joins_and_ends() {
    let place = Place::new();
    let host = place.start();
    let token = host.token.clone().unwrap();

    let launch = host.event(authority::launch_hook(HERE)).await;
    assert_eq!((&launch["result"], &launch["changed"]), (&"observed".into(), &false.into()));
    assert_eq!(host.kubeconfig(HERE).await.status, 404);

    let running = host.event(authority::state_change(HERE, "running")).await;
    assert_eq!((&running["state"], &running["changed"]), (&"running".into(), &true.into()));
    let kubeconfig = host.joined(HERE).await;
    let bootstrap = token_in(&kubeconfig);
    let manifests = place.manifests();
    assert_eq!(manifests.len(), 1);
    let (id, secret) = bootstrap.split_once('.').unwrap();
    assert_eq!(manifests[0].0, format!("bootstrap-token-{id}.yaml"));
    for part in [secret, HERE, "provisioner-demo", "bootstrap.kubernetes.io/token"] {
        assert!(manifests[0].1.contains(part), "{part}");
    }
    assert!(kubeconfig.contains("https://api.demo.example:6443"));

    let packages = host.packages(&token).await;
    assert_eq!(packages.len(), 1);
    assert_eq!((&packages[0]["status"], &packages[0]["issued"]["name"]), (&"activated".into(), &HERE.into()));
    let id = packages[0]["id"].as_str().unwrap().to_owned();

    let ended = host.event(authority::state_change(HERE, "terminated")).await;
    assert_eq!((&ended["state"], &ended["changed"]), (&"terminated".into(), &true.into()));
    until("no manifest is left", || place.manifests().is_empty()).await;
    assert_eq!(host.kubeconfig(HERE).await.status, 404);
    let mut facts = host.facts(&token, &id).await;
    while facts.last().unwrap() != "resource_gone" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        facts = host.facts(&token, &id).await;
    }
    assert_eq!(
        facts,
        [
            "instance_observed",
            "instance_describing",
            "package_issued",
            "instance_described",
            "instance_enrolled",
            "resource_started",
            "resource_ready",
            "package_delivered",
            "package_activated",
            "instance_observed",
            "package_ended",
            "resource_started",
            "resource_gone",
        ]
    );
}

#[tokio::test]
async fn repeats_issue_nothing_new_and_give_the_same() {
    let place = Place::new();
    let host = place.start();
    let token = host.token.clone().unwrap();
    let message = authority::notification(&authority::state_change(HERE, "running").to_string());
    for (round, changed) in [(0, true), (1, false), (2, false)] {
        let reply = host.sns(&message).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["changed"]), (200, &changed.into()), "{round}");
    }
    let first = host.joined(HERE).await;
    assert!(host.event(authority::state_change(HERE, "running")).await["package"].is_string());
    assert_eq!(host.joined(HERE).await, first);
    assert_eq!((host.packages(&token).await.len(), place.manifests().len()), (1, 1));
}

#[tokio::test]
async fn all_at_once_is_as_one_after_the_other() {
    let place = Place::new();
    let host = Arc::new(place.start());
    let token = host.token.clone().unwrap();
    let message = authority::notification(&authority::state_change(HERE, "running").to_string());
    let at_once = |count: usize, path: String, body: String| {
        let host = Arc::clone(&host);
        async move {
            let post = || {
                let (host, path, body) = (Arc::clone(&host), path.clone(), body.clone());
                tokio::spawn(async move { host.post(&path, &body).await })
            };
            let posted: Vec<_> = (0..count).map(|_| post()).collect();
            let mut replies = Vec::new();
            for reply in posted {
                replies.push(reply.await.unwrap());
            }
            replies
        }
    };
    let replies = at_once(20, "/sns".into(), message).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert_eq!(replies.iter().filter(|reply| reply.json()["changed"] == true).count(), 1);
    until("the token is made", || !place.manifests().is_empty()).await;
    let mut given: Vec<_> = at_once(10, format!("/kubeadm/kubeconfig/{HERE}"), String::new()).await;
    given.retain(|reply| reply.status == 200);
    given.push(host.kubeconfig(HERE).await);
    assert!(given.iter().all(|reply| reply.body == given[0].body));
    let id = host.packages(&token).await[0]["id"].as_str().unwrap().to_owned();
    let delivered = host.facts(&token, &id).await.iter().filter(|fact| *fact == "package_delivered").count();
    assert_eq!((host.packages(&token).await.len(), delivered), (1, 1));
}

#[tokio::test]
async fn terminated_before_running_wins() {
    let place = Place::new();
    let host = place.start();
    let token = host.token.clone().unwrap();
    let running = authority::notification(&authority::state_change(HERE, "running").to_string());
    host.event(authority::state_change(HERE, "terminated")).await;
    let late = host.sns(&running).await;
    assert_eq!((late.status.as_u16(), &late.json()["changed"]), (200, &false.into()));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(host.packages(&token).await.len(), 0);
    assert_eq!((host.kubeconfig(HERE).await.status.as_u16(), place.manifests().len()), (404, 0));
}

#[tokio::test]
async fn unknown_ended_unwanted_and_elsewhere_are_one_answer() {
    let place = Place::new();
    let host = place.start();
    for instance in [ELSEWHERE, UNWANTED] {
        host.event(authority::state_change(instance, "running")).await;
    }
    host.event(authority::state_change(HERE, "terminated")).await;
    until("the token is made", || !place.manifests().is_empty()).await;
    let mut answers = Vec::new();
    for instance in [ELSEWHERE, UNWANTED, HERE, "i-0123456789abcdef0", "no-instance-at-all"] {
        let reply = host.kubeconfig(instance).await;
        let mut headers = reply.headers.clone();
        headers.retain(|(name, _)| name != "date");
        answers.push((reply.status, headers, reply.body));
    }
    assert_eq!(answers[0].0, 404);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn only_the_instance_itself_hears_that_it_is_not_ready() {
    let place = Place::new();
    let host = place.start();
    let token = host.token.clone().unwrap();
    place.instances(&[(HERE, "127.0.0.1"), (ELSEWHERE, "192.0.2.10")]);
    // Nothing can be written where a file is in the way of the folder.
    let manifests = place.path("state/manifests");
    std::fs::remove_dir(&manifests).unwrap();
    std::fs::write(&manifests, "in the way").unwrap();
    for instance in [HERE, ELSEWHERE] {
        host.event(authority::state_change(instance, "running")).await;
    }
    let failed =
        || place.log().matches("ensure.1}: failed").count().max(place.log().matches("failed: ").count());
    until("both attempts have failed", || failed() >= 2).await;
    let mine = host.kubeconfig(HERE).await;
    assert_eq!((mine.status.as_u16(), mine.header("retry-after")), (503, Some("2")));
    assert_eq!((&mine.json()["code"], mine.header("cache-control")), (&"not_ready".into(), Some("no-store")));
    assert_eq!(host.kubeconfig(ELSEWHERE).await.status, 404);
    let reasons = host.packages(&token).await[0]["resources"][0]["reason"].clone();
    assert!(reasons.as_str().unwrap().contains("bootstrap-token-"), "{reasons}");
    std::fs::remove_file(&manifests).unwrap();
    std::fs::create_dir(&manifests).unwrap();
    host.joined(HERE).await;
}

#[tokio::test]
async fn nothing_is_handed_over_while_nobody_can_say_where_the_cluster_is() {
    let place = Place::new();
    std::fs::rename(place.path("cluster-info.yaml"), place.path("aside")).unwrap();
    let host = place.start();
    let token = host.token.clone().unwrap();
    host.event(authority::state_change(HERE, "running")).await;
    until("the token is made", || !place.manifests().is_empty()).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while host.kubeconfig(HERE).await.status != 503 {
        assert!(std::time::Instant::now() < deadline);
    }
    assert_eq!(host.kubeconfig("i-0123456789abcdef0").await.status, 404);
    assert_eq!(host.packages(&token).await[0]["status"], "created");
    std::fs::rename(place.path("aside"), place.path("cluster-info.yaml")).unwrap();
    host.joined(HERE).await;
}

#[tokio::test]
async fn an_instance_that_the_cloud_does_not_know_gets_nothing_until_it_does() {
    let place = Place::new();
    place.instances(&[]);
    let host = place.start();
    let token = host.token.clone().unwrap();
    host.event(authority::state_change(HERE, "running")).await;
    until("the first question has failed", || place.log().contains("does not list it")).await;
    assert_eq!((host.packages(&token).await.len(), host.kubeconfig(HERE).await.status.as_u16()), (0, 404));
    place.instances(&[(HERE, "127.0.0.1")]);
    host.joined(HERE).await;
}

#[tokio::test]
async fn an_operator_revokes_and_everything_is_gone() {
    let place = Place::new();
    let host = place.start();
    let token = host.token.clone().unwrap();
    host.event(authority::state_change(HERE, "running")).await;
    host.joined(HERE).await;
    let id = host.packages(&token).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/packages/{id}/revoke");
    let reply = host.api(&token, Method::POST, &path, r#"{"reason": "lost"}"#).await;
    assert_eq!((&reply.json()["status"], &reply.json()["again"]), (&"revoked".into(), &false.into()));
    let again = host.api(&token, Method::POST, &path, "").await;
    assert_eq!((again.status.as_u16(), &again.json()["again"]), (200, &true.into()));
    until("no manifest is left", || place.manifests().is_empty()).await;
    assert_eq!(host.kubeconfig(HERE).await.status, 404);
    let events = host.api(&token, Method::GET, &format!("/api/packages/{id}/events"), "").await.body;
    assert!(events.contains("operator:admin") && events.contains("lost"), "{events}");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let place = Place::new();
    let ids: Vec<_> = (0..7).map(|number| format!("i-0123456789abcde{number:02}")).collect();
    place.instances(&ids.iter().map(|id| (id.as_str(), "192.0.2.1")).collect::<Vec<_>>());
    let host = place.start();
    let token = host.token.clone().unwrap();
    for id in &ids {
        host.event(authority::state_change(id, "running")).await;
    }
    until("all tokens are made", || place.manifests().len() == 7).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = host.api(&token, Method::GET, &format!("/api/packages?limit=3{cursor}"), "").await.json();
        let names = page["packages"].as_array().unwrap().iter().map(|it| it["issued"]["name"].to_string());
        seen.extend(names);
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 7);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7);
    for (query, count) in
        [("status=created", 7), ("status=revoked", 0), ("scope=demo&kind=worker", 7), ("scope=x", 0)]
    {
        let page = host.api(&token, Method::GET, &format!("/api/packages?{query}"), "").await.json();
        assert_eq!(page["packages"].as_array().unwrap().len(), count, "{query}");
    }
    for query in ["limit=0", "limit=501", "cursor=!", "cursor=AAAA", "status=gone", "unknown=1"] {
        let reply = host.api(&token, Method::GET, &format!("/api/packages?{query}"), "").await;
        assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (400, &"invalid_input".into()), "{query}");
    }
}

#[tokio::test]
async fn no_secret_is_in_the_database_or_in_the_log() {
    let place = Place::new();
    let host = place.start();
    let token = host.token.clone().unwrap();
    host.event(authority::state_change(HERE, "running")).await;
    let bootstrap = token_in(&host.joined(HERE).await);
    host.packages(&token).await;
    let keys = std::fs::read_to_string(place.path("state/provisioner.keys")).unwrap();
    let keys: serde_json::Value = serde_json::from_str(&keys).unwrap();
    let mut secrets = vec![bootstrap.split_once('.').unwrap().1.to_owned()];
    secrets.push(token.splitn(3, '_').last().unwrap().to_owned());
    for ring in ["peppers", "sealing"] {
        secrets.extend(
            keys[ring]["keys"].as_object().unwrap().values().map(|key| key.as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(secrets.len(), 4);
    let mut stored = Vec::new();
    for file in ["", "-wal"] {
        stored.extend(
            std::fs::read(place.path(&format!("state/provisioner.sqlite{file}"))).unwrap_or_default(),
        );
    }
    let (stored, log) = (String::from_utf8_lossy(&stored), place.log());
    assert!(stored.contains(HERE) && log.contains("handed out a kubeconfig"));
    for secret in secrets {
        assert!(!stored.contains(&secret) && !log.contains(&secret), "{secret}");
    }
}
