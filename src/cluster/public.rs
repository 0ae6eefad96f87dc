//! What of a text that should hold certificates may be shown: people keep a key in the same file,
//! and paste one where the other belongs.

use crate::trust::Certificate;
use crate::trust::certificate::fingerprint;

/// A text with nothing but its certificates. A block that is none is left without its content, so
/// that it still is found to be none; of a text without blocks nothing but a fingerprint is left.
pub(super) fn certificates_only(text: &str) -> String {
    let mut shown = String::new();
    let mut block: Option<(String, String)> = None;
    for line in text.split_inclusive('\n') {
        let mark = line.trim_end();
        if let Some(label) = label(mark, "-----BEGIN ") {
            block = Some((label, String::new()));
        } else if label(mark, "-----END ").is_some()
            && let Some((label, content)) = block.take()
        {
            let kept = if is_certificate(&label, &content) {
                &content
            } else {
                ""
            };
            let end = if line.ends_with('\n') { "\n" } else { "" };
            shown.push_str(&format!(
                "-----BEGIN {label}-----\n{kept}-----END {label}-----{end}"
            ));
        } else if let Some((_, content)) = &mut block {
            content.push_str(line);
        }
    }
    if shown.is_empty() && !text.is_empty() {
        return format!("<redacted {}>", fingerprint(text.as_bytes()));
    }
    shown
}

/// The label of a block's first or last line, where it is one that programs write.
fn label(line: &str, begin: &str) -> Option<String> {
    let label = line.strip_prefix(begin)?.strip_suffix("-----")?;
    let is_plain = |character: char| character.is_ascii_uppercase() || character == ' ';
    Some(if label.chars().all(is_plain) {
        label.to_owned()
    } else {
        "UNKNOWN".to_owned()
    })
}

fn is_certificate(label: &str, content: &str) -> bool {
    use base64::Engine as _;
    let compact: String = content
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .collect();
    label == "CERTIFICATE"
        && base64::engine::general_purpose::STANDARD
            .decode(compact)
            .is_ok_and(|der| Certificate::from_der(&der).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::{CertificateError, parse_bundle};

    #[test]
    fn only_certificates_are_kept() {
        let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        assert_eq!(certificates_only(&certificate), certificate);
        assert_eq!(certificates_only(certificate.trim_end()), certificate.trim_end());
        let mixed = format!("hunter2\n{key}{certificate}");
        let shown = certificates_only(&mixed);
        assert!(
            shown.ends_with(&certificate) && !shown.contains("hunter2"),
            "{shown}"
        );
        assert!(!shown.contains(key.lines().nth(1).unwrap()), "{shown}");
        // It is as wrong as it was.
        assert!(matches!(
            parse_bundle(&shown),
            Err(CertificateError::NotACertificate { position: 1, .. })
        ));
        let damaged = certificates_only("-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n");
        assert!(!damaged.contains("hunter2") && parse_bundle(&damaged).is_err());
        assert!(certificates_only("hunter2").starts_with("<redacted "));
        assert_eq!(certificates_only(""), "");
    }
}
