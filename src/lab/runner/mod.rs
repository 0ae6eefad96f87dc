//! What a kubelet and a cloud do for a cluster: pods of images that the lab knows run for real,
//! all others are said to run; Services of type LoadBalancer get an address, at which what is meant
//! for istiod is passed on to it.

mod addresses;
mod balancer;
mod doors;
mod facts;
mod passage;
mod pretend;
mod probe;
mod process;
mod projection;
mod real;
mod sandbox;
mod sources;
mod status;
mod variables;
mod volumes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher;
use kube::runtime::watcher::Event;
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::inside::Log;
use super::parts::Part;
use super::shape::ClusterShape;
use addresses::Addresses;
use sources::Sources;

/// How long to wait before something that the API server did not answer is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// An image that the lab runs for real.
#[derive(Debug)]
struct Image {
    /// The last part of its name.
    name: &'static str,
    /// The part that is its program.
    part: Part,
    /// Where the program is in the image, which also starts it.
    entry_point: &'static str,
}

/// The images that the lab runs for real.
const IMAGES: [Image; 1] = [Image {
    name: "pilot",
    part: Part::PilotDiscovery,
    entry_point: "/usr/local/bin/pilot-discovery",
}];

/// Which of the images that the lab runs for real an image's name means, whatever its registry,
/// tag and digest.
fn known_image(image: &str) -> Option<&'static Image> {
    let without_digest = image.split('@').next().unwrap_or_default();
    let last = without_digest.rsplit('/').next().unwrap_or_default();
    let name = last.split(':').next().unwrap_or_default();
    IMAGES.iter().find(|image| image.name == name)
}

/// What every pod of a cluster has in common.
struct Node {
    client: Client,
    shape: ClusterShape,
    /// The folder of the pods' folders.
    pods: PathBuf,
    /// The directory of the parts.
    parts: PathBuf,
    /// This program, kept with the lab.
    program: PathBuf,
    sources: Sources,
    addresses: Mutex<Addresses>,
    cables: AtomicU32,
    processors: u64,
    memory: u64,
    log: Log,
}

impl Node {
    /// A name for a cable at the bridge that no other has.
    fn cable(&self) -> String {
        let number = self.cables.fetch_add(1, Ordering::Relaxed);
        format!("v{}x{number}", self.shape.number())
    }

    /// The address of a pod, by its UID; none where the range is exhausted.
    fn address(&self, uid: &str) -> Option<std::net::Ipv4Addr> {
        self.addresses.lock().ok()?.take(uid)
    }

    fn give_back(&self, uid: &str) {
        if let Ok(mut addresses) = self.addresses.lock() {
            addresses.give_back(uid);
        }
    }
}

/// One cluster's runner; it ends with this.
#[derive(Debug)]
pub struct Runner {
    tasks: Vec<JoinHandle<()>>,
}

impl Runner {
    /// Starts to look after a cluster's pods and Services. Where the API server goes away and
    /// comes back, this goes on.
    pub fn start(client: Client, shape: &ClusterShape, lab: &Path, parts: &Path, log: &Log) -> Self {
        let node = Arc::new(Node {
            sources: Sources::watch(&client),
            shape: shape.clone(),
            pods: lab.join("pods").join(shape.context()),
            parts: parts.to_owned(),
            program: lab.join("bin").join("stolos"),
            addresses: Mutex::new(Addresses::new(shape.pod_addresses())),
            cables: AtomicU32::new(0),
            processors: std::thread::available_parallelism().map_or(1, |count| count.get() as u64),
            memory: memory(),
            log: log.clone(),
            client,
        });
        Self {
            tasks: vec![
                tokio::spawn(balancer::serve(node.clone())),
                tokio::spawn(look_after_pods(node)),
            ],
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The machine's memory in bytes.
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    text.lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .map_or(1 << 30, |kibibytes: u64| kibibytes * 1024)
}

/// The latest state of a pod; none when it is gone.
type Latest = Option<Arc<Pod>>;

/// Starts a task for each pod, and passes on what changes.
async fn look_after_pods(node: Arc<Node>) {
    let mut pods: BTreeMap<String, watch::Sender<Latest>> = BTreeMap::new();
    let mut listed: Vec<String> = Vec::new();
    let api = Api::<Pod>::all(node.client.clone());
    let mut events = watcher(api, watcher::Config::default()).boxed();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(pod)) => {
                listed.extend(pod.uid());
                update(&node, &mut pods, pod);
            }
            Ok(Event::InitDone) => {
                // What is not listed any more went while nobody watched.
                for (uid, latest) in &pods {
                    if !listed.contains(uid) {
                        latest.send_replace(None);
                    }
                }
            }
            Ok(Event::Apply(pod)) => update(&node, &mut pods, pod),
            Ok(Event::Delete(pod)) => {
                if let Some(latest) = pod.uid().and_then(|uid| pods.remove(&uid)) {
                    latest.send_replace(None);
                }
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        pods.retain(|_, latest| !latest.is_closed());
    }
}

fn update(node: &Arc<Node>, pods: &mut BTreeMap<String, watch::Sender<Latest>>, pod: Pod) {
    let Some(uid) = pod.uid() else {
        return;
    };
    let assigned = pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.node_name.as_deref() == Some(node.shape.node().as_str()));
    if let Some(latest) = pods.get(&uid) {
        latest.send_replace(Some(Arc::new(pod)));
    } else if assigned && !is_finished(&pod) {
        let (latest, updates) = watch::channel(Some(Arc::new(pod)));
        pods.insert(uid, latest);
        tokio::spawn(tend(node.clone(), updates));
    }
}

/// Whether a pod came to its end, and only waits to be read.
fn is_finished(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none()
        && pod
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref())
            .is_some_and(|phase| matches!(phase, "Succeeded" | "Failed"))
}

/// Looks after one pod until it is gone.
async fn tend(node: Arc<Node>, updates: watch::Receiver<Latest>) {
    let Some(pod) = updates.borrow().clone() else {
        return;
    };
    let uid = pod.uid().unwrap_or_default();
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let real = containers
        .filter_map(|container| Some((container, known_image(container.image.as_deref()?)?)))
        .next();
    match real {
        Some((container, image)) => real::run(&node, &pod, container, image, updates).await,
        None => pretend::run(&node, &pod, updates).await,
    }
    node.give_back(&uid);
}

/// The path of a pod in the API.
fn path(pod: &Pod) -> String {
    format!(
        "/api/v1/namespaces/{}/pods/{}",
        pod.namespace().unwrap_or_default(),
        pod.name_any()
    )
}

/// This moment, as Kubernetes writes it.
fn now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_the_last_part_of_their_name() {
        for image in [
            "pilot",
            "docker.io/istio/pilot:1.31.0",
            "localhost:5000/pilot",
            "registry.example/a/b/pilot:1.31-distroless@sha256:00",
        ] {
            assert!(known_image(image).is_some(), "{image}");
        }
        for image in [
            "auto",
            "",
            "istio/proxyv2:1.31",
            "pilot/app:1",
            "my-pilot",
            "pilots:1",
        ] {
            assert!(known_image(image).is_none(), "{image}");
        }
    }

    #[test]
    fn times_are_in_whole_seconds_of_utc() {
        let now = now();
        assert_eq!(now.len(), "2026-01-01T00:00:00Z".len(), "{now}");
        assert!(now.ends_with('Z'));
    }
}
