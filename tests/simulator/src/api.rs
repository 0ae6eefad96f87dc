//! From a request to its answer, as a kube-apiserver would give it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{Answer, Content, watch_time};
use crate::cluster::Cluster;
use crate::discovery;
use crate::fault::Fault;
use crate::people::User;
use crate::resource::{ALL, Target};
use crate::reviews;
use crate::selector::Selector;
use crate::store::{Wanted, place};
use crate::write::Write;

/// What whoever brings no credential may read (`system:public-info-viewer`).
const PUBLIC: [&str; 4] = ["/version", "/livez", "/readyz", "/healthz"];

/// A request that was read whole.
pub struct Asked<'request> {
    /// The method.
    pub method: &'request Method,
    /// Path and query, as they came.
    pub whole: &'request str,
    /// The path.
    pub path: &'request str,
    /// The query's parameters, decoded.
    pub query: Query,
    /// The headers.
    pub headers: &'request HeaderMap,
    /// The body.
    pub body: &'request Bytes,
}

/// A query's parameters.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query.
    pub fn of(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(name), decoded(value))
                })
                .collect(),
        )
    }

    /// A parameter, empty where it is not there.
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(parameter, _)| parameter == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Whether a parameter says yes.
    pub fn is_set(&self, name: &str) -> bool {
        matches!(self.get(name), "true" | "1")
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
                match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
                    Some(byte) => {
                        bytes.push(byte);
                        rest = &after[2..];
                    }
                    None => bytes.push(b'%'),
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Asked<'_> {
    /// Whether it changes something: neither a review nor a dry run nor a request for a token.
    pub fn is_write(&self) -> bool {
        *self.method != Method::GET
            && !reviews::is_review(self.path)
            && self.query.get("dryRun").is_empty()
            && !self.path.ends_with("/token")
    }

    /// The request's verb, as audit logs have it.
    pub fn verb(&self) -> &'static str {
        let is_list = Target::of(self.path).is_some_and(|target| target.name.is_empty());
        match *self.method {
            Method::GET if self.query.is_set("watch") => "watch",
            Method::GET if is_list => "list",
            Method::GET => "get",
            Method::POST => "create",
            Method::PATCH => "patch",
            Method::PUT => "update",
            Method::DELETE => "delete",
            _ => "options",
        }
    }

    /// Who writes: the field manager that is named, or else the first word of the `User-Agent`
    /// (`managedfields: prefixFromUserAgent`).
    pub fn manager(&self) -> &str {
        let named = self.query.get("fieldManager");
        if !named.is_empty() {
            return named;
        }
        let agent = self.headers.get(http::header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        match agent.split('/').next().unwrap_or_default() {
            "" => "unknown",
            prefix => prefix,
        }
    }

    /// Whether it asks for objects' metadata alone.
    pub fn wants_metadata(&self) -> bool {
        let accept = self.headers.get(http::header::ACCEPT);
        accept
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("as=PartialObjectMetadata"))
    }
}

/// What a fault has a request of somebody answered with, where it does not come to the API at all.
pub fn instead(fault: &Fault, user: &User, asked: &Asked<'_>) -> Option<Answer> {
    match fault {
        Fault::Status(code, retry_after) => Some(Answer {
            retry_after: *retry_after,
            ..Answer::out_of_order(*code)
        }),
        Fault::WebPage => Some(Answer::text(
            StatusCode::OK,
            "text/html; charset=utf-8",
            "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>It works</h1></body></html>\n",
        )),
        Fault::Unauthorized => Some(Answer::unauthorized()),
        Fault::NoSpace if asked.is_write() => Some(no_space()),
        Fault::RefusedWrites(code, reason, message) => {
            let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(Answer::refusal(status, reason, *message, Value::Null))
        }
        Fault::Forbidden(verb, resource) => {
            let of_verb = verb.is_empty() || *verb == asked.verb();
            let asked_of = requested(asked.path).map_or("", |(resource, ..)| resource);
            let of_resource = resource.is_empty() || *resource == asked_of;
            (of_verb && of_resource).then(|| forbidden(user, asked))
        }
        _ => None,
    }
}

/// Answers a request of somebody who was recognised. `fault` is what is wrong with this one.
pub fn answer(cluster: &Arc<Cluster>, user: &User, asked: &Asked<'_>, fault: &Fault) -> Answer {
    if user.is_anonymous() && !PUBLIC.contains(&asked.path) {
        return forbidden(user, asked);
    }
    match asked.path {
        "/version" => return Answer::value(StatusCode::OK, &discovery::version()),
        "/livez" | "/readyz" | "/healthz" => {
            return Answer::text(StatusCode::OK, "text/plain; charset=utf-8", "ok");
        }
        "/api" => return discovery::core(asked.headers),
        "/apis" => return discovery::groups(asked.headers, &cluster.state().store),
        _ => {}
    }
    if reviews::is_review(asked.path) {
        return reviews::review(cluster, user, asked);
    }
    let Some(target) = Target::of(asked.path) else {
        return Answer::no_page();
    };
    if target.resource().custom && !is_defined(cluster, &target) {
        return Answer::no_page();
    }
    match *asked.method {
        Method::GET if !target.subresource.is_empty() => Answer::no_page(),
        Method::GET if target.name.is_empty() => list(cluster, asked, &target, fault),
        Method::GET => get(cluster, asked, &target),
        _ => Write {
            cluster,
            asked,
            target,
        }
        .answer(),
    }
}

fn is_defined(cluster: &Cluster, target: &Target<'_>) -> bool {
    let definitions = ALL
        .iter()
        .position(|resource| resource.kind == "CustomResourceDefinition");
    definitions.is_some_and(|number| {
        let name = target.resource().qualified();
        cluster.state().store.has_named(number, &name)
    })
}

fn get(cluster: &Cluster, asked: &Asked<'_>, target: &Target<'_>) -> Answer {
    let state = cluster.state();
    let place = place(target.number, target.namespace, target.name);
    let Some(item) = state.store.item(&place) else {
        return Answer::not_found(target.resource(), target.name);
    };
    let mut body = Vec::with_capacity(2048);
    if asked.wants_metadata() {
        item.write_metadata(&cluster.words, &mut body);
    } else {
        item.write_whole(target.resource(), &cluster.words, &mut body);
    }
    body.push(b'\n');
    Answer::json(StatusCode::OK, body)
}

fn list(cluster: &Cluster, asked: &Asked<'_>, target: &Target<'_>, fault: &Fault) -> Answer {
    let resource = target.resource();
    let selector = Selector::parse(
        asked.query.get("labelSelector"),
        asked.query.get("fieldSelector"),
        resource,
    );
    let selector = match selector {
        Ok(selector) => selector,
        Err(message) => {
            return Answer::refusal(StatusCode::BAD_REQUEST, "BadRequest", message, Value::Null);
        }
    };
    let wanted = Wanted {
        number: target.number,
        namespace: target.namespace.to_owned(),
        selector,
        metadata_only: asked.wants_metadata(),
    };
    if asked.query.is_set("watch") {
        return watch(cluster, asked, wanted, fault);
    }
    let continued = asked.query.get("continue");
    if *fault == Fault::Gone && !continued.is_empty() {
        let message = "The provided continue parameter is too old to display a consistent list result. You can \
                       start a new list without the continue parameter.";
        return Answer::refusal(StatusCode::GONE, "Expired", message, Value::Null);
    }
    let limit = asked.query.get("limit").parse().unwrap_or(0);
    match cluster.state().store.list(&wanted, limit, continued) {
        Ok(body) => Answer::json(StatusCode::OK, body),
        Err(message) => {
            let message = format!("invalid continue token: {message}");
            Answer::refusal(StatusCode::BAD_REQUEST, "BadRequest", message, Value::Null)
        }
    }
}

fn watch(cluster: &Cluster, asked: &Asked<'_>, wanted: Wanted, fault: &Fault) -> Answer {
    let since = match asked.query.get("resourceVersion") {
        "" | "0" => None,
        version => match version.parse() {
            Ok(version) => Some(version),
            Err(_) => {
                let message = format!(
                    "Invalid value: \"{version}\": strconv.ParseUint: parsing \"{version}\": invalid syntax"
                );
                return Answer::refusal(StatusCode::BAD_REQUEST, "BadRequest", message, Value::Null);
            }
        },
    };
    let since = if *fault == Fault::Gone { Some(1) } else { since };
    let events = match cluster.state().store.watch(wanted, since) {
        Ok(events) => events,
        Err(too_old) => {
            let message = format!(
                "too old resource version: {} ({})",
                too_old.wanted, too_old.oldest
            );
            let event = json!({"type": "ERROR", "object": {
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": message, "reason": "Expired", "code": 410,
            }});
            return Answer::json(StatusCode::OK, format!("{event}\n"));
        }
    };
    let time = watch_time(asked.query.get("timeoutSeconds").parse().ok());
    Answer {
        content: Content::Watch(events, time),
        ..Answer::json(StatusCode::OK, "")
    }
}

/// What the server says when etcd's space is used up (`etcdserver: mvcc: database space exceeded`).
fn no_space() -> Answer {
    Answer::refusal(
        StatusCode::INTERNAL_SERVER_ERROR,
        "",
        "etcdserver: mvcc: database space exceeded",
        Value::Null,
    )
}

/// What the server says to whoever may not do what they ask for.
fn forbidden(user: &User, asked: &Asked<'_>) -> Answer {
    let Some((resource, group, namespace, name)) = requested(asked.path) else {
        let verb = asked.method.as_str().to_lowercase();
        let message = format!(
            "forbidden: User \"{}\" cannot {verb} path \"{}\"",
            user.name, asked.path
        );
        return Answer::refusal(StatusCode::FORBIDDEN, "Forbidden", message, json!({}));
    };
    let qualified = if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    };
    let what = if name.is_empty() {
        qualified
    } else {
        format!("{qualified} \"{name}\"")
    };
    let scope = if namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{namespace}\"")
    };
    let message = format!(
        "{what} is forbidden: User \"{}\" cannot {} resource \"{resource}\" in API group \"{group}\" {scope}",
        user.name,
        asked.verb()
    );
    let mut details = json!({"kind": resource});
    if !name.is_empty() {
        details["name"] = name.into();
    }
    if !group.is_empty() {
        details["group"] = group.into();
    }
    Answer::refusal(StatusCode::FORBIDDEN, "Forbidden", message, details)
}

/// Resource, group, namespace and name of what a path asks for, as authorization sees it, whether it
/// is served or not (`RequestInfoFactory`).
fn requested(path: &str) -> Option<(&str, &str, &str, &str)> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let group = match parts.next()? {
        "api" => "",
        "apis" => parts.next()?,
        _ => return None,
    };
    parts.next()?;
    let rest: Vec<&str> = parts.collect();
    match rest.as_slice() {
        [] => None,
        // A namespace is in itself.
        ["namespaces", name] => Some(("namespaces", group, *name, *name)),
        ["namespaces", namespace, resource] => Some((*resource, group, *namespace, "")),
        ["namespaces", namespace, resource, name, ..] => Some((*resource, group, *namespace, *name)),
        [resource] => Some((*resource, group, "", "")),
        [resource, name, ..] => Some((*resource, group, "", *name)),
    }
}
