//! A pod that runs for real: surroundings made of its volumes, its program with its own arguments
//! and environment, and a status that says how it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Pod};
use kube::ResourceExt;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;
use tokio::time::Instant;

use super::facts::{Facts, Missing, Reference, Snapshot, references};
use super::probe::Readiness;
use super::process::Process;
use super::projection::{self, Files};
use super::sandbox::{self, Plan, Sandbox};
use super::sources::Token;
use super::status::{Ended, Life, Report};
use super::volumes::{Content, Source, TokenWish, content};
use super::{Image, Latest, Node, PAUSE, doors, now, path, variables};
use crate::lab::api::{self, ApiError};
use crate::lab::error::LabError;

/// How long a program that ended is not started again, the first time; each further time twice as
/// long.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest that a program is not started again.
const LAST_BACK_OFF: Duration = Duration::from_secs(60);
/// After running this long, a program that ends is taken for one that never did before.
const HEALTHY: Duration = Duration::from_secs(120);

/// Why a pod does not run yet.
enum Obstacle {
    /// Something that it names is not there.
    Missing(&'static str, Missing),
    /// The API server did not answer, or not as wanted.
    Api(ApiError),
    /// The machine refused something.
    Machine(LabError),
}

/// Runs a pod until it is gone.
pub async fn run(
    node: &Node,
    pod: &Pod,
    container: &Container,
    image: &'static Image,
    updates: watch::Receiver<Latest>,
) {
    let uid = pod.uid().unwrap_or_default();
    let Some(address) = node.address(&uid) else {
        node.log.say(format!(
            "{}: no address is left for {}",
            node.shape.context(),
            path(pod)
        ));
        return;
    };
    let mut running = Running {
        node,
        container,
        image,
        address,
        folder: node.pods.join(&uid),
        references: pod
            .spec
            .as_ref()
            .map(|spec| references(spec, container))
            .unwrap_or_default(),
        readiness: Readiness::of(container),
        tokens: BTreeMap::new(),
        sandbox: None,
        process: None,
        report: Report {
            address: None,
            host: node.shape.address(),
            since: now(),
            turned: now(),
            ready: false,
            life: Life::Waiting {
                reason: "ContainerCreating".to_owned(),
                message: String::new(),
            },
            ended: None,
            restarts: 0,
        },
        told: None,
        back_off: FIRST_BACK_OFF,
        next_start: Instant::now(),
        next_probe: Instant::now(),
        failures: 0,
    };
    running.live(pod, updates).await;
    running.clean_up(pod).await;
}

struct Running<'a> {
    node: &'a Node,
    container: &'a Container,
    image: &'static Image,
    address: Ipv4Addr,
    folder: PathBuf,
    references: BTreeSet<Reference>,
    readiness: Readiness,
    tokens: BTreeMap<TokenWish, (Token, Instant)>,
    sandbox: Option<Sandbox>,
    process: Option<Process>,
    report: Report,
    /// The report that the API server has.
    told: Option<Report>,
    back_off: Duration,
    next_start: Instant,
    next_probe: Instant,
    failures: u32,
}

impl Running<'_> {
    /// Runs the pod until it is deleted, or gone.
    async fn live(&mut self, pod: &Pod, mut updates: watch::Receiver<Latest>) {
        let mut changes = self.node.sources.changes();
        let mut versions = Vec::new();
        let mut pod = std::sync::Arc::new(pod.clone());
        // What the volumes are made of may have changed.
        let mut stale = false;
        loop {
            let Some(latest) = updates.borrow_and_update().clone() else {
                return;
            };
            stale |= latest.metadata.labels != pod.metadata.labels
                || latest.metadata.annotations != pod.metadata.annotations;
            pod = latest;
            if pod.metadata.deletion_timestamp.is_some() {
                self.terminate(&pod).await;
                return;
            }
            changes.borrow_and_update();
            let namespace = pod.namespace().unwrap_or_default();
            let now_versions = self.node.sources.versions(&namespace, &self.references);
            if versions != now_versions {
                versions = now_versions;
                stale = true;
            }

            let due = Instant::now() >= self.next_start;
            if self.process.is_none() && (due || stale && self.report.ended.is_none()) {
                stale = false;
                self.try_to_start(&pod).await;
            } else if self.process.is_some() && (stale || self.token_due() <= Instant::now()) {
                // Where it fails the files stay as they are, as with a kubelet.
                stale = self.refresh(&pod).await.is_err();
            }
            let retry = !self.tell(&pod).await || stale;

            let wake = self.next_event(retry);
            tokio::select! {
                changed = updates.changed() => if changed.is_err() { return },
                // The sender lives as long as the node.
                _ = changes.changed() => {}
                code = Process::ended(&mut self.process) => self.ended(code),
                () = tokio::time::sleep_until(wake) => {}
            }
            if self.process.is_some() && Instant::now() >= self.next_probe {
                self.probe().await;
            }
        }
    }

    /// When to look again, if nothing happens before.
    fn next_event(&self, retry: bool) -> Instant {
        let now = Instant::now();
        let mut next = match self.process {
            Some(_) => self.next_probe.min(self.token_due()),
            None => self.next_start,
        };
        if retry {
            next = next.min(now + PAUSE);
        }
        next.max(now + Duration::from_millis(10))
    }

    /// When the first of the tokens should be had anew.
    fn token_due(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        self.tokens.values().map(|(_, due)| *due).min().unwrap_or(far)
    }

    async fn try_to_start(&mut self, pod: &Pod) {
        let (reason, message, again) = match self.start(pod).await {
            Ok(()) => {
                self.report.life = Life::Running { since: now() };
                self.next_probe = Instant::now();
                self.failures = 0;
                return;
            }
            // The change that brings it wakes us; the clock is for what no watch tells.
            Err(Obstacle::Missing(reason, missing)) => (reason, missing.to_string(), Duration::from_secs(5)),
            Err(Obstacle::Api(error)) => ("ContainerCreating", error.to_string(), PAUSE),
            Err(Obstacle::Machine(error)) => {
                self.node.log.say(error.to_string());
                ("CreateContainerError", error.to_string(), Duration::from_secs(5))
            }
        };
        self.next_start = Instant::now() + again;
        self.report.life = Life::Waiting {
            reason: reason.to_owned(),
            message,
        };
    }

    async fn start(&mut self, pod: &Pod) -> Result<(), Obstacle> {
        let snapshot = self.read(pod).await?;
        let facts = self.facts(pod, &snapshot);
        self.fill(&facts).await?;
        let variables = variables::environment(&facts, self.container)
            .map_err(|missing| Obstacle::Missing("CreateContainerConfigError", missing))?;
        let words = variables::command_line(self.container, self.image.entry_point, &variables);
        if self.sandbox.is_none() {
            let plan = Plan {
                name: &pod.name_any(),
                address: self.address,
                cable: self.node.cable(),
                root: self.folder.join("root"),
                mounts: self.mounts(pod),
            };
            let sandbox = Sandbox::make(plan).await.map_err(Obstacle::Machine)?;
            for (path, object) in doors::objects(
                self.node,
                pod,
                self.container,
                &sandbox.network(),
                &self.log_file(),
            ) {
                api::apply(&self.node.client, &path, &object)
                    .await
                    .map_err(Obstacle::Api)?;
            }
            self.sandbox = Some(sandbox);
            self.report.address = Some(self.address);
        }
        if let Some(sandbox) = &self.sandbox {
            let command = sandbox.command(&words, &variables).map_err(Obstacle::Machine)?;
            let process = Process::start(command, &self.log_file()).map_err(Obstacle::Machine)?;
            self.process = Some(process);
        }
        Ok(())
    }

    /// Brings the files of the volumes up to date.
    async fn refresh(&mut self, pod: &Pod) -> Result<(), Obstacle> {
        let snapshot = self.read(pod).await?;
        self.fill(&self.facts(pod, &snapshot)).await
    }

    async fn read(&self, pod: &Pod) -> Result<Snapshot, Obstacle> {
        let namespace = pod.namespace().unwrap_or_default();
        let read = self.node.sources.read(&namespace, &self.references).await;
        read.map_err(Obstacle::Api)
    }

    fn facts<'b>(&self, pod: &'b Pod, snapshot: &'b Snapshot) -> Facts<'b> {
        Facts {
            pod,
            address: self.address,
            host: self.node.shape.address(),
            processors: self.node.processors,
            memory: self.node.memory,
            snapshot,
        }
    }

    /// Writes the files of every volume.
    async fn fill(&mut self, facts: &Facts<'_>) -> Result<(), Obstacle> {
        let volumes = facts
            .spec()
            .into_iter()
            .flat_map(|spec| spec.volumes.iter().flatten());
        for volume in volumes {
            let folder = self.volume(&volume.name);
            let content = content(facts, self.container, volume)
                .map_err(|missing| Obstacle::Missing("ContainerCreating", missing))?;
            let written = match content {
                Content::Empty => std::fs::create_dir_all(&folder),
                Content::Files(planned) => {
                    let mut files = Files::new();
                    for (path, file) in planned {
                        let bytes = match file.source {
                            Source::Bytes(bytes) => bytes,
                            Source::Token(wish) => self.token(facts.pod, wish).await?,
                        };
                        files.insert(path, (file.mode, bytes));
                    }
                    projection::project(&folder, &files).map(|_| ())
                }
            };
            written.map_err(|error| Obstacle::Machine(LabError::file("write", &folder, error)))?;
        }
        Ok(())
    }

    /// A token: the one that is there, or a new one when four fifths of its life are over.
    async fn token(&mut self, pod: &Pod, wish: TokenWish) -> Result<Vec<u8>, Obstacle> {
        if let Some((token, due)) = self.tokens.get(&wish)
            && *due > Instant::now()
        {
            return Ok(token.text.expose().as_bytes().to_vec());
        }
        let token = self.node.sources.token(pod, &wish).await.map_err(Obstacle::Api)?;
        let bytes = token.text.expose().as_bytes().to_vec();
        let due = Instant::now() + token.life.mul_f32(0.8);
        self.tokens.insert(wish, (token, due));
        Ok(bytes)
    }

    fn volume(&self, name: &str) -> PathBuf {
        self.folder.join("volumes").join(name)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.container.name))
    }

    fn mounts(&self, pod: &Pod) -> Vec<(PathBuf, String)> {
        let program = self.node.parts.join(self.image.part.file_name());
        // A mount of a link would be one of the link's target as seen from the root directory.
        let program = program.canonicalize().unwrap_or(program);
        let volumes: BTreeSet<&str> = pod
            .spec
            .iter()
            .flat_map(|spec| spec.volumes.iter().flatten())
            .map(|volume| volume.name.as_str())
            .collect();
        let mounted = self
            .container
            .volume_mounts
            .iter()
            .flatten()
            .filter(|mount| volumes.contains(mount.name.as_str()))
            .map(|mount| {
                let folder = self.volume(&mount.name);
                let source = match &mount.sub_path {
                    Some(path) => folder.join(path),
                    None => folder,
                };
                (source, mount.mount_path.trim_end_matches('/').to_owned())
            });
        std::iter::once((program, self.image.entry_point.to_owned()))
            .chain(mounted)
            .collect()
    }

    async fn probe(&mut self) {
        let good = self.readiness.ask(self.address).await;
        self.failures = if good { 0 } else { self.failures + 1 };
        let ready = good || (self.report.ready && self.failures < self.readiness.failures());
        self.turn(ready);
        self.next_probe = Instant::now() + self.readiness.pause(ready);
    }

    fn turn(&mut self, ready: bool) {
        if self.report.ready != ready {
            self.report.ready = ready;
            self.report.turned = now();
        }
    }

    /// The program ended: it is started again, later each time.
    fn ended(&mut self, code: i32) {
        let Some(process) = self.process.take() else {
            return;
        };
        if process.age() > HEALTHY {
            self.back_off = FIRST_BACK_OFF;
        }
        self.turn(false);
        self.report.ended = Some(Ended {
            code,
            since: process.since().to_owned(),
            at: now(),
        });
        self.report.restarts += 1;
        self.report.life = Life::Waiting {
            reason: "CrashLoopBackOff".to_owned(),
            message: format!(
                "back-off {} s restarting failed container",
                self.back_off.as_secs()
            ),
        };
        self.next_start = Instant::now() + self.back_off;
        self.back_off = (self.back_off * 2).min(LAST_BACK_OFF);
    }

    /// Tells the API server how the pod is, where it does not know. Gives whether it knows.
    async fn tell(&mut self, pod: &Pod) -> bool {
        if self.told.as_ref() == Some(&self.report) {
            return true;
        }
        match api::patch_status(&self.node.client, &path(pod), &self.report.patch(pod)).await {
            Ok(()) => {
                self.told = Some(self.report.clone());
                true
            }
            // The watch will say so as well.
            Err(error) => error.is_absent(),
        }
    }

    /// Ends the program: asked to, then killed after the pod's grace period; then the pod is gone.
    async fn terminate(&mut self, pod: &Pod) {
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(30);
        let grace = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
        if let Some(process) = &self.process
            && let Some(pid) = process.id().and_then(Pid::from_raw)
        {
            // It may end by itself just now.
            let _ = kill_process(pid, Signal::TERM);
            let _ = tokio::time::timeout(grace, Process::ended(&mut self.process)).await;
        }
        self.process = None;
        let uid = pod.uid();
        while let Err(error) = api::delete_now(&self.node.client, &path(pod), uid.as_deref()).await {
            // Another pod may have its name by now.
            if matches!(error, ApiError::Refused { code: 409, .. }) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn clean_up(mut self, pod: &Pod) {
        self.process = None;
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.end().await;
        }
        for path in doors::paths(pod) {
            // Without the pod they mean nothing to kwok.
            let _ = api::delete_now(&self.node.client, &path, None).await;
        }
        if let Err(error) = sandbox::remove(&self.folder) {
            self.node
                .log
                .say(format!("remove {}: {error}", self.folder.display()));
        }
    }
}
