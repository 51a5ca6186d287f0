//! What SPIRE's answers say about the work that was asked for.

use super::{Entry, Found};

/// A gRPC status code, of a call or of one result of a batch
/// (<https://grpc.github.io/grpc/core/md_doc_statuscodes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are gRPC's")]
pub enum StatusCode {
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl StatusCode {
    /// Reads the number; one that gRPC does not have says nothing.
    #[must_use]
    pub fn from_number(number: i32) -> Self {
        match number {
            0 => Self::Ok,
            1 => Self::Cancelled,
            3 => Self::InvalidArgument,
            4 => Self::DeadlineExceeded,
            5 => Self::NotFound,
            6 => Self::AlreadyExists,
            7 => Self::PermissionDenied,
            8 => Self::ResourceExhausted,
            9 => Self::FailedPrecondition,
            10 => Self::Aborted,
            11 => Self::OutOfRange,
            12 => Self::Unimplemented,
            13 => Self::Internal,
            14 => Self::Unavailable,
            15 => Self::DataLoss,
            16 => Self::Unauthenticated,
            _ => Self::Unknown,
        }
    }
}

/// What has become of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is so, now or already.
    Done,
    /// What is there is not ours: it is neither changed nor deleted.
    Collision,
    /// An entry of ours is there, but somebody has changed it: delete it and create it again.
    Altered,
    /// The server has refused it, and has done nothing.
    Refused,
    /// Nobody knows whether it was done: ask for it again.
    Unknown,
}

impl Outcome {
    /// Of a result of `BatchCreateEntry`, with the entry that came with it. For SPIRE, entries with the same SPIFFE id, parent
    /// and selectors are one: it creates no second one, answers `ALREADY_EXISTS` and gives the one that is there. It gives
    /// none when another entry bears the id: that one was ours until somebody changed it, for nobody else draws our ids.
    #[must_use]
    pub fn of_created_entry(status: StatusCode, wanted: &Entry, found: &Found) -> Self {
        match (status, found) {
            (StatusCode::Ok, _) => Self::Done,
            (StatusCode::AlreadyExists, Found::Entry(found)) if **found == *wanted => Self::Done,
            (StatusCode::AlreadyExists, Found::Entry(found)) if found.id != wanted.id => Self::Collision,
            (StatusCode::AlreadyExists, Found::Foreign) => Self::Collision,
            (StatusCode::AlreadyExists, Found::Entry(_) | Found::Nothing) => Self::Altered,
            (status, _) => Self::of_failed(status),
        }
    }

    /// Of a result of `BatchDeleteEntry`. What is not there is gone.
    #[must_use]
    pub fn of_deleted_entry(status: StatusCode) -> Self {
        if matches!(status, StatusCode::Ok | StatusCode::NotFound) {
            Self::Done
        } else {
            Self::of_failed(status)
        }
    }

    /// Of `CreateJoinToken`, with the status message. SPIRE has no call that finds a join token, and answers `INTERNAL` with
    /// its database's complaint about a second one of the same value. The value is ours and was drawn from 122 random
    /// bits, so the first one is ours, too: made by an attempt whose answer was lost.
    #[must_use]
    pub fn of_join_token(status: StatusCode, message: &str) -> Self {
        let message = message.to_ascii_lowercase();
        // SQLite and PostgreSQL say "unique", MySQL says "duplicate".
        let taken = message.contains("unique") || message.contains("duplicate");
        let is_there = matches!(status, StatusCode::Ok | StatusCode::AlreadyExists);
        if is_there || (status == StatusCode::Internal && taken) {
            Self::Done
        } else {
            Self::of_failed(status)
        }
    }

    /// Its name: `done`, `collision`, `altered`, `refused`, `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Collision => "collision",
            Self::Altered => "altered",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    fn of_failed(status: StatusCode) -> Self {
        match status {
            StatusCode::InvalidArgument
            | StatusCode::NotFound
            | StatusCode::AlreadyExists
            | StatusCode::PermissionDenied
            | StatusCode::ResourceExhausted
            | StatusCode::FailedPrecondition
            | StatusCode::OutOfRange
            | StatusCode::Unimplemented
            | StatusCode::Unauthenticated => Self::Refused,
            StatusCode::Ok
            | StatusCode::Cancelled
            | StatusCode::Unknown
            | StatusCode::DeadlineExceeded
            | StatusCode::Aborted
            | StatusCode::Internal
            | StatusCode::Unavailable
            | StatusCode::DataLoss => Self::Unknown,
        }
    }
}
