//! A world in which plans are carried out: what real clusters, their controllers and istiod would
//! make of each step, as far as planners can see it. A plan that waits for what its own steps do
//! not bring about fails here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use stolos::fleet::ClusterName;
use stolos::inventory::credential::CredentialKind;
use stolos::inventory::{
    AuthoritySecret, ClusterInventory, ClusterzEntry, Inventory, NetworkzEntry, Object, ObjectReference,
    Observation, RemoteSecret, RemoteSecretEntry, Replica, ReviewOutcome, Said, TokenSecret,
};
use stolos::mesh::discovery::{addresses, at_addresses};
use stolos::plan::gate::service_addresses;
use stolos::plan::{Content, Gate, Plan, RemoteSecretContent, Step};

use crate::changes::merge_into;

/// Does every step of a plan, in its order. `certificate` gives a PEM file by its name.
pub fn carry_out(inventory: &mut Inventory, plan: &Plan, case: &str, certificate: &dyn Fn(&str) -> String) {
    settle(inventory);
    for step in &plan.steps {
        take(inventory, step, case, certificate);
        settle(inventory);
    }
}

/// Makes what this tool installed of the mesh what `istioctl install` would have: its marks, its tag, and
/// nobody's mark on what it keeps its own objects by.
pub fn as_istioctl_installs(inventory: &mut Inventory) {
    for (name, observation) in &mut inventory.clusters {
        let Observation::Seen(seen) = observation else {
            continue;
        };
        seen.objects
            .retain(|object| !object.name().starts_with("stolos-prod-"));
        let of_mesh = |object: &&mut Object| {
            object.label("stolos.dev/fleet").is_some() && !["Secret", "Namespace"].contains(&object.kind())
        };
        for object in seen.objects.iter_mut().filter(of_mesh) {
            let labels = object.0["metadata"]["labels"].as_object_mut().expect("labels");
            labels.retain(|label, _| !label.contains("stolos") && !label.starts_with("applyset"));
            labels.insert("app.kubernetes.io/managed-by".to_owned(), "Helm".into());
            labels.insert("operator.istio.io/managed".to_owned(), "Reconcile".into());
            if let Some(annotations) = object.0["metadata"]["annotations"].as_object_mut() {
                annotations.remove("stolos.dev/istio-version");
            }
            for entry in object.0["metadata"]["managedFields"]
                .as_array_mut()
                .expect("fields")
            {
                entry["manager"] = "istio-operator".into();
                let labels = entry.pointer_mut("/fieldsV1/f:metadata/f:labels");
                let labels = labels.and_then(Value::as_object_mut).expect("labels");
                labels.retain(|label, _| !label.contains("stolos") && !label.contains("applyset"));
                labels.insert("f:operator.istio.io/managed".to_owned(), json!({}));
            }
        }
        let mut istiods = seen
            .objects
            .iter_mut()
            .filter(|object| object.kind() == "Deployment");
        if let Some(istiod) = istiods.find(|object| object.name() == "istiod") {
            istiod.0["spec"]["template"]["spec"]["containers"][0]["env"] =
                json!([{"name": "CLUSTER_ID", "value": name}]);
        }
        let injector = seen
            .objects
            .iter()
            .find(|object| object.name() == "istio-sidecar-injector");
        let injectors = injector.into_iter().filter(|object| object.is_webhook()).cloned();
        let mut tags: Vec<Object> = injectors.collect();
        for tag in &mut tags {
            tag.0["metadata"]["name"] = "istio-revision-tag-default".into();
            tag.0["metadata"]["uid"] = "uid-of-the-tag".into();
            tag.set_label("istio.io/tag", "default");
        }
        seen.objects.extend(tags);
    }
}

fn take(inventory: &mut Inventory, step: &Step, case: &str, certificate: &dyn Fn(&str) -> String) {
    if step.adopts {
        let seen = cluster(inventory, &step.cluster);
        let object = seen
            .objects
            .iter_mut()
            .find(|object| object.reference() == step.object);
        let metadata = &mut object.expect("what is taken over stands").0["metadata"];
        for entry in metadata["managedFields"].as_array_mut().expect("fields") {
            if entry["manager"] == "istio-operator" {
                entry["manager"] = "stolos".into();
            }
        }
        metadata["labels"]
            .as_object_mut()
            .expect("labels")
            .remove("operator.istio.io/managed");
    }
    match &step.content {
        Content::Apply(object) => apply(cluster(inventory, &step.cluster), object, "stolos"),
        Content::ApplyAtAddress(object, awaited) => {
            let service = cluster(inventory, &awaited.cluster).object(&awaited.service);
            let found = addresses(&service_addresses(service.expect("the Service stands")));
            let object = at_addresses(object, &found.expect("it has an address"));
            apply(cluster(inventory, &step.cluster), &object, "stolos");
        }
        Content::Label(object) => apply(cluster(inventory, &step.cluster), object, "stolos-fields"),
        Content::Merge(changes) => {
            let seen = cluster(inventory, &step.cluster);
            let mut live = seen.object(&step.object).expect("what is changed stands").clone();
            assert_eq!(live.uid(), step.uid, "{}: the object is another", step.id.0);
            merge_into(&mut live.0, changes.clone());
            delete_object(seen, &step.object);
            seen.objects.push(live);
        }
        Content::Delete { uid } => {
            let seen = cluster(inventory, &step.cluster);
            let live = seen.object(&step.object).expect("what is deleted stands");
            assert_eq!(live.uid(), uid, "{}: the object is another", step.id.0);
            delete(seen, &step.object);
        }
        Content::IssueIntermediate(profile) => {
            // There are certificates of two clusters; planners do not look at whose it is.
            let own = match profile.cluster.as_str() {
                "east" => certificate("alpha-east.pem"),
                _ => certificate("alpha-west.pem"),
            };
            let root = certificate("alpha-root.pem");
            let seen = cluster(inventory, &step.cluster);
            apply(seen, &profile.secret, "stolos");
            seen.authorities = vec![AuthoritySecret {
                namespace: profile.namespace.clone(),
                name: "cacerts".to_owned(),
                managed_by_stolos: true,
                fleet: profile.fleet.to_string(),
                keys: ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]
                    .map(str::to_owned)
                    .to_vec(),
                chain: format!("{own}{root}"),
                signing_certificate: own,
                roots: root,
                key_matches: Some(true),
                ..AuthoritySecret::default()
            }];
        }
        Content::MakeRoot => {}
        Content::RemoteSecret(content) => link(inventory, step, content),
        // The token itself is in no inventory.
        Content::Await(Gate::TokenFilled) => {}
        Content::Await(gate) => {
            let seen = inventory.seen(&step.cluster).expect("a cluster that answers");
            let missing = if gate.asks_istiod() {
                gate.missing_of_replicas(&seen.replicas)
            } else {
                gate.missing_of(seen.object(&step.object))
            };
            assert_eq!(missing, None, "{case}: {} waits for ever", step.id.0);
        }
    }
}

fn cluster<'inventory>(
    inventory: &'inventory mut Inventory,
    name: &ClusterName,
) -> &'inventory mut ClusterInventory {
    match inventory.clusters.get_mut(name) {
        Some(Observation::Seen(seen)) => seen,
        _ => panic!("a step writes in {name}, which does not answer"),
    }
}

/// Server-side apply.
fn apply(seen: &mut ClusterInventory, desired: &Object, manager: &str) {
    let reference = desired.reference();
    let mut live = seen.object(&reference).cloned().unwrap_or(Object(json!({})));
    let others: Vec<Value> = live
        .list(&["metadata", "managedFields"])
        .iter()
        .filter(|entry| entry["manager"] != manager)
        .cloned()
        .collect();
    lay_over(&mut live.0, &desired.0);
    if live.uid().is_empty() {
        live.0["metadata"]["uid"] = format!("uid-of-{}", reference.name).into();
    }
    let mut fields = fields_of(&desired.0);
    match reference.kind.as_str() {
        "Deployment" | "DaemonSet" => {
            let generation = live.0["metadata"]["generation"].as_u64().unwrap_or_default() + 1;
            live.0["metadata"]["generation"] = generation.into();
        }
        // istiod takes it over once it validates.
        "ValidatingWebhookConfiguration" => {
            for webhook in live.0["webhooks"].as_array_mut().expect("webhooks") {
                webhook["failurePolicy"] = "Fail".into();
            }
            for (_, owned) in fields["f:webhooks"].as_object_mut().expect("webhooks") {
                owned.as_object_mut().expect("fields").remove("f:failurePolicy");
            }
        }
        "Secret" if desired.text(&["type"]) == "kubernetes.io/service-account-token" => {
            seen.token_secrets.push(TokenSecret {
                namespace: reference.namespace.clone(),
                name: reference.name.clone(),
                service_account: desired
                    .annotation("kubernetes.io/service-account.name")
                    .unwrap_or_default()
                    .to_owned(),
                token_sha256: format!("the token of {}", seen.context),
                authority: seen.kubeconfig_authority.clone(),
            });
        }
        _ => {}
    }
    let mut managed = others;
    managed.push(json!({"manager": manager, "operation": "Apply", "fieldsV1": fields}));
    live.0["metadata"]["managedFields"] = managed.into();
    delete_object(seen, &reference);
    seen.objects.push(live);
}

fn delete(seen: &mut ClusterInventory, reference: &ObjectReference) {
    delete_object(seen, reference);
    if let Some(resources) = &mut seen.custom_resources {
        resources.retain(|resource| resource != reference);
    }
    if reference.kind == "Secret" {
        let is_other =
            |namespace: &str, name: &str| (namespace, name) != (&reference.namespace, &reference.name);
        seen.remote_secrets
            .retain(|secret| is_other(&secret.namespace, &secret.name));
        seen.istiod_kubeconfigs
            .retain(|secret| is_other(&secret.namespace, &secret.name));
        seen.token_secrets
            .retain(|secret| is_other(&secret.namespace, &secret.name));
        seen.authorities
            .retain(|secret| is_other(&secret.namespace, &secret.name));
    }
}

fn delete_object(seen: &mut ClusterInventory, reference: &ObjectReference) {
    seen.objects.retain(|object| object.reference() != *reference);
}

/// A remote secret with the read cluster's token, as `apply` makes it.
fn link(inventory: &mut Inventory, step: &Step, content: &RemoteSecretContent) {
    let token = inventory
        .seen(&content.to)
        .and_then(|read| {
            read.token_secrets.iter().find(|token| {
                (&token.namespace, &token.name) == (&content.token_namespace, &content.token_secret)
            })
        })
        .unwrap_or_else(|| panic!("{}: there is no token of {}", step.id.0, content.to))
        .clone();
    let seen = cluster(inventory, &step.cluster);
    let reference = content.secret.reference();
    delete(seen, &reference);
    apply(seen, &content.secret, "stolos");
    let secrets = match content.key.as_str() {
        "config" => &mut seen.istiod_kubeconfigs,
        _ => &mut seen.remote_secrets,
    };
    secrets.push(RemoteSecret {
        namespace: reference.namespace,
        name: reference.name,
        managed_by_stolos: true,
        fleet: content
            .secret
            .label("stolos.dev/fleet")
            .unwrap_or_default()
            .to_owned(),
        managers: vec!["stolos".to_owned()],
        entries: vec![RemoteSecretEntry {
            cluster_id: content.key.clone(),
            server: content.server.clone(),
            tls_server_name: content.tls_server_name.clone(),
            authority: if content.authority.is_empty() {
                token.authority
            } else {
                content.authority.clone()
            },
            kind: CredentialKind::TokenSecret,
            token_sha256: token.token_sha256,
            review: ReviewOutcome::Authenticated("reader".to_owned()),
            ..RemoteSecretEntry::default()
        }],
        ..RemoteSecret::default()
    });
}

/// What controllers make of an object in the end, and an istiod where one serves the cluster.
fn control(object: &mut Object, is_served: bool) {
    match object.kind() {
        "Deployment" => {
            let wanted = object.at(&["spec", "replicas"]).cloned().unwrap_or(json!(1));
            object.0["status"] = json!({"observedGeneration": object.0["metadata"]["generation"],
                "replicas": wanted, "updatedReplicas": wanted, "availableReplicas": wanted});
        }
        "DaemonSet" => {
            object.0["status"] = json!({"observedGeneration": object.0["metadata"]["generation"],
                "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2});
        }
        "CustomResourceDefinition" => {
            object.0["status"] = json!({"conditions": [{"type": "Established", "status": "True"}]});
        }
        "Service" if object.text(&["spec", "type"]) == "LoadBalancer" => {
            object.0["status"] = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
        }
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" if is_served => {
            for webhook in object.0["webhooks"].as_array_mut().expect("webhooks") {
                webhook["clientConfig"]["caBundle"] = "a bundle".into();
            }
        }
        _ => {}
    }
}

/// What an istiod makes of Gateways of the Gateway API.
fn make_gateways(seen: &mut ClusterInventory) {
    let is_asked_for = |object: &&mut Object| object.text(&["spec", "gatewayClassName"]) == "istio-east-west";
    let mut made = Vec::new();
    for gateway in seen.objects.iter_mut().filter(is_asked_for) {
        gateway.0["status"] = json!({"conditions": [{"type": "Programmed", "status": "True"}]});
        let metadata = json!({
            "name": gateway.name(), "namespace": gateway.namespace(), "generation": 1,
            "labels": gateway.at(&["spec", "infrastructure", "labels"]),
            "ownerReferences": [{"kind": "Gateway", "name": gateway.name(), "uid": gateway.uid()}],
        });
        made.push(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}));
        made.push(
            json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {
            "type": "LoadBalancer", "ports": [{"name": "mesh", "port": 15008}]}}),
        );
    }
    for mut object in made.into_iter().map(Object) {
        if seen.object(&object.reference()).is_none() {
            control(&mut object, true);
            seen.objects.push(object);
        }
    }
}

/// What is so in the end: controllers have done their work, and each istiod says what it reads, and
/// which gateways it has found there.
fn settle(inventory: &mut Inventory) {
    let served = served(inventory);
    for (name, observation) in &mut inventory.clusters {
        if let Observation::Seen(seen) = observation {
            let is_served = served.contains(name);
            seen.objects
                .iter_mut()
                .for_each(|object| control(object, is_served));
        }
    }
    for name in &served {
        make_gateways(cluster(inventory, name));
    }
    let gateways: Vec<(ClusterName, NetworkzEntry)> = inventory
        .all_seen()
        .filter_map(|(name, seen)| {
            let service = seen
                .objects
                .iter()
                .find(|object| object.kind() == "Service" && object.name() == "istio-eastwestgateway")?;
            let entry = NetworkzEntry {
                network: service.label("topology.istio.io/network")?.to_owned(),
                cluster: name.to_string(),
                addr: service_addresses(service).first()?.clone(),
                port: 15443,
            };
            Some((name.clone(), entry))
        })
        .collect();
    let own: BTreeMap<ClusterName, ClusterName> = inventory
        .all_seen()
        .map(|(name, seen)| (name.clone(), own_id(inventory, name, seen)))
        .collect();
    for (name, observation) in &mut inventory.clusters {
        let Observation::Seen(seen) = observation else {
            continue;
        };
        let objects = seen.objects.iter();
        let istiods =
            objects.filter(|object| object.kind() == "Deployment" && object.label("app") == Some("istiod"));
        let istiods: Vec<Object> = istiods.cloned().collect();
        let entry = |id: &str, secret_name: String| ClusterzEntry {
            id: id.to_owned(),
            secret_name,
            sync_status: "synced".to_owned(),
        };
        let mut clusterz = vec![entry(own[name].as_str(), String::new())];
        for remote in &seen.remote_secrets {
            let secret_name = format!("{}/{}", remote.namespace, remote.name);
            clusterz.extend(
                remote
                    .entries
                    .iter()
                    .map(|remote| entry(&remote.cluster_id, secret_name.clone())),
            );
        }
        let networkz: Vec<NetworkzEntry> = gateways
            .iter()
            .filter(|(cluster, _)| clusterz.iter().any(|entry| entry.id == cluster.as_str()))
            .map(|(_, entry)| entry.clone())
            .collect();
        let replica = |istiod: Object| Replica {
            namespace: istiod.namespace().to_owned(),
            pod: format!("{}-1", istiod.name()),
            revision: istiod.label("istio.io/rev").unwrap_or("default").to_owned(),
            ready: true,
            version: Said::Said("1.31.2".to_owned()),
            clusterz: Said::Said(clusterz.clone()),
            networkz: Said::Said(networkz.clone()),
            proxies: Said::Said(Vec::new()),
        };
        seen.replicas = istiods.into_iter().map(replica).collect();
    }
}

/// The ID that a cluster's istiods go by: of the cluster that holds their configuration, where that is
/// another.
fn own_id(inventory: &Inventory, name: &ClusterName, seen: &ClusterInventory) -> ClusterName {
    let mut held = seen.istiod_kubeconfigs.iter().flat_map(|secret| &secret.entries);
    let token = held.next().map(|entry| &entry.token_sha256);
    let holds = |other: &ClusterInventory| {
        let mut tokens = other.token_secrets.iter();
        tokens.any(|secret| Some(&secret.token_sha256) == token)
    };
    let mut others = inventory.all_seen().filter(|(other, _)| *other != name);
    let config = others.find(|(_, other)| holds(other));
    config.map_or_else(|| name.clone(), |(other, _)| other.clone())
}

/// The clusters that an istiod serves: its own, or the one that holds its configuration, and those that it
/// reads whose namespace names it.
fn served(inventory: &Inventory) -> BTreeSet<ClusterName> {
    let istiods = |seen: &ClusterInventory| {
        let mut objects = seen.objects.iter();
        objects.any(|object| object.kind() == "Deployment" && object.label("app") == Some("istiod"))
    };
    let reads = |seen: &ClusterInventory, id: &str| {
        let entries = seen.remote_secrets.iter().flat_map(|secret| &secret.entries);
        entries.into_iter().any(|entry| entry.cluster_id == id)
    };
    let system = ObjectReference::new("v1", "Namespace", "", "istio-system");
    inventory
        .all_seen()
        .filter(|(name, seen)| {
            let system = seen.object(&system);
            let chosen =
                system.and_then(|system| system.annotation("topology.istio.io/controlPlaneClusters"));
            let mut serving = inventory.all_seen().filter(|(_, serving)| istiods(serving));
            serving.any(|(server, serving)| {
                let own = own_id(inventory, server, serving);
                own == **name || (chosen == Some(own.as_str()) && reads(serving, name.as_str()))
            })
        })
        .map(|(name, _)| name.clone())
        .collect()
}

fn lay_over(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (field, value) in over {
                lay_over(under.entry(field.clone()).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// The fields of an object as `managedFields` has them; a list without names is one field.
fn fields_of(value: &Value) -> Value {
    let mut fields = Map::new();
    match value {
        Value::Object(map) => {
            for (field, value) in map {
                if !matches!(field.as_str(), "apiVersion" | "kind" | "name" | "namespace") {
                    fields.insert(format!("f:{field}"), fields_of(value));
                }
            }
        }
        Value::Array(items) if items.iter().all(|item| item.get("name").is_some()) => {
            for item in items {
                fields.insert(format!("k:{}", json!({"name": item["name"]})), fields_of(item));
            }
        }
        _ => {}
    }
    Value::Object(fields)
}
