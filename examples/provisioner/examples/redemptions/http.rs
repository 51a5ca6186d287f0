//! The same through the program itself. What the nodes send is written beforehand, and no more is read of an answer than
//! has to be, because whoever asks works on the same cores.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Mutex,
};

use crate::{NODES, host::Host, nodes, timed};

/// Starts the program on the database, has the nodes redeem, and stops it.
pub(crate) async fn measure(host: &Host, database: &str, folder: &Path, count: usize) -> f64 {
    let (mut child, address) = start(database, folder);
    let request = |presented: nodes::Presented| {
        let head = format!(
            "POST /api/redeem HTTP/1.1\r\nhost: {address}\r\nauthorization: DPoP {}",
            presented.token
        );
        format!("{head}\r\ndpop: {}\r\ncontent-length: 0\r\n\r\n", presented.proof)
    };
    let requests: Vec<_> = nodes::present(host, count).await.into_iter().map(request).collect();
    let requests = Arc::new(requests);
    let mut connections = Vec::new();
    for _ in 0..NODES {
        connections.push(TcpStream::connect(&address).await.unwrap());
    }
    let connections = Arc::new(Mutex::new(connections));
    let redeem = move |number: usize| {
        let (requests, connections) = (Arc::clone(&requests), Arc::clone(&connections));
        async move {
            let mut connection = connections.lock().await.pop().unwrap();
            connection.write_all(requests[number].as_bytes()).await.unwrap();
            let answer = read(&mut connection).await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"again\":false"), "{answer}");
            connections.lock().await.push(connection);
        }
    };
    let rate = timed(count, NODES, redeem).await;
    child.kill().unwrap();
    child.wait().unwrap();
    rate
}

fn start(database: &str, folder: &Path) -> (std::process::Child, String) {
    let program = std::env::current_exe().unwrap().parent().unwrap().with_file_name("provisioner");
    assert!(program.exists(), "build it first: cargo build --release --bin provisioner");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/development/provisioner.toml");
    let mut command = Command::new(program);
    command.args([
        "serve",
        "--log",
        "warn",
        "--listen",
        "127.0.0.1:0",
        "--config",
        config,
        "--database",
        database,
    ]);
    for (option, file) in
        [("--keys", "keys"), ("--manifests", "manifests"), ("--keep-unhandled", "unhandled")]
    {
        command.arg(option).arg(folder.join(file));
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let listening = lines.find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned));
    (child, listening.expect("the host starts"))
}

/// One response with a length.
async fn read(connection: &mut TcpStream) -> String {
    let mut read = Vec::with_capacity(2048);
    loop {
        assert!(connection.read_buf(&mut read).await.unwrap() > 0, "the connection broke off");
        let text = std::str::from_utf8(&read).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return text.to_owned();
        }
    }
}
