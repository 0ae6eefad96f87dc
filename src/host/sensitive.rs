//! Keys and tokens: a type that shows `<redacted>` wherever it is shown, and what of a URL and of a
//! PEM text can be shown.

use std::fmt;

/// Text that must not be shown. It is never serialised: there is no implementation to do it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sensitive(String);

impl Sensitive {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

impl fmt::Display for Sensitive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

/// What of a URL can be shown: scheme, host, port and path. Users and passwords stand before the
/// host, and people keep tokens in queries. Empty where it is not told for sure what is what, as
/// where a password holds a `/`.
pub fn shown_url(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_scheme = |character: char| character.is_ascii_alphanumeric() || "+-.:/".contains(character);
    if is_host(host) && !path.contains('@') && scheme.chars().all(is_scheme) {
        format!("{scheme}{host}{path}")
    } else {
        String::new()
    }
}

/// Whether a text is `host`, `host:port` or the like with an IPv6 address.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse::<u16>().is_ok()),
        _ => (text, true),
    };
    let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_part = |character: char| match bracketed {
        Some(_) => character.is_ascii_hexdigit() || ":.%".contains(character),
        None => character.is_ascii_alphanumeric() || "-._".contains(character),
    };
    let name = bracketed.unwrap_or(name);
    port && !name.is_empty() && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (url, shown) in [
            ("https://a.example:6443/k8s", "https://a.example:6443/k8s"),
            ("https://u:hunter2@a.example/", "https://a.example/"),
            ("u:hunter2@a.example:80", "a.example:80"),
            ("https://[fd00::1]:6443", "https://[fd00::1]:6443"),
            ("https://u:p@w@[::1]", "https://[::1]"),
            ("https://a.example/x?token=hunter2#hunter2", "https://a.example/x"),
            ("https://u:hunter2/b@a.example", ""),
            ("https://u:1/hunter2@a.example", ""),
            ("https://u:hunter2?@a.example", ""),
            ("https:/u:hunter2@a.example", ""),
            ("https//u:hunter2@a.example", ""),
            ("https://u:hunter2", ""),
            ("", ""),
        ] {
            assert_eq!(shown_url(url), shown, "{url}");
        }
    }
}
