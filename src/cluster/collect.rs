//! Reads everything that a command needs, from all clusters at once, each in a task of its own: a
//! cluster that is slow or silent delays nobody but itself. It never fails as a whole: what a
//! cluster does not give is named in its inventory, and a cluster that gives nothing is
//! `Unreachable` with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::client::Client;
use super::lists::Purpose;
use super::read::Reading;
use super::reviews::Reviews;
use super::secrets::Tokens;
use crate::connection::permit::clusters_at_once;
use crate::connection::usage::Usage;
use crate::fleet::ClusterName;
use crate::inventory::control_plane::{configuration_id, first_cluster_id};
use crate::inventory::{ClusterInventory, Failure, Inventory, Observation};

/// The most clusters whose connections are kept when they have been read, for what peers may still
/// want to know: each costs some tens of kilobytes.
const KEPT_CONNECTIONS: usize = 100;

/// Clusters that a core begins with at a time. What one costs keeps a core busy for some
/// milliseconds, so that so many fill the time of the round trips; more would only lie in memory.
const BEGUN_BY_A_CORE: usize = 192;

/// How long a cluster from which nothing comes counts among those that were begun: it waits for its
/// network or is silent, and makes room for the next. One that is only slow because this machine is
/// busy keeps its place: more would not be faster, and each costs memory.
const STILLNESS: Duration = Duration::from_secs(1);

/// What should be read of one cluster.
#[derive(Clone)]
pub struct CollectRequest {
    /// The name to call it by.
    pub name: ClusterName,
    /// The kubeconfig context.
    pub context: String,
    /// The connection, or why there is none.
    pub client: Result<Client, Failure>,
    /// Namespaces in which a control plane is expected; those in which one is found come to them.
    pub system_namespaces: Vec<String>,
    /// The UID that the fleet file pins; a cluster with another is not read any further.
    pub pinned_uid: Option<String>,
    /// Whether it is worth while to make the connection of a port-forward together with the first:
    /// where it has an istiod, that spares the two round trips of making it then.
    pub expects_istiod: bool,
    /// Whether its name is its cluster ID, because a fleet file says so; else its control plane says
    /// which ID it has.
    pub is_named_by_file: bool,
}

/// Connections of a cluster that is read: one that its requests share, and one of a port-forward.
const CONNECTIONS: usize = 2;

/// Clusters that are being read.
pub struct Collecting {
    inventory: Inventory,
    reviews: Reviews,
    requests: Vec<CollectRequest>,
    silent: BTreeSet<usize>,
    news: mpsc::UnboundedReceiver<News>,
    /// Ends all of it where nobody waits any more.
    _tasks: JoinSet<()>,
}

/// A cluster that has given all that it will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its name.
    pub name: ClusterName,
    /// How long it took, from the connection on.
    pub took: Duration,
    /// What it cost.
    pub usage: Usage,
}

/// What a cluster's task tells.
enum News {
    /// It holds these credentials, and answers.
    Holds(usize, Known),
    /// It has given all that it will.
    Ended(usize, Box<Result<ClusterInventory, Failure>>, Duration),
}

/// What reviews need to know of a cluster as soon as it has been read.
struct Known {
    cluster_id: Option<String>,
    /// The cluster IDs that credentials in it are for, and the fingerprints of the tokens.
    credentials: BTreeSet<(String, String)>,
    tokens: Tokens,
}

impl Collecting {
    /// Begins to read clusters for some purposes, at most `parallel` at a time, and no more than may
    /// have the connections that they need.
    pub fn begin(requests: Vec<CollectRequest>, purposes: &'static [Purpose], parallel: usize) -> Self {
        let (tell, news) = mpsc::unbounded_channel();
        let at_once = parallel.clamp(1, clusters_at_once(CONNECTIONS));
        let permits = Arc::new(Semaphore::new(at_once));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let beginnings = Arc::new(Semaphore::new(cores * BEGUN_BY_A_CORE));
        let mut tasks = JoinSet::new();
        let is_only_reported = !purposes.iter().any(|purpose| purpose.keeps_whole());
        let lets_go = is_only_reported && requests.len() > KEPT_CONNECTIONS;
        for (index, request) in requests.iter().enumerate() {
            let (request, permits, tell) = (request.clone(), Arc::clone(&permits), tell.clone());
            let beginnings = Arc::clone(&beginnings);
            tasks.spawn(async move {
                // The semaphores are never closed.
                let _permit = permits.acquire().await;
                let beginning = beginnings.acquire().await;
                let begun = Instant::now();
                let client = request.client.clone();
                let usage = || client.as_ref().map(Client::usage).unwrap_or_default();
                let mut reading = std::pin::pin!(read(index, request, purposes, &tell));
                let mut before = Usage::default();
                let read = loop {
                    if let Ok(read) = timeout(STILLNESS, &mut reading).await {
                        break read;
                    }
                    let now = usage();
                    if now == before {
                        drop(beginning);
                        break reading.await;
                    }
                    before = now;
                };
                match client {
                    Ok(client) if lets_go => client.let_go(),
                    _ => {}
                }
                // Nobody may be left to hear it.
                let _ = tell.send(News::Ended(index, Box::new(read), begun.elapsed()));
            });
        }
        Self {
            inventory: Inventory::default(),
            reviews: Reviews::new(purposes.iter().any(|purpose| purpose.asks_peers()), parallel),
            silent: (0..requests.len()).collect(),
            requests,
            news,
            _tasks: tasks,
        }
    }

    /// Waits for the next cluster that has given all that it will; `None` when there is none left and
    /// all that they hold has been reviewed as well. Can be given up and called again.
    pub async fn next(&mut self) -> Option<Ended> {
        loop {
            if self.silent.is_empty() && self.reviews.are_done() {
                return None;
            }
            let news = tokio::select! {
                biased;
                news = self.news.recv() => news,
                () = self.reviews.settle_one() => continue,
            };
            match news {
                Some(News::Holds(index, known)) => self.review(index, known),
                Some(News::Ended(index, read, took)) => {
                    self.silent.remove(&index);
                    let request = &self.requests[index];
                    let observation = match *read {
                        Ok(inventory) => Observation::Seen(Box::new(inventory)),
                        Err(failure) => Observation::Unreachable {
                            context: request.context.clone(),
                            failure,
                        },
                    };
                    let name = request.name.clone();
                    self.inventory.clusters.insert(name.clone(), observation);
                    let usage = request.client.as_ref().map(Client::usage).unwrap_or_default();
                    return Some(Ended { name, took, usage });
                }
                // Every task tells its end before it goes, unless it panicked: that is a bug, and
                // the cluster is missing in the answer.
                None if self.reviews.are_done() => return None,
                None => self.reviews.settle_one().await,
            }
        }
    }

    /// What was seen so far.
    pub fn so_far(&self) -> &Inventory {
        &self.inventory
    }

    /// The clusters that have not ended yet.
    pub fn silent(&self) -> impl Iterator<Item = &ClusterName> {
        self.silent.iter().map(|index| &self.requests[*index].name)
    }

    /// Renames a cluster, such as to the cluster ID that its istiod goes by.
    pub fn rename(&mut self, from: &ClusterName, to: &ClusterName) {
        for request in self.requests.iter_mut().filter(|request| request.name == *from) {
            request.name.clone_from(to);
        }
        if let Some(observation) = self.inventory.clusters.remove(from) {
            self.inventory.clusters.insert(to.clone(), observation);
        }
    }

    /// What was seen, with what peers said of the credentials that it holds: of each, the cluster
    /// that by now goes by the ID that it is for.
    pub async fn end(mut self) -> Inventory {
        while self.next().await.is_some() {}
        // A cluster that gave nothing is not asked again: its silence has been said once.
        let reviewers: BTreeMap<String, usize> = self
            .requests
            .iter()
            .enumerate()
            .filter(|(_, request)| self.inventory.seen(&request.name).is_some())
            .map(|(index, request)| (request.name.to_string(), index))
            .collect();
        let held: BTreeSet<(String, String)> = self
            .inventory
            .all_seen()
            .flat_map(|(_, inventory)| credentials(inventory))
            .collect();
        for (id, token) in held {
            if let Some(index) = reviewers.get(&id) {
                self.ask(*index, &token);
            }
        }
        while !self.reviews.are_done() {
            self.reviews.settle_one().await;
        }
        for observation in self.inventory.clusters.values_mut() {
            let Observation::Seen(inventory) = observation else {
                continue;
            };
            let ids: BTreeMap<String, String> = inventory
                .istiod_kubeconfigs
                .iter()
                .filter_map(|secret| {
                    Some((
                        secret.namespace.clone(),
                        configuration_id(inventory, &secret.namespace)?,
                    ))
                })
                .collect();
            let remote = inventory.remote_secrets.iter_mut();
            let remote = remote.flat_map(|secret| &mut secret.entries);
            let configuration = inventory.istiod_kubeconfigs.iter_mut();
            let configuration = configuration.flat_map(|secret| {
                let id = ids.get(&secret.namespace);
                secret.entries.iter_mut().map(move |entry| (id.cloned(), entry))
            });
            let entries = remote
                .map(|entry| (Some(entry.cluster_id.clone()), entry))
                .chain(configuration);
            for (id, entry) in entries {
                let outcome = id
                    .and_then(|id| reviewers.get(&id))
                    .and_then(|index| self.reviews.outcome(*index, &entry.token_sha256));
                if let Some(outcome) = outcome {
                    entry.review = outcome.clone();
                }
            }
        }
        self.inventory
    }

    /// Has what a cluster holds reviewed by the peers that answer already, and what they hold for it
    /// by it.
    fn review(&mut self, index: usize, known: Known) {
        let id = if self.requests[index].is_named_by_file {
            None
        } else {
            known.cluster_id
        };
        let id = id.unwrap_or_else(|| self.requests[index].name.to_string());
        let questions = self.reviews.learn(index, &id, known.credentials, known.tokens);
        for (index, token) in questions {
            self.ask(index, &token);
        }
    }

    fn ask(&mut self, index: usize, token: &str) {
        if let Ok(client) = &self.requests[index].client {
            self.reviews.ask(index, client, token);
        }
    }
}

/// The cluster IDs that the credentials in a cluster are for, and their tokens' fingerprints.
fn credentials(inventory: &ClusterInventory) -> BTreeSet<(String, String)> {
    let remote = inventory.remote_secrets.iter().flat_map(|secret| &secret.entries);
    let remote = remote.map(|entry| (entry.cluster_id.clone(), entry));
    // An istiod goes by the ID of the cluster in which it reads its configuration.
    let configuration = inventory.istiod_kubeconfigs.iter().flat_map(|secret| {
        let id = configuration_id(inventory, &secret.namespace);
        secret
            .entries
            .iter()
            .filter_map(move |entry| Some((id.clone()?, entry)))
    });
    remote
        .chain(configuration)
        .filter(|(_, entry)| !entry.token_sha256.is_empty())
        .map(|(id, entry)| (id, entry.token_sha256.clone()))
        .collect()
}

async fn read(
    index: usize,
    request: CollectRequest,
    purposes: &'static [Purpose],
    tell: &mpsc::UnboundedSender<News>,
) -> Result<ClusterInventory, Failure> {
    let client = request.client?;
    if request.expects_istiod && purposes.iter().any(|purpose| purpose.asks_istiods()) {
        client.prepare_upgrade();
    }
    // A plugin may have somebody log in: that is not the cluster's time.
    client.open().await?;
    let deadline = Instant::now() + client.request_timeout();
    let pinned = request.pinned_uid.as_deref();
    let mut reading = Reading::begin(&client, &request.system_namespaces, pinned, purposes, deadline).await?;
    reading.inventory.context = request.context;
    let learnt = |reading: &Reading| {
        let known = Known {
            cluster_id: first_cluster_id(&reading.inventory),
            credentials: credentials(&reading.inventory),
            tokens: reading.tokens.clone(),
        };
        // Nobody may be left to hear it.
        let _ = tell.send(News::Holds(index, known));
    };
    learnt(&reading);
    reading.go_on(learnt).await;
    client.drop_prepared();
    Ok(reading.inventory)
}
