//! Nodes with their keys, and packages for them.

use handfast::{
    jwt::{Algorithm, Proof, SigningKey, TargetUrl, proof::Make},
    record::Loaded,
    registrar::{BatchOutcome, Step},
    time::Now,
    vocabulary::{Answer, Batch, Command},
};
use serde_json::json;

use crate::host::Host;

/// As in the development configuration.
pub(crate) const BASE_URL: &str = "http://127.0.0.1:8400/api";

/// As many packages as that, each with a file, handed over. Gives their tokens.
async fn issue(host: &Host, count: usize) -> Vec<String> {
    let issue = |_| {
        let name = format!("edge-{:016x}", rand::random::<u64>());
        let content =
            json!({ "type": "file", "name": "env", "content": "PASSWORD=correct-horse-battery-staple" });
        let command = json!({ "type": "issue", "authority": "operator:ann", "name": name, "deliver": true,
            "contents": [content] });
        Command::from_value(command).unwrap()
    };
    let commands: Vec<_> = (0..count).map(issue).collect();
    let mut tokens = Vec::new();
    for commands in commands.chunks(128) {
        for answer in run_all(host, commands).await {
            let Answer::Issued(issued) = answer else { panic!("{answer:?}") };
            tokens.push(issued.token.unwrap().expose().to_owned());
        }
    }
    tokens
}

async fn run_all(host: &Host, commands: &[Command]) -> Vec<Answer> {
    let mut loaded = Loaded::default();
    loop {
        let outcome =
            host.registrar.decide_all(commands, &loaded, host.clock.now(), &mut rand::rng()).unwrap();
        match outcome {
            BatchOutcome::Need(keys) => loaded.add(&keys, host.store.read(&keys).await.unwrap()).unwrap(),
            BatchOutcome::Decision(decision) => {
                assert!(host.store.commit(&decision.commit.batch()).await.unwrap());
                let answers = decision.pending.release(&decision.commit.committed()).unwrap();
                return answers.into_iter().map(Result::unwrap).collect();
            }
        }
    }
}

/// A token and a proof for it.
pub(crate) struct Presented {
    pub(crate) token: String,
    pub(crate) proof: String,
}

/// Packages, and for each a node that presents its token: nobody waits for them while it is measured.
pub(crate) async fn present(host: &Host, count: usize) -> Vec<Presented> {
    let tokens = issue(host, count).await;
    let nonce = host.registrar.nonce(host.clock.now()).unwrap();
    let url: TargetUrl = format!("{BASE_URL}/redeem").parse().unwrap();
    let present = |token: String| {
        let key = SigningKey::generate(Algorithm::EdDsa, &mut rand::rng()).unwrap();
        let issued_at = host.clock.now().at;
        let make = Make { method: "POST", url: &url, token: Some(&token), nonce: Some(&nonce), issued_at };
        let proof = Proof::make(&key, &make, &mut rand::rng()).unwrap();
        Presented { token, proof }
    };
    tokens.into_iter().map(present).collect()
}

/// The same as commands.
pub(crate) async fn redemptions(host: &Host, count: usize) -> Vec<Command> {
    let command = |presented: Presented| {
        let command = json!({ "type": "redeem", "authority": "node", "source": "192.0.2.1",
            "token": presented.token, "proof": presented.proof });
        Command::from_value(command).unwrap()
    };
    present(host, count).await.into_iter().map(command).collect()
}

/// What one redemption commits.
pub(crate) async fn one_batch(host: &Host) -> Batch {
    let command = redemptions(host, 1).await.pop().unwrap();
    let mut session = host.registrar.session(command);
    loop {
        match session.next(Now::trusted(host.clock.now().at), &mut rand::rng()).unwrap() {
            Step::Load(keys) => session.loaded(host.store.read(&keys).await.unwrap()).unwrap(),
            Step::Commit(commit) => return commit.batch(),
            Step::Answer(answer) => panic!("{answer:?}"),
        }
    }
}
