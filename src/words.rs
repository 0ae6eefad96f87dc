//! Names and numbers in sentences.

/// How many names are given where there are many.
pub const SHOWN: usize = 5;

/// Names in words: all of a few, some of many.
pub fn some_of<'name>(names: impl IntoIterator<Item = &'name str>) -> String {
    let mut names = names.into_iter();
    let first: Vec<&str> = names.by_ref().take(SHOWN).collect();
    let all = first.len() + names.count();
    first_of(&first, all)
}

/// The first of `all` names, and how many more there are.
pub fn first_of(first: &[&str], all: usize) -> String {
    let mut text = first.join(", ");
    if all > first.len() {
        text.push_str(&format!(" and {} more", all - first.len()));
    }
    text
}

/// A number of things, in the singular where it is one.
pub fn number(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_some_of_them() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(some_of([]), "");
        assert_eq!(some_of(names[..2].iter().copied()), "a, b");
        assert_eq!(some_of(names[..5].iter().copied()), "a, b, c, d, e");
        assert_eq!(some_of(names), "a, b, c, d, e and 2 more");
        assert_eq!(first_of(&names[..1], 7), "a and 6 more");
    }
}
