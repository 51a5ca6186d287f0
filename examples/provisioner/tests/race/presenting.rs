//! Many clients present the same tokens at the same moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use handfast::{
    id::{NodeId, PackageId},
    record::Key,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    sync::Barrier,
    task::{JoinSet, LocalSet},
};

use crate::{
    fleet::Front,
    history::History,
    support::{Reply, node::Node},
};

/// A token, and how many may have it.
struct Token {
    package: PackageId,
    uses: usize,
    secret: String,
    content: String,
}

/// What came of a token.
pub(crate) struct Round {
    package: PackageId,
    uses: usize,
    winners: BTreeSet<NodeId>,
    losers: usize,
    /// How often winners and losers asked once more.
    again: [usize; 2],
}

/// How somebody presents a token.
enum Client {
    /// By a key, with proofs.
    Key(Box<Node>),
    /// By what a proxy vouches for.
    Vouched(String),
}

/// Issues the tokens, has all clients present each of them at the same moment to any of the processes, and then has
/// the winners and some of the losers ask again, at the same moment as well.
pub(crate) async fn race(front: &Front, tokens: usize, clients: usize) -> Vec<Round> {
    let mut issued = Vec::new();
    for number in 0..tokens {
        issued.push(issue(front, number).await);
    }
    let (start, issued) = (Arc::new(Barrier::new(clients)), Arc::new(issued));
    let local = LocalSet::new();
    let mut running = JoinSet::new();
    for number in 0..clients {
        let (start, issued) = (Arc::clone(&start), Arc::clone(&issued));
        let front = front.clone();
        running.spawn_local_on(async move { present_all(&front, number, &issued, &start).await }, &local);
    }
    let outcomes = local.run_until(running.join_all()).await;
    let round = |(number, token): (usize, &Token)| {
        let of_round = || outcomes.iter().map(|outcomes| &outcomes[number]);
        Round {
            package: token.package,
            uses: token.uses,
            winners: of_round().filter_map(|(node, _)| *node).collect(),
            losers: of_round().filter(|(node, _)| node.is_none()).count(),
            again: [true, false].map(|won| {
                of_round().filter(|(node, _)| node.is_some() == won).map(|(_, again)| again).sum()
            }),
        }
    };
    issued.iter().enumerate().map(round).collect()
}

/// Has operators issue at the same moment, through any of the processes, more packages than their scope may have. Gives how
/// many they got.
pub(crate) async fn race_for_quota(front: &Front, clients: usize) -> usize {
    let quota = json!({ "max_outstanding": QUOTA, "max_active": QUOTA });
    front.operate(Method::PUT, "/api/scopes/narrow", &quota).await;
    let (local, mut running) = (LocalSet::new(), JoinSet::new());
    for number in 0..clients {
        let front = front.clone();
        let issue = json!({ "name": format!("edge-{number}"), "scope": "narrow", "request": format!("request-{number}") });
        let ask = async move {
            let reply = front.try_to_operate(Method::POST, "/api/packages", &issue).await;
            let refused = || assert_eq!(reply.refusal(), (409, "quota_exceeded".into()));
            if reply.status.is_success() {
                true
            } else {
                refused();
                false
            }
        };
        running.spawn_local_on(ask, &local);
    }
    let got = local.run_until(running.join_all()).await.into_iter().filter(|got| *got).count();
    let scope = front.operate(Method::GET, "/api/scopes/narrow", &Value::Null).await;
    assert_eq!((got, &scope["reserved"], &scope["free"]), (QUOTA, &json!(QUOTA), &json!(0)), "{scope}");
    got
}

/// What a scope may have for which many ask.
const QUOTA: usize = 10;

/// Each in a scope of its own, so that one client may win all of them. Now and then it is one for several nodes: for a
/// few, which the package lists, or for many, which it counts.
async fn issue(front: &Front, number: usize) -> Token {
    let uses = match number % 8 {
        2 => 3,
        5 => 20,
        _ => 1,
    };
    let content = format!("PASSWORD=number-{number}");
    let body = json!({ "name": "raced", "scope": format!("race-{number}"), "max_uses": uses, "deliver": true,
        "contents": [{ "type": "file", "name": "env", "content": content }] });
    let answer = front.operate(Method::POST, "/api/packages", &body).await;
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    Token { package: text("package").parse().unwrap(), uses, secret: text("token"), content }
}

/// What one client got of each token, and how often it asked again.
async fn present_all(
    front: &Front,
    number: usize,
    tokens: &[Token],
    start: &Barrier,
) -> Vec<(Option<NodeId>, usize)> {
    let mut client = match number % 4 {
        3 => Client::Vouched(format!("machine-{number}")),
        _ => Client::Key(Box::new(Node::new(&front.client))),
    };
    let mut outcomes = Vec::new();
    for (round, token) in tokens.iter().enumerate() {
        start.wait().await;
        let first = client.present(front, &token.secret).await;
        let node = judge(&first, token, false);
        start.wait().await;
        let again = if node.is_some() { 2 } else { usize::from(number % 8 == round % 8) };
        for _ in 0..again {
            let reply = client.present(front, &token.secret).await;
            assert_eq!(judge(&reply, token, true), node, "it is told something else the second time");
            if node.is_some() {
                assert_eq!(claims(&first), claims(&reply), "another grant than the first time");
            }
        }
        outcomes.push((node, again));
    }
    outcomes
}

impl Client {
    async fn present(&mut self, front: &Front, token: &str) -> Reply {
        match self {
            Self::Key(node) => front.insist(async |url| node.redeem(url, token).await).await,
            Self::Vouched(fingerprint) => {
                let ask = async |url: &str| {
                    let request = front.client.post(format!("{url}/api/redeem"));
                    let request = request.header("x-client-fingerprint", &*fingerprint);
                    let request = request.header("x-forwarded-for", "192.0.2.1");
                    Reply::read(request.body(json!({ "token": token }).to_string()).send().await.ok()?).await
                };
                front.insist(ask).await
            }
        }
    }
}

/// Whoever wins is a node and has the contents; whoever does not is told nothing but no.
fn judge(reply: &Reply, token: &Token, again: bool) -> Option<NodeId> {
    let told = reply.json();
    match reply.status.as_u16() {
        200 => {
            assert_eq!(
                (&told["again"], &told["contents"][0]["content"]),
                (&json!(again), &json!(token.content))
            );
            assert_eq!(told["package"], token.package.to_string());
            Some(told["node"].as_str().unwrap().parse().unwrap())
        }
        403 => {
            assert_eq!((&told["code"], reply.body.contains("PASSWORD")), (&json!("denied"), false));
            None
        }
        _ => panic!("{reply:?}"),
    }
}

/// What the credential says. A retry signs the same again.
fn claims(reply: &Reply) -> Option<Value> {
    let told = reply.json();
    let payload = told["credential"]["token"].as_str()?.split('.').nth(1)?;
    Some(serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).unwrap())
}

/// Compares what the clients were told with what the database holds, and says how much that was.
pub(crate) fn check(rounds: &[Round], unheard: u32, history: &History) -> String {
    let mut claimed: BTreeMap<PackageId, usize> = BTreeMap::new();
    for node in history.nodes() {
        *claimed.entry(node.package).or_default() += history.count(&Key::Node(node.id), "node_claimed");
    }
    for round in rounds {
        let package = history.package(round.package);
        assert_eq!(round.winners.len(), round.uses, "{}", round.package);
        assert_eq!(usize::try_from(package.uses()).unwrap(), round.uses, "{}", round.package);
        assert_eq!(claimed[&round.package], round.uses, "a retry was a use: {}", round.package);
        assert!(round.winners.iter().all(|node| history.node(*node).package == round.package));
    }
    let sum = |count: fn(&Round) -> usize| rounds.iter().map(count).sum::<usize>();
    let (winners, losers) = (sum(|round| round.winners.len()), sum(|round| round.losers));
    let again = [sum(|round| round.again[0]), sum(|round| round.again[1])];
    // Each refusal is counted once, and so is each that nobody has heard of.
    let refused = usize::try_from(history.refusals["already_claimed"]).unwrap();
    let codes: Vec<_> = history.refusals.keys().map(String::as_str).collect();
    assert_eq!(codes, ["already_claimed", "quota_exceeded"]);
    let expected = losers + again[1];
    assert!(
        (expected..=expected + usize::try_from(unheard).unwrap()).contains(&refused),
        "{refused} of {expected}"
    );
    let several: Vec<_> = rounds.iter().map(|round| round.uses).filter(|uses| *uses > 1).collect();
    format!(
        "{} had one winner each, {} had as many as they have uses ({} in all), {winners} winners asked {} times more and \
         were told the same, {losers} losers {} times more and were refused; {refused} refusals counted, {} facts",
        rounds.len() - several.len(),
        several.len(),
        several.iter().sum::<usize>(),
        again[0],
        again[1],
        history.events()
    )
}
