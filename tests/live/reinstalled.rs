//! Somebody runs the documented `istioctl install` again over a cluster that this fleet manages.

use serde_json::Value;

use crate::fleet::{Fleet, findings};
use crate::harness::must;

#[test]
fn istioctl_takes_nothing_away_and_is_not_undone() {
    let fleet = Fleet::applied("again", 2);
    let context = fleet.lab.context(1);
    let gateway = || {
        let service = ["-n", "istio-system", "service", "istio-eastwestgateway"];
        let service = fleet.lab.object(&context, &service).expect("the gateway stands");
        let ingress: Value = service["status"]["loadBalancer"]["ingress"].clone();
        (service["metadata"]["uid"].clone(), ingress)
    };
    let before = gateway();
    // As Istio's guide has it: without a name, which has it prune what it takes for its own.
    fleet.lab.home.write(
        "cluster1.yaml",
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  profile: minimal\n  values:\n    \
         global:\n      meshID: again\n      multiCluster:\n        clusterName: again-1\n      network: again-1\n",
    );
    let install = [
        "istioctl",
        "install",
        "-y",
        "--context",
        &context,
        "-f",
        "cluster1.yaml",
    ];
    must(fleet.lab.exec(&install));
    assert_eq!(gateway(), before);

    // It made a tag, and turned the injector off that the tag stands in for. An apply says whose the
    // mesh is by now, and turns nothing on again.
    let applied = fleet.stolos(&["apply", "--yes", "--allow-disruption"]);
    assert_eq!(applied.status.code(), Some(1), "{applied:?}");
    let said = String::from_utf8_lossy(&[applied.stdout, applied.stderr].concat()).into_owned();
    assert!(said.contains("it belongs to istioctl install"), "{said}");
    let report = fleet.status();
    assert!(
        !findings(&report, "error").contains(&"injection-double".to_owned()),
        "{report:#}"
    );
    let pod = fleet.injected(1);
    let proxies = pod.lines().filter(|line| line.trim() == "name: istio-proxy");
    assert_eq!(proxies.count(), 1, "{pod}");
    assert_eq!(gateway(), before);

    // Asked to, it takes back what is its own.
    must(
        fleet
            .lab
            .stolos(&["apply", "--adopt", "--yes", "--allow-disruption"]),
    );
    fleet.until_settled();
    let pod = fleet.injected(1);
    let proxies = pod.lines().filter(|line| line.trim() == "name: istio-proxy");
    assert_eq!(proxies.count(), 1, "{pod}");
    assert_eq!(gateway(), before);
}
