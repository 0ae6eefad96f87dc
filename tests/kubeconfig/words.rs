//! What is written where something else belongs: lists of values, and names.

use std::sync::OnceLock;

/// Values that are read well, and are not what they look like.
pub fn odd() -> &'static [&'static str] {
    static LIST: OnceLock<Vec<&'static str>> = OnceLock::new();
    LIST.get_or_init(|| words(include_str!("odd.txt")))
}

/// Values that are refused, or that change how what is around them is read.
pub fn broken() -> &'static [&'static str] {
    static LIST: OnceLock<Vec<&'static str>> = OnceLock::new();
    LIST.get_or_init(|| words(include_str!("broken.txt")))
}

/// A value on each line; `⟨a⟩` is the character U+000A.
fn words(list: &str) -> Vec<&'static str> {
    let word = |line: &str| {
        let mut word = String::new();
        for (index, part) in line.split('⟨').enumerate() {
            match part.split_once('⟩') {
                Some((code, rest)) if index > 0 => {
                    word.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
                    word.push_str(rest);
                }
                _ => word.push_str(part),
            }
        }
        &*word.leak()
    };
    list.lines().map(word).collect()
}

/// Keys that are texts, or become texts.
pub const KEYS: &[&str] = &[
    "a",
    "b",
    "2",
    "1.5",
    "1e30",
    "1e-5",
    "123456789.125",
    "yes",
    "\"b\"",
    "0x10",
    "é",
    "a b",
    "2001-01-01",
    ".inf",
    "-.inf",
    "100000.0",
    "1e6",
    "-0.0",
    "!!binary YQ==",
    "<",
];

/// Names, in quarters: an entry takes one of the quarter of its place in the list.
pub const NAMES: &[&str] = &[
    "a",
    "\"1\"",
    "'a'",
    "b",
    "a.b/c@d",
    "\"\"",
    "c",
    "É",
    "arn:aws:eks:x/y",
    "dev",
    "prod-east",
    "dev",
];
