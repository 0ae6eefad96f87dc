//! Whether the clusters answer, and are who they should be.

use std::collections::BTreeMap;

pub use crate::inventory::hint::quoted;
use crate::inventory::{Failure, FailureClass};
use crate::mesh::guard::table::{Minor, RELEASES, release_of};
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::view::View;

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "cluster-unreachable",
        severity: Severity::Error,
        title: "A cluster did not answer",
        explanation: "Nothing is known of a cluster that does not answer this machine: the rest of the report is \
                      about the others. Its peers may still reach it; what their istiods say stands in the report.",
        hint: "check the context: `kubectl --context CONTEXT version`, `stolos contexts --probe`",
        restates_unread: true,
        check: unreachable,
    },
    Entry {
        code: "cluster-identity",
        severity: Severity::Error,
        title: "A context reaches another cluster than the fleet file pins",
        explanation: "A cluster is the UID of its kube-system namespace. The fleet file pins it, and the context now \
                      reaches a cluster with another one: the kubeconfig was changed, or the cluster was made anew. \
                      Nothing is written there.",
        hint: "correct the context; if the cluster was made anew: `stolos leave NAME --forget`, then `stolos join`",
        restates_unread: false,
        check: identity,
    },
    Entry {
        code: "cluster-twice",
        severity: Severity::Error,
        title: "Two names reach the same cluster",
        explanation: "Both contexts reach a kube-system namespace with the same UID. Linking a cluster with itself \
                      makes each endpoint appear twice.",
        hint: "take one of them out: `stolos leave NAME --forget`, or `--exclude CONTEXT`",
        restates_unread: false,
        check: twice,
    },
    Entry {
        code: "cluster-unread",
        severity: Severity::Warning,
        title: "A part of a cluster could not be read",
        explanation: "The cluster answered, but not to everything: most often a permission is missing. What depends \
                      on it is unknown in this report, and a mesh of which a part is unknown is not called healthy.",
        hint: "ask for `get` and `list` on it, or act as somebody who has it: `--as USER`",
        restates_unread: true,
        check: unread,
    },
    Entry {
        code: "kubernetes-too-old",
        severity: Severity::Error,
        title: "The API server is older than Istio supports",
        explanation: "Each release of Istio has an oldest version of Kubernetes (its MinK8SVersion) and refuses to \
                      install on an older one: `stolos mesh models` lists them.",
        hint: "upgrade the cluster, or choose an older Istio: `spec.mesh.version`",
        restates_unread: false,
        check: kubernetes_too_old,
    },
];

fn unreachable(view: &View<'_>) -> Vec<Found> {
    view.clusters
        .iter()
        .filter_map(|cluster| Some((cluster, cluster.seen.err()?)))
        .filter(|(_, failure)| failure.class != FailureClass::Identity)
        .map(|(cluster, failure)| {
            let message = format!("context {:?} gave nothing: {failure}", cluster.context);
            Found::within(cluster.name, message).hint(failure.hint(cluster.context))
        })
        .collect()
}

fn identity(view: &View<'_>) -> Vec<Found> {
    let refused = view
        .clusters
        .iter()
        .filter_map(|cluster| Some((cluster, cluster.seen.err()?)))
        .filter(|(_, failure)| failure.class == FailureClass::Identity)
        .map(|(cluster, failure)| Found::within(cluster.name, failure.message.clone()));
    let differing = view.seen().filter_map(|(cluster, inventory)| {
        let pinned = cluster.spec?.uid.as_deref()?;
        (!inventory.uid.is_empty() && pinned != inventory.uid).then(|| {
            let message = format!(
                "context {:?} reaches the cluster with the UID {}, the fleet file pins {pinned}",
                cluster.context, inventory.uid
            );
            Found::within(cluster.name, message)
        })
    });
    refused.chain(differing).collect()
}

fn twice(view: &View<'_>) -> Vec<Found> {
    let mut by_uid: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (cluster, inventory) in view.seen().filter(|(_, inventory)| !inventory.uid.is_empty()) {
        let name = format!("{} (context {:?})", cluster.name, cluster.context);
        by_uid.entry(&inventory.uid).or_default().push(name);
    }
    by_uid
        .into_iter()
        .filter(|(_, names)| names.len() > 1)
        .map(|(uid, names)| {
            Found::between(format!(
                "{} are one cluster, with the UID {uid}",
                names.join(" and ")
            ))
        })
        .collect()
}

fn unread(view: &View<'_>) -> Vec<Found> {
    view.seen()
        .filter(|(_, inventory)| !inventory.unread.is_empty())
        .map(|(cluster, inventory)| Found::within(cluster.name, told(&inventory.unread)))
        .collect()
}

/// What was not read: what is forbidden by its resources alone, anything else with its reason.
fn told(unread: &[Failure]) -> String {
    let mut forbidden: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut words = Vec::new();
    for failure in unread {
        if failure.class == FailureClass::Permission {
            let resources = forbidden.entry(&failure.verb).or_default();
            if !resources.contains(&failure.resource.as_str()) {
                resources.push(&failure.resource);
            }
        } else {
            words.push(failure.to_string());
        }
    }
    let forbidden = forbidden
        .into_iter()
        .map(|(verb, resources)| format!("it does not allow to {verb} {}", resources.join(", ")));
    forbidden.chain(words).collect::<Vec<_>>().join("; ")
}

fn kubernetes_too_old(view: &View<'_>) -> Vec<Found> {
    let needed_by = |version: Option<&str>| Some(release_of(version?)?.kubernetes.0);
    view.seen()
        .filter_map(|(cluster, inventory)| {
            let planes = cluster.planes();
            // Where nothing runs, what would be installed today.
            let needed = match planes.len() {
                0 => RELEASES.first().map(|release| release.kubernetes.0),
                _ => planes.iter().filter_map(|plane| needed_by(plane.version())).max(),
            };
            let is_too_old = Minor::of(&inventory.kubernetes_version)? < needed?;
            is_too_old.then(|| {
                let message = format!("its API server is {}", inventory.kubernetes_version);
                Found::within(cluster.name, message)
            })
        })
        .collect()
}
