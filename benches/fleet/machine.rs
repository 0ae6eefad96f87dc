//! The heading: when, on what machine, with which programs.

use std::process::Command;

use crate::clusters::Ground;
use crate::rig::Rig;
use crate::trouble::{Doing as _, Outcome};

/// The heading of a report, in Markdown.
pub fn heading(rig: &Rig) -> Outcome<String> {
    let ground = rig.ground();
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .map_or_else(
            || "?".to_owned(),
            |kibibytes| format!("{:.0}", kibibytes / 1_048_576.0),
        );
    let load = read("/proc/loadavg");
    let build = if cfg!(debug_assertions) {
        "\n**A debug build: these figures say nothing.**\n"
    } else {
        ""
    };
    Ok(format!(
        "## Benchmark of {}\n\n{cores} cores ({processor}), {memory} GiB, Linux {}; load before: {}. {}; {}; {}; {}.\n{build}",
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
        read("/proc/sys/kernel/osrelease").trim(),
        load.split_whitespace().take(2).collect::<Vec<_>>().join(" and "),
        said(ground, "stolos", &["--version"])?,
        said(ground, "kubectl", &["version", "--client"])?,
        said(ground, "istioctl", &["version", "--remote=false"])?,
        said(ground, "kube-apiserver", &["--version"])?,
    ))
}

/// The value of `KEY: VALUE` in a file of `/proc`.
fn field(text: &str, key: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// What a program says of its version, on one line after its name.
fn said(ground: &Ground, program: &str, arguments: &[&str]) -> Outcome<String> {
    let path = match program {
        "stolos" => ground.stolos.clone(),
        part => ground.parts.join(part),
    };
    let output = Command::new(path)
        .args(arguments)
        .env_clear()
        .env("HOME", &ground.home)
        .output()
        .doing(format!("ask {program} for its version"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().find(|word| {
        word.trim_start_matches('v')
            .starts_with(|character: char| character.is_ascii_digit())
    });
    Ok(format!(
        "{program} {}",
        version.unwrap_or("of an unknown version")
    ))
}
