//! Golden plans: a folder a case, `stolos.yaml` and `inventory.yaml` in, `plan.txt` out.
//!
//! ```text
//! tests/plans/<planner>-<what>/stolos.yaml      the fleet file
//!                              inventory.yaml   what was seen (`Inventory`)
//!                              case.yaml        optional: what else planners get, see `Case`
//!                              plan.txt         the plan as text; `UPDATE=1 cargo test --test plans` accepts
//! tests/plans/certificates/                     certificates (no keys: they were thrown away)
//! ```
//!
//! A text `@a.pem b.pem` anywhere in a YAML file stands for those certificates, one after the other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use similar::TextDiff;

use stolos::fleet::{Area, Fleet};
use stolos::inventory::Inventory;
use stolos::plan::{Plan, text};
use stolos::trust::{Certificate, KeyOnHand, RootOnHand, parse_bundle};

/// What planners get beside the fleet and the inventory.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Case {
    /// The planners to run, in order; the folder's name up to the first `-` where absent.
    planners: Vec<String>,
    /// The time; 2026-06-01 where absent.
    now: Option<Timestamp>,
    /// The root on this machine.
    root: RootCase,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RootCase {
    /// PEM.
    certificate: String,
    /// `plain`, `encrypted` or nothing.
    key: String,
    /// Why it cannot be used.
    problem: Option<String>,
    /// What the reader should know.
    remarks: Vec<String>,
}

/// Everything that a planner may be given.
struct Input {
    fleet: Fleet,
    inventory: Inventory,
    root: RootOnHand,
    now: Timestamp,
}

/// The planners by name; a new one is a line here.
fn run(planner: &str, input: &Input) -> Plan {
    match planner {
        "trust" => stolos::trust::plan(&input.fleet, &input.inventory, &input.root, input.now),
        "links" => stolos::link::plan(&input.fleet, &input.inventory, &BTreeSet::new()),
        other => panic!("no planner is called {other:?}"),
    }
}

fn areas(planner: &str) -> Area {
    match planner {
        "trust" => Area::Trust,
        "mesh" => Area::Mesh,
        _ => Area::Links,
    }
}

#[test]
fn plans_are_as_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("stolos.yaml").is_file())
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    let mut differences = String::new();
    for case in &cases {
        let found = plan_of(case, &folder.join("certificates"));
        let expected = fs::read_to_string(case.join("plan.txt")).unwrap_or_default();
        if found == expected {
            continue;
        }
        if update {
            fs::write(case.join("plan.txt"), &found).unwrap();
        } else {
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            let difference = TextDiff::from_lines(&expected, &found);
            let difference = difference.unified_diff().header("accepted", "found").to_string();
            differences.push_str(&format!("{name}:\n{difference}\n"));
        }
    }
    assert!(
        differences.is_empty(),
        "plans differ; `UPDATE=1 cargo test --test plans` accepts them\n{differences}"
    );
}

fn plan_of(folder: &Path, certificates: &Path) -> String {
    let case: Case = if folder.join("case.yaml").is_file() {
        read(&folder.join("case.yaml"), certificates)
    } else {
        Case::default()
    };
    let name = folder
        .file_name()
        .expect("a case has a name")
        .to_string_lossy()
        .into_owned();
    let planners = if case.planners.is_empty() {
        vec![name.split('-').take(1).collect()]
    } else {
        case.planners
    };
    let input = Input {
        fleet: read(&folder.join("stolos.yaml"), certificates),
        inventory: read(&folder.join("inventory.yaml"), certificates),
        root: RootOnHand {
            certificate: certificate(&case.root.certificate),
            key: match case.root.key.as_str() {
                "" => KeyOnHand::Absent,
                "plain" => KeyOnHand::Plain,
                "encrypted" => KeyOnHand::Encrypted,
                other => panic!("{name}: no key is {other:?}"),
            },
            problem: case.root.problem,
            remarks: case.root.remarks,
        },
        now: case
            .now
            .unwrap_or_else(|| "2026-06-01T00:00:00Z".parse().expect("a time")),
    };
    let mut plan = Plan::default();
    for planner in &planners {
        plan.extend(run(planner, &input));
    }
    let planned: Vec<Area> = planners.iter().map(|planner| areas(planner)).collect();
    check(&plan, &name, &planned);
    text::text(&plan)
}

/// What holds of every plan, whatever it is about.
fn check(plan: &Plan, name: &str, planned: &[Area]) {
    let mut before = BTreeSet::new();
    for step in &plan.steps {
        for need in &step.needs {
            let elsewhere = Area::ALL
                .iter()
                .any(|area| !planned.contains(area) && need.0.contains(&format!("/{area}/")));
            assert!(
                before.contains(need) || elsewhere,
                "{name}: {} needs {}, which does not come before it",
                step.id.0,
                need.0
            );
        }
        assert!(
            before.insert(step.id.clone()),
            "{name}: {} is there twice",
            step.id.0
        );
    }
}

fn certificate(pem: &str) -> Option<Certificate> {
    (!pem.is_empty()).then(|| parse_bundle(pem).expect("a certificate").remove(0))
}

fn read<T: DeserializeOwned>(path: &Path, certificates: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut value: Value =
        stolos::yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    fill_in(&mut value, certificates);
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Puts certificates where a text names them.
fn fill_in(value: &mut Value, certificates: &Path) {
    match value {
        Value::String(text) => {
            if let Some(names) = text.strip_prefix('@') {
                let pems: Vec<String> = names
                    .split(' ')
                    .map(|name| fs::read_to_string(certificates.join(name)).expect(name))
                    .collect();
                *text = pems.concat();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| fill_in(value, certificates)),
        Value::Object(map) => map.values_mut().for_each(|value| fill_in(value, certificates)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
