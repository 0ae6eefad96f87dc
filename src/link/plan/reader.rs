//! What one cluster needs to read the others: a remote secret for each, and the proof that its
//! istiods use them.

use std::collections::BTreeSet;

use super::source::Source;
use super::standing::{Standing, foreign_link, stale_reason, standing};
use super::{blocked, links, links_set};
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet};
use crate::inventory::{ClusterInventory, Inventory, Object, ObjectReference, Presence, Replica, kind};
use crate::link::secret;
use crate::mesh::values::{GATEWAY_NAME, needs_gateway};
use crate::plan::draft::Draft;
use crate::plan::ownership::{ApplySet, FLEET_LABEL, PART_OF_LABEL};
use crate::plan::{Action, Blocked, Content, Gate, Plan, RemoteSecretContent, StepId};

/// Plans what one cluster needs to read the others.
pub fn reader_plan(
    fleet: &Fleet,
    reader: &ClusterSpec,
    seen: &ClusterInventory,
    inventory: &Inventory,
    sources: &[Source<'_>],
    installing: &BTreeSet<ClusterName>,
) -> Plan {
    let mut whole = Plan::default();
    let namespace = reader.system_namespace();
    let system = ObjectReference::new("v1", "Namespace", "", namespace);
    if let Presence::Unknown = seen.presence(&ObjectReference::new("v1", "Secret", namespace, "any")) {
        let reason = format!("the Secrets of {namespace} could not be read, so its links are not known");
        return *blocked(
            &reader.name,
            reason,
            Some("use a context that may read them".to_owned()),
        );
    }
    if matches!(seen.presence(&system), Presence::Absent) && !installing.contains(&reader.name) {
        let reason = format!("it reads no peer: the namespace {namespace} does not stand");
        return *blocked(&reader.name, reason, Some("install Istio there first".to_owned()));
    }
    let listed = seen.was_listed(kind::DEPLOYMENT.api_version, kind::DEPLOYMENT.kind, namespace);
    let an_istiod = seen
        .of_kind(kind::DEPLOYMENT)
        .any(|deployment| deployment.namespace() == namespace && deployment.label("app") == Some("istiod"));
    if listed && !an_istiod && !installing.contains(&reader.name) {
        let reason = format!("it reads no peer: there is no istiod in {namespace}");
        return *blocked(&reader.name, reason, Some("install Istio there first".to_owned()));
    }
    let mut draft = Draft::new(&reader.name, Area::Links, seen, &fleet.metadata.name);
    let set = ApplySet::of_area(&fleet.metadata.name, Area::Links, namespace);
    let mut ground = vec![StepId::of(&reader.name, Area::Mesh, Action::Create, &system)];
    ground.extend(links_set(&mut draft, fleet, reader, &set));
    let istiod = ObjectReference::new(
        "apps/v1",
        "Deployment",
        namespace,
        crate::mesh::istiod_name(fleet, reader),
    );
    let serving = StepId::awaiting(&reader.name, Area::Mesh, &istiod, &Gate::RolledOut);
    let mut expected = Vec::new();
    for (_, read) in links(fleet).filter(|(from, _)| from.name == reader.name) {
        let Some(source) = sources.iter().find(|source| source.spec.name == read.name) else {
            if inventory.seen(&read.name).is_none()
                && matches!(
                    standing(fleet, seen, namespace, read.name.as_str()),
                    Standing::Nothing
                )
            {
                whole.blocked.push(Blocked {
                    cluster: reader.name.clone(),
                    area: Area::Links,
                    reason: format!("its link to {0} waits until {0} can be read", read.name),
                    hint: None,
                    unreachable: true,
                });
            }
            continue;
        };
        expected.push(read);
        if let Some(blocked) = link(&mut draft, fleet, reader, source, &ground, &serving) {
            whole.blocked.push(blocked);
        }
    }
    gateways_known(&mut draft, fleet, reader, &expected, &serving);
    stale(&mut draft, fleet, seen, namespace);
    whole.extend(draft.finish());
    whole
}

/// One link: its Secret, and istiod's synchronisation with it.
fn link(
    draft: &mut Draft<'_>,
    fleet: &Fleet,
    reader: &ClusterSpec,
    source: &Source<'_>,
    ground: &[StepId],
    serving: &StepId,
) -> Option<Blocked> {
    let seen = draft.inventory;
    let namespace = reader.system_namespace();
    let read = source.spec;
    let id = read.name.as_str();
    let object = secret::metadata(&fleet.metadata.name, namespace, id);
    let reference = object.reference();
    let (action, reason) = match standing(fleet, seen, namespace, id) {
        Standing::Foreign(remote, entry) => return foreign_link(reader, source, remote, entry),
        Standing::Nothing => match seen.presence(&reference) {
            Presence::Present(live) => {
                return Some(Blocked {
                    cluster: reader.name.clone(),
                    area: Area::Links,
                    reason: format!(
                        "{reference} stands and is not this fleet's: it belongs to {}",
                        crate::plan::ownership::foreign_owner(live)
                    ),
                    hint: Some("take it out with the tool that made it".to_owned()),
                    unreachable: false,
                });
            }
            _ => (
                Some(Action::Create),
                format!("istiod here does not read {id} yet"),
            ),
        },
        Standing::Ours(None) => (Some(Action::Update), format!("it does not hold {id}")),
        Standing::Ours(Some(entry)) => match stale_reason(source, entry) {
            Some(reason) => (Some(Action::Update), reason),
            None => (None, String::new()),
        },
    };
    let mut after = Vec::new();
    if let Some(action) = action {
        let needs: Vec<StepId> = ground.iter().chain(&source.needs).cloned().collect();
        let content = RemoteSecretContent {
            to: read.name.clone(),
            cluster_id: id.to_owned(),
            server: source.candidate.url.clone(),
            tls_server_name: source.candidate.tls_server_name.clone(),
            authority: source.candidate.authority.clone(),
            token_namespace: read.system_namespace().to_owned(),
            token_secret: source
                .token
                .map_or(secret::READER_TOKEN_SECRET, |token| token.name.as_str())
                .to_owned(),
            secret: object,
        };
        after.push(draft.step(
            action,
            reference.clone(),
            reason,
            &needs,
            Content::RemoteSecret(content),
        ));
    }
    let gate = Gate::Synced(id.to_owned());
    if !after.is_empty() || gate.missing_of_replicas(&replicas(draft, namespace)).is_some() {
        after.push(serving.clone());
        let reason = format!("istiod must read {id} itself: that is the link's proof");
        draft.step(Action::Wait, reference, reason, &after, Content::Await(gate));
    }
    None
}

fn replicas(draft: &Draft<'_>, namespace: &str) -> Vec<Replica> {
    draft
        .inventory
        .replicas
        .iter()
        .filter(|replica| replica.namespace == namespace)
        .cloned()
        .collect()
}

/// Each istiod must know a gateway of every other network, or it sends traffic to addresses that
/// its own network cannot reach.
fn gateways_known(
    draft: &mut Draft<'_>,
    fleet: &Fleet,
    reader: &ClusterSpec,
    expected: &[&ClusterSpec],
    serving: &StepId,
) {
    let namespace = reader.system_namespace();
    let replicas = replicas(draft, namespace);
    let mut seen_networks = BTreeSet::new();
    for read in expected {
        let Some(network) = &read.network else {
            continue;
        };
        let foreign = reader.network.as_ref() != Some(network);
        if !foreign || !seen_networks.insert(network.clone()) || !needs_gateway(fleet, read) {
            continue;
        }
        let gate = Gate::GatewayKnown(network.to_string());
        if gate.missing_of_replicas(&replicas).is_none() {
            continue;
        }
        let service = ObjectReference::new("v1", "Service", read.system_namespace(), GATEWAY_NAME);
        let address = StepId::awaiting(&read.name, Area::Mesh, &service, &Gate::Address);
        let remote = ObjectReference::new("v1", "Secret", namespace, secret::name(read.name.as_str()));
        let gate_of_sync = Gate::Synced(read.name.to_string());
        let synced = StepId::awaiting(&reader.name, Area::Links, &remote, &gate_of_sync);
        let istiod = ObjectReference::new(
            "apps/v1",
            "Deployment",
            namespace,
            crate::mesh::istiod_name(fleet, reader),
        );
        draft.step(
            Action::Wait,
            istiod,
            format!("istiod must know a gateway of the network {network}"),
            &[address, synced, serving.clone()],
            Content::Await(gate),
        );
    }
}

/// Our remote secrets for clusters that are no longer in the fleet.
fn stale(draft: &mut Draft<'_>, fleet: &Fleet, seen: &ClusterInventory, namespace: &str) {
    let id = ApplySet::of_area(&fleet.metadata.name, Area::Links, namespace).id();
    let left: Vec<&Object> = seen
        .objects
        .iter()
        .filter(|object| {
            object.kind() == "Secret"
                && object.label(PART_OF_LABEL) == Some(&id)
                && object.label(FLEET_LABEL) == Some(fleet.metadata.name.as_str())
                && object.label(secret::REMOTE_SECRET_LABEL) == Some("true")
        })
        .filter(|object| {
            !fleet
                .spec
                .clusters
                .iter()
                .any(|cluster| object.name() == secret::name(cluster.name.as_str()))
        })
        .collect();
    for object in left {
        let content = Content::Delete {
            uid: object.uid().to_owned(),
        };
        let reason = "the cluster that it reads is not in the fleet";
        draft.step(Action::Delete, object.reference(), reason, &[], content);
    }
}
