//! The class `Secret`.

use handfast::secret;
use napi::bindgen_prelude::{ClassInstance, Either};
use napi_derive::napi;

/// What is given as a string or as a `Secret`.
pub(crate) type Text<'a> = Either<String, ClassInstance<'a, Secret>>;

/// What it says.
pub(crate) fn exposed<'a>(text: &'a Text<'_>) -> &'a str {
    match text {
        Either::A(text) => text,
        Either::B(secret) => secret.get().expose(),
    }
}

/// The same, as a secret of the core.
pub(crate) fn owned(text: &Text<'_>) -> secret::Secret {
    secret::Secret::new(exposed(text).to_owned())
}

/// Text that must not be seen.
#[napi]
pub struct Secret(secret::Secret);

impl Secret {
    pub(crate) fn get(&self) -> &secret::Secret {
        &self.0
    }
}

impl From<secret::Secret> for Secret {
    fn from(secret: secret::Secret) -> Self {
        Self(secret)
    }
}

#[napi]
impl Secret {
    /// Takes a text; the caller's own copy stays where it is.
    #[napi(constructor)]
    pub fn new(text: String) -> Self {
        Self(secret::Secret::new(text))
    }

    /// The text itself.
    #[napi]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Whether both hold the same text, in constant time for texts of one length.
    #[napi]
    pub fn equals(&self, other: &Secret) -> bool {
        self.0 == other.0
    }
}
