//! Whose an object is, by the marks that tools leave: ours, another fleet's, or somebody else's,
//! who is then named.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::fleet::{Area, FleetName};
use crate::inventory::Object;

/// The field manager of everything that this tool applies.
pub const FIELD_MANAGER: &str = "stolos";
/// The field manager of single fields in objects that are somebody else's as a whole.
pub const FIELDS_MANAGER: &str = "stolos-fields";
/// The field manager of `istioctl install` (Istio: `operator/pkg/install`).
pub const ISTIOCTL_MANAGER: &str = "istio-operator";
/// Whoever that is, in words.
const ISTIOCTL: &str = "istioctl install";
/// Kubernetes' label that names the tool; ours says [`FIELD_MANAGER`].
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The label that names the fleet.
pub const FLEET_LABEL: &str = "stolos.dev/fleet";
/// The label by which an object is a member of an ApplySet (KEP-3659).
pub const PART_OF_LABEL: &str = "applyset.kubernetes.io/part-of";

/// Whose an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// This fleet's.
    Ours,
    /// Another fleet's, by its name.
    OtherFleet(String),
    /// Somebody else's, in words: `Helm release istiod in istio-system`, `istioctl`, `kubectl`.
    Foreign(String),
}

impl Ownership {
    /// Whose an object is to this fleet.
    pub fn of(object: &Object, fleet: &FleetName) -> Self {
        match object.label(FLEET_LABEL) {
            Some(name) if object.label(MANAGED_BY_LABEL) != Some(FIELD_MANAGER) => {
                Ownership::Foreign(format!(
                    "{} (it carries the mark of the fleet {name})",
                    foreign_owner(object)
                ))
            }
            Some(name) if name == fleet.as_str() => Ownership::Ours,
            Some(name) => Ownership::OtherFleet(name.to_owned()),
            None => Ownership::Foreign(foreign_owner(object)),
        }
    }
}

/// Whether an object that is not ours may be taken over (`--adopt`): it is of `istioctl install`, which keeps
/// nothing in mind of what it installed, or it was left half taken over.
pub fn is_adoptable(object: &Object) -> bool {
    [ISTIOCTL, FIELD_MANAGER].contains(&foreign_owner(object).as_str())
}

/// Who made an object that is not ours, from the marks that the usual tools leave.
pub fn foreign_owner(object: &Object) -> String {
    if let Some(owner) = object.list(&["metadata", "ownerReferences"]).first() {
        let part = |field: &str| owner[field].as_str().unwrap_or_default().to_owned();
        return format!("{} {}", part("kind"), part("name"));
    }
    if let Some(release) = object.annotation("meta.helm.sh/release-name") {
        let namespace = object
            .annotation("meta.helm.sh/release-namespace")
            .unwrap_or_default();
        return format!("Helm release {release} in {namespace}");
    }
    if object.annotation("argocd.argoproj.io/tracking-id").is_some()
        || object.label("argocd.argoproj.io/instance").is_some()
    {
        return "Argo CD".to_owned();
    }
    let managers = object.managers();
    if managers.contains(&ISTIOCTL_MANAGER) || object.label("operator.istio.io/managed").is_some() {
        return ISTIOCTL.to_owned();
    }
    // Controllers write status and defaults into everybody's objects: they own none.
    let own: Vec<&str> = managers
        .into_iter()
        .filter(|manager| {
            !matches!(
                *manager,
                "kube-controller-manager" | "pilot-discovery" | "kube-apiserver"
            )
        })
        .collect();
    if own.is_empty() {
        "an unknown owner".to_owned()
    } else {
        own.join(", ")
    }
}

/// A set of objects that are pruned together: Kubernetes' ApplySet (KEP-3659), with a ConfigMap as
/// its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplySet {
    /// The parent's name.
    pub name: String,
    /// The parent's namespace: the control plane's.
    pub namespace: String,
}

impl ApplySet {
    /// The set of one area of a fleet.
    pub fn of_area(fleet: &FleetName, area: Area, namespace: &str) -> Self {
        Self {
            name: format!("stolos-{fleet}-{area}"),
            namespace: namespace.to_owned(),
        }
    }

    /// The set of a fleet's custom resource definitions, which outlive the mesh.
    pub fn of_definitions(fleet: &FleetName, namespace: &str) -> Self {
        Self {
            name: format!("stolos-{fleet}-definitions"),
            namespace: namespace.to_owned(),
        }
    }

    /// The set's id: `applyset-<base64url(sha256(name.namespace.kind.group))>-v1` (KEP-3659, as
    /// kubectl computes it; the parent is a ConfigMap of the core group).
    pub fn id(&self) -> String {
        let identity = format!("{}.{}.ConfigMap.", self.name, self.namespace);
        format!(
            "applyset-{}-v1",
            URL_SAFE_NO_PAD.encode(Sha256::digest(identity.as_bytes()))
        )
    }

    /// Marks an object as this fleet's and as a member of the set.
    pub fn mark(&self, object: &mut Object, fleet: &FleetName) {
        mark(object, fleet);
        object.set_label(PART_OF_LABEL, &self.id());
    }

    /// Whether an object is a member. What a controller makes with its owner's labels, as an
    /// EndpointSlice has its Service's, goes with its owner and is none.
    pub fn has(&self, object: &Object) -> bool {
        object.label(PART_OF_LABEL) == Some(&self.id()) && !is_owned(object)
    }

    /// The parent as it should stand, for members of these kinds (`Kind.group`) and namespaces.
    pub fn parent(&self, fleet: &FleetName, members: &[&Object]) -> Object {
        let mut kinds: Vec<String> = members
            .iter()
            .map(|object| match object.reference().group() {
                "" => object.kind().to_owned(),
                group => format!("{}.{group}", object.kind()),
            })
            .collect();
        kinds.sort();
        kinds.dedup();
        let mut namespaces: Vec<&str> = members
            .iter()
            .map(|object| object.namespace())
            .filter(|namespace| !namespace.is_empty() && *namespace != self.namespace)
            .collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        let mut parent = Object(serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": self.name, "namespace": self.namespace},
        }));
        mark(&mut parent, fleet);
        parent.set_label("applyset.kubernetes.io/id", &self.id());
        parent.set_annotation(
            "applyset.kubernetes.io/tooling",
            concat!("stolos/", env!("CARGO_PKG_VERSION")),
        );
        parent.set_annotation("applyset.kubernetes.io/contains-group-kinds", &kinds.join(","));
        if !namespaces.is_empty() {
            parent.set_annotation(
                "applyset.kubernetes.io/additional-namespaces",
                &namespaces.join(","),
            );
        }
        parent
    }
}

/// Whether another object owns it: it was made for that one, with its labels, and goes with it.
pub fn is_owned(object: &Object) -> bool {
    !object.list(&["metadata", "ownerReferences"]).is_empty()
}

/// Marks an object as this fleet's.
pub fn mark(object: &mut Object, fleet: &FleetName) {
    object.set_label(MANAGED_BY_LABEL, FIELD_MANAGER);
    object.set_label(FLEET_LABEL, fleet.as_str());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn marks_tell_whose_an_object_is() {
        let fleet: FleetName = "prod".parse().unwrap();
        let object = |metadata| Object(json!({"kind": "Service", "metadata": metadata}));
        let mut own = object(json!({}));
        mark(&mut own, &fleet);
        assert_eq!(Ownership::of(&own, &fleet), Ownership::Ours);
        assert_eq!(
            Ownership::of(&own, &"other".parse().unwrap()),
            Ownership::OtherFleet("prod".to_owned())
        );
        for (metadata, owner) in [
            (
                json!({"annotations": {"meta.helm.sh/release-name": "istiod", "meta.helm.sh/release-namespace": "ns"}}),
                "Helm release istiod in ns",
            ),
            (
                json!({"managedFields": [{"manager": "istio-operator"}]}),
                "istioctl install",
            ),
            (
                json!({"managedFields": [{"manager": "kubectl-edit"}, {"manager": "kube-controller-manager"}]}),
                "kubectl-edit",
            ),
            (
                json!({"ownerReferences": [{"kind": "IstioRevision", "name": "default"}]}),
                "IstioRevision default",
            ),
            (json!({}), "an unknown owner"),
        ] {
            assert_eq!(
                Ownership::of(&object(metadata), &fleet),
                Ownership::Foreign(owner.to_owned())
            );
        }
    }

    #[test]
    fn what_a_controller_made_of_a_member_is_none() {
        let fleet: FleetName = "prod".parse().unwrap();
        let set = ApplySet::of_area(&fleet, Area::Mesh, "istio-system");
        let mut object = Object(json!({"kind": "EndpointSlice", "metadata": {"name": "istiod"}}));
        assert!(!set.has(&object));
        set.mark(&mut object, &fleet);
        assert!(set.has(&object));
        object.0["metadata"]["ownerReferences"] = json!([{"kind": "Service", "name": "istiod"}]);
        assert!(!set.has(&object));
    }

    #[test]
    fn an_apply_set_has_the_id_that_kubectl_gives_it() {
        // `printf 'parent.ns.ConfigMap.' | openssl dgst -sha256 -binary | basenc --base64url`
        let set = ApplySet {
            name: "parent".to_owned(),
            namespace: "ns".to_owned(),
        };
        assert_eq!(
            set.id(),
            "applyset-GJ-_vVForufjnxmUFBmeCsZADd-GxSTMRP64duJycHE-v1"
        );
    }
}
