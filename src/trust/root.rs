//! What this machine has of the fleet's root, as the planner sees it: never the key itself.

use super::certificate::Certificate;
use crate::fleet::{Fleet, Root};

/// The root on this machine. All empty: there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RootOnHand {
    /// Its certificate.
    pub certificate: Option<Certificate>,
    /// Its key.
    pub key: KeyOnHand,
    /// Why what is here cannot be used; nothing is signed then.
    pub problem: Option<String>,
    /// What the reader should know of it, such as that the key lies unencrypted.
    pub remarks: Vec<String>,
}

/// How the root's key lies on this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyOnHand {
    /// Not here.
    #[default]
    Absent,
    /// Here, unencrypted.
    Plain,
    /// Here, encrypted with a passphrase.
    Encrypted,
}

impl RootOnHand {
    /// The root certificate's fingerprint, where there is one.
    pub fn sha256(&self) -> Option<&str> {
        self.certificate
            .as_ref()
            .map(|certificate| certificate.sha256.as_str())
    }

    /// Whether an intermediate can be signed here.
    pub fn can_sign(&self) -> bool {
        self.certificate.is_some() && self.key != KeyOnHand::Absent && self.problem.is_none()
    }

    /// The fingerprint that the fleet file should pin and does not: whoever holds the root says
    /// which it is, so that any other machine can check it.
    pub fn pin_for(&self, fleet: &Fleet) -> Option<&str> {
        match fleet.spec.trust.root {
            Root::Managed | Root::Files if fleet.spec.trust.root_sha256.is_empty() => self.sha256(),
            Root::Managed | Root::Files | Root::Csr | Root::External => None,
        }
    }
}
