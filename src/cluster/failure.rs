//! From what a library or a server said to a [`Failure`] with a class. Texts that may quote a
//! credential (a kubeconfig's lines, a plugin's output, a Secret's fields) are never repeated.

use http::StatusCode;
use serde_json::Value;

use super::upgrade::Uncarried;
use crate::connection::broken::{Broken, Sent, causes};
use crate::inventory::{Failure, FailureClass};

/// A failure of a request, from its parts.
pub fn failure(class: FailureClass, verb: &str, resource: &str, message: impl Into<String>) -> Failure {
    Failure {
        class,
        verb: verb.to_owned(),
        resource: resource.to_owned(),
        message: message.into(),
    }
}

/// What a server's refusal means. `body` is the API's `Status`, where it is one.
pub fn of_status(status: StatusCode, body: &[u8], verb: &str, resource: &str) -> Failure {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let is_status = answer.as_ref().is_some_and(|answer| answer["kind"] == "Status");
    let class = match status {
        StatusCode::UNAUTHORIZED => FailureClass::Authentication,
        StatusCode::FORBIDDEN => FailureClass::Permission,
        StatusCode::NOT_FOUND if is_status => FailureClass::NotFound,
        StatusCode::CONFLICT if is_status => FailureClass::Conflict,
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST if is_status => FailureClass::Invalid,
        StatusCode::TOO_MANY_REQUESTS => FailureClass::Throttled,
        _ if status.is_server_error() => FailureClass::Server,
        _ => FailureClass::NotKubernetes,
    };
    let said = answer
        .as_ref()
        .filter(|_| is_status)
        .and_then(|answer| answer["message"].as_str())
        .unwrap_or_default();
    let message = if is_quotable(class, verb, resource, said) {
        said.chars().take(400).collect()
    } else {
        format!("the API server answered {status}")
    };
    failure(class, verb, resource, message)
}

/// Whether a server's words can be repeated. Admission may quote what was sent or stands, and a
/// Secret's fields and a reviewed token are secret; what is said of a credential may quote it.
fn is_quotable(class: FailureClass, verb: &str, resource: &str, said: &str) -> bool {
    if said.is_empty() || class == FailureClass::Authentication {
        return false;
    }
    let is_secret = resource.to_ascii_lowercase().starts_with("secret");
    let is_written = !matches!(verb, "get" | "list" | "watch");
    (is_written && !is_secret) || is_without_fields(said)
}

/// Whether a refusal is one that authorization, storage or field ownership words, which name an
/// object and its fields and never say what they hold (Kubernetes: `apimachinery/pkg/api/errors`,
/// `apiserver/pkg/endpoints/handlers/responsewriters/errors.go`).
fn is_without_fields(said: &str) -> bool {
    if said.starts_with("Apply failed with ") {
        return true;
    }
    // Such as `secrets "a"`, `secrets is forbidden…`, `deployments.apps "b"`.
    let resource = |character: char| character.is_ascii_lowercase() || "-.".contains(character);
    let rest = said.trim_start_matches(resource);
    if rest.len() == said.len() {
        return false;
    }
    let rest = match rest.strip_prefix(" \"") {
        Some(named) => named.split_once('"').map_or(rest, |(_, rest)| rest),
        None => rest,
    };
    // Behind the namespace, an authorizer gives its own reasons.
    rest == " not found"
        || rest == " already exists"
        || rest.strip_prefix(" is forbidden: User \"").is_some_and(|rest| {
            let rest = rest.split_once('"').map_or("", |(_, rest)| rest);
            rest.starts_with(" cannot ") && rest.chars().all(|character| !":;'".contains(character))
        })
}

/// Why a request has no answer. Where there was no connection, that is what failed, and not the
/// request.
pub fn of_broken(broken: Broken, verb: &str, resource: &str) -> Failure {
    match broken.sent {
        Sent::Never if !broken.failure.verb.is_empty() => broken.failure,
        Sent::Never | Sent::Unprocessed | Sent::Perhaps => {
            failure(broken.failure.class, verb, resource, broken.failure.message)
        }
    }
}

/// Why the client library, which opens port-forwards, has no answer. Its words are not repeated: they
/// may hold whatever body came.
pub fn of_client(error: &kube::Error, verb: &str, resource: &str) -> Failure {
    if let kube::Error::Service(inner) = error {
        let uncarried = causes(&**inner).find_map(|error| error.downcast_ref::<Uncarried>());
        if let Some(Uncarried(failure)) = uncarried {
            return failure.clone();
        }
    }
    let (class, message) = match error {
        kube::Error::UpgradeConnection(kube::client::UpgradeConnectionError::ProtocolSwitch(status)) => {
            of_code(*status)
        }
        kube::Error::Api(refusal) => match StatusCode::from_u16(refusal.code) {
            Ok(status) => of_code(status),
            Err(_) => (FailureClass::Server, "the API server refused".to_owned()),
        },
        kube::Error::HyperError(_) | kube::Error::Service(_) => {
            (FailureClass::Tcp, "the connection broke".to_owned())
        }
        _ => (
            FailureClass::NotKubernetes,
            "the answer is not a Kubernetes API server's".to_owned(),
        ),
    };
    failure(class, verb, resource, message)
}

/// What an API server's answer means by its code alone.
fn of_code(status: StatusCode) -> (FailureClass, String) {
    let class = match status {
        StatusCode::FORBIDDEN => FailureClass::Permission,
        StatusCode::UNAUTHORIZED => FailureClass::Authentication,
        StatusCode::NOT_FOUND => FailureClass::NotFound,
        StatusCode::TOO_MANY_REQUESTS => FailureClass::Throttled,
        _ => FailureClass::Server,
    };
    (class, format!("the API server answered {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_admission_says_of_a_secret_is_not_repeated() {
        let said = |code: u16, resource: &str, message: &str| {
            let body = serde_json::json!({"kind": "Status", "message": message}).to_string();
            let status = StatusCode::from_u16(code).expect("a code");
            of_status(status, body.as_bytes(), "patch", resource).message
        };
        let webhook = "admission webhook \"a.b\" denied the request: token hunter2";
        let policy =
            "secrets \"a\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: token hunter2";
        for (code, message) in [
            (403, webhook),
            (403, policy),
            (422, policy),
            (409, webhook),
            (500, webhook),
        ] {
            for resource in ["secret a/b", "secret token review"] {
                let shown = said(code, resource, message);
                assert!(!shown.contains("hunter2"), "{shown}");
                assert!(shown.contains(&code.to_string()), "{shown}");
            }
            assert!(said(code, "ConfigMap a/b", message).contains("hunter2"));
        }
        for plain in [
            "secrets \"a\" is forbidden: User \"u\" cannot patch resource \"secrets\"",
            "Apply failed with 1 conflict: conflict with \"kubectl\": .data.root-cert.pem",
            "namespaces \"b\" not found",
        ] {
            assert_eq!(said(403, "secret a/b", plain), plain);
        }
    }
}
