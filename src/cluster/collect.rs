//! Reads everything that planning and reporting need, from all clusters at once. It never fails as
//! a whole: what a cluster does not give is named in its inventory, and a cluster that gives
//! nothing is `Unreachable` with the reason.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use tokio::time::Instant;

use super::client::Client;
use super::failure::failure;
use super::forward::forwarded_get;
use super::identity::identify;
use super::objects::ListSelector;
use super::review::review;
use super::secrets::{CredentialKey, sort_in};
use crate::fleet::ClusterName;
use crate::host::sensitive::Sensitive;
use crate::inventory::kind::{self, Kind};
use crate::inventory::{
    ClusterInventory, Failure, FailureClass, Inventory, Object, ObjectReference, Observation, Replica,
    ReviewOutcome, Said,
};

/// The port of istiod's debug endpoints and metrics.
const ISTIOD_MONITORING_PORT: u16 = 15014;

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
    /// Whether each istiod is asked by port-forward.
    pub ask_istiods: bool,
}

/// What was seen, and the tokens that were seen with it: they stay in memory, for reviews.
pub struct Collected {
    /// What was seen, without a secret.
    pub inventory: Inventory,
    tokens: BTreeMap<ClusterName, BTreeMap<CredentialKey, Sensitive>>,
}

/// Reads clusters, at most `parallel` at a time. `done` is called for each as it ends.
pub async fn collect(
    requests: Vec<CollectRequest>,
    parallel: usize,
    done: impl Fn(&ClusterName, &Observation),
) -> Collected {
    let mut inventory = Inventory::default();
    let mut tokens = BTreeMap::new();
    let mut results = stream::iter(requests)
        .map(|request| async move {
            let name = request.name.clone();
            let context = request.context.clone();
            let (observation, tokens) = match read(request).await {
                Ok((inventory, tokens)) => (Observation::Seen(Box::new(inventory)), tokens),
                Err(failure) => (Observation::Unreachable { context, failure }, BTreeMap::new()),
            };
            (name, observation, tokens)
        })
        .buffer_unordered(parallel.max(1));
    while let Some((name, observation, found)) = results.next().await {
        done(&name, &observation);
        tokens.insert(name.clone(), found);
        inventory.clusters.insert(name, observation);
    }
    Collected { inventory, tokens }
}

impl Collected {
    /// Renames a cluster, such as to the cluster ID that its istiod goes by.
    pub fn rename(&mut self, from: &ClusterName, to: &ClusterName) {
        if let Some(observation) = self.inventory.clusters.remove(from) {
            self.inventory.clusters.insert(to.clone(), observation);
        }
        if let Some(tokens) = self.tokens.remove(from) {
            self.tokens.insert(to.clone(), tokens);
        }
    }

    /// Has every stored credential reviewed by the API server of the cluster that it is meant for.
    /// `reader` gives the connection to the cluster with an ID, where the fleet has it.
    pub async fn review_credentials(&mut self, reader: impl Fn(&str) -> Option<Client>, parallel: usize) {
        let mut questions = Vec::new();
        for (name, inventory) in self.inventory.all_seen() {
            for secret in &inventory.remote_secrets {
                for entry in &secret.entries {
                    let key = CredentialKey {
                        namespace: secret.namespace.clone(),
                        secret: secret.name.clone(),
                        key: entry.cluster_id.clone(),
                    };
                    let token = self.tokens.get(name).and_then(|tokens| tokens.get(&key));
                    if let (Some(token), Some(client)) = (token, reader(&entry.cluster_id)) {
                        questions.push((name.clone(), key, token.clone(), client));
                    }
                }
            }
        }
        let answers: Vec<(ClusterName, CredentialKey, ReviewOutcome)> = stream::iter(questions)
            .map(|(name, key, token, client)| async move { (name, key, review(&client, &token).await) })
            .buffer_unordered(parallel.max(1))
            .collect()
            .await;
        for (name, key, outcome) in answers {
            let Some(Observation::Seen(inventory)) = self.inventory.clusters.get_mut(&name) else {
                continue;
            };
            let secrets = inventory.remote_secrets.iter_mut();
            for secret in
                secrets.filter(|secret| secret.namespace == key.namespace && secret.name == key.secret)
            {
                for entry in secret
                    .entries
                    .iter_mut()
                    .filter(|entry| entry.cluster_id == key.key)
                {
                    entry.review = outcome.clone();
                }
            }
        }
    }
}

type Read = (ClusterInventory, BTreeMap<CredentialKey, Sensitive>);

async fn read(request: CollectRequest) -> Result<Read, Failure> {
    let client = request.client?;
    let client = client.until(Instant::now() + client.request_timeout());
    let identity = identify(&client).await?;
    let mut reading = Reading {
        client: client.clone(),
        inventory: ClusterInventory {
            context: request.context,
            server: client.server().to_owned(),
            kubeconfig_authority: client.authority().to_owned(),
            tls_server_name: client.tls_server_name().to_owned(),
            kubernetes_version: identity.kubernetes_version,
            ..ClusterInventory::default()
        },
        sorted_in: HashSet::new(),
        tokens: BTreeMap::new(),
    };
    match identity.uid {
        Ok(uid) => reading.inventory.uid = uid,
        // Whoever is refused here may still read what matters.
        Err(failure) => reading.inventory.unread.push(failure),
    }
    if let Some(pinned) = request.pinned_uid
        && !reading.inventory.uid.is_empty()
        && pinned != reading.inventory.uid
    {
        let message = format!(
            "the fleet file pins the cluster whose kube-system namespace has the UID {pinned}, and this context \
             reaches the one with {}",
            reading.inventory.uid
        );
        return Err(failure(
            FailureClass::Identity,
            "connect",
            client.server(),
            message,
        ));
    }
    let mut wanted: BTreeSet<String> = request.system_namespaces.into_iter().collect();
    let (fleet_wide, expected) = tokio::join!(
        lists(&client, fleet_wide_lists()),
        lists(
            &client,
            wanted
                .iter()
                .flat_map(|namespace| namespace_lists(namespace))
                .collect()
        )
    );
    reading.sort_in(fleet_wide);
    reading.sort_in(expected);
    let found: Vec<String> = reading
        .system_namespaces_found()
        .into_iter()
        .filter(|namespace| wanted.insert(namespace.clone()))
        .collect();
    if !found.is_empty() {
        let more = found
            .iter()
            .flat_map(|namespace| namespace_lists(namespace))
            .collect();
        let more = lists(&client, more).await;
        reading.sort_in(more);
    }
    if request.ask_istiods {
        reading.ask_istiods().await;
    }
    Ok((reading.inventory, reading.tokens))
}

/// One list to read.
#[derive(Clone)]
struct List {
    kind: Kind,
    namespace: String,
    labels: &'static str,
    fields: &'static str,
    metadata_only: bool,
}

fn list(kind: Kind, namespace: &str, labels: &'static str, fields: &'static str) -> List {
    List {
        kind,
        namespace: namespace.to_owned(),
        labels,
        fields,
        metadata_only: false,
    }
}

/// What is looked for in the whole cluster.
fn fleet_wide_lists() -> Vec<List> {
    vec![
        list(kind::NAMESPACE, "", "", ""),
        list(kind::DEPLOYMENT, "", "app=istiod", ""),
        list(kind::POD, "", "app=istiod", ""),
        // Pods with a sidecar: the injector gives each this label.
        list(kind::POD, "", "security.istio.io/tlsMode", ""),
        list(kind::SERVICE, "", "topology.istio.io/network", ""),
        list(kind::SECRET, "", "istio/multiCluster=true", ""),
        list(kind::CONFIG_MAP, "", "", "metadata.name=istio-ca-root-cert"),
        list(kind::CONFIG_MAP, "", "", "metadata.name=istio-ca-crl"),
        list(
            kind::CONFIG_MAP,
            "kube-system",
            "",
            "metadata.name=kube-root-ca.crt",
        ),
        list(
            kind::CONFIG_MAP,
            "kube-public",
            "",
            "metadata.name=kube-root-ca.crt",
        ),
        list(
            kind::ENDPOINT_SLICE,
            "default",
            "kubernetes.io/service-name=kubernetes",
            "",
        ),
        list(kind::NODE, "", "node-role.kubernetes.io/control-plane", ""),
        list(kind::MUTATING_WEBHOOK, "", "", ""),
        list(kind::VALIDATING_WEBHOOK, "", "", ""),
        list(kind::CLUSTER_ROLE, "", "", ""),
        list(kind::CLUSTER_ROLE_BINDING, "", "", ""),
        // Our own definitions are read whole, for drift; of the others it is enough that they stand,
        // and whose they are.
        list(kind::CUSTOM_RESOURCE_DEFINITION, "", "stolos.dev/fleet", ""),
        List {
            metadata_only: true,
            ..list(kind::CUSTOM_RESOURCE_DEFINITION, "", "", "")
        },
        list(kind::ISTIO_GATEWAY, "", "", ""),
    ]
}

/// What is looked for in a namespace of a control plane.
fn namespace_lists(namespace: &str) -> Vec<List> {
    [
        kind::SECRET,
        kind::CONFIG_MAP,
        kind::SERVICE,
        kind::SERVICE_ACCOUNT,
        kind::DEPLOYMENT,
        kind::ROLE,
        kind::ROLE_BINDING,
        kind::HORIZONTAL_POD_AUTOSCALER,
        kind::POD_DISRUPTION_BUDGET,
        kind::POD,
    ]
    .into_iter()
    .map(|kind| list(kind, namespace, "", ""))
    .collect()
}

async fn lists(client: &Client, lists: Vec<List>) -> Vec<(List, Result<Vec<Object>, Failure>)> {
    join_all(lists.into_iter().map(|list| async move {
        let selector = ListSelector {
            namespace: &list.namespace,
            labels: list.labels,
            fields: list.fields,
            metadata_only: list.metadata_only,
        };
        let answer = match client.list(list.kind, selector).await {
            // A kind that is not served has no objects.
            Err(failure) if failure.class == FailureClass::NotFound => Ok(Vec::new()),
            // Some servers answer the path of an unknown kind without a `Status`.
            Err(failure)
                if failure.class == FailureClass::NotKubernetes && list.kind == kind::ISTIO_GATEWAY =>
            {
                Ok(Vec::new())
            }
            answer => answer,
        };
        (list, answer)
    }))
    .await
}

struct Reading {
    client: Client,
    inventory: ClusterInventory,
    /// What is in the inventory already: several lists can hold one object, and there can be very
    /// many objects.
    sorted_in: HashSet<ObjectReference>,
    tokens: BTreeMap<CredentialKey, Sensitive>,
}

impl Reading {
    /// Puts what lists gave into the inventory, each object once.
    fn sort_in(&mut self, answers: Vec<(List, Result<Vec<Object>, Failure>)>) {
        for (list, answer) in answers {
            let objects = match answer {
                Ok(objects) => objects,
                Err(failure) => {
                    if !self.inventory.unread.contains(&failure) {
                        self.inventory.unread.push(failure);
                    }
                    continue;
                }
            };
            if list.labels.is_empty() && list.fields.is_empty() {
                let key = format!("{}/{}", list.kind.api_version, list.kind.kind);
                let namespaces = self.inventory.lists.entry(key).or_default();
                if !namespaces.contains(&list.namespace) {
                    namespaces.push(list.namespace.clone());
                }
            } else {
                let key = format!(
                    "{}/{}?{}{}",
                    list.kind.api_version, list.kind.kind, list.labels, list.fields
                );
                self.inventory
                    .lists
                    .entry(key)
                    .or_default()
                    .push(list.namespace.clone());
            }
            for object in objects {
                if !self.sorted_in.insert(object.reference()) {
                    continue;
                }
                if list.kind == kind::SECRET {
                    sort_in(object, &mut self.inventory, &mut self.tokens);
                } else {
                    self.inventory.objects.push(object);
                }
            }
        }
    }

    /// Namespaces that hold a control plane or what one reads.
    fn system_namespaces_found(&self) -> BTreeSet<String> {
        let deployments = self
            .inventory
            .of_kind(kind::DEPLOYMENT)
            .filter(|deployment| deployment.label("app") == Some("istiod"))
            .map(|deployment| deployment.namespace().to_owned());
        let secrets = self
            .inventory
            .remote_secrets
            .iter()
            .map(|secret| secret.namespace.clone());
        deployments.chain(secrets).collect()
    }

    async fn ask_istiods(&mut self) {
        let pods: Vec<Object> = self
            .inventory
            .of_kind(kind::POD)
            .filter(|pod| {
                pod.label("app") == Some("istiod")
                    && pod.text(&["status", "phase"]) == "Running"
                    && pod.at(&["metadata", "deletionTimestamp"]).is_none()
            })
            .cloned()
            .collect();
        let client = Arc::new(self.client.clone());
        let replicas = join_all(pods.into_iter().map(|pod| {
            let client = Arc::clone(&client);
            async move { ask_istiod(&client, &pod).await }
        }))
        .await;
        self.inventory.replicas.extend(replicas);
    }
}

/// Asks one istiod pod what it says of itself.
pub async fn ask_istiod(client: &Client, pod: &Object) -> Replica {
    let paths = ["/version", "/debug/clusterz", "/debug/networkz"];
    let answers = forwarded_get(
        client,
        pod.namespace(),
        pod.name(),
        ISTIOD_MONITORING_PORT,
        &paths,
    )
    .await;
    let mut answers = match answers {
        Ok(answers) => answers.into_iter(),
        Err(failure) => vec![Err(failure.clone()), Err(failure.clone()), Err(failure)].into_iter(),
    };
    let mut next = || {
        answers.next().unwrap_or_else(|| {
            let message = "istiod was not asked";
            Err(failure(FailureClass::Server, "get", "istiod", message))
        })
    };
    let version = match next() {
        Ok(body) => Said::Said(bare_version(&String::from_utf8_lossy(&body))),
        Err(failure) => Said::Silent(failure),
    };
    Replica {
        namespace: pod.namespace().to_owned(),
        pod: pod.name().to_owned(),
        revision: pod.label("istio.io/rev").unwrap_or("default").to_owned(),
        ready: pod.has_condition("Ready"),
        version,
        clusterz: said(next(), |entries: Option<Vec<_>>| entries.unwrap_or_default()),
        networkz: said(next(), |entries: Option<Vec<_>>| entries.unwrap_or_default()),
    }
}

/// The version in istiod's `/version`, which is `VERSION-REVISION-STATUS` (Istio:
/// `pkg/version.BuildInfo.String`); a version may hold dashes itself.
fn bare_version(text: &str) -> String {
    text.trim()
        .rsplitn(3, '-')
        .nth(2)
        .unwrap_or(text.trim())
        .to_owned()
}

fn said<T: serde::de::DeserializeOwned, U>(
    answer: Result<Vec<u8>, Failure>,
    turn: impl FnOnce(T) -> U,
) -> Said<U> {
    match answer.map(|body| serde_json::from_slice(&body)) {
        Ok(Ok(value)) => Said::Said(turn(value)),
        Ok(Err(_)) => {
            let message = "its answer is not what this version of stolos reads";
            Said::Silent(failure(FailureClass::Server, "get", "istiod", message))
        }
        Err(failure) => Said::Silent(failure),
    }
}
