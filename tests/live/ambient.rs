//! Ambient on two networks, as far as its control plane goes: the pods of its data plane only look as if
//! they ran.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::everything::everything;
use crate::fleet::Fleet;
use crate::harness::{Lab, must};
use crate::istiod::istiods_word;

#[test]
fn ambient_spans_two_networks_and_is_taken_out_without_a_trace() {
    let lab = Lab::up("ambient", 2);
    let init = ["init", "--yes", "--context", "ambient-*", "--name", "ambient"];
    let mode = ["--model", "multi-primary", "--data-plane-mode", "ambient"];
    must(lab.stolos(&[&init[..], &mode[..]].concat()));
    let file = lab.home.path().join("stolos.yaml");
    let fleet = Fleet { lab, file };

    // Whose the definitions of the Gateway API are is not for a mesh to say: they are asked for.
    let refused = fleet.stolos(&["plan"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(
        said.contains("kubectl --context ambient-1 apply --server-side"),
        "{said}"
    );
    let up = ["lab", "up", "--name", "ambient", "--data-plane-mode", "ambient"];
    must(fleet.lab.home.stolos(&up));

    let before: Vec<_> = (1..=2).map(|number| everything(&fleet, number)).collect();
    must(fleet.lab.stolos(&["apply", "--yes"]));
    fleet.until_settled();

    let condition = |object: &Value, of_kind: &str| {
        let conditions = object["status"]["conditions"].as_array().expect("conditions");
        let mut conditions = conditions.iter().filter(|condition| condition["type"] == of_kind);
        conditions.next().expect("the condition is there")["status"].clone()
    };
    let addresses: Vec<String> = (1..=2)
        .map(|number| {
            let class = fleet.object(number, &["gatewayclass", "istio-east-west"]);
            assert_eq!(condition(&class, "Accepted"), "True");
            let namespace = ["-n", "istio-system"];
            let gateway = ["gateways.gateway.networking.k8s.io", "istio-eastwestgateway"];
            let gateway = fleet.object(number, &[&namespace[..], &gateway[..]].concat());
            assert_eq!(condition(&gateway, "Programmed"), "True");
            let service = fleet.object(
                number,
                &["-n", "istio-system", "service", "istio-eastwestgateway"],
            );
            assert!(
                service["metadata"]["labels"]["stolos.dev/fleet"].is_null(),
                "what istiod makes is not marked as the fleet's: {service:#}"
            );
            let given = service["status"]["loadBalancer"]["ingress"][0]["ip"].as_str();
            let given = given.expect("an address").to_owned();
            assert_eq!(gateway["status"]["addresses"][0]["value"], given);
            given
        })
        .collect();
    for number in [1, 2] {
        for said in istiods_word(&fleet.lab, number, "/debug/networkz") {
            let known = said.as_array().expect("a list").iter();
            let known: BTreeSet<(String, String, u64)> = known
                .map(|entry| {
                    let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
                    let port = entry["HBONEPort"].as_u64().unwrap_or_default();
                    (text("Network"), text("Addr"), port)
                })
                .collect();
            let networks = ["ambient-1", "ambient-2"].into_iter().zip(&addresses);
            let expected = networks.map(|(network, address)| (network.to_owned(), address.clone(), 15008));
            assert_eq!(known, expected.collect(), "{said:#}");
        }
        for mesh in istiods_word(&fleet.lab, number, "/debug/mesh") {
            let scope = &mesh["serviceScopeConfigs"][0];
            assert_eq!(scope["scope"], "GLOBAL", "{mesh:#}");
            let expression = &scope["servicesSelector"]["matchExpressions"][0];
            assert_eq!(expression["key"], "istio.io/global", "{mesh:#}");
        }
    }

    must(fleet.lab.stolos(&["mesh", "uninstall", "--crds", "--yes"]));
    for (number, before) in (1..=2).zip(before) {
        let after = everything(&fleet, number);
        let difference: Vec<_> = before.symmetric_difference(&after).collect();
        assert!(difference.is_empty(), "cluster {number}: {difference:?}");
    }
}
