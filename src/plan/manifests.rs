//! A plan as plain manifests, for `kubectl` or whoever else applies what was approved elsewhere
//! (`plan -o manifests`): what is created and updated, cluster by cluster and in the plan's order.
//! Secrets are named and not shown; what is deleted and awaited stands beside as comments.

use super::ownership::FIELDS_MANAGER;
use super::{Content, Plan, STAND_IN, Step};
use crate::fleet::{ClusterName, Fleet};
use crate::inventory::Object;
use crate::inventory::hint::quoted;
use crate::link::secret::CONFIGURATION_KEY;
use crate::yaml;

/// The manifests, as a stream of YAML documents.
pub fn text(plan: &Plan, fleet: &Fleet) -> String {
    let mut text = String::new();
    for cluster in &fleet.spec.clusters {
        let of_cluster = |of: &ClusterName| *of == cluster.name;
        let steps: Vec<&Step> = plan
            .steps
            .iter()
            .filter(|step| of_cluster(&step.cluster))
            .collect();
        let blocked: Vec<_> = plan
            .blocked
            .iter()
            .filter(|blocked| of_cluster(&blocked.cluster))
            .collect();
        if steps.is_empty() && blocked.is_empty() {
            continue;
        }
        text.push_str(&format!(
            "# {0}: stolos plan --cluster {0} -o manifests | kubectl --context {1} apply --server-side \
             --field-manager=stolos -f -\n",
            cluster.name,
            cluster.context()
        ));
        for blocked in blocked {
            text.push_str(&comment(&format!("blocked, and not here: {}", blocked.reason)));
        }
        for step in steps {
            text.push_str(&manifest(step));
        }
    }
    text
}

fn manifest(step: &Step) -> String {
    let document = |object: &Object| {
        let text = yaml::to_string(object).unwrap_or_default();
        format!("---\n{}\n", text.trim_end())
    };
    let named = |what: &str| comment(&format!("{what}: {}: {}", step.object, step.reason));
    match &step.content {
        Content::Apply(object) => document(object),
        // Under another field manager, by which it is known again.
        Content::Label(object) => {
            let text = yaml::to_string(object).unwrap_or_default();
            comment(&format!(
                "by itself, with --field-manager={FIELDS_MANAGER}:\n{}",
                text.trim_end()
            ))
        }
        Content::Merge(changes) => comment(&format!(
            "{}: {}:\nkubectl patch {} {} --type=merge --patch={}",
            step.object,
            step.reason,
            step.object.kind.to_lowercase(),
            step.object.name,
            quoted(&changes.to_string())
        )),
        Content::ApplyAtAddress(object, awaited) => {
            let stand_in = format!(
                "in the next document {STAND_IN} stands for the address of {} in {}",
                awaited.service, awaited.cluster
            );
            format!("{}{}", comment(&stand_in), document(object))
        }
        // An istiod that starts before its intermediate is there signs for itself, and stays so.
        Content::IssueIntermediate(_) => named("not here, and needed before what follows"),
        // An istiod that starts before it reads the cluster that it runs in.
        Content::RemoteSecret(content) if content.key == CONFIGURATION_KEY => {
            named("not here, for it holds a token, and needed before what follows")
        }
        Content::RemoteSecret(_) => named("not here, for it holds a token"),
        Content::MakeRoot => named("not here"),
        Content::Delete { .. } => named("delete"),
        Content::Await(_) => named("wait"),
    }
}

fn comment(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("# {line}\n")).collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fleet::Area;
    use crate::inventory::{ClusterInventory, ObjectReference};
    use crate::plan::draft::Draft;
    use crate::plan::{Action, Gate, IntermediateProfile};

    #[test]
    fn manifests_are_documents_and_the_rest_is_said() {
        let fleet: Fleet = yaml::from_str(
            "{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {name: prod}, spec: {clusters: [
              {name: east, context: prod-east, network: a}, {name: west, network: b}]}}",
        )
        .unwrap();
        let east = &fleet.spec.clusters[0].name;
        let seen = ClusterInventory::default();
        let mut draft = Draft::new(east, Area::Mesh, &seen, &fleet.metadata.name);
        let map =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "n"}});
        let map = Object(map);
        let cacerts = ObjectReference::new("v1", "Secret", "n", "cacerts");
        let profile = IntermediateProfile {
            fleet: fleet.metadata.name.clone(),
            cluster: east.clone(),
            namespace: "n".to_owned(),
            trust_domain: String::new(),
            days: 1,
            root_sha256: String::new(),
            secret: Object(json!({"kind": "Secret", "data": {"ca-key.pem": "never"}})),
        };
        let issue = Content::IssueIntermediate(profile);
        draft.step(Action::Create, cacerts, "it has none", &[], issue);
        draft.step(
            Action::Create,
            map.reference(),
            "needed",
            &[],
            Content::Apply(map.clone()),
        );
        draft.step(
            Action::Wait,
            map.reference(),
            "it must go",
            &[],
            Content::Await(Gate::Gone),
        );
        let shown = text(&draft.plan, &fleet);
        assert_eq!(
            shown,
            "# east: stolos plan --cluster east -o manifests | kubectl --context prod-east apply --server-side \
             --field-manager=stolos -f -\n\
             # not here, and needed before what follows: Secret n/cacerts: it has none\n\
             ---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: istio\n  namespace: n\n\
             # wait: ConfigMap n/istio: it must go\n"
        );
        assert_eq!(yaml::documents(&shown).unwrap(), [map.0]);
    }
}
