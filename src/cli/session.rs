//! One run of one command against its clusters: which ones, how they are reached, what they said.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;

use super::access::{Access, configuration};
use super::args::{Contexts, Reading};
use crate::cluster::Client;
use crate::document::Run;
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::selector::Selector;
use crate::fleet::{ClusterName, ClusterSpec, Fleet};
use crate::host::fleet_file::{self, FleetFile};
use crate::host::kubeconfig::Kubeconfigs;
use crate::inventory::Failure;

/// A cluster that a command reads.
pub struct Member {
    /// Its name in the fleet, or one made of its context.
    pub name: ClusterName,
    /// The kubeconfig context.
    pub context: String,
    /// What the fleet file says of it; none without a file.
    pub spec: Option<ClusterSpec>,
    /// The connection, or why there is none.
    pub client: Result<Client, Failure>,
    /// Whether the flags select it.
    pub selected: bool,
}

/// One run of one command.
pub struct Session {
    /// The fleet file, where the command works on one.
    pub file: Option<FleetFile>,
    /// The clusters.
    pub members: Vec<Member>,
    /// The run's identity.
    pub run: Run,
    /// Clusters that are worked on at the same time.
    pub parallel: usize,
    /// The deadline of a request.
    pub request_timeout: Duration,
}

impl Session {
    /// Opens the fleet of the fleet file.
    pub async fn of_fleet(reading: &Reading) -> Result<Self> {
        let file = fleet_file::load(reading.file.fleet.as_deref())?;
        Self::open_file(reading, file).await
    }

    /// Opens what the flags name: contexts where `--context` names some (and `--fleet` no file), the
    /// fleet file otherwise.
    pub async fn of_any(reading: &Reading) -> Result<Self> {
        if reading.file.fleet.is_none() && !reading.contexts.context.is_empty() {
            if reading.selector.is_some() {
                return Err(Error::new(
                    ErrorKind::Usage,
                    "select by labels: only a fleet file gives clusters labels, and --context leaves it aside",
                )
                .hint("name the file with --fleet, or leave -l out"));
            }
            return Self::of_contexts(&reading.contexts).await;
        }
        match fleet_file::load_if_any(reading.file.fleet.as_deref())? {
            Some(file) => Self::open_file(reading, file).await,
            None => Err(Error::request(
                "find the clusters: there is no fleet file here or above, and no context is named",
            )
            .hint("name the contexts (`--context 'prod-*'`), or write a fleet file with `stolos init`")),
        }
    }

    /// Opens the contexts that the flags name.
    pub async fn of_contexts(named: &Contexts) -> Result<Self> {
        let kubeconfigs = Kubeconfigs::load(named.connecting.kubeconfig.as_deref())?;
        Self::of_kubeconfigs(&kubeconfigs, named).await
    }

    /// Opens the contexts of these kubeconfigs that the flags name.
    pub async fn of_kubeconfigs(kubeconfigs: &Kubeconfigs, named: &Contexts) -> Result<Self> {
        let connecting = &named.connecting;
        let contexts = kubeconfigs.matching(&named.patterns())?;
        let mut wanted: Vec<(ClusterName, String)> = Vec::new();
        for context in contexts.into_iter().map(|entry| entry.name) {
            let name = ClusterName::proposed_for(&context)
                .made_unique(|name| wanted.iter().any(|(taken, _)| taken == name));
            wanted.push((name, context));
        }
        let run = new_run();
        let access = Access::new(connecting, &run);
        let members = join_all(wanted.into_iter().map(|(name, context)| {
            let access = &access;
            async move {
                let client = access.client(kubeconfigs, &context).await;
                Member {
                    name,
                    context,
                    spec: None,
                    client,
                    selected: true,
                }
            }
        }))
        .await;
        Ok(Self {
            file: None,
            members,
            run,
            parallel: usize::from(connecting.parallel),
            request_timeout: connecting.request_timeout(),
        })
    }

    async fn open_file(reading: &Reading, file: FleetFile) -> Result<Self> {
        let connecting = &reading.contexts.connecting;
        let patterns = reading.contexts.patterns();
        let selector: Selector = match &reading.selector {
            Some(text) => text.parse().map_err(|error| {
                Error::new(ErrorKind::Usage, format!("read --selector {text:?}: {error}"))
            })?,
            None => Selector::default(),
        };
        let mut kubeconfigs: BTreeMap<Option<PathBuf>, Result<Kubeconfigs>> = BTreeMap::new();
        for cluster in &file.fleet.spec.clusters {
            let path = file
                .kubeconfig_of(cluster)
                .or_else(|| connecting.kubeconfig.clone());
            if let Entry::Vacant(vacant) = kubeconfigs.entry(path) {
                let loaded = Kubeconfigs::load(vacant.key().as_deref()).map_err(Error::from);
                vacant.insert(loaded);
            }
        }
        // One cluster's own kubeconfig that cannot be read keeps only that cluster from being read.
        if !kubeconfigs.values().any(Result::is_ok)
            && let Some(Err(error)) = kubeconfigs.values().next()
        {
            return Err(error.clone());
        }
        let run = new_run();
        let access = Access::new(connecting, &run);
        let members = join_all(file.fleet.spec.clusters.iter().map(|spec| {
            let path = file.kubeconfig_of(spec).or_else(|| connecting.kubeconfig.clone());
            let kubeconfigs = kubeconfigs.get(&path);
            let (access, patterns, selector) = (&access, &patterns, &selector);
            async move {
                let context = spec.context().to_owned();
                let client = match kubeconfigs {
                    Some(Ok(kubeconfigs)) => access.client(kubeconfigs, &context).await,
                    Some(Err(error)) => Err(configuration(error.message.clone())),
                    None => Err(configuration("the kubeconfig was not read".to_owned())),
                };
                Member {
                    name: spec.name.clone(),
                    selected: (patterns.is_empty() || patterns.matches(&context))
                        && selector.matches(&spec.labels),
                    context,
                    spec: Some(spec.clone()),
                    client,
                }
            }
        }))
        .await;
        if !members.iter().any(|member| member.selected) {
            return Err(Error::request(format!(
                "select clusters of {}: none has such a context and such labels",
                file.path.display()
            ))
            .hint("`stolos clusters` lists them"));
        }
        Ok(Self {
            file: Some(file),
            members,
            run,
            parallel: usize::from(connecting.parallel),
            request_timeout: connecting.request_timeout(),
        })
    }

    /// The kubeconfig context of a cluster, by its name.
    pub fn context_of(&self, name: &str) -> Option<&str> {
        let mut members = self.members.iter();
        let member = members.find(|member| member.name.as_str() == name)?;
        Some(&member.context)
    }

    /// The clusters that may be written: those named by `--cluster` among those that the other flags
    /// select; empty where neither leaves one out.
    pub fn writable(&self, named: &[String]) -> Result<BTreeSet<ClusterName>> {
        let mut clusters = BTreeSet::new();
        for name in named {
            let member = self.members.iter().find(|member| member.name.as_str() == name);
            let member = member.ok_or_else(|| {
                Error::request(format!(
                    "find the cluster {name}: the fleet file has none of that name"
                ))
                .hint("`stolos clusters` lists them")
            })?;
            clusters.insert(member.name.clone());
        }
        if clusters.is_empty() {
            clusters.extend(self.members.iter().map(|member| member.name.clone()));
        }
        let selected = |name: &ClusterName| {
            self.members
                .iter()
                .any(|member| member.name == *name && member.selected)
        };
        clusters.retain(selected);
        if clusters.is_empty() {
            return Err(Error::request(
                "select clusters to write: --cluster names none that the other flags select",
            ));
        }
        if clusters.len() == self.members.len() {
            clusters.clear();
        }
        Ok(clusters)
    }

    /// The fleet of the fleet file, with only the selected clusters.
    pub fn selected_fleet(&self) -> Option<Fleet> {
        let mut fleet = self.file.as_ref()?.fleet.clone();
        let selected = |name: &ClusterName| {
            self.members
                .iter()
                .any(|member| member.name == *name && member.selected)
        };
        fleet.spec.clusters.retain(|cluster| selected(&cluster.name));
        Some(fleet)
    }

    /// The connection to a cluster.
    pub fn client(&self, name: &ClusterName) -> Option<&Client> {
        self.members
            .iter()
            .find(|member| member.name == *name)
            .and_then(|member| member.client.as_ref().ok())
    }
}

/// A run's identity: when it began, and an id that no other run has.
pub fn new_run() -> Run {
    Run {
        at: Timestamp::now(),
        id: format!("{:016x}", rand::random::<u64>()),
    }
}
