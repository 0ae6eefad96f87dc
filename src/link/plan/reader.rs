//! What one cluster needs to read the others: a remote secret for each, and the proof that its
//! istiods use them.

use std::collections::BTreeSet;

use super::source::Source;
use super::standing::{Standing, foreign_link, stale_reason, standing};
use super::{blocked, links, links_set};
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, Role};
use crate::inventory::control_plane::{istiod_from_before, led_by};
use crate::inventory::hint::quoted;
use crate::inventory::{ClusterInventory, Inventory, Object, Presence, Replica, kind};
use crate::link::secret::{self, LinkSecret};
use crate::mesh::values::{GATEWAY_NAME, needs_gateway};
use crate::plan::difference::reason_of;
use crate::plan::difference::{Difference, differences};
use crate::plan::draft::{Draft, unread};
use crate::plan::ownership::{ApplySet, FLEET_LABEL, Ownership};
use crate::plan::{Action, Blocked, Content, Gate, Plan, RemoteSecretContent, StepId, Warning};

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
    let system = kind::NAMESPACE.reference("", namespace);
    let any = kind::SECRET.reference(namespace, "any");
    if let Presence::Unknown = seen.presence(&any) {
        let reason = format!("the Secrets of {namespace} could not be read, so its links are not known");
        whole
            .blocked
            .push(unread(&reader.name, Area::Links, seen, &any, &reason));
        return whole;
    }
    if matches!(seen.presence(&system), Presence::Absent) && !installing.contains(&reader.name) {
        let reason = format!("it reads no peer: the namespace {namespace} does not stand");
        return *blocked(&reader.name, reason, Some("install Istio there first".to_owned()));
    }
    let listed = seen.was_listed(kind::DEPLOYMENT.api_version, kind::DEPLOYMENT.kind, namespace);
    if listed && seen.istiods_in(namespace).next().is_none() && !installing.contains(&reader.name) {
        let reason = format!("it reads no peer: there is no istiod in {namespace}");
        return *blocked(&reader.name, reason, Some("install Istio there first".to_owned()));
    }
    let mut draft = Draft::new(&reader.name, Area::Links, seen, &fleet.metadata.name);
    let set = ApplySet::of_area(&fleet.metadata.name, Area::Links, namespace);
    let mut ground = vec![StepId::of(&reader.name, Area::Mesh, Action::Create, &system)];
    ground.extend(links_set(&mut draft, fleet, reader, &set));
    let istiod = crate::mesh::istiod_deployment(reader, fleet.revision(reader));
    let serving = StepId::awaiting(&reader.name, Area::Mesh, &istiod, &Gate::RolledOut);
    let replicas = seen.replicas_in(namespace);
    let mut expected = Vec::new();
    for (_, read) in links(fleet).filter(|(from, _)| from.name == reader.name) {
        let Some(source) = sources.iter().find(|source| source.spec.name == read.name) else {
            let place = LinkSecret::of(fleet, reader, read);
            if inventory.seen(&read.name).is_none()
                && matches!(standing(fleet, seen, namespace, place), Standing::Nothing)
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
        if let Some(blocked) = link(&mut draft, fleet, reader, source, &replicas, &ground, &serving) {
            whole.blocked.push(blocked);
        }
    }
    gateways_known(&mut draft, fleet, reader, &expected, &replicas, &serving);
    let places: Vec<LinkSecret<'_>> = links(fleet)
        .filter(|(from, _)| from.name == reader.name)
        .map(|(_, read)| LinkSecret::of(fleet, reader, read))
        .collect();
    let in_fleet = |object: &Object| {
        let holds = |id: &str| {
            seen.remote_secrets.iter().any(|remote| {
                (remote.namespace.as_str(), remote.name.as_str()) == (object.namespace(), object.name())
                    && remote.entries.iter().any(|entry| entry.cluster_id == id)
            })
        };
        // One that holds a cluster of the fleet under another name may be what istiod reads by.
        places
            .iter()
            .any(|place| object.name() == place.name() || holds(place.key()))
    };
    let reason = "no cluster of the fleet is to be read by it";
    stale(&mut draft, namespace, reason, &[], |object| !in_fleet(object));
    whole.extend(draft.finish());
    whole
}

/// Plans what a cluster that reads no other has no use for: the remote secrets of an istiod of its own,
/// once that is gone.
pub fn bystander_plan(
    fleet: &Fleet,
    spec: &ClusterSpec,
    seen: &ClusterInventory,
    installing: &BTreeSet<ClusterName>,
) -> Plan {
    let namespace = spec.system_namespace();
    let istiods: Vec<&Object> = seen.istiods_in(namespace).collect();
    let is_ours = |istiod: &Object| Ownership::of(istiod, &fleet.metadata.name) == Ownership::Ours;
    let all_go = installing.contains(&spec.name) && istiods.iter().all(|istiod| is_ours(istiod));
    let listed = seen.was_listed(kind::DEPLOYMENT.api_version, kind::DEPLOYMENT.kind, namespace);
    if !listed || !(istiods.is_empty() || all_go) {
        return Plan::default();
    }
    let mut draft = Draft::new(&spec.name, Area::Links, seen, &fleet.metadata.name);
    let gone: Vec<StepId> = istiods
        .iter()
        .map(|istiod| StepId::of(&spec.name, Area::Mesh, Action::Delete, &istiod.reference()))
        .collect();
    stale(&mut draft, namespace, "no istiod reads by it here", &gone, |_| {
        true
    });
    draft.finish()
}

/// One link: its Secret, and istiod's synchronisation with it.
fn link(
    draft: &mut Draft<'_>,
    fleet: &Fleet,
    reader: &ClusterSpec,
    source: &Source<'_>,
    replicas: &[Replica],
    ground: &[StepId],
    serving: &StepId,
) -> Option<Blocked> {
    let seen = draft.inventory;
    let namespace = reader.system_namespace();
    let read = source.spec;
    let id = read.name.as_str();
    let place = LinkSecret::of(fleet, reader, read);
    let mut object = place.metadata(&fleet.metadata.name, namespace);
    let reference = object.reference();
    let led = |live: &Object| live.annotation(secret::CONTROL_PLANE_MARK).is_some();
    // A mark that comes before the cluster names its primary would say what is not so.
    let can_lead = source.names_its_primary || seen.object(&reference).is_some_and(led);
    let serves = fleet
        .served_by(read)
        .is_some_and(|server| server.name == reader.name);
    let leads = read.role == Role::Remote && serves && can_lead;
    if leads {
        object.set_annotation(secret::CONTROL_PLANE_MARK, "true");
    }
    let (action, reason) = match standing(fleet, seen, namespace, place) {
        Standing::Foreign(remote, entry) => return foreign_link(reader, source, remote, entry),
        Standing::Nothing => match seen.presence(&reference) {
            Presence::Present(live) if Ownership::of(live, &fleet.metadata.name) == Ownership::Ours => (
                Some(Action::Update),
                format!(
                    "istiod does not find it: it lacks the label {}",
                    secret::REMOTE_SECRET_LABEL
                ),
            ),
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
            None if seen.object(&reference).is_some_and(|live| led(live) != leads) => (
                Some(Action::Update),
                "istiod reads once, when it is given it anew, whose control plane it is".to_owned(),
            ),
            None => match marks_lacking(&object, seen.object(&reference)) {
                lacking if lacking.is_empty() => (None, String::new()),
                lacking => (Some(Action::Update), reason_of(&lacking)),
            },
        },
    };
    let mut after = Vec::new();
    let is_late = place == LinkSecret::Configuration
        && match action {
            Some(_) => seen.istiods_in(namespace).next().is_some(),
            None => started_before(seen, namespace),
        };
    if is_late {
        draft.plan.warnings.push(Warning {
            cluster: reader.name.clone(),
            message: format!(
                "istiod reads {reference} when it starts: restart it once that stands: `kubectl --context {} -n \
                 {namespace} rollout restart deployment {}`",
                quoted(reader.context()),
                crate::mesh::istiod_deployment(reader, fleet.revision(reader)).name
            ),
        });
    }
    if let Some(action) = action {
        let mut needs: Vec<StepId> = ground.iter().chain(&source.needs).cloned().collect();
        if leads {
            // It has to say so by then.
            let system = kind::NAMESPACE.reference("", read.system_namespace());
            let says = |action| StepId::of(&read.name, Area::Mesh, action, &system);
            needs.extend([Action::Create, Action::Update].map(says));
        }
        let content = RemoteSecretContent {
            to: read.name.clone(),
            cluster_id: id.to_owned(),
            key: place.key().to_owned(),
            server: source.candidate.url.clone(),
            tls_server_name: source.candidate.tls_server_name.clone(),
            authority: source.candidate.authority.clone(),
            token_namespace: read.system_namespace().to_owned(),
            token_secret: source.token.map_or_else(
                || secret::token_secret_name(&source.account),
                |token| token.name.clone(),
            ),
            account: source.account.clone(),
            trial: source.trial,
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
    if !after.is_empty() || gate.missing_of_replicas(replicas).is_some() {
        after.push(serving.clone());
        let reason = format!("istiod must read {id} itself: that is the link's proof");
        draft.step(Action::Wait, reference, reason, &after, Content::Await(gate));
    }
    None
}

/// Whether an istiod started before what leads it to its configuration was written.
fn started_before(seen: &ClusterInventory, namespace: &str) -> bool {
    led_by(seen, namespace)
        .is_some_and(|secret| istiod_from_before(seen, namespace, &secret.written_at).is_some())
}

/// In which of its marks a remote secret that stands is not what it should be. What it holds is
/// judged by its facts, not here.
fn marks_lacking(desired: &Object, live: Option<&Object>) -> Vec<Difference> {
    live.map(|live| differences(desired, live, ""))
        .unwrap_or_default()
}

/// Each istiod must know a gateway of every other network, or it sends traffic to addresses that
/// its own network cannot reach.
fn gateways_known(
    draft: &mut Draft<'_>,
    fleet: &Fleet,
    reader: &ClusterSpec,
    expected: &[&ClusterSpec],
    replicas: &[Replica],
    serving: &StepId,
) {
    let namespace = reader.system_namespace();
    let mut seen_networks = BTreeSet::new();
    for read in expected {
        let Some(network) = &read.network else {
            continue;
        };
        let foreign = reader.network.as_ref() != Some(network);
        // A gateway that somebody else makes, or does not make, is not this plan's to wait for.
        let made_here = read.manages(Area::Mesh) && needs_gateway(fleet, read);
        if !foreign || !made_here || !seen_networks.insert(network.clone()) {
            continue;
        }
        let gate = Gate::GatewayKnown(network.to_string());
        if gate.missing_of_replicas(replicas).is_none() {
            continue;
        }
        let service = kind::SERVICE.reference(read.system_namespace(), GATEWAY_NAME);
        let address = StepId::awaiting(&read.name, Area::Mesh, &service, &Gate::Address);
        let remote = LinkSecret::of(fleet, reader, read).reference(namespace);
        let gate_of_sync = Gate::Synced(read.name.to_string());
        let synced = StepId::awaiting(&reader.name, Area::Links, &remote, &gate_of_sync);
        let istiod = crate::mesh::istiod_deployment(reader, fleet.revision(reader));
        draft.step(
            Action::Wait,
            istiod,
            format!("istiod must know a gateway of the network {network}"),
            &[address, synced, serving.clone()],
            Content::Await(gate),
        );
    }
}

/// Takes out those of our remote secrets that a condition chooses.
fn stale(
    draft: &mut Draft<'_>,
    namespace: &str,
    reason: &str,
    needs: &[StepId],
    is_stale: impl Fn(&Object) -> bool,
) {
    let set = ApplySet::of_area(draft.fleet, Area::Links, namespace);
    let left: Vec<&Object> = draft
        .inventory
        .objects
        .iter()
        .filter(|object| {
            object.kind() == "Secret"
                && set.has(object)
                && object.label(FLEET_LABEL) == Some(draft.fleet.as_str())
                && object.label(secret::REMOTE_SECRET_LABEL) == Some("true")
        })
        .filter(|object| is_stale(object))
        .collect();
    for object in left {
        let content = Content::Delete {
            uid: object.uid().to_owned(),
        };
        draft.step(Action::Delete, object.reference(), reason, needs, content);
    }
}
