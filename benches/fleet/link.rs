//! `link`: a full mesh of links between real clusters, from no link to all, three ways.

use std::path::Path;

use crate::arguments::{Arguments, Benchmark};
use crate::audit::{self, Asked};
use crate::clusters::Ground;
use crate::fixture::{self, Token};
use crate::job::{Job, Runs, by_exit_code, in_turn};
use crate::outcome::missing_links;
use crate::report::{Section, Table};
use crate::trouble::Outcome;

/// Istio's documents, "Install Multi-Primary on different networks", step "Enable Endpoint
/// Discovery", for every ordered pair.
const DOCUMENTED: &str = r#"
for read in "$@"; do
  for reader in "$@"; do
    [ "$read" = "$reader" ] ||
      istioctl create-remote-secret --context="$read" --name="$read" | kubectl apply -f - --context="$reader" ||
      exit 1
  done
done
"#;

/// What somebody who knows both tools writes: each credential is made once, each cluster is written
/// once, four at a time.
const BEST: &str = r#"
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && export folder
printf '%s\n' "$@" | xargs -P4 -I{} sh -c \
  'istioctl create-remote-secret --context={} --name={} > "$folder/{}.yaml"' || exit 1
printf '%s\n' "$@" | xargs -P4 -I{} sh -c \
  'for file in "$folder"/*.yaml; do [ "$file" = "$folder/{}.yaml" ] || cat "$file"; done |
     kubectl apply -f - --context={}'
"#;

const OURS: &str = "stolos link sync --yes --no-wait";

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome<Section> {
    let ground = Ground::given()?;
    fixture::furnish(&ground)?;
    let count = ground.clusters.len();
    let mut section = Section::new(
        Benchmark::Link,
        format!(
            "{count} real clusters on this machine, {} links, each an ordered pair with a Secret of its own. Before each \
             run all links are deleted; after it every credential of every cluster is tried at the address and under \
             the authority that stand beside it (outside of the measured time). Ours plans, writes and tries each \
             credential itself within its time; the others write.",
            count * (count - 1)
        ),
    );
    let kubeconfig = ground.kubeconfig_of_all("clusters.kubeconfig")?;
    let fleet = ground.fleet_of_links("links.yaml", &ground.clusters)?;
    let jobs = jobs(&ground, &kubeconfig, &fleet);
    for (token, state) in [
        (Token::Issued, "steady: the readers' tokens are there before"),
        (
            Token::Absent,
            "first: the readers' tokens have to be issued as well",
        ),
    ] {
        crate::say(&format!(" {state}"));
        let all = measure(&ground, &jobs, arguments.runs, token, &mut section, state)?;
        let [ours, documented, best] = &all[..] else {
            continue;
        };
        let what = |of: &str| {
            format!(
                "link {count} clusters, {}: {of}",
                if token == Token::Issued { "steady" } else { "first" }
            )
        };
        section.at_least(
            &what("wall, documented pipeline / ours"),
            documented.against(ours, Runs::wall),
            60.0,
            "×",
        );
        section.at_least(
            &what("wall, best shell practice / ours"),
            best.against(ours, Runs::wall),
            6.0,
            "×",
        );
        section.at_least(
            &what("client CPU, documented pipeline / ours"),
            documented.against(ours, Runs::cpu),
            500.0,
            "×",
        );
    }
    fixture::put_back(&ground.clusters, Token::Absent)?;
    Ok(section)
}

fn jobs(ground: &Ground, kubeconfig: &Path, fleet: &Path) -> [Job; 3] {
    let contexts: Vec<&str> = ground
        .clusters
        .iter()
        .map(|cluster| cluster.context.as_str())
        .collect();
    let mut ours = ground.stolos(
        OURS,
        kubeconfig,
        &["link", "sync", "--yes", "--no-wait", "--fleet"],
    );
    ours = ours.arguments([fleet]);
    [
        ours,
        ground.shell(
            "documented: istioctl | kubectl for each pair",
            kubeconfig,
            DOCUMENTED,
            &contexts,
        ),
        ground.shell("best shell practice: xargs -P4", kubeconfig, BEST, &contexts),
    ]
}

/// One state of the tokens: all contestants in turn.
fn measure(
    ground: &Ground,
    jobs: &[Job],
    rounds: u16,
    token: Token,
    section: &mut Section,
    state: &str,
) -> Outcome<Vec<Runs>> {
    let clusters = &ground.clusters;
    let mut moment = audit::now(clusters)?;
    let mut asked: Vec<(String, Asked)> = Vec::new();
    let start = std::cell::RefCell::new(&mut moment);
    let all = in_turn(
        jobs,
        rounds,
        |_| {
            fixture::put_back(clusters, token)?;
            **start.borrow_mut() = audit::now(clusters)?;
            Ok(())
        },
        |job, metered| {
            let seen = audit::since(&start.borrow(), clusters)?;
            asked.retain(|(name, _)| *name != job.name);
            asked.push((job.name.clone(), seen));
            if let Err(why) = by_exit_code(metered) {
                return Ok(Err(why));
            }
            Ok(missing_links(clusters)?.map_or(Ok(()), Err))
        },
    )?;
    let mut table = Table::new(&[&[state][..], &Runs::HEAD[1..], &["requests", "writes"]].concat());
    if let Some(ours) = all.first() {
        for runs in &all {
            let seen = asked
                .iter()
                .find(|(name, _)| *name == runs.name)
                .map(|(_, asked)| asked);
            let number = |of: fn(&Asked) -> usize| seen.map(|seen| of(seen).to_string()).unwrap_or_default();
            let mut cells = runs.cells(ours);
            cells.extend([number(|asked| asked.requests), number(Asked::writes)]);
            table.row(cells);
        }
    }
    section.tables.push(table);
    section.notes.extend(all.iter().filter_map(Runs::complaint));
    if let Some((name, ours)) = asked.iter().find(|(name, _)| name == OURS) {
        let writes: Vec<String> = ours
            .writes
            .iter()
            .map(|(what, count)| format!("{count} × {what}"))
            .collect();
        section.notes.push(format!(
            "`{name}`, {}: its last run's writes by the audit logs: {}; reviews, which store nothing: {}.",
            state.split(':').next().unwrap_or_default(),
            writes.join(", "),
            ours.reviews
        ));
    }
    Ok(all)
}
