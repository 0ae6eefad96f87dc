//! A plan as plain manifests, for `kubectl` or whoever else applies what was approved elsewhere
//! (`plan -o manifests`): what is created and updated, cluster by cluster and in the plan's order.
//! Secrets are named and not shown, or referred to where a store holds them; what is deleted and awaited
//! stands beside as comments.

use serde_json::{Value, json};

use super::ownership::FIELDS_MANAGER;
use super::secret_store::{SecretStore, key};
use super::{Action, Content, Plan, STAND_IN, Step};
use crate::fleet::{ClusterName, ClusterSpec, Fleet, Root};
use crate::inventory::hint::quoted;
use crate::inventory::{ClusterInventory, Inventory, Object, Presence, kind};
use crate::link::secret::CONFIGURATION_KEY;
use crate::trust::carried::{CACERTS, CACERTS_KEYS};
use crate::yaml;

/// The manifests, as a stream of YAML documents; with references to what a store holds, where there is one.
pub fn text(plan: &Plan, fleet: &Fleet, inventory: &Inventory, store: Option<&SecretStore>) -> String {
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
        let chosen = store.map(|store| format!(" --secret-store {}", quoted(&store.to_string())));
        text.push_str(&format!(
            "# {0}: stolos plan --cluster {0} -o manifests{1} | kubectl --context {2} apply --server-side \
             --field-manager=stolos -f -\n",
            cluster.name,
            chosen.unwrap_or_default(),
            cluster.context()
        ));
        for blocked in blocked {
            text.push_str(&comment(&format!("blocked, and not here: {}", blocked.reason)));
        }
        let mut awaited = awaited(&steps);
        let mut provided = provided(fleet, cluster, inventory).filter(|_| store.is_some());
        awaited.extend(provided.as_ref().map(|_| CACERTS));
        for step in steps {
            if let Some(store) = store.filter(|_| is_first_istiod(step))
                && let Some(secret) = provided.take()
            {
                text.push_str(&reference(step, fleet, store, &secret, &CACERTS_KEYS));
            }
            text.push_str(&manifest(step, fleet, store, &awaited));
        }
    }
    text
}

/// The intermediate that somebody else provides and that is not there yet: a store, where there is one.
fn provided(fleet: &Fleet, cluster: &ClusterSpec, inventory: &Inventory) -> Option<Object> {
    let secret = kind::SECRET.reference(cluster.system_namespace(), CACERTS);
    let is_absent = |seen: &ClusterInventory| matches!(seen.presence(&secret), Presence::Absent);
    let is_provided = fleet.spec.trust.root == Root::External && cluster.role.runs_control_planes();
    let lacks = inventory.seen(&cluster.name).is_some_and(is_absent);
    (is_provided && lacks).then(|| {
        Object(json!({
            "apiVersion": secret.api_version, "kind": secret.kind,
            "metadata": {"name": secret.name, "namespace": secret.namespace},
        }))
    })
}

/// Whether a step makes a control plane where there was none.
fn is_first_istiod(step: &Step) -> bool {
    matches!(&step.content, Content::Apply(object) if step.action == Action::Create
        && object.is_of(kind::DEPLOYMENT) && object.label("app") == Some("istiod"))
}

/// The Secrets of these steps that an istiod reads when it starts, and starts otherwise without.
fn awaited<'plan>(steps: &[&'plan Step]) -> Vec<&'plan str> {
    let read_at_start = |step: &&&Step| match &step.content {
        Content::IssueIntermediate(_) => true,
        Content::RemoteSecret(content) => content.key == CONFIGURATION_KEY,
        _ => false,
    };
    let steps = steps.iter().filter(read_at_start);
    steps.map(|step| step.object.name.as_str()).collect()
}

/// The Deployment whose pods wait for these Secrets: the charts mount them where they stand, and let a pod start
/// that has none.
fn waiting_for(mut object: Object, awaited: &[&str]) -> Object {
    let volumes = object.0.pointer_mut("/spec/template/spec/volumes");
    for volume in volumes.and_then(Value::as_array_mut).into_iter().flatten() {
        let is_awaited = volume["secret"]["secretName"]
            .as_str()
            .is_some_and(|name| awaited.contains(&name));
        if is_awaited {
            volume["secret"]["optional"] = false.into();
        }
    }
    object
}

fn document(object: &Object) -> String {
    let text = yaml::to_string(object).unwrap_or_default();
    format!("---\n{}\n", text.trim_end())
}

/// A reference to what a store holds, in place of a Secret with these keys.
fn reference(step: &Step, fleet: &Fleet, store: &SecretStore, secret: &Object, keys: &[&str]) -> String {
    let name = &fleet.metadata.name;
    let held = format!(
        "{store} holds it as {}, with {}",
        key(name, &step.cluster, secret),
        keys.join(", ")
    );
    let reference = store.reference(name, &step.cluster, secret, keys);
    format!("{}{}", comment(&held), document(&reference))
}

fn manifest(step: &Step, fleet: &Fleet, store: Option<&SecretStore>, awaited: &[&str]) -> String {
    let named = |what: &str| comment(&format!("{what}: {}: {}", step.object, step.reason));
    let referred = |secret: &Object, keys: &[&str], otherwise: &str| match store {
        None => named(otherwise),
        Some(store) => reference(step, fleet, store, secret, keys),
    };
    match &step.content {
        Content::Apply(object) if object.is_of(kind::DEPLOYMENT) => {
            document(&waiting_for(object.clone(), awaited))
        }
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
        Content::IssueIntermediate(profile) => referred(
            &profile.secret,
            &CACERTS_KEYS,
            "not here, and what follows waits for it",
        ),
        Content::RemoteSecret(content) => {
            // An istiod that starts before reads the cluster that it runs in.
            let otherwise = match content.key == CONFIGURATION_KEY {
                true => "not here, for it holds a token, and what follows waits for it",
                false => "not here, for it holds a token",
            };
            referred(&content.secret, &[&content.key], otherwise)
        }
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
    use super::*;
    use crate::fleet::Area;
    use crate::inventory::ObjectReference;
    use crate::plan::draft::Draft;
    use crate::plan::{Gate, IntermediateProfile};

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
        let shown = text(&draft.plan, &fleet, &Inventory::default(), None);
        assert_eq!(
            shown,
            "# east: stolos plan --cluster east -o manifests | kubectl --context prod-east apply --server-side \
             --field-manager=stolos -f -\n\
             # not here, and what follows waits for it: Secret n/cacerts: it has none\n\
             ---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: istio\n  namespace: n\n\
             # wait: ConfigMap n/istio: it must go\n"
        );
        assert_eq!(yaml::documents(&shown).unwrap(), [map.0]);
    }

    #[test]
    fn istiod_waits_for_what_a_store_holds() {
        let fleet: Fleet = yaml::from_str(
            "{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {name: prod}, spec: {clusters: [
              {name: east, context: prod-east, network: a}]}}",
        )
        .unwrap();
        let east = &fleet.spec.clusters[0].name;
        let seen = ClusterInventory::default();
        let mut draft = Draft::new(east, Area::Mesh, &seen, &fleet.metadata.name);
        let cacerts = ObjectReference::new("v1", "Secret", "n", "cacerts");
        let profile = IntermediateProfile {
            fleet: fleet.metadata.name.clone(),
            cluster: east.clone(),
            namespace: "n".to_owned(),
            trust_domain: String::new(),
            days: 1,
            root_sha256: String::new(),
            secret: Object(json!({"kind": "Secret", "metadata": {"name": "cacerts", "namespace": "n"}})),
        };
        let issue = Content::IssueIntermediate(profile);
        draft.step(Action::Create, cacerts, "it has none", &[], issue);
        let istiod = Object(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "istiod", "namespace": "n"},
            "spec": {"template": {"spec": {"volumes": [
                {"name": "cacerts", "secret": {"secretName": "cacerts", "optional": true}},
                {"name": "other", "secret": {"secretName": "other", "optional": true}},
            ]}}},
        }));
        let reference = istiod.reference();
        draft.step(
            Action::Create,
            reference,
            "there is none",
            &[],
            Content::Apply(istiod),
        );
        let store = "vault".parse().unwrap();
        let shown = text(&draft.plan, &fleet, &Inventory::default(), Some(&store));
        let documents = yaml::documents(&shown).unwrap();
        assert_eq!(documents[0]["kind"], "ExternalSecret");
        assert_eq!(documents[0]["spec"]["data"].as_array().map(Vec::len), Some(4));
        let volumes = &documents[1]["spec"]["template"]["spec"]["volumes"];
        assert_eq!(volumes[0]["secret"]["optional"], false);
        assert_eq!(volumes[1]["secret"]["optional"], true);
        assert!(
            shown.contains(
                "# ClusterSecretStore/vault holds it as prod--east--n--cacerts, with ca-cert.pem, ca-key.pem, \
                 cert-chain.pem, root-cert.pem\n"
            ),
            "{shown}"
        );
        assert!(
            shown.contains("-o manifests --secret-store ClusterSecretStore/vault |"),
            "{shown}"
        );
    }
}
