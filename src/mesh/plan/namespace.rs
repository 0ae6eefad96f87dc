//! The system namespace: ours if we make it; what it has to say of its cluster in any case.

use serde_json::json;

use super::waves::Waves;
use crate::fleet::{Area, Role};
use crate::inventory::control_plane::{CONTROL_PLANE_CLUSTERS, NETWORK_LABEL, names_control_plane};
use crate::inventory::{Object, ObjectReference, Presence};
use crate::plan::difference::owns_field;
use crate::plan::ownership::{FIELDS_MANAGER, FLEET_LABEL, mark};
use crate::plan::{Action, Blocked, Content, StepId};

/// Something that the namespace has to say.
struct Said<'input> {
    /// `labels` or `annotations`.
    field: &'static str,
    key: &'static str,
    wanted: &'input str,
    /// What it is, in the fleet file's word.
    word: &'static str,
}

impl<'input> Waves<'input> {
    /// Makes the namespace, or has it say what it should.
    pub(super) fn namespace(&mut self) -> Vec<StepId> {
        let name = self.cluster.system_namespace();
        let reference = ObjectReference::new("v1", "Namespace", "", name);
        let mut object = Object(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
        }));
        let said = self.said();
        for said in &said {
            match said.field {
                "labels" => object.set_label(said.key, said.wanted),
                _ => object.set_annotation(said.key, said.wanted),
            }
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
        let mut reason = None;
        for Said {
            field,
            key,
            wanted,
            word,
        } in &said
        {
            let found = live.text(&["metadata", field, key]);
            let path = ["f:metadata", &format!("f:{field}"), &format!("f:{key}")];
            let lacking = if agree(key, found, wanted) {
                continue;
            } else if found.is_empty() {
                format!("it does not say its {word}, {wanted}")
            } else if owns_field(live, FIELDS_MANAGER, &path) {
                format!("it says the {word} {found}, which the fleet file no longer does")
            } else {
                self.draft.plan.blocked.push(Blocked {
                    cluster: self.cluster.name.clone(),
                    area: Area::Mesh,
                    reason: format!(
                        "the namespace {name} says the {word} {found}, and the fleet file says {wanted}"
                    ),
                    hint: Some(format!(
                        "set `{word}: {found}` in the fleet file, or mend the namespace's {}",
                        field.trim_end_matches('s')
                    )),
                    unreachable: false,
                });
                return Vec::new();
            };
            reason.get_or_insert(lacking);
        }
        let step = reason.map(|reason| {
            let content = Content::Label(object);
            self.draft.step(Action::Update, reference, reason, &[], content)
        });
        step.into_iter().collect()
    }

    /// What the namespace has to say.
    fn said(&self) -> Vec<Said<'input>> {
        let network = self.cluster.network.as_ref().map(|network| Said {
            field: "labels",
            key: NETWORK_LABEL,
            wanted: network.as_str(),
            word: "network",
        });
        let is_remote = self.cluster.role == Role::Remote;
        let primary = self.cluster.primary.as_ref().filter(|_| is_remote);
        let primary = primary.map(|primary| Said {
            field: "annotations",
            key: CONTROL_PLANE_CLUSTERS,
            wanted: primary.as_str(),
            word: "primary",
        });
        network.into_iter().chain(primary).collect()
    }
}

/// Whether what stands says what is wanted.
fn agree(key: &str, found: &str, wanted: &str) -> bool {
    found == wanted || (key == CONTROL_PLANE_CLUSTERS && names_control_plane(found, wanted))
}
