//! `faults`: one of up to ten real clusters fails; when are the others done?

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use simulator::{StandIn, StandIns};

use crate::arguments::{Arguments, Benchmark};
use crate::clusters::{Cluster, Entry, Ground, with_each};
use crate::fault_cases::{CASES, Case, Does, Outcome as Effect};
use crate::fault_table::{DEADLINE, Judged, Sides, others_read};
use crate::fixture::{self, Token};
use crate::job::{Job, Runs, by_exit_code, in_turn};
use crate::report::Section;
use crate::trouble::{Doing as _, Outcome, Trouble};

/// The file that `init` writes.
const MADE: &str = "made.yaml";

/// A command, and how it is called in the table.
struct Asked {
    name: &'static str,
    does: Does,
    words: Vec<String>,
}

/// What stands for the last cluster in a case, and the kubeconfig that leads to it.
struct Bad {
    case: &'static Case,
    stand_in: Arc<StandIn>,
    kubeconfig: PathBuf,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome<Section> {
    let ground = Ground::given()?;
    fixture::furnish(&ground)?;
    let clusters = &ground.clusters[..ground.clusters.len().min(10)];
    let (bad, good) = clusters.split_last().doing("find clusters")?;
    let mut section = Section::new(
        Benchmark::Faults,
        format!(
            "{} real clusters, the last of them as it is, or behind a server that fails. Measured is the moment at \
             which the last of the others was said to be read (`-v`). Each command has `--request-timeout {DEADLINE}s`.",
            clusters.len(),
        ),
    );
    make_well(clusters)?;
    let commands = commands(&ground, clusters)?;
    let sound = kubeconfig(&ground, "sound", clusters, None)?;
    fixture::put_back(clusters, Token::Issued)?;
    let link = ["link", "sync", "--yes", "--no-wait", "--fleet", "faults.yaml"];
    by_exit_code(&ground.stolos("link", &sound, &link).run()?)
        .map_err(|why| Trouble::new(format!("link the clusters: {why}")))?;
    let stand_ins = StandIns::begin().doing("start servers that fail")?;
    let mut cases = Vec::new();
    // What shows in writes alone is nothing to these commands.
    let seen = |case: &&Case| !matches!(case.outcome, Effect::Unwritten(_));
    for case in CASES.iter().filter(seen) {
        let real: SocketAddr = bad
            .server
            .trim_start_matches("https://")
            .parse()
            .doing("read an address")?;
        let stand_in = stand_ins.stand_in(&bad.folder, real, case.flaw, (case.plan)());
        let stand_in = stand_in.doing("start a server that fails")?;
        let server = format!("https://{}", stand_in.address);
        let file = format!("fault-{}", stand_in.address.port());
        cases.push(Bad {
            case,
            kubeconfig: kubeconfig(&ground, &file, clusters, Some(&server))?,
            stand_in,
        });
    }
    let mut judged = Judged::begin();
    for asked in &commands {
        let sides = Sides {
            bad,
            // Those that are there to be joined to are not read.
            good: if asked.name == "join" { &good[1..] } else { good },
        };
        let all = measured(&ground, asked, &sound, &cases, arguments.runs, sides)?;
        section.notes.extend(all.iter().filter_map(Runs::complaint));
        let Some((usual, others)) = all.split_first() else {
            continue;
        };
        judged.usual(asked.name, usual, sides);
        for (bad, runs) in cases.iter().zip(others) {
            judged.case(
                asked.name,
                bad.case,
                bad.case.outcome.expected(asked.does),
                runs,
                usual,
                sides,
            );
        }
    }
    judged.end(&mut section);
    make_bare(clusters)?;
    Ok(section)
}

/// Every command that talks to clusters and writes to none.
fn commands(ground: &Ground, clusters: &[Cluster]) -> Outcome<Vec<Asked>> {
    let all = fleet(clusters)?;
    ground.write("faults.yaml", all)?;
    ground.write("first.yaml", fleet(&clusters[..1])?)?;
    let leaving = &clusters[1].context;
    let asked = |name: &'static str, does: Does, words: &[&str]| Asked {
        name,
        does,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    };
    let mut commands = vec![
        asked("contexts --probe", Does::Identify, &["contexts", "--probe"]),
        asked("status --context", Does::Observe, &["status", "--context", "*"]),
        asked("status", Does::Judge, &["status"]),
        asked("link list", Does::List, &["link", "list"]),
        asked("trust show", Does::List, &["trust", "show"]),
        asked("plan", Does::Plan, &["plan"]),
        asked("link sync --dry-run", Does::Plan, &["link", "sync", "--dry-run"]),
        asked("apply --dry-run", Does::Plan, &["apply", "--dry-run"]),
        asked("leave --dry-run", Does::Leave, &["leave", leaving, "--dry-run"]),
    ];
    for command in &mut commands {
        command.words.extend(["-o", "json"].map(str::to_owned));
        if !matches!(command.does, Does::Identify | Does::Observe) {
            command
                .words
                .extend(["--fleet", "faults.yaml"].map(str::to_owned));
        }
    }
    let mut join = asked(
        "join",
        Does::Propose,
        &["join", "--dry-run", "--fleet", "first.yaml"],
    );
    join.words
        .extend(clusters[1..].iter().map(|cluster| cluster.context.clone()));
    commands.push(join);
    let init = [
        "init",
        "--yes",
        "--from-mesh",
        "--name",
        "faults",
        "--context",
        "*",
        "--fleet",
        MADE,
    ];
    commands.push(asked("init", Does::Propose, &init));
    Ok(commands)
}

/// A command when all is well, and in each case.
fn measured(
    ground: &Ground,
    asked: &Asked,
    sound: &Path,
    cases: &[Bad],
    rounds: u16,
    sides: Sides<'_>,
) -> Outcome<Vec<Runs>> {
    let words: Vec<&str> = asked.words.iter().map(String::as_str).collect();
    let job = |what: &str, kubeconfig: &Path| -> Job {
        ground
            .stolos(&format!("{} / {what}", asked.name), kubeconfig, &words)
            .arguments(["-v", "--request-timeout", &format!("{DEADLINE}s")])
            .deadline(Duration::from_secs(60))
    };
    let mut jobs = vec![job("as it is", sound)];
    jobs.extend(cases.iter().map(|bad| job(bad.case.name, &bad.kubeconfig)));
    in_turn(
        &jobs,
        rounds,
        |job| {
            let is_its = |bad: &&Bad| job.name.ends_with(&format!(" / {}", bad.case.name));
            if let Some(bad) = cases.iter().find(is_its)
                && (bad.case.plan)().counts()
            {
                bad.stand_in.set_plan((bad.case.plan)());
            }
            match std::fs::remove_file(ground.home.join(MADE)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(error).doing("take a file away")
                }
                _ => Ok(()),
            }
        },
        |_, metered| {
            Ok(others_read(metered, sides.good)
                .map(|_| ())
                .ok_or_else(|| metered.end()))
        },
    )
}

/// A fleet file over clusters that manages only links, in one network. It is written as people write
/// it: `join` edits it.
fn fleet(clusters: &[Cluster]) -> Outcome<String> {
    let items = with_each(clusters, |cluster| {
        Ok(format!(
            "  - name: {}\n    uid: {}\n    network: flat\n    manage:\n    - links\n",
            cluster.context,
            cluster.uid()?
        ))
    })?;
    Ok(format!(
        "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata:\n  name: faults\nspec:\n  clusters:\n{}  mesh:\n    meshID: faults\n",
        items.concat()
    ))
}

const NAMESPACE: &str = "/api/v1/namespaces/istio-system";
const MESH: &str = "/api/v1/namespaces/istio-system/configmaps/istio";
const ISTIOD: &str = "/apis/apps/v1/namespaces/istio-system/deployments/istiod";

/// Has each API server say that its mesh is well, so that what a command finds are the faults.
fn make_well(clusters: &[Cluster]) -> Outcome<()> {
    with_each(clusters, |cluster| {
        let api = cluster.api()?;
        let metadata = json!({"name": "istiod", "namespace": "istio-system"});
        api.apply(
            NAMESPACE,
            &json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": "istio-system", "labels": {"topology.istio.io/network": "flat"}},
            }),
        )?;
        api.apply(
            MESH,
            &json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "istio", "namespace": "istio-system", "labels": {"istio.io/rev": "default"}},
                "data": {"mesh": "defaultConfig:\n  meshId: faults\ntrustDomain: cluster.local\n"},
            }),
        )?;
        let scale = json!({
            "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata, "spec": {"replicas": 1},
        });
        api.apply(&format!("{ISTIOD}/scale"), &scale)?;
        let generation = api.get(ISTIOD)?.doing("find istiod")?["metadata"]["generation"].clone();
        api.apply(
            &format!("{ISTIOD}/status"),
            &json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
                "status": {
                    "observedGeneration": generation, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1,
                    "updatedReplicas": 1,
                },
            }),
        )?;
        Ok(())
    })?;
    Ok(())
}

/// Takes that back, as far as another benchmark could see it.
fn make_bare(clusters: &[Cluster]) -> Outcome<()> {
    with_each(clusters, |cluster| cluster.api()?.delete(MESH))?;
    Ok(())
}

/// A kubeconfig of the clusters, the last of them at another address.
fn kubeconfig(ground: &Ground, name: &str, clusters: &[Cluster], last: Option<&str>) -> Outcome<PathBuf> {
    let mut entries: Vec<Entry<'_>> = clusters.iter().map(Cluster::entry).collect();
    if let (Some(entry), Some(server)) = (entries.last_mut(), last) {
        server.clone_into(&mut entry.server);
    }
    ground.kubeconfig(&format!("{name}.kubeconfig"), &entries)
}
