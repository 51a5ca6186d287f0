//! The emissary: a file that needs secrets, written when all of them are there, and the command that takes notice of it.
//!
//! ```text
//! ---
//! mode: 0400                          the file's permission bits, octal
//! dest: /etc/nomad/secret.hcl         where it goes
//! onrender: systemctl reload nomad    what runs after each change; never by a shell
//! secrets:                            what is to happen while one of them is missing; they wait unless told otherwise
//!   consul: { provider: awssm, id: prod/consul, missing: fail, deadline_seconds: 300 }
//! ---
//! token = "{{poll "awssm" "prod/consul"}}"
//! ```
//!
//! The body is text with calls of `poll` in the spelling of emissary, whose templates are read as they are; with
//! `syntax: jinja` it is a Jinja template in which the declared secrets are variables (`{{ consul }}`).
//!
//! [`Template`] says what it needs without being rendered. [`Emissary`] is the machine around it: it says which secrets to
//! ask for and when, takes what comes, and gives the effects: first [`WriteFile`], then [`RunCommand`]. It asks again
//! from time to time, and writes again when the bytes differ from those that it has written itself. Their digest lives as
//! long as the machine, no longer: after each start the file is written and the command is run once, changed or not. A
//! host that wants to spare that compares [`WriteFile`]'s content with the file in place, and reports the write without
//! doing it; the command is better run once too often, since nobody knows whether it ended well the last time.
//!
//! Whoever writes a template decides what runs on the machine: it is the operator's. Whoever holds a secret's place in a
//! store decides only its value: values are never read as templates, never split into words of the command, and not
//! escaped (a value goes into the file as it is; where that matters, the Jinja syntax has `tojson`).

mod command;
mod emissary;
mod engine;
mod error;
mod front;
mod mode;
mod parsed;
mod poll;
mod reference;
mod schedule;

pub use self::{
    command::split_command,
    emissary::{Emissary, RunCommand, Step, Supply, WriteFile},
    error::TemplateError,
    mode::Mode,
    parsed::Template,
    reference::{Missing, Need, Reference},
    schedule::Schedule,
};
