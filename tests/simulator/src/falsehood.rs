//! Answers made untrue after they were given: another cluster's identity, lists that are far too long.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::Value;

use crate::answer::{Answer, Content};
use crate::api::Asked;
use crate::fault::Fault;
use crate::resource::Target;

/// How many bytes each object has that swells a list.
const OBJECT: usize = 1000;

/// Makes an answer say what a fault has it say.
pub fn falsify(answer: &mut Answer, fault: &Fault, asked: &Asked<'_>) {
    let Content::Whole(bytes) = &answer.content else {
        return;
    };
    let is_of =
        |resource: &str| Target::of(asked.path).is_some_and(|target| target.resource().plural == resource);
    let false_bytes = match fault {
        Fault::AnotherUid(uid) if asked.path == "/api/v1/namespaces/kube-system" => with_uid(bytes, uid),
        Fault::Swollen(resource, by) if asked.verb() == "list" && is_of(resource) => swollen(bytes, *by),
        _ => None,
    };
    if let Some(bytes) = false_bytes {
        answer.content = Content::Whole(bytes);
    }
}

/// An object with another UID.
fn with_uid(bytes: &Bytes, uid: &str) -> Option<Bytes> {
    let mut object: Value = serde_json::from_slice(bytes).ok()?;
    *object.pointer_mut("/metadata/uid")? = uid.into();
    Some(object.to_string().into())
}

/// A list with so many bytes more, in objects that are like its own and mean nothing. The text is not
/// read: this is done while others are answered.
fn swollen(bytes: &Bytes, by: usize) -> Option<Bytes> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end();
    let before = text.strip_suffix("]}")?;
    let namespace = if text.contains("\"kind\":\"NamespaceList\"") {
        ""
    } else {
        "\"namespace\":\"default\","
    };
    let note = "n".repeat(OBJECT - 250);
    let mut whole = String::with_capacity(bytes.len() + by + OBJECT);
    whole.push_str(before);
    for number in 0..by / OBJECT {
        if number > 0 || !before.ends_with('[') {
            whole.push(',');
        }
        let _ = write!(
            whole,
            r#"{{"metadata":{{"name":"swollen-{number}",{namespace}"uid":"00000000-0000-4000-8000-{number:012}","resourceVersion":"1","creationTimestamp":"2026-01-01T00:00:00Z","annotations":{{"example.com/note":"{note}"}}}}}}"#
        );
    }
    whole.push_str("]}\n");
    Some(whole.into())
}
