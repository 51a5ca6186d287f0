//! What can be shown of it afterwards: that the log is whole, in whose hands it has been, and what it adds up to.
//!
//! An auditor has the log (the bodies of the events, as they are stored) and need not trust who keeps it:
//!
//! - [`Chain`] checks that nothing of it was altered, dropped, moved or doubled. Whoever can write to the log can also
//!   write its end anew, so [`Root`] gives one line about all of it, to be published where that one cannot write; later
//!   the log must lead to the [`Head`]s under that line.
//! - [`CloudEvent`] carries an event or a refusal to whatever collects them.
//! - [`Tally`] counts packages by scope and month, and how long they took to be in use.
//!
//! All of it works on the stored text, without records, keys or network.
//!
//! ```
//! # #[cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use handfast::{audit::{Chain, Root, Tally}, crypto::default_backend};
//! # let log = include_str!("../../vectors/ledger/events-schema-1.jsonl");
//!
//! let (mut chain, mut tally) = (Chain::new(default_backend()), Tally::default());
//! for body in log.lines() {
//!     chain.feed(body)?;
//!     tally.add(body)?;
//! }
//! assert!(chain.finish().is_empty());
//! println!("{}", Root::over(chain.heads(), &*default_backend())); // to be published elsewhere
//! # Ok(())
//! # }
//! # #[cfg(not(any(feature = "aws-lc", feature = "rust-crypto")))]
//! # fn main() {}
//! ```

mod chain;
mod cloudevents;
mod fault;
mod head;
mod tally;

pub use chain::Chain;
pub use cloudevents::{CloudEvent, InvalidSource, Source};
pub use fault::{Break, Fault};
pub use head::{Head, Root};
pub use tally::{Counts, Histogram, Milestone, Month, Step, Tally, TallyRow};
