//! Certificates that many clusters have, parsed once: the roots of a mesh lie in each of its clusters
//! several times.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::trust::{Certificate, CertificateError, parse_bundle};

/// What texts were found to hold.
#[derive(Debug, Default)]
pub struct Bundles {
    parsed: RefCell<HashMap<String, Result<Vec<Certificate>, CertificateError>>>,
}

impl Bundles {
    /// The certificates in a PEM text.
    pub fn parse(&self, text: &str) -> Result<Vec<Certificate>, CertificateError> {
        if let Some(known) = self.parsed.borrow().get(text) {
            return known.clone();
        }
        let parsed = parse_bundle(text);
        self.parsed.borrow_mut().insert(text.to_owned(), parsed.clone());
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_once_and_always_says_the_same() {
        let bundles = Bundles::default();
        let texts = [
            "",
            "no certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ];
        for text in texts.iter().chain(&texts) {
            assert_eq!(bundles.parse(text), parse_bundle(text));
        }
        assert_eq!(bundles.parsed.borrow().len(), texts.len());
    }
}
