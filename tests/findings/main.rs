//! Golden findings: a folder a case, what was seen in, the report as text out.
//!
//! ```text
//! tests/findings/<case>/inventory.yaml   what was seen (`Inventory`); where absent, the healthy case's
//!                       changes.yaml     optional: what is changed in it, see `Change`
//!                       stolos.yaml      optional: the fleet file
//!                       findings.txt     the report (one case has it wide); `UPDATE=1 cargo test --test findings` accepts
//! tests/findings/certificates/           certificates (no keys: they were thrown away)
//! ```
//!
//! A text `@a.pem b.pem` anywhere in a YAML file stands for those certificates, `@base64 a.pem` for
//! the same as a webhook has them.

mod many;
mod schemas;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use similar::TextDiff;

use stolos::fleet::Fleet;
use stolos::inventory::Inventory;
use stolos::render::status::{self as view, Look};
use stolos::status::{self, StatusReport, catalogue};
use stolos::trust::{KeyOnHand, RootOnHand};

/// One change of the inventory: to an object of a cluster where one is named, else to the cluster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Change {
    cluster: String,
    /// `Kind namespace/name`, or `Kind name`.
    object: Option<String>,
    /// A JSON merge patch (RFC 7396): null removes.
    merge: Option<Value>,
    /// Takes the object out.
    #[serde(default)]
    remove: bool,
    /// Puts an object in.
    add: Option<Value>,
    /// Takes every object out and keeps the lists.
    #[serde(default)]
    empty: bool,
    /// Puts this in the place of the whole cluster.
    replace: Option<Value>,
}

/// A case's report, with what it was made of.
struct Reported {
    inventory: Inventory,
    fleet: Option<Fleet>,
    root: Option<RootOnHand>,
    report: StatusReport,
}

#[test]
fn reports_are_as_accepted() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut differences = String::new();
    for case in cases() {
        let Reported { report, .. } = reported(&case);
        let exit = report.failure().map_or(0, stolos::error::ErrorKind::exit_code);
        let look = Look {
            wide: case.ends_with("istiod-half-ready"),
            colored: false,
        };
        let found = format!("{}\nexit code {exit}\n", view::report(&report, look));
        let accepted = case.join("findings.txt");
        let expected = fs::read_to_string(&accepted).unwrap_or_default();
        if found != expected && update {
            fs::write(&accepted, &found).expect("the golden file is written");
        } else if found != expected {
            let difference = TextDiff::from_lines(&expected, &found);
            let difference = difference.unified_diff().header("accepted", "found").to_string();
            differences.push_str(&format!("{}:\n{difference}\n", case.display()));
        }
    }
    assert!(
        differences.is_empty(),
        "reports differ; `UPDATE=1 cargo test --test findings` accepts them\n{differences}"
    );
}

#[test]
fn every_kind_of_finding_is_found_in_some_case() {
    let found: BTreeSet<&str> = cases()
        .iter()
        .flat_map(|case| reported(case).report.findings)
        .map(|finding| finding.code)
        .collect();
    let missing: Vec<&str> = catalogue::entries()
        .map(|entry| entry.code)
        .filter(|code| !found.contains(code))
        .collect();
    assert!(missing.is_empty(), "no case finds {missing:?}");
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the cases are there")
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.is_dir() && !path.ends_with("certificates"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no cases in {}", folder().display());
    cases
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings")
}

/// The time at which every report is made.
fn now() -> jiff::Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("a time")
}

fn reported(case: &Path) -> Reported {
    let own = case.join("inventory.yaml");
    let base = if own.is_file() {
        own
    } else {
        folder().join("healthy/inventory.yaml")
    };
    let mut inventory = read(&base);
    if case.join("changes.yaml").is_file() {
        let changes = serde_json::from_value::<Vec<Change>>(read(&case.join("changes.yaml")));
        for change in changes.unwrap_or_else(|error| panic!("{}: {error}", case.display())) {
            make(&mut inventory, change);
        }
    }
    let fleet = case.join("stolos.yaml");
    let fleet: Option<Fleet> = fleet.is_file().then(|| {
        serde_json::from_value(read(&fleet)).unwrap_or_else(|error| panic!("{}: {error}", fleet.display()))
    });
    let inventory: Inventory =
        serde_json::from_value(inventory).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    // A root lies on this machine where there is a fleet file: with a passphrase, unless the case says.
    let root = fleet.as_ref().map(|_| RootOnHand {
        key: if case.ends_with("root-key-unencrypted") {
            KeyOnHand::Plain
        } else {
            KeyOnHand::Encrypted
        },
        ..RootOnHand::default()
    });
    let report = status::report(&inventory, fleet.as_ref(), root.as_ref(), now());
    Reported {
        inventory,
        fleet,
        root,
        report,
    }
}

fn make(inventory: &mut Value, change: Change) {
    let whole = &mut inventory["clusters"][&change.cluster];
    if let Some(value) = change.replace {
        *whole = value;
        return;
    }
    let cluster = &mut whole["seen"];
    if change.empty {
        cluster["objects"] = Value::Array(Vec::new());
    }
    let Some(name) = change.object else {
        if let Some(merge) = change.merge {
            merge_into(cluster, merge);
        }
        if let Some(object) = change.add {
            cluster["objects"].as_array_mut().expect("objects").push(object);
        }
        return;
    };
    let objects = cluster["objects"].as_array_mut().expect("objects");
    let position = objects
        .iter()
        .position(|object| called(object) == name)
        .unwrap_or_else(|| panic!("{} has no {name}", change.cluster));
    if change.remove {
        objects.remove(position);
    } else {
        merge_into(&mut objects[position], change.merge.expect("what to merge"));
    }
}

fn called(object: &Value) -> String {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match text("/metadata/namespace") {
        "" => format!("{} {}", text("/kind"), text("/metadata/name")),
        namespace => format!("{} {namespace}/{}", text("/kind"), text("/metadata/name")),
    }
}

fn merge_into(value: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        *value = patch;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let map = value.as_object_mut().expect("it is a map now");
    for (key, patch) in fields {
        if patch.is_null() {
            map.remove(&key);
        } else {
            merge_into(map.entry(key).or_insert(Value::Null), patch);
        }
    }
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut value: Value =
        stolos::yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    fill_in(&mut value);
    value
}

/// Puts certificates where a text names them.
fn fill_in(value: &mut Value) {
    match value {
        Value::String(text) => {
            let bundle = |names: &str| -> String {
                let files = names.split(' ');
                files
                    .map(|name| fs::read_to_string(folder().join("certificates").join(name)).expect(name))
                    .collect()
            };
            if let Some(names) = text.strip_prefix("@base64 ") {
                *text = STANDARD.encode(bundle(names));
            } else if let Some(names) = text.strip_prefix('@') {
                *text = bundle(names);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(fill_in),
        Value::Object(map) => map.values_mut().for_each(fill_in),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
