//! A primary: its control plane, which serves before anything that asks it is made.

use super::blocked;
use super::waves::Waves;
use crate::fleet::{Area, ClusterSpec, DataPlaneMode, Fleet, Role};
use crate::inventory::hint::quoted;
use crate::inventory::{
    ClusterInventory, Inventory, Object, ObjectReference, Presence, control_planes, kind,
};
use crate::link::address;
use crate::link::secret::{self, LinkSecret};
use crate::mesh::objects::{Desired, Rendering, VERSION_ANNOTATION, desired, istiod_deployment, over_live};
use crate::mesh::values::{EXTERNAL_SERVICE, has_external_gateway, is_ambient, of_revision};
use crate::plan::ownership::Ownership;
use crate::plan::{Action, Blocked, Gate, Plan, StepId};
use crate::trust::carried::CACERTS;

/// The definitions of the Gateway API without which an istiod makes no gateway (Istio:
/// `pilot/pkg/config/kube/gatewaycommon`).
const GATEWAY_API: [&str; 2] = [
    "gatewayclasses.gateway.networking.k8s.io",
    "gateways.gateway.networking.k8s.io",
];
/// Where its maintainers publish them; the release that this version's Istio is built with.
const GATEWAY_API_RELEASE: &str =
    "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.0/standard-install.yaml";

/// Whether an istiod serves ambient's proxies.
fn serves_ambient(istiod: &Object) -> bool {
    let containers = istiod.list(&["spec", "template", "spec", "containers"]).iter();
    let mut variables = containers.flat_map(|container| container["env"].as_array().into_iter().flatten());
    variables.any(|variable| variable["name"] == "PILOT_ENABLE_AMBIENT" && variable["value"] == "true")
}

fn is_absent(seen: &ClusterInventory, definition: &str) -> bool {
    let kind = kind::CUSTOM_RESOURCE_DEFINITION;
    let definition = kind.reference("", definition);
    matches!(seen.presence(&definition), Presence::Absent)
}

/// Plans a primary; `signing` says whether its istiod will have an intermediate.
pub(super) fn plan(mut waves: Waves<'_>, rendering: &Rendering, signing: bool) -> Plan {
    let (fleet, cluster, seen) = (waves.fleet, waves.cluster, waves.seen);
    let istiod = istiod_deployment(cluster, fleet.revision(cluster));
    if let Some(refused) = another_version(&waves, rendering) {
        return refused;
    }
    if !signing {
        return blocked(
            cluster,
            "istiod is not installed before it has its intermediate: without one it would sign for itself"
                .to_owned(),
            "mend what blocks the trust of the cluster, or `stolos apply` the whole fleet file",
        );
    }
    let live = waves.ours(&istiod);
    if let Some(refused) = live.and_then(|live| another_mode(fleet, cluster, live)) {
        return refused;
    }
    if let Some(refused) = without_gateway_api(fleet, cluster, seen) {
        return refused;
    }
    waves.primary(desired(fleet, cluster, rendering), &istiod);
    waves.draft.finish()
}

/// The refusal where another version runs than istioctl has, and the fleet file does not say which is wanted.
fn another_version(waves: &Waves<'_>, rendering: &Rendering) -> Option<Plan> {
    let (fleet, cluster) = (waves.fleet, waves.cluster);
    let own = (
        fleet.revision(cluster),
        &rendering.version,
        fleet.version(cluster),
        "spec.mesh.version",
    );
    let other = rendering.beside(fleet).map(|(spec, other)| {
        let field = "spec.mesh.otherRevision.version";
        (
            spec.revision.as_str(),
            &other.version,
            spec.version.as_str(),
            field,
        )
    });
    std::iter::once(own)
        .chain(other)
        .find_map(|(revision, rendered, wanted, field)| {
            let istiod = istiod_deployment(cluster, revision);
            let running = running_version(waves, &istiod)?;
            (running != *rendered && wanted.is_empty()).then(|| {
            blocked(
                cluster,
                format!("Istio {running} runs there as {istiod}, and istioctl is {rendered}"),
                &format!(
                    "set `{field}` in the fleet file to the version that is wanted, and bring its istioctl"
                ),
            )
        })
        })
}

/// The version of an istiod: as it was rendered, or, of one that is taken over, its image's.
fn running_version(waves: &Waves<'_>, istiod: &ObjectReference) -> Option<String> {
    let live = waves.seen.object(istiod)?;
    let rendered = live.annotation(VERSION_ANNOTATION).map(str::to_owned);
    rendered.or_else(|| {
        let planes = control_planes(waves.seen);
        let mut planes = planes.known()?.iter();
        let plane = planes.find(|plane| plane.namespace == istiod.namespace && plane.name == istiod.name);
        plane.filter(|_| waves.draft.adopts)?.image_version.clone()
    })
}

/// The refusal where an istiod of ours stands in the other data plane mode.
fn another_mode(fleet: &Fleet, cluster: &ClusterSpec, live: &Object) -> Option<Plan> {
    let installed = match serves_ambient(live) {
        true => DataPlaneMode::Ambient,
        false => DataPlaneMode::Sidecar,
    };
    (serves_ambient(live) != is_ambient(fleet)).then(|| {
        blocked(
            cluster,
            format!(
                "it is installed with `dataPlaneMode: {}`, and the mode is not changed in place: gateways and proxies of \
                 the one are not those of the other",
                installed.as_str()
            ),
            "set the mode back, or take the mesh out first: `stolos mesh uninstall`, then `stolos apply`",
        )
    })
}

/// The refusal where ambient's gateways cannot be defined.
fn without_gateway_api(fleet: &Fleet, cluster: &ClusterSpec, seen: &ClusterInventory) -> Option<Plan> {
    let lacking = GATEWAY_API.into_iter().find(|name| is_absent(seen, name))?;
    is_ambient(fleet).then(|| {
        blocked(
            cluster,
            format!("ambient needs the Gateway API, and there is no CustomResourceDefinition {lacking}"),
            &format!(
                "define it, as Istio's guide does: `kubectl --context {} apply --server-side -f {GATEWAY_API_RELEASE}`",
                cluster.context()
            ),
        )
    })
}

/// Why nothing may be done to an external cluster: the Secret that leads its istiod to its configuration
/// does not stand, and will not by this plan. Without it an istiod reads the cluster that it runs in.
pub fn without_configuration(
    fleet: &Fleet,
    cluster: &ClusterSpec,
    inventory: &Inventory,
    is_planned: impl Fn(&StepId) -> bool,
) -> Option<Blocked> {
    let config = fleet.configures(cluster)?;
    let secret = configuration_secret(fleet, cluster, config);
    let leads = inventory
        .seen(&cluster.name)
        .is_some_and(|seen| leads_to(config, seen, inventory, cluster.system_namespace()));
    let live = inventory
        .seen(&cluster.name)
        .and_then(|seen| seen.object(&secret));
    let is_foreign = live.is_some_and(|live| Ownership::of(live, &fleet.metadata.name) != Ownership::Ours);
    let written = [Action::Create, Action::Update]
        .map(|action| is_planned(&StepId::of(&cluster.name, Area::Links, action, &secret)));
    (!leads && !written.contains(&true)).then(|| Blocked {
        cluster: cluster.name.clone(),
        area: Area::Mesh,
        reason: format!("there is no {secret} that leads its istiod to {}", config.name),
        hint: Some(match (is_foreign, cluster.manages(Area::Links)) {
            (true, _) => format!(
                "take out the one that stands: `kubectl --context {} -n {} delete secret {}`",
                quoted(cluster.context()),
                secret.namespace,
                secret.name
            ),
            (false, true) => format!(
                "mend what blocks the link to {}, or `stolos apply` the whole fleet file",
                config.name
            ),
            (false, false) => format!("add `links` to `manage` of the cluster {}", cluster.name),
        }),
        unreachable: inventory.seen(&config.name).is_none(),
    })
}

/// Whether what stands leads an istiod to its config cluster: by its address or its token, or, where that
/// cluster cannot be asked now, because an istiod runs by it.
fn leads_to(config: &ClusterSpec, seen: &ClusterInventory, inventory: &Inventory, namespace: &str) -> bool {
    let secrets = seen.istiod_kubeconfigs.iter();
    let in_it = secrets.filter(|secret| secret.namespace == namespace);
    let mut entries = in_it.flat_map(|secret| &secret.entries);
    let entry =
        entries.find(|entry| entry.cluster_id == secret::CONFIGURATION_KEY && entry.problem.is_empty());
    match (entry, inventory.seen(&config.name)) {
        (None, _) => false,
        (Some(_), None) => seen.istiods_in(namespace).next().is_some(),
        (Some(entry), Some(read)) => {
            let is_its = |candidate: address::Candidate| candidate.url == entry.server.trim_end_matches('/');
            let mut tokens = read.token_secrets.iter();
            address::candidate(config, read).is_ok_and(is_its)
                || tokens.any(|token| token.token_sha256 == entry.token_sha256)
        }
    }
}

/// The Secret that leads an external istiod to its config cluster.
fn configuration_secret(fleet: &Fleet, cluster: &ClusterSpec, config: &ClusterSpec) -> ObjectReference {
    LinkSecret::of(fleet, cluster, config).reference(cluster.system_namespace())
}

impl Waves<'_> {
    fn primary(&mut self, desired: Desired, istiod: &ObjectReference) {
        let ground = self.ground(&desired);
        let (webhooks, rest): (Vec<_>, Vec<_>) =
            desired.control_plane.into_iter().partition(Object::is_webhook);
        let (workload, rest): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|object| object.is_of(kind::DEPLOYMENT));
        let (daemons, base): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|object| object.is_of(kind::DAEMON_SET));
        // While nobody serves here, a remote's Service leads to where somebody does.
        let (leading, base): (Vec<_>, Vec<_>) =
            base.into_iter().partition(|object| self.leads_elsewhere(object));
        let mut before_istiod = ground.all();
        // An istiod that serves judges what is offered through the gateway; while it is being replaced,
        // the API server may ask one that is gone, and wait for it.
        let serves = Gate::RolledOut.missing_of(self.seen.object(istiod)).is_none();
        // What leads remotes to one that goes stays until nobody hangs on it.
        let (narrowing, exposure): (Vec<_>, Vec<_>) = desired
            .exposure
            .into_iter()
            .partition(|object| self.leads_to_fewer(object));
        let (now, then) = match serves {
            true => (exposure, Vec::new()),
            false => (Vec::new(), exposure),
        };
        before_istiod.extend(self.exposure(now, &ground.all()));
        for object in base {
            before_istiod.extend(
                self.draft
                    .object(object, "Istio's control plane needs it", &ground.parent),
            );
        }
        // An istiod that starts before its intermediate is there signs for itself.
        before_istiod.extend(self.intermediate_steps());
        before_istiod.extend(self.configuration_steps());
        let mut serving: Vec<StepId> = Vec::new();
        let mut beside: Vec<StepId> = Vec::new();
        for object in workload {
            let (reference, missing) = (object.reference(), "there is no control plane");
            let object = over_live(&object, self.seen);
            let started = self.draft.object(object, missing, &before_istiod);
            let started: Vec<StepId> = started.into_iter().collect();
            let reason = "the control plane must serve first";
            let is_own = reference == *istiod;
            let rolled_out = self.draft.wait(Gate::RolledOut, reference, reason, &started);
            let serves = if is_own { &mut serving } else { &mut beside };
            serves.extend(rolled_out);
        }
        // The webhooks come when istiod serves: before, a `Fail` would keep pods from being made.
        let needs = if serving.is_empty() {
            ground.all()
        } else {
            serving.clone()
        };
        for object in leading {
            self.draft
                .object(object, "it led to another cluster's istiod", &needs);
        }
        let (webhooks, of_other) = self.by_revision(webhooks);
        let mut hooked = serving;
        hooked.extend(self.webhooks(webhooks, &needs));
        let needs_of_other = if beside.is_empty() { ground.all() } else { beside };
        let mut hooked_beside = needs_of_other.clone();
        hooked_beside.extend(self.webhooks(of_other, &needs_of_other));
        self.injection(&hooked, &hooked_beside);
        for object in daemons {
            let reference = object.reference();
            // A ztunnel has its certificates from istiod, and mounts the root that istiod publishes.
            let step = self.draft.object(object, "ambient needs it on each node", &needs);
            let after: Vec<StepId> = step.into_iter().collect();
            let reason = "it must run on each node";
            self.draft.wait(Gate::RolledOut, reference, reason, &after);
        }
        self.gateway(desired.gateway, &ground, &hooked);
        let mut needs = ground.all();
        needs.extend(hooked);
        let offered = self.exposure(then, &needs);
        if self.cluster.role == Role::External && !has_external_gateway(self.cluster) {
            let service = kind::SERVICE.reference(self.cluster.system_namespace(), EXTERNAL_SERVICE);
            let reason = "the clusters that it serves find it there";
            self.draft.wait(Gate::Address, service, reason, &offered);
        }
        self.prune(ground, &[]);
        let left: Vec<StepId> = self.draft.plan.steps.iter().map(|step| step.id.clone()).collect();
        self.exposure(narrowing, &left);
    }

    /// Whether a route of ours leads to more istiods than it is to.
    fn leads_to_fewer(&self, object: &Object) -> bool {
        let routes = |object: &Object| object.list(&["spec", "tls"]).len();
        let live = self.ours(&object.reference());
        object.is_of(kind::VIRTUAL_SERVICE) && live.is_some_and(|live| routes(live) > routes(object))
    }

    /// The steps by which an external istiod is led to its configuration, and by which that comes to be
    /// there: it reads both once, when it starts. Those that are not planned are dropped where the plans
    /// meet.
    fn configuration_steps(&self) -> Vec<StepId> {
        let config = self.fleet.configures(self.cluster);
        let Some(config) = config.filter(|config| config.name != self.cluster.name) else {
            return Vec::new();
        };
        let link = configuration_secret(self.fleet, self.cluster, config);
        let mesh = kind::CONFIG_MAP.reference(
            config.system_namespace(),
            of_revision("istio", self.fleet.revision(config)),
        );
        let steps = [(self.cluster, Area::Links, link), (config, Area::Mesh, mesh)];
        let steps = steps.into_iter().flat_map(|(cluster, area, object)| {
            [Action::Create, Action::Update].map(|action| StepId::of(&cluster.name, area, action, &object))
        });
        steps.collect()
    }

    /// The steps by which the trust planner would place this cluster's intermediate; those that it
    /// does not plan are dropped where the plans meet.
    fn intermediate_steps(&self) -> Vec<StepId> {
        let secret = kind::SECRET.reference(self.cluster.system_namespace(), CACERTS);
        [Action::Create, Action::Update]
            .into_iter()
            .map(|action| StepId::of(&self.cluster.name, Area::Trust, action, &secret))
            .collect()
    }
}
