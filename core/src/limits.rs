//! Every limit, once, each with its source. Nothing that a stranger sends is unbounded.

/// Bytes of one HTTP body from SNS. SNS messages are at most 256 KiB (Amazon SNS quotas); JSON escaping may double that.
pub const SNS_BODY_BYTES: usize = 512 * 1024;
/// Bytes of one fetched signing certificate. Genuine ones have about 2 KiB.
pub const SNS_CERTIFICATE_BYTES: usize = 16 * 1024;
/// Members of an SNS body that handfast does not know; SNS itself sends two (`MessageAttributes`, `SequenceNumber`).
pub const SNS_UNKNOWN_MEMBERS: usize = 32;
/// Hexadecimal digits of a confirmation token. Genuine ones have 224 or 256.
pub const SNS_TOKEN_DIGITS: usize = 1024;
/// Seconds that a host may take to fetch a certificate; SNS gives up on an endpoint after 15.
pub const SNS_FETCH_TIMEOUT_SECONDS: u32 = 10;
/// Seconds after which a fetch that was asked for and never answered is forgotten.
pub const SNS_FETCH_ABANDONED_SECONDS: u32 = 30;
/// Candidate certificates kept for each region until a message verifies under one.
pub const SNS_CANDIDATES_PER_REGION: usize = 4;
/// Seconds for which a failed certificate fetch is remembered, so that strangers cannot make the host fetch at will.
pub const SNS_FETCH_FAILURE_SECONDS: u32 = 60;
/// Certificates under which a message has verified that are kept.
pub const SNS_PROVEN_CERTIFICATES: usize = 64;
/// Seconds into the past that a message may date from. SNS retries HTTP deliveries for up to an hour.
pub const SNS_MAX_AGE_SECONDS: u32 = 60 * 60;
/// Seconds into the future that a message may date from.
pub const SNS_MAX_AHEAD_SECONDS: u32 = 5 * 60;
/// Nesting of any JSON document.
pub const JSON_DEPTH: usize = 32;
/// Smallest RSA modulus, in bits (NIST SP 800-131A).
pub const RSA_MIN_BITS: usize = 2048;
/// Smallest RSA modulus behind the legacy switch, in bits: SNS used 1024 until 2013.
pub const RSA_LEGACY_MIN_BITS: usize = 1024;
/// Largest RSA modulus, in bits: larger ones only burn the verifier's time.
pub const RSA_MAX_BITS: usize = 8192;
/// Smallest RSA public exponent in a certificate (CA/Browser Forum Baseline Requirements 6.1.6, NIST SP 800-89).
pub const RSA_MIN_EXPONENT: u64 = 65_537;
/// Largest RSA public exponent: 33 bits, as the backends have it; larger ones only burn the verifier's time.
pub const RSA_MAX_EXPONENT: u64 = (1 << 33) - 1;
/// Conflicts after which a session gives up with `busy`.
pub const CONFLICTS: u32 = 16;
/// Rounds in which a decision may ask for more keys.
pub const NEED_ROUNDS: u32 = 3;
