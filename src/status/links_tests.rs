//! Links weighed together are the same as links weighed one by one, whatever the world.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::fleet::Fleet;
use crate::inventory::Inventory;
use crate::status::link_report::LinkReport;

/// Small numbers, the same for the same seed (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.below(2);
        dice
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn of<'list>(&mut self, list: &[&'list str]) -> &'list str {
        list[self.below(list.len())]
    }
}

const NAMES: [&str; 7] = ["a", "b", "c", "config", "e", "f", "g"];
/// What keys, environments and istiods may call a cluster.
const IDS: [&str; 10] = [
    "a",
    "b",
    "c",
    "config",
    "e",
    "f",
    "g",
    "Kubernetes",
    "twin",
    "gone",
];

/// Clusters with any ID, read or not, with remote secrets and istiods that say anything.
fn world(dice: &mut Dice) -> (Inventory, Option<Fleet>) {
    let names = &NAMES[..2 + dice.below(NAMES.len() - 1)];
    let mut clusters = json!({});
    for name in names {
        clusters[*name] = if dice.chance(20) {
            let message = dice.of(&["refused", "no answer"]);
            json!({"unreachable": {"context": name, "failure": {
                "class": "tcp", "verb": "connect", "resource": "/", "message": message,
            }}})
        } else {
            json!({ "seen": cluster(name, dice) })
        };
    }
    let inventory = serde_json::from_value(json!({ "clusters": clusters })).unwrap();
    let fleet = dice.chance(60).then(|| {
        let mut members = Vec::new();
        for name in NAMES {
            let role = dice.of(&["primary", "primary", "primary", "remote", "external"]);
            if dice.chance(80) {
                members.push(json!({"name": name, "context": name, "role": role}));
            }
        }
        let fleet = json!({"apiVersion": "stolos.dev/v1alpha1", "kind": "Fleet",
            "metadata": {"name": "random"}, "spec": {"clusters": members}});
        serde_json::from_value(fleet).unwrap()
    });
    (inventory, fleet)
}

fn cluster(name: &str, dice: &mut Dice) -> Value {
    let id = if dice.chance(60) {
        name
    } else {
        dice.of(&["Kubernetes", "twin", "a", ""])
    };
    let mut objects = Vec::new();
    for (namespace, likely) in [("istio-system", 85), ("other", 20)] {
        if dice.chance(likely) {
            objects.push(json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "istiod", "namespace": namespace, "labels": {"app": "istiod"}},
                "spec": {"template": {"spec": {"containers": [
                    {"name": "discovery", "env": [{"name": "CLUSTER_ID", "value": id}]},
                ]}}},
            }));
        }
    }
    let mut lists = json!({});
    for list in [
        "v1/Secret?istio/multiCluster=true",
        "apps/v1/Deployment?app=istiod",
    ] {
        if dice.chance(90) {
            lists[list] = json!([""]);
        }
    }
    let rate = dice.below(3);
    let secrets: Vec<Value> = (0..dice.below(6) * rate)
        .map(|number| {
            json!({
                "namespace": dice.of(&["istio-system", "istio-system", "other"]),
                "name": format!("s{number}"),
                "createdAt": dice.of(&["2026-01-01", "2026-01-02"]),
                "entries": [{
                    "clusterId": dice.of(&IDS),
                    "kind": dice.of(&["other", "other", "other", "tokenSecret"]),
                    "expiresAt": dice.of(&["", "", "", "2026-05-01T00:00:00Z"]),
                    "problem": dice.of(&["", "", "", "", "no kubeconfig"]),
                }],
            })
        })
        .collect();
    let replicas: Vec<Value> = (0..dice.below(4))
        .map(|number| {
            let silent = json!({"silent": {
                "class": "timeout", "verb": "get", "resource": "clusterz", "message": "slow",
            }});
            let clusterz = if dice.chance(15) {
                silent.clone()
            } else {
                json!({ "said": listed(&secrets, rate, dice) })
            };
            json!({
                "namespace": dice.of(&["istio-system", "istio-system", "other"]),
                "pod": format!("p{number}"), "revision": "default", "ready": true,
                "version": {"said": "1.31.2"}, "clusterz": clusterz, "networkz": silent,
            })
        })
        .collect();
    json!({"objects": objects, "lists": lists, "remoteSecrets": secrets, "replicas": replicas})
}

/// What a replica lists: what came of the Secrets, and anything else.
fn listed(secrets: &[Value], rate: usize, dice: &mut Dice) -> Vec<Value> {
    let mut listed: Vec<Value> = secrets
        .iter()
        .map(|secret| {
            let part = |field: &str| secret[field].as_str().unwrap_or_default();
            json!({
                "id": secret["entries"][0]["clusterId"],
                "secretName": format!("{}/{}", part("namespace"), part("name")),
                "syncStatus": dice.of(&["synced", "synced", "synced", "synced", "syncing", "closed"]),
            })
        })
        .collect();
    for _ in 0..dice.below(3) * rate {
        listed.push(json!({
            "id": dice.of(&IDS),
            "secretName": dice.of(&["", "istio-system/s0", "istio-system/s1", "other/s2"]),
            "syncStatus": dice.of(&["synced", "syncing", "timeout", "strange"]),
        }));
    }
    listed
}

#[test]
fn links_weighed_together_are_the_same_as_one_by_one() {
    let mut states: BTreeMap<LinkState, usize> = BTreeMap::new();
    let mut together = 0;
    for seed in 0..1500 {
        let (inventory, fleet) = world(&mut Dice::new(seed));
        let view = View::new(
            &inventory,
            fleet.as_ref(),
            None,
            "2026-06-01T00:00:00Z".parse().unwrap(),
        );
        let everybody = |_: &Reader<'_, '_>| -> BTreeSet<&str> {
            view.clusters
                .iter()
                .map(|cluster| cluster.name.as_str())
                .collect()
        };
        let singly = Weighing::of(&view, everybody).links();
        let found: Vec<LinkReport<'_>> = view.links.iter().collect();
        assert_eq!(found, singly.iter().collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(found.len(), view.links.len(), "seed {seed}");
        for link in &found {
            *states.entry(link.state).or_default() += 1;
        }
        together += found.len() - view.links.groups().len();
        assert_in_order(&view, &found, seed);
    }
    let scarce: Vec<_> = states.iter().filter(|(_, count)| **count < 20).collect();
    assert!(
        states.len() == 8 && scarce.is_empty(),
        "too few to tell: {states:?}"
    );
    assert!(together > 1000, "too few that are kept together: {together}");
}

/// By reader, then the clusters by name, then the strangers by ID.
fn assert_in_order(view: &View<'_>, links: &[LinkReport<'_>], seed: u64) {
    let readers: Vec<&str> = links.iter().map(|link| link.inside).collect();
    assert!(readers.is_sorted(), "seed {seed}: {readers:?}");
    for links in links.chunk_by(|one, next| one.inside == next.inside) {
        // A cluster's name can be a stranger's ID as well, after all clusters.
        let mut falls = links.windows(2).filter(|pair| pair[0].to >= pair[1].to);
        let first = falls.next();
        assert!(falls.next().is_none(), "seed {seed}: {links:?}");
        assert!(
            first.is_none_or(|pair| view.cluster(pair[0].to).is_some()),
            "seed {seed}: {links:?}"
        );
    }
}

#[test]
fn ranges_are_cut() {
    assert_eq!(without(&[0..5, 7..9], &[0, 2, 3, 6, 8]), [1..2, 4..5, 7..8]);
    assert_eq!(without(&[3..4, 6..8, 9..10], &[3]), [6..8, 9..10]);
    assert_eq!(without(&[3..5, 6..8], &[]), [3..5, 6..8]);
}
