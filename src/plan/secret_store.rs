//! References to secrets in place of secrets, for manifests that somebody else applies (`plan -o manifests
//! --secret-store`): an `ExternalSecret` of the External Secrets Operator (external-secrets.io/v1), which makes
//! the Secret of what a store holds.

use std::str::FromStr;

use serde_json::{Map, Value, json};

use crate::fleet::{ClusterName, FleetName};
use crate::inventory::Object;

/// A store, as an `ExternalSecret` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretStore {
    /// `ClusterSecretStore` or `SecretStore`.
    kind: &'static str,
    name: String,
}

impl FromStr for SecretStore {
    type Err = String;

    /// Reads `NAME`, a ClusterSecretStore's, or `SecretStore/NAME`, one in the Secret's own namespace.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = text.split_once('/').unwrap_or(("ClusterSecretStore", text));
        let kind = ["ClusterSecretStore", "SecretStore"]
            .into_iter()
            .find(|known| *known == kind);
        let is_name = |name: &str| {
            let allowed =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
            !name.is_empty() && name.bytes().all(allowed)
        };
        match kind.filter(|_| is_name(name)) {
            Some(kind) => Ok(Self {
                kind,
                name: name.to_owned(),
            }),
            None => {
                Err("write the name of a ClusterSecretStore, such as vault, or SecretStore/NAME".to_owned())
            }
        }
    }
}

impl std::fmt::Display for SecretStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.kind, self.name)
    }
}

/// Under what name a store holds a Secret: fleet, cluster, namespace and name, with `--` between them, which
/// every store's names may have.
pub fn key(fleet: &FleetName, cluster: &ClusterName, secret: &Object) -> String {
    [
        fleet.as_str(),
        cluster.as_str(),
        secret.namespace(),
        secret.name(),
    ]
    .join("--")
}

impl SecretStore {
    /// The reference by which a Secret with these keys comes to be. What is made of it is the operator's, and
    /// carries no mark of the fleet: the fleet would take it for its own and renew it.
    pub fn reference(
        &self,
        fleet: &FleetName,
        cluster: &ClusterName,
        secret: &Object,
        keys: &[&str],
    ) -> Object {
        let held = key(fleet, cluster, secret);
        let data = keys
            .iter()
            .map(|key| json!({"secretKey": key, "remoteRef": {"key": held, "property": key}}));
        let data: Vec<Value> = data.collect();
        let mut target = json!({"name": secret.name(), "creationPolicy": "Owner"});
        let mut metadata = Map::new();
        for field in ["labels", "annotations"] {
            let stand = secret.0["metadata"][field].as_object();
            let marks = stand.into_iter().flatten().filter(|(key, value)| {
                !["stolos.dev/", "applyset.kubernetes.io/"]
                    .iter()
                    .any(|ours| key.starts_with(ours))
                    && **value != "stolos"
            });
            let marks: Map<String, Value> = marks.map(|(key, value)| (key.clone(), value.clone())).collect();
            if !marks.is_empty() {
                metadata.insert(field.to_owned(), marks.into());
            }
        }
        if !metadata.is_empty() {
            target["template"] = json!({"metadata": metadata});
        }
        Object(json!({
            "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
            "metadata": {"name": secret.name(), "namespace": secret.namespace()},
            "spec": {
                "secretStoreRef": {"kind": self.kind, "name": self.name},
                "target": target,
                "data": data,
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::secret::LinkSecret;
    use crate::yaml;

    #[test]
    fn a_store_is_one_of_the_cluster_unless_it_says_otherwise() {
        let read = |text: &str| text.parse::<SecretStore>().map(|store| (store.kind, store.name));
        assert_eq!(read("vault"), Ok(("ClusterSecretStore", "vault".to_owned())));
        assert_eq!(read("SecretStore/a.b-1"), Ok(("SecretStore", "a.b-1".to_owned())));
        for wrong in ["", "Store/a", "SecretStore/", "a/b/c", "SecretStore/a b", "Vault"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reference_has_what_istiod_looks_for_and_no_mark_of_the_fleet() {
        let (fleet, cluster): (FleetName, ClusterName) = ("prod".parse().unwrap(), "east".parse().unwrap());
        let read: ClusterName = "west".parse().unwrap();
        let secret = LinkSecret::Remote(&read).metadata(&fleet, "istio-system");
        let store: SecretStore = "SecretStore/vault".parse().unwrap();
        let reference = store.reference(&fleet, &cluster, &secret, &["west"]);
        let wanted: Value = yaml::from_str(
            "apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: istio-remote-secret-west, namespace: istio-system}
spec:
  secretStoreRef: {kind: SecretStore, name: vault}
  target:
    name: istio-remote-secret-west
    creationPolicy: Owner
    template:
      metadata:
        labels: {istio/multiCluster: 'true'}
        annotations: {networking.istio.io/cluster: west}
  data:
  - secretKey: west
    remoteRef: {key: prod--east--istio-system--istio-remote-secret-west, property: west}
",
        )
        .unwrap();
        assert_eq!(reference.0, wanted);
    }
}
