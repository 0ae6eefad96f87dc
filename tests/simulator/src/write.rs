//! Writes: created, applied, deleted.

use std::sync::{Arc, MutexGuard};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{Answer, details, now};
use crate::api::Asked;
use crate::apply::{self, Intent};
use crate::cluster::{Cluster, State};
use crate::resource::{Resource, Target};
use crate::store::{Place, place};

/// One write.
pub struct Write<'write> {
    /// Where.
    pub cluster: &'write Arc<Cluster>,
    /// What was asked.
    pub asked: &'write Asked<'write>,
    /// Of which object.
    pub target: Target<'write>,
}

impl Write<'_> {
    /// Does it, and answers.
    pub fn answer(&self) -> Answer {
        let answer = match *self.asked.method {
            Method::POST if self.target.name.is_empty() => self.create(),
            Method::PATCH if !self.target.name.is_empty() => self.apply(),
            Method::DELETE if !self.target.name.is_empty() => self.delete(),
            _ => Err(Answer::refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
                Value::Null,
            )),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn resource(&self) -> &'static Resource {
        self.target.resource()
    }

    fn is_dry(&self) -> bool {
        self.asked.query.get("dryRun") == "All"
    }

    fn body(&self) -> Result<Value, Answer> {
        let object: Option<Value> = serde_json::from_slice(self.asked.body).ok();
        object.filter(Value::is_object).ok_or_else(|| {
            let message = "the object provided is unrecognized (must be of type Object)";
            self.refuse(StatusCode::BAD_REQUEST, "BadRequest", message)
        })
    }

    fn refuse(&self, status: StatusCode, reason: &str, message: impl Into<String>) -> Answer {
        Answer::refusal(status, reason, message, Value::Null)
    }

    fn conflict(&self, name: &str, message: &str) -> Answer {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {message}",
            self.resource().qualified()
        );
        Answer::refusal_of(StatusCode::CONFLICT, "Conflict", message, self.resource(), name)
    }

    /// An intent for an object with another UID: it is refused as a change of the UID would be, twice
    /// over since both validations see it.
    fn uid_is_immutable(&self, name: &str, uid: &str) -> Answer {
        let kind = self.qualified_kind();
        let value = format!("Invalid value: \"{uid}\": field is immutable");
        let cause = json!({"reason": "FieldValueInvalid", "message": value, "field": "metadata.uid"});
        let mut details = json!({"name": name, "kind": self.resource().kind, "causes": [cause, cause]});
        if !self.resource().group.is_empty() {
            details["group"] = self.resource().group.into();
        }
        let message = format!("{kind} \"{name}\" is invalid: metadata.uid: {value}");
        Answer::refusal(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message, details)
    }

    /// Such as `ConfigMap`, `Deployment.apps`.
    fn qualified_kind(&self) -> String {
        let resource = self.resource();
        match resource.group {
            "" => resource.kind.to_owned(),
            group => format!("{}.{group}", resource.kind),
        }
    }

    /// Nothing is made in a namespace that is not there.
    fn namespace_stands(&self, state: &State) -> Result<(), Answer> {
        let namespace = self.target.namespace;
        let number = Resource::number_of("v1", "Namespace").unwrap_or_default();
        if namespace.is_empty() || state.store.has_named(number, namespace) {
            return Ok(());
        }
        Err(Answer::not_found(&crate::resource::ALL[number], namespace))
    }

    fn create(&self) -> Result<Answer, Answer> {
        let mut object = self.body()?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() {
            let message = "name or generateName is required";
            return Err(self.refuse(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message));
        }
        let place = place(self.target.number, self.target.namespace, &name);
        let mut state = self.cluster.state();
        self.namespace_stands(&state)?;
        if state.store.item(&place).is_some() {
            let message = format!("{} \"{name}\" already exists", self.resource().qualified());
            return Err(Answer::refusal_of(
                StatusCode::CONFLICT,
                "AlreadyExists",
                message,
                self.resource(),
                &name,
            ));
        }
        let manager = self.asked.manager();
        let now = now();
        let record = apply::record_of_update(&object, manager, &now);
        self.complete(&mut state, &mut object, None, &now);
        object["metadata"]["managedFields"] = json!([record]);
        self.file(state, &place, &mut object);
        Ok(self.written(StatusCode::CREATED, &object))
    }

    fn apply(&self) -> Result<Answer, Answer> {
        let content_type = self.asked.headers.get(http::header::CONTENT_TYPE);
        if content_type.is_none_or(|content_type| content_type != "application/apply-patch+yaml") {
            let message = "the body of the request was in an unknown format - accepted media types include: \
                           application/apply-patch+yaml";
            return Err(self.refuse(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                message,
            ));
        }
        let wanted = self.body()?;
        let manager = self.asked.query.get("fieldManager");
        if manager.is_empty() {
            let message = "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply \
                           patch";
            return Err(self.refuse(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message));
        }
        let name = self.target.name;
        let place = place(self.target.number, self.target.namespace, name);
        let mut state = self.cluster.state();
        let live = state.store.value(&place);
        let uid = wanted["metadata"]["uid"].as_str().unwrap_or_default();
        match &live {
            None => {
                if !uid.is_empty() {
                    return Err(self.conflict(
                        name,
                        &format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found"),
                    ));
                }
                self.namespace_stands(&state)?;
            }
            Some(live) => {
                let stands = live["metadata"]["uid"].as_str().unwrap_or_default();
                if !uid.is_empty() && uid != stands {
                    return Err(self.uid_is_immutable(name, uid));
                }
            }
        }
        let now = now();
        let intent = Intent {
            object: &wanted,
            manager,
            force: self.asked.query.is_set("force"),
            now: &now,
        };
        let mut merged =
            apply::merge(live.as_ref(), &intent).map_err(|conflicts| self.field_conflicts(&conflicts))?;
        self.complete(&mut state, &mut merged, live.as_ref(), &now);
        let status = if live.is_some() {
            StatusCode::OK
        } else {
            StatusCode::CREATED
        };
        if live.as_ref() == Some(&merged) {
            return Ok(self.written(status, &merged));
        }
        self.file(state, &place, &mut merged);
        Ok(self.written(status, &merged))
    }

    /// What was written, as it was asked for.
    fn written(&self, status: StatusCode, object: &Value) -> Answer {
        if self.asked.wants_metadata() {
            let metadata = &object["metadata"];
            return Answer::value(
                status,
                &json!({
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                }),
            );
        }
        Answer::value(status, object)
    }

    fn field_conflicts(&self, conflicts: &apply::Conflicts) -> Answer {
        let mut words: Vec<String> = Vec::new();
        let mut causes = Vec::new();
        let mut managers: Vec<&String> = conflicts.0.iter().map(|(manager, _)| manager).collect();
        managers.dedup();
        for manager in managers {
            let paths: Vec<&str> = conflicts
                .0
                .iter()
                .filter(|(other, _)| other == manager)
                .map(|(_, path)| path.as_str())
                .collect();
            words.push(match paths.as_slice() {
                [path] => format!("conflict with {manager}: {path}"),
                paths => format!("conflicts with {manager}:\n- {}", paths.join("\n- ")),
            });
            for path in paths {
                causes.push(json!({
                    "reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path,
                }));
            }
        }
        let plural = if causes.len() == 1 { "" } else { "s" };
        let message = format!(
            "Apply failed with {} conflict{plural}: {}",
            causes.len(),
            words.join("\n")
        );
        Answer::refusal(
            StatusCode::CONFLICT,
            "Conflict",
            message,
            json!({"causes": causes}),
        )
    }

    /// What the server itself sets in what is written.
    fn complete(&self, state: &mut State, object: &mut Value, live: Option<&Value>, now: &str) {
        let resource = self.resource();
        object["apiVersion"] = resource.api_version().into();
        object["kind"] = resource.kind.into();
        let before = live.map_or(Value::Null, |live| live["metadata"].clone());
        if resource.namespaced {
            object["metadata"]["namespace"] = self.target.namespace.into();
        }
        if live.is_none() {
            object["metadata"]["uid"] = state.store.new_uid().into();
            object["metadata"]["creationTimestamp"] = now.into();
        } else {
            for field in ["uid", "creationTimestamp", "resourceVersion"] {
                object["metadata"][field] = before[field].clone();
            }
        }
        if resource.counts_generations {
            let without = |value: &Value| {
                let mut value = value.clone();
                if let Some(map) = value.as_object_mut() {
                    map.remove("metadata");
                    map.remove("status");
                }
                value
            };
            let was = before["generation"].as_u64().unwrap_or(0);
            let changed = live.is_none_or(|live| without(live) != without(object));
            object["metadata"]["generation"] = if changed { was + 1 } else { was.max(1) }.into();
        }
        match resource.kind {
            "Secret" if object["type"].is_null() => object["type"] = "Opaque".into(),
            "Namespace" => {
                let name = object["metadata"]["name"].clone();
                object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
                object["spec"] = json!({"finalizers": ["kubernetes"]});
                object["status"] = json!({"phase": "Active"});
            }
            "CustomResourceDefinition" if object["spec"]["conversion"].is_null() => {
                object["spec"]["conversion"] = json!({"strategy": "None"});
            }
            _ => {}
        }
    }

    /// Files what was written, unless it was only a question: what stands keeps its version then.
    fn file(&self, mut state: MutexGuard<'_, State>, place: &Place, object: &mut Value) {
        if self.is_dry() {
            return;
        }
        state.store.put(place.clone(), object);
        drop(state);
        self.cluster.count_write();
        self.cluster.after_write(place, object);
    }

    fn delete(&self) -> Result<Answer, Answer> {
        let options: Value = serde_json::from_slice(self.asked.body).unwrap_or_default();
        let resource = self.resource();
        let name = self.target.name;
        let place = place(self.target.number, self.target.namespace, name);
        let mut state = self.cluster.state();
        let live = state
            .store
            .value(&place)
            .ok_or_else(|| Answer::not_found(resource, name))?;
        let stands = live["metadata"]["uid"].as_str().unwrap_or_default();
        if let Some(uid) = options["preconditions"]["uid"].as_str()
            && uid != stands
        {
            let kind = self.qualified_kind();
            let message = format!(
                "Operation cannot be fulfilled on {kind} \"{name}\": the UID in the precondition ({uid}) does not match \
                 the UID in record ({stands}). The object might have been deleted and then recreated"
            );
            let mut details = json!({"name": name, "kind": resource.kind});
            if !resource.group.is_empty() {
                details["group"] = resource.group.into();
            }
            return Err(Answer::refusal(
                StatusCode::CONFLICT,
                "Conflict",
                message,
                details,
            ));
        }
        if resource.kind == "Namespace" || options["propagationPolicy"] == "Foreground" {
            return Ok(Answer::value(
                StatusCode::OK,
                &self.delete_later(state, place, live),
            ));
        }
        if !self.is_dry() {
            state.remove(&place);
            self.cluster.count_write();
        }
        if resource.returns_deleted {
            return Ok(Answer::value(StatusCode::OK, &live));
        }
        let mut details = details(resource, name);
        details["uid"] = stands.into();
        Ok(Answer::value(
            StatusCode::OK,
            &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}),
        ))
    }

    /// Marks an object as one that goes when what hangs on it is gone, which is soon, and gives it.
    fn delete_later(&self, mut state: MutexGuard<'_, State>, place: Place, mut object: Value) -> Value {
        let metadata = &mut object["metadata"];
        if metadata["deletionTimestamp"].is_null() {
            metadata["deletionTimestamp"] = now().into();
            if self.resource().kind == "Namespace" {
                object["status"]["phase"] = "Terminating".into();
            } else {
                metadata["deletionGracePeriodSeconds"] = 0.into();
                metadata["generation"] = (metadata["generation"].as_u64().unwrap_or(0) + 1).into();
                metadata["finalizers"] = json!(["foregroundDeletion"]);
            }
            if !self.is_dry() {
                state.store.put(place.clone(), &mut object);
                self.cluster.count_write();
                let (cluster, delay) = (Arc::downgrade(self.cluster), self.cluster.pace.controller_delay);
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    if let Some(cluster) = cluster.upgrade() {
                        cluster.state().remove_with_contents(&place);
                    }
                });
            }
        }
        object
    }
}
