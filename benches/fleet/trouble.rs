//! Why the benchmark itself could not go on: what was being done, and what went wrong.

use std::fmt;

/// Why the benchmark could not go on.
#[derive(Debug)]
pub struct Trouble(String);

/// What the benchmark's own work gives.
pub type Outcome<T> = Result<T, Trouble>;

impl Trouble {
    /// Trouble in words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Says what was being done when something failed or was not there.
pub trait Doing<T> {
    /// The value, or trouble while this was done.
    fn doing(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Trouble(format!("{what}: {error}")))
    }
}

impl<T> Doing<T> for Option<T> {
    fn doing(self, what: impl fmt::Display) -> Outcome<T> {
        self.ok_or_else(|| Trouble(format!("{what}: there is none")))
    }
}
