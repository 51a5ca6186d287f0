//! Authenticity as a type.

/// A value whose origin has been proven by a signature that handfast itself checked.
///
/// There is no public constructor and no `Deserialize`: the only way to hold one is to have called the verifying
/// function of its module. Code that takes a `Verified<T>` cannot be handed unchecked input by mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// Called by the verifiers of this crate, after the last check.
    #[must_use]
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// The proven value.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Gives up the proof and keeps the value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
