//! Whether the simulator tells the truth: a real mesh over two real clusters is copied into two
//! simulated ones, the real binary's commands are run against the simulator, which writes every
//! request down, and each of those requests is then asked of the real API server. Statuses and
//! shapes must be the same. What the tool asks is recorded and not listed here: a new request is
//! covered by itself. It fails, and does not skip, where it cannot run.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod conversation;
#[expect(dead_code, reason = "shared with the live tests, which use all of it")]
#[path = "../live/fleet.rs"]
mod fleet;
#[expect(dead_code, reason = "shared with the live tests, which use all of it")]
#[path = "../live/harness.rs"]
mod harness;
mod shape;

use std::time::Duration;

use serde_json::Value;
use simulator::resource::ALL;
use simulator::{Content, Credential, Detail, Entry, Options};

use client::Server;
use conversation::Both;
use fleet::Fleet;
use harness::{eventually, json as kubectl_json, must, run};
use shape::{Exchange, only_simulated};

const NAME: &str = "faith";
/// The kubeconfig of the simulated clusters.
const SIMULATED: &str = "simulated.kubeconfig";

#[test]
fn the_simulator_answers_as_a_kube_apiserver_does() {
    let mesh = Fleet::applied(NAME, 2);
    until_it_rests(&mesh);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut problems = Vec::new();
    runtime.block_on(async {
        let _simulated = copy(&mesh).await;
        let mut both = both(&mesh);
        both.istiods().await;
        problems.append(&mut both.problems);
    });
    problems.append(&mut runtime.block_on(contents(&mesh)));
    disturb(&mesh);
    let simulated = runtime.block_on(copy(&mesh));
    let recorded = record(&mesh, &simulated);
    runtime.block_on(async {
        let mut both = both(&mesh);
        for entry in &recorded {
            both.replay(entry).await;
        }
        both.refusals().await;
        both.watches(&recorded).await;
        problems.append(&mut both.problems);
    });
    assert!(
        problems.is_empty(),
        "of {} requests that the commands made, and of what was asked beside them, {} were answered otherwise:\n\n{}",
        recorded.len(),
        problems.len(),
        problems.join("\n\n")
    );
}

fn kubeconfig(mesh: &Fleet, file: Option<&str>) -> Value {
    let mut command = mesh.lab.kubectl(&mesh.lab.context(1), &[]);
    if let Some(file) = file {
        command.args(["--kubeconfig", file]);
    }
    command.args(["config", "view", "--raw", "-o", "json"]);
    kubectl_json(command)
}

/// A simulated fleet that holds what the real one holds, and a kubeconfig with the same contexts.
async fn copy(mesh: &Fleet) -> simulator::Fleet {
    let simulated = simulator::Fleet::start(Options {
        clusters: 2,
        names: vec![mesh.lab.context(1), mesh.lab.context(2)],
        content: Content::Nothing,
        detail: Detail::Whole,
        // Longer than a question takes: what is asked right after a write is answered without what
        // controllers do, and what is watched for comes by the watch.
        controller_delay: Duration::from_millis(300),
        credential: Credential::Certificate,
        ..Options::default()
    })
    .unwrap();
    let kubeconfig = kubeconfig(mesh, None);
    for number in [1, 2] {
        let mut real = Server::of_kubeconfig("real", &kubeconfig, &mesh.lab.context(number));
        for object in everything(&mut real).await {
            simulated.cluster(usize::from(number)).put(object);
        }
    }
    mesh.lab.home.write(SIMULATED, simulated.kubeconfig());
    simulated
}

/// Both servers of the first cluster.
fn both(mesh: &Fleet) -> Both {
    let context = mesh.lab.context(1);
    Both {
        simulated: Server::of_kubeconfig("simulated", &kubeconfig(mesh, Some(SIMULATED)), &context),
        real: Server::of_kubeconfig("real", &kubeconfig(mesh, None), &context),
        problems: Vec::new(),
        waited: Duration::ZERO,
        written: None,
    }
}

/// What simulated clusters hold at first, held against what a real member of a mesh holds under the
/// same names: whatever a simulated object has, the real one has in the same shape.
async fn contents(mesh: &Fleet) -> Vec<String> {
    let simulated = simulator::Fleet::start(Options::default()).unwrap();
    mesh.lab.home.write(SIMULATED, simulated.kubeconfig());
    let named = simulated.cluster(1).name.clone();
    let mut member = Server::of_kubeconfig("simulated", &kubeconfig(mesh, Some(SIMULATED)), &named);
    let mut real = Server::of_kubeconfig("real", &kubeconfig(mesh, None), &mesh.lab.context(1));
    let real = everything(&mut real).await;
    let mut problems = Vec::new();
    let mut compared = 0;
    for object in everything(&mut member).await {
        let same = |pointer: &str, other: &Value| object.pointer(pointer) == other.pointer(pointer);
        let namesake = real.iter().find(|other| {
            ["/apiVersion", "/kind", "/metadata/namespace", "/metadata/name"]
                .iter()
                .all(|pointer| same(pointer, other))
        });
        let Some(namesake) = namesake else {
            continue;
        };
        compared += 1;
        let found = only_simulated(&object, namesake);
        if !found.is_empty() {
            let name = &object["metadata"]["name"];
            problems.push(format!("{} {name}\n  {}", object["kind"], found.join("\n  ")));
        }
    }
    assert!(
        compared > 150,
        "only {compared} objects have a namesake in the real cluster"
    );
    problems
}

/// Waits for what a real cluster's controllers write a while after an installation: it is part of
/// what is copied.
fn until_it_rests(mesh: &Fleet) {
    for number in [1, 2] {
        let arguments = ["-n", "istio-system", "horizontalpodautoscalers"];
        eventually("the autoscalers have conditions", || {
            let list = mesh.lab.object(&mesh.lab.context(number), &arguments)?;
            let all = list["items"]
                .as_array()?
                .iter()
                .all(|scaler| scaler["status"]["conditions"].is_array());
            all.then_some(())
        });
    }
}

/// Something to do for `apply`: fields that somebody else changed, in kinds that need no controller
/// of the simulator's, objects of many kinds that are gone and come as in a first installation, and
/// tokens that are gone.
fn disturb(mesh: &Fleet) {
    let secret = "istio-reader-service-account-istio-remote-secret-token";
    let context = mesh.lab.context(1);
    for arguments in [
        &[
            "label",
            "clusterrole",
            "istiod-clusterrole-istio-system",
            "app=other",
            "--overwrite",
        ][..],
        &[
            "-n",
            "istio-system",
            "label",
            "service",
            "istiod",
            "app=other",
            "--overwrite",
        ],
        &[
            "-n",
            "istio-system",
            "create",
            "configmap",
            "theirs",
            "--from-literal=a=b",
        ],
        &["-n", "istio-system", "delete", "secret", secret],
        &[
            "delete",
            "crd/workloadgroups.networking.istio.io",
            "clusterrole/istiod-gateway-controller-istio-system",
            "clusterrolebinding/istiod-gateway-controller-istio-system",
        ],
        &[
            "-n",
            "istio-system",
            "delete",
            "role/istiod",
            "rolebinding/istiod",
            "configmap/values",
            "gateways.networking.istio.io/cross-network-gateway",
            "serviceaccount/istio-eastwestgateway-service-account",
        ],
    ] {
        must(mesh.lab.kubectl(&context, arguments));
    }
    let gone = ["-n", "istio-system", "delete", "secret", secret];
    must(mesh.lab.kubectl(&mesh.lab.context(2), &gone));
}

/// Every object of a cluster.
async fn everything(server: &mut Server) -> Vec<Value> {
    let mut objects = Vec::new();
    for resource in ALL {
        let prefix = if resource.group.is_empty() { "api" } else { "apis" };
        let path = format!("/{prefix}/{}/{}", resource.api_version(), resource.plural);
        let Some(mut list) = server.get(&path).await else {
            continue;
        };
        for object in list["items"].as_array_mut().unwrap() {
            object["apiVersion"] = resource.api_version().into();
            object["kind"] = resource.kind.into();
            objects.push(object.take());
        }
    }
    objects
}

/// Runs the binary's commands against the simulator, and gives what they asked of the first
/// cluster, in its order.
fn record(mesh: &Fleet, simulated: &simulator::Fleet) -> Vec<Entry> {
    let contexts = format!("{NAME}-*");
    let commands: [&[&str]; 14] = [
        &["contexts", "--probe"],
        &[
            "init",
            "--from-mesh",
            "--yes",
            "--name",
            "other",
            "--context",
            &contexts,
            "--fleet",
            "other.yaml",
        ],
        &["status", "--context", &contexts],
        &["status", "-o", "json"],
        &["trust", "show"],
        &["link", "list"],
        &["plan"],
        &["link", "sync", "--yes"],
        &["apply", "--yes"],
        &["apply", "--yes"],
        &["leave", "faith-2", "--keep-mesh", "--yes", "--allow-disruption"],
        &["join", "faith-2"],
        &["link", "sync", "--yes"],
        &["leave", "faith-1", "--yes", "--allow-disruption"],
    ];
    for arguments in commands {
        // Bounded from outside: what a command waits for may be what the simulator does not do.
        let program = mesh.lab.stolos(arguments);
        let mut command = mesh.lab.home.command("timeout");
        command.args(["--signal=INT", "60"]);
        command.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let output = run(command.env("KUBECONFIG", mesh.lab.home.path().join(SIMULATED)));
        // What is found unhealthy, and what has nothing to do, are said by codes of their own.
        let told = format!(
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(matches!(output.status.code(), Some(0 | 3)), "{told}");
    }
    let mut entries: Vec<Entry> = simulated
        .audit
        .take()
        .into_iter()
        .filter(|entry| entry.cluster == 1)
        .collect();
    // Between two writes the same question has the same answer.
    let mut last = Vec::new();
    entries.retain(|entry| {
        let exchange = exchange_of(entry);
        if exchange.is_write() {
            last.clear();
            return true;
        }
        let asked = (exchange, entry.bearer.clone());
        let is_new = !last.contains(&asked);
        if is_new {
            last.push(asked);
        }
        is_new
    });
    entries
}

/// A recorded request, to be asked again.
pub fn exchange_of(entry: &Entry) -> Exchange {
    Exchange {
        method: entry.method.clone(),
        target: entry.target.clone(),
        accept: entry.accept.clone(),
        content_type: entry.content_type.clone(),
        body: entry.request.clone(),
        agent: entry.agent.clone(),
        upgrade: entry.protocols.clone(),
    }
}
