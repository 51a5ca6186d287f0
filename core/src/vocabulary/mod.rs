//! The words of the registrar: what is asked, what has happened, what must be done, what it comes to.

mod answer;
mod authority;
mod command;
mod decision;
mod effect;
mod error;
mod event;
mod labels;
mod notice;
mod reason;
mod refusal;

pub use answer::{
    Answer, Changed, CheckedIn, Delivered, GivenContent, Issued, Observed, Redeemed, Refused, Revoked,
};
pub use authority::Authority;
pub use command::{
    Action, ActivatesOn, Bindings, CheckIn, Command, Content, Deliver, Description, Expire, Issue,
    Outcome as EffectOutcome, Recipient, Redeem, Report, Revoke, from_value,
};
pub use decision::{
    Batch, Commit, Committed, Decision, EventRow, Guard, GuardRow, NoticeRow, Outcome, Pending, VaultRow,
    Write, WriteRow,
};
pub use effect::{Effect, EffectId, Verb, Work};
pub use error::Error;
pub use event::{Event, Fact, NodeClaimed, PackageIssued, VaultWrite};
pub use labels::Labels;
pub use notice::Notice;
pub use reason::Reason;
pub use refusal::{Class, Refusal};
