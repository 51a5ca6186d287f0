//! Join tokens and registration entries at a SPIRE server, through the socket of its API.

mod api;

use std::time::Duration;

use handfast::{
    registrar::Revealed,
    secret::Secret,
    spire::{
        AliasEntry, Bundle, BundleReply, Entry, EntryId, Found, JoinTokenRequest, Outcome, SpireError,
        StatusCode, TrustDomain,
    },
    time::Timestamp,
    vocabulary::Work,
};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use self::api::spire::api::{
    server::{
        agent::v1::{CreateJoinTokenRequest, agent_client::AgentClient},
        bundle::v1::{GetBundleRequest, bundle_client::BundleClient},
        entry::v1::{BatchCreateEntryRequest, BatchDeleteEntryRequest, entry_client::EntryClient},
    },
    types,
};
use super::Failure;
use crate::{Fatal, config};

/// A client for one server.
#[derive(Debug)]
pub(super) struct Spire {
    channel: Channel,
    trust_domain: TrustDomain,
}

impl Spire {
    /// Takes the socket. Nobody is asked yet.
    pub(super) fn new(config::Spire { socket, trust_domain }: config::Spire) -> Result<Self, Fatal> {
        let absolute = std::path::absolute(&socket)?;
        let path = absolute.to_str().ok_or_else(|| format!("{}: not a UTF-8 path", socket.display()))?;
        let endpoint = Endpoint::from_shared(format!("unix://{path}"))
            .map_err(|error| format!("{}: {error}", socket.display()))?
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(10));
        Ok(Self { channel: endpoint.connect_lazy(), trust_domain })
    }

    pub(super) async fn perform(
        &self,
        work: &Work,
        revealed: Revealed,
        now: Timestamp,
    ) -> Result<(), Failure> {
        match (work, revealed) {
            (Work::EnsureSpireJoinToken { expires_at, .. }, Revealed::Value(token)) => {
                let request =
                    JoinTokenRequest::new(token, *expires_at, now, None).map_err(|error| unusable(&error))?;
                self.ensure_join_token(&request).await
            }
            (Work::EnsureSpireAlias { id, spiffe_id, .. }, Revealed::Value(token)) => {
                let alias = AliasEntry::new(id.clone(), spiffe_id.clone(), &token)
                    .map_err(|error| unusable(&error))?;
                self.ensure_entry(alias.expose()).await.map_err(|failure| without(&token, failure))
            }
            (Work::EnsureSpireEntry { entry }, _) => self.ensure_entry(&entry.to_entry()).await,
            (Work::DeleteSpireEntry { id }, _) => self.delete_entry(id).await,
            _ => Err(Failure::Failed("not for SPIRE, or its value was not revealed".into())),
        }
    }

    /// By what agents know the server.
    pub(super) async fn bundle(&self, now: Timestamp) -> Result<Bundle, String> {
        let request = GetBundleRequest { output_mask: None };
        let reply = BundleClient::new(self.channel.clone()).get_bundle(request).await;
        let reply: BundleReply = reply.map_err(|status| text(&status))?.into_inner().into();
        reply.into_bundle(self.trust_domain.clone(), now).map_err(|error| error.to_string())
    }

    async fn ensure_join_token(&self, request: &JoinTokenRequest) -> Result<(), Failure> {
        let sent = CreateJoinTokenRequest {
            ttl: i32::try_from(request.ttl()).unwrap_or(i32::MAX),
            token: request.token().expose().to_owned(),
            agent_id: request.agent_id().map(Into::into),
        };
        let answer = AgentClient::new(self.channel.clone()).create_join_token(sent).await;
        let status = answer.err().unwrap_or_else(|| Status::ok(""));
        let outcome = Outcome::of_join_token(code(&status), status.message());
        settle(outcome, &status).map_err(|failure| without(request.token(), failure))
    }

    /// Makes the entry, or finds that exactly it is there. One of ours that somebody has changed is made again.
    async fn ensure_entry(&self, wanted: &Entry) -> Result<(), Failure> {
        for _ in 0..2 {
            let request = BatchCreateEntryRequest { entries: vec![wanted.into()], output_mask: None };
            let answer = EntryClient::new(self.channel.clone()).batch_create_entry(request).await;
            let (status, found) = match answer {
                Ok(answer) => {
                    let result = answer.into_inner().results.pop().unwrap_or_default();
                    (of_result(result.status), result.entry.map(Entry::try_from).into())
                }
                Err(status) => (status, Found::Nothing),
            };
            let outcome = Outcome::of_created_entry(code(&status), wanted, &found);
            if outcome != Outcome::Altered {
                return settle(outcome, &status);
            }
            self.delete_entry(&wanted.id).await?;
        }
        Err(Failure::Failed("somebody else keeps changing it".into()))
    }

    async fn delete_entry(&self, id: &EntryId) -> Result<(), Failure> {
        let request = BatchDeleteEntryRequest { ids: vec![id.to_string()] };
        let answer = EntryClient::new(self.channel.clone()).batch_delete_entry(request).await;
        let status = match answer {
            Ok(answer) => of_result(answer.into_inner().results.pop().unwrap_or_default().status),
            Err(status) => status,
        };
        settle(Outcome::of_deleted_entry(code(&status)), &status)
    }
}

/// The status of one result of a batch.
fn of_result(status: Option<types::Status>) -> Status {
    let status = status.unwrap_or_else(|| types::Status {
        code: tonic::Code::Unknown.into(),
        message: "the answer has no result".into(),
    });
    Status::new(tonic::Code::from_i32(status.code), status.message)
}

fn code(status: &Status) -> StatusCode {
    StatusCode::from_number(status.code().into())
}

fn settle(outcome: Outcome, status: &Status) -> Result<(), Failure> {
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::Collision => Err(Failure::Collision),
        Outcome::Refused | Outcome::Altered => Err(Failure::Failed(text(status))),
        Outcome::Unknown => Err(Failure::Unknown(text(status))),
    }
}

/// The server's own words.
fn text(status: &Status) -> String {
    format!("the SPIRE server said {:?}: {}", status.code(), status.message())
}

fn unusable(error: &SpireError) -> Failure {
    Failure::Failed(error.to_string())
}

/// The server's words may name an agent by its token.
fn without(token: &Secret, failure: Failure) -> Failure {
    let clean = |text: String| text.replace(token.expose(), "[redacted]");
    match failure {
        Failure::Collision => Failure::Collision,
        Failure::Failed(text) => Failure::Failed(clean(text)),
        Failure::Unknown(text) => Failure::Unknown(clean(text)),
    }
}

#[cfg(test)]
use super::peer;

#[cfg(test)]
#[path = "../../../tests/support/spire.rs"]
#[allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, dead_code, reason = "tests")]
mod server;

#[cfg(test)]
#[allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::{
        server::{self, Server},
        *,
    };

    fn spire(server: &Server) -> Spire {
        let trust_domain = server::TRUST_DOMAIN.parse().unwrap();
        Spire::new(config::Spire { socket: server.socket(), trust_domain }).unwrap()
    }

    const TOKEN: &str = "0f5f1ee5-7a83-4a4b-9b5c-0123456789ab";

    fn entry(number: u8, spiffe_id: &str) -> Entry {
        let id = format!("ours-{}", format!("{number:02x}").repeat(16)).parse().unwrap();
        let parent = "spiffe://example.org/spire/server".parse().unwrap();
        let selectors = ["unix:uid:1000", "k8s:ns:edge"].map(|text| text.parse().unwrap());
        let entry = Entry::new(id, spiffe_id.parse().unwrap(), parent, selectors.into());
        Entry {
            x509_svid_ttl: 600,
            jwt_svid_ttl: 300,
            hint: "edge".into(),
            dns_names: vec!["a.example.org".into()],
            ..entry
        }
    }

    #[tokio::test]
    async fn entries_are_ensured_and_deleted_any_number_of_times_and_never_what_is_not_ours() {
        let Some(mut server) = Server::start().await else { return };
        let spire = spire(&server);
        let wanted = entry(1, "spiffe://example.org/a");
        for _ in 0..2 {
            spire.ensure_entry(&wanted).await.unwrap();
            assert_eq!(server.entries().len(), 1);
        }
        // A meddler has changed it, so that SPIRE still takes it for the same one, and so that it does not.
        let id = wanted.id.as_str();
        let selectors = ["-selector", "unix:uid:1000", "-selector", "k8s:ns:edge"];
        for change in [
            &["-spiffeID", "spiffe://example.org/a", "-hint", "x"],
            &["-spiffeID", "spiffe://example.org/x", "-hint", "x"],
        ] {
            let changed = [
                &["update", "-entryID", id, "-parentID", "spiffe://example.org/spire/server"],
                &selectors[..],
                change,
            ];
            server.entry(&changed.concat());
            assert_eq!(server.entries()[0]["hint"], "x");
            spire.ensure_entry(&wanted).await.unwrap();
            let entries = server.entries();
            assert_eq!(
                (entries.len(), &entries[0]["hint"], &entries[0]["spiffe_id"]["path"]),
                (1, &"edge".into(), &"/a".into())
            );
        }
        // Somebody else has the same for the same.
        let same = Entry { id: "ours-2".parse().unwrap(), ..wanted.clone() };
        assert!(matches!(spire.ensure_entry(&same).await, Err(Failure::Collision)));
        assert_eq!(server.entries()[0]["id"], id);
        let foreign = spire.ensure_entry(&entry(3, "spiffe://other.org/a")).await;
        assert!(
            matches!(&foreign, Err(Failure::Failed(text)) if text.contains("InvalidArgument")),
            "{foreign:?}"
        );
        for _ in 0..2 {
            spire.delete_entry(&wanted.id).await.unwrap();
            assert_eq!(server.entries().len(), 0);
        }
        server.stop();
        assert!(matches!(spire.ensure_entry(&wanted).await, Err(Failure::Unknown(_))));
        assert!(matches!(spire.delete_entry(&wanted.id).await, Err(Failure::Unknown(_))));
    }

    #[tokio::test]
    async fn a_join_token_is_made_once_whoever_asks_again_and_its_value_is_told_to_nobody() {
        let Some(mut server) = Server::start().await else { return };
        let spire = spire(&server);
        let now = Timestamp::from_unix_millis(1_700_000_000_000).unwrap();
        let ensure = async |seconds: u32| {
            let request =
                JoinTokenRequest::new(Secret::new(TOKEN.into()), now.plus_seconds(seconds), now, None);
            spire.ensure_join_token(&request.unwrap()).await
        };
        for _ in 0..2 {
            ensure(600).await.unwrap();
        }
        let alias = AliasEntry::new(
            "ours-4".parse().unwrap(),
            "spiffe://other.org/a".parse().unwrap(),
            &Secret::new(TOKEN.into()),
        )
        .unwrap();
        let failure = spire
            .ensure_entry(alias.expose())
            .await
            .map_err(|failure| without(&Secret::new(TOKEN.into()), failure));
        assert!(matches!(&failure, Err(Failure::Failed(text)) if !text.contains(TOKEN)), "{failure:?}");
        server.stop();
        let lost = ensure(600).await;
        assert!(matches!(&lost, Err(Failure::Unknown(text)) if !text.contains(TOKEN)), "{lost:?}");
    }
}
