//! What would go with what is deleted: everything in a namespace, of whatever kind, and every resource
//! of a definition. Uses aggregated discovery (KEP-3352), metadata only.

use futures::future::try_join_all;
use serde_json::Value;

use super::client::Client;
use super::secrets::without_data;
use crate::inventory::{Failure, FailureClass, Object, ObjectReference};

const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// The metadata of every object in a namespace.
///
/// # Errors
///
/// Where a kind cannot be listed: then it is not known what the namespace holds.
pub async fn namespace_contents(client: &Client, namespace: &str) -> Result<Vec<Object>, Failure> {
    let (core, groups) = tokio::try_join!(
        client.get_as("/api", "the API's kinds", DISCOVERY),
        client.get_as("/apis", "the API's kinds", DISCOVERY)
    )?;
    let mut kinds = Vec::new();
    for discovered in [&core, &groups] {
        for group in list(&discovered["items"]) {
            let name = group["metadata"]["name"].as_str().unwrap_or_default();
            // The first version is the server's preferred one.
            let Some(version) = list(&group["versions"]).first() else {
                continue;
            };
            let version_name = version["version"].as_str().unwrap_or_default();
            let api_version = if name.is_empty() {
                version_name.to_owned()
            } else {
                format!("{name}/{version_name}")
            };
            for resource in list(&version["resources"]) {
                let can_list = list(&resource["verbs"]).iter().any(|verb| verb == "list");
                if resource["scope"] == "Namespaced" && can_list {
                    kinds.push((
                        api_version.clone(),
                        resource["responseKind"]["kind"]
                            .as_str()
                            .unwrap_or_default()
                            .to_owned(),
                        resource["resource"].as_str().unwrap_or_default().to_owned(),
                    ));
                }
            }
        }
    }
    let lists = try_join_all(kinds.into_iter().map(|(api_version, kind, plural)| async move {
        let prefix = if api_version.contains('/') { "apis" } else { "api" };
        let path = format!("/{prefix}/{api_version}/namespaces/{namespace}/{plural}");
        match metadata(client, &path, &plural, &api_version, &kind).await {
            // Kinds of an aggregated server that is gone.
            Err(failure) if failure.class == FailureClass::NotFound => Ok(Vec::new()),
            listed => listed,
        }
    }))
    .await?;
    Ok(lists.into_iter().flatten().collect())
}

/// Which resources there are of some definitions, in all namespaces.
///
/// # Errors
///
/// Where those of one cannot be listed: then it is not known what would go with it.
pub async fn custom_resources(
    client: &Client,
    definitions: impl IntoIterator<Item = &Object>,
) -> Result<Vec<ObjectReference>, Failure> {
    let lists = definitions.into_iter().map(|definition| async move {
        let mut versions = definition.list(&["spec", "versions"]).iter();
        // A definition has one version that is stored, and it may be asked for in any that is served.
        let Some(version) = versions.rfind(|version| version["served"] == true) else {
            return Ok(Vec::new());
        };
        let version = version["name"].as_str().unwrap_or_default();
        let api_version = format!("{}/{version}", definition.text(&["spec", "group"]));
        let kind = definition.text(&["spec", "names", "kind"]);
        let plural = definition.text(&["spec", "names", "plural"]);
        let path = format!("/apis/{api_version}/{plural}");
        let objects = metadata(client, &path, plural, &api_version, kind).await?;
        Ok(objects.iter().map(Object::reference).collect())
    });
    let lists: Vec<Vec<ObjectReference>> = try_join_all(lists).await?;
    Ok(lists.into_iter().flatten().collect())
}

/// The metadata of the objects of a list, which does not say of each which kind it is.
async fn metadata(
    client: &Client,
    path: &str,
    plural: &str,
    api_version: &str,
    kind: &str,
) -> Result<Vec<Object>, Failure> {
    let answer = client.get_as(path, plural, METADATA).await?;
    let items = list(&answer["items"]).iter().filter(|item| item.is_object());
    let objects = items.cloned().map(|mut item| {
        item["apiVersion"] = api_version.into();
        item["kind"] = kind.into();
        // Secrets are among them, and a Secret's annotations may repeat it.
        without_data(Object(item))
    });
    Ok(objects.collect())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
