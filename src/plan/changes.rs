//! What a step changes, field by field, and how that is shown (`-o diff`).

use serde_json::Value;
use similar::TextDiff;

use super::adoption::adopted_differences;
use super::difference::{Difference, differences};
use super::ownership::{FIELD_MANAGER, FIELDS_MANAGER};
use super::{Action, Content, STAND_IN, Step};
use crate::inventory::kind::{CUSTOM_RESOURCE_DEFINITION, SECRET};
use crate::inventory::{Inventory, Object};
use crate::yaml;

/// Up to so many characters a value stands on one line.
const SHORT: usize = 80;

/// The fields that an update changes; none where the step is no update, or where what changes is made
/// when it is carried out. A Secret's data is never among them.
pub fn changes(step: &Step, inventory: &Inventory) -> Vec<Difference> {
    let live = inventory
        .seen(&step.cluster)
        .and_then(|seen| seen.object(&step.object));
    let Some(live) = live.filter(|_| step.action == Action::Update) else {
        return Vec::new();
    };
    let mut changes = match &step.content {
        Content::Apply(object) | Content::ApplyAtAddress(object, _) => match step.adopts {
            true => adopted_differences(object, live),
            false => differences(object, live, FIELD_MANAGER),
        },
        Content::Label(object) => differences(object, live, FIELDS_MANAGER),
        Content::Merge(changes) => merged(changes, live),
        Content::IssueIntermediate(profile) => differences(&profile.secret, live, ""),
        Content::RemoteSecret(content) => differences(&content.secret, live, ""),
        Content::Delete { .. } | Content::MakeRoot | Content::Await(_) => Vec::new(),
    };
    if step.object.kind == SECRET.kind {
        let is_data = |path: &str| path.starts_with("data") || path.starts_with("stringData");
        changes.retain(|change| !is_data(&change.path));
    }
    changes
}

/// The fields that a merge patch changes.
fn merged(patch: &Value, live: &Object) -> Vec<Difference> {
    let mut changes = Vec::new();
    let mut left: Vec<(Vec<&str>, &Value)> = vec![(Vec::new(), patch)];
    while let Some((path, patch)) = left.pop() {
        if let Value::Object(fields) = patch {
            let below = fields.iter().rev();
            left.extend(below.map(|(key, value)| ([&path[..], &[key]].concat(), value)));
            continue;
        }
        let desired = (!patch.is_null()).then(|| patch.clone());
        let live = live.at(&path).cloned();
        if desired != live {
            let path = path.join(".");
            changes.push(Difference { path, live, desired });
        }
    }
    changes
}

/// What a step changes, as the lines below it: of what is created all of it, of what is updated the
/// fields that change. As `kubectl diff` does, it shows all but what a Secret holds.
pub fn lines(step: &Step, inventory: &Inventory) -> Vec<String> {
    let mut lines = match (step.action, &step.content) {
        (
            Action::Create,
            Content::Apply(object) | Content::Label(object) | Content::ApplyAtAddress(object, _),
        ) => whole(object),
        (Action::Create, Content::IssueIntermediate(profile)) => whole(&profile.secret),
        (Action::Create, Content::RemoteSecret(content)) => whole(&content.secret),
        _ => changes(step, inventory).iter().flat_map(shown).collect(),
    };
    if matches!(
        step.content,
        Content::IssueIntermediate(_) | Content::RemoteSecret(_)
    ) {
        lines.push("data: made when it is carried out, and never shown".to_owned());
    }
    if let Content::ApplyAtAddress(_, awaited) = &step.content {
        lines.push(format!(
            "{STAND_IN}: the address that {} in {} will have",
            awaited.service, awaited.cluster
        ));
    }
    lines.iter().map(|line| printable(line)).collect()
}

/// An object that is created.
fn whole(object: &Object) -> Vec<String> {
    let mut object = object.clone();
    if object.is_of(SECRET)
        && let Some(fields) = object.0.as_object_mut()
    {
        fields.remove("data");
        fields.remove("stringData");
    }
    let text = written(&object.0);
    if object.is_of(CUSTOM_RESOURCE_DEFINITION) {
        return vec![format!(
            "+ {} lines, as Istio's release has them",
            text.lines().count()
        )];
    }
    text.lines().map(|line| format!("+ {line}")).collect()
}

/// A field that changes: on one line where it fits, else the lines that differ.
fn shown(change: &Difference) -> Vec<String> {
    let (live, desired) = (side(change.live.as_ref()), side(change.desired.as_ref()));
    if live.chars().count() <= SHORT && desired.chars().count() <= SHORT {
        return vec![format!("{}: {live} → {desired}", change.path)];
    }
    let text = |value: &Option<Value>| match value {
        None => String::new(),
        // Lines of a text, such as a file in a ConfigMap.
        Some(Value::String(text)) => text.clone(),
        Some(value) => written(value),
    };
    let (live, desired) = (text(&change.live), text(&change.desired));
    let difference = TextDiff::from_lines(&live, &desired);
    let difference = difference.unified_diff().context_radius(1).to_string();
    let lines = difference.lines().map(|line| format!("  {line}"));
    std::iter::once(format!("{}:", change.path))
        .chain(lines)
        .collect()
}

/// One side of a change, as JSON.
fn side(value: Option<&Value>) -> String {
    value.map_or_else(|| "(none)".to_owned(), Value::to_string)
}

fn written(value: &Value) -> String {
    // A JSON value can always be written.
    yaml::to_string(value).unwrap_or_default()
}

/// A line with nothing in it that a terminal acts on: what stands is written by many.
fn printable(line: &str) -> String {
    let replaced = |character: char| match character.is_control() && character != '\t' {
        true => char::REPLACEMENT_CHARACTER,
        false => character,
    };
    line.chars().map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(live: Option<Value>, desired: Option<Value>) -> Vec<String> {
        let path = "spec.x".to_owned();
        shown(&Difference { path, live, desired })
    }

    #[test]
    fn a_short_change_is_one_line_and_a_long_one_those_that_differ() {
        assert_eq!(
            change(Some(json!(1)), Some(json!("two"))),
            ["spec.x: 1 → \"two\""]
        );
        assert_eq!(
            change(None, Some(json!({"a": 1}))),
            ["spec.x: (none) → {\"a\":1}"]
        );
        let long = |middle: &str| format!("{}\n{middle}\n{}\n", "first ".repeat(10), "last ".repeat(10));
        let lines = change(Some(json!(long("old\u{1b}[2J"))), Some(json!(long("new"))));
        assert_eq!(lines[0], "spec.x:");
        assert!(lines.contains(&"  -old\u{1b}[2J".to_owned()), "{lines:?}");
        assert_eq!(
            printable("a\u{1b}[2J\u{9b}2J\u{7f}"),
            "a\u{fffd}[2J\u{fffd}2J\u{fffd}"
        );
        assert!(lines.contains(&"  +new".to_owned()), "{lines:?}");
    }

    #[test]
    fn what_is_created_is_shown_without_what_a_secret_holds() {
        let secret = Object(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"token": "c2VjcmV0"},
            "stringData": {"token": "secret"},
        }));
        let lines = whole(&secret);
        assert_eq!(
            lines,
            ["+ apiVersion: v1", "+ kind: Secret", "+ metadata:", "+   name: a"]
        );
    }
}
