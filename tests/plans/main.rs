//! Golden plans: a folder a case, the fleet file and what was seen in, `plan.txt` out.
//!
//! ```text
//! tests/plans/<planner>-<what>/stolos.yaml      the fleet file; the base's where absent
//!                              inventory.yaml   what was seen (`Inventory`); where absent, the base's clusters
//!                              installed.yaml   the fleet file that was applied before; the base's where absent
//!                              changes.yaml     what is changed in the base's clusters, see `changes::Change`
//!                              case.yaml        optional: what else planners get, see `Case`
//!                              plan.txt         the plan as text; `UPDATE=1 cargo test --test plans` accepts
//! tests/plans/base/                             one cluster, two renderings of Istio's, one fleet file
//! tests/plans/certificates/                     certificates (no keys: they were thrown away)
//! ```
//!
//! A text `@a.pem b.pem` anywhere in a YAML file stands for those certificates, one after the other.
//! A plan on the base's clusters in which nothing is blocked is carried out in a world that behaves
//! like real clusters (`world`), and must leave nothing to do.

mod changes;
mod renderings;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use similar::TextDiff;

use stolos::fleet::{Area, ClusterName, Fleet};
use stolos::inventory::Inventory;
use stolos::leave;
use stolos::mesh::guard::{Refusal, refusals};
use stolos::mesh::objects::Rendering;
use stolos::plan::{Plan, text};
use stolos::reconcile::{self, Given};
use stolos::trust::{Certificate, KeyOnHand, RootOnHand, parse_bundle};

use renderings::renderings;

/// What planners get beside the fleet and the inventory.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Case {
    /// The planners to run, in order; the folder's name up to the first `-` where absent.
    planners: Vec<String>,
    /// The time; 2026-06-01 where absent.
    now: Option<Timestamp>,
    /// The root on this machine; with the base's clusters, the one that signed what they have.
    root: Option<RootCase>,
    /// The base's clusters as nothing was ever installed on them; else as `apply` left them.
    bare: bool,
    /// What `--cluster` names.
    clusters: BTreeSet<ClusterName>,
    /// The parts of the work; all where empty.
    areas: Vec<Area>,
    /// `--no-wait`: istiod's own word is not awaited.
    no_wait: bool,
    /// `--adopt`.
    adopts: bool,
    /// The mesh that stands was installed by `istioctl install`.
    by_istioctl: bool,
    /// `--max-clusters`.
    at_once: Option<usize>,
    /// The version of Istio's renderer, where it is another than the base's.
    istioctl: Option<String>,
    /// Who leaves, and how.
    leaving: LeavingCase,
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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct LeavingCase {
    clusters: BTreeSet<ClusterName>,
    keep_mesh: bool,
    allow_disruption: bool,
    crds: bool,
    yes: bool,
}

/// Everything that a planner may be given.
struct Input {
    fleet: Fleet,
    inventory: Inventory,
    renderings: BTreeMap<ClusterName, Rendering>,
    root: RootOnHand,
    now: Timestamp,
    case: Case,
}

/// What a planner gave, and what it said beside.
#[derive(Default)]
struct Answer {
    plan: Plan,
    said: Vec<String>,
    /// Whether there is no plan at all.
    refused: bool,
}

/// The planners by name; a new one is a line here.
fn run(planner: &str, input: &Input) -> Answer {
    let plan = match planner {
        "trust" => stolos::trust::plan(
            &input.fleet,
            &input.inventory,
            &input.root,
            input.now,
            input.case.adopts,
        ),
        "mesh" => whole(input, &[Area::Mesh]),
        "links" => whole(input, &[Area::Links]),
        "whole" => {
            let areas = &input.case.areas;
            whole(input, if areas.is_empty() { &Area::ALL } else { areas })
        }
        "leave" => return leave(input),
        "guard" => return guard(input),
        other => panic!("no planner is called {other:?}"),
    };
    Answer {
        plan,
        ..Answer::default()
    }
}

fn whole(input: &Input, areas: &[Area]) -> Plan {
    let given = Given {
        inventory: &input.inventory,
        renderings: &input.renderings,
        root: &input.root,
        at: input.now,
        areas,
        adopts: input.case.adopts,
    };
    let plan = reconcile::limited_to(reconcile::plan(&input.fleet, &given), &input.case.clusters);
    let plan = reconcile::in_turn(plan, &input.fleet, &given, input.case.at_once.unwrap_or(1));
    if input.case.no_wait {
        reconcile::without_istiods_word(plan)
    } else {
        plan
    }
}

/// The whole plan; where the fleet file alone is refused, that, since nothing is read then.
fn guard(input: &Input) -> Answer {
    let refusals = refusals(&input.fleet);
    if refusals.is_empty() {
        return Answer {
            plan: whole(input, &Area::ALL),
            ..Answer::default()
        };
    }
    let said = |refusal: Refusal| format!("refused: {}\n  hint: {}", refusal.reason, refusal.hint);
    Answer {
        said: refusals.into_iter().map(said).collect(),
        refused: true,
        ..Answer::default()
    }
}

fn leave(input: &Input) -> Answer {
    let asked = &input.case.leaving;
    let choice = leave::Choice {
        keep_mesh: asked.keep_mesh,
        allow_disruption: asked.allow_disruption,
        definitions: asked.crds,
        allow_loss: asked.yes,
        forget: false,
    };
    let leaving = leave::plan(&input.fleet, &input.inventory, &asked.clusters, choice);
    let remains = leaving.remains.iter();
    let remains = remains.map(|remains| format!("{} keeps: {}", remains.cluster, remains.what));
    let unreachable = leaving.unreachable.iter();
    let unreachable = unreachable.map(|name| format!("{name} gave no answer and is as it was"));
    Answer {
        said: remains.chain(unreachable).collect(),
        plan: leaving.plan,
        refused: false,
    }
}

fn areas(planner: &str) -> Vec<Area> {
    match planner {
        "trust" => vec![Area::Trust],
        "mesh" => vec![Area::Mesh],
        "links" => vec![Area::Links],
        _ => Area::ALL.to_vec(),
    }
}

#[test]
fn plans_are_as_accepted() {
    let folder = cases();
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && !path.ends_with("certificates") && !path.ends_with("base"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    let mut differences = String::new();
    for case in &cases {
        let found = plan_of(case);
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

fn plan_of(folder: &Path) -> String {
    let case: Case = read_where_it_is(&folder.join("case.yaml")).unwrap_or_default();
    let name = folder
        .file_name()
        .expect("a case has a name")
        .to_string_lossy()
        .into_owned();
    let planners = if case.planners.is_empty() {
        vec![name.split('-').take(1).collect()]
    } else {
        case.planners.clone()
    };
    let mut input = input_of(folder, case);
    let mut answer = Answer::default();
    for planner in &planners {
        let Answer { plan, said, refused } = run(planner, &input);
        answer.plan.extend(plan);
        answer.said.extend(said);
        answer.refused |= refused;
    }
    let planned: Vec<Area> = planners.iter().flat_map(|planner| areas(planner)).collect();
    check(&answer.plan, &name, &planned);
    let on_the_base = !folder.join("inventory.yaml").is_file();
    if on_the_base && answer.plan.blocked.is_empty() {
        world::carry_out(&mut input.inventory, &answer.plan, &name, &certificate_file);
        for planner in &planners {
            let left = Plan {
                warnings: Vec::new(),
                ..run(planner, &input).plan
            };
            let left = text::text(&left);
            assert_eq!(left, "Nothing to do.\n", "{name}: after it was carried out");
        }
    }
    let mut shown = match answer.refused {
        true => String::new(),
        false => text::text(&answer.plan),
    };
    for line in answer.said {
        shown.push_str(&line);
        shown.push('\n');
    }
    shown
}

fn input_of(folder: &Path, case: Case) -> Input {
    let base = cases().join("base");
    let fleet: Fleet =
        read_where_it_is(&folder.join("stolos.yaml")).unwrap_or_else(|| read(&base.join("fleet.yaml")));
    let own: Option<Inventory> = read_where_it_is(&folder.join("inventory.yaml"));
    let on_the_base = own.is_none();
    let mut input = Input {
        renderings: renderings(&fleet, case.istioctl.as_deref()),
        root: root_of(case.root.as_ref(), on_the_base),
        now: case
            .now
            .unwrap_or_else(|| "2026-06-01T00:00:00Z".parse().expect("a time")),
        inventory: own.unwrap_or_default(),
        fleet,
        case,
    };
    if on_the_base {
        let installed: Option<Fleet> = read_where_it_is(&folder.join("installed.yaml"));
        let installed = installed.unwrap_or_else(|| read(&base.join("fleet.yaml")));
        let changes = read_where_it_is(&folder.join("changes.yaml")).unwrap_or_default();
        input.inventory = inventory_of(folder, &input, installed, changes);
    }
    input
}

/// The base's clusters, as they are bare or as `apply` leaves them, then changed.
fn inventory_of(folder: &Path, input: &Input, installed: Fleet, changes: Vec<changes::Change>) -> Inventory {
    let clusters = BTreeMap::from_iter(["east", "west", "north"].into_iter().enumerate().map(
        |(index, name)| {
            let seen = base("cluster.yaml", name, index + 1);
            (name, serde_json::json!({"seen": seen}))
        },
    ));
    let inventory = serde_json::json!({"clusters": clusters});
    let mut inventory: Inventory = serde_json::from_value(inventory).expect("the base is an inventory");
    inventory
        .clusters
        .retain(|name, _| installed.cluster(name).is_some() || input.fleet.cluster(name).is_some());
    if !input.case.bare {
        let mut before = Input {
            renderings: renderings(&installed, None),
            fleet: installed,
            inventory,
            root: root_of(None, true),
            now: input.now,
            case: Case::default(),
        };
        let plan = whole(&before, &Area::ALL);
        assert_eq!(plan.blocked, Vec::new(), "the base can be installed");
        world::carry_out(&mut before.inventory, &plan, "base", &certificate_file);
        inventory = before.inventory;
        if input.case.by_istioctl {
            world::as_istioctl_installs(&mut inventory);
        }
    }
    // What is no longer in the fleet file is not read.
    inventory
        .clusters
        .retain(|name, _| input.fleet.cluster(name).is_some());
    let mut value = serde_json::to_value(&inventory).expect("an inventory is JSON");
    changes::make(&mut value, changes);
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// A file of the base for one cluster.
fn base(file: &str, cluster: &str, number: usize) -> Value {
    let path = cases().join("base").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = text
        .replace("NAME", cluster)
        .replace("NUMBER", &number.to_string())
        .replace("NETWORK", &format!("net-{cluster}"));
    stolos::yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root_of(case: Option<&RootCase>, on_the_base: bool) -> RootOnHand {
    let Some(case) = case else {
        return match on_the_base {
            true => RootOnHand {
                certificate: certificate(&certificate_file("alpha-root.pem")),
                key: KeyOnHand::Encrypted,
                ..RootOnHand::default()
            },
            false => RootOnHand::default(),
        };
    };
    RootOnHand {
        certificate: certificate(&case.certificate),
        key: match case.key.as_str() {
            "" => KeyOnHand::Absent,
            "plain" => KeyOnHand::Plain,
            "encrypted" => KeyOnHand::Encrypted,
            other => panic!("no key is {other:?}"),
        },
        problem: case.problem.clone(),
        remarks: case.remarks.clone(),
    }
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

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans")
}

fn certificate_file(name: &str) -> String {
    fs::read_to_string(cases().join("certificates").join(name)).expect(name)
}

fn read_where_it_is<T: DeserializeOwned>(path: &Path) -> Option<T> {
    path.is_file().then(|| read(path))
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut value: Value =
        stolos::yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    fill_in(&mut value);
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Puts certificates where a text names them.
fn fill_in(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(names) = text.strip_prefix('@') {
                let pems: Vec<String> = names.split(' ').map(certificate_file).collect();
                *text = pems.concat();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(fill_in),
        Value::Object(map) => map.values_mut().for_each(fill_in),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
