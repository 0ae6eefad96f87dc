//! Bringing a lab up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::certificates::{Credentials, make, write_private};
use super::control::{Answer, Request, ask};
use super::error::LabError;
use super::listeners;
use super::parts::{self, Part};
use super::programs;
use super::record::{Cluster, Held, Lab, LabState};
use super::shape::{ClusterShape, Extent, LabName, MOST_CLUSTERS};
use super::supervisor::Supervisor;

/// Clusters where nothing else was asked for.
const DEFAULT_SIZE: u8 = 2;

/// The lab that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpRequest {
    /// Its name.
    pub name: LabName,
    /// How many clusters it is to have; none: as many as it has, or two.
    pub clusters: Option<u8>,
    /// How much of each it is to run.
    pub extent: Extent,
}

/// What happens while a lab comes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something about a part.
    Part(parts::Event),
    /// What a dead lab left was cleaned.
    Cleaned,
    /// The control planes start.
    Starting {
        /// How many.
        clusters: u8,
    },
    /// A cluster is ready.
    Ready {
        /// Its context.
        context: String,
        /// How long after the start.
        after: Duration,
    },
    /// The lab runs already.
    AlreadyRunning,
}

/// Brings a lab up, and waits until each of its clusters is ready. One that runs already is left
/// as it is.
///
/// # Errors
///
/// Where the machine lacks something, a part can be neither found nor built, the lab runs with
/// another number of clusters, or a cluster does not become ready; in the last case its logs stay.
pub fn up(request: &UpRequest, report: &(dyn Fn(Event) + Sync)) -> Result<Lab, LabError> {
    let held = Held::create(&request.name)?;
    if let Some(lab) = Lab::read(&held.directory).filter(|lab| lab.state() == LabState::Running) {
        return already_running(lab, request, report);
    }
    match bring_up(request, &held, report) {
        Ok(lab) => Ok(lab),
        Err(error) => {
            // What failed before anything ran leaves no trace; logs are left to be read.
            if Lab::read(&held.directory).is_none() {
                held.remove()?;
            }
            Err(error)
        }
    }
}

fn already_running(lab: Lab, request: &UpRequest, report: &(dyn Fn(Event) + Sync)) -> Result<Lab, LabError> {
    if let Some(wanted) = request.clusters.filter(|&wanted| wanted != lab.size) {
        return Err(LabError::OtherSize {
            name: lab.name.to_string(),
            running: lab.size,
            wanted,
        });
    }
    if request.extent != lab.extent {
        return Err(LabError::OtherExtent {
            name: lab.name.to_string(),
            running: lab.extent.as_str(),
            wanted: request.extent.as_str(),
        });
    }
    // Whoever started it may have been interrupted while it came up.
    ask(&lab, &Request::Wait, |_| {})?;
    report(Event::AlreadyRunning);
    Ok(lab)
}

fn bring_up(request: &UpRequest, held: &Held, report: &(dyn Fn(Event) + Sync)) -> Result<Lab, LabError> {
    let namespaces = programs::namespaces()?;
    let resolved = parts::resolve(&Part::ALL, &|event| report(Event::Part(event)))?;
    if Lab::read(&held.directory).is_some() {
        report(Event::Cleaned);
    }
    held.empty()?;

    let size = request.clusters.unwrap_or(DEFAULT_SIZE).clamp(1, MOST_CLUSTERS);
    report(Event::Starting { clusters: size });
    let started = Instant::now();
    let directory = held.directory.clone();
    let itself = own_program(&directory)?;
    parts::link(&resolved, &directory.join("parts"))?;
    let sockets = listeners::bind(size)?;
    let mut lab = Lab {
        name: request.name.clone(),
        size,
        extent: request.extent,
        kubeconfig: directory.join("kubeconfig"),
        clusters: Vec::new(),
        supervisor: Supervisor {
            process: 0,
            started: 0,
        },
        namespaces: namespaces.to_owned(),
        directory,
    };
    let mut access = Vec::new();
    for (shape, socket) in lab.shapes().iter().zip(&sockets) {
        let (cluster, credentials) = prepare(shape, listeners::port(socket)?, &lab.directory)?;
        access.push((
            cluster.context.clone(),
            format!("https://127.0.0.1:{}", cluster.port),
            credentials,
        ));
        lab.clusters.push(cluster);
    }
    write_private(&lab.kubeconfig, &kubeconfig(&access))?;

    lab.supervisor = spawn(&itself, &lab, listeners::pack(&sockets)?)?;
    // The sockets listen as long as anybody holds them.
    drop(sockets);
    lab.write()?;
    let ready = ask(&lab, &Request::Wait, |context| {
        report(Event::Ready {
            context,
            after: started.elapsed(),
        });
    });
    match ready {
        Ok(Answer::Done) => Ok(lab),
        Ok(_) | Err(LabError::Failed { .. }) => {
            lab.supervisor.kill()?;
            Err(LabError::Failed {
                what: format!("start the lab {}", lab.name),
                why: match ready {
                    Err(LabError::Failed { why, .. }) => why,
                    _ => "it answered something else".to_owned(),
                },
                logs: lab.directory,
            })
        }
        Err(error) => Err(error),
    }
}

/// Keeps this program with the lab, so that a build of a newer one does not take it away.
fn own_program(directory: &Path) -> Result<PathBuf, LabError> {
    let itself = std::env::current_exe().map_err(|error| LabError::system("find this program", error))?;
    let folder = directory.join("bin");
    fs::create_dir_all(&folder).map_err(|error| LabError::file("create", &folder, error))?;
    let kept = folder.join("stolos");
    if fs::hard_link(&itself, &kept).is_err() {
        fs::copy(&itself, &kept).map_err(|error| LabError::file("copy this program to", &kept, error))?;
    }
    Ok(kept)
}

/// Writes what one cluster's programs read.
fn prepare(shape: &ClusterShape, port: u16, lab: &Path) -> Result<(Cluster, Credentials), LabError> {
    let folder = lab.join("clusters").join(shape.context());
    fs::create_dir_all(&folder).map_err(|error| LabError::file("create", &folder, error))?;
    let credentials = make(shape, &folder)?;
    let inner = [(shape.context(), shape.inner_url(), credentials)];
    write_private(&folder.join("kubeconfig"), &kubeconfig(&inner))?;
    write_private(&folder.join("audit-policy.yaml"), AUDIT_POLICY.as_bytes())?;
    write_private(
        &folder.join("kwok.yaml"),
        include_str!("inside/kwok.yaml").as_bytes(),
    )?;
    let [(_, _, credentials)] = inner;
    let cluster = Cluster {
        context: shape.context(),
        port,
        inner_url: shape.inner_url(),
        audit_log: folder.join("audit.log"),
        directory: folder,
    };
    Ok((cluster, credentials))
}

/// Every request once, when it is answered, without bodies.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
";

/// A kubeconfig of contexts, URLs and credentials. JSON is YAML.
fn kubeconfig(access: &[(String, String, Credentials)]) -> Vec<u8> {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": access.first().map(|(context, ..)| context),
        "clusters": access.iter().map(|(context, url, credentials)| json!({
            "name": context,
            "cluster": {"server": url, "certificate-authority-data": encode(&credentials.authority)},
        })).collect::<Vec<_>>(),
        "users": access.iter().map(|(context, _, credentials)| json!({
            "name": format!("{context}-admin"),
            "user": {
                "client-certificate-data": encode(&credentials.certificate),
                "client-key-data": encode(&credentials.key),
            },
        })).collect::<Vec<_>>(),
        "contexts": access.iter().map(|(context, ..)| json!({
            "name": context,
            "context": {"cluster": context, "user": format!("{context}-admin")},
        })).collect::<Vec<_>>(),
    });
    format!("{document:#}\n").into_bytes()
}

/// Starts the supervisor, with nothing of this process's but the listeners: no terminal, and no
/// environment that would lead requests to a proxy or a program to other credentials.
fn spawn(itself: &Path, lab: &Lab, stdin: std::os::fd::OwnedFd) -> Result<Supervisor, LabError> {
    let doing = "start the lab's supervisor";
    let log = lab.directory.join("supervisor.log");
    let file = fs::File::create(&log).map_err(|error| LabError::file("write", &log, error))?;
    let same = file
        .try_clone()
        .map_err(|error| LabError::file("write", &log, error))?;
    let mut child = Command::new(itself)
        .args(["lab", "inside", "supervise", "--namespaces", &lab.namespaces])
        .arg("--directory")
        .arg(&lab.directory)
        .env_clear()
        .env("PATH", programs::search_path())
        .env("HOME", &lab.directory)
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::from(stdin))
        .stdout(file)
        .stderr(same)
        .spawn()
        .map_err(|error| LabError::system(doing, error))?;
    let supervisor = Supervisor::of(child.id())?;
    // Where this process goes on to live, the supervisor's end is noticed.
    std::thread::spawn(move || child.wait());
    Ok(supervisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_context_is_the_current_one() {
        let credentials = |name: &str| Credentials {
            authority: format!("{name} CA"),
            certificate: format!("{name} certificate"),
            key: format!("{name} key"),
        };
        let access =
            ["lab-1", "lab-2"].map(|name| (name.to_owned(), format!("https://{name}"), credentials(name)));
        let read: kube::config::Kubeconfig = serde_json::from_slice(&kubeconfig(&access)).unwrap();
        assert_eq!(read.current_context.as_deref(), Some("lab-1"));
        assert_eq!(read.contexts.len(), 2);
        let cluster = read.clusters[1].cluster.as_ref().unwrap();
        assert_eq!(cluster.server.as_deref(), Some("https://lab-2"));
    }
}
