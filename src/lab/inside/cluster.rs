//! One cluster's control plane: its programs in order, its port, its runner; off and on again.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use serde_json::Value;
use tokio::sync::{Mutex, watch};

use super::component::{Alarm, Component};
use super::log::Log;
use super::objects;
use super::relay::Relay;
use crate::lab::error::LabError;
use crate::lab::record::{Cluster, ClusterState, Lab};
use crate::lab::runner::Runner;
use crate::lab::shape::{API_PORT, ClusterShape, Extent};
use crate::lab::{api, arguments};

/// How often to ask whether something is ready yet.
const GLANCE: Duration = Duration::from_millis(40);

/// One cluster's control plane.
#[derive(Debug)]
pub struct ControlPlane {
    shape: ClusterShape,
    extent: Extent,
    folder: PathBuf,
    lab: PathBuf,
    parts: PathBuf,
    log: Log,
    /// Of etcd, which all clusters share.
    shared_alarm: Alarm,
    alarm: Alarm,
    state: watch::Sender<Phase>,
    running: Mutex<Running>,
}

/// The state, and why it cannot become ready.
#[derive(Debug, Clone)]
struct Phase {
    state: ClusterState,
    failure: Option<String>,
}

#[derive(Debug)]
struct Running {
    relay: Relay,
    components: Vec<Component>,
    /// Lives on while the cluster is off, as kubelets do.
    runner: Option<Runner>,
}

impl ControlPlane {
    /// A control plane that does not run yet.
    pub fn new(
        shape: ClusterShape,
        socket: TcpListener,
        lab: &Lab,
        cluster: &Cluster,
        log: &Log,
        shared_alarm: &Alarm,
    ) -> Result<Self, LabError> {
        let relay = Relay::new(socket, SocketAddr::from((shape.address(), API_PORT)))?;
        Ok(Self {
            shape,
            extent: lab.extent,
            folder: cluster.directory.clone(),
            lab: lab.directory.clone(),
            parts: lab.parts(),
            log: log.clone(),
            shared_alarm: shared_alarm.clone(),
            alarm: Alarm::new(None),
            state: watch::Sender::new(Phase {
                state: ClusterState::Starting,
                failure: None,
            }),
            running: Mutex::new(Running {
                relay,
                components: Vec::new(),
                runner: None,
            }),
        })
    }

    /// The kubeconfig context.
    pub fn context(&self) -> String {
        self.shape.context()
    }

    /// How it is.
    pub fn state(&self) -> ClusterState {
        self.state.borrow().state
    }

    /// Waits until it is ready or off; says why where it can be neither.
    pub async fn settled(&self) -> Result<(), String> {
        let mut phases = self.state.subscribe();
        let settled = phases
            .wait_for(|phase| phase.state != ClusterState::Starting || phase.failure.is_some())
            .await
            .map_err(|_| "the lab ends".to_owned())?;
        match &settled.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(()),
        }
    }

    /// Starts it with the lab, and remembers why it cannot be.
    pub async fn first_start(self: Arc<Self>) {
        if let Err(error) = self.start().await {
            self.log.say(format!("{}: {error}", self.context()));
            self.state
                .send_modify(|phase| phase.failure = Some(error.to_string()));
        }
    }

    /// Switches it on, and waits until it is ready, or one of its programs does not stay.
    pub async fn start(&self) -> Result<(), LabError> {
        let mut running = self.running.lock().await;
        if self.state() == ClusterState::Ready {
            return Ok(());
        }
        self.enter(ClusterState::Starting);
        self.alarm.send_replace(None);
        tokio::select! {
            started = self.bring_up(&mut running) => started,
            why = raised(&self.alarm) => Err(LabError::system(format!("start {}", self.context()), why)),
            why = raised(&self.shared_alarm) => Err(LabError::system(format!("start {}", self.context()), why)),
        }
    }

    async fn bring_up(&self, running: &mut Running) -> Result<(), LabError> {
        let client = api::client(&self.folder.join("kubeconfig")).await?;
        if running.components.is_empty() {
            let arguments = arguments::api_server(&self.shape);
            running
                .components
                .push(self.component("kube-apiserver", arguments));
        }
        while !api::is_ready(&client).await {
            tokio::time::sleep(GLANCE).await;
        }
        self.log
            .say(format!("{}: the API server is ready", self.context()));
        running.relay.open(&self.log).await?;
        let whole = self.extent == Extent::Whole;
        if whole {
            self.furnish(&client).await?;
        }
        if running.components.len() == 1 {
            let controllers = arguments::controller_manager(&self.shape, self.extent);
            running
                .components
                .push(self.component("kube-controller-manager", controllers));
            if whole {
                for (name, arguments) in [
                    ("kwok", arguments::kwok(&self.shape)),
                    ("kube-scheduler", arguments::scheduler(&self.shape)),
                ] {
                    running.components.push(self.component(name, arguments));
                }
            }
        }
        if whole {
            if running.runner.is_none() {
                let runner = Runner::start(client.clone(), &self.shape, &self.lab, &self.parts, &self.log);
                running.runner = Some(runner);
            }
            let node = format!("/api/v1/nodes/{}", self.shape.node());
            await_object(&client, &node, is_condition_true("Ready")).await;
        }
        let account = "/api/v1/namespaces/default/serviceaccounts/default";
        await_object(&client, account, |_| true).await;
        self.enter(ClusterState::Ready);
        Ok(())
    }

    /// Switches it off.
    pub async fn stop(&self) {
        let mut running = self.running.lock().await;
        running.relay.close().await;
        // The last to start is the first to go, so that none of them reports a lost API server.
        while let Some(component) = running.components.pop() {
            component.stop().await;
        }
        self.enter(ClusterState::Stopped);
    }

    fn enter(&self, state: ClusterState) {
        self.log.say(format!("{}: {}", self.context(), state.as_str()));
        self.state.send_replace(Phase { state, failure: None });
    }

    fn component(&self, name: &str, arguments: Vec<String>) -> Component {
        Component::start(
            self.parts.join(name),
            arguments,
            &self.folder,
            &self.log,
            &self.alarm,
        )
    }

    /// Creates the objects that are there from the start.
    async fn furnish(&self, client: &Client) -> Result<(), LabError> {
        let failed = |error| LabError::system(format!("furnish {}", self.context()), error);
        let kinds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        for definition in objects::definitions() {
            api::create(client, kinds, &definition).await.map_err(failed)?;
        }
        let node = objects::node(&self.shape);
        api::create(client, "/api/v1/nodes", &node)
            .await
            .map_err(failed)?;
        for definition in objects::definitions() {
            let name = definition["metadata"]["name"].as_str().unwrap_or_default();
            await_object(
                client,
                &format!("{kinds}/{name}"),
                is_condition_true("Established"),
            )
            .await;
        }
        Ok(())
    }
}

/// Waits for an alarm, and gives what it says.
async fn raised(alarm: &Alarm) -> String {
    let mut alarms = alarm.subscribe();
    loop {
        let why = alarms.borrow_and_update().clone();
        if let Some(why) = why {
            return why;
        }
        // The sender is borrowed, so it cannot be gone.
        let _ = alarms.changed().await;
    }
}

/// Waits until an object is there and as it should be.
async fn await_object(client: &Client, path: &str, good: impl Fn(&Value) -> bool) {
    while !matches!(api::get(client, path).await, Ok(object) if good(&object)) {
        tokio::time::sleep(GLANCE).await;
    }
}

fn is_condition_true(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |object| {
        object["status"]["conditions"]
            .as_array()
            .is_some_and(|conditions| {
                conditions
                    .iter()
                    .any(|condition| condition["type"] == kind && condition["status"] == "True")
            })
    }
}
