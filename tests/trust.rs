//! Trust over every combination of states of two clusters, of the root on this machine and of the
//! pin: what the planner promises is held up against each, and its steps are carried out with real
//! signatures until nothing is left to do.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use stolos::fleet::{Fleet, FleetName};
use stolos::host::keys::{CaCertificates, RootKey, RootStore};
use stolos::inventory::{
    AuthoritySecret, ClusterInventory, Failure, FailureClass, Inventory, Object, Observation,
};
use stolos::plan::{Content, IntermediateProfile, Plan, Step};
use stolos::trust::{INTERMEDIATE_DAYS, KeyOnHand, RootOnHand, parse_bundle, plan, verify_chain};

const KEYS: [&str; 4] = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"];

/// What is found in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Ours,
    OursDue,
    OursExpired,
    OursWithoutKey,
    OursOfAnotherRoot,
    Foreign,
    ForeignOfAnotherRoot,
    SelfSignedForeign,
    SelfSignedOurs,
    Unreadable,
    Unreachable,
}

const EVERYTHING: [Found; 12] = [
    Found::Nothing,
    Found::Ours,
    Found::OursDue,
    Found::OursExpired,
    Found::OursWithoutKey,
    Found::OursOfAnotherRoot,
    Found::Foreign,
    Found::ForeignOfAnotherRoot,
    Found::SelfSignedForeign,
    Found::SelfSignedOurs,
    Found::Unreadable,
    Found::Unreachable,
];

/// What is on this machine of the fleet's root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hand {
    Empty,
    WithKey,
    WithoutKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pin {
    None,
    Fleets,
    Anothers,
}

/// Roots and a time, made once.
struct World {
    _home: TempDir,
    fleets: RootKey,
    anothers: RootKey,
    now: Timestamp,
}

fn fleet_name() -> FleetName {
    "prod".parse().expect("a name")
}

impl World {
    fn new() -> Self {
        let home = TempDir::new().expect("a directory");
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a time");
        // The roots are older than what is due and what has expired.
        let made = now - SignedDuration::from_hours(24 * 500);
        let root = |name: &str| {
            RootStore::managed(&home.path().join(name), &fleet_name())
                .make(&fleet_name(), None, made)
                .expect("a root")
        };
        Self {
            fleets: root("fleets"),
            anothers: root("anothers"),
            now,
            _home: home,
        }
    }

    fn on_hand(&self, hand: Hand) -> RootOnHand {
        let (certificate, key) = match hand {
            Hand::Empty => (None, KeyOnHand::Absent),
            Hand::WithKey => (Some(self.fleets.certificate().clone()), KeyOnHand::Plain),
            Hand::WithoutKey => (Some(self.fleets.certificate().clone()), KeyOnHand::Absent),
        };
        RootOnHand {
            certificate,
            key,
            ..RootOnHand::default()
        }
    }

    fn fleet(&self, pin: Pin) -> Fleet {
        let pins: Vec<&str> = match pin {
            Pin::None => Vec::new(),
            Pin::Fleets => vec![&self.fleets.certificate().sha256],
            Pin::Anothers => vec![&self.anothers.certificate().sha256],
        };
        serde_json::from_value(json!({
            "apiVersion": "stolos.dev/v1alpha1", "kind": "Fleet", "metadata": {"name": "prod"},
            "spec": {
                "clusters": [{"name": "east", "network": "a"}, {"name": "west", "network": "b"}],
                "trust": {"rootSha256": pins},
            },
        }))
        .expect("a fleet")
    }

    fn inventory(&self, found: [Found; 2]) -> Inventory {
        let mut inventory = Inventory::default();
        for (name, found) in ["east", "west"].into_iter().zip(found) {
            inventory
                .clusters
                .insert(name.parse().expect("a name"), self.observation(name, found));
        }
        inventory
    }

    fn observation(&self, name: &str, found: Found) -> Observation {
        if found == Found::Unreachable {
            return Observation::Unreachable {
                context: name.to_owned(),
                failure: Failure {
                    class: FailureClass::Timeout,
                    verb: "connect".to_owned(),
                    resource: "the cluster".to_owned(),
                    message: "no answer".to_owned(),
                },
            };
        }
        let mut cluster = ClusterInventory::default();
        let mut listed = |kind: &str, namespace: &str| {
            cluster.lists.insert(kind.to_owned(), vec![namespace.to_owned()]);
        };
        listed("v1/Namespace", "");
        listed("apps/v1/Deployment", "istio-system");
        if found != Found::Unreadable {
            listed("v1/Secret", "istio-system");
        }
        let day = SignedDuration::from_hours(24);
        let issue = |root: &RootKey, age: i64| {
            root.sign_intermediate(&profile(name), self.now - day * i32::try_from(age).expect("days"))
                .expect("an intermediate")
        };
        let fleets = &self.fleets;
        match found {
            Found::Nothing | Found::Unreadable | Found::Unreachable => {}
            Found::Ours => put(&mut cluster, &issue(fleets, 10), true),
            Found::OursDue => put(&mut cluster, &issue(fleets, 300), true),
            Found::OursExpired => put(&mut cluster, &issue(fleets, 400), true),
            Found::OursWithoutKey => {
                put(&mut cluster, &issue(fleets, 10), true);
                cluster.authorities[0].keys.retain(|key| key != "ca-key.pem");
            }
            Found::OursOfAnotherRoot => put(&mut cluster, &issue(&self.anothers, 10), true),
            Found::Foreign => put(&mut cluster, &issue(fleets, 10), false),
            Found::ForeignOfAnotherRoot => put(&mut cluster, &issue(&self.anothers, 10), false),
            Found::SelfSignedForeign | Found::SelfSignedOurs => {
                let labels = if found == Found::SelfSignedOurs {
                    json!({"app": "istiod", "app.kubernetes.io/managed-by": "stolos", "stolos.dev/fleet": "prod"})
                } else {
                    json!({"app": "istiod"})
                };
                cluster.objects.push(Object(json!({
                    "apiVersion": "apps/v1", "kind": "Deployment",
                    "metadata": {"name": "istiod", "namespace": "istio-system", "labels": labels},
                })));
                cluster.objects.push(Object(json!({
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": "istio-ca-root-cert", "namespace": "istio-system"},
                    "data": {"root-cert.pem": self.anothers.certificate().pem},
                })));
            }
        }
        Observation::Seen(Box::new(cluster))
    }
}

fn profile(cluster: &str) -> IntermediateProfile {
    IntermediateProfile {
        fleet: fleet_name(),
        cluster: cluster.parse().expect("a name"),
        namespace: "istio-system".to_owned(),
        trust_domain: "cluster.local".to_owned(),
        days: INTERMEDIATE_DAYS,
        root_sha256: String::new(),
        secret: Object(Value::Null),
    }
}

/// Puts a `cacerts` into a cluster, over the one that is there.
fn put(cluster: &mut ClusterInventory, files: &CaCertificates, ours: bool) {
    let labels = if ours {
        json!({"app.kubernetes.io/managed-by": "stolos", "stolos.dev/fleet": "prod"})
    } else {
        json!({})
    };
    cluster.objects.retain(|object| object.name() != "cacerts");
    cluster.objects.push(Object(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "cacerts", "namespace": "istio-system", "labels": labels},
    })));
    cluster
        .authorities
        .retain(|authority| authority.name != "cacerts");
    cluster.authorities.push(AuthoritySecret {
        namespace: "istio-system".to_owned(),
        name: "cacerts".to_owned(),
        keys: KEYS.map(str::to_owned).to_vec(),
        signing_certificate: files.certificate.clone(),
        chain: files.chain.clone(),
        roots: files.root.clone(),
        key_matches: Some(true),
        managed_by_stolos: ours,
        ..AuthoritySecret::default()
    });
}

/// Carries out a plan as `apply` does, with real signatures.
fn carry_out(world: &World, plan: &Plan, inventory: &mut Inventory, store: &RootStore, known: bool) {
    let mut made = None;
    for step in &plan.steps {
        match &step.content {
            Content::MakeRoot => {
                assert!(!known, "a root is made although there is one");
                made = Some(store.make(&fleet_name(), None, world.now).expect("a root"));
            }
            Content::IssueIntermediate(profile) => {
                let root = made.as_ref().unwrap_or(&world.fleets);
                let files = root
                    .sign_intermediate(profile, world.now)
                    .expect("an intermediate");
                let Some(Observation::Seen(cluster)) = inventory.clusters.get_mut(&step.cluster) else {
                    panic!("{} is written and was not seen", step.cluster);
                };
                put(cluster, &files, true);
            }
            other => panic!("trust does not do this: {other:?}"),
        }
    }
}

fn is_for<'plan>(step: &'plan Step, cluster: &str) -> Option<&'plan IntermediateProfile> {
    match &step.content {
        Content::IssueIntermediate(profile) if step.cluster.as_str() == cluster => Some(profile),
        _ => None,
    }
}

#[test]
fn every_combination_keeps_the_promises_and_comes_to_rest() {
    let world = World::new();
    let home = TempDir::new().unwrap();
    let mut number = 0;
    for east in EVERYTHING {
        for west in EVERYTHING {
            for hand in [Hand::Empty, Hand::WithKey, Hand::WithoutKey] {
                for pin in [Pin::None, Pin::Fleets, Pin::Anothers] {
                    number += 1;
                    one(
                        &world,
                        [east, west],
                        hand,
                        pin,
                        &home.path().join(number.to_string()),
                    );
                }
            }
        }
    }
    assert_eq!(number, 12 * 12 * 3 * 3);
}

fn one(world: &World, found: [Found; 2], hand: Hand, pin: Pin, directory: &Path) {
    let case = format!("{found:?} {hand:?} {pin:?}");
    let fleet = world.fleet(pin);
    let on_hand = world.on_hand(hand);
    let mut inventory = world.inventory(found);
    let planned = plan(&fleet, &inventory, &on_hand, world.now, false);

    let root_steps = planned
        .steps
        .iter()
        .filter(|step| step.content == Content::MakeRoot)
        .count();
    if root_steps > 0 {
        // Nothing was on this machine, nothing pinned, and every cluster was seen to carry nothing.
        assert_eq!(root_steps, 1, "{case}");
        assert_eq!(
            (hand, pin, found),
            (Hand::Empty, Pin::None, [Found::Nothing; 2]),
            "{case}"
        );
    }
    for (name, found) in ["east", "west"].into_iter().zip(found) {
        let step = planned.steps.iter().find(|step| is_for(step, name).is_some());
        let blocked = planned
            .blocked
            .iter()
            .find(|entry| entry.cluster.as_str() == name);
        assert!(step.is_none() || blocked.is_none(), "{case}: {name} is both");
        let written = step.is_some();
        match found {
            // What is not ours, what serves another root, and what was not seen is not written.
            Found::Foreign
            | Found::ForeignOfAnotherRoot
            | Found::SelfSignedForeign
            | Found::OursOfAnotherRoot
            | Found::Ours => assert!(!written, "{case}: {name}"),
            Found::Unreadable | Found::Unreachable => {
                assert!(!written, "{case}: {name}");
                assert!(
                    blocked.is_some_and(|blocked| blocked.unreachable),
                    "{case}: {name}"
                );
            }
            // What is missing or of no use is written, or it is said why not.
            Found::Nothing | Found::OursExpired | Found::OursWithoutKey | Found::SelfSignedOurs => {
                assert!(written || blocked.is_some(), "{case}: {name}");
            }
            Found::OursDue => {}
        }
        if found == Found::SelfSignedOurs && written {
            assert!(step.is_some_and(|step| step.disruptive), "{case}: {name}");
        }
        // Only the root on this machine signs, and only where the fleet file does not say otherwise.
        if written && root_steps == 0 {
            assert_eq!(hand, Hand::WithKey, "{case}");
            assert_ne!(pin, Pin::Anothers, "{case}");
        }
        // Two roots that do not agree are named both.
        if pin == Pin::Fleets && matches!(found, Found::OursOfAnotherRoot | Found::ForeignOfAnotherRoot) {
            let reason = &blocked.expect("another root is refused").reason;
            assert!(
                reason.contains(&world.fleets.certificate().sha256),
                "{case}: {reason}"
            );
            assert!(
                reason.contains(&world.anothers.certificate().sha256),
                "{case}: {reason}"
            );
        }
    }

    let store = RootStore::managed(directory, &fleet_name());
    carry_out(world, &planned, &mut inventory, &store, hand != Hand::Empty);
    let on_hand = if root_steps > 0 {
        store.inspect(world.now)
    } else {
        on_hand
    };
    let after = plan(&fleet, &inventory, &on_hand, world.now, false);
    assert!(after.steps.is_empty(), "{case}: {:?}", after.steps);
    assert_eq!(after.blocked.len(), planned.blocked.len(), "{case}");
    // What was written verifies under the root that was to sign it.
    for step in &planned.steps {
        if matches!(step.content, Content::IssueIntermediate(_)) {
            let cluster = inventory.seen(&step.cluster).expect("it was seen");
            let authority = &cluster.authorities[0];
            let intermediate = parse_bundle(&authority.signing_certificate).expect("a certificate");
            let roots = parse_bundle(&authority.roots).expect("a root");
            assert_eq!(Some(roots[0].sha256.as_str()), on_hand.sha256(), "{case}");
            verify_chain(&intermediate[0], &[], &roots, world.now).expect("it verifies");
        }
    }
    if root_steps > 0 {
        fs::remove_dir_all(directory).expect("the root that this case made");
    }
}
