//! `stolos init`

use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{Contexts, FleetArgument};
use super::planning::refused;
use super::propose::{observe, verdict};
use crate::error::{Error, Result};
use crate::fleet::propose::{Wishes, propose};
use crate::fleet::spec::{API_VERSION, KIND};
use crate::fleet::{
    ClusterName, ClusterSpec, DataPlaneMode, Fleet, FleetMetadata, FleetName, FleetSpec, MeshSpec, Model,
    Role, TrustSpec, compose, infer,
};
use crate::host::fleet_file::{self, FILE_NAME, FleetFileError};
use crate::host::kubeconfig::Kubeconfigs;
use crate::render::Terminal;

/// Write a fleet file from kubeconfig contexts
///
/// Asks on a terminal. Without one: `--yes --context PATTERN --model MODEL`. Each context is
/// read, and nothing is changed in any cluster. One that cannot be read is kept as far as it is
/// known, and the exit code is 4, or 5 where none could.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// The fleet's name; default: the folder's
    #[arg(long, value_name = "NAME")]
    name: Option<FleetName>,
    /// The deployment model: `multi-primary`; `primary-remote`, where the others hang on the first
    /// context; `external-control-plane`, where the first context runs the control plane of the others,
    /// and the second holds its configuration
    #[arg(long, value_name = "MODEL", value_parser = model)]
    model: Option<Model>,
    /// How workloads take part in the mesh: `sidecar`, or `ambient`
    #[arg(long, value_name = "MODE", default_value = "sidecar", value_parser = data_plane_mode,
          conflicts_with = "from_mesh")]
    data_plane_mode: DataPlaneMode,
    /// Describe the mesh that already runs over the contexts, whoever made it
    #[arg(long, conflicts_with = "model")]
    from_mesh: bool,
    #[command(flatten)]
    file: FleetArgument,
    #[command(flatten)]
    contexts: Contexts,
}

const MODELS: [Model; 3] = [
    Model::MultiPrimary,
    Model::PrimaryRemote,
    Model::ExternalControlPlane,
];

pub(super) fn model(text: &str) -> Result<Model, String> {
    one_of(text, "model", MODELS.map(|model| (model.as_str(), model)))
}

pub(super) fn data_plane_mode(text: &str) -> Result<DataPlaneMode, String> {
    let modes = [DataPlaneMode::Sidecar, DataPlaneMode::Ambient];
    one_of(text, "mode", modes.map(|mode| (mode.as_str(), mode)))
}

fn one_of<T: Copy, const COUNT: usize>(
    text: &str,
    noun: &str,
    known: [(&str, T); COUNT],
) -> Result<T, String> {
    let found = known.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        format!(
            "{text:?} is no {noun}: {}",
            known.map(|(name, _)| name).join(", ")
        )
    })
}

pub async fn run(mut arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let path = arguments
        .file
        .fleet
        .clone()
        .unwrap_or_else(|| PathBuf::from(FILE_NAME));
    let path = std::path::absolute(&path).unwrap_or(path);
    // Before anybody is asked anything.
    if path.symlink_metadata().is_ok() {
        return Err(FleetFileError::Exists { path }.into());
    }
    ask(&mut arguments, &path, terminal)?;
    let Some(name) = arguments.name.clone() else {
        return Err(
            Error::request("write a fleet file: the fleet has no name").hint("give it one with --name")
        );
    };
    let seen = observe(&arguments.contexts, terminal).await?;
    let (fleet, warnings) = if arguments.from_mesh {
        infer::from_mesh(&seen, &name)?
    } else {
        let proposal = propose(&seen, &name, None, &[], &Wishes::default())?;
        let model = arguments.model.unwrap_or_default();
        let mut fleet = fleet(name, model, proposal.clusters);
        fleet.spec.mesh.data_plane_mode = arguments.data_plane_mode;
        (fleet, proposal.warnings)
    };
    for warning in &warnings {
        terminal.warn(warning);
    }
    if let Some(refused) = refused(&fleet, "write a fleet file") {
        return Err(refused);
    }
    fleet_file::create(&path, &compose::new_file(&fleet)?)?;
    terminal.say(&format!(
        "wrote {} with {} clusters; `stolos plan` shows what `stolos apply` would do",
        path.display(),
        fleet.spec.clusters.len()
    ));
    verdict(&seen)
}

/// Asks for what was not given; without a terminal, says what to give.
fn ask(arguments: &mut Arguments, path: &Path, terminal: &Terminal) -> Result<()> {
    let asks = !arguments.yes;
    if asks && !terminal.is_interactive() {
        return Err(Error::request("write a fleet file: it is to be asked for, and there is no terminal").hint(
            "stolos init --yes --context PATTERN --model multi-primary, or --from-mesh in place of --model",
        ));
    }
    if arguments.contexts.context.is_empty() {
        if !asks {
            return Err(Error::request("write a fleet file: no context is named")
                .hint("name them: --context 'prod-*'; `stolos contexts` lists them"));
        }
        arguments.contexts.context = choose_contexts(&arguments.contexts, terminal)?;
    }
    if arguments.model.is_none() && !arguments.from_mesh {
        if !asks {
            return Err(Error::request("write a fleet file: no model is named")
                .hint("name it: --model multi-primary; or --from-mesh, to describe what runs"));
        }
        let chosen = terminal.choose("Deployment model", &MODELS.map(Model::as_str))?;
        arguments.model = Some(MODELS[chosen]);
    }
    if arguments.name.is_none() {
        let folder = path
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default()
            .to_string_lossy();
        let proposed = ClusterName::proposed_for(&folder);
        // Both are DNS labels.
        let proposed: Option<FleetName> = proposed.as_str().parse().ok().filter(|_| !folder.is_empty());
        arguments.name = if asks {
            let default = proposed.as_ref().map_or("mesh", FleetName::as_str);
            Some(terminal.ask("Name of the fleet", default)?)
        } else {
            proposed
        };
    }
    Ok(())
}

fn choose_contexts(contexts: &Contexts, terminal: &Terminal) -> Result<Vec<String>> {
    let kubeconfigs = Kubeconfigs::load(contexts.connecting.kubeconfig.as_deref())?;
    let names: Vec<String> = kubeconfigs
        .matching(&contexts.patterns())?
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    if names.is_empty() {
        return Err(
            Error::request("write a fleet file: the kubeconfigs have no context")
                .hint("name a kubeconfig with --kubeconfig, or set KUBECONFIG"),
        );
    }
    let chosen = terminal.choose_many(
        "Contexts of the fleet's clusters (space chooses, enter ends)",
        &names,
    )?;
    if chosen.is_empty() {
        return Err(Error::request("write a fleet file: no context was chosen"));
    }
    Ok(chosen.into_iter().map(|index| names[index].clone()).collect())
}

/// A fleet of a model. Where not all clusters are alike, the first ones are what the others hang on.
fn fleet(name: FleetName, model: Model, mut clusters: Vec<ClusterSpec>) -> Fleet {
    let names: Vec<ClusterName> = clusters.iter().map(|cluster| cluster.name.clone()).collect();
    for (index, cluster) in clusters.iter_mut().enumerate() {
        match (model, index) {
            (Model::MultiPrimary, _) | (Model::PrimaryRemote, 0) => {}
            (Model::PrimaryRemote, _) => {
                cluster.role = Role::Remote;
                cluster.primary = Some(names[0].clone());
            }
            (Model::ExternalControlPlane, 0) => {
                cluster.role = Role::External;
                cluster.network = None;
            }
            (Model::ExternalControlPlane, 1) => {
                cluster.role = Role::Config;
                cluster.control_plane = Some(names[0].clone());
            }
            (Model::ExternalControlPlane, _) => {
                cluster.role = Role::Remote;
                cluster.primary = Some(names[1].clone());
            }
        }
    }
    Fleet {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        spec: FleetSpec {
            clusters,
            mesh: MeshSpec {
                mesh_id: name.to_string(),
                model,
                ..MeshSpec::default()
            },
            trust: TrustSpec::default(),
        },
        metadata: FleetMetadata { name },
    }
}
