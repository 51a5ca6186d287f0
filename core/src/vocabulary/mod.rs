//! The words of the registrar: what is asked, what has happened, what must be done, what it comes to.

mod answer;
mod authority;
mod command;
mod decision;
mod describe;
mod effect;
mod error;
mod event;
mod file_format;
mod issue;
mod labels;
mod notice;
mod refusal;
mod requests;
mod strict;
mod text;

pub use answer::{
    Answer, Banned, Changed, CheckedIn, Configured, Credential, Delivered, GivenContent, Issued, Linked,
    NodeEnded, Observed, Redeemed, Refused, Reissued as ReissuedAnswer, Revoked, SubjectObserved, Unbanned,
    UseNonce,
};
pub use authority::Authority;
pub(crate) use command::from_secret_value;
pub use command::{Action, Command, from_value};
pub use decision::{
    Batch, Commit, Committed, Decision, EventRow, Guard, GuardRow, NoticeRow, Outcome, Pending, VaultRow,
    Write, WriteRow,
};
pub use effect::{Effect, EffectId, Verb, Work};
pub use error::Error;
pub use event::{Event, Fact, NodeClaimed, PackageIssued, Reissued, VaultWrite};
pub use file_format::FileFormat;
pub use issue::{ActivatesOn, Bindings, Content, HostValue, Issue};
pub use labels::Labels;
pub use notice::{Anchor, Notice};
pub use refusal::{Class, Refusal};
pub use requests::{
    Ban, ChangePool, CheckIn, ConfigureScope, Deliver, Description, Evict, Expire, Forget, Leave, MakeLink,
    ObserveSubject, Outcome as EffectOutcome, Recipient, Redeem, Reissue, Report, ResetRecoveries, Revoke,
    Unban,
};
pub use text::{Notes, Reason};
