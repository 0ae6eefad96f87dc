//! Writes whose answer was lost: whether they were carried out is looked up before they are sent
//! again. By verb:
//!
//! | sent | what stands | then |
//! |---|---|---|
//! | apply | the object, with all of the intent, and the manager owns no more than that | done |
//! | apply | anything else | sent again: the same intent twice is one intent, and a UID that it names is still the server's to check |
//! | patch | the object with all that was to change | done |
//! | patch | anything else | sent again: the same changes twice are one, of one UID |
//! | create | nothing | sent again |
//! | create | the object with all that was to be created | done |
//! | create | another of that name | it stands already: the refusal that the server gives |
//! | delete | nothing, or another UID, or the object on its way out | done |
//! | delete | the object, and a UID was named | sent again |
//! | delete | the object, and no UID was named | not known: it may be one made since |
//!
//! Where the look itself is forbidden, an apply and a delete of one UID are sent again, since twice
//! is once; a create is, since the second is refused, and that refusal is then said not to tell.

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::client::Client;
use super::pause::Pause;
use super::request::{Outgoing, Refusal};
use crate::inventory::{Failure, FailureClass, Object};

/// What a look at the cluster says of a write whose answer was lost.
pub(super) enum Found {
    /// It was carried out; this is what stands.
    Done(Value),
    /// It was not, or sending it again does no harm.
    NotDone,
    /// Something else stands in its place.
    InTheWay(Failure),
    /// It cannot be told.
    Undecided,
}

impl Client {
    /// Sends a write until it is known to be carried out or refused, or its time is over. `look`
    /// says what stands, where an answer was lost.
    pub(super) async fn write(
        &self,
        request: &Outgoing<'_>,
        look: impl AsyncFn(&Client) -> Result<Found, Failure>,
    ) -> Result<Value, Failure> {
        self.begin().await?;
        let end = self.end();
        let mut lost = false;
        let mut pause = Pause::default();
        loop {
            let refusal = match self.exchange(request, end).await {
                Ok(answer) => return Ok(answer),
                Err(refusal) => refusal,
            };
            let wait = refusal.pause(&mut pause);
            let Refusal { failure, unknown, .. } = refusal;
            // Once an answer was lost, a refusal may be for what the lost request did.
            let telling = matches!(failure.class, FailureClass::Conflict | FailureClass::NotFound);
            let may_be_ours = lost && telling;
            if !unknown && !may_be_ours {
                return Err(failure);
            }
            lost = true;
            if Instant::now() >= end {
                return Err(undecided(failure));
            }
            // A server that cannot answer now is given time, as much as it names; where there is not so
            // much, what stands is all that there still is to learn.
            let goes_on = unknown && Instant::now() + wait < end;
            if goes_on {
                tokio::time::sleep(wait).await;
            }
            match look(&self.until(end)).await {
                Ok(Found::Done(standing)) => return Ok(standing),
                Ok(Found::InTheWay(refusal)) => return Err(refusal),
                Ok(Found::NotDone) if goes_on => {}
                Ok(Found::NotDone) => return Err(failure),
                Err(refused) if goes_on && refused.class == FailureClass::Permission => {}
                Ok(Found::Undecided) | Err(_) => return Err(undecided(failure)),
            }
            self.shared.meter.repetitions.add(1);
        }
    }
}

fn undecided(failure: Failure) -> Failure {
    Failure {
        message: format!("{}; whether it was carried out is not known", failure.message),
        ..failure
    }
}

/// Whether an apply of an intent was carried out, by what stands.
pub(super) fn is_applied(standing: &Object, intent: &Value, manager: &str, uid: &str) -> bool {
    let own_uid = standing.0["metadata"]["uid"].as_str().unwrap_or_default();
    (uid.is_empty() || own_uid == uid) && holds(&standing.0, intent) && owned(&standing.0, manager, intent)
}

/// Whether what stands has all that is meant, beside what others and the server added.
pub(super) fn holds(standing: &Value, meant: &Value) -> bool {
    match (standing, meant) {
        (Value::Object(standing), Value::Object(meant)) => meant
            .iter()
            .all(|(key, meant)| standing.get(key).is_some_and(|standing| holds(standing, meant))),
        (Value::Array(standing), Value::Array(meant)) => {
            standing.len() == meant.len()
                && standing
                    .iter()
                    .zip(meant)
                    .all(|(standing, meant)| holds(standing, meant))
        }
        _ => standing == meant,
    }
}

/// Whether what stands is as a merge patch makes it.
pub(super) fn is_merged(standing: &Value, patch: &Value) -> bool {
    match patch {
        Value::Object(fields) => fields.iter().all(|(key, patch)| {
            let below = standing.get(key).unwrap_or(&Value::Null);
            is_merged(below, patch)
        }),
        patch => standing == patch,
    }
}

/// Whether a manager has applied, and owns nothing that it does not mean: what an earlier intent had
/// and this one leaves out is gone.
fn owned(standing: &Value, manager: &str, intent: &Value) -> bool {
    let entries = standing["metadata"]["managedFields"].as_array();
    let mut applied = entries.into_iter().flatten().filter(|entry| {
        entry["manager"] == manager && entry["operation"] == "Apply" && entry.get("subresource").is_none()
    });
    applied.any(|entry| {
        entry["fieldsV1"]
            .as_object()
            .is_some_and(|fields| is_meant(fields, intent))
    })
}

/// Whether each field of a set (`FieldsV1`, structured-merge-diff `value/fieldpath`: `f:` a field,
/// `k:` an item by its keys, `v:` an item by its value) is in the intent. What is not told for sure
/// is not: then the intent is sent once more.
fn is_meant(fields: &Map<String, Value>, intent: &Value) -> bool {
    fields.iter().all(|(path, below)| {
        let found = match path.split_once(':') {
            None => return path == ".",
            Some(("f", name)) => intent.get(name),
            Some(("k", keys)) => serde_json::from_str(keys).ok().and_then(|keys: Value| {
                let items = intent.as_array()?;
                items.iter().find(|item| holds(item, &keys))
            }),
            Some(("v", value)) => serde_json::from_str(value).ok().and_then(|value: Value| {
                let items = intent.as_array()?;
                items.iter().find(|item| **item == value)
            }),
            Some(_) => None,
        };
        match (found, below.as_object()) {
            (Some(found), Some(below)) => is_meant(below, found),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_apply_is_done_only_where_nothing_is_missing_and_nothing_is_left_over() {
        let intent = json!({
            "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"own": "1"}},
            "spec": {"ports": [{"port": 1, "name": "x"}], "set": ["v"]},
        });
        let fields = |labels: Value| {
            json!({
                "f:metadata": {"f:labels": labels},
                "f:spec": {"f:ports": {"k:{\"port\":1}": {".": {}, "f:name": {}, "f:port": {}}},
                           "f:set": {"v:\"v\"": {}}},
            })
        };
        let standing = |labels: Value, fields: Value, manager: &str| {
            Object(json!({
                "kind": "ConfigMap", "apiVersion": "v1",
                "metadata": {"name": "a", "uid": "u", "labels": labels, "managedFields": [
                    {"manager": manager, "operation": "Apply", "fieldsV1": fields},
                ]},
                "spec": {"ports": [{"port": 1, "name": "x", "protocol": "TCP"}], "set": ["v"]},
            }))
        };
        let (own, both) = (json!({"f:own": {}}), json!({"f:own": {}, "f:old": {}}));
        let done = standing(json!({"own": "1", "other": "2"}), fields(own.clone()), "us");
        assert!(is_applied(&done, &intent, "us", ""));
        assert!(is_applied(&done, &intent, "us", "u"));
        assert!(!is_applied(&done, &intent, "us", "another"));
        assert!(!is_applied(&done, &intent, "them", ""), "they own it, not we");
        let missing = standing(json!({"own": "0"}), fields(own.clone()), "us");
        assert!(!is_applied(&missing, &intent, "us", ""));
        let left_over = standing(json!({"own": "1", "old": "1"}), fields(both), "us");
        assert!(
            !is_applied(&left_over, &intent, "us", ""),
            "a label that this intent takes away still stands"
        );
    }
}
