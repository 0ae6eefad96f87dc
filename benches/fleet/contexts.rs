//! `contexts`: who the clusters of many contexts are, where all lead to one real API server.

use crate::arguments::{Arguments, Benchmark};
use crate::clusters::{Entry, Ground};
use crate::job::{Job, Runs, by_exit_code, in_turn};
use crate::report::{Section, Table};
use crate::trouble::{Doing as _, Outcome};

/// What ours says of each context takes kubectl two calls: its version, and the UID of `kube-system`.
const TWO: &str = r#"for context in "$@"; do
  kubectl --context "$context" get --raw /version
  kubectl --context "$context" get --raw /api/v1/namespaces/kube-system
done"#;

/// Half of it.
const ONE: &str = r#"for context in "$@"; do kubectl --context "$context" get --raw /version; done"#;

/// Half of it, from a kubeconfig with nothing but the one context.
const SMALL: &str =
    r#"for context in "$@"; do kubectl --kubeconfig "small/$context" get --raw /version; done"#;

const EIGHT: &str = r#"printf '%s\n' "$@" | xargs -P8 -I{} sh -c '
  kubectl --context {} get --raw /version && kubectl --context {} get --raw /api/v1/namespaces/kube-system'"#;

const ONE_BY_EIGHT: &str =
    r#"printf '%s\n' "$@" | xargs -P8 -I{} kubectl --kubeconfig small/{} get --raw /version"#;

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome<Section> {
    let ground = Ground::given()?;
    let cluster = ground.clusters.first().doing("find a cluster")?;
    let count = arguments.contexts;
    let mut section = Section::new(
        Benchmark::Contexts,
        format!(
            "{count} contexts, each with a cluster and a user of its own, that all lead to one real API server. Ours \
             tells each one's version and the UID of `kube-system`; for that kubectl takes two calls. The rows with one \
             call, and with a kubeconfig that holds nothing else, are what is kindest to kubectl."
        ),
    );
    let entries: Vec<Entry<'_>> = (1..=count)
        .map(|number| Entry {
            name: format!("context-{number}"),
            ..cluster.entry()
        })
        .collect();
    std::fs::create_dir_all(ground.home.join("small")).doing("make a folder")?;
    for entry in &entries {
        let alone = [Entry {
            name: entry.name.clone(),
            ..cluster.entry()
        }];
        ground.kubeconfig(&format!("small/{}", entry.name), &alone)?;
    }
    let kubeconfig = ground.kubeconfig("contexts.kubeconfig", &entries)?;
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let shell = |name: &str, script: &str| ground.shell(name, &kubeconfig, script, &names);
    let jobs: [Job; 7] = [
        ground.stolos("stolos contexts --probe", &kubeconfig, &["contexts", "--probe"]),
        shell("kubectl in a loop, two calls", TWO),
        shell("kubectl in a loop, one call", ONE),
        shell("kubectl in a loop, one call, small kubeconfigs", SMALL),
        shell("kubectl, two calls, xargs -P8", EIGHT),
        shell("kubectl, one call, small kubeconfigs, xargs -P8", ONE_BY_EIGHT),
        ground.stolos("stolos contexts (asks no cluster)", &kubeconfig, &["contexts"]),
    ];
    let all = in_turn(
        &jobs,
        arguments.runs,
        |_| Ok(()),
        |job, metered| {
            let probed = job.name == "stolos contexts --probe";
            let answers = metered.stdout().matches(" yes ").count();
            Ok(match by_exit_code(metered) {
                Ok(()) if probed && answers != usize::from(count) => {
                    Err(format!("{answers} of {count} contexts were reachable"))
                }
                judged => judged,
            })
        },
    )?;
    let mut table = Table::new(&Runs::HEAD);
    let [ours, two, _, kindest, .., idle] = &all[..] else {
        return Ok(section);
    };
    for runs in &all {
        table.row(runs.cells(ours));
    }
    section.tables.push(table);
    section.notes.extend(all.iter().filter_map(Runs::complaint));
    let what = |of: &str| format!("{count} contexts on one server: {of}");
    section.at_least(
        &what("wall, kubectl loop (two calls) / ours"),
        two.against(ours, Runs::wall),
        25.0,
        "×",
    );
    section.at_least(
        &what("client CPU, kubectl loop (two calls) / ours"),
        two.against(ours, Runs::cpu),
        80.0,
        "×",
    );
    section.at_least(
        &what("wall, kindest kubectl loop / ours"),
        kindest.against(ours, Runs::wall),
        25.0,
        "×",
    );
    section.at_least(
        &what("client CPU, kindest kubectl loop / ours"),
        kindest.against(ours, Runs::cpu),
        80.0,
        "×",
    );
    let more = ours
        .memory()
        .zip(idle.memory())
        .map(|(probing, idle)| probing - idle);
    section.at_most(
        &what("memory over a process that asks no cluster"),
        more,
        16.0,
        "MB",
    );
    Ok(section)
}
