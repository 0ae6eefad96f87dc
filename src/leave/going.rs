//! What is taken out of a cluster that leaves: in the reverse of the order in which it was put
//! there, and nothing that is not the fleet's.

use std::collections::BTreeSet;

use super::definitions::Definitions;
use super::{Choice, Remains};
use crate::fleet::{Area, ClusterSpec, Fleet, Role};
use crate::inventory::control_plane::{CONTROL_PLANE_CLUSTERS, NETWORK_LABEL};
use crate::inventory::{ClusterInventory, Failure, Object, ObjectReference, kind};
use crate::link::secret;
use crate::mesh::given_back;
use crate::plan::difference::owns_metadata;
use crate::plan::draft::Draft;
use crate::plan::gate::others_connected;
use crate::plan::ownership::{ApplySet, FIELDS_MANAGER, FLEET_LABEL, Ownership, is_owned};
use crate::plan::{Action, Blocked, Content, Gate, Plan, StepId};
use crate::words::some_of;

/// Objects that istiod itself writes into every namespace (Istio:
/// `pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go`).
const WRITTEN_BY_ISTIOD: [&str; 2] = ["istio-ca-root-cert", "istio-ca-crl"];
/// Classes of gateways that istiod makes where there are none (Istio:
/// `pilot/pkg/config/kube/gatewaycommon/classinfo.go`).
const CLASSES_OF_ISTIOD: [&str; 4] = ["istio", "istio-remote", "istio-waypoint", "istio-east-west"];
/// Objects that Kubernetes itself keeps in every namespace.
const WRITTEN_BY_KUBERNETES: [(&str, &str); 2] =
    [("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")];

/// What is looked for in the whole cluster before anything is taken out of it: the fleet's objects
/// outside its namespaces, workloads with a sidecar, other control planes.
const TAKEN_OUT: [kind::Kind; 7] = [
    kind::DEPLOYMENT,
    kind::POD,
    kind::MUTATING_WEBHOOK,
    kind::VALIDATING_WEBHOOK,
    kind::CLUSTER_ROLE,
    kind::CLUSTER_ROLE_BINDING,
    kind::ISTIO_GATEWAY,
];
/// What comes before a cluster's departure.
#[derive(Debug, Default)]
pub struct Before {
    /// The steps by which others are no longer linked to it, nor ask its istiods.
    pub unlinked: Vec<StepId>,
    /// Where another cluster's istiod serves it: the step after which that one writes there no more.
    pub released: Option<StepId>,
}

/// Plans what is taken out of a cluster, after the steps that unlink it, and says what stays.
pub fn take_out(
    fleet: &Fleet,
    cluster: &ClusterSpec,
    seen: &ClusterInventory,
    before: &Before,
    choice: Choice,
) -> (Plan, Vec<Remains>) {
    let mut going = Going {
        fleet,
        cluster,
        seen,
        draft: Draft::new(&cluster.name, Area::Mesh, seen, &fleet.metadata.name),
        remains: Vec::new(),
    };
    going.all(before, choice);
    (going.draft.plan, going.remains)
}

/// One cluster's departure as it is planned.
pub(super) struct Going<'input> {
    pub(super) fleet: &'input Fleet,
    cluster: &'input ClusterSpec,
    pub(super) seen: &'input ClusterInventory,
    draft: Draft<'input>,
    remains: Vec<Remains>,
}

impl Going<'_> {
    fn all(&mut self, Before { unlinked, released }: &Before, choice: Choice) {
        if let Some(failure) = self.not_known(choice) {
            let reason = format!("what the fleet put there is not known: {failure}");
            return self.blocked(
                reason,
                "use a context that may read it, or try again when the cluster answers",
            );
        }
        let served = self.served();
        let names = || some_of(served.iter().map(String::as_str));
        if !served.is_empty() && !choice.keep_mesh && !choice.allow_disruption {
            self.blocked(
                format!(
                    "{} with a proxy would be left without a control plane there: {}",
                    counted(served.len(), "pod"),
                    names()
                ),
                "take them out of the mesh first, add --allow-disruption to go on, or unlink only: `stolos leave \
                 --keep-mesh`",
            );
            return;
        }
        let ambient = self.taken_into_ambient();
        if !ambient.is_empty() && !choice.keep_mesh && !choice.allow_disruption {
            let namespaces = some_of(ambient.iter().map(String::as_str));
            return self.blocked(
                format!("workloads are taken into the mesh by the nodes' proxies, which go: namespaces {namespaces}"),
                "take the label istio.io/dataplane-mode off them first, or add --allow-disruption to go on",
            );
        }
        let Definitions { definitions, lost } = match self.definitions(choice) {
            Ok(going) => going,
            Err((reason, hint)) => return self.blocked(reason, hint),
        };
        if !lost.is_empty() {
            let resources = counted(lost.len(), "resource");
            self.remains(&format!(
                "with Istio's definitions go {resources} of others: {}",
                lost.join(", ")
            ));
        }
        let namespace = self.cluster.system_namespace().to_owned();
        let links = ApplySet::of_area(&self.fleet.metadata.name, Area::Links, &namespace);
        let (linking, rest): (Vec<Object>, Vec<Object>) = self.ours().into_iter().partition(|object| {
            (links.has(object) || object.name() == links.name) && !self.is_needed_by_an_istiod(object)
        });
        let mut before = unlinked.clone();
        before.extend(released.clone());
        let unlinked_and_released = before.clone();
        self.draft.area = Area::Links;
        // A set's parent goes after its members: killed in between, `kubectl` can still find them.
        let (parents, members): (Vec<Object>, Vec<Object>) = linking.into_iter().partition(is_parent);
        for object in members {
            before.push(self.delete(&object, &unlinked_and_released));
        }
        let members_gone = before.clone();
        for object in parents {
            before.push(self.delete(&object, &members_gone));
        }
        self.draft.area = Area::Mesh;
        if choice.keep_mesh {
            self.remains("the mesh and its intermediate stay, as --keep-mesh says");
            return;
        }
        let (workloads, rest): (Vec<Object>, Vec<Object>) = rest
            .into_iter()
            .partition(|object| object.is_of(kind::DEPLOYMENT));
        let (webhooks, rest): (Vec<Object>, Vec<Object>) = rest.into_iter().partition(Object::is_webhook);
        let (gateways, rest): (Vec<Object>, Vec<Object>) =
            rest.into_iter().partition(|object| object.is_of(kind::GATEWAY));
        // Without istiod its webhooks would refuse every pod: they go first, and where another cluster's
        // answers them, before that one is touched.
        let answered = if released.is_some() { unlinked } else { &before };
        let answered = answered.clone();
        let mut gone = Vec::new();
        for gateway in &gateways {
            gone.extend(self.gateway(gateway, &before));
        }
        for object in &webhooks {
            gone.push(self.delete(object, &answered));
        }
        gone.extend(before);
        let mut ended = Vec::new();
        for object in &workloads {
            let deleted = self.delete(object, &gone);
            ended.push(self.gone(object.reference(), "its pods write while they run", deleted));
        }
        ended.extend(gone);
        let namespace_reference = kind::NAMESPACE.reference("", &namespace);
        let mut last = ended.clone();
        let (parents, members): (Vec<Object>, Vec<Object>) = rest
            .into_iter()
            .filter(|object| object.reference() != namespace_reference)
            .partition(is_parent);
        for object in &members {
            last.push(self.delete(object, &ended));
        }
        let emptied = last.clone();
        for definition in &definitions {
            let deleted = self.delete(definition, &emptied);
            last.push(self.gone(definition.reference(), "what it defines goes first", deleted));
        }
        let emptied = last.clone();
        for object in &parents {
            last.push(self.delete(object, &emptied));
        }
        for object in self.written_by_istiod() {
            last.push(self.delete_as(&object, "istiod wrote it", &ended));
        }
        for namespace in self.seen.of_kind(kind::NAMESPACE) {
            if let Some((changes, reason)) = given_back(namespace, self.fleet) {
                let content = Content::Merge(changes);
                self.draft
                    .step(Action::Update, namespace.reference(), reason, &ended, content);
            }
        }
        self.namespace(&namespace_reference, &last);
        let left = self.our_definitions().count();
        if definitions.is_empty() && left > 0 {
            self.remains(&format!(
                "left behind: {} of Istio's, since deleting one deletes every resource of its kind (--crds takes them \
                 out)",
                counted(left, "CustomResourceDefinition")
            ));
        }
        if !served.is_empty() {
            self.remains(&format!(
                "left behind: the proxies of {}, until their pods are made anew",
                counted(served.len(), "pod")
            ));
        }
    }

    fn blocked(&mut self, reason: String, hint: &str) {
        self.draft.plan.blocked.push(Blocked {
            cluster: self.cluster.name.clone(),
            area: Area::Mesh,
            reason,
            hint: Some(hint.to_owned()),
            // Half a departure is none: nothing is done anywhere before this is settled.
            unreachable: false,
        });
    }

    /// Takes out a gateway, and awaits the end of what istiod made of it, which goes with it.
    fn gateway(&mut self, gateway: &Object, needs: &[StepId]) -> Vec<StepId> {
        let deleted = self.delete(gateway, needs);
        let same = |object: &&Object| {
            object.namespace() == gateway.namespace() && object.name() == gateway.name() && is_owned(object)
        };
        let made = [kind::DEPLOYMENT, kind::SERVICE, kind::SERVICE_ACCOUNT];
        let made = made.into_iter().flat_map(|kind| self.seen.of_kind(kind));
        let made: Vec<ObjectReference> = made.filter(same).map(Object::reference).collect();
        let mut steps = vec![deleted.clone()];
        for reference in made {
            steps.push(self.gone(reference, "istiod made it of the gateway", deleted.clone()));
        }
        steps
    }

    /// Why it is not known what is to be taken out: a list that failed is not an empty one.
    fn not_known(&self, choice: Choice) -> Option<&Failure> {
        let namespace = self.cluster.system_namespace();
        let mut lists = self.seen.unread.iter().filter(|failure| failure.verb == "list");
        let failed = lists.find(|failure| match failure.resource.split_once(" in ") {
            Some((plural, of)) => of == namespace && (!choice.keep_mesh || plural == kind::SECRET.plural),
            None => !choice.keep_mesh && TAKEN_OUT.iter().any(|kind| kind.plural == failure.resource),
        });
        let mut unread = self.seen.unread.iter();
        let asked = unread.find(|failure| {
            let there = failure.resource.contains(&format!(" {namespace}/"));
            failure.verb == "get" && there && !choice.keep_mesh
        });
        failed.or(asked).or_else(|| self.seen.lost())
    }

    fn remains(&mut self, what: &str) {
        self.remains.push(Remains {
            cluster: self.cluster.name.clone(),
            what: what.to_owned(),
        });
    }

    fn delete(&mut self, object: &Object, needs: &[StepId]) -> StepId {
        self.delete_as(object, "the fleet put it there", needs)
    }

    fn delete_as(&mut self, object: &Object, reason: &str, needs: &[StepId]) -> StepId {
        let uid = object.uid().to_owned();
        let content = Content::Delete { uid };
        self.draft
            .step(Action::Delete, object.reference(), reason, needs, content)
    }

    /// Waits until what is deleted by a step is gone.
    fn gone(&mut self, reference: ObjectReference, reason: &str, deleted: StepId) -> StepId {
        let content = Content::Await(Gate::Gone);
        self.draft
            .step(Action::Wait, reference, reason, &[deleted], content)
    }

    pub(super) fn is_ours(&self, object: &Object) -> bool {
        Ownership::of(object, &self.fleet.metadata.name) == Ownership::Ours
    }

    /// Whether an istiod would read another cluster without an object, or its own no more: what leads an
    /// external one to its configuration goes when that istiod is gone, and stays where the mesh stays. The
    /// set that names it goes after it.
    fn is_needed_by_an_istiod(&self, object: &Object) -> bool {
        let account = secret::account(self.fleet, self.cluster);
        let is_config = self.cluster.role == Role::Config;
        object.name() == secret::CONFIGURATION_SECRET
            || (is_config && object.name() == secret::token_secret_name(&account))
            || ((is_config || !self.seen.istiod_kubeconfigs.is_empty()) && is_parent(object))
    }

    /// Everything that carries this fleet's marks, but the definitions.
    pub(super) fn ours(&self) -> Vec<Object> {
        self.seen
            .objects
            .iter()
            .filter(|object| {
                self.is_ours(object)
                    && !object.is_of(kind::CUSTOM_RESOURCE_DEFINITION)
                    // Pods, replica sets and endpoints carry their owner's labels and go with it.
                    && !is_owned(object)
            })
            .cloned()
            .collect()
    }

    /// What istiod wrote into every namespace, and its classes of gateways; it would write them again
    /// while it runs, and they are another control plane's too where one stays.
    fn written_by_istiod(&self) -> Vec<Object> {
        if self.another_control_plane().is_some() {
            return Vec::new();
        }
        let roots = self
            .seen
            .of_kind(kind::CONFIG_MAP)
            .filter(|object| WRITTEN_BY_ISTIOD.contains(&object.name()));
        // What somebody else has written since is theirs.
        let classes = self.seen.of_kind(kind::GATEWAY_CLASS).filter(|class| {
            CLASSES_OF_ISTIOD.contains(&class.name()) && class.managers() == ["pilot-discovery"]
        });
        roots.chain(classes).cloned().collect()
    }

    /// A control plane that is not the fleet's.
    pub(super) fn another_control_plane(&self) -> Option<&Object> {
        let mut deployments = self.seen.of_kind(kind::DEPLOYMENT);
        deployments.find(|deployment| deployment.label("app") == Some("istiod") && !self.is_ours(deployment))
    }

    /// Pods with a proxy, the fleet's own gateways aside: those that carry the injector's mark, and
    /// those that the istiods there say are connected to them.
    fn served(&self) -> BTreeSet<String> {
        let namespace = self.cluster.system_namespace();
        let marked = self.seen.of_kind(kind::POD).filter(|pod| {
            pod.label("security.istio.io/tlsMode").is_some()
                && pod.namespace() != namespace
                && pod.at(&["metadata", "deletionTimestamp"]).is_none()
        });
        let mut served: BTreeSet<String> = marked
            .map(|pod| format!("{}/{}", pod.namespace(), pod.name()))
            .collect();
        let replicas = self.seen.replicas.iter();
        let there = replicas.filter(|replica| replica.namespace == namespace);
        served.extend(there.flat_map(others_connected).map(ToString::to_string));
        served
    }

    /// Namespaces whose pods the fleet's own proxies on the nodes serve, where there are some.
    fn taken_into_ambient(&self) -> Vec<String> {
        if !self
            .seen
            .of_kind(kind::DAEMON_SET)
            .any(|daemons| self.is_ours(daemons))
        {
            return Vec::new();
        }
        let namespaces = self.seen.of_kind(kind::NAMESPACE);
        let taken = namespaces.filter(|one| one.label("istio.io/dataplane-mode") == Some("ambient"));
        taken.map(|namespace| namespace.name().to_owned()).collect()
    }

    fn namespace(&mut self, reference: &ObjectReference, needs: &[StepId]) {
        let Some(live) = self.seen.object(reference) else {
            return;
        };
        if live.label(FLEET_LABEL) != Some(self.fleet.metadata.name.as_str()) {
            self.remains(&format!("{reference} stays: the fleet did not make it"));
            self.unlabel(live, needs);
            return;
        }
        let Some(contents) = &self.seen.system_namespace_contents else {
            self.remains(&format!(
                "{reference} stays: what else is in it could not be read"
            ));
            return;
        };
        let foreign: Vec<String> = contents
            .iter()
            .filter(|object| !self.goes_with_the_fleet(object))
            .map(|object| format!("{} {}", object.kind(), object.name()))
            .collect();
        if let Some(first) = foreign.first() {
            let more = match foreign.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            self.remains(&format!(
                "{reference} stays: it holds {first}{more}, which the fleet did not put there"
            ));
            return;
        }
        let live = live.clone();
        let deleted = self.delete(&live, needs);
        self.gone(
            reference.clone(),
            "nothing can be made in it while it goes",
            deleted,
        );
    }

    /// Takes back what the fleet wrote on a namespace of somebody else's.
    fn unlabel(&mut self, live: &Object, needs: &[StepId]) {
        let wrote = |field: &str, key: &str| owns_metadata(live, FIELDS_MANAGER, field, key);
        if wrote("labels", NETWORK_LABEL) || wrote("annotations", CONTROL_PLANE_CLUSTERS) {
            let reference = live.reference();
            let bare = Object(serde_json::json!({
                "apiVersion": reference.api_version, "kind": reference.kind, "metadata": {"name": reference.name},
            }));
            let reason = "the fleet said there what the cluster is in the mesh";
            self.draft
                .step(Action::Update, reference, reason, needs, Content::Label(bare));
        }
    }

    fn goes_with_the_fleet(&self, object: &Object) -> bool {
        self.is_ours(object)
            || !object.list(&["metadata", "ownerReferences"]).is_empty()
            || WRITTEN_BY_KUBERNETES.contains(&(object.kind(), object.name()))
            || matches!(
                object.kind(),
                "Event" | "Endpoints" | "EndpointSlice" | "PodMetrics"
            )
            || is_istiods_own(object)
    }
}

/// Whether an object is the parent of an ApplySet.
fn is_parent(object: &Object) -> bool {
    object.label("applyset.kubernetes.io/id").is_some()
}

/// A count with its noun: `1 pod`, `2 pods`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// Objects in its own namespace by which istiod's replicas agree with each other, and what it
/// signs for itself.
fn is_istiods_own(object: &Object) -> bool {
    match object.kind() {
        "ConfigMap" => {
            WRITTEN_BY_ISTIOD.contains(&object.name())
                || matches!(
                    object.name(),
                    "istio-leader"
                        | "istio-namespace-controller-election"
                        | "istio-gateway-status-leader"
                        | "istio-gateway-deployment"
                        | "istio-ip-autoallocate"
                        | "istio-ingress-status-leader"
                )
        }
        "Lease" => object.name().starts_with("istio-"),
        "Secret" => matches!(object.name(), "istio-ca-secret"),
        _ => false,
    }
}
