//! The catalogue of findings as data: what each is called, how bad it is, what it means, what to do,
//! and the function that looks for it. Codes are stable: scripts and runbooks hold on to them.

use serde::Serialize;

use super::check;
use super::report::Finding;
use super::view::View;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work, or will not soon: exit code 3.
    Error,
    /// Something may not work, or could not be told.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The severity's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// One kind of finding.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Stable, in words.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in one line.
    pub title: &'static str,
    /// Why it matters and how it comes about.
    pub explanation: &'static str,
    /// What to do or type, unless a finding knows better.
    pub hint: &'static str,
    /// It only restates that a cluster could not be read: exit code 4, not 3.
    pub restates_unread: bool,
    /// Looks for it.
    pub check: fn(&View<'_>) -> Vec<Found>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    cluster: Option<String>,
    message: String,
    hint: Option<String>,
}

impl Found {
    /// Found in one cluster.
    pub fn within(cluster: impl AsRef<str>, message: impl Into<String>) -> Self {
        Self {
            cluster: Some(cluster.as_ref().to_owned()),
            message: message.into(),
            hint: None,
        }
    }

    /// Found between clusters.
    pub fn between(message: impl Into<String>) -> Self {
        Self {
            cluster: None,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with what to do or type next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Every kind of finding, in the order in which a mesh is built.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    [
        check::reach::ENTRIES,
        check::control_plane::ENTRIES,
        check::identity::ENTRIES,
        check::network::ENTRIES,
        check::gateway::ENTRIES,
        check::trust::ENTRIES,
        check::authority::ENTRIES,
        check::link::ENTRIES,
        check::secret::ENTRIES,
        check::webhook::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

/// The entry of a code.
pub fn entry(code: &str) -> Option<&'static Entry> {
    entries().find(|entry| entry.code == code)
}

/// What every check finds: the worst first, then by cluster, then in the catalogue's order.
pub fn findings(view: &View<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = entries()
        .flat_map(|entry| (entry.check)(view).into_iter().map(move |found| (entry, found)))
        .map(|(entry, found)| Finding {
            code: entry.code,
            severity: entry.severity,
            cluster: found.cluster,
            message: found.message,
            hint: found.hint.unwrap_or_else(|| entry.hint.to_owned()),
            restates_unread: entry.restates_unread,
        })
        .collect();
    findings.sort_by(|one, other| (one.severity, &one.cluster).cmp(&(other.severity, &other.cluster)));
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_words_and_each_is_there_once() {
        let mut seen = BTreeSet::new();
        for entry in entries() {
            assert!(seen.insert(entry.code), "{} is there twice", entry.code);
            assert!(
                entry.code.contains('-')
                    && entry
                        .code
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{}",
                entry.code
            );
            assert!(!entry.title.ends_with('.'), "{}", entry.code);
            assert!(entry.explanation.ends_with('.'), "{}", entry.code);
            assert!(!entry.hint.is_empty(), "{}", entry.code);
        }
    }
}
