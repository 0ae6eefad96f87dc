//! Patterns that choose kubeconfig contexts: `east`, `prod-*`, `lab-?`. `*` stands for any text,
//! `?` for one character; all else stands for itself, since names hold colons, slashes and dots.

use std::fmt;

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern from what was typed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it stands for more than one name.
    pub fn is_wild(&self) -> bool {
        self.0.contains(['*', '?'])
    }

    /// Whether it stands for a name, the whole of it.
    pub fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.chars().collect();
        let (mut at_pattern, mut at_name) = (0, 0);
        // Where the last `*` was, and how much of the name it stood for then.
        let mut star: Option<(usize, usize)> = None;
        while at_name < name.len() {
            match pattern.get(at_pattern) {
                Some('*') => {
                    star = Some((at_pattern, at_name));
                    at_pattern += 1;
                }
                Some(&wanted) if wanted == '?' || wanted == name[at_name] => {
                    at_pattern += 1;
                    at_name += 1;
                }
                _ => {
                    let Some((star_pattern, star_name)) = star else {
                        return false;
                    };
                    star = Some((star_pattern, star_name + 1));
                    at_pattern = star_pattern + 1;
                    at_name = star_name + 1;
                }
            }
        }
        pattern[at_pattern..].iter().all(|&left| left == '*')
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Which contexts are meant: those that a pattern includes (all where there is none) and none
/// excludes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl Patterns {
    /// From what `--context` and `--exclude` were given.
    pub fn new(include: &[String], exclude: &[String]) -> Self {
        let patterns = |texts: &[String]| texts.iter().map(Pattern::new).collect();
        Self {
            include: patterns(include),
            exclude: patterns(exclude),
        }
    }

    /// Whether nothing was typed, so that everything is meant.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether a context is meant.
    pub fn matches(&self, name: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// The first including pattern that stands for none of the names: probably a slip.
    pub fn unmatched(&self, names: &[&str]) -> Option<&Pattern> {
        self.include
            .iter()
            .find(|pattern| !names.iter().any(|name| pattern.matches(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_whole_names() {
        for (pattern, name, matches) in [
            ("east", "east", true),
            ("east", "east-1", false),
            ("prod-*", "prod-", true),
            ("prod-*", "prod-east", true),
            ("prod-*", "preprod-east", false),
            ("*east*", "prod-east-1", true),
            ("lab-?", "lab-1", true),
            ("lab-?", "lab-", false),
            ("lab-?", "lab-10", false),
            ("*-*-1", "a-b-c-1", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("arn:*:cluster/x", "arn:aws:eks:us-east-1:1:cluster/x", true),
            ("a.c", "abc", false),
            ("[ab]", "a", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn excluding_is_stronger() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let patterns = Patterns::new(&words(&["prod-*", "lab"]), &words(&["*-old"]));
        assert!(patterns.matches("prod-east") && patterns.matches("lab"));
        assert!(!patterns.matches("prod-old") && !patterns.matches("east"));
        assert!(Patterns::new(&[], &words(&["a"])).matches("b"));
        let unmatched = patterns.unmatched(&["prod-east"]);
        assert_eq!(unmatched, Some(&Pattern::new("lab")));
    }
}
