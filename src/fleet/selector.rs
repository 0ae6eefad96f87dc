//! Label selectors in kubectl's language (apimachinery `labels.Parse`): `env=prod,region!=us`,
//! `tier in (a,b)`, `tier notin (a)`, `tier`, `!tier`. They choose clusters by the fleet file's labels.

use std::collections::BTreeMap;
use std::str::FromStr;

use thiserror::Error;

/// All of its requirements must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no label selector: write `env=prod`, `env!=prod`, `env in (prod,test)`, `env` or `!env`")]
pub struct SelectorError(String);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
}

impl Selector {
    /// Whether the labels meet every requirement. As in Kubernetes, a label that is absent is
    /// also not one of the values that `!=` and `notin` name.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            match &requirement.test {
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => !value.is_some_and(|value| values.contains(value)),
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
            }
        })
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let error = || SelectorError(text.to_owned());
        let mut requirements = Vec::new();
        for part in parts(text) {
            requirements.push(requirement(part.trim()).ok_or_else(error)?);
        }
        if requirements.is_empty() {
            return Err(error());
        }
        Ok(Self(requirements))
    }
}

/// Splits at commas that stand outside of parentheses.
fn parts(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
    .collect()
}

fn requirement(text: &str) -> Option<Requirement> {
    let make = |key: &str, test: Test| {
        let key = key.trim();
        is_key(key).then(|| Requirement {
            key: key.to_owned(),
            test,
        })
    };
    let one = |value: &str| {
        let value = value.trim();
        is_value(value).then(|| vec![value.to_owned()])
    };
    if let Some((key, value)) = text.split_once("!=") {
        return make(key, Test::NotIn(one(value)?));
    }
    if let Some((key, value)) = text.split_once('=') {
        return make(key, Test::In(one(value.strip_prefix('=').unwrap_or(value))?));
    }
    if let Some(list) = text.strip_suffix(')') {
        let (before, list) = list.split_once('(')?;
        let values: Option<Vec<String>> = list
            .split(',')
            .map(|value| one(value).and_then(|mut values| values.pop()))
            .collect();
        let mut words = before.split_whitespace();
        let (key, operator) = (words.next()?, words.next()?);
        return match (operator, words.next()) {
            ("in", None) => make(key, Test::In(values?)),
            ("notin", None) => make(key, Test::NotIn(values?)),
            _ => None,
        };
    }
    match text.strip_prefix('!') {
        Some(key) => make(key, Test::Absent),
        None => make(text, Test::Exists),
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_./".contains(character))
}

fn is_value(text: &str) -> bool {
    text.chars()
        .all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_choose_as_kubectl_does() {
        let labels: BTreeMap<String, String> = [("env", "prod"), ("example.com/region", "us")]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        for (text, matches) in [
            ("env=prod", true),
            ("env==prod", true),
            ("env=test", false),
            ("env!=test", true),
            ("tier!=a", true),
            ("env", true),
            ("!env", false),
            ("!tier", true),
            ("env=prod,example.com/region=us", true),
            ("env=prod, tier", false),
            ("env in (test, prod)", true),
            ("env notin (test,prod),env", false),
            ("env=", false),
            ("tier notin (a)", true),
        ] {
            let selector: Selector = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(selector.matches(&labels), matches, "{text}");
        }
        for bad in [
            "",
            "=a",
            "env=prod,",
            "env in prod",
            "env within (a)",
            "a b",
            "env=(a)",
            "env in (a",
        ] {
            assert!(bad.parse::<Selector>().is_err(), "{bad}");
        }
    }
}
