//! Whether a certificate is for a host (Go's `Certificate.VerifyHostname`): addresses by the addresses
//! that it names, hosts by the hosts that it names, and never by its common name.

use std::net::IpAddr;

use rustls::pki_types::ServerName;

use super::Refusal;
use super::certificate::Certificate;

/// How many names of a certificate are told.
const TOLD: usize = 8;

/// The longest name that is told whole.
const LONGEST: usize = 80;

/// Refuses a certificate that is not for a server's name.
pub(super) fn check(certificate: &Certificate, name: &ServerName<'_>) -> Result<(), Refusal> {
    let is_for = match name {
        ServerName::IpAddress(address) => {
            let wanted = IpAddr::from(*address).to_canonical();
            let mut given = certificate.names.addresses.iter();
            given.any(|address| address.to_canonical() == wanted)
        }
        _ => certificate
            .names
            .hosts
            .iter()
            .any(|pattern| matches(pattern, &name.to_str())),
    };
    if is_for {
        return Ok(());
    }
    let mut names = certificate
        .names
        .hosts
        .iter()
        .map(|host| shown(host))
        .collect::<Vec<_>>();
    names.extend(certificate.names.addresses.iter().map(ToString::to_string));
    let host = name.to_str();
    Err(Refusal(if names.is_empty() {
        format!("names no host at all (its common name does not count), so that it is not for {host}")
    } else {
        let more = names.len().saturating_sub(TOLD);
        names.truncate(TOLD);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!(
            "is for {}{more}, not for {host} (`tls-server-name` in the kubeconfig can say which to expect)",
            names.join(", ")
        )
    }))
}

/// A text from a certificate, fit to be shown.
pub(super) fn shown(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|character| if character.is_control() { '?' } else { character })
        .take(LONGEST)
        .collect();
    if clean.len() < text.len() {
        format!("{clean}…")
    } else {
        clean
    }
}

/// A star is for the whole first label and for nothing else; both sides have to be proper names for
/// it to count.
fn matches(pattern: &str, host: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    if !is_name(&host, false) || !is_name(&pattern, true) {
        return !pattern.is_empty() && pattern != "." && pattern == host;
    }
    let host = host.strip_suffix('.').unwrap_or(&host);
    match pattern.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(_, parent)| parent == rest),
        None => pattern == host,
    }
}

/// Go's `validHostname`.
fn is_name(host: &str, is_pattern: bool) -> bool {
    let host = if is_pattern {
        host
    } else {
        host.strip_suffix('.').unwrap_or(host)
    };
    if host.is_empty() || host == "*" {
        return false;
    }
    host.split('.').enumerate().all(|(index, label)| {
        let is_star = is_pattern && index == 0 && label == "*";
        let fits = |(place, character): (usize, char)| {
            character.is_ascii_alphanumeric() || character == '_' || character == '-' && place > 0
        };
        is_star || !label.is_empty() && label.chars().enumerate().all(fits)
    })
}

#[cfg(test)]
mod tests {
    use super::{matches, shown};

    /// What Go's `VerifyHostname` (1.26) says of the same pairs.
    #[test]
    fn hosts_match_as_in_go() {
        let expected = [
            ("api.example.com", "api.example.com", true),
            ("API.example.com", "api.EXAMPLE.com", true),
            ("api.example.com", "api.example.com.", true),
            ("api.example.com.", "api.example.com", false),
            ("*.example.com", "api.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.b.example.com", false),
            ("*.com", "example.com", true),
            ("*", "localhost", false),
            ("a*.example.com", "api.example.com", false),
            ("api.*.com", "api.example.com", false),
            ("*.*.com", "api.example.com", false),
            ("a_b.example.com", "a_b.example.com", true),
            ("*.example.com", "_x.example.com", true),
            ("-a.example.com", "-a.example.com", true),
            ("localhost", "localhost", true),
            ("", "", false),
            (".", ".", false),
        ];
        for (pattern, host, is_match) in expected {
            assert_eq!(matches(pattern, host), is_match, "{pattern:?} for {host:?}");
        }
    }

    #[test]
    fn what_a_server_says_moves_no_cursor() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a?[2Jb");
        assert!(shown(&"a".repeat(500)).len() < 100);
    }
}
