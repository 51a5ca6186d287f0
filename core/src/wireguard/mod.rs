//! WireGuard: keys, and the configuration of one interface as `wg-quick` reads it.
//!
//! ```text
//! PrivateKey::generate(rng) --public_key()--> what the other side is told
//! text --Config::parse--> Config --to_secret()--> text for /etc/wireguard/wg0.conf (mode 0600)
//! ```
//!
//! `wg-quick` runs as root and obeys its file: `PostUp` and its like are shell commands. A configuration that somebody
//! prepared for a node is therefore parsed before it is handed out, and one with commands in it is refused, as is
//! everything that two readers could take differently: a value given twice, an unknown key, a network that two peers claim.
//!
//! # Pools of prepared configurations
//!
//! A private key of a pool's item is known to whoever prepared it; what a pool buys is that addresses and peers are
//! agreed beforehand. Fill one with [`ChangePool`](crate::vocabulary::ChangePool) and its `format`, so that each item is checked; a
//! package with the content `pool_item` takes a free one, and gives it back when it ends. A rule of the policy for
//! instances does so when one runs, and its termination frees the item. Whoever held it still has its private key: change the
//! peer's key before it is assigned anew where that matters.
//!
//! ```
//! use handfast::vocabulary::{Action, ChangePool, FileFormat};
//! # use handfast::wireguard::Config;
//! # use handfast::wireguard::{Interface, PrivateKey, WireGuardError};
//! # let rng = &mut rand::rng();
//! # let interface = Interface::new(PrivateKey::generate(rng));
//! # let prepared = Config::new(interface, vec![])?.to_secret();
//! let action = Action::ChangePool(ChangePool {
//!     scope: "edge".parse().unwrap(),
//!     pool: "wireguard".parse().unwrap(),
//!     add: [("peer-7".parse().unwrap(), Some(prepared))].into(),
//!     remove: [].into(),
//!     format: Some(FileFormat::WireGuard),
//! });
//! # assert_eq!(action.name(), "change_pool");
//! # Ok::<(), WireGuardError>(())
//! ```

mod config;
mod error;
mod host;
mod key;
mod read;
mod write;

pub use self::{
    config::{Config, Interface, Peer},
    error::WireGuardError,
    host::{Endpoint, Host, HostName, network},
    key::{PresharedKey, PrivateKey, PublicKey},
};
