//! Clients enrol one node after the other while processes are killed, and ask until they are answered.

use std::{collections::BTreeSet, path::Path, time::Duration};

use handfast::{
    id::{NodeId, PackageId},
    record::{Key, NodeStatus, PackageStatus, ResourceState},
};
use rand::RngExt;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::{JoinSet, LocalSet};

use crate::{
    Size,
    fleet::{Fleet, Front, Kills},
    history::History,
    support::{Reply, node::Node},
};

/// What a client has been told of a package.
pub(crate) struct Told {
    package: PackageId,
    node: Option<NodeId>,
    /// Its last check-in.
    sequence: u64,
    end: End,
}

/// How far a client goes with a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It is handed over.
    Delivered,
    /// A node has redeemed it.
    Redeemed,
    /// The node has checked in.
    CheckedIn,
    /// It has left.
    Left,
    /// The operator has revoked the package.
    Revoked,
}

/// Has clients enrol while processes are killed, until there were enough kills.
pub(crate) async fn in_a_storm(fleet: &mut Fleet, size: &Size) -> (Vec<Told>, Kills) {
    let front = fleet.front();
    for scope in 0..SCOPES {
        let quota = json!({ "max_outstanding": 100_000, "max_active": 100_000 });
        front.operate(Method::PUT, &format!("/api/scopes/{}", scope_of(scope)), &quota).await;
    }
    let storm = fleet.storm(&size.lives);
    let (local, mut running) = (LocalSet::new(), JoinSet::new());
    for client in 0..size.enrollers {
        let (front, outside) = (front.clone(), size.outside && client % 8 == 0);
        running.spawn_local_on(async move { enrol_all(&front, client, outside).await }, &local);
    }
    let told = local.run_until(async {
        while front.kills().all < size.kills {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        fleet.calm(storm).await;
        running.join_all().await
    });
    let told = told.await.into_iter().flatten().collect();
    (told, front.kills())
}

async fn enrol_all(front: &Front, client: usize, outside: bool) -> Vec<Told> {
    let mut told = Vec::new();
    while front.is_stormy() {
        told.push(enrol(front, client, told.len(), outside).await);
    }
    told
}

/// From issue to some end, each step until it is answered, so that each may have been done more than once.
async fn enrol(front: &Front, client: usize, number: usize, outside: bool) -> Told {
    let end =
        [End::Delivered, End::Redeemed, End::CheckedIn, End::CheckedIn, End::Left, End::Revoked][number % 6];
    let name = format!("edge-{client}-{number}");
    let mut contents = vec![json!({ "type": "file", "name": "env", "content": format!("PASSWORD={name}") })];
    if outside {
        contents.push(json!({ "type": "kubernetes_bootstrap_token" }));
    }
    let issue = json!({ "name": name, "scope": scope_of(client), "request": format!("request-{client}-{number}"),
        "deliver": !outside, "contents": contents });
    let mut answer = front.operate(Method::POST, "/api/packages", &issue).await;
    let package: PackageId = text(&answer, "package").parse().unwrap();
    if outside {
        answer = front.operate(Method::POST, &format!("/api/packages/{package}/deliver"), &json!({})).await;
    }
    let mut told = Told { package, node: None, sequence: 0, end };
    if end == End::Delivered {
        return told;
    }
    let mut node = Node::new(&front.client);
    let mut credential = redeem(front, &mut node, &text(&answer, "token"), &name, &mut told).await;
    if end == End::Redeemed {
        return told;
    }
    let id = told.node.unwrap().to_string();
    for _ in 0..rand::rng().random_range(1..4) {
        let sequence = told.sequence + 1;
        let reply = front.insist(async |url| node.check_in(url, &id, sequence, &credential).await).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["sequence"]), (200, &json!(sequence)), "{reply:?}");
        credential = text(&reply.json()["credential"], "token");
        told.sequence = sequence;
    }
    match end {
        End::Left => {
            let leave =
                async |url: &str| node.post(url, "/leave", Some(&credential), &json!({ "node": id })).await;
            let reply = front.insist(leave).await;
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        End::Revoked => {
            front.operate(Method::POST, &format!("/api/packages/{package}/revoke"), &json!({})).await;
        }
        End::Delivered | End::Redeemed | End::CheckedIn => {}
    }
    told
}

/// Twice: whoever has won may ask again, and is given the same.
async fn redeem(front: &Front, node: &mut Node, token: &str, name: &str, told: &mut Told) -> String {
    let mut credential = String::new();
    let mut nodes = BTreeSet::new();
    for again in [false, true] {
        let reply: Reply = front.insist(async |url| node.redeem(url, token).await).await;
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
        let answer = reply.json();
        assert_eq!(answer["contents"][0]["content"], format!("PASSWORD={name}"));
        assert!(!again || answer["again"] == true, "a second use: {answer}");
        nodes.insert(text(&answer, "node").parse::<NodeId>().unwrap());
        credential = text(&answer["credential"], "token");
    }
    assert_eq!(nodes.len(), 1, "{name}");
    told.node = nodes.pop_first();
    credential
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

/// A few, so that each has a quota that many write at once.
const SCOPES: usize = 8;

fn scope_of(client: usize) -> String {
    format!("lab-{}", client % SCOPES)
}

/// Waits until there is for each package outside what there shall be.
pub(crate) async fn until_nothing_is_left_to_do(front: &Front) {
    let is_young =
        |resource: &Value| ["wanted", "creating", "deleting"].iter().any(|state| resource["state"] == *state);
    for _ in 0..600 {
        let mut waiting = 0;
        for status in ["created", "delivered", "activated", "revoked", "retired"] {
            let mut cursor = String::new();
            loop {
                let path = format!("/api/packages?limit=500&status={status}{cursor}");
                let page = front.operate(Method::GET, &path, &Value::Null).await;
                let resources = page["packages"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .flat_map(|package| package["resources"].as_array());
                waiting += resources.flatten().filter(|resource| is_young(resource)).count();
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
        }
        if waiting == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("effects are left:\n{}", front.place().log());
}

/// Compares what the clients were told with what the database holds, and says how much that was.
pub(crate) fn check(told: &[Told], history: &History, manifests: &Path) -> String {
    let packages: BTreeSet<_> = told.iter().map(|told| told.package).collect();
    assert_eq!(
        (packages.len(), history.packages().count()),
        (told.len(), told.len()),
        "a package too many or too few"
    );
    for told in told {
        check_one(told, history);
    }
    let made = check_outside(history, manifests);
    let nodes = told.iter().filter(|told| told.node.is_some()).count();
    assert_eq!(history.total("node_claimed"), nodes, "a node was claimed twice");
    let check_ins: u64 = told.iter().map(|told| told.sequence).sum();
    // Each node has asked for its grant twice, and for what else it was not told in time.
    let unheard = history.total("node_proven") - nodes;
    format!(
        "{} packages, {nodes} nodes, one use each, {check_ins} check-ins, {unheard} lost replies asked for again, \
         {made} made outside, {} sealed secrets, {} facts in {} chains: none lost, none doubled",
        told.len(),
        history.vault,
        history.events(),
        history.records.len()
    )
}

fn check_one(told: &Told, history: &History) {
    let package = history.package(told.package);
    let status = match told.end {
        End::Delivered | End::Redeemed => PackageStatus::Delivered,
        End::CheckedIn => PackageStatus::Activated,
        End::Left => PackageStatus::Retired,
        End::Revoked => PackageStatus::Revoked,
    };
    let (id, end) = (told.package, told.end);
    assert_eq!(package.status, status, "{id}");
    assert_eq!(
        package.nodes.iter().map(|node| node.id).collect::<Vec<_>>(),
        Vec::from_iter(told.node),
        "{id}"
    );
    for (fact, times) in [
        ("package_issued", 1),
        ("package_delivered", 1),
        ("package_claimed", usize::from(told.node.is_some())),
        ("package_activated", usize::from(told.sequence > 0)),
        ("package_ended", usize::from(!status.is_live())),
        ("clone_suspected", 0),
    ] {
        assert_eq!(history.count(&Key::Package(id), fact), times, "{fact} of {id}");
    }
    let Some(node) = told.node else { return };
    let key = Key::Node(node);
    let node = history.node(node);
    let status = match end {
        End::Delivered | End::Redeemed => NodeStatus::Claimed,
        End::CheckedIn => NodeStatus::Active,
        End::Left | End::Revoked => NodeStatus::Retired,
    };
    assert_eq!((node.status, node.sequence), (status, told.sequence), "{key}");
    assert_eq!(history.count(&key, "node_checked_in"), usize::try_from(told.sequence).unwrap(), "{key}");
}

/// What is outside is what the records say is outside. Gives how much that is.
fn check_outside(history: &History, manifests: &Path) -> usize {
    let mut made = 0;
    let mut expected = BTreeSet::new();
    for package in history.packages() {
        for (resource, spec) in package.resources_with_specs() {
            made += 1;
            let wanted = package.status.is_live();
            let state = if wanted { ResourceState::Ready } else { ResourceState::Gone };
            assert_eq!(resource.state, state, "{}", package.id);
            if wanted {
                let spec = serde_json::to_value(spec).unwrap();
                expected.insert(format!("{}.yaml", spec["name"].as_str().unwrap()));
            }
        }
    }
    let found: BTreeSet<_> = std::fs::read_dir(manifests)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(found, expected);
    made
}
