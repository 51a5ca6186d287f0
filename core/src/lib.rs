//! handfast enrols machines: it turns "a computer that nobody knows yet" into "a node that holds its credentials",
//! once, within a time limit, with a full audit trail, and it cleans up when the node goes away.
//!
//! The boundary:
//!
//! 1. The core is a pure state machine: it opens no socket and no file, reads no clock and draws no randomness.
//! 2. The host gives it a [`Command`], the records that it asks for, the time and entropy.
//! 3. It gives back a [`Commit`](vocabulary::Commit), which the host stores in one transaction.
//! 4. Only after that it gives the [`Answer`], with the secrets in it.
//! 5. What is to be done outside follows from the stored records; the host does it and reports.
//!
//! The map, in the order of the arrows:
//!
//! | module | what |
//! |---|---|
//! | [`id`], [`secret`], [`time`], [`limits`], [`code`], [`json`], [`verified`] | values |
//! | [`crypto`] | the handful of primitives, behind two backends |
//! | [`token`], [`link`], [`seal`], [`keyring`], [`jwt`], [`kubernetes`], [`spire`], [`choria`], [`serviceradar`], [`wireguard`], [`archive`], [`userdata`], [`template`] | formats, which know nothing of the state machine |
//! | [`sns`], [`aws`] | from untrusted bytes to evidence |
//! | [`vocabulary`], [`record`] | what is asked, what happens, what is known |
//! | [`rules`] | what the operator adds to the rules |
//! | [`registrar`] | what is decided |
//! | [`mod@inspect`] | what a pasted text is |
//! | [`ledger`], [`store`], `testing` | where records are kept, and whether that is done right |
//! | [`audit`] | what can be shown of it afterwards, to whom it concerns |
//!
//! ```
//! # #[cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use handfast::{Answer, Authority, Command, KeyRing, Ledger, Now, Policy, Registrar, SecretKey};
//! use handfast::vocabulary::{Action, Issue};
//!
//! let key = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32])); // random bytes, kept apart from the records
//! let registrar = Registrar::new(Policy::default(), key(1), key(2), handfast::crypto::default_backend())?;
//! let mut ledger = Ledger::new();
//!
//! let issue = Issue { deliver: true, ..Issue::new("edge-1".parse()?) };
//! let authority = Authority::Operator("ann".parse()?);
//! let command = Command { authority, source: None, action: Action::Issue(issue) };
//! let now = Now::trusted("2026-01-02T03:04:05Z".parse()?); // the host's clock
//! let answer = ledger.run(&registrar, &command, now, &mut rand::rng())?;
//! let Answer::Issued(issued) = answer else { panic!("the name is free") };
//! assert!(issued.token.unwrap().expose().starts_with("hf1_"));
//! # Ok(())
//! # }
//! # #[cfg(not(any(feature = "aws-lc", feature = "rust-crypto")))]
//! # fn main() {}
//! ```
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

pub mod archive;
pub mod audit;
pub mod aws;
pub mod choria;
pub mod code;
pub mod crypto;
pub mod id;
pub mod inspect;
pub mod json;
pub mod jwt;
pub mod keyring;
pub mod kubernetes;
pub mod ledger;
pub mod limits;
pub mod link;
pub mod record;
pub mod registrar;
pub mod rules;
#[cfg(feature = "schema")]
pub mod schema;
pub mod seal;
pub mod secret;
pub mod serviceradar;
pub mod sns;
pub mod spire;
pub mod store;
pub mod template;
#[cfg(all(feature = "conformance", any(feature = "aws-lc", feature = "rust-crypto")))]
pub mod testing;
pub mod time;
pub mod token;
pub mod userdata;
pub mod verified;
pub mod vocabulary;
pub mod wireguard;

pub use code::Code;
pub use keyring::KeyRing;
pub use ledger::Ledger;
pub use registrar::{Policy, Registrar};
pub use secret::{Secret, SecretBytes, SecretKey};
pub use time::{Now, Timestamp};
pub use verified::Verified;
pub use vocabulary::{Answer, Authority, Command};
