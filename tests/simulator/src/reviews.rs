//! Reviews: questions that are asked by creating an object which is never kept.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{Answer, now};
use crate::api::Asked;
use crate::apply;
use crate::cluster::Cluster;
use crate::people::User;

const TOKEN_REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const SELF_SUBJECT_REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const RULES_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";

/// Whether a path is a review's.
pub fn is_review(path: &str) -> bool {
    [TOKEN_REVIEWS, SELF_SUBJECT_REVIEWS, ACCESS_REVIEWS, RULES_REVIEWS].contains(&path)
}

/// Answers a review. Everybody may do everything: only faults forbid.
pub fn review(cluster: &Cluster, user: &User, asked: &Asked<'_>) -> Answer {
    let body: Option<Value> = serde_json::from_slice(asked.body).ok();
    let (&Method::POST, Some(mut review)) = (asked.method, body) else {
        let message = "the server does not allow this method on the requested resource";
        return Answer::refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            message,
            Value::Null,
        );
    };
    let now = now();
    let record = apply::record_of_update(&review, asked.manager(), &now);
    review["metadata"] = json!({});
    match asked.path {
        TOKEN_REVIEWS => {
            review["metadata"]["managedFields"] = json!([record]);
            let token = review["spec"]["token"].as_str().unwrap_or_default();
            let mut state = cluster.state();
            review["status"] = match state.user(token) {
                Some(known) => json!({
                    "authenticated": true, "user": known.shown(),
                    "audiences": ["https://kubernetes.default.svc.cluster.local"],
                }),
                None => json!({"user": {}, "error": "invalid bearer token"}),
            };
        }
        SELF_SUBJECT_REVIEWS => {
            review["metadata"] = json!({"creationTimestamp": now});
            review["status"] = json!({"userInfo": user.shown()});
        }
        ACCESS_REVIEWS => review["status"] = json!({"allowed": true}),
        _ => {
            let all = json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]);
            let all_paths = json!([{"verbs": ["*"], "nonResourceURLs": ["*"]}]);
            review["spec"] = json!({});
            review["status"] =
                json!({"resourceRules": all, "nonResourceRules": all_paths, "incomplete": false});
        }
    }
    Answer::value(StatusCode::CREATED, &review)
}
