//! A plan that was saved to be approved, and carried out later as it was approved (contract:
//! `plan --out FILE`, `apply FILE`). It holds what a plan prints, and digests instead of objects. It
//! is not read back into a plan: what is to be done is planned anew, and has to be the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::changes::changes;
use super::{Action, Content, Plan, Step, StepId};
use crate::document::Body;
use crate::fleet::{ClusterName, Fleet, FleetName};
use crate::inventory::Inventory;
use crate::trust::certificate::fingerprint;

/// The body of a `kind: SavedPlan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedPlan {
    /// The fleet that it is for.
    pub fleet: SavedFleet,
    /// The clusters that may be written; all where empty.
    pub clusters: BTreeSet<ClusterName>,
    /// Whether what `istioctl install` made is taken over (`--adopt`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopts: bool,
    /// What changes something, in the plan's order. What is awaited between is not part of what is
    /// approved: it depends on the moment.
    pub steps: Vec<SavedStep>,
}

/// Which fleet a plan was saved for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFleet {
    /// Its name.
    pub name: FleetName,
    /// What its file says: lower-case hex SHA-256 of the file's content as canonical JSON, so that
    /// comments and order do not count, and without what `apply` itself writes into it: the clusters'
    /// UIDs and the root's fingerprint, which are part of the steps' digests.
    pub sha256: String,
}

/// One step of a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStep {
    /// Which cluster, area, action and object.
    pub id: StepId,
    /// What is done.
    pub action: Action,
    /// Whether it can interrupt what serves now.
    pub disruptive: bool,
    /// Why; for the reader.
    pub reason: String,
    /// What is written, over what: lower-case hex SHA-256.
    pub sha256: String,
}

impl SavedFleet {
    /// A fleet as its file describes it now.
    pub fn of(fleet: &Fleet) -> Self {
        let mut unpinned = fleet.clone();
        unpinned.spec.trust.root_sha256.clear();
        for cluster in &mut unpinned.spec.clusters {
            cluster.uid = None;
        }
        Self {
            name: fleet.metadata.name.clone(),
            sha256: fingerprint(json!(unpinned).to_string().as_bytes()),
        }
    }

    /// In what the fleet is not this one by now, in words.
    pub fn differs_from(&self, now: &Self) -> Option<String> {
        if self.name != now.name {
            return Some(format!(
                "it is for the fleet {}, and this is {}",
                self.name, now.name
            ));
        }
        (self.sha256 != now.sha256).then(|| "the fleet file says something else by now".to_owned())
    }
}

impl Body for SavedPlan {
    const KIND: &'static str = "SavedPlan";
}

impl SavedPlan {
    /// A plan, to be carried out later.
    pub fn of(fleet: &Fleet, clusters: &BTreeSet<ClusterName>, plan: &Plan, inventory: &Inventory) -> Self {
        let changing = plan.steps.iter().filter(|step| step.action != Action::Wait);
        Self {
            fleet: SavedFleet::of(fleet),
            clusters: clusters.clone(),
            adopts: plan.steps.iter().any(|step| step.adopts),
            steps: changing
                .map(|step| SavedStep {
                    id: step.id.clone(),
                    action: step.action,
                    disruptive: step.disruptive,
                    reason: step.reason.clone(),
                    sha256: digest(step, inventory),
                })
                .collect(),
        }
    }

    /// In what a plan that was made now is not this one, each in words; nothing where carrying it out
    /// does exactly what was approved.
    pub fn differs_from(&self, now: &Self) -> Vec<String> {
        let mut differing: Vec<String> = self.fleet.differs_from(&now.fleet).into_iter().collect();
        let (approved, planned) = (self.by_id(), now.by_id());
        for (id, step) in &approved {
            match planned.get(id) {
                None => differing.push(format!("`{}` is no longer to be done", id.0)),
                Some(other) if other.sha256 != step.sha256 => {
                    differing.push(format!("`{}` would do something else", id.0));
                }
                Some(_) => {}
            }
        }
        let new = planned.keys().filter(|id| !approved.contains_key(*id));
        differing.extend(new.map(|id| format!("`{}` was not to be done", id.0)));
        differing
    }

    fn by_id(&self) -> BTreeMap<&StepId, &SavedStep> {
        self.steps.iter().map(|step| (&step.id, step)).collect()
    }
}

/// What a step does, as one number: in which cluster it writes what, over which object, and over what
/// of it.
fn digest(step: &Step, inventory: &Inventory) -> String {
    let cluster = inventory.seen(&step.cluster).map(|seen| &seen.uid);
    let whole = json!({
        "cluster": cluster, "uid": step.uid, "owner": step.owner, "disruptive": step.disruptive,
        "adopts": step.adopts,
        "content": step.content, "over": over(step, inventory),
    });
    fingerprint(whole.to_string().as_bytes())
}

/// What a step writes over: of what is deleted all of it, of a Secret what is known of its data.
fn over(step: &Step, inventory: &Inventory) -> Value {
    let Some(seen) = inventory.seen(&step.cluster) else {
        return Value::Null;
    };
    let is_it =
        |namespace: &str, name: &str| (namespace, name) == (&step.object.namespace, &step.object.name);
    match &step.content {
        Content::Delete { .. } => {
            let object = seen.object(&step.object).cloned();
            let mut object = object
                .map(|object| object.without_bookkeeping().0)
                .unwrap_or_default();
            if let Some(fields) = object.as_object_mut() {
                fields.remove("status");
            }
            object
        }
        Content::RemoteSecret(_) => {
            let secrets = seen.remote_secrets.iter().chain(&seen.istiod_kubeconfigs);
            let secrets = secrets.filter(|secret| is_it(&secret.namespace, &secret.name));
            let held = secrets.flat_map(|secret| &secret.entries);
            let held: Vec<_> = held.map(|entry| (&entry.cluster_id, &entry.sha256)).collect();
            json!([held, changes(step, inventory)])
        }
        Content::IssueIntermediate(_) => {
            let authorities = seen.authorities.iter();
            let held = authorities.filter(|authority| is_it(&authority.namespace, &authority.name));
            let held: Vec<_> = held
                .map(|held| {
                    (
                        &held.signing_certificate,
                        &held.chain,
                        &held.roots,
                        held.key_matches,
                    )
                })
                .collect();
            json!([held, changes(step, inventory)])
        }
        Content::Apply(_)
        | Content::ApplyAtAddress(..)
        | Content::Label(_)
        | Content::Merge(_)
        | Content::MakeRoot
        | Content::Await(_) => json!(changes(step, inventory)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Area;
    use crate::inventory::{ClusterInventory, Object, Observation};
    use crate::plan::Gate;

    fn fleet(network: &str) -> Fleet {
        crate::yaml::from_str(&format!(
            "{{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {{name: prod}}, spec: {{clusters: [
              {{name: east, network: {network}}}]}}}}"
        ))
        .unwrap()
    }

    /// A cluster in which one object stands with a value.
    fn inventory(uid: &str, value: &str) -> Inventory {
        let seen = ClusterInventory {
            uid: uid.to_owned(),
            objects: vec![object(value)],
            ..ClusterInventory::default()
        };
        let mut inventory = Inventory::default();
        let east = "east".parse().unwrap();
        inventory.clusters.insert(east, Observation::Seen(Box::new(seen)));
        inventory
    }

    fn object(value: &str) -> Object {
        Object(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "istio-system"},
            "data": {"a": value},
        }))
    }

    fn step(action: Action, content: Content) -> Step {
        let (cluster, object): (ClusterName, _) = ("east".parse().unwrap(), object("").reference());
        Step {
            id: StepId::of(&cluster, Area::Mesh, action, &object),
            cluster,
            area: Area::Mesh,
            action,
            object,
            reason: "why".to_owned(),
            needs: Vec::new(),
            disruptive: false,
            uid: "u".to_owned(),
            owner: None,
            adopts: false,
            content,
        }
    }

    fn update(value: &str) -> Step {
        step(Action::Update, Content::Apply(object(value)))
    }

    fn saved(fleet: &Fleet, steps: Vec<Step>, inventory: &Inventory) -> SavedPlan {
        let plan = Plan {
            steps,
            ..Plan::default()
        };
        SavedPlan::of(fleet, &BTreeSet::new(), &plan, inventory)
    }

    #[test]
    fn the_same_is_the_same_whatever_is_awaited_and_why() {
        let (fleet, seen) = (fleet("a"), inventory("one", "old"));
        let approved = saved(&fleet, vec![update("new")], &seen);
        let waits = step(Action::Wait, Content::Await(Gate::Address));
        let otherwise = Step {
            reason: "in other words".to_owned(),
            ..update("new")
        };
        let now = saved(&fleet, vec![waits, otherwise], &seen);
        assert_eq!(approved.differs_from(&now), Vec::<String>::new());
    }

    #[test]
    fn whatever_is_another_by_now_is_told() {
        let approved = saved(&fleet("a"), vec![update("new")], &inventory("one", "old"));
        let told = |now: &SavedPlan| approved.differs_from(now).join("; ");
        let id = "`east/mesh/update/ConfigMap istio-system/a`";
        let same = || inventory("one", "old");
        for (now, expected) in [
            (
                saved(&fleet("b"), vec![update("new")], &same()),
                "the fleet file says something else by now".to_owned(),
            ),
            (
                saved(&fleet("a"), Vec::new(), &same()),
                format!("{id} is no longer to be done"),
            ),
            // Another value is written, over another value, over another object, in another cluster.
            (
                saved(&fleet("a"), vec![update("newer")], &same()),
                format!("{id} would do something else"),
            ),
            (
                saved(&fleet("a"), vec![update("new")], &inventory("one", "other")),
                format!("{id} would do something else"),
            ),
            (
                saved(
                    &fleet("a"),
                    vec![Step {
                        uid: "v".to_owned(),
                        ..update("new")
                    }],
                    &same(),
                ),
                format!("{id} would do something else"),
            ),
            (
                saved(&fleet("a"), vec![update("new")], &inventory("two", "old")),
                format!("{id} would do something else"),
            ),
            (
                saved(
                    &fleet("a"),
                    vec![Step {
                        disruptive: true,
                        ..update("new")
                    }],
                    &same(),
                ),
                format!("{id} would do something else"),
            ),
            (
                saved(
                    &fleet("a"),
                    vec![
                        update("new"),
                        step(Action::Delete, Content::Delete { uid: "u".to_owned() }),
                    ],
                    &same(),
                ),
                "`east/mesh/delete/ConfigMap istio-system/a` was not to be done".to_owned(),
            ),
        ] {
            assert_eq!(told(&now), expected);
        }
    }

    #[test]
    fn what_apply_pins_itself_is_no_change() {
        let mut pinned = fleet("a");
        pinned.spec.clusters[0].uid = Some("one".to_owned());
        pinned.spec.trust.root_sha256 = vec!["ab".to_owned()];
        assert_eq!(SavedFleet::of(&pinned), SavedFleet::of(&fleet("a")));
        assert_ne!(SavedFleet::of(&fleet("b")), SavedFleet::of(&fleet("a")));
    }

    #[test]
    fn what_is_deleted_is_what_was_seen() {
        let delete = || vec![step(Action::Delete, Content::Delete { uid: "u".to_owned() })];
        let approved = saved(&fleet("a"), delete(), &inventory("one", "old"));
        let same = saved(&fleet("a"), delete(), &inventory("one", "old"));
        assert_eq!(approved.differs_from(&same), Vec::<String>::new());
        let edited = saved(&fleet("a"), delete(), &inventory("one", "edited"));
        assert_eq!(approved.differs_from(&edited).len(), 1);
    }
}
