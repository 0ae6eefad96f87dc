//! `status` run by people with fewer permissions.

use serde_json::{Value, json};

use crate::fleet::{Fleet, findings, report};
use crate::harness::{Lab, json, must, run};

/// People with fewer permissions: what they may not read is unknown to them, and never healthy.
pub fn whoever_may_not_read_is_told_so(lab: &Lab) {
    let lists = json!({"apiGroups": ["*"], "verbs": ["get", "list", "watch"], "resources": [
        "namespaces", "pods", "services", "configmaps", "deployments", "nodes", "serviceaccounts",
        "endpointslices", "gateways", "mutatingwebhookconfigurations", "validatingwebhookconfigurations",
        "customresourcedefinitions",
    ]});
    let all = json!({"apiGroups": ["*"], "verbs": ["get", "list", "watch"], "resources": ["*"]});
    let tunnels = json!({"apiGroups": [""], "verbs": ["create", "get"], "resources": ["pods/portforward"]});
    for (who, rules) in [("onlooker", json!([lists])), ("reader", json!([all, tunnels]))] {
        let kubeconfig = account(lab, who, &rules);
        let arguments = ["status", "--context", "hand-*", "--kubeconfig", &kubeconfig];
        let table = run(&mut lab.stolos(&arguments));
        assert_eq!(table.status.code(), Some(4), "{table:?}");
        let output = run(&mut lab.stolos(&[&arguments[..], &["-o", "json"]].concat()));
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let status = report(&output);
        assert_eq!(
            (&status["healthy"], &status["complete"]),
            (&json!(false), &json!(false)),
            "{who}: {status:#}"
        );
        assert_eq!(
            findings(&status, "error"),
            Vec::<String>::new(),
            "{who}: {status:#}"
        );
        for (one, other) in [("cluster1", "cluster2"), ("cluster2", "cluster1")] {
            assert_eq!(
                Fleet::link(&status, one, other)["state"],
                "unknown",
                "{who}: {status:#}"
            );
        }
        for error in status["errors"].as_array().expect("a list") {
            assert_eq!(error["class"], "permission", "{who}: {status:#}");
        }
    }
    let nobody = run(&mut lab.stolos(&["status", "--context", "hand-*", "--as", "nobody", "-o", "json"]));
    assert_eq!(nobody.status.code(), Some(4), "{nobody:?}");
    let status = report(&nobody);
    assert_eq!(
        (&status["healthy"], &status["links"]),
        (&json!(false), &json!([])),
        "{status:#}"
    );
}

/// A ServiceAccount with a token in both clusters, and a kubeconfig with nothing else in it.
fn account(lab: &Lab, name: &str, rules: &Value) -> String {
    let mut kubeconfig = json(lab.kubectl(&lab.context(1), &["config", "view", "--raw", "-o", "json"]));
    for number in [1, 2] {
        let subject = json!({"kind": "ServiceAccount", "name": name, "namespace": "default"});
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name});
        let context = lab.context(number);
        for object in [
            json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": name, "namespace": "default"}}),
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": name}, "rules": rules}),
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                "metadata": {"name": name}, "roleRef": role, "subjects": [subject]}),
        ] {
            lab.apply(&context, &object.to_string());
        }
        let token = must(lab.kubectl(&context, &["create", "token", name]));
        kubeconfig["users"][usize::from(number) - 1]["user"] = json!({"token": token.trim()});
    }
    let file = format!("{name}.kubeconfig");
    lab.home.write(&file, kubeconfig.to_string());
    file
}
