//! What mends failures, said below an answer.

use std::collections::BTreeMap;

use crate::inventory::FailureClass;
use crate::render::Terminal;
use crate::words::some_of;

/// A failure: the kubeconfig context that was tried, the class, and what was said of it.
pub type Told<'failure> = (&'failure str, FailureClass, &'failure str);

/// Says what mends these failures, once for all that the same mends.
pub fn say<'failure>(failures: impl IntoIterator<Item = Told<'failure>>, terminal: &Terminal) {
    for hint in hints(failures) {
        terminal.say(&format!("hint: {hint}"));
    }
}

fn hints<'failure>(failures: impl IntoIterator<Item = Told<'failure>>) -> Vec<String> {
    let mut alike: BTreeMap<(FailureClass, String), (&str, Vec<&str>)> = BTreeMap::new();
    for (context, class, message) in failures {
        let key = (class, class.hint(message, "CONTEXT"));
        let (_, contexts) = alike.entry(key).or_insert((message, Vec::new()));
        if !contexts.contains(&context) {
            contexts.push(context);
        }
    }
    alike
        .into_iter()
        .map(|((class, of_any), (message, contexts))| {
            let hint = if let [context] = contexts[..] {
                class.hint(message, context)
            } else {
                of_any
            };
            format!(
                "{} ({}): {hint}",
                some_of(contexts.iter().copied()),
                class.as_str()
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
            ("east", FailureClass::Throttled, "slow"),
            ("west", FailureClass::Throttled, "slower"),
            ("west", FailureClass::Throttled, "slow"),
            ("north", FailureClass::Tcp, "refused"),
        ]);
        assert_eq!(said.len(), 2);
        assert!(
            said[0].starts_with("north (tcp): ") && said[0].contains("--context north "),
            "{said:?}"
        );
        assert!(said[1].starts_with("east, west (throttled): "), "{said:?}");
    }
}
