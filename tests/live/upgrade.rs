//! From one revision to another, and back, while somebody keeps asking what istiods read.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::everything::everything;
use crate::fleet::Fleet;
use crate::harness::{Lab, must, run};
use crate::istiod::word_of;

/// Ends whoever watches, also where the test fails.
struct Over<'test>(&'test AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Asks the istiods of a cluster until it is over, and gives what was wrong at any moment, and how often
/// they were asked: of those that answer at a moment, some one must have read each cluster.
fn watch(lab: &Lab, number: u8, over: &AtomicBool) -> (usize, Vec<String>) {
    let mut rounds = 0;
    let mut wrong = Vec::new();
    let list = ["-n", "istio-system", "get", "pods", "-l", "app=istiod"];
    while !over.load(Ordering::Relaxed) {
        let pods = must(lab.kubectl(&lab.context(number), &list).args(["-o", "name"]));
        let said: Vec<_> = pods
            .lines()
            .map(|pod| (pod, word_of(lab, number, pod, "/debug/clusterz")))
            .collect();
        let mut read = BTreeSet::new();
        for (_, word) in &said {
            let entries = word.as_ref().ok().and_then(Value::as_array).into_iter().flatten();
            let synced = entries.filter(|entry| entry["syncStatus"] == "synced");
            read.extend(synced.filter_map(|entry| entry["id"].as_str().map(str::to_owned)));
        }
        let all = [1, 2].map(|number| lab.context(number));
        if !all.iter().all(|name| read.contains(name)) {
            wrong.push(format!("cluster {number} reads {read:?}: {said:?}"));
        }
        rounds += 1;
    }
    (rounds, wrong)
}

/// Takes a step of the upgrade, and carries it out.
fn step(fleet: &Fleet, arguments: &[&str], flags: &[&str]) {
    must(fleet.lab.stolos(&[&["mesh", "upgrade"], arguments].concat()));
    let apply = ["apply", "--yes"];
    must(fleet.lab.stolos(&[&apply[..], flags].concat()));
    fleet.until_settled();
}

/// The revision whose istiod a Pod of a namespace with a label is led to.
fn led_to(fleet: &Fleet, number: u8, label: &str) -> &'static str {
    let pod = fleet.injected_in(number, label);
    assert!(pod.contains("istio-proxy"), "{pod}");
    match pod.contains("istiod-canary.istio-system.svc") {
        true => "canary",
        false => "default",
    }
}

/// The labels and annotations of the namespace `shop`, in both clusters.
fn shop(fleet: &Fleet) -> Vec<(Value, Value)> {
    let shops = (1..=2).map(|number| fleet.object(number, &["namespace", "shop"]));
    shops
        .map(|shop| {
            (
                shop["metadata"]["labels"].clone(),
                shop["metadata"]["annotations"].clone(),
            )
        })
        .collect()
}

#[test]
fn a_mesh_goes_from_one_revision_to_another_without_a_gap() {
    let fleet = Fleet::init("revise", 2);
    let before: Vec<_> = (1..=2).map(|number| everything(&fleet, number)).collect();
    must(fleet.lab.stolos(&["apply", "--yes"]));
    fleet.until_settled();
    for number in 1..=2 {
        let shop =
            "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}";
        fleet.lab.apply(&fleet.lab.context(number), shop);
    }
    let shop_before = shop(&fleet);
    let (enabled, asked) = ("istio-injection=enabled", "istio.io/rev=canary");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watched = [1, 2].map(|number| {
            let (lab, over) = (&fleet.lab, &over);
            scope.spawn(move || watch(lab, number, over))
        });
        let ends = Over(&over);

        step(&fleet, &["canary"], &[]);
        assert_eq!(led_to(&fleet, 1, enabled), "default");
        assert_eq!(led_to(&fleet, 2, asked), "canary");
        let again = fleet.stolos(&["mesh", "upgrade", "other"]);
        assert_eq!(again.status.code(), Some(1), "{again:?}");

        // One namespace before the others, and a tag with all that ask for it.
        let moved = ["--move", "shop", "--tag", "prod=canary"];
        step(&fleet, &moved, &[]);
        assert_eq!(led_to(&fleet, 1, enabled), "default");
        assert_eq!(led_to(&fleet, 2, "istio.io/rev=prod"), "canary");
        for (labels, _) in shop(&fleet) {
            assert_eq!(labels["istio.io/rev"], "canary");
            assert_eq!(labels["istio-injection"], Value::Null);
        }
        step(&fleet, &["--move-back", "shop", "--tag", "prod=default"], &[]);
        assert_eq!(led_to(&fleet, 2, "istio.io/rev=prod"), "default");
        assert_eq!(shop(&fleet), shop_before, "all of it is back");
        step(&fleet, &moved, &[]);

        step(&fleet, &["--switch"], &["--allow-disruption"]);
        assert_eq!(led_to(&fleet, 1, enabled), "canary");
        assert_eq!(shop(&fleet), shop_before);
        step(&fleet, &["--switch"], &["--allow-disruption"]);
        assert_eq!(led_to(&fleet, 1, enabled), "default", "and back");

        step(&fleet, &["--switch"], &["--allow-disruption"]);
        step(&fleet, &["--finish"], &["--allow-disruption"]);
        assert_eq!(led_to(&fleet, 1, enabled), "canary");
        assert_eq!(led_to(&fleet, 2, asked), "canary");
        let old = ["-n", "istio-system", "get", "deployment", "istiod"];
        let old = run(&mut fleet.lab.kubectl(&fleet.lab.context(1), &old));
        assert!(!old.status.success(), "the old control plane is gone");

        drop(ends);
        for watcher in watched {
            let (rounds, wrong) = watcher.join().expect("whoever watches does not fail");
            assert!(rounds > 20, "asked only {rounds} times");
            assert!(
                wrong.is_empty(),
                "{} of {rounds}: {}",
                wrong.len(),
                wrong.join("\n")
            );
        }
    });
    for number in 1..=2 {
        let context = fleet.lab.context(number);
        must(fleet.lab.kubectl(&context, &["delete", "namespace", "shop"]));
    }
    must(fleet.lab.stolos(&["mesh", "uninstall", "--crds", "--yes"]));
    for (number, before) in (1..=2).zip(before) {
        let after = everything(&fleet, number);
        let difference: Vec<_> = before.symmetric_difference(&after).collect();
        assert!(difference.is_empty(), "cluster {number}: {difference:?}");
    }
}

#[test]
fn a_remote_goes_with_its_primary_from_one_revision_to_another_without_a_gap() {
    let clusters = "  - name: follow-1\n    network: one\n  - name: follow-2\n    network: two\n    role: remote\n    \
                    primary: follow-1\n";
    let fleet = Fleet::written("follow", 2, "primary-remote", clusters);
    let before: Vec<_> = (1..=2).map(|number| everything(&fleet, number)).collect();
    must(fleet.lab.stolos(&["apply", "--yes"]));
    fleet.until_settled();
    let (enabled, asked) = ("istio-injection=enabled", "istio.io/rev=canary");
    let answered_by = |injector: &str| {
        let injector = ["mutatingwebhookconfiguration", injector];
        fleet.assert_answered_by(2, &injector, &fleet.published_root(1));
    };
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watched = scope.spawn(|| watch(&fleet.lab, 1, &over));
        let ends = Over(&over);
        let shop =
            "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}";
        fleet.lab.apply(&fleet.lab.context(2), shop);

        step(&fleet, &["canary", "--tag", "prod=canary"], &[]);
        step(&fleet, &["--move", "shop"], &[]);
        answered_by("istio-sidecar-injector-canary");
        // The remote's API server asks by name, and each istiod answers for itself alone.
        assert_eq!(led_to(&fleet, 2, enabled), "default");
        assert_eq!(led_to(&fleet, 2, asked), "canary");
        assert_eq!(led_to(&fleet, 2, "istio.io/rev=prod"), "canary");
        let labels = fleet.object(2, &["namespace", "shop"])["metadata"]["labels"].clone();
        assert_eq!(labels["istio.io/rev"], "canary");

        step(&fleet, &["--switch"], &["--allow-disruption"]);
        assert_eq!(led_to(&fleet, 2, enabled), "canary");
        let labels = fleet.object(2, &["namespace", "shop"])["metadata"]["labels"].clone();
        assert_eq!(
            labels["istio-injection"], "enabled",
            "it asks again for what it did"
        );
        step(&fleet, &["--switch"], &["--allow-disruption"]);
        assert_eq!(led_to(&fleet, 2, enabled), "default", "and back");

        step(&fleet, &["--switch"], &["--allow-disruption"]);
        step(&fleet, &["--finish"], &["--allow-disruption"]);
        assert_eq!(led_to(&fleet, 2, enabled), "canary");
        for number in [1, 2] {
            let old = ["-n", "istio-system", "service", "istiod"];
            let old = fleet.lab.object(&fleet.lab.context(number), &old);
            assert_eq!(old, None, "what led to the old one is gone");
        }
        let route = fleet.object(1, &["-n", "istio-system", "virtualservice", "istiod-vs"]);
        assert_eq!(
            route["spec"]["tls"].as_array().map(Vec::len),
            Some(2),
            "{route:#}"
        );

        drop(ends);
        let (rounds, wrong) = watched.join().expect("whoever watches does not fail");
        assert!(rounds > 20, "asked only {rounds} times");
        assert!(
            wrong.is_empty(),
            "{} of {rounds}: {}",
            wrong.len(),
            wrong.join("\n")
        );
    });
    must(
        fleet
            .lab
            .kubectl(&fleet.lab.context(2), &["delete", "namespace", "shop"]),
    );
    must(fleet.lab.stolos(&["mesh", "uninstall", "--crds", "--yes"]));
    for (number, before) in (1..=2).zip(before) {
        let after = everything(&fleet, number);
        let difference: Vec<_> = before.symmetric_difference(&after).collect();
        assert!(difference.is_empty(), "cluster {number}: {difference:?}");
    }
}
