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

mod alias;
mod authority;
mod bundle;
mod entry;
mod error;
mod id;
mod join_token;
mod json;
mod key;
mod reply;
mod selector;
mod status;

pub use self::{
    alias::AliasEntry,
    authority::{JwtAuthority, X509Authority},
    bundle::Bundle,
    entry::{Entry, EntryId},
    error::SpireError,
    id::{SpiffeId, TrustDomain},
    join_token::JoinTokenRequest,
    reply::{BundleReply, JwtKey, X509Certificate},
    selector::Selector,
    status::{Outcome, StatusCode},
};
pub(crate) use self::{entry::is_reserved, id::is_trust_domain};
