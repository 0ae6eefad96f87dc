//! `stolos plan`

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueEnum;

use super::args::Reading;
use super::planning::{self, PlanRequest, Planned};
use super::session::Session;
use crate::apply::FailedStep;
use crate::document::{Document, DocumentError};
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::{Area, Fleet};
use crate::host::saved_plan;
use crate::mesh::inputs;
use crate::plan::document::PlanDocument;
use crate::plan::secret_store::SecretStore;
use crate::plan::{Plan, manifests, text};
use crate::render::{Format, Terminal};

/// Show what `apply` would do, and change nothing
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Exit with 3 where there is something to do
    #[arg(long)]
    exit_code: bool,
    /// Plan only for this cluster of the fleet; can be repeated (reading stays fleet-wide)
    #[arg(long, value_name = "NAME")]
    cluster: Vec<String>,
    /// Save the plan: `apply FILE` does exactly that, or nothing
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    installing: Installing,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: PlanOutput,
    /// With `-o manifests`: write ExternalSecrets in place of Secrets, which this ClusterSecretStore (or
    /// `SecretStore/NAME`) holds
    #[arg(long, value_name = "STORE", help_heading = "Output")]
    secret_store: Option<SecretStore>,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct PlanOutput {
    /// How to print the plan: `table`, `wide` (each step), `diff` (and what it changes), `json`, `yaml`, or
    /// for others to carry out: `manifests`, `helm-values`, `sail`
    #[arg(short, long, value_enum, default_value_t = PlanFormat::Table, value_name = "FORMAT",
          hide_possible_values = true, help_heading = "Output")]
    pub output: PlanFormat,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For reading; what is done to many objects for one reason shares a line.
    #[default]
    Table,
    /// For reading, with a line for each step.
    Wide,
    /// For reading, with what each step changes.
    Diff,
    /// What is created and updated, as manifests for `kubectl apply`; Secrets are named and not shown.
    Manifests,
    /// Values for Istio's Helm charts, where Helm keeps the mesh; of the fleet file alone.
    HelmValues,
    /// Resources of the Sail operator, where it keeps the mesh; of the fleet file alone.
    Sail,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

impl PlanFormat {
    /// The document's format, where it is one.
    pub fn document(self) -> Option<Format> {
        match self {
            PlanFormat::Json => Some(Format::Json),
            PlanFormat::Yaml => Some(Format::Yaml),
            _ => None,
        }
    }

    /// What another installer is given for the mesh, where that is asked for.
    fn input(self, fleet: &Fleet) -> Option<String> {
        match self {
            PlanFormat::HelmValues => Some(inputs::helm_values(fleet)),
            PlanFormat::Sail => Some(inputs::sail(fleet)),
            _ => None,
        }
    }

    /// The plan for reading.
    pub fn text(self, planned: &Planned) -> String {
        match self {
            PlanFormat::Wide => text::every_step(&planned.plan),
            PlanFormat::Diff => text::every_change(&planned.plan, &planned.inventory),
            PlanFormat::Manifests => manifests::text(&planned.plan, &planned.fleet, &planned.inventory, None),
            _ => text::text(&planned.plan),
        }
    }
}

/// How Istio is installed.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Mesh")]
pub struct Installing {
    /// The istioctl that renders Istio; can be repeated, for two revisions of different versions; default:
    /// `STOLOS_ISTIOCTL`, else the one in the PATH
    #[arg(long, value_name = "PATH")]
    pub istioctl: Vec<PathBuf>,
    /// Clusters whose control planes, where they serve, are changed at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub max_clusters: u16,
    /// Take over what `istioctl install` made, and nobody else's: it becomes this fleet's, and what the fleet file
    /// does not say of it goes
    #[arg(long)]
    pub adopt: bool,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let format = arguments.output.output;
    if arguments.secret_store.is_some() && format != PlanFormat::Manifests {
        let message = "refer to what a store holds: only manifests have references (`--secret-store`)";
        return Err(Error::new(ErrorKind::Usage, message).hint("add `-o manifests`"));
    }
    let mut session = Session::of_fleet(&arguments.reading).await?;
    if let Some(file) = &session.file
        && let Some(input) = format.input(&file.fleet)
    {
        let doing = format!("describe the mesh of {}", file.fleet.metadata.name);
        return match planning::refused(&file.fleet, &doing) {
            Some(refused) => Err(refused),
            None => terminal.answer(&input),
        };
    }
    let chosen = session.writable(&arguments.cluster)?;
    // Manifests for one cluster are its part of the whole: whoever applies them applies the others' as well.
    let is_a_part = format == PlanFormat::Manifests && arguments.out.is_none();
    let request = PlanRequest {
        areas: &Area::ALL,
        clusters: if is_a_part {
            BTreeSet::new()
        } else {
            chosen.clone()
        },
        at_once: usize::from(arguments.installing.max_clusters),
        istioctl: arguments.installing.istioctl,
        awaits_istiod: true,
        adopts: arguments.installing.adopt,
        changes: false,
    };
    let mut planned = planning::plan(&mut session, &request, terminal).await?;
    if is_a_part && !chosen.is_empty() {
        planned.plan = planned.plan.part_of(&chosen);
    }
    match &arguments.secret_store {
        Some(store) => {
            let (plan, inventory) = (&planned.plan, &planned.inventory);
            terminal.answer(&manifests::text(plan, &planned.fleet, inventory, Some(store)))?;
        }
        None => show(&planned, &session, &[], format, terminal)?,
    }
    if let Some(path) = &arguments.out {
        let saved = planned.to_save(&request.clusters);
        let errors = DocumentError::of(&planned.inventory);
        saved_plan::save(path, &Document::new(&session.run, errors, saved))?;
        terminal.say(&format!(
            "saved in {0}: `stolos apply {0}` does exactly this, or nothing",
            path.display()
        ));
    }
    verdict(&planned, arguments.exit_code)
}

/// Prints a plan as the answer; a document also says which of its steps failed.
pub fn show(
    planned: &Planned,
    session: &Session,
    failed: &[FailedStep],
    format: PlanFormat,
    terminal: &Terminal,
) -> Result<()> {
    let Some(document_format) = format.document() else {
        return terminal.answer(&format.text(planned));
    };
    let mut errors = DocumentError::of(&planned.inventory);
    let failed = failed.iter();
    errors.extend(failed.map(|step| DocumentError::new(step.cluster.as_str(), &step.failure)));
    let document = Document::new(&session.run, errors, PlanDocument::from(&planned.plan));
    terminal.document(document_format, &document)
}

/// The exit code of a plan that was printed and is not carried out.
pub fn verdict(planned: &Planned, exit_code: bool) -> Result<()> {
    // What may not be read will not be read the next time either: where it matters, it blocks.
    let unread = DocumentError::of(&planned.inventory);
    let is_incomplete = unread.iter().any(|error| error.class.may_pass());
    let blocked = blocked_kind(&planned.plan, planned);
    let kind = blocked.or(is_incomplete.then_some(ErrorKind::Partial));
    let kind = match kind {
        // Of a plan in part it is known already that there is something to do.
        None | Some(ErrorKind::Partial) if exit_code && !planned.plan.steps.is_empty() => {
            Some(ErrorKind::Differs)
        }
        kind => kind,
    };
    kind.map_or(Ok(()), |kind| Err(Error::already_said(kind)))
}

/// What is in the way of a plan, as an exit code: a request that cannot be met before clusters that
/// were not read.
pub fn blocked_kind(plan: &Plan, planned: &Planned) -> Option<ErrorKind> {
    let unread = planned.inventory.unreachable().count();
    if plan.blocked.iter().any(|blocked| !blocked.unreachable) {
        Some(ErrorKind::Request)
    } else if unread > 0 && unread == planned.inventory.clusters.len() {
        Some(ErrorKind::Unreachable)
    } else if unread > 0 || !plan.blocked.is_empty() {
        Some(ErrorKind::Partial)
    } else {
        None
    }
}
