//! What one field manager owns of an object is given to another, as `kubectl` does it where an object goes
//! from client-side to server-side apply (client-go: `util/csaupgrade`). What is applied next by the new
//! owner then takes out what it does not mean, which server-side apply alone leaves to the old one.

use serde_json::{Map, Value, json};

use super::client::Client;
use crate::inventory::{Failure, FailureClass, ObjectReference};
use crate::plan::adoption::LEFT_TO_ISTIOD;

/// How often an object is read again that others write in between: istiods fill webhooks, controllers
/// write status.
const ATTEMPTS: usize = 10;

impl Client {
    /// Gives what a field manager owns of an object with this UID to another one. Done already, or gone, is
    /// success: what is written next says so.
    pub async fn take_over(
        &self,
        reference: &ObjectReference,
        uid: &str,
        from: &str,
        to: &str,
    ) -> Result<(), Failure> {
        let mut attempts = 0..ATTEMPTS;
        loop {
            attempts.next();
            let Some(object) = self.get_object(reference).await? else {
                return Ok(());
            };
            let Some(managed) = handed_over(object.list(&["metadata", "managedFields"]), from, to) else {
                return Ok(());
            };
            let version = object.text(&["metadata", "resourceVersion"]);
            let changes = json!({"metadata": {"resourceVersion": version, "managedFields": managed}});
            match self.merge(reference, &changes, uid).await {
                Err(failure) if failure.class == FailureClass::Conflict && !attempts.is_empty() => {}
                Err(failure) => return Err(failure),
                Ok(_) => return Ok(()),
            }
        }
    }
}

/// The entries of `managedFields` with those of one manager, but for subresources', as one of another by
/// server-side apply, who may have one already; none where there is nothing to hand over.
fn handed_over(entries: &[Value], from: &str, to: &str) -> Option<Vec<Value>> {
    let is_of =
        |entry: &Value, manager: &str| entry["manager"] == manager && entry.get("subresource").is_none();
    let (own, mut kept): (Vec<Value>, Vec<Value>) = entries
        .iter()
        .cloned()
        .partition(|entry| is_of(entry, from) || (is_of(entry, to) && entry["operation"] == "Apply"));
    if !own.iter().any(|entry| is_of(entry, from)) {
        return None;
    }
    let mut whole = own.first()?.clone();
    let mut fields = Map::new();
    for entry in &own {
        unite(&mut fields, &entry["fieldsV1"]);
    }
    whole["manager"] = to.into();
    whole["operation"] = "Apply".into();
    whole["fieldsV1"] = fields.into();
    kept.push(whole);
    Some(kept)
}

/// Adds a set of fields (`FieldsV1`) to another, but for what is left to whom it comes from.
fn unite(all: &mut Map<String, Value>, more: &Value) {
    for (field, below) in more.as_object().into_iter().flatten() {
        if field.strip_prefix("f:") == Some(LEFT_TO_ISTIOD) {
            continue;
        }
        let entry = all.entry(field.clone()).or_insert_with(|| json!({}));
        if let Value::Object(entry) = entry {
            unite(entry, below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
               "fieldsV1": fields})
    }

    #[test]
    fn what_one_owns_becomes_anothers() {
        let controller = json!({"manager": "kube-controller-manager", "operation": "Update", "subresource": "status",
                                "fieldsV1": {"f:status": {}}});
        let first = entry(
            "istio-operator",
            "Apply",
            &json!({"f:spec": {"f:a": {}, "f:b": {".": {}}}}),
        );
        let second = entry(
            "istio-operator",
            "Update",
            &json!({"f:spec": {"f:c": {}, "f:caBundle": {}}}),
        );
        let ours = entry("stolos", "Apply", &json!({"f:spec": {"f:b": {"f:d": {}}}}));
        let update = entry("stolos", "Update", &json!({"f:data": {}}));
        let over = |entries: &[Value]| handed_over(entries, "istio-operator", "stolos");
        assert_eq!(
            over(&[first.clone(), controller.clone()]),
            Some(vec![
                controller.clone(),
                entry(
                    "stolos",
                    "Apply",
                    &json!({"f:spec": {"f:a": {}, "f:b": {".": {}}}})
                )
            ])
        );
        assert_eq!(
            over(&[first, second, ours.clone(), update.clone()]),
            Some(vec![
                update,
                entry(
                    "stolos",
                    "Apply",
                    &json!({"f:spec": {"f:a": {}, "f:b": {".": {}, "f:d": {}}, "f:c": {}}})
                )
            ])
        );
        assert_eq!(over(&[ours, controller]), None);
        assert_eq!(over(&[]), None);
    }
}
