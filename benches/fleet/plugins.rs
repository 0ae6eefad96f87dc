//! `plugins`: contexts whose credentials come from plugins that take a second each.

use std::time::Duration;

use serde_json::json;

use crate::arguments::{Arguments, Benchmark};
use crate::clusters::{Entry, Ground};
use crate::fixture;
use crate::job::{Runs, by_exit_code, in_turn};
use crate::report::{Section, Table};
use crate::trouble::{Doing as _, Outcome};

/// Plugins.
const PLUGINS: u16 = 5;

/// Takes a second, leaves a line, and prints the credential that lies beside it.
const SCRIPT: &str = r#"#!/bin/sh
sleep 1
echo run >> "$0.runs"
cat "$0.credential"
"#;

const KUBECTL: &str =
    r#"printf '%s\n' "$@" | xargs -P8 -I{} kubectl --context {} get --raw /api/v1/namespaces?limit=1"#;

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome<Section> {
    let ground = Ground::given()?;
    fixture::furnish(&ground)?;
    let cluster = ground.clusters.first().doing("find a cluster")?;
    let count = arguments.plugin_contexts;
    let folder = ground.home.join("plugins");
    std::fs::create_dir_all(&folder).doing("make a folder")?;
    let mut commands = Vec::new();
    for number in 1..=PLUGINS {
        let path = folder.join(format!("plugin-{number}"));
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": {"token": fixture::reader_token(cluster)?},
        });
        std::fs::write(path.with_extension("credential"), credential.to_string())
            .doing("write a credential")?;
        std::fs::write(&path, SCRIPT).doing("write a plugin")?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&path, mode).doing("write a plugin")?;
        commands.push(path);
    }
    let entries: Vec<Entry<'_>> = (0..count)
        .map(|number| Entry {
            name: format!("context-{number}"),
            user: json!({"exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": commands[usize::from(number % PLUGINS)],
                "interactiveMode": "Never",
            }}),
            ..cluster.entry()
        })
        .collect();
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let kubeconfig = ground.kubeconfig("plugins.kubeconfig", &entries)?;
    let deadline = Duration::from_secs(180);
    let jobs = [
        ground
            .stolos("stolos contexts --probe", &kubeconfig, &["contexts", "--probe"])
            .deadline(deadline),
        ground
            .shell("kubectl, one call, xargs -P8", &kubeconfig, KUBECTL, &names)
            .deadline(deadline),
    ];
    let runs_of = |command: &std::path::PathBuf| command.with_extension("runs");
    let mut most = vec![Vec::new(); jobs.len()];
    let all = in_turn(
        &jobs,
        arguments.runs,
        |_| {
            for command in &commands {
                std::fs::write(runs_of(command), "").doing("reset a plugin's count")?;
            }
            Ok(())
        },
        |job, metered| {
            let mut counts = Vec::new();
            for command in &commands {
                let text = std::fs::read_to_string(runs_of(command)).doing("read a plugin's count")?;
                counts.push(text.lines().count());
            }
            let index = usize::from(job.name != jobs[0].name);
            most[index].push(counts.iter().sum::<usize>());
            Ok(by_exit_code(metered))
        },
    )?;
    let mut section = Section::new(
        Benchmark::Plugins,
        format!(
            "{count} contexts on one real API server whose users share {PLUGINS} credential plugins of different \
             commands, each of which takes one second. kubectl runs the plugin in every call."
        ),
    );
    let mut table = Table::new(&[&Runs::HEAD[..], &["runs of plugins"]].concat());
    if let Some(ours) = all.first() {
        for (runs, counts) in all.iter().zip(&most) {
            let mut cells = runs.cells(ours);
            let range = counts.iter().min().zip(counts.iter().max());
            cells.push(match range {
                Some((low, high)) if low == high => low.to_string(),
                Some((low, high)) => format!("{low}–{high}"),
                None => "–".to_owned(),
            });
            table.row(cells);
        }
        section.at_most(
            &format!("{count} contexts on {PLUGINS} one-second plugins: wall"),
            ours.wall(),
            1.3,
            "s",
        );
    }
    let ours = most
        .first()
        .and_then(|counts| counts.iter().max())
        .map(|&most| most as f64);
    section.at_most("runs of the plugins in all", ours, f64::from(PLUGINS), "");
    section.tables.push(table);
    section.notes.extend(all.iter().filter_map(Runs::complaint));
    Ok(section)
}
