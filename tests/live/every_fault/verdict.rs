//! Whether what came of a command is what had to come of it.

use serde_json::Value;

use super::ground::Ended;
use crate::fault_cases::Expected;

/// Judges a command with one bad cluster by what it said when all was well.
pub fn judge(expected: Expected, bad: &str, usual: &Ended, ended: &Ended) -> Result<(), String> {
    let Expected { classes, code } = expected;
    if ended.code != Some(code) {
        return Err(format!(
            "exit code {:?}, not {code}: {}",
            ended.code,
            ended.said()
        ));
    }
    if usual.document().is_err() {
        let says = |class: &&str| {
            let class = format!("({class})");
            let mut lines = ended.stderr.lines();
            lines.any(|line| line.contains(bad) && line.contains(&class))
        };
        return if classes.is_empty() || classes.iter().any(says) {
            Ok(())
        } else {
            Err(format!("none of {classes:?} is said of {bad}: {}", ended.said()))
        };
    }
    let document = ended.document()?;
    let found = classes_of(&document, |cluster| cluster == bad);
    let is_right = |class: &String| classes.contains(&class.as_str());
    if found.is_empty() != classes.is_empty() || !found.iter().all(is_right) {
        return Err(format!(
            "classed {found:?}, not {classes:?}: {}",
            document["errors"]
        ));
    }
    if !classes_of(&document, |cluster| cluster != bad).is_empty() {
        return Err(format!("an error of another cluster: {}", document["errors"]));
    }
    if document["complete"] != classes.is_empty() {
        return Err(format!("complete: {}", document["complete"]));
    }
    let (now, before) = (
        of_the_others(&document, bad),
        of_the_others(&usual.document()?, bad),
    );
    match (now.iter(), before.iter()) {
        _ if now == before => Ok(()),
        (mut now_all, mut before_all) => {
            let more = now_all.find(|item| !before.contains(item));
            let less = before_all.find(|item| !now.contains(item));
            Err(format!(
                "of the others is said {more:?}, and is not said {less:?}"
            ))
        }
    }
}

/// The classes of a document's errors, by clusters.
pub fn classes_of(document: &Value, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let errors = document["errors"].as_array().into_iter().flatten();
    errors
        .filter(|error| is_meant(error["cluster"].as_str().unwrap_or_default()))
        .map(|error| error["class"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// What the lists of a document say of other clusters alone.
fn of_the_others(document: &Value, bad: &str) -> Vec<Value> {
    let fields = document.as_object().into_iter().flatten();
    let lists = fields.filter(|(name, value)| value.is_array() && *name != "errors");
    lists
        .flat_map(|(_, list)| list.as_array().into_iter().flatten())
        .map(|item| without(item, bad))
        .filter(|item| !item.to_string().contains(bad))
        .collect()
}

/// An item that does not say of what it waits for in a cluster, nor, where it sums up a reader's
/// links, of how many: the links themselves are compared one by one.
fn without(item: &Value, bad: &str) -> Value {
    let mut item = item.clone();
    let sums_up = |code: &str| code.starts_with("link-");
    if item["code"].as_str().is_some_and(sums_up) {
        item["message"].take();
        item["hint"].take();
    }
    if let Some(needs) = item.get_mut("needs").and_then(Value::as_array_mut) {
        needs.retain(|id| !id.to_string().contains(bad));
    }
    item
}
