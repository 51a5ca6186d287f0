//! The interface of operators and nodes, on each database.
#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::unwrap_used, reason = "tests")]

mod support;

use std::{collections::BTreeSet, future::Future, time::Duration};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use support::{Host, Place, node::Node, postgres::Server, until};

/// Runs a story on SQLite and, where that is installed, on PostgreSQL.
async fn on_each_database<F: Future<Output = ()>>(story: impl Fn(Place, Host, String) -> F) {
    let run = async |place: Place| {
        let host = place.start();
        let token = host.token.clone().unwrap();
        story(place, host, token).await;
    };
    run(Place::new().with_proofs()).await;
    let Some(server) = Server::start() else { return };
    run(Place::at(&server.database().await).with_proofs()).await;
}

async fn issue(host: &Host, token: &str, body: Value) -> (String, String) {
    let issued = host.ask(token, Method::POST, "/api/packages", body).await;
    (issued["package"].as_str().unwrap().to_owned(), issued["token"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn from_issue_to_leave() {
    on_each_database(async |place, host, operator| {
        let body = json!({ "name": "edge-1", "contents": [{ "type": "file", "name": "env", "content": "PASSWORD=hunter2" }] });
        let reply = host.api(&operator, Method::POST, "/api/packages", &body.to_string()).await;
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (201, Some("no-store")), "{reply:?}");
        let package = reply.json()["package"].as_str().unwrap().to_owned();
        assert_eq!(reply.header("location"), Some(format!("/api/packages/{package}").as_str()));
        assert_eq!(reply.json().get("token"), None);
        let path = format!("/api/packages/{package}");
        let delivered = host.ask(&operator, Method::POST, &format!("{path}/deliver"), Value::Null).await;
        let again = host.ask(&operator, Method::POST, &format!("{path}/deliver"), json!({})).await;
        assert_eq!((&delivered["again"], &again["again"], &again["token"]), (&json!(false), &json!(true), &delivered["token"]));
        let token = delivered["token"].as_str().unwrap();

        let client = Client::new();
        let (mut node, mut thief) = (Node::new(&client), Node::new(&client));
        let nothing = host.post("/api/redeem", "").await;
        assert_eq!(nothing.refusal(), (401, "unauthorized".into()));
        assert!(nothing.header("www-authenticate").unwrap().starts_with("DPoP"));
        let without_nonce = [("authorization", format!("DPoP {token}")), ("dpop", node.proof("/redeem", Some(token), None))];
        let without_nonce = without_nonce.each_ref().map(|(name, value)| (*name, value.as_str()));
        let asked = host.send(Method::POST, "/api/redeem", &without_nonce, "").await.unwrap();
        assert_eq!(asked.refusal(), (401, "use_nonce".into()));
        assert_eq!(asked.header("www-authenticate"), Some("DPoP error=\"use_dpop_nonce\""));
        assert!(asked.header("dpop-nonce").is_some());

        let redeemed = node.redeem(&host.url, token).await.unwrap();
        assert_eq!((redeemed.status.as_u16(), redeemed.header("cache-control")), (200, Some("no-store")), "{redeemed:?}");
        assert_eq!(redeemed.json()["contents"][0]["content"], "PASSWORD=hunter2");
        let retried = node.redeem(&host.url, token).await.unwrap().json();
        assert_eq!((&retried["again"], &retried["node"]), (&json!(true), &redeemed.json()["node"]));
        // Whoever comes second is told nothing that the audit says.
        assert_eq!(thief.redeem(&host.url, token).await.unwrap().refusal(), (403, "denied".into()));
        let unknown = format!("{}x", &token[..token.len() - 1]);
        assert_eq!(thief.redeem(&host.url, &unknown).await.unwrap().refusal(), (400, "malformed".into()));

        let id = redeemed.json()["node"].as_str().unwrap().to_owned();
        let credential = redeemed.json()["credential"]["token"].as_str().unwrap().to_owned();
        let checked_in = node.check_in(&host.url, &id, 1, &credential).await.unwrap();
        assert_eq!((checked_in.status.as_u16(), &checked_in.json()["sequence"]), (200, &json!(1)), "{checked_in:?}");
        let renewed = checked_in.json()["credential"]["token"].as_str().unwrap().to_owned();
        assert_ne!(renewed, credential);
        let stolen = thief.check_in(&host.url, &id, 2, &renewed).await.unwrap();
        assert_eq!(stolen.refusal().0, 403, "{stolen:?}");
        let forged = node.check_in(&host.url, &id, 2, &format!("{}.x", &renewed[..renewed.len() - 2])).await.unwrap();
        assert_eq!(forged.status, 401, "{forged:?}");
        assert_eq!(forged.header("www-authenticate"), Some("DPoP error=\"invalid_token\""));
        let shown = host.ask(&operator, Method::GET, &format!("/api/nodes/{id}"), Value::Null).await;
        assert_eq!(shown["status"], "active");
        let left = node.post(&host.url, "/leave", Some(&renewed), &json!({ "node": id })).await.unwrap();
        assert_eq!(left.status, 200, "{left:?}");
        let shown = host.ask(&operator, Method::GET, &path, Value::Null).await;
        assert_eq!(shown["status"], "retired");
        for secret in [token, &credential, &renewed, "hunter2", operator.as_str()] {
            assert!(!place.log().contains(secret), "a secret is in the log");
        }
        let metrics = host.api(&operator, Method::GET, "/metrics", "").await.body;
        for line in [
            "provisioner_packages{status=\"retired\"} 1",
            "provisioner_refusals_total{code=\"already_claimed\"} 1",
            "provisioner_http_requests_total{method=\"POST\",route=\"/api/packages/{id}/deliver\",status=\"200\"} 2",
        ] {
            assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_link_is_opened_once_and_is_in_no_log() {
    on_each_database(async |place, host, operator| {
        let (package, _) = issue(&host, &operator, json!({ "name": "edge-1" })).await;
        let make = async || {
            let made =
                host.ask(&operator, Method::POST, &format!("/api/packages/{package}/link"), json!({})).await;
            made["link"].as_str().unwrap().to_owned()
        };
        let (old, link) = (make().await, make().await);
        let open =
            async |link: &str| host.send(Method::GET, &format!("/api/link/{link}"), &[], "").await.unwrap();
        assert_eq!(open(&old).await.refusal(), (404, "not_found".into()));
        // Whatever looks at a link before it is opened, a chat's preview for one, must not spend it.
        let looked_at = host.send(Method::HEAD, &format!("/api/link/{link}"), &[], "").await.unwrap();
        assert_eq!((looked_at.status.as_u16(), looked_at.header("allow")), (405, Some("GET")));
        let shown = host.ask(&operator, Method::GET, &format!("/api/packages/{package}"), Value::Null).await;
        assert_eq!(shown["status"], "created");
        let opened = open(&link).await;
        assert_eq!(
            (opened.status.as_u16(), opened.header("cache-control")),
            (200, Some("no-store")),
            "{opened:?}"
        );
        assert_eq!(open(&link).await.json()["token"], opened.json()["token"]);
        assert_eq!(open("hfl1_x").await.refusal(), (404, "not_found".into()));
        // Mistyped, it matches no route, and is in no log either.
        let mistyped = host.send(Method::GET, &format!("/api/links/{link}"), &[], "").await.unwrap();
        assert_eq!(mistyped.status, 404);
        for secret in [&old, &link] {
            assert!(!place.log().contains(secret), "a link is in the log");
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_is_reissued_and_a_package_revoked() {
    on_each_database(async |_place, host, operator| {
        let client = Client::new();
        let (package, old) = issue(&host, &operator, json!({ "name": "edge-1", "deliver": true })).await;
        let path = format!("/api/packages/{package}");
        let reissued =
            host.ask(&operator, Method::POST, &format!("{path}/reissue"), json!({ "deliver": true })).await;
        let new = reissued["token"].as_str().unwrap().to_owned();
        assert_ne!(new, old);
        assert_eq!(Node::new(&client).redeem(&host.url, &old).await.unwrap().status, 403);
        let mut node = Node::new(&client);
        let redeemed = node.redeem(&host.url, &new).await.unwrap();
        assert_eq!(redeemed.status, 200, "{redeemed:?}");
        let id = redeemed.json()["node"].as_str().unwrap().to_owned();
        let credential = redeemed.json()["credential"]["token"].as_str().unwrap().to_owned();
        for again in [false, true] {
            let revoked = host
                .ask(&operator, Method::POST, &format!("{path}/revoke"), json!({ "reason": "stolen" }))
                .await;
            assert_eq!((&revoked["status"], &revoked["again"]), (&json!("revoked"), &json!(again)));
        }
        assert_eq!(node.redeem(&host.url, &new).await.unwrap().refusal(), (404, "not_found".into()));
        let gone = node.check_in(&host.url, &id, 1, &credential).await.unwrap();
        assert_eq!(gone.refusal(), (404, "not_found".into()));
    })
    .await;
}

#[tokio::test]
async fn a_node_is_evicted_and_banned() {
    on_each_database(async |_place, host, operator| {
        let client = Client::new();
        let mut node = Node::new(&client);
        for (name, what) in [("edge-1", "evict"), ("edge-2", "ban")] {
            let (_, token) = issue(&host, &operator, json!({ "name": name, "deliver": true })).await;
            let redeemed = node.redeem(&host.url, &token).await.unwrap();
            assert_eq!(redeemed.status, 200, "{redeemed:?}");
            let id = redeemed.json()["node"].as_str().unwrap().to_owned();
            host.ask(&operator, Method::POST, &format!("/api/nodes/{id}/{what}"), json!({})).await;
            let shown = host.ask(&operator, Method::GET, &format!("/api/nodes/{id}"), Value::Null).await;
            assert_eq!(shown["status"], "retired");
        }
        let (_, token) = issue(&host, &operator, json!({ "name": "edge-3", "deliver": true })).await;
        assert_eq!(node.redeem(&host.url, &token).await.unwrap().refusal(), (403, "denied".into()));
        let unknown =
            host.api(&operator, Method::POST, "/api/nodes/n-00000000000000000000000000000000/ban", "").await;
        assert_eq!(unknown.status, 404);
    })
    .await;
}

#[tokio::test]
async fn the_nodes_of_a_fleet_are_listed() {
    on_each_database(async |_place, host, operator| {
        let client = Client::new();
        let (fleet, token) =
            issue(&host, &operator, json!({ "name": "fleet", "deliver": true, "max_uses": 20 })).await;
        let (_, other) =
            issue(&host, &operator, json!({ "name": "edge-1", "scope": "lab", "deliver": true })).await;
        let mut ids = Vec::new();
        for token in std::iter::repeat_n(&token, 18).chain([&other]) {
            let redeemed = Node::new(&client).redeem(&host.url, token).await.unwrap();
            ids.push(redeemed.json()["node"].as_str().unwrap().to_owned());
        }
        host.ask(&operator, Method::POST, &format!("/api/nodes/{}/evict", ids[0]), json!({})).await;
        let list = async |query: &str| {
            let page = host.ask(&operator, Method::GET, &format!("/api/nodes?{query}"), Value::Null).await;
            let listed = page["nodes"].as_array().unwrap().clone();
            let ids: Vec<_> = listed.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect();
            (ids, page["next"].as_str().map(str::to_owned))
        };
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let (page, next) = list(&format!("package={fleet}&limit=7{cursor}")).await;
            seen.extend(page);
            let Some(next) = next else { break };
            cursor = format!("&cursor={next}");
        }
        seen.reverse();
        assert_eq!(seen.iter().collect::<BTreeSet<_>>(), ids[..18].iter().collect(), "each once");
        assert_eq!(seen.len(), 18);
        assert_eq!(list("scope=lab").await.0, ids[18..]);
        assert_eq!(list("status=retired").await.0, ids[..1]);
        assert_eq!(list("status=claimed&scope=default&limit=500").await.0.len(), 17);
        assert_eq!(list("").await.0.len(), 19);
        assert!(list("package=01890a5d-ac96-774b-bcce-b302099a8057").await.0.is_empty());
        for query in ["status=gone", "limit=0", "cursor=x", "package=x", "name=a"] {
            let reply = host.api(&operator, Method::GET, &format!("/api/nodes?{query}"), "").await;
            assert_eq!(reply.refusal(), (400, "invalid_input".into()), "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn subjects_are_observed_and_banned_beforehand() {
    on_each_database(async |_place, host, operator| {
        let bound = json!({ "name": "edge-1", "activates_on": "report", "bindings": { "node_name": "edge-1" }, "deliver": true });
        let (package, token) = issue(&host, &operator, bound).await;
        let observe = async |subject: &str| {
            let body = json!({ "scope": "default", "subject": subject }).to_string();
            host.api(&operator, Method::POST, "/api/subjects/observe", &body).await
        };
        assert_eq!(observe("node/stranger").await.refusal(), (404, "unknown_subject".into()));
        let observed = observe("node/edge-1").await;
        assert_eq!((observed.status.as_u16(), &observed.json()["activated"]), (200, &json!(true)), "{observed:?}");
        let shown = host.ask(&operator, Method::GET, &format!("/api/packages/{package}"), Value::Null).await;
        assert_eq!(shown["status"], "activated");

        let ban = json!({ "scope": "default", "subject": "node/edge-1", "reason": "sold" });
        host.ask(&operator, Method::POST, "/api/subjects/ban", ban).await;
        assert_eq!(observe("node/edge-1").await.refusal(), (403, "banned".into()));
        let mut node = Node::new(&Client::new());
        let redeemed = node.post(&host.url, "/redeem", Some(&token), &json!({ "node_name": "edge-1" })).await.unwrap();
        assert_eq!(redeemed.refusal().0, 403, "{redeemed:?}");
    })
    .await;
}

#[tokio::test]
async fn what_this_host_cannot_make_is_refused_at_issue() {
    let place = Place::new();
    for line in [
        "resources = \"state/resources\"\n",
        "manifests = \"state/manifests\"\n",
        "cluster_info = \"cluster-info.yaml\"\n",
    ] {
        place.edit("provisioner.toml", line, "");
    }
    place.without_instances();
    let host = place.start();
    let operator = host.token.clone().unwrap();
    for (content, why) in [
        (json!({ "type": "spire_join_token" }), "no SPIRE server"),
        (json!({ "type": "spire_entry" }), "no SPIRE server"),
        (json!({ "type": "kubernetes_bootstrap_token" }), "no cluster"),
        (json!({ "type": "kubernetes_node", "name": "edge-1" }), "no cluster"),
        (json!({ "type": "host", "kind": "tunnel" }), "no folder"),
    ] {
        let file = json!({ "type": "file", "name": "a", "content": "b" });
        let body = json!({ "name": "edge-1", "contents": [file, content] }).to_string();
        let reply = host.api(&operator, Method::POST, "/api/packages", &body).await;
        assert_eq!(reply.refusal(), (400, "invalid_input".into()), "{content}");
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("contents[1]") && message.contains(why), "{message}");
    }
    assert!(host.packages(&operator).await.is_empty());
}

#[tokio::test]
async fn a_scope_has_a_quota_and_pools() {
    on_each_database(async |_place, host, operator| {
        assert_eq!(host.api(&operator, Method::GET, "/api/scopes/lab", "").await.status, 404);
        let quota = json!({ "max_outstanding": 2, "max_active": 2 });
        assert_eq!(host.ask(&operator, Method::PUT, "/api/scopes/lab", quota.clone()).await["changed"], true);
        assert_eq!(host.ask(&operator, Method::PUT, "/api/scopes/lab", quota).await["changed"], false);
        let fill = json!({ "add": { "licence-1": "AAAA", "licence-2": "BBBB" } });
        host.ask(&operator, Method::PATCH, "/api/scopes/lab/pools/licences", fill).await;
        let with = |name: &str| json!({ "name": name, "scope": "lab", "contents": [{ "type": "pool_item", "pool": "licences" }] });
        let (package, _) = issue(&host, &operator, with("edge-1")).await;
        issue(&host, &operator, with("edge-2")).await;
        let third = host.api(&operator, Method::POST, "/api/packages", &with("edge-3").to_string()).await;
        assert_eq!(third.refusal(), (409, "quota_exceeded".into()));
        let scope = host.ask(&operator, Method::GET, "/api/scopes/lab", Value::Null).await;
        let expected = json!({ "id": "lab", "max_outstanding": 2, "max_active": 2, "outstanding": 2, "active": 0, "reserved": 2,
            "free": 0, "pools": [{ "name": "licences", "size": 2, "free": 0 }] });
        assert_eq!(scope, expected);
        let pool = host.ask(&operator, Method::GET, "/api/scopes/lab/pools/licences", Value::Null).await;
        assert_eq!(pool["items"][0], json!({ "name": "licence-1", "package": package }));
        assert!(!pool.to_string().contains("AAAA"));
        host.ask(&operator, Method::POST, &format!("/api/packages/{package}/revoke"), Value::Null).await;
        let scope = host.ask(&operator, Method::GET, "/api/scopes/lab", Value::Null).await;
        assert_eq!((&scope["free"], &scope["pools"][0]["free"]), (&json!(1), &json!(1)));
    })
    .await;
}

#[tokio::test]
async fn a_resource_of_the_operators_own_kind_comes_and_goes() {
    on_each_database(async |place, host, operator| {
        let content = json!({ "type": "host", "kind": "tunnel", "name": "wg-1", "value": { "type": "drawn" },
            "settings": { "port": "51820" } });
        let (package, _) = issue(&host, &operator, json!({ "name": "edge-1", "contents": [content] })).await;
        let file = place.path("state/resources/tunnel+wg-1.json");
        until("the resource is there", || file.exists()).await;
        let made: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!((&made["kind"], &made["settings"]["port"]), (&json!("tunnel"), &json!("51820")));
        let path = format!("/api/packages/{package}");
        let mut delivered = host.api(&operator, Method::POST, &format!("{path}/deliver"), "").await;
        while delivered.status == 503 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            delivered = host.api(&operator, Method::POST, &format!("{path}/deliver"), "").await;
        }
        let token = delivered.json()["token"].as_str().unwrap().to_owned();
        let redeemed = Node::new(&Client::new()).redeem(&host.url, &token).await.unwrap().json();
        assert_eq!(redeemed["contents"][0]["value"], made["value"]);
        host.ask(&operator, Method::POST, &format!("{path}/revoke"), Value::Null).await;
        until("the resource is gone", || !file.exists()).await;
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    on_each_database(async |_place, host, operator| {
        let names = ["a-1", "a-2", "a-3", "b-1", "b_2", "c%"];
        for (number, name) in names.iter().take(5).enumerate() {
            let site = if number % 2 == 0 { "north" } else { "south" };
            let body = json!({ "name": name, "scope": if *name == "b-1" { "lab" } else { "default" },
                "labels": { "site": site, "a.b\"c": "d=e" }, "deliver": number == 0 });
            issue(&host, &operator, body).await;
        }
        let list = async |query: &str| {
            let page = host.ask(&operator, Method::GET, &format!("/api/packages?{query}"), Value::Null).await;
            let names = page["packages"]
                .as_array()
                .unwrap()
                .iter()
                .map(|package| package["issued"]["name"].as_str().unwrap().to_owned());
            (names.collect::<Vec<_>>(), page["next"].as_str().map(str::to_owned))
        };
        for (query, expected) in [
            ("scope=lab", &["b-1"][..]),
            ("scope=default&status=delivered", &["a-1"]),
            ("name=a-", &["a-3", "a-2", "a-1"]),
            ("name=b", &["b_2", "b-1"]),
            ("name=a-1&status=created", &[]),
            ("label=site=south", &["b-1", "a-2"]),
            ("label=site%3Dnorth&name=a", &["a-3", "a-1"]),
            ("label=a.b%22c=d=e", &["b_2", "b-1", "a-3", "a-2", "a-1"]),
            ("label=site=", &[]),
            ("kind=node&limit=2", &["b_2", "b-1"]),
            ("parent=01890a5d-ac96-774b-bcce-b302099a8057", &[]),
        ] {
            assert_eq!(list(query).await.0, expected, "{query}");
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let (page, next) = list(&format!("limit=2{cursor}")).await;
            seen.extend(page);
            let Some(next) = next else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, ["b_2", "b-1", "a-3", "a-2", "a-1"]);
        for query in [
            "limit=0",
            "limit=501",
            "cursor=x",
            "status=open",
            "label=site",
            "colour=red",
            "name=%00",
            "label=a=%00",
        ] {
            let reply = host.api(&operator, Method::GET, &format!("/api/packages?{query}"), "").await;
            assert_eq!(reply.refusal(), (400, "invalid_input".into()), "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_audit_is_followed_from_cursor_to_cursor() {
    on_each_database(async |place, host, operator| {
        let added = place.operators(&["add", "ann", "--permission", "config:write"]);
        let ann = String::from_utf8(added.stdout).unwrap().trim().rsplit(' ').next().unwrap().to_owned();
        for number in 0..6 {
            let who = if number % 2 == 0 { &operator } else { &ann };
            issue(&host, who, json!({ "name": format!("edge-{number}") })).await;
        }
        for _ in 0..3 {
            let unknown = "/api/packages/01890a5d-ac96-774b-bcce-b302099a8057/revoke";
            assert_eq!(host.api(&ann, Method::POST, unknown, "").await.status, 404);
        }
        // A refusal is shown when it has settled.
        tokio::time::sleep(Duration::from_secs(6)).await;
        let page = async |query: String| {
            host.ask(&operator, Method::GET, &format!("/api/events?{query}"), Value::Null).await
        };
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let found = page(format!("limit=3{cursor}")).await;
            cursor = format!("&cursor={}", found["next"].as_str().unwrap());
            let events = found["events"].as_array().unwrap().clone();
            if events.is_empty() {
                break;
            }
            seen.extend(events);
        }
        let sequences: Vec<_> = seen.iter().filter_map(|entry| entry["sequence"].as_i64()).collect();
        assert_eq!(sequences.iter().collect::<BTreeSet<_>>().len(), sequences.len(), "nothing twice");
        assert!(sequences.is_sorted());
        let refusals: Vec<_> = seen.iter().filter(|entry| entry["type"] == "refusals").collect();
        assert_eq!(
            (refusals.len(), &refusals[0]["count"], &refusals[0]["first"]["code"]),
            (1, &json!(3), &json!("unknown"))
        );
        let of_ann = page("actor=operator:ann&code=package_issued".into()).await;
        assert_eq!(of_ann["events"].as_array().unwrap().len(), 3);
        assert_eq!(page("code=unknown".into()).await["events"].as_array().unwrap().len(), 1);
        // A fact and a refusal may have one name.
        let twice = json!({ "name": "edge-0", "keepers": { "image": "2" }, "request": "other" });
        let taken = host.api(&ann, Method::POST, "/api/packages", &twice.to_string()).await;
        let kinds = async |query: &str| {
            let found = page(format!("limit=500&{query}")).await["events"].as_array().unwrap().clone();
            found.iter().map(|entry| entry["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let _ = taken;
        assert_eq!(kinds("kind=refusal").await, ["refusals"]);
        let facts = kinds("kind=fact").await;
        assert!(!facts.is_empty() && facts.iter().all(|kind| kind == "fact"), "{facts:?}");
        assert!(kinds("kind=refusal&code=package_issued").await.is_empty());
        assert_eq!(host.api(&operator, Method::GET, "/api/events?kind=all", "").await.status, 400);
        assert_eq!(page("since=2100-01-01T00:00:00Z".into()).await["events"], json!([]));
        let since = seen[0]["event"]["at"].as_str().unwrap().to_owned();
        assert_eq!(
            page(format!("since={since}&limit=500")).await["events"].as_array().unwrap().len(),
            seen.len()
        );
        issue(&host, &operator, json!({ "name": "edge-7" })).await;
        assert!(!page(format!("limit=3{cursor}")).await["events"].as_array().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn nobody_speaks_for_somebody_else() {
    let place = Place::new().with_proofs();
    let host = place.start();
    let admin = host.token.clone().unwrap();
    let added = place.operators(&["add", "ann", "--permission", "packages:read"]);
    let reader = String::from_utf8(added.stdout).unwrap().trim().rsplit(' ').next().unwrap().to_owned();
    let (package, token) = issue(&host, &admin, json!({ "name": "edge-1", "deliver": true })).await;
    let id = "n-00000000000000000000000000000000";
    for (method, path) in [
        (Method::POST, "/api/packages".to_owned()),
        (Method::POST, format!("/api/packages/{package}/deliver")),
        (Method::POST, format!("/api/packages/{package}/reissue")),
        (Method::POST, format!("/api/packages/{package}/revoke")),
        (Method::POST, format!("/api/packages/{package}/link")),
        (Method::POST, format!("/api/nodes/{id}/evict")),
        (Method::POST, format!("/api/nodes/{id}/ban")),
        (Method::POST, "/api/subjects/observe".into()),
        (Method::POST, "/api/subjects/ban".into()),
        (Method::PUT, "/api/scopes/lab".into()),
        (Method::PATCH, "/api/scopes/lab/pools/licences".into()),
    ] {
        assert_eq!(host.send(method.clone(), &path, &[], "{}").await.unwrap().status, 401, "{path}");
        assert_eq!(host.api(&reader, method.clone(), &path, "{}").await.status, 403, "{path}");
        for (member, value) in [("authority", "operator:eve"), ("source", "192.0.2.1"), ("type", "ban")] {
            let body = json!({ member: value }).to_string();
            assert_eq!(host.api(&admin, method.clone(), &path, &body).await.status, 400, "{path} {member}");
        }
    }
    for path in ["/api/packages", "/api/nodes", "/api/events", "/api/scopes/lab", "/metrics"] {
        assert_eq!(host.send(Method::GET, path, &[], "").await.unwrap().status, 401, "{path}");
    }
    // A fingerprint that a stranger names counts for nothing.
    let named = [("x-client-fingerprint", "machine-1")];
    let body = json!({ "token": token }).to_string();
    assert_eq!(host.send(Method::POST, "/api/redeem", &named, &body).await.unwrap().status, 401);
    let body = json!({ "token": token, "fingerprint": "machine-1" }).to_string();
    assert_eq!(host.send(Method::POST, "/api/redeem", &[], &body).await.unwrap().status, 401);
    let form = [
        ("authorization", format!("Bearer {admin}")),
        ("content-type", "application/x-www-form-urlencoded".into()),
    ];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(host.send(Method::POST, "/api/packages", &form, "name=a").await.unwrap().status, 415);
    let reply = host.send(Method::DELETE, "/api/packages", &[], "").await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.header("allow").is_some()), (405, true), "{reply:?}");
}

#[tokio::test]
async fn a_trusted_proxy_may_vouch_for_a_fingerprint() {
    let place = Place::new();
    let top =
        "trust_forwarded_for = [\"127.0.0.1/32\"]\nfingerprint_header = \"X-Client-Fingerprint\"\nlisten =";
    place.edit("provisioner.toml", "listen =", top);
    place.edit("provisioner.toml", "[policy]\n", "[policy]\nvouched_fingerprints = true\n");
    let host = place.start();
    let operator = host.token.clone().unwrap();
    let (_, token) = issue(&host, &operator, json!({ "name": "edge-1", "deliver": true })).await;
    let redeem = async |fingerprint: &str| {
        let headers = [("x-forwarded-for", "192.0.2.1"), ("x-client-fingerprint", fingerprint)];
        host.send(Method::POST, "/api/redeem", &headers, &json!({ "token": token }).to_string())
            .await
            .unwrap()
    };
    assert_eq!(redeem("machine-1").await.status, 200);
    assert_eq!(redeem("machine-1").await.json()["again"], true);
    assert_eq!(redeem("machine-2").await.refusal(), (403, "denied".into()));
    assert_eq!(redeem("jkt:x").await.status, 400);
}
