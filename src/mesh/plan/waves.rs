//! The waves that every cluster has, whatever its role.

use std::collections::BTreeSet;

use crate::fleet::spec::{DEFAULT_REVISION, named_revision};
use crate::fleet::{Area, ClusterSpec, Fleet};
use crate::inventory::control_plane::{REVISION_LABEL, TAG_LABEL};
use crate::inventory::{ClusterInventory, FailureClass, Object, ObjectReference, Replica, kind};
use crate::mesh::objects::{Desired, over_live};
use crate::mesh::values::GATEWAY_NAME;
use crate::plan::difference::differences;
use crate::plan::draft::Draft;
use crate::plan::ownership::{ApplySet, Ownership, is_adoptable};
use crate::plan::{Action, Content, Gate, StepId, Warning};
use crate::words::some_of;

/// One cluster's plan as it is made.
pub(super) struct Waves<'input> {
    pub draft: Draft<'input>,
    pub fleet: &'input Fleet,
    pub cluster: &'input ClusterSpec,
    pub seen: &'input ClusterInventory,
}

/// What all else stands on.
pub(super) struct Ground {
    /// The steps that make the set of the mesh's objects, or the namespace for it.
    pub parent: Vec<StepId>,
    definitions: Vec<StepId>,
    wanted: BTreeSet<ObjectReference>,
    /// The injectors that namespaces are led to that ask for no revision.
    default_injectors: BTreeSet<ObjectReference>,
    /// The set's parent when what is no longer wanted is gone, where it is another then.
    narrower: Option<Object>,
}

impl Ground {
    /// All of its steps.
    pub fn all(&self) -> Vec<StepId> {
        self.definitions.iter().chain(&self.parent).cloned().collect()
    }
}

impl<'input> Waves<'input> {
    pub fn new(fleet: &'input Fleet, cluster: &'input ClusterSpec, seen: &'input ClusterInventory) -> Self {
        Self {
            draft: Draft::new(&cluster.name, Area::Mesh, seen, &fleet.metadata.name),
            fleet,
            cluster,
            seen,
        }
    }

    /// What stands of an object, where it is this fleet's or becomes so.
    pub fn ours(&self, object: &ObjectReference) -> Option<&'input Object> {
        let live = self.seen.object(object);
        live.filter(|live| match Ownership::of(live, &self.fleet.metadata.name) {
            Ownership::Ours => true,
            Ownership::OtherFleet(_) => false,
            Ownership::Foreign(_) => self.draft.adopts && is_adoptable(live),
        })
    }

    /// Whether a Service of ours stands that leads to pods of the cluster, by a selector, and is to lead
    /// to another cluster, or the other way round.
    pub fn leads_elsewhere(&self, object: &Object) -> bool {
        let has_selector = |service: &Object| service.at(&["spec", "selector"]).is_some();
        let live = self.ours(&object.reference());
        object.is_of(kind::SERVICE) && live.is_some_and(|live| has_selector(live) != has_selector(object))
    }

    /// The namespace, the definitions, and the set of the objects that are to stand.
    pub fn ground(&mut self, desired: &Desired) -> Ground {
        let members = [&desired.control_plane, &desired.gateway, &desired.exposure];
        let members: Vec<&Object> = members.into_iter().flatten().collect();
        let wanted = members.iter().map(|object| object.reference()).collect();
        let default_injectors = members.iter().filter(|object| is_default_injector(object));
        let default_injectors = default_injectors.map(|object| object.reference()).collect();
        let (widened, narrowed) = self.mesh_sets(members);
        let namespace = self.namespace();
        let definitions = self.definitions(desired.definitions.clone(), &namespace);
        let narrower = (narrowed != widened).then_some(narrowed);
        let reason = "it names the objects that are this fleet's";
        let made = self.draft.object(widened, reason, &namespace);
        Ground {
            // Whoever needs the set needs the namespace as well, where that is all there is to do.
            parent: made.map_or(namespace, |step| vec![step]),
            definitions,
            wanted,
            default_injectors,
            narrower,
        }
    }

    fn definitions(&mut self, definitions: Vec<Object>, namespace: &[StepId]) -> Vec<StepId> {
        if definitions.is_empty() {
            return Vec::new();
        }
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
        let mut members = wanted;
        members.extend(self.seen.objects.iter().filter(|object| set.has(object)));
        (set.parent(fleet, &members), narrowed)
    }

    /// The webhooks of the mesh's own revision, and those of the one beside. Each is answered by the istiod of
    /// its revision: what is wrong with another does not keep it back.
    pub(super) fn by_revision(&self, webhooks: Vec<Object>) -> (Vec<Object>, Vec<Object>) {
        let own = named_revision(self.fleet.revision(self.cluster));
        webhooks.into_iter().partition(|webhook| {
            let revision = webhook.label(REVISION_LABEL);
            revision.is_none_or(|revision| revision == own)
        })
    }

    /// The webhooks, and their CA bundles, which an istiod gives them.
    pub(super) fn webhooks(&mut self, webhooks: Vec<Object>, needs: &[StepId]) -> Vec<StepId> {
        let mut steps = Vec::new();
        for webhook in webhooks {
            let reference = webhook.reference();
            let mutating = webhook.is_of(kind::MUTATING_WEBHOOK);
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

    /// What the gateway passes on.
    pub(super) fn exposure(&mut self, exposure: Vec<Object>, needs: &[StepId]) -> Vec<StepId> {
        let reason = "others reach this cluster through it";
        let (_, exposure): (Vec<_>, Vec<_>) = exposure.into_iter().partition(|object| self.is_served(object));
        let steps = exposure
            .into_iter()
            .filter_map(|object| self.draft.object(object, reason, needs));
        steps.collect()
    }

    /// Whether somebody else's object says all that is meant: by Istio's guides, what is offered through a gateway
    /// is applied with `kubectl`, and stays whose it is.
    fn is_served(&self, object: &Object) -> bool {
        let fleet = &self.fleet.metadata.name;
        let live = self.seen.object(&object.reference());
        let foreign = live.filter(|live| matches!(Ownership::of(live, fleet), Ownership::Foreign(_)));
        foreign.is_some_and(|live| {
            let mut differing = differences(object, live, "").into_iter();
            differing.all(|difference| difference.path.starts_with("metadata."))
        })
    }

    /// The east-west gateway, and its address.
    pub(super) fn gateway(&mut self, gateway: Vec<Object>, ground: &Ground, hooked: &[StepId]) {
        let parent = &ground.parent;
        let made = !gateway.is_empty();
        let namespace = self.cluster.system_namespace();
        let runs = |object: &Object| [kind::DEPLOYMENT.kind, kind::GATEWAY.kind].contains(&object.kind());
        let (workload, base): (Vec<_>, Vec<_>) = gateway.into_iter().partition(runs);
        let is_istiods = workload.iter().any(|object| object.is_of(kind::GATEWAY));
        let mut before: Vec<StepId> = parent.iter().chain(hooked).cloned().collect();
        let mut service = Vec::new();
        for object in base {
            let is_service = object.is_of(kind::SERVICE);
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
            let reference = |kind: kind::Kind| kind.reference(namespace, GATEWAY_NAME);
            if is_istiods {
                // istiod makes the Service of it.
                service.clone_from(&started);
                let gate = Gate::Condition("Programmed");
                let reason = "istiod must have made it";
                let programmed = self.draft.wait(gate, reference(kind::GATEWAY), reason, &started);
                started.extend(programmed);
            }
            self.draft.wait(
                Gate::RolledOut,
                reference(kind::DEPLOYMENT),
                "the gateway must serve",
                &started,
            );
            self.draft.wait(
                Gate::Address,
                reference(kind::SERVICE),
                "others reach this cluster at it",
                &service,
            );
        }
    }

    fn no_longer_wanted(&mut self, object: &Object, needs: &[StepId]) -> StepId {
        let istiod = object.is_of(kind::DEPLOYMENT) && object.label("app") == Some("istiod");
        let forbids = self.seen.replicas.iter().any(is_forbidden);
        let reason = match istiod && forbids {
            _ if self.is_adopted_tag(object) => "the fleet's own injector stands in for it",
            true => "the fleet file no longer asks for it; who is connected to it may not be asked",
            false => "the fleet file no longer asks for it",
        };
        let uid = object.uid().to_owned();
        let content = Content::Delete { uid };
        self.draft
            .step(Action::Delete, object.reference(), reason, needs, content)
    }

    /// Waits until nobody hangs on a control plane that goes, where one runs that may be asked.
    fn unused(&mut self, istiod: &ObjectReference, needs: &[StepId]) -> Option<StepId> {
        let live = self.seen.object(istiod)?;
        let revision = live.label(REVISION_LABEL).unwrap_or(DEFAULT_REVISION);
        let mut replicas = self.seen.replicas.iter();
        let is_its = replicas.any(|replica| {
            replica.namespace == istiod.namespace && replica.revision == revision && !is_forbidden(replica)
        });
        let is_istiod = live.is_of(kind::DEPLOYMENT) && live.label("app") == Some("istiod");
        if !is_istiod || !is_its {
            return None;
        }
        let reason = "proxies that hang on it would get no configuration";
        let content = Content::Await(Gate::Unused(revision.to_owned()));
        Some(
            self.draft
                .step(Action::Wait, istiod.clone(), reason, needs, content),
        )
    }

    /// Whether an object is of the tag `default` that `istioctl install` makes, where what it made is taken over:
    /// the fleet has an injector of its own for who asks for no revision.
    fn is_adopted_tag(&self, object: &Object) -> bool {
        self.draft.adopts && object.label(TAG_LABEL) == Some(DEFAULT_REVISION) && is_adoptable(object)
    }

    /// Says what of `istioctl install`'s stays as it is where the rest is taken over.
    fn warn_what_stays(&mut self, ground: &Ground, stale: &[Object]) {
        if !self.draft.plan.steps.iter().any(|step| step.adopts) {
            return;
        }
        let namespace = self.cluster.system_namespace();
        let is_beside = |object: &&Object| {
            let workloads = [kind::DEPLOYMENT, kind::DAEMON_SET].into_iter();
            object.namespace() == namespace
                && workloads.into_iter().any(|kind| object.is_of(kind))
                && Ownership::of(object, &self.fleet.metadata.name) != Ownership::Ours
                && is_adoptable(object)
                && !ground.wanted.contains(&object.reference())
                && !stale.contains(object)
        };
        let beside = self.seen.objects.iter().filter(is_beside);
        let beside: Vec<String> = beside.map(|object| object.reference().to_string()).collect();
        if !beside.is_empty() {
            self.draft.plan.warnings.push(Warning {
                cluster: self.cluster.name.clone(),
                message: format!(
                    "the fleet file does not ask for them, and they stay istioctl's: {}",
                    some_of(beside.iter().map(String::as_str))
                ),
            });
        }
    }

    /// What is this fleet's, stands, and is no longer wanted.
    pub(super) fn prune(&mut self, ground: Ground, needs: &[StepId]) {
        let set = ApplySet::of_area(
            &self.fleet.metadata.name,
            Area::Mesh,
            self.cluster.system_namespace(),
        );
        let live = self.seen.objects.iter();
        let goes = |object: &Object| set.has(object) || self.is_adopted_tag(object);
        let stale = live.filter(|object| goes(object) && !ground.wanted.contains(&object.reference()));
        let stale: Vec<Object> = stale.cloned().collect();
        self.warn_what_stays(&ground, &stale);
        let steps = self.draft.plan.steps.iter().map(|step| &step.id);
        let after: Vec<StepId> = steps.chain(needs).cloned().collect();
        // An injector that another stands in for goes as soon as that one is there: two would inject. A
        // control plane keeps all else of its own until nobody hangs on it, and what it is asked by must
        // not be left without it.
        let is_replaced =
            |object: &Object| !ground.default_injectors.is_empty() && is_default_injector(object);
        let (replaced, stale): (Vec<_>, Vec<_>) = stale.into_iter().partition(is_replaced);
        let steps = self.draft.plan.steps.iter();
        let stand_in = steps.filter(|step| ground.default_injectors.contains(&step.object));
        let stand_in: Vec<StepId> = stand_in.map(|step| step.id.clone()).collect();
        let mut gone: Vec<StepId> = Vec::new();
        for object in replaced {
            gone.push(self.no_longer_wanted(&object, &stand_in));
        }
        let mut unused = after.clone();
        unused.extend(gone.iter().cloned());
        let left = unused.clone();
        for object in &stale {
            unused.extend(self.unused(&object.reference(), &left));
        }
        let (webhooks, stale): (Vec<_>, Vec<_>) = stale.into_iter().partition(Object::is_webhook);
        for injector in webhooks
            .iter()
            .filter(|object| object.is_of(kind::MUTATING_WEBHOOK))
        {
            self.warn_who_asks(asked_for(injector).unwrap_or_default());
        }
        let (workloads, stale): (Vec<_>, Vec<_>) = stale
            .into_iter()
            .partition(|object| object.is_of(kind::DEPLOYMENT));
        let mut unasked = unused.clone();
        for object in webhooks {
            let deleted = self.no_longer_wanted(&object, &unused);
            unasked.push(deleted.clone());
            gone.push(deleted);
        }
        let mut ended = unasked.clone();
        for object in workloads {
            let deleted = self.no_longer_wanted(&object, &unasked);
            let reason = "its pods write while they run";
            ended.extend(
                self.draft
                    .wait(Gate::Gone, object.reference(), reason, &[deleted]),
            );
        }
        for object in stale {
            gone.push(self.no_longer_wanted(&object, &ended));
        }
        gone.extend(ended);
        if let Some(parent) = ground.narrower {
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

/// Whether an istiod may not be asked who is connected to it.
fn is_forbidden(replica: &Replica) -> bool {
    let failure = replica.proxies.failure();
    failure.is_some_and(|failure| failure.class == FailureClass::Permission)
}

/// What namespaces ask for that an injector leads: a tag where it is one's, else its revision.
fn asked_for(injector: &Object) -> Option<&str> {
    injector
        .label(TAG_LABEL)
        .or_else(|| injector.label(REVISION_LABEL))
}

/// Whether an object leads namespaces that ask for no revision: the injector of the default revision, or
/// of the tag of that name.
fn is_default_injector(object: &Object) -> bool {
    object.is_of(kind::MUTATING_WEBHOOK) && asked_for(object) == Some(DEFAULT_REVISION)
}
