//! Server-side apply's rules beside those that the tool's own writes show: whose a field is, and
//! what happens to it when its owner no longer wants it.

use serde_json::{Value, json};
use simulator::apply::{Conflicts, Intent, merge};

fn intent<'intent>(object: &'intent Value, manager: &'intent str, force: bool) -> Intent<'intent> {
    Intent {
        object,
        manager,
        force,
        now: "2026-11-01T00:00:00Z",
    }
}

fn map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})
}

fn owners(object: &Value) -> Vec<(String, Value)> {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let owner = |entry: &Value| {
        (
            entry["manager"].as_str().unwrap().to_owned(),
            entry["fieldsV1"].clone(),
        )
    };
    let mut owners: Vec<_> = entries.iter().map(owner).collect();
    owners.sort_by(|(one, _), (other, _)| one.cmp(other));
    owners
}

#[test]
fn what_an_owner_no_longer_wants_goes_and_what_others_have_stays() {
    let first = merge(None, &intent(&map(&json!({"a": "1", "b": "1"})), "one", false)).unwrap();
    let shared = merge(Some(&first), &intent(&map(&json!({"b": "1"})), "two", false)).unwrap();
    let after = merge(Some(&shared), &intent(&map(&json!({"c": "1"})), "one", false)).unwrap();
    assert_eq!(after["data"], json!({"b": "1", "c": "1"}));
    assert_eq!(
        owners(&after),
        [
            ("one".to_owned(), json!({"f:data": {"f:c": {}}})),
            ("two".to_owned(), json!({"f:data": {"f:b": {}}})),
        ]
    );
}

#[test]
fn another_s_field_is_taken_only_by_force() {
    let first = merge(None, &intent(&map(&json!({"a": "1"})), "one", false)).unwrap();
    let wanted = map(&json!({"a": "2"}));
    assert_eq!(
        merge(Some(&first), &intent(&wanted, "two", false)),
        Err(Conflicts(vec![("\"one\"".to_owned(), ".data.a".to_owned())]))
    );
    let forced = merge(Some(&first), &intent(&wanted, "two", true)).unwrap();
    assert_eq!(forced["data"]["a"], "2");
    assert_eq!(
        owners(&forced),
        [("two".to_owned(), json!({"f:data": {"f:a": {}}}))]
    );
}

#[test]
fn the_same_again_changes_nothing_not_even_the_time() {
    let wanted = map(&json!({"a": "1"}));
    let first = merge(None, &intent(&wanted, "one", false)).unwrap();
    let again = Intent {
        now: "2027-01-01T00:00:00Z",
        ..intent(&wanted, "one", true)
    };
    assert_eq!(merge(Some(&first), &again), Ok(first));
}

#[test]
fn things_with_names_are_merged_by_name() {
    let pod = |containers: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}});
    let live = merge(
        None,
        &intent(
            &pod(json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}])),
            "one",
            false,
        ),
    )
    .unwrap();
    let wanted = pod(json!([{"name": "b", "image": "2"}]));
    let merged = merge(Some(&live), &intent(&wanted, "two", true)).unwrap();
    assert_eq!(
        merged["spec"]["containers"],
        json!([{"name": "a", "image": "1"}, {"name": "b", "image": "2"}])
    );
}
