//! The store in memory: lists, the feed of subjects, deadlines, snapshots, and that nothing is lost by how it keeps them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod fleet;
mod keeping;
mod lists;
mod subjects;
