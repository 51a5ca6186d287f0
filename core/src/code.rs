//! The one list of stable codes: every error and every refusal has exactly one.

/// Writes the enum, its text and its documentation from one list.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// A stable, machine-readable reason. The text never changes once released; new codes may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code's text, as it crosses every boundary.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What the code means, for generated documentation.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n",)+),)+ }
            }
        }
    };
}

codes! {
    // Values of any kind.
    /// Not JSON, or JSON that two readers could understand differently (duplicate member, lone surrogate, trailing bytes).
    MalformedJson = "malformed_json",
    /// JSON, but not in the one form of RFC 8785 in which it can be digested.
    NotCanonicalJson = "not_canonical_json",
    /// Larger, longer or deeper than the limit for this input.
    TooLarge = "too_large",
    /// A field of a command, policy or configuration is missing, unknown or of the wrong type or form.
    InvalidInput = "invalid_input",
    // Cryptography.
    /// A key of an unusable kind, size or encoding.
    UnusableKey = "unusable_key",
    /// The signature does not verify under the key.
    BadSignature = "bad_signature",
    /// A sealed secret does not open: altered, moved, or sealed under another key.
    SealBroken = "seal_broken",
    /// A key id that the configured key ring does not hold: an operator's mistake, never the presenter's.
    MissingKey = "missing_key",
    // JSON Web Tokens.
    /// The token is longer than its limit; nothing of it was parsed.
    JwtTooLarge = "jwt_too_large",
    /// Not the three parts of the compact form (RFC 7515 section 7.1).
    JwtNotCompact = "jwt_not_compact",
    /// A part is not canonical unpadded base64url: white space, padding, another alphabet, or stray bits at its end.
    JwtEncoding = "jwt_encoding",
    /// The header or the payload is not one strict JSON object.
    JwtMalformedJson = "jwt_malformed_json",
    /// A member of the header or the payload is given twice: two readers could take different ones.
    JwtDuplicateMember = "jwt_duplicate_member",
    /// A member of the header is missing, of the wrong type or too long.
    JwtInvalidHeader = "jwt_invalid_header",
    /// The token claims to need no signature (`none`, in whatever case).
    JwtUnsigned = "jwt_unsigned",
    /// A signature algorithm that handfast does not know, or not one for this use; with symmetric keys among them.
    JwtAlgorithmNotAllowed = "jwt_algorithm_not_allowed",
    /// The token names another algorithm than its key has: most likely an attempt to confuse the two.
    JwtAlgorithmMismatch = "jwt_algorithm_mismatch",
    /// `crit` names an extension; handfast knows none (RFC 7515 section 4.1.11).
    JwtCriticalExtension = "jwt_critical_extension",
    /// `b64` changes what is signed (RFC 7797), which is not for JWTs.
    JwtUnencodedPayload = "jwt_unencoded_payload",
    /// The token brings its own key or says where to fetch it (`jwk`, `jku`, `x5c`, `x5u`).
    JwtEmbeddedKey = "jwt_embedded_key",
    /// `typ` is another kind of token, which must not be taken for this one (RFC 8725 section 3.11).
    JwtWrongType = "jwt_wrong_type",
    /// `kid` is missing or names no key of the key set.
    JwtUnknownKey = "jwt_unknown_key",
    /// The signature has another length than the algorithm's; ECDSA signatures in DER among them.
    JwtSignatureLength = "jwt_signature_length",
    /// The signature does not verify: altered, or signed by another key.
    JwtBadSignature = "jwt_bad_signature",
    /// A claim that must be there is not.
    JwtMissingClaim = "jwt_missing_claim",
    /// A claim is of the wrong type or form: a time that is a text, for one.
    JwtInvalidClaim = "jwt_invalid_claim",
    /// `exp` has come.
    JwtExpired = "jwt_expired",
    /// `nbf` has not come yet.
    JwtNotYetValid = "jwt_not_yet_valid",
    /// `iat` lies in the future.
    JwtIssuedAhead = "jwt_issued_ahead",
    /// `iss` is somebody else.
    JwtWrongIssuer = "jwt_wrong_issuer",
    /// `aud` is somebody else, or is given where nobody is expected.
    JwtWrongAudience = "jwt_wrong_audience",
    /// A private key stands where a public one belongs; whoever sent it must replace it.
    JwkPrivate = "jwk_private",
    // Choria's tokens.
    /// Neither `purpose` nor `sub` says that this is one of Choria's tokens.
    ChoriaUnknownPurpose = "choria_unknown_purpose",
    /// One of Choria's tokens, but of another kind than is wanted.
    ChoriaWrongPurpose = "choria_wrong_purpose",
    /// A claim is missing or of the wrong type or form.
    ChoriaInvalidClaim = "choria_invalid_claim",
    /// A provisioning token without a provisioning secret: no node can use it.
    ChoriaNoToken = "choria_no_token",
    /// A provisioning token that names neither an SRV domain nor URLs: no node knows where to go.
    ChoriaNoBroker = "choria_no_broker",
    /// A provisioning token that names an SRV domain and URLs: nodes refuse to choose.
    ChoriaTwoBrokers = "choria_two_brokers",
    /// The chain from the organisation's key to the token is not whole: forged, of another organisation, or incomplete.
    ChoriaBrokenChain = "choria_broken_chain",
    /// Not a key that Choria's tokens are signed with, or not in one of the forms in which it is kept.
    ChoriaUnusableKey = "choria_unusable_key",
    /// The issuer may not issue this: a chain issuer a provisioning token, or one whom nobody appointed anything.
    ChoriaNotAnIssuer = "choria_not_an_issuer",
    /// The token would live too long, or not at all.
    ChoriaValidity = "choria_validity",
    /// A document between the provisioner and its helper cannot be read.
    ChoriaMalformedHelper = "choria_malformed_helper",
    // Proofs of possession (RFC 9449).
    /// The proof must contain a nonce that this host gave a moment ago: try again with the one that comes with this answer.
    UseNonce = "use_nonce",
    /// The proof was made for another HTTP method.
    ProofWrongMethod = "proof_wrong_method",
    /// The proof was made for another URL.
    ProofWrongUrl = "proof_wrong_url",
    /// The proof was made for another token, or for none.
    ProofWrongToken = "proof_wrong_token",
    /// The proof is by another key than the credential is bound to.
    ProofWrongKey = "proof_wrong_key",
    /// The proof is too old, where its own time is what counts.
    ProofTooOld = "proof_too_old",
    /// The proof is from the future, where its own time is what counts.
    ProofTooFarAhead = "proof_too_far_ahead",
    /// No proof can be judged here: the policy has no `base_url` that it could have been made for.
    ProofNotAccepted = "proof_not_accepted",
    // Amazon SNS.
    /// The body is larger than the largest message that SNS delivers; nothing of it was parsed.
    SnsTooLarge = "sns_too_large",
    /// The body is not UTF-8.
    SnsNotUtf8 = "sns_not_utf8",
    /// The body is not one strict JSON object (syntax, lone surrogate, trailing bytes, too many unknown members).
    SnsMalformedJson = "sns_malformed_json",
    /// A member appears twice, or in two spellings at once.
    SnsDuplicateField = "sns_duplicate_field",
    /// A member that must be a string is something else.
    SnsFieldType = "sns_field_type",
    /// A member that this type of message must have is absent.
    SnsMissingField = "sns_missing_field",
    /// A member does not match its grammar, or holds a control character.
    SnsInvalidField = "sns_invalid_field",
    /// Raw message delivery: the body carries no signature at all.
    SnsUnsigned = "sns_unsigned",
    /// `Type` is none of the three that SNS sends.
    SnsUnknownType = "sns_unknown_type",
    /// An `x-amz-sns-*` header says something else than the body.
    SnsHeaderMismatch = "sns_header_mismatch",
    /// `SignatureVersion` is neither "1" nor "2".
    SnsUnsupportedVersion = "sns_unsupported_version",
    /// `Signature` is not canonical base64 of as many bytes as the key's modulus has.
    SnsSignatureEncoding = "sns_signature_encoding",
    /// The topic is not on the policy's list.
    SnsTopicNotAllowed = "sns_topic_not_allowed",
    /// The policy demands signature version 2 for this topic.
    SnsVersionTooLow = "sns_version_too_low",
    /// The topic has been seen with signature version 2 and now comes with version 1.
    SnsVersionDowngrade = "sns_version_downgrade",
    /// The message's Timestamp is further in the past than the policy allows.
    SnsTooOld = "sns_too_old",
    /// The message's Timestamp is further in the future than the policy allows.
    SnsTooFarAhead = "sns_too_far_ahead",
    /// The host's clock is not trusted, so that the age of a message cannot be judged.
    SnsClockUntrusted = "sns_clock_untrusted",
    /// `SigningCertURL` is not where SNS publishes the certificates of the topic's region.
    SnsCertificateUrl = "sns_certificate_url",
    /// `SubscribeURL` is not the confirmation of this very topic and token at the topic's region.
    SnsSubscribeUrl = "sns_subscribe_url",
    /// The certificate could not be fetched a moment ago. Temporary.
    SnsFetchFailed = "sns_fetch_failed",
    /// Too many unproven certificates of this region were asked for in the last minute. Temporary.
    SnsFetchLimited = "sns_fetch_limited",
    /// A certificate was handed in that nothing is waiting for.
    SnsUnexpectedCertificate = "sns_unexpected_certificate",
    /// The fetched certificate is larger than any genuine one.
    SnsCertificateTooLarge = "sns_certificate_too_large",
    /// What was fetched is not exactly one PEM certificate in DER.
    SnsCertificateMalformed = "sns_certificate_malformed",
    /// The certificate's key is not RSA of an allowed size and exponent.
    SnsCertificateKey = "sns_certificate_key",
    /// The certificate is an authority's, or is not for digital signatures of a server.
    SnsCertificateUsage = "sns_certificate_usage",
    /// The certificate does not bear the name that SNS has in the topic's region.
    SnsCertificateName = "sns_certificate_name",
    /// The certificate was not valid at the message's Timestamp.
    SnsCertificateNotValid = "sns_certificate_not_valid",
    /// The certificate does not lead to one of the pinned roots.
    SnsCertificateUntrusted = "sns_certificate_untrusted",
    /// The signature does not verify: altered, or not signed by this certificate's key.
    SnsBadSignature = "sns_bad_signature",
    /// The receiver's policy cannot be used: an operator's mistake, never the sender's.
    SnsInvalidPolicy = "sns_invalid_policy",
    // AWS events.
    /// An authentic message has the shape of an AWS event, but a part of it is missing or not of its grammar.
    AwsMalformedEvent = "aws_malformed_event",
    /// No configured trust names the topic of the message.
    AwsUntrustedTopic = "aws_untrusted_topic",
    /// The trust of its topic does not cover the account that the event claims.
    AwsUntrustedAccount = "aws_untrusted_account",
    /// The trust of its topic does not cover the region that the event claims.
    AwsUntrustedRegion = "aws_untrusted_region",
    /// An event of a kind that only an AWS service sends came from another source: most likely a forgery.
    AwsWrongSource = "aws_wrong_source",
    // Instance identity documents.
    /// The trust in identity documents cannot be used: an operator's mistake, never the sender's.
    AwsIdentityInvalidTrust = "aws_identity_invalid_trust",
    /// The signature or the document does not have the one shape that AWS gives it.
    AwsIdentityMalformed = "aws_identity_malformed",
    /// The signature is not RSA with SHA-256: most likely the metadata service's `pkcs7` was sent instead of `rsa2048`.
    AwsIdentityUnsupportedAlgorithm = "aws_identity_unsupported_algorithm",
    /// The region that the document claims is not trusted, or has no certificate.
    AwsIdentityUntrustedRegion = "aws_identity_untrusted_region",
    /// No certificate of the region is valid at this time: an operator has to replace it.
    AwsIdentityCertificateNotValid = "aws_identity_certificate_not_valid",
    /// The signature does not verify: altered, or not signed by AWS in this region.
    AwsIdentityBadSignature = "aws_identity_bad_signature",
    /// The document is authentic, but of an account that is not trusted.
    AwsIdentityUntrustedAccount = "aws_identity_untrusted_account",
    /// The instance was started longer ago than the trust allows.
    AwsIdentityTooOld = "aws_identity_too_old",
    /// The instance was started in the future: the host's clock is wrong.
    AwsIdentityTooFarAhead = "aws_identity_too_far_ahead",
    /// The host's clock is not trusted, so that the age of a document cannot be judged.
    AwsIdentityClockUntrusted = "aws_identity_clock_untrusted",
    // Kubernetes.
    /// Not a bootstrap token, or not a bootstrap token's id.
    KubernetesMalformedToken = "kubernetes_malformed_token",
    /// A label, group or description that the API server would not accept.
    KubernetesInvalidManifest = "kubernetes_invalid_manifest",
    /// A `cluster-info` that no node could use, or that would weaken one.
    KubernetesMalformedClusterInfo = "kubernetes_malformed_cluster_info",
    /// `cluster-info` bears no signature of this token: not signed yet, or the token has expired.
    KubernetesMissingSignature = "kubernetes_missing_signature",
    /// The signature of `cluster-info` was not made with this token over this content.
    KubernetesBadSignature = "kubernetes_bad_signature",
    /// Not a pin of a certificate authority.
    KubernetesMalformedPin = "kubernetes_malformed_pin",
    /// Not a certificate in PEM or DER.
    KubernetesMalformedCertificate = "kubernetes_malformed_certificate",
    /// No certificate authority of the cluster has a pinned key.
    KubernetesPinMismatch = "kubernetes_pin_mismatch",
    // WireGuard.
    /// Not a WireGuard key: not 44 characters of base64, all zeros, or a public key of low order.
    WireguardMalformedKey = "wireguard_malformed_key",
    /// A WireGuard configuration that is not of the format, or whose parts do not fit together.
    WireguardMalformedConfig = "wireguard_malformed_config",
    /// A WireGuard configuration with a command that `wg-quick` would run as root.
    WireguardCommand = "wireguard_command",
    // User data.
    /// A token, path, file, command, version or cloud that user data cannot be made with.
    UserdataInvalid = "userdata_invalid",
    /// The user data is larger than the cloud takes.
    UserdataTooLarge = "userdata_too_large",
    // Templates.
    /// The front matter is missing, not YAML of its form, or names no file.
    TemplateFrontMatter = "template_front_matter",
    /// `mode` is missing, decimal, in quotes, or more than the nine permission bits.
    TemplateMode = "template_mode",
    /// The command is blank, or readers of command lines would split it differently.
    TemplateCommand = "template_command",
    /// The body is not of its syntax.
    TemplateSyntax = "template_syntax",
    /// A secret's provider, id or name is not of its grammar, or what is declared is not what is used.
    TemplateSecret = "template_secret",
    /// The engine gave up while rendering: an undefined value, a wrong type, too much work.
    TemplateRender = "template_render",
    /// A secret that must be there in time is not.
    TemplateDeadline = "template_deadline",
    /// The provider refuses a secret for good.
    TemplateRefused = "template_refused",
    // Archives.
    /// A file's name that some system would take for another place, another file or a device.
    ArchiveInvalidName = "archive_invalid_name",
    /// Two files of an archive would be one on some system, or a file would be a folder.
    ArchiveDuplicateName = "archive_duplicate_name",
    /// A variable that a shell and systemd would not read alike from an environment file.
    ArchiveInvalidVariable = "archive_invalid_variable",
    // ServiceRadar.
    /// Not a ServiceRadar token, or not in its one spelling.
    ServiceradarMalformedToken = "serviceradar_malformed_token",
    /// A token of version 1, which nobody signed.
    ServiceradarUnsignedToken = "serviceradar_unsigned_token",
    /// A ServiceRadar token of another kind than expected.
    ServiceradarWrongKind = "serviceradar_wrong_kind",
    /// The signature of the token does not verify under the onboarding key.
    ServiceradarBadSignature = "serviceradar_bad_signature",
    /// The token is authentic, and says something that two readers could understand differently.
    ServiceradarInvalidPayload = "serviceradar_invalid_payload",
    /// The token is authentic, and its time is over.
    ServiceradarExpired = "serviceradar_expired",
    /// Something that goes into an edge package is not what its programs accept there.
    ServiceradarInvalidPackage = "serviceradar_invalid_package",
    // SPIFFE and SPIRE.
    /// A trust bundle that no two readers need understand alike: not strict JSON or PEM, an authority twice, a number out of range.
    SpireMalformedBundle = "spire_malformed_bundle",
    /// A certificate or key in a trust bundle that must not be trusted as an authority.
    SpireUnusableAuthority = "spire_unusable_authority",
    /// A request that a SPIRE server would refuse, or understand otherwise.
    SpireInvalidRequest = "spire_invalid_request",
    // Download links.
    /// Not a download link, or not in its one spelling.
    LinkMalformed = "link_malformed",
    /// The link names a key that the key ring does not hold: made elsewhere, or under a key that was taken out of use.
    LinkUnknownKey = "link_unknown_key",
    /// The link was not made under the key that it names, or was altered.
    LinkForged = "link_forged",
    /// The link is authentic, and its time is over.
    LinkExpired = "link_expired",
    // The audit.
    /// An entry of the log is not an event: not JSON, too large, or without the members that place it.
    AuditMalformedFact = "audit_malformed_fact",
    /// An event of the log is not written as handfast writes it: somebody else has had it in hand.
    AuditNotCanonical = "audit_not_canonical",
    /// Events of a record are not where they should be: dropped, or moved behind this one.
    AuditMissingFacts = "audit_missing_facts",
    /// A version of a record comes a second time, or after a later one.
    AuditRepeatedFact = "audit_repeated_fact",
    /// An event bears no digest of the one before it although it must.
    AuditUnlinkedFact = "audit_unlinked_fact",
    /// The event before this one is not the one that it was written after: one of the two was altered.
    AuditWrongDigest = "audit_wrong_digest",
    /// The log ends before a head that was published: it was truncated.
    AuditUnreachedHead = "audit_unreached_head",
    /// The log has another event where a head was published: it was rewritten.
    AuditOtherHead = "audit_other_head",
    // The registrar's errors.
    /// The store gave back something that handfast did not write.
    CorruptRecord = "corrupt_record",
    /// The store holds a record written by a newer version.
    NewerSchema = "newer_schema",
    /// A sealed secret is missing from the vault although its record says that it is there.
    MissingSecret = "missing_secret",
    /// Too many conflicting commits on the same records; trying again later helps.
    Busy = "busy",
    /// The operator's rule could not be loaded, or could not say: an operator's mistake, never the presenter's.
    RuleFailed = "rule_failed",
    /// The host used the library wrongly.
    Misuse = "misuse",
    // Refusals.
    /// No such package, node or instance.
    Unknown = "unknown",
    /// The string is not a handfast token, or its check digits are wrong.
    MalformedToken = "malformed_token",
    /// No such token was ever issued.
    UnknownToken = "unknown_token",
    /// The deadline has come.
    Expired = "expired",
    /// The package was revoked, has expired or is retired.
    Ended = "ended",
    /// The package has not been handed out yet.
    NotDelivered = "not_delivered",
    /// Something external that the package needs is not ready yet.
    NotReady = "not_ready",
    /// The package was handed to somebody else, or its window for repeating has closed.
    AlreadyDelivered = "already_delivered",
    /// The presenter does not match a binding of the token.
    BindingMismatch = "binding_mismatch",
    /// The policy does not accept an identifier that the host merely vouches for.
    ProofRequired = "proof_required",
    /// Somebody else has used the token up.
    AlreadyClaimed = "already_claimed",
    /// The same presenter is too late to be given its grant again.
    GrantClosed = "grant_closed",
    /// The subject is enrolled through another package that still lives.
    SubjectEnrolled = "subject_enrolled",
    /// The name belongs to a live package.
    NameTaken = "name_taken",
    /// The node is retired.
    NodeRetired = "node_retired",
    /// Two machines seem to share one identity.
    CloneSuspected = "clone_suspected",
    /// Two machines showed the token, or shared the identity of a node of its package: it is locked until it is reissued.
    TokenLocked = "token_locked",
    /// Two machines shared the node's identity: both are kept away until an operator reissues its token or sends it away.
    Quarantined = "quarantined",
    /// The request does not come from the instance's own address.
    WrongAddress = "wrong_address",
    /// The time in which an address proves an instance is over.
    AddressWindowClosed = "address_window_closed",
    /// This authority may not give this command.
    NotAuthorized = "not_authorized",
    /// The effect is not outstanding.
    NotOutstanding = "not_outstanding",
    /// A deadline seems to have come, but the clock is not to be trusted.
    ClockSuspect = "clock_suspect",
    /// A rule of the operator's own policy denies it.
    Policy = "policy",
    /// A rule of the operator's own policy would deny it, and is only listened to for now.
    PolicyWarning = "policy_warning",
    /// The scope allows no more live packages, or no more reservations.
    QuotaExceeded = "quota_exceeded",
    /// A package without a number of uses does not fit into a scope that counts its active ones.
    UnboundedPackage = "unbounded_package",
    /// The pool has no free item, or is not known.
    PoolEmpty = "pool_empty",
    /// The pool's item is assigned to a package.
    PoolItemInUse = "pool_item_in_use",
    /// The policy does not let a package of this kind sit under such a parent, or without one.
    ParentNotAllowed = "parent_not_allowed",
    /// The package above it has ended.
    ParentEnded = "parent_ended",
    /// The node is not active, so that nothing is handed to it for its children.
    NotActive = "not_active",
    /// The subject is banned.
    Banned = "banned",
    /// Somebody connected whom no package names.
    UnknownSubject = "unknown_subject",
    /// Another live package names the same subject.
    SubjectTaken = "subject_taken",
    /// The proof has been presented before.
    ProofReplayed = "proof_replayed",
    /// The credential is another node's, or is not bound to the key that was proven.
    CredentialMismatch = "credential_mismatch",
    /// The link was not made for this package, or a newer one has taken its place.
    LinkReplaced = "link_replaced",
    /// The subject, or the package, has been given its grant anew as often as the policy allows.
    RecoveryExhausted = "recovery_exhausted",
    /// The policy does not allow the issue to choose this itself.
    OverrideNotAllowed = "override_not_allowed",
    /// Its record is still needed: it lives, or something of it exists outside.
    NotEnded = "not_ended",
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_snake_case() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        let count = texts.len();
        texts.dedup();
        assert_eq!(texts.len(), count);
        assert!(texts.iter().all(|text| {
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
        }));
    }
}
