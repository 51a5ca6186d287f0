//! SPIFFE and SPIRE: who is who, what a SPIRE server is asked for, and whom a trust domain trusts.
//!
//! ```text
//! EnsureSpireJoinToken --JoinTokenRequest--> CreateJoinToken   }
//! EnsureSpireAlias     --AliasEntry--------> BatchCreateEntry  }  what an executor sends,
//! EnsureSpireEntry     --Entry-------------> BatchCreateEntry  }  and Outcome says what
//! DeleteSpireEntry     --EntryId-----------> BatchDeleteEntry  }  came of it
//! GetBundle --BundleReply--> Bundle <--> PEM, JSON of the standard
//! ```
//!
//! Requests are data that map one to one to SPIRE's server API (`spire.api.server`), for any gRPC library; nothing is
//! sent here. Entries can be deleted and die at once, with the SVIDs of an hour or so that were already given out living
//! on; join tokens cannot be deleted and only die by their time: see [`JoinTokenRequest`].
//!
//! ```
//! use handfast::{Secret, spire::{AliasEntry, Found, JoinTokenRequest, Outcome, StatusCode}};
//!
//! // An executor has been told to ensure a join token, and the entry that gives its agent a name.
//! let token = Secret::new("0f5f1ee5-7a83-4a4b-9b5c-0123456789ab".into());
//! let now = "2026-01-02T03:04:05Z".parse()?;
//! let request = JoinTokenRequest::new(token.clone(), "2026-01-02T03:14:05Z".parse()?, now, None)?;
//! assert_eq!(request.ttl(), 600);
//! let alias = AliasEntry::new("fleet-0a0a".parse()?, "spiffe://example.org/edge/1".parse()?, &token)?;
//! let entry = serde_json::to_value(alias.expose())?; // for a protobuf library: it holds the token
//! assert_eq!(entry["spiffe_id"]["path"], "/edge/1");
//!
//! // The answer to `BatchCreateEntry` says that there is one already, the very same.
//! let found = Found::from_value(entry, "entry")?;
//! let outcome = Outcome::of_created_entry(StatusCode::AlreadyExists, alias.expose(), &found);
//! assert_eq!(outcome, Outcome::Done);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alias;
mod authority;
mod bundle;
mod entry;
mod error;
mod found;
mod id;
mod join_token;
mod json;
mod key;
mod protojson;
mod reply;
mod selector;
mod status;

pub use self::{
    alias::AliasEntry,
    authority::{JwtAuthority, X509Authority},
    bundle::Bundle,
    entry::{Entry, EntryId},
    error::SpireError,
    found::Found,
    id::{SpiffeId, TrustDomain},
    join_token::JoinTokenRequest,
    reply::{BundleReply, JwtKey, X509Certificate},
    selector::Selector,
    status::{Outcome, StatusCode},
};
pub(crate) use self::{entry::is_reserved, id::is_trust_domain};
