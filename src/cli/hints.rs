//! What mends failures, said below an answer.

use std::collections::BTreeMap;

use crate::inventory::FailureClass;
use crate::render::Terminal;
use crate::words::some_of;

/// Says what mends these failures, once a class: each failure by its kubeconfig context.
pub fn say<'failure>(failures: impl IntoIterator<Item = (&'failure str, FailureClass)>, terminal: &Terminal) {
    for hint in hints(failures) {
        terminal.say(&format!("hint: {hint}"));
    }
}

fn hints<'failure>(failures: impl IntoIterator<Item = (&'failure str, FailureClass)>) -> Vec<String> {
    let mut by_class: BTreeMap<FailureClass, Vec<&str>> = BTreeMap::new();
    for (context, class) in failures {
        let contexts = by_class.entry(class).or_default();
        if !contexts.contains(&context) {
            contexts.push(context);
        }
    }
    by_class
        .into_iter()
        .map(|(class, contexts)| {
            let context = if let [context] = contexts[..] {
                context
            } else {
                "CONTEXT"
            };
            format!(
                "{} ({}): {}",
                some_of(contexts.iter().copied()),
                class.as_str(),
                class.hint(context)
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_said_once_with_whom_it_is_about() {
        let said = hints([
            ("east", FailureClass::Throttled),
            ("west", FailureClass::Throttled),
            ("west", FailureClass::Throttled),
            ("north", FailureClass::Tcp),
        ]);
        assert_eq!(said.len(), 2);
        assert!(
            said[0].starts_with("north (tcp): ") && said[0].contains("--context north "),
            "{said:?}"
        );
        assert!(said[1].starts_with("east, west (throttled): "), "{said:?}");
    }
}
