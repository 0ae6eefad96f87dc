//! The system namespace: ours if we make it; what it has to say of its cluster in any case.

use serde_json::json;

use super::waves::Waves;
use crate::fleet::{Area, ClusterName, NetworkName, Role};
use crate::inventory::control_plane::{CONTROL_PLANE_CLUSTERS, NETWORK_LABEL, names_control_plane};
use crate::inventory::{Object, Presence, kind};
use crate::plan::difference::owns_metadata;
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
        let reference = kind::NAMESPACE.reference("", name);
        let mut object = Object(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
        }));
        let said = self.said();
        for said in &said {
            say(&mut object, said.field, said.key, said.wanted);
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
        // What agrees and is another's stays another's.
        let mut own = Object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        let mut reason = None;
        for Said {
            field,
            key,
            wanted,
            word,
        } in &said
        {
            let found = live.text(&["metadata", field, key]);
            let is_ours = wrote(live, field, key);
            if !agree(key, found, wanted) && !found.is_empty() && !is_ours {
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
            }
            if found.is_empty() {
                reason.get_or_insert(format!("it does not say its {word}, {wanted}"));
            } else if !agree(key, found, wanted) {
                reason.get_or_insert(no_longer(word, found));
            }
            if found.is_empty() || is_ours {
                say(&mut own, field, key, wanted);
            }
        }
        for (field, key, word) in WORDS {
            let found = live.text(&["metadata", field, key]);
            if wrote(live, field, key) && !said.iter().any(|said| said.key == key) {
                reason.get_or_insert(no_longer(word, found));
            }
        }
        let step = reason.map(|reason| {
            let content = Content::Label(own);
            self.draft.step(Action::Update, reference, reason, &[], content)
        });
        step.into_iter().collect()
    }

    /// What the namespace has to say.
    fn said(&self) -> Vec<Said<'input>> {
        let network = self.cluster.network.as_ref().map(NetworkName::as_str);
        let is_remote = self.cluster.role == Role::Remote;
        let primary = self.cluster.primary.as_ref().filter(|_| is_remote);
        let wanted = [network, primary.map(ClusterName::as_str)];
        WORDS
            .into_iter()
            .zip(wanted)
            .filter_map(|((field, key, word), wanted)| {
                Some(Said {
                    field,
                    key,
                    wanted: wanted?,
                    word,
                })
            })
            .collect()
    }
}

/// All that a system namespace can have to say: where, by which key, and its word in the fleet file.
const WORDS: [(&str, &str, &str); 2] = [
    ("labels", NETWORK_LABEL, "network"),
    ("annotations", CONTROL_PLANE_CLUSTERS, "primary"),
];

fn say(namespace: &mut Object, field: &str, key: &str, value: &str) {
    match field {
        "labels" => namespace.set_label(key, value),
        _ => namespace.set_annotation(key, value),
    }
}

/// Whether the fleet wrote it on a namespace of somebody else's.
fn wrote(live: &Object, field: &str, key: &str) -> bool {
    owns_metadata(live, FIELDS_MANAGER, field, key)
}

fn no_longer(word: &str, found: &str) -> String {
    format!("it says the {word} {found}, which the fleet file no longer does")
}

/// Whether what stands says what is wanted.
fn agree(key: &str, found: &str, wanted: &str) -> bool {
    found == wanted || (key == CONTROL_PLANE_CLUSTERS && names_control_plane(found, wanted))
}
