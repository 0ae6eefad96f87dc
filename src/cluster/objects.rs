//! Objects of one cluster: read, listed, applied, created, deleted.

use http::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::failure::failure;
use super::request::{JSON, Outgoing, Repeat};
use super::write::{Found, holds, is_applied, is_merged};
use crate::inventory::kind::SECRET;
use crate::inventory::{Failure, FailureClass, Kind, Object, ObjectReference};
use crate::plan::ownership::{FIELD_MANAGER, FIELDS_MANAGER};

/// Objects in one page of a list, as kubectl asks.
const PAGE: usize = 500;

/// One object's metadata alone.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// A list of objects' metadata alone.
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Which objects of a kind a list should hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListSelector<'text> {
    /// The namespace, or empty for all.
    pub namespace: &'text str,
    /// A label selector, or empty.
    pub labels: &'text str,
    /// A field selector, or empty.
    pub fields: &'text str,
    /// Only the objects' metadata.
    pub metadata_only: bool,
}

/// How an object is written.
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions<'text> {
    /// The field manager.
    pub manager: &'text str,
    /// Whether fields of other managers are taken over.
    pub force: bool,
    /// Whether the server only says what it would do.
    pub dry_run: bool,
    /// The UID of the object that is meant, or empty: the server refuses to write another, and to
    /// make one anew.
    pub uid: &'text str,
}

impl Default for WriteOptions<'_> {
    fn default() -> Self {
        Self {
            manager: FIELD_MANAGER,
            force: true,
            dry_run: false,
            uid: "",
        }
    }
}

impl Client {
    /// Reads one object; `None` where it does not stand.
    pub async fn get_object(&self, reference: &ObjectReference) -> Result<Option<Object>, Failure> {
        let path = path_of(reference, "get")?;
        match self.get(&path, &reference.to_string()).await {
            Ok(value) => Ok(Some(Object(value))),
            Err(failure) if failure.class == FailureClass::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Lists a kind's objects, page by page.
    pub async fn list(&self, kind: Kind, selector: ListSelector<'_>) -> Result<Vec<Object>, Failure> {
        let resource = if selector.namespace.is_empty() {
            kind.plural.to_owned()
        } else {
            format!("{} in {}", kind.plural, selector.namespace)
        };
        let accept = if selector.metadata_only {
            METADATA_LIST
        } else {
            JSON
        };
        let mut objects = Vec::new();
        let mut page_after = String::new();
        loop {
            let mut path = format!("{}?limit={PAGE}", kind.list_path(selector.namespace));
            for (name, value) in [
                ("labelSelector", selector.labels),
                ("fieldSelector", selector.fields),
                ("continue", &page_after),
            ] {
                if !value.is_empty() {
                    path.push_str(&format!("&{name}={}", query_escaped(value)));
                }
            }
            let request = Outgoing {
                method: Method::GET,
                path: &path,
                body: None,
                verb: "list",
                resource: &resource,
                accept,
                repeat: Repeat::Freely,
            };
            let mut answer = self.send_request(&request).await?;
            let is_a_list = answer["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
            let items = match answer.get_mut("items").map(Value::take) {
                Some(Value::Array(items)) => items,
                // So an API server writes a list of nothing where only metadata was asked for.
                Some(Value::Null) if is_a_list => Vec::new(),
                _ => {
                    return Err(failure(
                        FailureClass::NotKubernetes,
                        "list",
                        &resource,
                        "the answer is no list",
                    ));
                }
            };
            for mut item in items {
                let Value::Object(fields) = &mut item else {
                    let message = "the list holds what is no object";
                    return Err(failure(FailureClass::NotKubernetes, "list", &resource, message));
                };
                // Items of a list carry neither; an object is nothing without them.
                fields.insert("apiVersion".to_owned(), kind.api_version.into());
                fields.insert("kind".to_owned(), kind.kind.into());
                objects.push(Object(item));
            }
            page_after = answer["metadata"]["continue"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if page_after.is_empty() {
                return Ok(objects);
            }
        }
    }

    /// Writes an object by server-side apply. A dry run gives the object as it would then stand, a
    /// write no more than its metadata.
    pub async fn apply(&self, object: &Object, options: WriteOptions<'_>) -> Result<Object, Failure> {
        let reference = object.reference();
        // A server that looks for fields which it does not know reads the whole body once more; a
        // Secret has few, and a plan of links is hundreds of them.
        let validation = if reference.kind == SECRET.kind {
            "Ignore"
        } else {
            "Strict"
        };
        let mut path = format!(
            "{}?fieldManager={}&force={}&fieldValidation={validation}",
            path_of(&reference, "apply")?,
            options.manager,
            options.force
        );
        if options.dry_run {
            path.push_str("&dryRun=All");
        }
        let mut content = object.0.clone();
        if !options.uid.is_empty() {
            content["metadata"]["uid"] = options.uid.into();
        }
        let resource = resource_of(&reference);
        let request = Outgoing {
            method: Method::PATCH,
            path: &path,
            body: Some((content.to_string().into(), "application/apply-patch+yaml")),
            verb: "apply",
            resource: &resource,
            // Who writes knows what was written.
            accept: if options.dry_run { JSON } else { METADATA },
            repeat: if options.dry_run {
                Repeat::Freely
            } else {
                Repeat::AfterALook
            },
        };
        let look = async |client: &Client| {
            Ok(match client.get_object(&reference).await? {
                Some(standing) if is_applied(&standing, &content, options.manager, options.uid) => {
                    Found::Done(standing.0)
                }
                _ => Found::NotDone,
            })
        };
        self.write(&request, look).await.map(Object)
    }

    /// Changes an object that stands by a JSON merge patch (RFC 7386), where it still has this UID.
    pub async fn merge(
        &self,
        reference: &ObjectReference,
        changes: &Value,
        uid: &str,
    ) -> Result<Object, Failure> {
        let mut content = changes.clone();
        content["metadata"]["uid"] = uid.into();
        let path = format!("{}?fieldManager={FIELDS_MANAGER}", path_of(reference, "patch")?);
        let resource = resource_of(reference);
        let request = Outgoing {
            method: Method::PATCH,
            path: &path,
            body: Some((content.to_string().into(), "application/merge-patch+json")),
            verb: "patch",
            resource: &resource,
            accept: METADATA,
            repeat: Repeat::AfterALook,
        };
        let look = async |client: &Client| {
            Ok(match client.get_object(reference).await? {
                Some(standing) if is_merged(&standing.0, &content) => Found::Done(standing.0),
                _ => Found::NotDone,
            })
        };
        self.write(&request, look).await.map(Object)
    }

    /// Creates what leaves nothing behind, such as a review: it may be sent again at any time.
    pub async fn create(&self, path: &str, body: Value, resource: &str) -> Result<Value, Failure> {
        let request = Outgoing {
            method: Method::POST,
            path,
            body: Some((body.to_string().into(), JSON)),
            verb: "create",
            resource,
            accept: JSON,
            repeat: Repeat::Freely,
        };
        self.send_request(&request).await
    }

    /// Creates an object that must not stand yet.
    pub async fn create_object(&self, object: &Object) -> Result<Object, Failure> {
        let reference = object.reference();
        let kind = kind_of(&reference, "create")?;
        let path = format!(
            "{}?fieldManager={FIELD_MANAGER}",
            kind.list_path(&reference.namespace)
        );
        let resource = resource_of(&reference);
        let request = Outgoing {
            method: Method::POST,
            path: &path,
            body: Some((object.0.to_string().into(), JSON)),
            verb: "create",
            resource: &resource,
            accept: METADATA,
            repeat: Repeat::AfterALook,
        };
        let look = async |client: &Client| {
            Ok(match client.get_object(&reference).await? {
                None => Found::NotDone,
                Some(standing) if holds(&standing.0, &object.0) => Found::Done(standing.0),
                Some(_) => {
                    let message = "it stands already, and is not what was to be created";
                    Found::InTheWay(failure(FailureClass::Conflict, "create", &resource, message))
                }
            })
        };
        self.write(&request, look).await.map(Object)
    }

    /// Deletes an object if it still is the one with this UID; it being gone already is success.
    pub async fn delete(&self, reference: &ObjectReference, uid: &str) -> Result<(), Failure> {
        // A Deployment is gone only when its pods are: they write while they run.
        let propagation = if reference.kind == "Deployment" {
            "Foreground"
        } else {
            "Background"
        };
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation,
        });
        if !uid.is_empty() {
            options["preconditions"] = json!({"uid": uid});
        }
        let path = path_of(reference, "delete")?;
        let resource = resource_of(reference);
        let request = Outgoing {
            method: Method::DELETE,
            path: &path,
            body: Some((options.to_string().into(), JSON)),
            verb: "delete",
            resource: &resource,
            accept: JSON,
            repeat: Repeat::AfterALook,
        };
        let look = async |client: &Client| {
            let Some(standing) = client.get_object(reference).await? else {
                return Ok(Found::Done(Value::Null));
            };
            let leaving = standing.at(&["metadata", "deletionTimestamp"]).is_some();
            let is_another = !uid.is_empty() && standing.text(&["metadata", "uid"]) != uid;
            Ok(match uid {
                _ if leaving || is_another => Found::Done(Value::Null),
                "" => Found::Undecided,
                _ => Found::NotDone,
            })
        };
        match self.write(&request, look).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.class == FailureClass::NotFound => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

/// What an error calls an object; a Secret's begins with `secret`, so that nothing of it is quoted.
fn resource_of(reference: &ObjectReference) -> String {
    let text = reference.to_string();
    if reference.kind == "Secret" {
        text.replacen("Secret", "secret", 1)
    } else {
        text
    }
}

fn kind_of(reference: &ObjectReference, verb: &str) -> Result<Kind, Failure> {
    Kind::of(&reference.api_version, &reference.kind).ok_or_else(|| {
        let message = format!("stolos does not know the kind {}", reference.api_version);
        failure(FailureClass::Invalid, verb, &reference.to_string(), message)
    })
}

fn path_of(reference: &ObjectReference, verb: &str) -> Result<String, Failure> {
    kind_of(reference, verb).map(|kind| kind.object_path(&reference.namespace, &reference.name))
}

/// Percent-encoding of a query value (RFC 3986 §2.3: everything but unreserved characters).
pub(super) fn query_escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(byte as char);
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
