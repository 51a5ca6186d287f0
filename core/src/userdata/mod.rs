//! User data: what a cloud hands to a machine at its first boot, here with an enrollment token in it.
//!
//! ```text
//! FirstBoot (token, its path, a command, files) --ignition()-->     Ignition spec 3.3 or 3.4   (CoreOS, Flatcar)
//!                                               --cloud_config()--> cloud-init's #cloud-config (nearly everything else)
//! ```
//!
//! Either writes the token into a file of root's with mode 0600, and a systemd unit that waits for the network and starts the
//! command, never through a shell. When the command has succeeded the unit removes the token, and without its
//! token it never starts again. When it has failed, it is tried again after half a minute, without end; when it has not ended after 15
//! minutes, it is killed and has failed. The command must therefore bear to be ended and started anew, as a redemption does
//! within its retry window. systemd 244 or newer is needed.
//!
//! # Who reads user data
//!
//! It is no place for a lasting secret. At EC2, whoever may call `DescribeInstanceAttribute` or `DescribeLaunchTemplateVersions`
//! reads it; so does every process on the machine that reaches the metadata service at 169.254.169.254, for as long as the machine lives, and
//! so do state files of the tools that made it. The token must be worthless by then: issue it for one use, with minutes of life, bound
//! to what is known of the machine, and let [`CloneSuspected`](crate::vocabulary::Fact::CloneSuspected) wake somebody up. A file that is secret
//! for longer belongs into the package, which the node is given once it has proven its key.
//!
//! ```
//! use handfast::{Secret, userdata::{Cloud, FirstBoot, IgnitionVersion}};
//!
//! let token = Secret::new("hf1_..".into());
//! let command = ["/usr/local/bin/first-boot", "--token-file", "/etc/handfast/token"];
//! let boot = FirstBoot::new(token, "/etc/handfast/token".parse()?, command)?;
//! let document = boot.ignition(IgnitionVersion::V3_3);
//! document.fits(Cloud::Aws)?;
//! assert!(document.expose().starts_with(r#"{"ignition":{"version":"3.3.0"}"#));
//! # Ok::<(), handfast::userdata::UserDataError>(())
//! ```

mod cloud;
mod cloud_config;
mod document;
mod error;
mod file;
mod first_boot;
mod ignition;
mod unit;

pub use self::{
    cloud::Cloud,
    document::UserData,
    error::UserDataError,
    file::{File, FilePath, Mode},
    first_boot::FirstBoot,
    ignition::IgnitionVersion,
    unit::UNIT,
};
