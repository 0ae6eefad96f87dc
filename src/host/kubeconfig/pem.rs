//! Certificates in PEM, as Go reads them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END CERTIFICATE-----";

/// The certificates of a text, DER, in their order. What is none is passed over: other blocks, blocks
/// with headers, ones that are cut off or rotten, and whatever stands around them (Go's
/// `x509.CertPool.AppendCertsFromPEM`, RFC 7468).
pub(super) fn certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(pem);
    let mut certificates = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines().map(str::trim_end) {
        if line.starts_with(BEGIN) {
            block = (line == "-----BEGIN CERTIFICATE-----").then(String::new);
        } else if line == END {
            let der = block.take().and_then(|body| STANDARD.decode(body).ok());
            certificates.extend(der.filter(|der| X509Certificate::from_der(der).is_ok()));
        } else if let Some(body) = &mut block {
            // A header has a colon, which is not of base64's alphabet: the block does not decode.
            body.extend(line.chars().filter(|character| !character.is_whitespace()));
        }
    }
    certificates
}

/// A certificate as PEM again: what is passed on holds nothing but certificates, whatever else the
/// file that they came from holds.
pub(super) fn of_certificate(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|start| &text[start..text.len().min(start + 64)])
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_passed_over() {
        let made = |name: &str| {
            let issued = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
            (
                issued.cert.der().to_vec(),
                issued.cert.pem(),
                issued.signing_key.serialize_pem(),
            )
        };
        let ((first, first_pem, key), (second, second_pem, _)) = (made("a"), made("b"));
        let rotten = first_pem.replacen("MII", "MIX", 1);
        let cut_off = first_pem.lines().take(3).collect::<Vec<_>>().join("\n");
        let headed = first_pem.replacen("CERTIFICATE-----\n", "CERTIFICATE-----\nA: b\n\n", 1);
        let bundle = format!(
            "# the authority\n{key}{rotten}{cut_off}\n{headed}{}{second_pem}",
            first_pem.replace('\n', "\r\n")
        );
        assert_eq!(certificates(bundle.as_bytes()), [first.clone(), second]);
        assert_eq!(certificates(of_certificate(&first).as_bytes()), [first]);
        assert!(certificates(rotten.as_bytes()).is_empty());
        assert!(certificates(b"\xFF\xFE").is_empty());
    }
}
