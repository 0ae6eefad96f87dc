//! `stolos mesh upgrade`

use crate::cli::args::FleetArgument;
use crate::cli::join::difference;
use crate::cli::planning::refused;
use crate::error::{Error, Result};
use crate::fleet::spec::{OtherRevision, named_revision};
use crate::fleet::{MeshSpec, NamespaceName, edit};
use crate::host::fleet_file;
use crate::render::Terminal;

/// Go from one revision to another, in steps that can be taken back
///
/// Each step edits the fleet file and shows the difference; `stolos apply` does the rest, and ends
/// when it holds. A second revision is put beside the first in every cluster, and reads what the first
/// one reads (`mesh upgrade REVISION`). Chosen namespaces are led to it with `--move`, and back with
/// `--move-back`, which gives them the labels that they had; a tag and all that ask for it with `--tag`. All
/// namespaces that say `istio-injection=enabled`, or nothing, are led to it with `--switch`, and back with
/// `--switch` again. Pods follow when they are restarted. With `--finish` the one that is beside the other
/// goes, when no proxy is connected to it. Where the two are of different versions, `apply` wants the
/// istioctl of each (`--istioctl`, twice); what switches and what finishes wants `--allow-disruption`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The revision to put beside the one that runs, such as `1-31-2`
    #[arg(value_name = "REVISION", conflicts_with_all = ["switch", "finish"])]
    revision: Option<String>,
    /// Its version; default: the one that istioctl brings
    #[arg(
        long,
        value_name = "VERSION",
        requires = "revision",
        default_value = "",
        hide_default_value = true
    )]
    to_version: String,
    /// Lead this namespace to the revision that is beside, in every cluster; can be repeated
    #[arg(long = "move", value_name = "NAMESPACE", conflicts_with_all = ["switch", "finish"])]
    moved: Vec<NamespaceName>,
    /// Lead this namespace there no more: it asks again for what it did; can be repeated
    #[arg(long, value_name = "NAMESPACE", conflicts_with_all = ["switch", "finish"])]
    move_back: Vec<NamespaceName>,
    /// Lead a tag, and all that ask for it, to a revision; can be repeated
    #[arg(long, value_name = "TAG=REVISION", value_parser = tag)]
    tag: Vec<(String, String)>,
    /// Lead namespaces that ask for no revision to the other one
    #[arg(long, conflicts_with = "finish")]
    switch: bool,
    /// Give up the revision that runs beside
    #[arg(long)]
    finish: bool,
    /// Show the difference and stop
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    file: FleetArgument,
}

/// A tag and the revision that it leads to.
fn tag(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((tag, revision)) if !tag.is_empty() && !revision.is_empty() => {
            Ok((tag.to_owned(), revision.to_owned()))
        }
        _ => Err(
            "write it as TAG=REVISION, such as prod=1-31-2; the revision without a name is default"
                .to_owned(),
        ),
    }
}

/// Edits the file; without a step to take, says where the mesh is.
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    let file = fleet_file::load(arguments.file.fleet.as_deref())?;
    let mesh = &file.fleet.spec.mesh;
    let Some(next) = next(arguments, mesh)? else {
        return terminal.answer(&format!("{}\n", where_it_is(mesh)));
    };
    let mut fleet = file.fleet.clone();
    fleet.spec.mesh = next.clone();
    if let Some(refused) = refused(&fleet, "upgrade the mesh") {
        return Err(refused);
    }
    let text = edit::set_revisions(&file.text, &next)?;
    terminal.say(&format!("fleet file {}", file.path.display()));
    terminal.answer(&difference(&file.text, &text))?;
    if !arguments.dry_run {
        file.save(&text)?;
        terminal.say(&where_it_is(&next));
        terminal.say("`stolos plan` shows what `stolos apply` would do");
    }
    Ok(())
}

/// The mesh with the steps taken; none where none is asked for.
fn next(arguments: &Arguments, mesh: &MeshSpec) -> Result<Option<MeshSpec>> {
    let mut next = mesh.clone();
    if let Some(revision) = &arguments.revision {
        if let Some(other) = &mesh.other_revision {
            return Err(Error::request(format!(
                "upgrade the mesh: {} runs beside {} already",
                named_revision(&other.revision),
                named_revision(&mesh.revision)
            ))
            .hint("`stolos mesh upgrade --finish` gives it up"));
        }
        next.other_revision = Some(OtherRevision {
            revision: revision.clone(),
            version: arguments.to_version.clone(),
            namespaces: Vec::new(),
        });
    }
    next.tags.extend(arguments.tag.iter().cloned());
    let moves = !arguments.moved.is_empty() || !arguments.move_back.is_empty();
    if moves || arguments.switch || arguments.finish {
        let other = next.other_revision.take().ok_or_else(|| {
            Error::request("upgrade the mesh: it has one revision, and no other beside it")
                .hint("`stolos mesh upgrade REVISION` puts one beside it")
        })?;
        if arguments.switch {
            // Who was led to it one by one asks again for what it did, which leads to it now.
            next.other_revision = Some(OtherRevision {
                revision: std::mem::replace(&mut next.revision, other.revision),
                version: std::mem::replace(&mut next.version, other.version),
                namespaces: Vec::new(),
            });
        } else if moves {
            next.other_revision = Some(moved(arguments, other)?);
        }
    }
    let asks = moves || arguments.switch || arguments.finish || arguments.revision.is_some();
    Ok((asks || !arguments.tag.is_empty()).then_some(next))
}

/// The revision beside, with the namespaces that are led to it then.
fn moved(arguments: &Arguments, mut other: OtherRevision) -> Result<OtherRevision> {
    for name in &arguments.move_back {
        let before = other.namespaces.len();
        other.namespaces.retain(|led| led != name);
        if other.namespaces.len() == before {
            return Err(Error::request(format!(
                "move {name} back: `spec.mesh.otherRevision.namespaces` does not name it"
            ))
            .hint("`stolos mesh upgrade` says where the mesh is"));
        }
    }
    for name in &arguments.moved {
        if !other.namespaces.contains(name) {
            other.namespaces.push(name.clone());
        }
    }
    Ok(other)
}

/// Where the mesh is, by the fleet file.
fn where_it_is(mesh: &MeshSpec) -> String {
    let tags = mesh.tags.iter();
    let tags: Vec<String> = tags.map(|(tag, to)| format!("{tag} to {to}")).collect();
    let led = match tags.is_empty() {
        true => String::new(),
        false => format!("; tags lead {}", tags.join(", ")),
    };
    format!("{}{led}", revisions(mesh))
}

fn revisions(mesh: &MeshSpec) -> String {
    let own = named_revision(&mesh.revision);
    let version = |version: &str| match version {
        "" => String::new(),
        version => format!(" (Istio {version})"),
    };
    match &mesh.other_revision {
        None => format!(
            "the fleet file names one revision: {own}{}",
            version(&mesh.version)
        ),
        Some(other) => format!(
            "by the fleet file, namespaces that ask for no revision are led to {own}{}, and {}{} runs beside it{}",
            version(&mesh.version),
            named_revision(&other.revision),
            version(&other.version),
            match other.namespaces.as_slice() {
                [] => String::new(),
                led => format!(
                    ", for {}",
                    led.iter()
                        .map(NamespaceName::as_str)
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            }
        ),
    }
}
