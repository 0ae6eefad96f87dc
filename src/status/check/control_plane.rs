//! Whether each istiod runs, answers, and sees what its other replicas see.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::called;
use super::reach::quoted;
use crate::fleet::Role;
use crate::inventory::ControlPlane;
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::view::View;
use crate::words::{SHOWN, some_of};

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "control-plane-missing",
        severity: Severity::Error,
        title: "A cluster that should run Istio's control plane runs none",
        explanation: "The fleet file says that the cluster is a primary (or no file says anything, and none of the \
                      clusters runs an istiod), and no Deployment labelled app=istiod is in it.",
        hint: "install it: `stolos apply`",
        restates_unread: false,
        check: missing,
    },
    Entry {
        code: "control-plane-none",
        severity: Severity::Info,
        title: "A cluster runs no control plane of its own",
        explanation: "Without a fleet file there is no telling whether it should: it may be a remote of another \
                      cluster, or no part of the mesh.",
        hint: "leave it out with `--exclude CONTEXT`, or write down what it is: `stolos init --from-mesh`",
        restates_unread: false,
        check: none,
    },
    Entry {
        code: "istiod-not-ready",
        severity: Severity::Error,
        title: "istiod is not rolled out",
        explanation: "The Deployment's current generation is not wholly available. While no istiod is ready, pods \
                      that are to be injected cannot start (the webhook fails closed) and proxies get no new \
                      configuration. An istiod that waits for a remote cluster is not ready for 30 seconds.",
        hint: "look at its pods: `kubectl -n NAMESPACE describe pods -l app=istiod`",
        restates_unread: false,
        check: not_ready,
    },
    Entry {
        code: "istiod-silent",
        severity: Severity::Warning,
        title: "An istiod did not say what it knows",
        explanation: "What each istiod reads and which gateways it knows is asked of each pod by port-forward. One \
                      that does not answer is not taken to agree with the others: what it sees is unknown.",
        hint: "allow `create` on `pods/portforward` in the namespace, or look at the pod's log",
        restates_unread: true,
        check: silent,
    },
    Entry {
        code: "replicas-disagree",
        severity: Severity::Error,
        title: "Replicas of one istiod see different meshes",
        explanation: "Each proxy is connected to one replica and gets that replica's view: where they differ, calls \
                      fail or not by chance.",
        hint: "restart the replica that sees less: `kubectl -n NAMESPACE delete pod POD`",
        restates_unread: false,
        check: disagree,
    },
];

fn missing(view: &View<'_>) -> Vec<Found> {
    let found = without_control_plane(view, |role, anywhere| match role {
        Some(role) => role.runs_control_planes(),
        None => !anywhere,
    });
    found.collect()
}

fn none(view: &View<'_>) -> Vec<Found> {
    without_control_plane(view, |role, anywhere| role.is_none() && anywhere).collect()
}

/// Clusters that are known to run no istiod, chosen by the role in the fleet file and by whether
/// another cluster runs one, or may.
fn without_control_plane<'view>(
    view: &'view View<'_>,
    chosen: impl Fn(Option<Role>, bool) -> bool + 'view,
) -> impl Iterator<Item = Found> + 'view {
    let anywhere = view
        .clusters
        .iter()
        .any(|cluster| !cluster.control_planes.is_absent());
    view.clusters
        .iter()
        .filter(|cluster| cluster.control_planes.is_absent())
        .filter(move |cluster| chosen(cluster.spec.map(|spec| spec.role), anywhere))
        .map(|cluster| Found::within(cluster.name, "no istiod is in it"))
}

fn not_ready(view: &View<'_>) -> Vec<Found> {
    view.control_planes()
        .filter(|(_, plane)| !plane.ready)
        .map(|(cluster, plane)| {
            let state = if plane.available < plane.wanted || plane.wanted == 0 {
                format!("{} of {} replicas available", plane.available, plane.wanted)
            } else {
                "a rollout is under way".to_owned()
            };
            Found::within(cluster.name, format!("{}: {state}", called(plane))).hint(format!(
                "look at its pods: `kubectl --context {} -n {} describe pods -l app=istiod`",
                quoted(cluster.context),
                plane.namespace
            ))
        })
        .collect()
}

fn silent(view: &View<'_>) -> Vec<Found> {
    let replicas = view
        .control_planes()
        .flat_map(|(cluster, plane)| plane.replicas.iter().map(move |replica| (cluster, replica)));
    replicas
        .filter_map(|(cluster, replica)| {
            let failures = [
                replica.clusterz.failure(),
                replica.networkz.failure(),
                replica.version.failure(),
            ];
            let failure = failures.into_iter().flatten().next()?;
            let message = format!("{}/{} did not answer: {failure}", replica.namespace, replica.pod);
            Some(Found::within(cluster.name, message))
        })
        .collect()
}

fn disagree(view: &View<'_>) -> Vec<Found> {
    view.control_planes()
        .filter_map(|(cluster, plane)| {
            let differing: Vec<String> = [
                ("clusters", clusters_seen(view, plane)),
                ("gateways", gateways_seen(view, plane)),
            ]
            .into_iter()
            .filter(|(_, views)| views.len() > 1)
            .map(|(what, views)| format!("{what}: {}", told(&views)))
            .collect();
            let message = format!("{}: {}", called(plane), differing.join("; "));
            (!differing.is_empty()).then(|| Found::within(cluster.name, message))
        })
        .collect()
}

/// What replicas see, with the pods that see it. A cluster that does not answer is left out: one
/// replica may have read it before, and another never.
type Views<'plane> = BTreeMap<Vec<String>, Vec<&'plane str>>;

fn clusters_seen<'plane>(view: &View<'_>, plane: &'plane ControlPlane<'_>) -> Views<'plane> {
    let mut views = Views::new();
    for replica in &plane.replicas {
        if let Some(said) = replica.clusterz.said() {
            let judged = said.iter().filter(|entry| !view.may_be_unreachable(&entry.id));
            let listed = judged.map(|entry| format!("{} {}", entry.id, entry.sync_status));
            views.entry(sorted(listed)).or_default().push(&replica.pod);
        }
    }
    views
}

fn gateways_seen<'plane>(view: &View<'_>, plane: &'plane ControlPlane<'_>) -> Views<'plane> {
    let mut views = Views::new();
    for replica in &plane.replicas {
        if let Some(said) = replica.networkz.said() {
            let judged = said
                .iter()
                .filter(|entry| !view.may_be_unreachable(&entry.cluster));
            let listed = judged.map(|entry| format!("{} at {}", entry.network, entry.addr));
            views.entry(sorted(listed)).or_default().push(&replica.pod);
        }
    }
    views
}

fn sorted(listed: impl Iterator<Item = String>) -> Vec<String> {
    let mut listed: Vec<String> = listed.collect();
    listed.sort_unstable();
    listed
}

fn told(views: &Views<'_>) -> String {
    let common = common(views);
    let told: Vec<String> = views
        .iter()
        .map(|(listed, pods)| {
            let own = listed.iter().filter(|listed| !common.contains(listed.as_str()));
            let own = some_of(own.map(String::as_str));
            let own = if own.is_empty() { "none" } else { &own };
            format!("{} sees {own}", pods.join(" and "))
        })
        .collect();
    let told = told.join(", ");
    if common.is_empty() {
        told
    } else {
        format!("{told}, beside {} that all of them see", common.len())
    }
}

/// What all see, where some see so much that the rest would not be found among it.
fn common<'views>(views: &'views Views<'_>) -> BTreeSet<&'views str> {
    if views.keys().all(|listed| listed.len() <= SHOWN) {
        return BTreeSet::new();
    }
    let mut listed = views.keys();
    let mut common: BTreeSet<&str> = listed.next().into_iter().flatten().map(String::as_str).collect();
    for listed in listed {
        let listed: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
        common.retain(|seen| listed.contains(seen));
    }
    common
}
