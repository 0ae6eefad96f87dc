//! Reads one cluster in one burst: who it is, and every list, go out together, and one more burst
//! follows only where the first found a control plane in a namespace that nobody had named, or was
//! refused what may be read in a namespace alone. Nothing that was read is given out before the
//! cluster is known to be the one that the fleet file pins.

use std::collections::{BTreeSet, HashSet};

use futures::future::join_all;
use futures::future::{Either, select};
use tokio::time::Instant;

use super::client::Client;
use super::identity::{Identity, identify};
use super::istiod::{ask_istiod, is_asked};
use super::keep::{addresses, for_reports};
use super::lists::{List, Purpose, fleet_wide, in_namespace, narrowed};
use super::objects::ListSelector;
use super::secrets::{Tokens, sort_in};
use crate::inventory::kind::{self, DEPLOYMENT, NAMESPACE, POD, SECRET};
use crate::inventory::{ClusterInventory, Failure, FailureClass, Object, ObjectReference};

/// One cluster while it is read.
pub struct Reading {
    /// What was seen so far.
    pub inventory: ClusterInventory,
    /// The tokens in its remote secrets.
    pub tokens: Tokens,
    client: Client,
    purposes: &'static [Purpose],
    deadline: Instant,
    /// Namespaces in which a control plane is expected, or was found.
    namespaces: BTreeSet<String>,
    /// Lists of the whole cluster that were refused.
    refused: Vec<List>,
    /// What is in the inventory already: several lists can hold one object, and there can be very
    /// many objects.
    sorted_in: HashSet<ObjectReference>,
}

/// What one list gave, its Secrets already without their contents.
struct Part {
    list: List,
    answer: Result<ClusterInventory, Failure>,
    tokens: Tokens,
}

impl Reading {
    /// The first burst, to be done by a deadline.
    ///
    /// # Errors
    /// The cluster does not say who it is, or is another one than the pinned one.
    pub async fn begin(
        client: &Client,
        expected: &[String],
        pinned: Option<&str>,
        purposes: &'static [Purpose],
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let client = client.until(deadline);
        let namespaces: BTreeSet<String> = expected.iter().cloned().collect();
        let mut wanted = fleet_wide(purposes);
        for namespace in &namespaces {
            wanted.extend(in_namespace(namespace, purposes));
        }
        let identity = std::pin::pin!(proven(&client, pinned));
        let parts = std::pin::pin!(parts(&client, wanted, purposes));
        let (identity, parts) = match select(identity, parts).await {
            // Where the cluster gives nothing, or is another, the lists are given up at once.
            Either::Left((identity, parts)) => (identity?, parts.await),
            Either::Right((parts, identity)) => (identity.await?, parts),
        };
        let mut reading = Self {
            inventory: ClusterInventory {
                server: client.server().to_owned(),
                kubeconfig_authority: client.authority().to_owned(),
                tls_server_name: client.tls_server_name().to_owned(),
                kubernetes_version: identity.kubernetes_version,
                ..ClusterInventory::default()
            },
            tokens: Tokens::new(),
            client: client.clone(),
            purposes,
            deadline,
            namespaces,
            refused: Vec::new(),
            sorted_in: HashSet::new(),
        };
        match identity.uid {
            Ok(uid) => reading.inventory.uid = uid,
            // Whoever is refused here may still read what matters.
            Err(failure) => reading.inventory.unread.push(failure),
        }
        reading.sort_in(parts);
        Ok(reading)
    }

    /// What follows from the first burst: a second one where there is more to read, and meanwhile the
    /// istiods' own words. `learnt` hears of the reading once more credentials may be known.
    pub async fn go_on(&mut self, learnt: impl FnOnce(&Self)) {
        let more = self.still_to_read();
        let asked: Vec<Object> = self.istiods_to_ask(&[]);
        let proxies = self.purposes.iter().any(|purpose| purpose.asks_proxies());
        let ask = |pod| ask_istiod(&self.client, pod, proxies, self.deadline);
        let (parts, replicas) = tokio::join!(
            parts(&self.client, more, self.purposes),
            join_all(asked.iter().map(ask))
        );
        self.inventory.replicas = replicas;
        if !parts.is_empty() {
            self.sort_in(parts);
            learnt(self);
            let more = self.istiods_to_ask(&asked);
            let ask = |pod| ask_istiod(&self.client, pod, proxies, self.deadline);
            let replicas = join_all(more.iter().map(ask)).await;
            self.inventory.replicas.extend(replicas);
        }
        self.leave_out_what_is_not_reported();
        self.inventory.objects.shrink_to_fit();
    }

    /// Lists in namespaces that were found, and of what was refused for the whole cluster.
    fn still_to_read(&mut self) -> Vec<List> {
        let mut more = Vec::new();
        for namespace in self.system_namespaces_found() {
            if self.namespaces.insert(namespace.clone()) {
                more.extend(in_namespace(&namespace, self.purposes));
            }
        }
        for namespace in &self.namespaces {
            more.extend(narrowed(&self.refused, namespace, self.purposes));
        }
        more
    }

    /// Puts what lists gave into the inventory, each object once.
    fn sort_in(&mut self, parts: Vec<Part>) {
        for part in parts {
            let found = match part.answer {
                Ok(found) => found,
                Err(failure) => {
                    if failure.class == FailureClass::Permission {
                        self.refused.push(part.list);
                    }
                    if !self.inventory.unread.contains(&failure) {
                        self.inventory.unread.push(failure);
                    }
                    continue;
                }
            };
            let namespaces = self.inventory.lists.entry(part.list.key()).or_default();
            if !namespaces.contains(&part.list.namespace) {
                namespaces.push(part.list.namespace.clone());
            }
            let is_new = |namespace: &str, name: &str| {
                let secret = SECRET.reference(namespace, name);
                !self.sorted_in.contains(&secret)
            };
            let inventory = &mut self.inventory;
            inventory.remote_secrets.extend(
                (found.remote_secrets.into_iter()).filter(|secret| is_new(&secret.namespace, &secret.name)),
            );
            inventory.istiod_kubeconfigs.extend(
                (found.istiod_kubeconfigs.into_iter())
                    .filter(|secret| is_new(&secret.namespace, &secret.name)),
            );
            inventory.token_secrets.extend(
                (found.token_secrets.into_iter()).filter(|secret| is_new(&secret.namespace, &secret.name)),
            );
            inventory.authorities.extend(
                (found.authorities.into_iter()).filter(|secret| is_new(&secret.namespace, &secret.name)),
            );
            let objects = found.objects.into_iter();
            let sorted_in = &mut self.sorted_in;
            inventory
                .objects
                .extend(objects.filter(|object| sorted_in.insert(object.reference())));
            self.tokens.extend(part.tokens);
        }
    }

    /// Namespaces that hold a control plane or what one reads.
    fn system_namespaces_found(&self) -> BTreeSet<String> {
        let istiods = self
            .inventory
            .of_kind(DEPLOYMENT)
            .chain(self.inventory.of_kind(POD))
            .filter(|object| object.label("app") == Some("istiod"))
            .map(|object| object.namespace().to_owned());
        let secrets = self
            .inventory
            .remote_secrets
            .iter()
            .map(|secret| secret.namespace.clone());
        istiods.chain(secrets).collect()
    }

    /// The istiods that can be asked, but for those that have been.
    fn istiods_to_ask(&self, asked: &[Object]) -> Vec<Object> {
        if !self.purposes.iter().any(|purpose| purpose.asks_istiods()) {
            return Vec::new();
        }
        self.inventory
            .of_kind(POD)
            .filter(|pod| is_asked(pod))
            .filter(|pod| !asked.iter().any(|asked| asked.reference() == pod.reference()))
            .cloned()
            .collect()
    }

    /// Of the namespaces, a report is about those of control planes; of the roots that istiod writes
    /// into every namespace, about those that are not the control plane's.
    fn leave_out_what_is_not_reported(&mut self) {
        if self.purposes.iter().any(|purpose| purpose.keeps_whole()) {
            return;
        }
        let root = |object: &Object| {
            let is_root = object.is_of(kind::CONFIG_MAP) && object.name() == "istio-ca-root-cert";
            is_root.then(|| object.text(&["data", "root-cert.pem"]).to_owned())
        };
        let namespaces = &self.namespaces;
        let given: BTreeSet<String> = self
            .inventory
            .objects
            .iter()
            .filter(|object| namespaces.contains(object.namespace()))
            .filter_map(root)
            .collect();
        self.inventory.objects.retain(|object| {
            if object.is_of(NAMESPACE) {
                return namespaces.contains(object.name());
            }
            // Where control planes give different roots, each namespace's is worth knowing.
            match root(object) {
                Some(root) if !namespaces.contains(object.namespace()) => {
                    given.len() != 1 || !given.contains(&root)
                }
                _ => true,
            }
        });
    }
}

/// Who the cluster is; an error where it is not the pinned one.
async fn proven(client: &Client, pinned: Option<&str>) -> Result<Identity, Failure> {
    let identity = identify(client).await?;
    identity.check(pinned, client.server())?;
    Ok(identity)
}

async fn parts(client: &Client, lists: Vec<List>, purposes: &[Purpose]) -> Vec<Part> {
    join_all(lists.into_iter().map(|list| part(client, list, purposes))).await
}

/// Reads one list, and keeps of it what the purposes need.
async fn part(client: &Client, list: List, purposes: &[Purpose]) -> Part {
    let answer = match list.one() {
        Some(name) => {
            let reference = list.kind.reference(&list.namespace, name);
            let found = client.get_object(&reference).await;
            found.map(|object| object.into_iter().collect())
        }
        None => {
            let selector = ListSelector {
                namespace: &list.namespace,
                labels: list.labels,
                fields: list.fields,
                metadata_only: list.metadata_only,
            };
            client.list(list.kind, selector).await
        }
    };
    let objects = match answer {
        // A kind that is not served has no objects.
        Err(failure) if failure.class == FailureClass::NotFound => Ok(Vec::new()),
        // Some servers answer the path of an unknown kind without a `Status`.
        Err(failure) if failure.class == FailureClass::NotKubernetes && list.kind.is_custom() => {
            Ok(Vec::new())
        }
        answer => answer,
    };
    let mut tokens = Tokens::new();
    let answer = objects.map(|objects| sorted(objects, list.kind, purposes, &mut tokens));
    Part { list, answer, tokens }
}

fn sorted(
    objects: Vec<Object>,
    of: kind::Kind,
    purposes: &[Purpose],
    tokens: &mut Tokens,
) -> ClusterInventory {
    let mut found = ClusterInventory::default();
    for object in objects {
        if of == SECRET {
            sort_in(object, &mut found, tokens);
        } else {
            found.objects.push(object);
        }
    }
    let keep = match purposes.iter().any(|purpose| purpose.keeps_whole()) {
        true => addresses,
        false => for_reports,
    };
    found.objects = found.objects.into_iter().map(keep).collect();
    found
}
