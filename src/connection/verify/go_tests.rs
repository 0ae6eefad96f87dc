//! Chains of certificates made at random by Go (`tests/certificates/chains.go`): what Go's own verifier
//! says of each, which is what kubectl would do, and what ours says.

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::Value;

use super::Verifier;
use crate::connection::endpoint::Authority;

/// How many; each is some 0.4 ms here and 1 ms in Go.
const CHAINS: usize = 2_500;

/// The moment that the program judges at: 2026-06-01.
const NOW: Duration = Duration::from_secs(1_780_272_000);

fn bytes(list: &Value) -> Vec<Vec<u8>> {
    let engine = base64::engine::general_purpose::STANDARD;
    let texts = list.as_array().unwrap().iter().map(|text| text.as_str().unwrap());
    texts.map(|text| engine.decode(text).unwrap()).collect()
}

#[test]
fn what_go_accepts_is_accepted_and_only_that() {
    let made = Command::new("go")
        .args(["run", "chains.go", &CHAINS.to_string(), "1"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates"))
        .env("GOTOOLCHAIN", "local")
        .output()
        .expect("go runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = String::from_utf8(made.stdout).unwrap();
    let mut agreed = [0, 0];
    let mut different = Vec::new();
    for line in text.lines() {
        let chain: Value = serde_json::from_str(line).unwrap();
        let accepted = chain["accepted"].as_bool().unwrap();
        let presented: Vec<CertificateDer<'_>> = bytes(&chain["chain"])
            .into_iter()
            .map(CertificateDer::from)
            .collect();
        let presented: Vec<_> = presented.iter().collect();
        let host = chain["host"].as_str().unwrap();
        let ours = match Verifier::new(&Authority::Certificates(bytes(&chain["roots"]))) {
            Ok(verifier) => verifier
                .check(
                    &presented,
                    &ServerName::try_from(host).unwrap(),
                    UnixTime::since_unix_epoch(NOW),
                )
                .map_err(|refusal| refusal.0),
            Err(trouble) => Err(trouble.message),
        };
        if ours.is_ok() == accepted {
            agreed[usize::from(accepted)] += 1;
        } else {
            different.push(format!("Go: {accepted} {}; ours: {ours:?}; {line}", chain["why"]));
        }
    }
    assert!(
        different.is_empty(),
        "{} differ, such as\n{}",
        different.len(),
        different[0]
    );
    assert_eq!(agreed.iter().sum::<usize>(), CHAINS);
    assert!(
        agreed.iter().all(|count| *count > CHAINS / 4),
        "too one-sided: {agreed:?}"
    );
}
