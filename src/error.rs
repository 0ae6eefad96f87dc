//! What every failure becomes before it is shown: a kind that picks the exit code, a message that
//! says what was being done to what and why it failed, and a hint that says what to type next.
//!
//! Each module has its own `thiserror` enum; it converts into [`Error`] where it leaves the module.
//! Messages never hold a secret: what a library says of a kubeconfig, a credential plugin or a
//! response body is not repeated, since it may quote one.

use std::fmt;

/// What kind of failure it was; the exit codes are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request cannot be met as stated: user, configuration, a refused topology.
    Request,
    /// The command line was not understood.
    Usage,
    /// It differs: changes with `--exit-code`, findings of severity error, a `--wait` that ran out.
    Differs,
    /// Some clusters were done, some failed or could not be read.
    Partial,
    /// A cluster refused or could not be reached, and nothing was done.
    Unreachable,
    /// A bug here.
    Bug,
    /// Interrupted by SIGINT.
    Interrupted,
    /// Ended by SIGTERM.
    Terminated,
}

impl ErrorKind {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Request => 1,
            ErrorKind::Usage => 2,
            ErrorKind::Differs => 3,
            ErrorKind::Partial => 4,
            ErrorKind::Unreachable => 5,
            ErrorKind::Bug => 70,
            ErrorKind::Interrupted => 130,
            ErrorKind::Terminated => 143,
        }
    }
}

/// A failure as it is shown. An empty message means that the answer already said it: only the exit
/// code is left to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Picks the exit code.
    pub kind: ErrorKind,
    /// What was being done to what, and why it failed.
    pub message: String,
    /// What to type next.
    pub hint: Option<String>,
}

impl Error {
    /// A failure of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// A request that cannot be met as stated.
    pub fn request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Request, message)
    }

    /// An exit code whose reason has been printed already.
    pub fn already_said(kind: ErrorKind) -> Self {
        Self::new(kind, "")
    }

    /// The same failure with what to type next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What a command returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
