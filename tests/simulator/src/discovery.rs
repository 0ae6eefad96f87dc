//! `/version`, `/api` and `/apis`: the server's version, and aggregated discovery (KEP-3352).

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::resource::{ALL, Resource};
use crate::store::Store;

/// The version that the clusters say they have.
pub const GIT_VERSION: &str = "v1.36.3";

/// `/version`.
pub fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "35", "gitVersion": GIT_VERSION,
        "gitCommit": "0000000000000000000000000000000000000000", "gitTreeState": "clean",
        "buildDate": "2026-10-13T12:00:00Z", "goVersion": "go1.26.3", "compiler": "gc",
        "platform": "linux/amd64",
    })
}

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

fn is_aggregated(headers: &HeaderMap) -> bool {
    let accept = headers.get(http::header::ACCEPT);
    accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("as=APIGroupDiscoveryList"))
}

/// `/api`.
pub fn core(headers: &HeaderMap) -> Answer {
    if !is_aggregated(headers) {
        let body = json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []});
        return Answer::value(StatusCode::OK, &body);
    }
    aggregated(&[group("", ALL.iter().filter(|resource| resource.group.is_empty()))])
}

/// `/apis`.
pub fn groups(headers: &HeaderMap, store: &Store) -> Answer {
    let definitions = ALL
        .iter()
        .position(|resource| resource.kind == "CustomResourceDefinition");
    let is_served = |resource: &&Resource| {
        let defined = || definitions.is_some_and(|number| store.has_named(number, &resource.qualified()));
        !resource.group.is_empty() && (!resource.custom || defined())
    };
    let served: Vec<&Resource> = ALL.iter().filter(is_served).collect();
    let mut names: Vec<&str> = Vec::new();
    for resource in &served {
        if !names.contains(&resource.group) {
            names.push(resource.group);
        }
    }
    if !is_aggregated(headers) {
        let groups: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        let body = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups});
        return Answer::value(StatusCode::OK, &body);
    }
    let groups: Vec<Value> = names
        .into_iter()
        .map(|name| {
            group(
                name,
                served.iter().copied().filter(|resource| resource.group == name),
            )
        })
        .collect();
    aggregated(&groups)
}

fn aggregated(groups: &[Value]) -> Answer {
    let body = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": groups,
    });
    Answer::text(StatusCode::OK, AGGREGATED, format!("{body}\n"))
}

fn group<'resources>(name: &str, resources: impl Iterator<Item = &'resources Resource>) -> Value {
    let mut versions: Vec<Value> = Vec::new();
    for resource in resources {
        let mut verbs = vec![
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch",
        ];
        // Nobody deletes all namespaces at once.
        verbs.retain(|verb| resource.kind != "Namespace" || *verb != "deletecollection");
        let described = json!({
            "resource": resource.plural,
            "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
            "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
            "singularResource": resource.kind.to_lowercase(),
            "verbs": verbs,
        });
        match versions
            .iter_mut()
            .find(|version| version["version"] == resource.version)
        {
            Some(version) => {
                if let Some(listed) = version["resources"].as_array_mut() {
                    listed.push(described);
                }
            }
            None => versions.push(json!({
                "version": resource.version, "resources": [described], "freshness": "Current",
            })),
        }
    }
    let mut metadata = json!({});
    if !name.is_empty() {
        metadata["name"] = name.into();
    }
    json!({"metadata": metadata, "versions": versions})
}
