//! What a container can be told about its pod: fields, resources, keys of Secrets and ConfigMaps.
//! Pure: a snapshot of what was read comes in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::{Container, ObjectFieldSelector, Pod, PodSpec, ResourceFieldSelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// A Secret or a ConfigMap that a pod names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// A Secret of the pod's namespace.
    Secret(String),
    /// A ConfigMap of the pod's namespace.
    ConfigMap(String),
}

/// The keys of the Secrets and ConfigMaps that were read; those that do not exist are not in it.
pub type Snapshot = BTreeMap<Reference, BTreeMap<String, Vec<u8>>>;

/// Something that a pod needs does not exist (yet).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// An object.
    #[error("{} not found", named(.0))]
    Object(Reference),
    /// A key of an object.
    #[error("{} has no key {:?}", named(.0), .1)]
    Key(Reference, String),
    /// A field that the lab does not know.
    #[error("the field {0:?} is not known to the lab")]
    Field(String),
}

fn named(reference: &Reference) -> String {
    match reference {
        Reference::Secret(name) => format!("secret {name:?}"),
        Reference::ConfigMap(name) => format!("configmap {name:?}"),
    }
}

/// A pod, where it runs, and what was read for it.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// The pod's address.
    pub address: Ipv4Addr,
    /// The node's address.
    pub host: Ipv4Addr,
    /// The node's processors, for containers without a limit.
    pub processors: u64,
    /// The node's memory in bytes, for containers without a limit.
    pub memory: u64,
    /// What was read for it.
    pub snapshot: &'a Snapshot,
}

impl Facts<'_> {
    /// The pod's specification.
    pub fn spec(&self) -> Option<&PodSpec> {
        self.pod.spec.as_ref()
    }

    /// A field of the pod.
    pub fn field(&self, selector: &ObjectFieldSelector) -> Result<String, Missing> {
        let metadata = &self.pod.metadata;
        let path = selector.field_path.as_str();
        if let Some((map, key)) = subscript(path) {
            let map = match map {
                "metadata.labels" => metadata.labels.as_ref(),
                "metadata.annotations" => metadata.annotations.as_ref(),
                _ => return Err(Missing::Field(path.to_owned())),
            };
            return Ok(map.and_then(|map| map.get(key)).cloned().unwrap_or_default());
        }
        let spec = self.spec();
        let text = |value: Option<&String>| value.cloned().unwrap_or_default();
        Ok(match path {
            "metadata.name" => text(metadata.name.as_ref()),
            "metadata.namespace" => text(metadata.namespace.as_ref()),
            "metadata.uid" => text(metadata.uid.as_ref()),
            "metadata.labels" => lines(metadata.labels.as_ref()),
            "metadata.annotations" => lines(metadata.annotations.as_ref()),
            "spec.nodeName" => text(spec.and_then(|spec| spec.node_name.as_ref())),
            "spec.serviceAccountName" => account(spec),
            "status.podIP" | "status.podIPs" => self.address.to_string(),
            "status.hostIP" | "status.hostIPs" => self.host.to_string(),
            other => return Err(Missing::Field(other.to_owned())),
        })
    }

    /// A resource of a container, in units of the divisor, rounded up. Without a limit it is the
    /// node's.
    pub fn resource(
        &self,
        container: &Container,
        selector: &ResourceFieldSelector,
    ) -> Result<String, Missing> {
        let other = selector.container_name.as_ref().and_then(|name| {
            self.spec()?
                .containers
                .iter()
                .find(|container| &container.name == name)
        });
        let resources = other.unwrap_or(container).resources.as_ref();
        let path = selector.resource.as_str();
        let (kind, name) = path
            .split_once('.')
            .ok_or_else(|| Missing::Field(path.to_owned()))?;
        let unlimited = match name {
            "cpu" => self.processors * 1000,
            "memory" => self.memory * 1000,
            _ => 0,
        };
        let limit = resources
            .and_then(|resources| resources.limits.as_ref()?.get(name))
            .map_or(unlimited, millis);
        let amount = match kind {
            "limits" => limit,
            "requests" => resources
                .and_then(|resources| resources.requests.as_ref()?.get(name))
                .map_or(0, millis),
            _ => return Err(Missing::Field(path.to_owned())),
        };
        let divisor = selector.divisor.as_ref().map_or(0, millis);
        Ok(amount
            .div_ceil(if divisor == 0 { 1000 } else { divisor })
            .to_string())
    }

    /// A key of a Secret or ConfigMap; none where it is optional and missing.
    pub fn key(&self, reference: Reference, key: &str, optional: bool) -> Result<Option<Vec<u8>>, Missing> {
        let found = match self.snapshot.get(&reference) {
            None => Err(Missing::Object(reference)),
            Some(keys) => match keys.get(key) {
                None => Err(Missing::Key(reference, key.to_owned())),
                Some(value) => return Ok(Some(value.clone())),
            },
        };
        if optional { Ok(None) } else { found }
    }
}

/// The ServiceAccount of a pod.
pub fn account(spec: Option<&PodSpec>) -> String {
    spec.and_then(|spec| spec.service_account_name.clone())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".to_owned())
}

/// Every Secret and ConfigMap that a pod's volumes, and a container's variables, name.
pub fn references(spec: &PodSpec, container: &Container) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    for volume in spec.volumes.iter().flatten() {
        if let Some(name) = volume
            .secret
            .as_ref()
            .and_then(|source| source.secret_name.clone())
        {
            found.insert(Reference::Secret(name));
        }
        if let Some(source) = &volume.config_map {
            found.insert(Reference::ConfigMap(source.name.clone()));
        }
        let projected = volume
            .projected
            .iter()
            .flat_map(|projected| projected.sources.iter().flatten());
        for source in projected {
            found.extend(
                source
                    .secret
                    .iter()
                    .map(|one| Reference::Secret(one.name.clone())),
            );
            found.extend(
                source
                    .config_map
                    .iter()
                    .map(|one| Reference::ConfigMap(one.name.clone())),
            );
        }
    }
    for source in container
        .env
        .iter()
        .flatten()
        .filter_map(|variable| variable.value_from.as_ref())
    {
        found.extend(
            source
                .secret_key_ref
                .iter()
                .map(|one| Reference::Secret(one.name.clone())),
        );
        found.extend(
            source
                .config_map_key_ref
                .iter()
                .map(|one| Reference::ConfigMap(one.name.clone())),
        );
    }
    for source in container.env_from.iter().flatten() {
        found.extend(
            source
                .secret_ref
                .iter()
                .map(|one| Reference::Secret(one.name.clone())),
        );
        found.extend(
            source
                .config_map_ref
                .iter()
                .map(|one| Reference::ConfigMap(one.name.clone())),
        );
    }
    found
}

/// Splits `metadata.labels['key']`.
fn subscript(path: &str) -> Option<(&str, &str)> {
    let (map, rest) = path.split_once("['")?;
    Some((map, rest.strip_suffix("']")?))
}

/// A map as kubelets write it into a file: sorted, one `key="value"` a line.
fn lines(map: Option<&BTreeMap<String, String>>) -> String {
    let lines: Vec<String> = map
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    lines.join("\n")
}

/// A quantity in thousandths, rounded up; 0 where it is none.
fn millis(quantity: &Quantity) -> u64 {
    let text = quantity.0.trim();
    let end = text
        .find(|character: char| !(character.is_ascii_digit() || character == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let factor: u128 = match unit {
        "m" => 1,
        "" => 1000,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        _ => return 0,
    };
    let whole: u128 = whole.parse().unwrap_or(0);
    let digits: String = fraction.chars().take(9).collect();
    let fraction: u128 = format!("{digits:0<9}").parse().unwrap_or(0);
    let total = whole * factor + (fraction * factor).div_ceil(1_000_000_000);
    u64::try_from(total).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;

    /// A pod as istiod's Deployment makes it, where it matters.
    pub fn pod() -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "istiod-1", "namespace": "istio-system", "uid": "u-1",
                "labels": {"app": "istiod", "b": "say \"hi\""}},
            "spec": {
                "nodeName": "lab-1-node", "serviceAccountName": "istiod",
                "containers": [{
                    "name": "discovery", "image": "registry.example/istio/pilot:1.31",
                    "args": ["discovery", "--domain=$(DOMAIN)", "$$(X)", "$(UNKNOWN)"],
                    "resources": {"requests": {"cpu": "500m", "memory": "2Gi"}},
                    "env": [
                        {"name": "DOMAIN", "value": "cluster.local"},
                        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
                        {"name": "GOMAXPROCS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1"}}},
                        {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}}},
                        {"name": "MAYBE", "valueFrom": {"secretKeyRef": {"name": "absent", "key": "k", "optional": true}}},
                        {"name": "JOINED", "value": "$(POD_NAME).$(DOMAIN)"}
                    ],
                    "volumeMounts": [{"name": "cacerts", "mountPath": "/etc/cacerts", "readOnly": true}]
                }],
                "volumes": [
                    {"name": "cacerts", "secret": {"secretName": "cacerts", "optional": true}},
                    {"name": "certs", "secret": {"secretName": "certs", "items": [{"key": "tls.crt", "path": "sub/cert.pem", "mode": 256}]}},
                    {"name": "local-certs", "emptyDir": {"medium": "Memory"}},
                    {"name": "token", "projected": {"sources": [
                        {"serviceAccountToken": {"audience": "istio-ca", "expirationSeconds": 43200, "path": "istio-token"}},
                        {"configMap": {"name": "settings", "items": [{"key": "level", "path": "level"}]}},
                        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}
                    ]}}
                ]
            }
        }))
        .unwrap()
    }

    /// What is known about that pod.
    pub fn facts<'a>(pod: &'a Pod, snapshot: &'a Snapshot) -> Facts<'a> {
        Facts {
            pod,
            address: Ipv4Addr::new(10, 244, 16, 5),
            host: Ipv4Addr::new(10, 240, 1, 1),
            processors: 4,
            memory: 8 << 30,
            snapshot,
        }
    }

    /// What that pod needs.
    pub fn snapshot() -> Snapshot {
        Snapshot::from([
            (
                Reference::ConfigMap("settings".into()),
                [
                    ("level".into(), b"info".to_vec()),
                    ("other".into(), b"x".to_vec()),
                ]
                .into(),
            ),
            (
                Reference::Secret("certs".into()),
                [("tls.crt".into(), b"PEM".to_vec())].into(),
            ),
        ])
    }

    #[test]
    fn all_that_a_pod_names_is_found() {
        let pod = pod();
        let spec = pod.spec.as_ref().unwrap();
        let found = references(spec, &spec.containers[0]);
        let secrets = ["absent", "cacerts", "certs"].map(|name| Reference::Secret(name.into()));
        assert!(secrets.iter().all(|one| found.contains(one)), "{found:?}");
        assert!(found.contains(&Reference::ConfigMap("settings".into())));
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn fields_are_as_a_kubelet_gives_them() {
        let (pod, snapshot) = (pod(), snapshot());
        let facts = facts(&pod, &snapshot);
        let field = |path: &str| {
            facts.field(&ObjectFieldSelector {
                field_path: path.into(),
                ..Default::default()
            })
        };
        assert_eq!(
            field("metadata.labels").unwrap(),
            "app=\"istiod\"\nb=\"say \\\"hi\\\"\""
        );
        assert_eq!(field("metadata.labels['none']").unwrap(), "");
        assert_eq!(field("status.podIP").unwrap(), "10.244.16.5");
        assert_eq!(field("spec.serviceAccountName").unwrap(), "istiod");
        assert_eq!(
            field("spec.hostname"),
            Err(Missing::Field("spec.hostname".into()))
        );
    }

    #[test]
    fn resources_are_in_units_of_the_divisor_and_the_nodes_without_a_limit() {
        let (pod, snapshot) = (pod(), snapshot());
        let facts = facts(&pod, &snapshot);
        let container = &pod.spec.as_ref().unwrap().containers[0];
        let resource = |resource: &str, divisor: &str| {
            let selector = ResourceFieldSelector {
                resource: resource.into(),
                divisor: Some(Quantity(divisor.into())),
                ..Default::default()
            };
            facts.resource(container, &selector).unwrap()
        };
        assert_eq!(resource("limits.cpu", "1"), "4");
        assert_eq!(
            resource("requests.cpu", "1"),
            "1",
            "half a processor is rounded up"
        );
        assert_eq!(resource("requests.cpu", "1m"), "500");
        assert_eq!(resource("requests.memory", "1Mi"), "2048");
        assert_eq!(resource("limits.memory", "0"), (8_u64 << 30).to_string());
        assert_eq!(millis(&Quantity("1.5".into())), 1500);
        assert_eq!(millis(&Quantity("0.1m".into())), 1);
    }
}
