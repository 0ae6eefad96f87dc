//! Plans Istio in each cluster, in waves: the namespace, the definitions, the control plane, its
//! webhooks once it serves, the gateway once it can be injected, its address, the services offered
//! through it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::objects::{Desired, Rendering, VERSION_ANNOTATION, desired, over_live};
use super::values::GATEWAY_NAME;
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, Role};
use crate::inventory::control_plane::NETWORK_LABEL;
use crate::inventory::{ClusterInventory, Inventory, Object, ObjectReference, Presence, kind};
use crate::plan::difference::owns_field;
use crate::plan::draft::Draft;
use crate::plan::ownership::{ApplySet, FIELDS_MANAGER, FLEET_LABEL, PART_OF_LABEL, mark};
use crate::plan::{Action, Blocked, Content, Gate, Plan, StepId};

/// Plans the mesh in every cluster whose mesh the fleet manages. `signing` are the clusters whose
/// istiod will have its intermediate, by this plan's trust steps or already: an istiod that starts
/// without one signs for itself, and stays so.
pub fn plan(
    fleet: &Fleet,
    inventory: &Inventory,
    renderings: &BTreeMap<ClusterName, Rendering>,
    signing: &BTreeSet<ClusterName>,
) -> Plan {
    let mut plan = Plan::default();
    for cluster in &fleet.spec.clusters {
        if cluster.role != Role::Primary || !cluster.manages(Area::Mesh) {
            continue;
        }
        let (Some(seen), Some(rendering)) = (inventory.seen(&cluster.name), renderings.get(&cluster.name))
        else {
            continue;
        };
        plan.extend(plan_cluster(
            fleet,
            cluster,
            seen,
            rendering,
            signing.contains(&cluster.name),
        ));
    }
    plan
}

fn plan_cluster(
    fleet: &Fleet,
    cluster: &ClusterSpec,
    seen: &ClusterInventory,
    rendering: &Rendering,
    signing: bool,
) -> Plan {
    let istiod = ObjectReference::new(
        "apps/v1",
        "Deployment",
        cluster.system_namespace(),
        istiod_name(fleet, cluster),
    );
    let blocked = |reason: String, hint: &str| Plan {
        blocked: vec![Blocked {
            cluster: cluster.name.clone(),
            area: Area::Mesh,
            reason,
            hint: Some(hint.to_owned()),
            unreachable: false,
        }],
        ..Plan::default()
    };
    if let Presence::Present(live) = seen.presence(&istiod)
        && let Some(running) = live.annotation(VERSION_ANNOTATION)
        && running != rendering.version
        && fleet.version(cluster).is_empty()
    {
        return blocked(
            format!("Istio {running} runs, and istioctl is {}", rendering.version),
            "set `spec.mesh.version` in the fleet file to the version that is wanted, and bring its istioctl",
        );
    }
    if !signing {
        return blocked(
            "istiod is not installed before it has its intermediate: without one it would sign for itself"
                .to_owned(),
            "mend what blocks the trust of the cluster, or `stolos apply` the whole fleet file",
        );
    }
    let mut wave = Waves {
        draft: Draft::new(&cluster.name, Area::Mesh, seen, &fleet.metadata.name),
        fleet,
        cluster,
        seen,
    };
    wave.all(desired(fleet, cluster, rendering), &istiod);
    wave.draft.finish()
}

/// The name of the control plane's Deployment in a cluster.
pub fn istiod_name(fleet: &Fleet, cluster: &ClusterSpec) -> String {
    match fleet.revision(cluster) {
        "" | "default" => "istiod".to_owned(),
        revision => format!("istiod-{revision}"),
    }
}

struct Waves<'input> {
    draft: Draft<'input>,
    fleet: &'input Fleet,
    cluster: &'input ClusterSpec,
    seen: &'input ClusterInventory,
}

impl Waves<'_> {
    fn all(&mut self, desired: Desired, istiod: &ObjectReference) {
        let members = [&desired.control_plane, &desired.gateway, &desired.exposure];
        let members: Vec<&Object> = members.into_iter().flatten().collect();
        let wanted = members.iter().map(|object| object.reference()).collect();
        let (widened, narrowed) = self.mesh_sets(members);
        let namespace = self.namespace();
        let definitions = self.definitions(desired.definitions, &namespace);
        let narrower = (narrowed != widened).then_some(narrowed);
        let reason = "it names the objects that are this fleet's";
        let made = self.draft.object(widened, reason, &namespace);
        // Whoever needs the set needs the namespace as well, where that is all there is to do.
        let parent = made.map_or(namespace, |step| vec![step]);
        let (webhooks, rest): (Vec<_>, Vec<_>) = desired.control_plane.into_iter().partition(is_webhook);
        let (workload, base): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|object| object.kind() == kind::DEPLOYMENT.kind);
        let mut before_istiod = definitions.clone();
        before_istiod.extend(parent.clone());
        let ground = before_istiod.clone();
        for object in base {
            before_istiod.extend(
                self.draft
                    .object(object, "Istio's control plane needs it", &parent),
            );
        }
        // An istiod that starts before its intermediate is there signs for itself.
        before_istiod.extend(self.intermediate_steps());
        let mut started = Vec::new();
        for object in workload {
            started.extend(
                self.draft
                    .object(object, "there is no control plane", &before_istiod),
            );
        }
        let serving: Vec<StepId> = self
            .draft
            .wait(
                Gate::RolledOut,
                istiod.clone(),
                "the control plane must serve first",
                &started,
            )
            .into_iter()
            .collect();
        let hooked = self.webhooks(webhooks, &serving, &ground);
        self.gateway(desired.gateway, desired.exposure, &parent, &definitions, &hooked);
        self.prune(&wanted, narrower);
    }

    /// The system namespace, ours if we make it; its network label in any case.
    fn namespace(&mut self) -> Vec<StepId> {
        let name = self.cluster.system_namespace();
        let reference = ObjectReference::new("v1", "Namespace", "", name);
        let network = self
            .cluster
            .network
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let mut object = Object(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
        }));
        if !network.is_empty() {
            object.set_label(NETWORK_LABEL, &network);
        }
        let live = match self.seen.presence(&reference) {
            Presence::Present(live) => live,
            Presence::Absent => {
                mark(&mut object, &self.fleet.metadata.name);
                return self
                    .draft
                    .object(object, "Istio's control plane needs it", &[])
                    .into_iter()
                    .collect();
            }
            // The objects in it could not be looked for either: the draft says so.
            Presence::Unknown => return Vec::new(),
        };
        if live.label(FLEET_LABEL) == Some(self.fleet.metadata.name.as_str()) {
            mark(&mut object, &self.fleet.metadata.name);
            return self.draft.object(object, "", &[]).into_iter().collect();
        }
        match live.label(NETWORK_LABEL) {
            _ if network.is_empty() => Vec::new(),
            Some(found) if found == network => Vec::new(),
            Some(found)
                if owns_field(
                    live,
                    FIELDS_MANAGER,
                    &["f:metadata", "f:labels", &format!("f:{NETWORK_LABEL}")],
                ) =>
            {
                let reason = format!("it says the network {found}, which the fleet file no longer does");
                vec![
                    self.draft
                        .step(Action::Update, reference, reason, &[], Content::Label(object)),
                ]
            }
            Some(found) => {
                self.draft.plan.blocked.push(Blocked {
                    cluster: self.cluster.name.clone(),
                    area: Area::Mesh,
                    reason: format!(
                        "the namespace {name} says the network {found}, and the fleet file says {network}"
                    ),
                    hint: Some(format!(
                        "set `network: {found}` in the fleet file, or mend the namespace's label"
                    )),
                    unreachable: false,
                });
                Vec::new()
            }
            None => {
                let reason = format!("it does not say its network, {network}");
                vec![
                    self.draft
                        .step(Action::Update, reference, reason, &[], Content::Label(object)),
                ]
            }
        }
    }

    fn definitions(&mut self, definitions: Vec<Object>, namespace: &[StepId]) -> Vec<StepId> {
        let set = ApplySet::of_definitions(&self.fleet.metadata.name, self.cluster.system_namespace());
        let members: Vec<&Object> = definitions.iter().collect();
        let parent = set.parent(&self.fleet.metadata.name, &members);
        let parent: Vec<StepId> = self
            .draft
            .object(
                parent,
                "it names the definitions that are this fleet's",
                namespace,
            )
            .into_iter()
            .collect();
        let needs = if parent.is_empty() { namespace } else { &parent };
        let mut steps = Vec::new();
        for definition in definitions {
            let reference = definition.reference();
            let stands = self.seen.object(&reference).is_some();
            if let Some(step) = self.draft.object(definition, "Istio's resources need it", needs) {
                if stands {
                    steps.push(step);
                    continue;
                }
                steps.extend(self.draft.wait(
                    Gate::Condition("Established"),
                    reference,
                    "what it defines is used next",
                    &[step],
                ));
            }
        }
        steps
    }

    /// The set's parent before its members are written, and after those that are no longer wanted
    /// are gone: it always names every kind of which there are members.
    fn mesh_sets(&self, wanted: Vec<&Object>) -> (Object, Object) {
        let fleet = &self.fleet.metadata.name;
        let set = ApplySet::of_area(fleet, Area::Mesh, self.cluster.system_namespace());
        let narrowed = set.parent(fleet, &wanted);
        let id = set.id();
        let mut members = wanted;
        members.extend(
            self.seen
                .objects
                .iter()
                .filter(|object| object.label(PART_OF_LABEL) == Some(&id)),
        );
        (set.parent(fleet, &members), narrowed)
    }

    /// The steps by which the trust planner would place this cluster's intermediate; those that it
    /// does not plan are dropped where the plans meet.
    fn intermediate_steps(&self) -> Vec<StepId> {
        let secret = ObjectReference::new("v1", "Secret", self.cluster.system_namespace(), "cacerts");
        [Action::Create, Action::Update]
            .into_iter()
            .map(|action| StepId::of(&self.cluster.name, Area::Trust, action, &secret))
            .collect()
    }

    /// The webhooks come when istiod serves: before, a `Fail` would keep pods from being made.
    fn webhooks(&mut self, webhooks: Vec<Object>, serving: &[StepId], ground: &[StepId]) -> Vec<StepId> {
        let mut steps = serving.to_vec();
        let needs = if serving.is_empty() { ground } else { serving };
        for webhook in webhooks {
            let reference = webhook.reference();
            let mutating = webhook.kind() == kind::MUTATING_WEBHOOK.kind;
            let step = self
                .draft
                .object(over_live(&webhook, self.seen), "istiod answers it", needs);
            steps.extend(step.clone());
            if mutating {
                let after: Vec<StepId> = step.into_iter().collect();
                let reason = "pods cannot be injected before";
                steps.extend(self.draft.wait(Gate::CaBundle, reference, reason, &after));
            }
        }
        steps
    }

    fn gateway(
        &mut self,
        gateway: Vec<Object>,
        exposure: Vec<Object>,
        parent: &[StepId],
        definitions: &[StepId],
        hooked: &[StepId],
    ) {
        let made = !gateway.is_empty();
        let namespace = self.cluster.system_namespace();
        let (workload, base): (Vec<_>, Vec<_>) = gateway
            .into_iter()
            .partition(|object| object.kind() == kind::DEPLOYMENT.kind);
        let mut before: Vec<StepId> = parent.iter().chain(hooked).cloned().collect();
        let mut service = Vec::new();
        for object in base {
            let is_service = object.kind() == kind::SERVICE.kind;
            let step = self
                .draft
                .object(object, "the east-west gateway needs it", parent);
            if is_service {
                service.extend(step.clone());
            }
            before.extend(step);
        }
        let mut started = Vec::new();
        for object in workload {
            started.extend(
                self.draft
                    .object(object, "there is no east-west gateway", &before),
            );
        }
        if made {
            let reference =
                |kind: kind::Kind| ObjectReference::new(kind.api_version, kind.kind, namespace, GATEWAY_NAME);
            self.draft.wait(
                Gate::RolledOut,
                reference(kind::DEPLOYMENT),
                "the gateway must serve",
                &started,
            );
            self.draft.wait(
                Gate::Address,
                reference(kind::SERVICE),
                "other networks reach this one at it",
                &service,
            );
        }
        let needs: Vec<StepId> = definitions.iter().chain(hooked).chain(parent).cloned().collect();
        for object in exposure {
            self.draft.object(
                object,
                "other networks reach this one's services through it",
                &needs,
            );
        }
    }

    /// What is this fleet's, stands, and is no longer wanted.
    fn prune(&mut self, wanted: &BTreeSet<ObjectReference>, narrower: Option<Object>) {
        let set = ApplySet::of_area(
            &self.fleet.metadata.name,
            Area::Mesh,
            self.cluster.system_namespace(),
        );
        let id = set.id();
        let stale: Vec<(ObjectReference, String)> = self
            .seen
            .objects
            .iter()
            .filter(|object| object.label(PART_OF_LABEL) == Some(&id))
            .map(|object| (object.reference(), object.uid().to_owned()))
            .filter(|(reference, _)| !wanted.contains(reference))
            .collect();
        let after: Vec<StepId> = self.draft.plan.steps.iter().map(|step| step.id.clone()).collect();
        let mut gone = Vec::new();
        for (reference, uid) in stale {
            let reason = "the fleet file no longer asks for it";
            gone.push(
                self.draft
                    .step(Action::Delete, reference, reason, &after, Content::Delete { uid }),
            );
        }
        if let Some(parent) = narrower {
            let reason = "the last of a kind that it names is gone";
            let reference = parent.reference();
            self.draft
                .step(Action::Update, reference, reason, &gone, Content::Apply(parent));
            // The same object may have been updated before, to name more kinds.
            if let Some(step) = self.draft.plan.steps.last_mut() {
                step.id.0.push_str("/narrowed");
            }
        }
    }
}

fn is_webhook(object: &Object) -> bool {
    object.kind() == kind::MUTATING_WEBHOOK.kind || object.kind() == kind::VALIDATING_WEBHOOK.kind
}
