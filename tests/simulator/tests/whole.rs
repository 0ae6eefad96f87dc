//! Whole fleets: a thousand clusters, and what the real binary makes of a simulated mesh.

use std::collections::BTreeSet;
use std::time::Duration;

use simulator::audit::Entry;
use simulator::{Content, Credential, Detail, Length, Options};

use crate::client::get;
use crate::fleet;
use crate::used::Used;

#[test]
fn a_thousand_clusters_are_a_thousand_clusters() {
    let (fleet, runtime) = fleet(Options {
        clusters: 1000,
        detail: Detail::Counts,
        ..Options::default()
    });
    let ports: BTreeSet<u16> = fleet
        .clusters()
        .iter()
        .map(|cluster| cluster.address.port())
        .collect();
    let uids: BTreeSet<&str> = fleet
        .clusters()
        .iter()
        .map(|cluster| cluster.uid.as_str())
        .collect();
    assert_eq!((ports.len(), uids.len()), (1000, 1000));
    runtime.block_on(async {
        for number in [1, 500, 1000] {
            let cluster = fleet.cluster(number);
            let path = "/api/v1/namespaces/kube-system";
            let (status, namespace) = get(&fleet, cluster, true, path).await.unwrap();
            assert_eq!(
                (status, &namespace["metadata"]["uid"]),
                (200, &cluster.uid.as_str().into())
            );
            let path = "/api/v1/namespaces?labelSelector=topology.istio.io%2Fnetwork";
            let (_, list) = get(&fleet, cluster, true, path).await.unwrap();
            let network = &list["items"][0]["metadata"]["labels"]["topology.istio.io/network"];
            assert_eq!(*network, format!("network-{number:04}"));
        }
    });
}

#[test]
fn a_linked_mesh_is_healthy_and_has_nothing_to_do() {
    for credential in [Credential::Token, Credential::Certificate] {
        let used = Used::new(Options {
            clusters: 3,
            content: Content::Linked(2),
            credential,
            ..Options::default()
        });
        used.must(&["status", "--context", "sim-*"]);
        assert_eq!(used.fleet.counts().writes, 0);
    }
}

#[test]
fn a_mesh_is_linked_and_then_has_nothing_to_do() {
    let used = Used::new(Options {
        clusters: 3,
        ..Options::default()
    });
    assert_eq!(used.stolos(&["status"]).status.code(), Some(3));
    used.must(&["apply", "--yes"]);
    let writes = used.fleet.counts().writes;
    // In each of three: what names the objects, the token's Secret, a remote secret for each peer.
    assert_eq!(writes, 3 * 4);
    used.must(&["status"]);
    used.must(&["apply", "--yes"]);
    assert_eq!(used.fleet.counts().writes, writes);
}

#[test]
fn an_istiod_is_asked_once_for_all_who_wait_for_it() {
    let used = Used::new(Options {
        clusters: 12,
        length: Length {
            round_trip: Duration::from_millis(50),
            bandwidth: None,
        },
        ..Options::default()
    });
    used.must(&["apply", "--yes"]);
    let entries = used.fleet.audit.entries();
    let forwards = |cluster: usize| {
        let is_forward = |entry: &&Entry| entry.cluster == cluster && entry.target.contains("/portforward");
        entries.iter().filter(is_forward).count()
    };
    // Once to plan; then, where each of eleven links is waited for alone, at least eleven times.
    for cluster in 1..=12 {
        let forwards = forwards(cluster);
        assert!(
            (2..10).contains(&forwards),
            "{forwards} port-forwards to {cluster}"
        );
    }
}
