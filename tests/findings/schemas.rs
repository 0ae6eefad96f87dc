//! Every kind of document keeps to its JSON Schema (`src/document/schemas/`), whatever the case.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use serde_json::Value;

use stolos::document::{Body, Document, DocumentError, Run};
use stolos::plan::Plan;
use stolos::plan::document::PlanDocument;
use stolos::plan::saved::SavedPlan;
use stolos::status::StatusReport;
use stolos::{link, trust};

use super::{Reported, cases, now, reported};

/// The schemas, by the kind that each is for.
fn schemas() -> BTreeMap<String, Validator> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/document/schemas");
    let files = fs::read_dir(folder).expect("the schemas are there");
    files
        .map(|file| {
            fs::read_to_string(file.expect("a folder can be read").path()).expect("a schema can be read")
        })
        .map(|text| {
            let schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
            let kind = schema["properties"]["kind"]["const"]
                .as_str()
                .expect("a schema has a kind");
            let validator = jsonschema::validator_for(&schema).expect("a schema is one");
            (kind.to_owned(), validator)
        })
        .collect()
}

/// Asserts that a document keeps to the schema of its kind, and gives the kind.
fn keeps(schemas: &BTreeMap<String, Validator>, document: &Value, origin: &str) -> String {
    let kind = document["kind"].as_str().unwrap_or_default();
    let schema = schemas
        .get(kind)
        .unwrap_or_else(|| panic!("{kind:?} has no schema"));
    let problems: Vec<String> = schema
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{kind} of {origin}: {problems:#?}");
    for (other, schema) in schemas.iter().filter(|(other, _)| *other != kind) {
        assert!(!schema.is_valid(document), "{other}'s schema takes a {kind}");
    }
    kind.to_owned()
}

#[test]
fn documents_keep_to_their_schema() {
    let schemas = schemas();
    let mut kinds = BTreeSet::new();
    for case in cases() {
        let seen = reported(&case);
        for document in documents(&seen) {
            kinds.insert(keeps(&schemas, &document, &case.display().to_string()));
        }
    }
    kinds.extend(
        lists()
            .iter()
            .map(|document| keeps(&schemas, document, "the command line")),
    );
    let known: BTreeSet<String> = schemas.into_keys().collect();
    assert_eq!(kinds, known, "each schema was held against a document");
}

#[test]
fn every_kind_of_document_has_a_schema() {
    let schemas = schemas();
    let mut found = 0;
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).expect("a source can be read");
        // Tests at a file's end have bodies of their own.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in text.lines() {
            if let Some(kind) = line.trim().strip_prefix("const KIND: &'static str = \"") {
                let kind = kind.trim_end_matches("\";");
                assert!(
                    schemas.contains_key(kind),
                    "{}: {kind} has no schema",
                    file.display()
                );
                found += 1;
            }
        }
    }
    assert_eq!(found, schemas.len(), "each schema is for a document");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder can be read");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("a folder can be read").path()) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Every document that can be made of a case.
fn documents(seen: &Reported) -> Vec<Value> {
    let errors = DocumentError::of(&seen.inventory);
    let status = Document::new(&run(), errors.clone(), seen.report.clone());
    let mut documents = vec![
        value(&status),
        value(&status.clone().map(StatusReport::control_plane_list)),
        value(&status.map(StatusReport::link_list)),
    ];
    let (fleet, root) = (seen.fleet.as_ref(), seen.root.as_ref());
    let report = trust::report::report(fleet, &seen.inventory, root, now());
    documents.push(value(&Document::new(&run(), errors.clone(), report)));
    if let (Some(fleet), Some(root)) = (fleet, root) {
        let mut plan = Plan::default();
        plan.extend(trust::plan::plan(fleet, &seen.inventory, root, now(), false));
        plan.extend(link::plan(fleet, &seen.inventory, &BTreeSet::new()));
        let saved = SavedPlan::of(fleet, &BTreeSet::new(), &plan, &seen.inventory);
        documents.push(value(&Document::new(&run(), errors.clone(), saved)));
        documents.push(value(&Document::new(&run(), errors, PlanDocument::from(&plan))));
    }
    documents
}

fn run() -> Run {
    Run {
        at: now(),
        id: "0123456789abcdef".to_owned(),
    }
}

fn value<T: Body>(document: &Document<T>) -> Value {
    serde_json::to_value(document).expect("a document is JSON")
}

/// What the binary itself answers of files.
fn lists() -> Vec<Value> {
    let home = tempfile::tempdir().expect("a temporary directory can be made");
    let kubeconfig = home.path().join("kubeconfig");
    let text = r#"
apiVersion: v1
kind: Config
current-context: prod-east
clusters: [{name: e, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts:
- {name: prod-east, context: {cluster: e, user: u}}
- {name: prod-west, context: {cluster: e, user: u, namespace: apps}}
"#;
    fs::write(&kubeconfig, text).expect("a file can be written");
    let fleet = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings/healthy-fleet/stolos.yaml");
    let (kubeconfig, fleet) = (kubeconfig.display().to_string(), fleet.display().to_string());
    let answer = |arguments: &[&str]| -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_stolos"))
            .args(arguments)
            .args(["-o", "json"])
            .env_clear()
            .env("HOME", home.path())
            .current_dir(home.path())
            .output()
            .expect("the binary runs");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            panic!("{arguments:?}: {error}: {stderr}")
        })
    };
    vec![
        answer(&["contexts", "--kubeconfig", &kubeconfig]),
        answer(&["contexts", "--kubeconfig", &kubeconfig, "--probe"]),
        answer(&["clusters", "--fleet", &fleet]),
        // Nothing listens there: every cluster is unread, and the documents are answered all the same.
        answer(&["status", "--kubeconfig", &kubeconfig, "--fleet", &fleet]),
        answer(&["link", "list", "--kubeconfig", &kubeconfig, "--context", "prod-*"]),
        answer(&["lab", "list"]),
        answer(&["mesh", "models"]),
    ]
}
