//! Ten clusters with a mesh of links, servers that stand for some of them and fail, and commands that are
//! run to their end.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::{StandIn, StandIns};

use crate::fault_cases::Case;
use crate::harness::{Lab, json as read_json, must};

/// How many clusters there are.
pub const CLUSTERS: u8 = 10;
/// What each cluster is given, so that those that hang take no longer. The others must be read within
/// it, on a machine that may be slow.
const DEADLINE: &str = "5s";
/// By when every command must have ended: it has to start, to report and to end as well, beside
/// others. One that hangs does not end at all.
const END: Duration = Duration::from_secs(45);
/// How long a command is alone in beginning: those that are run at the same time are to wait at the
/// same time, not to compete.
const HEAD_START: Duration = Duration::from_millis(800);

/// Ten clusters with a mesh of links.
pub struct Ground {
    /// The lab with them.
    pub lab: Lab,
    stand_ins: StandIns,
    /// The lab's kubeconfig, as data.
    kubeconfig: Value,
    /// How the clusters are listed.
    rows: Vec<Value>,
    begins: Mutex<()>,
}

/// What came of a command.
pub struct Ended {
    /// Its exit code; none where it was ended.
    pub code: Option<i32>,
    /// What it answered.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

impl Ended {
    /// What it answered, as a document.
    pub fn document(&self) -> Result<Value, String> {
        serde_json::from_str(&self.stdout).map_err(|error| format!("no document ({error}): {}", self.stderr))
    }

    /// All that it said, as far as one wants to read it.
    pub fn said(&self) -> String {
        let whole = format!("{}{}", self.stdout, self.stderr);
        whole.chars().take(2000).collect()
    }
}

impl Ground {
    /// Brings it up, linked.
    pub fn new(name: &str) -> Self {
        let lab = Lab::up_with(name, CLUSTERS, &["--control-plane-only"]);
        let kubeconfig = read_json(lab.kubectl(&lab.context(1), &["config", "view", "--raw", "-o", "json"]));
        let rows = lab.row()["clusters"]
            .as_array()
            .expect("a lab has clusters")
            .clone();
        let ground = Self {
            lab,
            stand_ins: StandIns::begin().expect("a thread can be started"),
            kubeconfig,
            rows,
            begins: Mutex::new(()),
        };
        std::thread::scope(|scope| {
            for number in 1..=CLUSTERS {
                let ground = &ground;
                scope.spawn(move || ground.furnish(number));
            }
        });
        let fleet = ground.fleet("links.yaml", CLUSTERS);
        must(
            ground
                .lab
                .stolos(&["link", "sync", "--yes", "--no-wait", "--fleet", &fleet]),
        );
        ground
    }

    /// A cluster's name, from 1.
    pub fn name(&self, number: u8) -> String {
        self.lab.context(number)
    }

    /// Makes a cluster one with an istiod of which the API server says that it is well.
    fn furnish(&self, number: u8) {
        let (name, context) = (format!("{number}.json"), self.name(number));
        self.lab.home.write(&name, objects(&context).to_string());
        let apply = ["apply", "--server-side", "-f", &name];
        must(self.lab.kubectl(&context, &apply));
        let status = json!({"status": {
            "observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "updatedReplicas": 1,
        }});
        let patch = [
            "patch",
            "deployment",
            "istiod",
            "-n",
            "istio-system",
            "--subresource=status",
        ];
        must(
            self.lab
                .kubectl(&context, &patch)
                .args(["--type=merge", "-p", &status.to_string()]),
        );
    }

    /// A fleet file over the first clusters.
    pub fn fleet(&self, file: &str, count: u8) -> String {
        let clusters: Vec<Value> = (1..=count)
            .map(|number| {
                let name = self.name(number);
                let namespace = self.lab.object(&name, &["namespace", "kube-system"]);
                json!({
                    "name": name, "network": "flat", "manage": ["links"],
                    "uid": namespace.expect("there is one")["metadata"]["uid"],
                })
            })
            .collect();
        let fleet = json!({
            "apiVersion": "stolos.dev/v1alpha1", "kind": "Fleet", "metadata": {"name": "torn"},
            "spec": {"mesh": {"meshID": "torn"}, "clusters": clusters},
        });
        // As people write it, so that `join` edits it.
        let text = stolos::yaml::to_string(&fleet).expect("it is YAML");
        self.lab.home.write(file, text);
        file.to_owned()
    }

    /// A server that stands for a cluster and fails as a case says, for one run.
    pub fn stand_in(&self, number: u8, case: &Case) -> Arc<StandIn> {
        let row = &self.rows[usize::from(number) - 1];
        let server = row["server"]
            .as_str()
            .expect("a URL")
            .trim_start_matches("https://");
        let audit_log = PathBuf::from(row["auditLog"].as_str().expect("a path"));
        let folder = audit_log.parent().expect("it lies in a folder");
        let address = server.parse().expect("an address");
        let stand_in = self.stand_ins.stand_in(folder, address, case.flaw, (case.plan)());
        stand_in.expect("a server can be started")
    }

    /// The lab's kubeconfig, with some clusters elsewhere.
    pub fn kubeconfig(&self, file: &str, elsewhere: &[(u8, SocketAddr)]) -> String {
        let mut kubeconfig = self.kubeconfig.clone();
        for (number, address) in elsewhere {
            let name = self.name(*number);
            let clusters = kubeconfig["clusters"].as_array_mut().expect("clusters");
            let cluster = clusters
                .iter_mut()
                .find(|cluster| cluster["name"] == name.as_str());
            cluster.expect("it is there")["cluster"]["server"] = format!("https://{address}").into();
        }
        self.lab.home.write(file, kubeconfig.to_string());
        file.to_owned()
    }

    /// Runs a command to its end, or ends it where it hangs. `turn` names its files.
    pub fn run(&self, words: &[String], kubeconfig: &str, turn: &str) -> Ended {
        let path = |ending: &str| self.lab.home.path().join(format!("{turn}.{ending}"));
        let create = |ending| File::create(path(ending)).expect("a file can be made");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let begins = self.begins.lock().expect("nobody has panicked");
        let mut child = self
            .lab
            .stolos(&words)
            .args(["--kubeconfig", kubeconfig, "--request-timeout", DEADLINE])
            .stdin(Stdio::null())
            .stdout(create("stdout"))
            .stderr(create("stderr"))
            .spawn()
            .expect("stolos can be run");
        let mut code = until(&mut child, HEAD_START);
        drop(begins);
        if code.is_none() {
            code = until(&mut child, END);
        }
        if code.is_none() {
            child.kill().expect("it is ours");
            child.wait().expect("it is ours");
        }
        let read = |ending| std::fs::read_to_string(path(ending)).expect("it is text");
        Ended {
            code: code.flatten(),
            stdout: read("stdout"),
            stderr: read("stderr"),
        }
    }
}

/// Waits for a process for so long; none where it is still running, and no code where it was ended.
fn until(child: &mut Child, time: Duration) -> Option<Option<i32>> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().expect("it is ours") {
            return Some(status.code());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

/// A control plane as far as objects make one.
fn objects(cluster: &str) -> Value {
    let reader = "istio-reader-clusterrole-istio-system";
    let labels = json!({"app": "istiod", "istio.io/rev": "default"});
    let reads = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list", "watch"]});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {
                "name": "istio-system", "labels": {"topology.istio.io/network": "flat"},
            },
        },
        {
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "istio-reader-service-account", "namespace": "istio-system"},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": reader, "labels": {"app": "istio-reader"}},
            "rules": [
                reads("", &["endpoints", "pods", "services", "nodes", "namespaces", "secrets", "configmaps"]),
                reads("discovery.k8s.io", &["endpointslices"]),
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": reader, "labels": {"app": "istio-reader"}},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": reader},
            "subjects": [{
                "kind": "ServiceAccount", "name": "istio-reader-service-account", "namespace": "istio-system",
            }],
        },
        {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "istio", "namespace": "istio-system", "labels": {"istio.io/rev": "default"}},
            "data": {"mesh": "defaultConfig:\n  meshId: torn\ntrustDomain: cluster.local\n"},
        },
        {
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "istiod", "namespace": "istio-system", "labels": labels},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": "istiod"}},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{
                    "name": "discovery", "image": "istio/pilot:1.31.0",
                    "env": [{"name": "CLUSTER_ID", "value": cluster}],
                }]}},
            },
        },
    ]})
}
