//! What the benchmarks stand on: programs, a home, and the lab's clusters, as the process inside of
//! the lab's network sees them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::Api;
use crate::job::Job;
use crate::trouble::{Doing as _, Outcome};

/// The variable that names the file with a [`Ground`].
const VARIABLE: &str = "FLEET_BENCHMARK_GROUND";

/// What the benchmarks stand on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ground {
    /// A home that is thrown away.
    pub home: PathBuf,
    /// This tool.
    pub stolos: PathBuf,
    /// The directory of `kubectl` and `istioctl`.
    pub parts: PathBuf,
    /// The clusters, where there are any.
    pub clusters: Vec<Cluster>,
}

/// A cluster of the lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cluster {
    /// Its kubeconfig context, which is also its name in the mesh.
    pub context: String,
    /// Its API server's URL in the lab's network.
    pub server: String,
    /// Its API server's audit log.
    pub audit_log: PathBuf,
    /// Its authority's certificate, PEM.
    pub authority: String,
    /// The administrator's certificate, PEM.
    pub certificate: String,
    /// The administrator's key, PEM.
    pub key: String,
    /// The folder with the API server's own certificate and key.
    pub folder: PathBuf,
}

impl Ground {
    /// The one that the process outside prepared.
    pub fn given() -> Outcome<Self> {
        let path = std::env::var_os(VARIABLE).doing(format!("read {VARIABLE}"))?;
        let text = std::fs::read(&path).doing("read what the benchmark stands on")?;
        serde_json::from_slice(&text).doing("read what the benchmark stands on")
    }

    /// Keeps it for the process inside; gives the variable that leads there.
    pub fn keep(&self) -> Outcome<(&'static str, PathBuf)> {
        let path = self.home.join("ground.json");
        let text = serde_json::to_vec(self).doing("write what the benchmark stands on")?;
        std::fs::write(&path, text).doing("write what the benchmark stands on")?;
        Ok((VARIABLE, path))
    }

    /// `PATH` with the parts first.
    pub fn path(&self) -> String {
        let path = std::env::var("PATH").unwrap_or_default();
        format!("{}:{path}", self.parts.display())
    }

    /// This tool with arguments and a kubeconfig.
    pub fn stolos(&self, name: &str, kubeconfig: &Path, arguments: &[&str]) -> Job {
        Job::new(name, &self.stolos, &self.home, &self.path())
            .arguments(arguments)
            .variable("KUBECONFIG", kubeconfig)
            .variable("STOLOS_ISTIOCTL", self.parts.join("istioctl"))
    }

    /// A shell script with a kubeconfig, and arguments from `$1` on.
    pub fn shell(&self, name: &str, kubeconfig: &Path, script: &str, arguments: &[&str]) -> Job {
        Job::new(name, "sh", &self.home, &self.path())
            .arguments(["-c", script, "sh"])
            .arguments(arguments)
            .variable("KUBECONFIG", kubeconfig)
    }

    /// Writes a file of the home.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Outcome<PathBuf> {
        let path = self.home.join(name);
        std::fs::write(&path, text).doing(format!("write {}", path.display()))?;
        Ok(path)
    }

    /// A kubeconfig of clusters by their names, with their own administrators.
    pub fn kubeconfig(&self, name: &str, entries: &[Entry<'_>]) -> Outcome<PathBuf> {
        self.write(name, kubeconfig(entries).to_string())
    }

    /// The kubeconfig of all clusters, at their own addresses.
    pub fn kubeconfig_of_all(&self, name: &str) -> Outcome<PathBuf> {
        let entries: Vec<Entry<'_>> = self.clusters.iter().map(Cluster::entry).collect();
        self.kubeconfig(name, &entries)
    }

    /// A fleet file over the clusters that manages only links.
    pub fn fleet_of_links(&self, name: &str, clusters: &[Cluster]) -> Outcome<PathBuf> {
        let clusters = with_each(clusters, |cluster| {
            Ok(serde_json::json!({
                "name": cluster.context, "network": format!("network-{}", cluster.context),
                "uid": cluster.uid()?, "manage": ["links"],
            }))
        })?;
        let file = serde_json::json!({
            "apiVersion": "stolos.dev/v1alpha1", "kind": "Fleet",
            "metadata": {"name": "benchmark"}, "spec": {"clusters": clusters},
        });
        self.write(name, file.to_string())
    }
}

/// A context of a kubeconfig with a cluster and a user of its own.
pub struct Entry<'a> {
    /// The name of all three.
    pub name: String,
    /// The API server's URL.
    pub server: String,
    /// PEM of its authority.
    pub authority: &'a str,
    /// The user's fields.
    pub user: Value,
}

impl Cluster {
    /// Its entry in a kubeconfig.
    pub fn entry(&self) -> Entry<'_> {
        Entry {
            name: self.context.clone(),
            server: self.server.clone(),
            authority: &self.authority,
            user: serde_json::json!({
                "client-certificate-data": encode(&self.certificate),
                "client-key-data": encode(&self.key),
            }),
        }
    }

    /// The UID of its `kube-system`, which fleet files pin.
    pub fn uid(&self) -> Outcome<String> {
        let namespace = self.api()?.get("/api/v1/namespaces/kube-system")?;
        let namespace = namespace.doing("read kube-system")?;
        let uid = namespace["metadata"]["uid"].as_str();
        Ok(uid.doing("find the UID of kube-system")?.to_owned())
    }

    /// The benchmark's own way to its API server.
    pub fn api(&self) -> Outcome<Api> {
        Api::with_certificate(&self.server, &self.authority, &self.certificate, &self.key)
    }
}

/// A kubeconfig of entries. JSON is YAML.
fn kubeconfig(entries: &[Entry<'_>]) -> Value {
    let list = |of: &dyn Fn(&Entry<'_>) -> Value| entries.iter().map(of).collect::<Vec<_>>();
    serde_json::json!({
        "apiVersion": "v1", "kind": "Config",
        "current-context": entries.first().map(|entry| entry.name.as_str()),
        "clusters": list(&|entry| serde_json::json!({
            "name": entry.name,
            "cluster": {"server": entry.server, "certificate-authority-data": encode(entry.authority)},
        })),
        "users": list(&|entry| serde_json::json!({"name": entry.name, "user": entry.user})),
        "contexts": list(&|entry| serde_json::json!({
            "name": entry.name, "context": {"cluster": entry.name, "user": entry.name},
        })),
    })
}

/// Base64, as kubeconfigs hold what is binary.
pub fn encode(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Does something with each of many, at the same time, and gives the answers in order.
pub fn with_each<T: Sync, U: Send>(all: &[T], work: impl Fn(&T) -> Outcome<U> + Sync) -> Outcome<Vec<U>> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = all.iter().map(|one| scope.spawn(move || work(one))).collect();
        threads
            .into_iter()
            .map(|thread| {
                let ended = thread.join().map_err(|_| "it panicked");
                ended.doing("work on each cluster")?
            })
            .collect()
    })
}
