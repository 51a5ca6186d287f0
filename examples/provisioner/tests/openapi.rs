//! The interface, fuzzed by its own description: schemathesis sends what the document allows and what it forbids, and
//! compares the answers with it. `make peers` installs it; `SCHEMATHESIS` names the program where it is elsewhere.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{io::Write, path::PathBuf, process::Command};

use reqwest::Method;
use serde_json::{Value, json};
use support::{Place, postgres::Server};

/// The program, where it is installed.
fn schemathesis() -> Option<PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from(root), PathBuf::from);
    let named = std::env::var_os("SCHEMATHESIS").map(PathBuf::from);
    Some(named.unwrap_or(target.join("api-fuzzer/bin/st"))).filter(|program| program.exists())
}

fn is_full() -> bool {
    std::env::var_os("PROOF").is_some_and(|size| size == "full")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_is_as_described() {
    let Some(schemathesis) = schemathesis() else {
        assert!(!is_full(), "the proof needs schemathesis (`make peers`)");
        let _ = writeln!(std::io::stderr(), "SKIPPED: no schemathesis (`make peers`)");
        return;
    };
    let mut places = vec![Place::new()];
    let server = Server::start();
    if let Some(server) = &server {
        places.push(Place::at(&server.database().await));
    }
    for place in places {
        let host = place.start();
        let token = host.token.clone().unwrap();
        // Something to find.
        for name in ["edge-1", "edge-2"] {
            host.ask(&token, Method::POST, "/api/packages", json!({ "name": name, "deliver": true })).await;
        }
        let document = host.send(Method::GET, "/api/openapi.json", &[], "").await.unwrap();
        assert_eq!(document.json()["openapi"], "3.1.0");
        let url = format!("{}/api/openapi.json", host.url);
        let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis.toml");
        let examples = if is_full() { "100" } else { "10" };
        let mut command = Command::new(&schemathesis);
        command.args(["--config-file", config, "run", &url, "--no-color", "--max-examples", examples]);
        command.env("OPERATOR_TOKEN", &token).current_dir(place.path("."));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        let counted = said.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
        let _ = writeln!(std::io::stderr(), "schemathesis:{counted}");
        let health = host.send(Method::GET, "/healthz", &[], "").await.unwrap();
        assert_eq!(health.json(), json!({ "status": "ok" }));
        assert_ne!(host.ask(&token, Method::GET, "/api/packages", Value::Null).await["packages"], json!([]));
    }
}
