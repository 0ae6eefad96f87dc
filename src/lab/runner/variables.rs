//! A container's environment, arguments and command. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;

use super::facts::{Facts, Missing, Reference};
use crate::lab::shape::API_PORT;

/// The environment of a container, in the container's own words over what every container gets.
pub fn environment(facts: &Facts<'_>, container: &Container) -> Result<BTreeMap<String, String>, Missing> {
    let name = facts.pod.metadata.name.clone().unwrap_or_default();
    let mut variables: BTreeMap<String, String> = [
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        ),
        ("HOME", "/".to_owned()),
        ("HOSTNAME", name),
        // There are no virtual addresses in a lab: the API server's own stands for its Service's.
        ("KUBERNETES_SERVICE_HOST", facts.host.to_string()),
        ("KUBERNETES_SERVICE_PORT", API_PORT.to_string()),
        ("KUBERNETES_SERVICE_PORT_HTTPS", API_PORT.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.clone().unwrap_or_default();
        let named = [
            source
                .config_map_ref
                .as_ref()
                .map(|one| (Reference::ConfigMap(one.name.clone()), one.optional)),
            source
                .secret_ref
                .as_ref()
                .map(|one| (Reference::Secret(one.name.clone()), one.optional)),
        ];
        for (reference, optional) in named.into_iter().flatten() {
            match facts.snapshot.get(&reference) {
                Some(keys) => {
                    variables.extend(
                        keys.iter()
                            .map(|(key, value)| (format!("{prefix}{key}"), lossy(value))),
                    );
                }
                None if optional == Some(true) => {}
                None => return Err(Missing::Object(reference)),
            }
        }
    }
    for variable in container.env.iter().flatten() {
        let value = match &variable.value_from {
            None => Some(expand(&variable.value.clone().unwrap_or_default(), &variables)),
            Some(source) => {
                if let Some(selector) = &source.field_ref {
                    Some(facts.field(selector)?)
                } else if let Some(selector) = &source.resource_field_ref {
                    Some(facts.resource(container, selector)?)
                } else if let Some(selector) = &source.config_map_key_ref {
                    let reference = Reference::ConfigMap(selector.name.clone());
                    let optional = selector.optional == Some(true);
                    facts
                        .key(reference, &selector.key, optional)?
                        .map(|bytes| lossy(&bytes))
                } else if let Some(selector) = &source.secret_key_ref {
                    let reference = Reference::Secret(selector.name.clone());
                    let optional = selector.optional == Some(true);
                    facts
                        .key(reference, &selector.key, optional)?
                        .map(|bytes| lossy(&bytes))
                } else {
                    return Err(Missing::Field(format!("env {}", variable.name)));
                }
            }
        };
        if let Some(value) = value {
            variables.insert(variable.name.clone(), value);
        }
    }
    Ok(variables)
}

/// The command line of a container whose image starts a program.
pub fn command_line(
    container: &Container,
    entry_point: &str,
    variables: &BTreeMap<String, String>,
) -> Vec<String> {
    let command = match &container.command {
        Some(command) if !command.is_empty() => command.clone(),
        _ => vec![entry_point.to_owned()],
    };
    command
        .iter()
        .chain(container.args.iter().flatten())
        .map(|word| expand(word, variables))
        .collect()
}

/// Replaces `$(NAME)` by the variable, as Kubernetes does: `$$` is `$`, and what is not known stays.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        expanded.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match variables.get(name) {
                Some(value) => expanded.push_str(value),
                None => {
                    expanded.push_str("$(");
                    expanded.push_str(name);
                    expanded.push(')');
                }
            }
            rest = after;
        } else {
            expanded.push('$');
        }
    }
    expanded.push_str(rest);
    expanded
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::{facts, pod, snapshot};
    use super::*;

    #[test]
    fn variables_are_the_containers_own() {
        let (pod, snapshot) = (pod(), snapshot());
        let facts = facts(&pod, &snapshot);
        let container = &pod.spec.as_ref().unwrap().containers[0];
        let variables = environment(&facts, container).unwrap();
        for (name, value) in [
            ("POD_NAME", "istiod-1"),
            ("APP", "istiod"),
            ("GOMAXPROCS", "4"),
            ("FROM_MAP", "info"),
            ("JOINED", "istiod-1.cluster.local"),
            ("KUBERNETES_SERVICE_HOST", "10.240.1.1"),
        ] {
            assert_eq!(variables.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!variables.contains_key("MAYBE"));
        assert_eq!(
            command_line(container, "/usr/local/bin/pilot-discovery", &variables),
            [
                "/usr/local/bin/pilot-discovery",
                "discovery",
                "--domain=cluster.local",
                "$(X)",
                "$(UNKNOWN)"
            ]
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let pod = pod();
        let nothing = Default::default();
        let facts = facts(&pod, &nothing);
        let container = &pod.spec.as_ref().unwrap().containers[0];
        assert_eq!(
            environment(&facts, container).unwrap_err().to_string(),
            "configmap \"settings\" not found"
        );
    }
}
