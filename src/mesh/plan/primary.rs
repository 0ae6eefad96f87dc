//! A primary: its control plane, which serves before anything that asks it is made.

use super::blocked;
use super::waves::{Waves, is_webhook};
use crate::fleet::{Area, ClusterSpec, Fleet};
use crate::inventory::{ClusterInventory, ObjectReference, Presence, kind};
use crate::mesh::objects::{Desired, Rendering, VERSION_ANNOTATION, desired, istiod_name};
use crate::plan::{Action, Gate, Plan, StepId};
use crate::trust::carried::CACERTS;

/// Plans a primary; `signing` says whether its istiod will have an intermediate.
pub fn plan(
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
    if let Presence::Present(live) = seen.presence(&istiod)
        && let Some(running) = live.annotation(VERSION_ANNOTATION)
        && running != rendering.version
        && fleet.version(cluster).is_empty()
    {
        return blocked(
            cluster,
            format!("Istio {running} runs, and istioctl is {}", rendering.version),
            "set `spec.mesh.version` in the fleet file to the version that is wanted, and bring its istioctl",
        );
    }
    if !signing {
        return blocked(
            cluster,
            "istiod is not installed before it has its intermediate: without one it would sign for itself"
                .to_owned(),
            "mend what blocks the trust of the cluster, or `stolos apply` the whole fleet file",
        );
    }
    let mut waves = Waves::new(fleet, cluster, seen);
    waves.primary(desired(fleet, cluster, rendering), &istiod);
    waves.draft.finish()
}

impl Waves<'_> {
    fn primary(&mut self, desired: Desired, istiod: &ObjectReference) {
        let ground = self.ground(&desired);
        let (webhooks, rest): (Vec<_>, Vec<_>) = desired.control_plane.into_iter().partition(is_webhook);
        let (workload, base): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|object| object.kind() == kind::DEPLOYMENT.kind);
        // While nobody serves here, a remote's Service leads to where somebody does.
        let (leading, base): (Vec<_>, Vec<_>) =
            base.into_iter().partition(|object| self.leads_elsewhere(object));
        let mut before_istiod = ground.all();
        // An istiod that serves judges what is offered through the gateway; while it is being replaced,
        // the API server may ask one that is gone, and wait for it.
        let serves = Gate::RolledOut.missing_of(self.seen.object(istiod)).is_none();
        let (now, then) = match serves {
            true => (desired.exposure, Vec::new()),
            false => (Vec::new(), desired.exposure),
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
        let mut hooked = serving;
        hooked.extend(self.webhooks(webhooks, &needs));
        self.gateway(desired.gateway, &ground, &hooked);
        let mut needs = ground.all();
        needs.extend(hooked);
        self.exposure(then, &needs);
        self.prune(ground, &[]);
    }

    /// The steps by which the trust planner would place this cluster's intermediate; those that it
    /// does not plan are dropped where the plans meet.
    fn intermediate_steps(&self) -> Vec<StepId> {
        let secret = ObjectReference::new("v1", "Secret", self.cluster.system_namespace(), CACERTS);
        [Action::Create, Action::Update]
            .into_iter()
            .map(|action| StepId::of(&self.cluster.name, Area::Trust, action, &secret))
            .collect()
    }
}
