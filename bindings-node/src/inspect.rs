//! What a pasted text is.

use handfast::inspect as core;
use napi_derive::napi;

use crate::{
    carry,
    secret::{Text, exposed},
};

/// Says what a text is that somebody has pasted, as JSON, without its secret.
#[napi]
pub fn inspect(text: Text<'_>) -> String {
    carry::write(&core::inspect(exposed(&text)))
}
