//! istioctl as Istio's renderer: found, asked for its version, run once for each distinct question,
//! its answers cached by what was asked of which program.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::process::Command;

use crate::error::{Error as Shown, ErrorKind};
use crate::fleet::ClusterName;
use crate::host::paths::{self, Paths};
use crate::inventory::Object;
use crate::mesh::RenderRequest;
use crate::mesh::objects::{OtherRendering, Rendering};
use crate::yaml;

/// How long one run may take: rendering takes a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why Istio could not be rendered.
#[derive(Debug, Error)]
pub enum IstioctlError {
    /// It is nowhere to be found.
    #[error("find istioctl: it is not in the PATH, and neither --istioctl nor STOLOS_ISTIOCTL names it")]
    NotFound,
    /// It could not be run.
    #[error("run {program}: {reason}", program = .0.display(), reason = .1)]
    NotRun(PathBuf, String),
    /// It is not the version that the fleet file asks for.
    #[error("render Istio {wanted} for {cluster}: {program} is version {found}", program = .program.display())]
    Version {
        /// The version that the fleet file wants.
        wanted: String,
        /// The version that was found.
        found: String,
        /// For which cluster.
        cluster: String,
        /// The program.
        program: PathBuf,
    },
    /// There are several, and the fleet file does not say which version is wanted.
    #[error("render Istio for {cluster}: it is not said which version is wanted, of {}", .versions.join(" and "))]
    Ambiguous {
        /// For which cluster.
        cluster: String,
        /// The versions that there are.
        versions: Vec<String>,
    },
    /// It refused what it was asked.
    #[error("render Istio for {cluster} with istioctl: {said}")]
    Refused {
        /// For which cluster.
        cluster: String,
        /// What it said.
        said: String,
    },
    /// Its answer could not be read.
    #[error("read what istioctl rendered for {cluster}: {reason}")]
    Unreadable {
        /// For which cluster.
        cluster: String,
        /// Why not.
        reason: String,
    },
}

impl From<IstioctlError> for Shown {
    fn from(error: IstioctlError) -> Self {
        let shown = Shown::new(ErrorKind::Request, error.to_string());
        match error {
            IstioctlError::NotFound => shown.hint(
                "install istioctl (https://istio.io/latest/docs/ops/diagnostic-tools/istioctl/) or say where it is: \
                 `--istioctl PATH`",
            ),
            IstioctlError::Version { wanted, found, .. } => shown.hint(format!(
                "bring istioctl {wanted} with `--istioctl PATH` (beside another, where the mesh has two revisions), or \
                 set the version to {found} in the fleet file"
            )),
            IstioctlError::Ambiguous { .. } => shown.hint(
                "set `spec.mesh.version`, and where the mesh has two revisions `spec.mesh.otherRevision.version`, in \
                 the fleet file",
            ),
            IstioctlError::Refused { .. } => {
                shown.hint("look at `values` in the fleet file: they are passed on to Istio as they stand")
            }
            _ => shown,
        }
    }
}

/// An istioctl and its version.
#[derive(Debug, Clone)]
pub struct Istioctl {
    program: PathBuf,
    version: String,
    /// What tells two programs of one version apart, as builds from source are.
    identity: String,
}

impl Istioctl {
    /// Finds istioctl: the one named, then `STOLOS_ISTIOCTL`, then the `PATH`.
    ///
    /// # Errors
    ///
    /// Where there is none, or it does not say its version.
    pub async fn find(named: Option<&Path>) -> Result<Self, IstioctlError> {
        let program = named
            .map(Path::to_path_buf)
            .or_else(|| std::env::var_os("STOLOS_ISTIOCTL").map(PathBuf::from))
            .or_else(|| in_path("istioctl"))
            .ok_or(IstioctlError::NotFound)?;
        let not_run = |reason: String| IstioctlError::NotRun(program.clone(), reason);
        let mut asked = istioctl(&program);
        asked.args(["version", "--remote=false", "--output", "json"]);
        let answer = output(&mut asked).await.map_err(not_run)?;
        let said: Value = serde_json::from_slice(&answer.stdout).unwrap_or(Value::Null);
        let version = said["clientVersion"]["version"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if !answer.status.success() || version.is_empty() {
            return Err(not_run("it does not say its version".to_owned()));
        }
        let metadata = std::fs::metadata(&program).map_err(|error| not_run(error.to_string()))?;
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .map_or(0, |since| since.as_nanos());
        Ok(Self {
            identity: format!("{version} {} {modified}", metadata.len()),
            program,
            version,
        })
    }

    /// Its version, which is the version of Istio that it renders.
    pub fn version(&self) -> &str {
        &self.version
    }

    async fn manifest(&self, cluster: &str, operator: &Value) -> Result<Vec<Object>, IstioctlError> {
        let question = operator.to_string();
        let key: String = Sha256::new()
            .chain_update(self.identity.as_bytes())
            .chain_update(question.as_bytes())
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let cached = Paths::of_environment()
            .ok()
            .map(|paths| paths.cache.join("renderings").join(format!("{key}.json")));
        if let Some(objects) = cached
            .as_ref()
            .and_then(|path| std::fs::read_to_string(path).ok())
            .and_then(|text| serde_json::from_str(&text).ok())
        {
            return Ok(objects);
        }
        let unreadable = |reason: String| IstioctlError::Unreadable {
            cluster: cluster.to_owned(),
            reason,
        };
        let file = tempfile::Builder::new()
            .suffix(".yaml")
            .tempfile()
            .and_then(|file| std::fs::write(file.path(), &question).map(|()| file))
            .map_err(|error| unreadable(format!("write a temporary file: {error}")))?;
        let mut asked = istioctl(&self.program);
        asked
            .args(["manifest", "generate", "--filename"])
            .arg(file.path());
        let answer = output(&mut asked)
            .await
            .map_err(|reason| IstioctlError::NotRun(self.program.clone(), reason))?;
        if !answer.status.success() {
            return Err(IstioctlError::Refused {
                cluster: cluster.to_owned(),
                said: String::from_utf8_lossy(&answer.stderr)
                    .trim()
                    .replace(&file.path().display().to_string(), "the values")
                    .chars()
                    .take(2_000)
                    .collect(),
            });
        }
        let text = String::from_utf8_lossy(&answer.stdout);
        let objects: Vec<Object> = yaml::documents(&text)
            .map_err(|error| unreadable(error.to_string()))?
            .into_iter()
            .map(Object)
            .collect();
        if let Some(path) = cached {
            // A cache that cannot be written only costs time.
            let _ = remember(&path, &objects);
        }
        Ok(objects)
    }
}

/// Renders what one cluster needs, each version by the first that renders it.
///
/// # Errors
///
/// Where none is of a version that is wanted, or one refuses the values.
pub async fn render(tools: &[Istioctl], request: &RenderRequest) -> Result<Rendering, IstioctlError> {
    let cluster = request.cluster.as_str();
    let tool = of_version(tools, &request.version, &request.cluster)?;
    let gateway = async {
        match &request.gateway {
            Some(gateway) => tool.manifest(cluster, gateway).await,
            None => Ok(Vec::new()),
        }
    };
    let other = async {
        let Some(other) = &request.other else {
            return Ok(None);
        };
        let tool = of_version(tools, &other.version, &request.cluster)?;
        let control_plane = tool.manifest(cluster, &other.control_plane).await?;
        Ok(Some(OtherRendering {
            version: tool.version.clone(),
            control_plane,
        }))
    };
    let control_plane = tool.manifest(cluster, &request.control_plane);
    let (control_plane, gateway, other) = tokio::join!(control_plane, gateway, other);
    Ok(Rendering {
        version: tool.version.clone(),
        control_plane: control_plane?,
        gateway: gateway?,
        other: other?,
    })
}

/// The first that renders a version; where none is wanted, the only one there is.
fn of_version<'tools>(
    tools: &'tools [Istioctl],
    wanted: &str,
    cluster: &ClusterName,
) -> Result<&'tools Istioctl, IstioctlError> {
    if wanted.is_empty() && tools.len() > 1 {
        return Err(IstioctlError::Ambiguous {
            cluster: cluster.to_string(),
            versions: tools.iter().map(|tool| tool.version.clone()).collect(),
        });
    }
    let renders = |tool: &&Istioctl| wanted.is_empty() || wanted == tool.version;
    tools.iter().find(renders).ok_or_else(|| match tools.last() {
        None => IstioctlError::NotFound,
        Some(tool) => IstioctlError::Version {
            wanted: wanted.to_owned(),
            found: tool.version.clone(),
            cluster: cluster.to_string(),
            program: tool.program.clone(),
        },
    })
}

/// Runs a program to its end, for no longer than rendering can take.
async fn output(command: &mut Command) -> Result<std::process::Output, String> {
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => Err(format!("it did not end within {PATIENCE:?}")),
        Ok(output) => output.map_err(|error| error.to_string()),
    }
}

fn remember(path: &Path, objects: &[Object]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    paths::replace(path, &serde_json::to_string(objects)?)
}

/// A program in the `PATH`.
fn in_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// istioctl without the user's clusters: rendering needs none, and must not look at one.
fn istioctl(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("KUBECONFIG", if cfg!(windows) { "NUL" } else { "/dev/null" })
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}
