//! Names that are checked once, where they enter: clusters, fleets, networks, namespaces, contexts.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not a name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// A DNS-1123 label was wanted (RFC 1123 §2.1, Kubernetes' `IsDNS1123Label`).
    #[error(
        "{value:?} is no {what}: at most 63 lower-case letters, digits and `-`, beginning and ending with a letter or digit"
    )]
    Label {
        /// What the name was meant for, in the fleet file's words.
        what: &'static str,
        /// The text as it was given.
        value: String,
    },
    /// A Kubernetes label value was wanted (`IsValidLabelValue`), and not an empty one.
    #[error(
        "{value:?} is no {what}: at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit"
    )]
    LabelValue {
        /// What the name was meant for, in the fleet file's words.
        what: &'static str,
        /// The text as it was given.
        value: String,
    },
}

fn is_label(value: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = value.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|&byte| alphanumeric(byte) || byte == b'-')
        && alphanumeric(bytes[0])
        && alphanumeric(bytes[bytes.len() - 1])
}

fn is_label_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && bytes[0].is_ascii_alphanumeric()
        && bytes[bytes.len() - 1].is_ascii_alphanumeric()
}

/// What of a text is told where it is no name: it may have lost its end and hold what came after
/// it, which may be one of Istio's values.
fn told(value: &str) -> String {
    let end = value.find(|character: char| character.is_control() || "\"'{}[],:".contains(character));
    match end {
        Some(end) => format!("{}…", &value[..end]),
        None => value.chars().take(64).collect(),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:ident, $error:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(value: String) -> Result<Self, NameError> {
                if $check(&value) {
                    Ok(Self(value))
                } else {
                    Err(NameError::$error { what: $what, value: told(&value) })
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(value: &str) -> Result<Self, NameError> {
                Self::try_from(value.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// A cluster's name in the fleet, which is also Istio's cluster ID and the key of its remote
    /// secret: a DNS-1123 label.
    ClusterName, "cluster name", is_label, Label
);
name!(
    /// A fleet's name: a DNS-1123 label, since it becomes part of object names.
    FleetName, "fleet name", is_label, Label
);
name!(
    /// A network, Istio's `topology.istio.io/network`: a label value.
    NetworkName, "network name", is_label_value, LabelValue
);
name!(
    /// A namespace: a DNS-1123 label.
    NamespaceName, "namespace", is_label, Label
);

impl ClusterName {
    /// The cluster name that stands for a kubeconfig context whose own name may be anything:
    /// `gke_project_zone_blue` becomes `blue`, `arn:aws:eks:us-east-1:1:cluster/x` becomes `x`,
    /// `admin@prod` becomes `admin-prod`. A text with nothing usable in it becomes `cluster`.
    pub fn proposed_for(context: &str) -> Self {
        let own_part = match context.rsplit_once(":cluster/") {
            Some((arn, name)) if arn.starts_with("arn:") => name,
            _ => match context.strip_prefix("gke_") {
                Some(rest) => rest.splitn(3, '_').nth(2).unwrap_or(rest),
                None => context,
            },
        };
        let mut proposed = String::new();
        for character in own_part.chars() {
            let character = character.to_ascii_lowercase();
            if character.is_ascii_lowercase() || character.is_ascii_digit() {
                proposed.push(character);
            } else if !proposed.is_empty() && !proposed.ends_with('-') {
                proposed.push('-');
            }
        }
        proposed.truncate(63);
        let proposed = proposed.trim_end_matches('-');
        Self(if proposed.is_empty() { "cluster" } else { proposed }.to_owned())
    }

    /// This name made different from those already taken, by the lowest number that fits: `blue-2`.
    #[must_use]
    pub fn made_unique(self, taken: impl Fn(&ClusterName) -> bool) -> Self {
        if !taken(&self) {
            return self;
        }
        let mut number = 2_u64;
        loop {
            let suffix = format!("-{number}");
            let stem = &self.0[..self.0.len().min(63 - suffix.len())];
            let candidate = Self(format!("{}{suffix}", stem.trim_end_matches('-')));
            if !taken(&candidate) {
                return candidate;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_become_cluster_names() {
        for (context, name) in [
            ("east", "east"),
            ("arn:aws:eks:us-east-1:1:cluster/x", "x"),
            ("gke_p_z_c", "c"),
            ("gke_my-project_europe-west1_blue_green", "blue-green"),
            ("gke_broken", "broken"),
            ("admin@Prod.example", "admin-prod-example"),
            ("***", "cluster"),
            ("-x-", "x"),
        ] {
            assert_eq!(ClusterName::proposed_for(context).as_str(), name, "{context}");
        }
        let long = ClusterName::proposed_for(&"a".repeat(200));
        assert_eq!(long.as_str().len(), 63);
        assert_eq!(
            long.clone().made_unique(|name| *name == long).as_str(),
            format!("{}-2", "a".repeat(61))
        );
    }

    #[test]
    fn names_are_checked() {
        assert!("a-1".parse::<ClusterName>().is_ok());
        for bad in ["", "A", "a_b", "-a", "a-", &"a".repeat(64)] {
            assert!(bad.parse::<ClusterName>().is_err(), "{bad}");
        }
        assert!("Net_1.x".parse::<NetworkName>().is_ok());
        assert!("".parse::<NetworkName>().is_err());
    }
}
