//! A plan as scripts read it (contract: `plan -o json`). The contents of steps stay out: they are
//! long, and what matters of them is in the reason.

use serde::Serialize;

use super::{Action, Plan, StepId};
use crate::document::Body;
use crate::fleet::{Area, ClusterName};
use crate::inventory::ObjectReference;

/// The body of a `kind: Plan`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanDocument {
    steps: Vec<StepEntry>,
    blocked: Vec<BlockedEntry>,
    warnings: Vec<WarningEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct StepEntry {
    id: StepId,
    cluster: ClusterName,
    area: Area,
    action: Action,
    object: ObjectEntry,
    reason: String,
    needs: Vec<StepId>,
    disruptive: bool,
    owner: Option<String>,
}

/// Always all four: a script need not tell an absent namespace from an empty one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectEntry {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct BlockedEntry {
    cluster: ClusterName,
    area: Area,
    reason: String,
    hint: Option<String>,
    /// Whether only a cluster that could not be read is in the way.
    unreachable: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct WarningEntry {
    cluster: ClusterName,
    message: String,
}

impl Body for PlanDocument {
    const KIND: &'static str = "Plan";
}

impl From<&ObjectReference> for ObjectEntry {
    fn from(reference: &ObjectReference) -> Self {
        Self {
            api_version: reference.api_version.clone(),
            kind: reference.kind.clone(),
            namespace: reference.namespace.clone(),
            name: reference.name.clone(),
        }
    }
}

impl From<&Plan> for PlanDocument {
    fn from(plan: &Plan) -> Self {
        Self {
            steps: (plan.steps.iter())
                .map(|step| StepEntry {
                    id: step.id.clone(),
                    cluster: step.cluster.clone(),
                    area: step.area,
                    action: step.action,
                    object: ObjectEntry::from(&step.object),
                    reason: step.reason.clone(),
                    needs: step.needs.clone(),
                    disruptive: step.disruptive,
                    owner: step.owner.clone(),
                })
                .collect(),
            blocked: (plan.blocked.iter())
                .map(|blocked| BlockedEntry {
                    cluster: blocked.cluster.clone(),
                    area: blocked.area,
                    reason: blocked.reason.clone(),
                    hint: blocked.hint.clone(),
                    unreachable: blocked.unreachable,
                })
                .collect(),
            warnings: (plan.warnings.iter())
                .map(|warning| WarningEntry {
                    cluster: warning.cluster.clone(),
                    message: warning.message.clone(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Blocked, Content, Gate, Step};

    #[test]
    fn the_fields_are_the_contracts() {
        let cluster: ClusterName = "east".parse().unwrap();
        let object = ObjectReference::new("v1", "Namespace", "", "istio-system");
        let plan = Plan {
            steps: vec![Step {
                id: StepId::of(&cluster, Area::Mesh, Action::Wait, &object),
                cluster: cluster.clone(),
                area: Area::Mesh,
                action: Action::Wait,
                object,
                reason: "why".to_owned(),
                needs: vec![StepId("x".to_owned())],
                disruptive: false,
                uid: String::new(),
                owner: None,
                adopts: false,
                content: Content::Await(Gate::Gone),
            }],
            blocked: vec![Blocked {
                cluster,
                area: Area::Links,
                reason: "no answer".to_owned(),
                hint: None,
                unreachable: true,
            }],
            warnings: Vec::new(),
        };
        assert_eq!(
            serde_json::to_value(PlanDocument::from(&plan)).unwrap(),
            serde_json::json!({
                "steps": [{
                    "id": "east/mesh/wait/Namespace istio-system", "cluster": "east", "area": "mesh",
                    "action": "wait",
                    "object": {"apiVersion": "v1", "kind": "Namespace", "namespace": "", "name": "istio-system"},
                    "reason": "why", "needs": ["x"], "disruptive": false, "owner": null,
                }],
                "blocked": [{
                    "cluster": "east", "area": "links", "reason": "no answer", "hint": null,
                    "unreachable": true,
                }],
                "warnings": [],
            })
        );
    }
}
