//! The Secrets, ConfigMaps and tokens that pods are given: read when they are needed, and watched
//! for changes by their metadata alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;
use kube::runtime::watcher::Event;
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::sync::watch;

use super::facts::{Reference, Snapshot, account};
use super::volumes::TokenWish;
use crate::host::sensitive::Sensitive;
use crate::lab::api::{self, ApiError};

/// How long to wait before a watch that failed goes on.
const PAUSE: Duration = Duration::from_millis(500);

type Versions = BTreeMap<(String, Reference), String>;

/// What pods are given.
#[derive(Clone)]
pub struct Sources {
    client: Client,
    versions: Arc<Mutex<Versions>>,
    changed: watch::Sender<u64>,
}

/// A token, and how long it is good.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token.
    pub text: Sensitive,
    /// How long it is good from when it was asked for.
    pub life: Duration,
}

impl Sources {
    /// Starts to watch a cluster's Secrets and ConfigMaps.
    pub fn watch(client: &Client) -> Self {
        let sources = Self {
            client: client.clone(),
            versions: Arc::default(),
            changed: watch::Sender::new(0),
        };
        tokio::spawn(sources.clone().follow(
            Api::<PartialObjectMeta<Secret>>::all(client.clone()),
            Reference::Secret,
        ));
        tokio::spawn(sources.clone().follow(
            Api::<PartialObjectMeta<ConfigMap>>::all(client.clone()),
            Reference::ConfigMap,
        ));
        sources
    }

    /// Tells of changes of anything; [`Self::versions`] tells whether they matter.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The versions of some objects of a namespace, as far as they are known to exist.
    pub fn versions(&self, namespace: &str, references: &BTreeSet<Reference>) -> Vec<Option<String>> {
        let Ok(versions) = self.versions.lock() else {
            return Vec::new();
        };
        references
            .iter()
            .map(|reference| versions.get(&(namespace.to_owned(), reference.clone())).cloned())
            .collect()
    }

    async fn follow<K>(self, api: Api<PartialObjectMeta<K>>, reference: fn(String) -> Reference)
    where
        PartialObjectMeta<K>: kube::Resource<DynamicType = ()>
            + Clone
            + serde::de::DeserializeOwned
            + std::fmt::Debug
            + Send
            + 'static,
    {
        let mut events = watcher(api, watcher::Config::default()).boxed();
        while let Some(event) = events.next().await {
            let Ok(mut versions) = self.versions.lock().map_err(|_| ()) else {
                return;
            };
            let key = |object: &PartialObjectMeta<K>| {
                (
                    object.namespace().unwrap_or_default(),
                    reference(object.name_any()),
                )
            };
            match event {
                Ok(Event::Apply(object) | Event::InitApply(object)) => {
                    versions.insert(key(&object), object.resource_version().unwrap_or_default());
                }
                Ok(Event::Delete(object)) => {
                    versions.remove(&key(&object));
                }
                Ok(Event::Init) => {
                    let kind = std::mem::discriminant(&reference(String::new()));
                    versions.retain(|(_, one), _| std::mem::discriminant(one) != kind);
                }
                Ok(Event::InitDone) => {}
                Err(_) => {
                    drop(versions);
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            }
            drop(versions);
            self.changed.send_modify(|generation| *generation += 1);
        }
    }

    /// Reads objects of a namespace; those that do not exist are left out.
    pub async fn read(
        &self,
        namespace: &str,
        references: &BTreeSet<Reference>,
    ) -> Result<Snapshot, ApiError> {
        let mut snapshot = Snapshot::new();
        for reference in references {
            let keys = match reference {
                Reference::Secret(name) => {
                    let api = Api::<Secret>::namespaced(self.client.clone(), namespace);
                    api.get_opt(name).await?.map(|secret| {
                        secret
                            .data
                            .into_iter()
                            .flatten()
                            .map(|(key, value)| (key, value.0))
                            .collect()
                    })
                }
                Reference::ConfigMap(name) => {
                    let api = Api::<ConfigMap>::namespaced(self.client.clone(), namespace);
                    api.get_opt(name).await?.map(|map| {
                        let text = map
                            .data
                            .into_iter()
                            .flatten()
                            .map(|(key, value)| (key, value.into_bytes()));
                        let bytes = map
                            .binary_data
                            .into_iter()
                            .flatten()
                            .map(|(key, value)| (key, value.0));
                        text.chain(bytes).collect::<BTreeMap<_, _>>()
                    })
                }
            };
            snapshot.extend(keys.map(|keys| (reference.clone(), keys)));
        }
        Ok(snapshot)
    }

    /// Asks for a token of a pod's ServiceAccount, bound to the pod.
    pub async fn token(&self, pod: &Pod, wish: &TokenWish) -> Result<Token, ApiError> {
        let namespace = pod.namespace().unwrap_or_default();
        let account = account(pod.spec.as_ref());
        let audiences: Vec<&String> = wish.audience.iter().collect();
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": audiences,
                "expirationSeconds": wish.seconds,
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": pod.name_any(), "uid": pod.uid()},
            },
        });
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let answer = api::post(&self.client, &path, &request).await?;
        let text = answer["status"]["token"].as_str().ok_or(ApiError::Silent)?;
        Ok(Token {
            text: Sensitive::new(text),
            life: Duration::from_secs(u64::try_from(wish.seconds).unwrap_or(600)),
        })
    }
}
