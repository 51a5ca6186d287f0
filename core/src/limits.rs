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
/// Bytes of one text in an AWS event. The longest is a hook's `NotificationMetadata`: 4,000 characters of up to four
/// bytes (Auto Scaling API Reference, `PutLifecycleHook`).
pub const AWS_TEXT_BYTES: usize = 16 * 1024;
/// Bytes of an instance identity document. Genuine ones have about 480.
pub const AWS_IDENTITY_DOCUMENT_BYTES: usize = 8 * 1024;
/// Bytes of the base64 text of an identity document's signature, document included. Genuine ones have about 1,500.
pub const AWS_IDENTITY_SIGNATURE_BYTES: usize = 16 * 1024;
/// Members of an identity document. Genuine ones have 16.
pub const AWS_IDENTITY_MEMBERS: usize = 64;
/// Bytes of one text in an identity document. The longest are the names of availability zones and instance types.
pub const AWS_IDENTITY_TEXT_BYTES: usize = 128;
/// Attributes that the signer of an identity document signs beside it. Genuine ones have four.
pub const AWS_IDENTITY_ATTRIBUTES: usize = 16;
/// Certificates for one region: AWS publishes one of each kind, and two while one replaces another.
pub const AWS_IDENTITY_CERTIFICATES: usize = 8;
/// Bytes of one certificate in PEM. Genuine ones have about 1,500.
pub const AWS_IDENTITY_CERTIFICATE_BYTES: usize = 16 * 1024;
/// Seconds since its instance was started for which an identity document is fresh, unless the trust says otherwise: as
/// long as an unused package lives by default.
pub const AWS_IDENTITY_MAX_AGE_SECONDS: u32 = 15 * 60;
/// Shortest such time: less than a minute is shorter than a boot.
pub const AWS_IDENTITY_MAX_AGE_MIN_SECONDS: u32 = 60;
/// Seconds into the future that an instance may have been started: the leeway for times that others wrote.
pub const AWS_IDENTITY_MAX_AHEAD_SECONDS: u32 = 60;
/// Bytes of a ConfigMap and of the kubeconfig in it (Kubernetes keeps ConfigMaps below 1 MiB).
pub const KUBERNETES_DOCUMENT_BYTES: usize = 1024 * 1024;
/// Bytes set aside for a written manifest or kubeconfig, so that writing leaves no outgrown copy of a secret in memory.
/// A kubeconfig with one authority has about 2 KiB.
pub const KUBERNETES_WRITE_BYTES: usize = 8 * 1024;
/// YAML events of one document: a genuine `cluster-info` has fewer than a hundred.
pub const KUBERNETES_YAML_EVENTS: usize = 10_000;
/// Certificates in a cluster's authority bundle; more than two are seen only while an authority is being replaced.
pub const KUBERNETES_AUTHORITIES: usize = 16;
/// Bytes of an API server's URL.
pub const KUBERNETES_URL_BYTES: usize = 2048;
/// Bytes of one certificate whose pin is taken. Genuine ones have one to two thousand.
pub const KUBERNETES_CERTIFICATE_BYTES: usize = 16 * 1024;
/// Groups of a bootstrap token.
pub const KUBERNETES_GROUPS: usize = 16;
/// Bytes of a bootstrap token's description.
pub const KUBERNETES_DESCRIPTION_BYTES: usize = 1024;
/// Bytes of a JWT. The longest that handfast writes has about 700; Choria's with many claims have a few thousand.
pub const JWT_BYTES: usize = 16 * 1024;
/// The latest time in a JWT, in seconds since 1970: 9999-12-31T23:59:59Z. Later times are written by mistake, or to overflow
/// something.
pub const JWT_TIME_MAX_SECONDS: i64 = 253_402_300_799;
/// Bytes of a DPoP proof (RFC 9449): about 700 with a long URL, and it travels in an HTTP header, of which common servers take
/// 8 KiB altogether.
pub const PROOF_BYTES: usize = 4 * 1024;
/// Longest life of a Choria token, in seconds: five years, which is what the helpers of its provisioner ask for.
pub const CHORIA_VALIDITY_MAX_SECONDS: u32 = 5 * 366 * 24 * 60 * 60;
/// Shortest life of a server token that a helper may ask for, in seconds; Choria's provisioner silently takes its default
/// for anything up to an hour.
pub const CHORIA_SERVER_VALIDITY_MIN_SECONDS: u32 = 60 * 60;
/// Bytes of a document between Choria's provisioner and its helper. The inventory, with all facts of a node, is the most of it.
pub const CHORIA_HELPER_BYTES: usize = 1024 * 1024;
/// Bytes of one URL of a broker, an SRV domain, an identity or another name in a Choria token.
pub const CHORIA_NAME_BYTES: usize = 2048;
/// Bytes of a JWT's own id (`jti`): a verifier remembers it.
pub const JTI_BYTES: usize = 128;
/// Bytes of a key's name in a JWT or a key set (`kid`). The longest in use are digests of 64 hexadecimal digits.
pub const KID_BYTES: usize = 128;
/// Bytes of a private or public key in PEM or as a JWK. RSA with [`RSA_MAX_BITS`] has about 1,500.
pub const KEY_BYTES: usize = 8 * 1024;
/// Bytes of a JWK set with [`KEYS`] keys.
pub const JWKS_BYTES: usize = 64 * 1024;
/// Bytes of a URL that a proof is made for, as of [`KUBERNETES_URL_BYTES`].
pub const TARGET_URL_BYTES: usize = 2048;
/// Bytes of an HTTP method; the longest registered one (`UPDATEREDIRECTREF`, RFC 4437) has 17.
pub const METHOD_BYTES: usize = 32;
/// Bytes of a nonce from a server: handfast's own have at most 80.
pub const NONCE_BYTES: usize = 256;
/// Seconds for which a nonce is good: one round trip and a slow machine.
pub const NONCE_SECONDS: u32 = 60;
/// Seconds that the clocks of hosts may differ when one accepts a nonce of another.
pub const NONCE_AHEAD_SECONDS: u32 = 5;
/// Seconds for which a proof without a nonce is good (RFC 9449 section 11.1: "seconds or minutes").
pub const PROOF_SECONDS: u32 = 5 * 60;
/// Seconds by which the clock of somebody else may be wrong, for times that they wrote.
pub const LEEWAY_SECONDS: u32 = 60;
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
/// Rounds in which a decision may ask for more keys: three suffice for one package, each level below it adds one, and so do
/// the package that a node moves from, that one's subjects, and the contents that are given.
pub const NEED_ROUNDS: u32 = 16;
/// Bytes of a name: long enough for a host name or an ARN's last part, short enough for a database index.
pub const NAME_BYTES: usize = 128;
/// Bytes of a kind or of a key id.
pub const KIND_BYTES: usize = 32;
/// Bytes of a node name (RFC 1123 as Kubernetes has it).
pub const NODE_NAME_BYTES: usize = 253;
/// Bytes of one label of a host name (RFC 1035 section 2.3.4).
pub const HOST_LABEL_BYTES: usize = 63;
/// Bytes of a time: RFC 3339 gives no end to its fraction, and nobody writes more than nine digits.
pub const TIME_BYTES: usize = 64;
/// Bytes of a text that is worth being inspected: as many as the longest that is known, a JWT.
pub const INSPECT_BYTES: usize = JWT_BYTES;
/// Bytes of one command, as JSON. Room for [`CONTENTS`] files of [`FILE_BYTES`] would be wasteful; a package is not a disk image.
pub const COMMAND_BYTES: usize = 1024 * 1024;
/// Labels of a package.
pub const LABELS: usize = 16;
/// Bytes of a label's key (Kubernetes: 63, with a prefix 253).
pub const LABEL_KEY_BYTES: usize = 63;
/// Bytes of a label's value.
pub const LABEL_VALUE_BYTES: usize = 256;
/// Contents that a package carries.
pub const CONTENTS: usize = 16;
/// Bytes of a file that a package carries.
pub const FILE_BYTES: usize = 64 * 1024;
/// Networks that a package may be bound to.
pub const CIDRS: usize = 16;
/// Nodes that a package lists, so that they end with it in one decision. A package of more uses only counts them, and
/// they are swept after its end.
pub const PACKAGE_NODES: u32 = 16;
/// Largest `max_uses` of a counted package. A fleet without a number has none.
pub const PACKAGE_USES: u32 = 1_000_000;
/// Children that a package lists, so that they end with it in one decision; more are swept after its end.
pub const PACKAGE_CHILDREN: usize = 16;
/// Packages above a package: its parent, its parent's parent, and so on.
pub const PACKAGE_DEPTH: usize = 4;
/// Packages that end in one decision; what lies further below is swept, so that no decision grows without bound.
pub const CASCADE_PACKAGES: usize = 32;
/// Keepers of a package.
pub const KEEPERS: usize = 16;
/// Bytes of an operator's notes about a package.
pub const NOTES_BYTES: usize = 4096;
/// Items of a pool.
pub const POOL_ITEMS: usize = 1024;
/// Items that one command may add to a pool or take out of it.
pub const POOL_CHANGES: usize = 128;
/// Bytes of a pool item's content.
pub const POOL_ITEM_BYTES: usize = 16 * 1024;
/// Pairs in the public configuration of a host-defined resource.
pub const RESOURCE_SETTINGS: usize = 32;
/// Bytes of a SPIFFE id (SPIFFE-ID section 2.3: implementations support at least 2048).
pub const SPIFFE_ID_BYTES: usize = 2048;
/// Bytes of a SPIFFE trust domain's name (SPIFFE-ID section 2.1).
pub const SPIFFE_TRUST_DOMAIN_BYTES: usize = 255;
/// Bytes of a WireGuard configuration: as much as a file that a package carries, some hundreds of peers.
pub const WIREGUARD_CONFIG_BYTES: usize = FILE_BYTES;
/// Smallest MTU of a WireGuard interface, in bytes: what every host must take (RFC 791 section 3.2).
pub const WIREGUARD_MTU_MIN: u16 = 576;
/// Bytes of a path in user data. Linux allows 4096; nobody writes one of more than a few dozen.
pub const USER_DATA_PATH_BYTES: usize = 1024;
/// Files in user data, besides the token's.
pub const USER_DATA_FILES: usize = 16;
/// Words of the command that user data starts.
pub const USER_DATA_ARGUMENTS: usize = 64;
/// Bytes of one such word.
pub const USER_DATA_ARGUMENT_BYTES: usize = 4096;
/// Bytes of user data at Amazon EC2: 16 KB before base64 (Amazon EC2 User Guide, "Work with instance user data").
pub const USER_DATA_AWS_BYTES: usize = 16 * 1024;
/// Bytes of custom data at Azure, before base64 (Azure REST API, `osProfile.customData`).
pub const USER_DATA_AZURE_BYTES: usize = 65_535;
/// Bytes of one metadata value at Google Cloud (Compute Engine API, `Metadata.items[].value`); all together have 512 KB.
pub const USER_DATA_GCP_BYTES: usize = 256 * 1024;
/// Bytes of user data at OpenStack: its base64 may have 65,535 (Nova user guide, "Provide user data to instances").
pub const USER_DATA_OPENSTACK_BYTES: usize = 16_383 * 3;
/// Bytes of user data at DigitalOcean (DigitalOcean API, "Create a New Droplet", `user_data`).
pub const USER_DATA_DIGITALOCEAN_BYTES: usize = 64 * 1024;
/// Bytes of user data at Hetzner Cloud (Hetzner Cloud API, "Create a Server", `user_data`).
pub const USER_DATA_HETZNER_BYTES: usize = 32 * 1024;
/// Bytes of user data at Oracle Cloud: its base64 shares 32,000 with all other metadata (Core Services API,
/// `LaunchInstanceDetails.metadata`), so that with SSH keys beside it there is less.
pub const USER_DATA_ORACLE_BYTES: usize = 8_000 * 3;
/// Selectors of a SPIRE entry.
pub const SPIRE_SELECTORS: usize = 16;
/// Bytes of a SPIRE selector. The longest known one names an agent by its id, with the longest trust domain.
pub const SPIRE_SELECTOR_BYTES: usize = 512;
/// Longest life of an SVID that SPIRE's API can say, in seconds: 31 bits.
pub const SPIRE_SVID_TTL_MAX_SECONDS: u32 = (1 << 31) - 1;
/// Bytes of a SPIRE entry's id (SPIRE's data store: `validateRegistrationEntry`).
pub const SPIRE_ENTRY_ID_BYTES: usize = 255;
/// Bytes of a SPIRE entry's hint (SPIRE's server refuses more).
pub const SPIRE_HINT_BYTES: usize = 1024;
/// Trust domains that a SPIRE entry federates with.
pub const SPIRE_FEDERATES_WITH: usize = 16;
/// DNS names of a SPIRE entry.
pub const SPIRE_DNS_NAMES: usize = 16;
/// Bytes of a SPIFFE trust bundle. One authority has about 2 KiB in JSON, with RSA.
pub const SPIFFE_BUNDLE_BYTES: usize = 1024 * 1024;
/// Bytes of one certificate in a trust bundle. SPIRE's own have about a thousand; with [`SPIFFE_AUTHORITIES`] of this
/// size a bundle is within [`SPIFFE_BUNDLE_BYTES`] in each of its forms.
pub const SPIFFE_CERTIFICATE_BYTES: usize = 8 * 1024;
/// Authorities of one kind in a trust bundle: SPIRE keeps two, nested ones those of their parents besides.
pub const SPIFFE_AUTHORITIES: usize = 64;
/// Largest integer that all readers of JSON agree about (RFC 8259 section 6).
pub const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;
/// Longest life of a SPIRE join token, in seconds: it cannot be deleted upstream, it only dies by this.
pub const JOIN_TOKEN_TTL_MAX_SECONDS: u32 = 60 * 60;
/// Longest silence after which an ephemeral node retires, in seconds.
pub const INACTIVITY_MAX_SECONDS: u32 = 90 * 24 * 60 * 60;
/// Shortest silence after which an ephemeral node retires, in seconds: less than a reboot would retire healthy nodes.
pub const INACTIVITY_MIN_SECONDS: u32 = 60;
/// Longest life of a node credential, in seconds: it cannot be recalled, so it is renewed instead.
pub const CREDENTIAL_TTL_MAX_SECONDS: u32 = 24 * 60 * 60;
/// Proof identifiers (`jti`) that a node's record remembers; a proof is only good for as long as its nonce, a minute.
pub const PROOF_IDS: usize = 16;
/// Times that a subject may be given its grant anew, or a package's node be replaced, through reissued tokens, unless
/// the policy says otherwise.
pub const RECOVERIES: u32 = 8;
/// Rules about kinds in a policy.
pub const KIND_RULES: usize = 64;
/// Bytes of a configured URL.
pub const URL_BYTES: usize = 2048;
/// Longest life of a download link, in seconds.
pub const LINK_TTL_MAX_SECONDS: u32 = 7 * 24 * 60 * 60;
/// Commands that are decided in one commit.
pub const BATCH_COMMANDS: usize = 256;
/// Shortest life of an unused package, in seconds.
pub const PACKAGE_TTL_MIN_SECONDS: u32 = 60;
/// Longest life of an unused package, in seconds: thirty days, as the longest-lived activation of the field.
pub const PACKAGE_TTL_MAX_SECONDS: u32 = 30 * 24 * 60 * 60;
/// Longest window of any retry, in seconds: a window that outlives a working day is a second credential.
pub const WINDOW_MAX_SECONDS: u32 = 24 * 60 * 60;
/// Longest life of a Kubernetes bootstrap token, in seconds: it is multi-use by nature, so it is short.
pub const BOOTSTRAP_TOKEN_TTL_MAX_SECONDS: u32 = 15 * 60;
/// Facts about suspected clones that one package may cause; more add nothing to the alert. What the policy does about a
/// suspected clone happens all the same.
pub const CLONE_FACTS: u32 = 8;
/// First delay after a failed effect, in seconds; it doubles with each attempt.
pub const BACKOFF_FIRST_SECONDS: u32 = 2;
/// Longest delay between two attempts of an effect, in seconds.
pub const BACKOFF_MAX_SECONDS: u32 = 15 * 60;
/// Longest lease of an effect, in seconds: a worker that is silent for longer is taken for dead.
pub const LEASE_MAX_SECONDS: u32 = 10 * 60;
/// Bytes kept of an executor's reason.
pub const REASON_BYTES: usize = 512;
/// Seconds beyond the age of events for which an ended instance cannot be forgotten: a day.
pub const TOMBSTONE_SECONDS: u32 = 24 * 60 * 60;
/// Addresses kept of an instance (an EC2 instance may have several interfaces).
pub const INSTANCE_ADDRESSES: usize = 32;
/// Tags kept of an instance (EC2 allows 50).
pub const INSTANCE_TAGS: usize = 50;
/// Rules of a policy that turn instances into packages.
pub const INSTANCE_RULES: usize = 64;
/// Kinds of refusals that a ledger counts; the oldest go first. Strangers cause them, so they must not fill memory.
pub const LEDGER_NOTICES: usize = 10_000;
/// Records of one page of a ledger's lists.
pub const LEDGER_PAGE: usize = 1000;
/// Records that a page of a ledger's lists looks at for filters in combination, about a millisecond's work.
pub const LEDGER_SCAN: usize = 4096;
/// Histories that a ledger tells apart for the readers of its subjects: one for each time that it was restored. Readers
/// that were away for longer begin anew.
pub const LEDGER_HISTORIES: usize = 64;
/// Bytes of a rule's source, for example in Rego: far more than a person reads.
pub const RULE_BYTES: usize = 256 * 1024;
/// Keys of one key ring.
pub const KEYS: usize = 16;
/// Bytes of the body of one event: it repeats at most what its command said.
pub const EVENT_BYTES: usize = COMMAND_BYTES;
/// Bytes of the body of one record. The longest is that of a pool: [`POOL_ITEMS`] of some 250 bytes each.
pub const RECORD_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one line of a snapshot: a record, of which the oldest schema escaped each quotation mark.
pub const SNAPSHOT_LINE_BYTES: usize = 2 * RECORD_BYTES + RECORD_KEY_BYTES;
/// Bytes of one sealed secret: room for what a command can hold, in base64.
pub const SEALED_BYTES: usize = 2 * COMMAND_BYTES;
/// Bytes of a record's key as text: the longest is that of a subject, whose SPIFFE id may have 2048.
pub const RECORD_KEY_BYTES: usize = 4096;
/// Bytes of the `source` of a CloudEvent, a URI reference.
pub const CLOUD_EVENT_SOURCE_BYTES: usize = 2048;
/// Bytes of a download link: a key's id, and 88 bytes besides. More is not looked at.
pub const LINK_BYTES: usize = KIND_BYTES + 88;
/// Bytes of a template: far more than a person writes.
pub const TEMPLATE_BYTES: usize = 256 * 1024;
/// YAML events of a template's front matter: ten for each of [`TEMPLATE_SECRETS`], and some.
pub const TEMPLATE_YAML_EVENTS: usize = 1000;
/// Secrets of a template.
pub const TEMPLATE_SECRETS: usize = 64;
/// Bytes of a secret's id (AWS Secrets Manager API Reference, `GetSecretValue`: `SecretId` has at most 2048).
pub const TEMPLATE_ID_BYTES: usize = 2048;
/// Bytes of a secret's value (AWS Secrets Manager API Reference: `SecretString` has at most 65,536).
pub const TEMPLATE_VALUE_BYTES: usize = 64 * 1024;
/// Bytes of a rendered file.
pub const TEMPLATE_OUTPUT_BYTES: usize = 1024 * 1024;
/// Work of the engine for one rendering, in its own unit: an instruction, or 64 bytes of text that it makes. Enough for a
/// file of [`TEMPLATE_OUTPUT_BYTES`] made of values that pass through several filters; a fraction of a second.
pub const TEMPLATE_FUEL: u64 = 200_000;
/// Bytes of a template's command.
pub const TEMPLATE_COMMAND_BYTES: usize = 4096;
/// Words of a template's command.
pub const TEMPLATE_COMMAND_WORDS: usize = 64;
/// Seconds that a template's command may run, as consul-template has it.
pub const TEMPLATE_COMMAND_SECONDS: u32 = 30;
/// Bytes of a path (`PATH_MAX` of Linux).
pub const TEMPLATE_PATH_BYTES: usize = 4096;
/// Longest deadline of a template's secret, in seconds: a day.
pub const TEMPLATE_DEADLINE_MAX_SECONDS: u32 = 24 * 60 * 60;
/// First delay after a secret was not to be had, in seconds; it doubles with each attempt.
pub const TEMPLATE_BACKOFF_FIRST_SECONDS: u32 = 1;
/// Longest delay between two attempts to have a secret, in seconds, as consul-template has it.
pub const TEMPLATE_BACKOFF_MAX_SECONDS: u32 = 60;
/// Seconds after which a secret that is there is looked at again.
pub const TEMPLATE_REFRESH_SECONDS: u32 = 5 * 60;
/// Files of one archive; what a package carries ([`CONTENTS`]), several files each.
pub const ARCHIVE_FILES: usize = 64;
/// Bytes of a file's name in an archive, folders included: what the first tar had room for, so that no reader has to
/// know any extension of the format.
pub const ARCHIVE_NAME_BYTES: usize = 100;
/// Parts of a file's name in an archive, the file's own among them.
pub const ARCHIVE_DEPTH: usize = 8;
/// Bytes of all files of an archive together: a package is not a disk image.
pub const ARCHIVE_BYTES: usize = 4 * 1024 * 1024;
/// Variables of one environment file.
pub const ENV_VARIABLES: usize = 256;
/// Bytes of a variable's value: a quarter of what Linux lets one hold (`MAX_ARG_STRLEN`, execve(2)).
pub const ENV_VALUE_BYTES: usize = 32 * 1024;
/// Bytes of a ServiceRadar token. The longest that its own programs write have a few hundred.
pub const SERVICERADAR_TOKEN_BYTES: usize = 4 * 1024;
/// Bytes of a ServiceRadar package's id, download token or join token. Genuine ones have 32 to 43.
pub const SERVICERADAR_TEXT_BYTES: usize = 256;
/// Bytes of a trust bundle in PEM: room for [`KUBERNETES_AUTHORITIES`] certificates of 4 KiB.
pub const BUNDLE_BYTES: usize = 64 * 1024;
