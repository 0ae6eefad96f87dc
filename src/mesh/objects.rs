//! What is made of Istio's rendering before it is applied: nulls dropped, marks laid over, what
//! istiod owns left to it.

use serde_json::Value;

use super::values::{
    ambient_gateway, exposed_external, exposed_istiod, exposed_services, has_external_gateway, is_ambient,
    needs_gateway, of_revision, offers_services, remotes, serves_remotes,
};
use crate::fleet::spec::{DEFAULT_REVISION, OtherRevision, named_revision};
use crate::fleet::{Area, ClusterSpec, Fleet, Role};
use crate::inventory::control_plane::TAG_LABEL;
use crate::inventory::{ClusterInventory, Object, ObjectReference, kind};
use crate::plan::difference::owns_field;
use crate::plan::ownership::{ApplySet, FIELD_MANAGER};

/// The annotation that says which Istio version a control plane was rendered from.
pub const VERSION_ANNOTATION: &str = "stolos.dev/istio-version";

/// Istio's rendering for one cluster, as `host/istioctl` gives it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendering {
    /// The renderer's version, which is the version that it renders.
    pub version: String,
    /// The control plane's objects.
    pub control_plane: Vec<Object>,
    /// The east-west gateway's objects; empty where the cluster gets none.
    pub gateway: Vec<Object>,
    /// The second control plane, where there is one.
    pub other: Option<OtherRendering>,
}

impl Rendering {
    /// What the fleet file says of the second control plane, with what was rendered of it.
    pub fn beside<'both>(
        &'both self,
        fleet: &'both Fleet,
    ) -> Option<(&'both OtherRevision, &'both OtherRendering)> {
        fleet.spec.mesh.other_revision.as_ref().zip(self.other.as_ref())
    }

    /// The versions that are rendered: the first control plane's, and the second's where there is one.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        let other = self.other.iter().map(|other| other.version.as_str());
        std::iter::once(self.version.as_str()).chain(other)
    }
}

/// Istio's rendering of a control plane beside the first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OtherRendering {
    /// The renderer's version.
    pub version: String,
    /// Its objects, those among them that the first one has as well.
    pub control_plane: Vec<Object>,
}

/// What should stand in one cluster, by the part of the work that it belongs to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// Custom resource definitions.
    pub definitions: Vec<Object>,
    /// The control plane.
    pub control_plane: Vec<Object>,
    /// The east-west gateway.
    pub gateway: Vec<Object>,
    /// What offers the cluster's services, and its istiod to remotes, through the gateway.
    pub exposure: Vec<Object>,
}

/// What should stand in one cluster, marked as this fleet's.
pub fn desired(fleet: &Fleet, cluster: &ClusterSpec, rendering: &Rendering) -> Desired {
    let name = &fleet.metadata.name;
    let mesh = ApplySet::of_area(name, Area::Mesh, cluster.system_namespace());
    let definitions = ApplySet::of_definitions(name, cluster.system_namespace());
    let prepared_as = |object: &Object, set: &ApplySet, version: &str| {
        let mut object = Object(without_nulls(object.0.clone()));
        without_installer_labels(&mut object);
        set.mark(&mut object, name);
        if object.is_of(kind::DEPLOYMENT) {
            object.set_annotation(VERSION_ANNOTATION, version);
        }
        object
    };
    let prepared = |object: &Object, set: &ApplySet| prepared_as(object, set, &rendering.version);
    let beside = rendering.beside(fleet).into_iter().flat_map(|(spec, other)| {
        let objects = beside(spec, other, rendering).into_iter();
        objects.map(|object| prepared_as(object, &mesh, &other.version))
    });
    // Of two versions' definitions those of the later one serve both.
    let latest = match &rendering.other {
        Some(other) if is_later(&other.version, &rendering.version) => &other.control_plane,
        _ => &rendering.control_plane,
    };
    let mut gateway = rendering.gateway.clone();
    if is_ambient(fleet) && needs_gateway(fleet, cluster) {
        gateway.push(Object(ambient_gateway(fleet, cluster)));
    }
    let is_definition = |object: &&Object| object.is_of(kind::CUSTOM_RESOURCE_DEFINITION);
    Desired {
        definitions: latest
            .iter()
            .filter(is_definition)
            .map(|object| prepared(object, &definitions))
            .collect(),
        control_plane: rendering
            .control_plane
            .iter()
            .filter(|object| !is_definition(object))
            .map(|object| prepared(object, &mesh))
            .chain(beside)
            .collect(),
        gateway: gateway.iter().map(|object| prepared(object, &mesh)).collect(),
        exposure: exposure(fleet, cluster, rendering)
            .into_iter()
            .map(|object| prepared(&Object(object), &mesh))
            .collect(),
    }
}

/// What a second control plane has beside the first, its tags among it. The default revision's injector is left
/// out: every namespace that it would serve is led to the mesh's own revision.
fn beside<'other>(
    spec: &OtherRevision,
    other: &'other OtherRendering,
    first: &Rendering,
) -> Vec<&'other Object> {
    let is_default = named_revision(&spec.revision) == DEFAULT_REVISION;
    let objects = other.control_plane.iter().filter(|object| {
        let shared = first
            .control_plane
            .iter()
            .any(|one| one.reference() == object.reference());
        let injects = object.is_of(kind::MUTATING_WEBHOOK) && object.label(TAG_LABEL).is_none();
        !shared && object.kind() != kind::CUSTOM_RESOURCE_DEFINITION.kind && !(is_default && injects)
    });
    objects.collect()
}

/// Whether a version comes after another, by its numbers.
fn is_later(version: &str, than: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        let parts = version.split(|character: char| !character.is_ascii_digit());
        // What comes after the patch is a build's, and says nothing of what is later.
        parts.map_while(|part| part.parse().ok()).take(3).collect()
    };
    numbers(version) > numbers(than)
}

/// What the gateway is to pass on. Gateways read their configuration from the primaries, or from a config
/// cluster: a remote has none of its own.
fn exposure(fleet: &Fleet, cluster: &ClusterSpec, rendering: &Rendering) -> Vec<Value> {
    let mut exposure = Vec::new();
    match cluster.role {
        Role::Remote => return exposure,
        Role::External if has_external_gateway(cluster) => return exposure,
        Role::External => return vec![exposed_external(fleet, cluster)],
        Role::Primary | Role::Config => {}
    }
    let is_ours = !rendering.gateway.is_empty();
    let mut remotes = remotes(fleet, cluster);
    if offers_services(fleet, cluster) && (is_ours || remotes.any(|remote| needs_gateway(fleet, remote))) {
        exposure.push(exposed_services(cluster));
    }
    if is_ours && serves_remotes(fleet, cluster) {
        exposure.extend(exposed_istiods(fleet, cluster));
    }
    exposure
}

/// What passes remotes on to the control planes of a cluster.
pub fn exposed_istiods(fleet: &Fleet, cluster: &ClusterSpec) -> [Value; 2] {
    let other = fleet.spec.mesh.other_revision.iter();
    let others: Vec<String> = other.map(|other| istiod_of_revision(&other.revision)).collect();
    exposed_istiod(cluster, &istiod_name(fleet, cluster), &others)
}

/// The Deployment of a revision's istiods in a cluster.
pub fn istiod_deployment(cluster: &ClusterSpec, revision: &str) -> ObjectReference {
    kind::DEPLOYMENT.reference(cluster.system_namespace(), istiod_of_revision(revision))
}

/// The name of the control plane's Deployment and Service in a cluster.
pub fn istiod_name(fleet: &Fleet, cluster: &ClusterSpec) -> String {
    istiod_of_revision(fleet.revision(cluster))
}

/// The name of a revision's Deployment and Service.
pub fn istiod_of_revision(revision: &str) -> String {
    of_revision("istiod", revision)
}

/// The object as it is applied over the one that stands, if one does: what istiod has taken over
/// since is left to it. It fills each webhook's `caBundle`, which no rendering has, and turns the
/// validating webhooks' `failurePolicy` to `Fail` once it serves them; applying `Ignore` again
/// would turn them back (Istio: `pilot/pkg/config/kube/...validation/controller`).
pub fn over_live(desired: &Object, inventory: &ClusterInventory) -> Object {
    let mut object = desired.clone();
    let Some(live) = inventory.object(&object.reference()) else {
        return object;
    };
    if object.is_of(kind::DEPLOYMENT) {
        wait_as_before(&mut object, live);
    }
    if !object.is_of(kind::VALIDATING_WEBHOOK) {
        return object;
    }
    let Some(Value::Array(webhooks)) = object.0.get_mut("webhooks") else {
        return object;
    };
    for webhook in webhooks {
        let name = webhook["name"].as_str().unwrap_or_default();
        let key = format!("k:{{\"name\":{}}}", Value::from(name));
        // While the field still is ours, dropping it would delete it: the server's default, `Fail`,
        // would come before istiod serves.
        if !owns_field(live, FIELD_MANAGER, &["f:webhooks", &key, "f:failurePolicy"])
            && let Some(webhook) = webhook.as_object_mut()
        {
            webhook.remove("failurePolicy");
        }
    }
    object
}

/// Has a Deployment that was applied as a manifest go on to wait for the Secrets that it waits for
/// (`plan -o manifests`).
fn wait_as_before(desired: &mut Object, live: &Object) {
    const VOLUMES: [&str; 4] = ["spec", "template", "spec", "volumes"];
    let waits = |volume: &&Value| volume["secret"]["optional"] == false;
    let waiting: Vec<&Value> = live
        .list(&VOLUMES)
        .iter()
        .filter(waits)
        .map(|volume| &volume["name"])
        .collect();
    let volumes = desired
        .0
        .pointer_mut("/spec/template/spec/volumes")
        .and_then(Value::as_array_mut);
    for volume in volumes
        .into_iter()
        .flatten()
        .filter(|volume| waiting.contains(&&volume["name"]))
    {
        volume["secret"]["optional"] = false.into();
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.into_iter().map(without_nulls).collect()),
        value => value,
    }
}

/// Labels by which `istioctl install` and `istioctl uninstall` find what they may delete.
fn without_installer_labels(object: &mut Object) {
    if let Some(Value::Object(labels)) = object.0.pointer_mut("/metadata/labels") {
        labels.retain(|key, _| {
            !key.starts_with("install.operator.istio.io/") && !key.starts_with("operator.istio.io/")
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn webhook(managed_fields: &Value) -> Object {
        Object(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "v", "managedFields": managed_fields},
            "webhooks": [{"name": "a.istio.io", "failurePolicy": "Ignore"}],
        }))
    }

    #[test]
    fn a_failure_policy_is_left_to_istiod_once_it_has_taken_it() {
        let desired = webhook(&json!([]));
        let owned = json!([{"manager": "stolos", "operation": "Apply", "fieldsV1": {
            "f:webhooks": {"k:{\"name\":\"a.istio.io\"}": {"f:failurePolicy": {}}}}}]);
        let with = |live: Option<Object>| {
            let inventory = ClusterInventory {
                objects: live.into_iter().collect(),
                ..ClusterInventory::default()
            };
            over_live(&desired, &inventory).0["webhooks"][0]
                .get("failurePolicy")
                .cloned()
        };
        assert_eq!(with(None), Some(json!("Ignore")), "at first it must not block");
        assert_eq!(with(Some(webhook(&owned))), Some(json!("Ignore")), "still ours");
        assert_eq!(with(Some(webhook(&json!([])))), None, "istiod's by now");
    }

    #[test]
    fn an_istiod_that_waits_for_its_intermediate_goes_on_to() {
        let istiod = |optional: bool| {
            Object(json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "istiod"},
                "spec": {"template": {"spec": {"volumes": [
                    {"name": "cacerts", "secret": {"secretName": "cacerts", "optional": optional}},
                    {"name": "token", "projected": {}},
                ]}}},
            }))
        };
        for live in [true, false] {
            let inventory = ClusterInventory {
                objects: vec![istiod(live)],
                ..ClusterInventory::default()
            };
            assert_eq!(over_live(&istiod(true), &inventory), istiod(live));
        }
        assert_eq!(
            over_live(&istiod(true), &ClusterInventory::default()),
            istiod(true)
        );
    }
}
