//! One of ten real clusters fails, in every way and under every command: its failure is classed rightly
//! and within its deadline, what is said of the other nine is what is said of them when all is well,
//! and the exit code tells partial from total. That the others are also done as soon as ever is
//! measured by `cargo bench --bench fleet -- faults`, with the same cases.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::{StandIn, StandIns};

use crate::fault_cases::{CASES, Case, Does};
use crate::harness::{Lab, json as read_json, must};

const CLUSTERS: u8 = 10;
/// The cluster that fails.
const BAD: u8 = 10;
/// What each cluster is given, so that those that hang take no longer.
const DEADLINE: &str = "3s";
/// By when every command must have ended: it has to start, to report and to end as well, beside
/// others, on a machine that may be slow. One that hangs does not end at all.
const END: Duration = Duration::from_secs(30);
/// Commands that run at the same time: most of them wait.
const AT_ONCE: usize = 6;

/// A command, what it does, and whether it answers with a document.
struct Asked {
    words: Vec<String>,
    does: Does,
    has_document: bool,
}

/// Ten clusters with a mesh of links, and a server that stands for the last of them in each case.
struct Ground {
    lab: Lab,
    stand_ins: StandIns,
    /// The lab's kubeconfig, as data.
    kubeconfig: Value,
    /// How the clusters are listed.
    rows: Vec<Value>,
}

/// What came of a command.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

#[test]
fn one_cluster_that_fails_spoils_nothing_for_the_others() {
    let ground = Ground::new("torn");
    let commands = commands(&ground);
    let sound = ground.kubeconfig("sound.kubeconfig", &[]);
    let usual: Vec<Ended> = commands
        .iter()
        .map(|command| ground.run(command, &sound, "usual"))
        .collect();
    for (command, ended) in commands.iter().zip(&usual) {
        assert_eq!(
            ended.code,
            Some(0),
            "{:?}: {}{}",
            command.words,
            ended.stdout,
            ended.stderr
        );
    }
    let stands: Vec<_> = CASES
        .iter()
        .enumerate()
        .map(|(index, case)| {
            let stand_in = ground.stand_in(BAD, case);
            let name = format!("{index}.kubeconfig");
            let path = ground.kubeconfig(&name, &[(BAD, stand_in.address)]);
            (case, stand_in, path)
        })
        .collect();
    let turns: Vec<(usize, usize)> = (0..stands.len())
        .flat_map(|case| (0..commands.len()).map(move |command| (case, command)))
        .collect();
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((case, command)) = turns.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (case, _, kubeconfig) = &stands[*case];
                    let (asked, usual) = (&commands[*command], &usual[*command]);
                    let ended = ground.run(asked, kubeconfig, &format!("{}-{command}", case.name));
                    if let Err(why) = ground.judge(asked, case, usual, &ended) {
                        let what = format!(
                            "{}, with one that is {:?}: {why}",
                            asked.words[..2].join(" "),
                            case.name
                        );
                        problems.lock().expect("it is whole").push(what);
                    }
                }
            });
        }
    });
    let problems = problems.into_inner().expect("it is whole");
    assert!(
        problems.is_empty(),
        "{} of {} went wrong:\n{}",
        problems.len(),
        turns.len(),
        problems.join("\n")
    );
}

/// Every command that talks to clusters and writes to none.
fn commands(ground: &Ground) -> Vec<Asked> {
    let all = format!("{}-*", ground.lab.name);
    let (second, ninth, tenth) = (ground.name(2), ground.name(9), ground.name(BAD));
    let eight = ground.fleet("eight.yaml", 8);
    let ten = ground.fleet("ten.yaml", CLUSTERS);
    let asked = |does: Does, has_document: bool, words: &[&str]| {
        let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        if has_document {
            words.extend(["-o", "json"].map(str::to_owned));
        }
        Asked {
            words,
            does,
            has_document,
        }
    };
    let (identifies, reads, pinned) = (Does::Identifies, Does::Reads, Does::ReadsPinned);
    vec![
        asked(identifies, true, &["contexts", "--probe"]),
        asked(reads, true, &["status", "--context", &all]),
        asked(pinned, true, &["status", "--fleet", &ten]),
        asked(pinned, true, &["link", "list", "--fleet", &ten]),
        asked(pinned, true, &["trust", "show", "--fleet", &ten]),
        asked(pinned, true, &["plan", "--fleet", &ten]),
        asked(pinned, true, &["link", "sync", "--dry-run", "--fleet", &ten]),
        asked(pinned, true, &["apply", "--dry-run", "--fleet", &ten]),
        asked(pinned, true, &["leave", &second, "--dry-run", "--fleet", &ten]),
        asked(
            reads,
            false,
            &["join", &ninth, &tenth, "--dry-run", "--fleet", &eight],
        ),
        asked(
            reads,
            false,
            &[
                "init",
                "--yes",
                "--from-mesh",
                "--name",
                "torn",
                "--context",
                &all,
            ],
        ),
    ]
}

impl Ground {
    fn new(name: &str) -> Self {
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

    fn name(&self, number: u8) -> String {
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
    fn fleet(&self, file: &str, count: u8) -> String {
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

    /// A server that stands for a cluster and fails as a case says.
    fn stand_in(&self, number: u8, case: &Case) -> std::sync::Arc<StandIn> {
        let row = &self.rows[usize::from(number) - 1];
        let server = row["server"]
            .as_str()
            .expect("a URL")
            .trim_start_matches("https://");
        let folder = PathBuf::from(row["auditLog"].as_str().expect("a path"));
        let folder = folder.parent().expect("it lies in a folder");
        self.stand_ins
            .stand_in(
                folder,
                server.parse().expect("an address"),
                case.flaw,
                (case.plan)(),
            )
            .expect("a server can be started")
    }

    /// The lab's kubeconfig, with some clusters elsewhere.
    fn kubeconfig(&self, file: &str, elsewhere: &[(u8, SocketAddr)]) -> String {
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

    /// Runs a command to its end, or ends it where it hangs.
    fn run(&self, asked: &Asked, kubeconfig: &str, turn: &str) -> Ended {
        let file = |ending: &str| {
            self.lab
                .home
                .path()
                .join(format!("{}.{ending}", turn.replace('/', " of ")))
        };
        let mut words: Vec<&str> = asked.words.iter().map(String::as_str).collect();
        words.extend(["--kubeconfig", kubeconfig, "--request-timeout", DEADLINE]);
        let written = format!("{}.yaml", turn.replace('/', " of "));
        if words[0] == "init" {
            let _ = std::fs::remove_file(self.lab.home.path().join(&written));
            words.extend(["--fleet", &written]);
        }
        let create = |path| std::fs::File::create(path).expect("a file can be made");
        let mut child = self
            .lab
            .stolos(&words)
            .stdin(std::process::Stdio::null())
            .stdout(create(file("stdout")))
            .stderr(create(file("stderr")))
            .spawn()
            .expect("stolos can be run");
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("it is ours") {
                break Some(status);
            }
            if begun.elapsed() > END {
                child.kill().expect("it is ours");
                child.wait().expect("it is ours");
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let read = |path| std::fs::read_to_string(path).expect("it is text");
        Ended {
            code: status.and_then(|status| status.code()),
            stdout: read(file("stdout")),
            stderr: read(file("stderr")),
        }
    }

    /// Whether a command made of a case what it should.
    fn judge(&self, asked: &Asked, case: &Case, usual: &Ended, ended: &Ended) -> Result<(), String> {
        let classes = case.outcome.classes(asked.does);
        let code = if classes.is_empty() { 0 } else { 4 };
        let said = || format!("{}{}", ended.stdout, ended.stderr);
        if ended.code != Some(code) {
            let shown: String = said().chars().take(2000).collect();
            return Err(format!("exit code {:?}, not {code}: {shown}", ended.code));
        }
        let bad = self.name(BAD);
        if !asked.has_document {
            let names = |class: &&str| {
                ended
                    .stderr
                    .lines()
                    .any(|line| line.contains(&bad) && line.contains(&format!("({class})")))
            };
            return if classes.is_empty() || classes.iter().any(names) {
                Ok(())
            } else {
                Err(format!("none of {classes:?} is said of {bad}: {}", said()))
            };
        }
        let document = document(ended)?;
        let mut found = Vec::new();
        for error in document["errors"].as_array().into_iter().flatten() {
            if error["cluster"] != bad.as_str() {
                return Err(format!("an error of another cluster: {error}"));
            }
            found.push(error["class"].as_str().unwrap_or_default().to_owned());
        }
        let is_right = |class: &String| classes.contains(&class.as_str());
        if found.is_empty() != classes.is_empty() || !found.iter().all(is_right) {
            return Err(format!(
                "classed {found:?}, not {classes:?}: {}",
                document["errors"]
            ));
        }
        if document["complete"] != classes.is_empty() {
            return Err(format!("complete: {}", document["complete"]));
        }
        let (now, before) = (
            of_the_others(&document, &bad),
            of_the_others(&self::document(usual)?, &bad),
        );
        if now != before {
            return Err(format!("of the others is said {now:#}\nand not {before:#}"));
        }
        Ok(())
    }
}

fn document(ended: &Ended) -> Result<Value, String> {
    serde_json::from_str(&ended.stdout).map_err(|error| format!("no document ({error}): {}", ended.stderr))
}

/// What the lists of a document say of other clusters alone.
fn of_the_others(document: &Value, bad: &str) -> Value {
    let mut lists = document.as_object().cloned().unwrap_or_default();
    lists.retain(|name, value| value.is_array() && name != "errors");
    for list in lists.values_mut() {
        if let Some(items) = list.as_array_mut() {
            items.retain(|item| !item.to_string().contains(bad));
        }
    }
    Value::Object(lists)
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
