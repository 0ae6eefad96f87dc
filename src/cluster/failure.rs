//! From what a library or a server said to a [`Failure`] with a class. Texts that may quote a
//! credential (a kubeconfig's lines, a plugin's output, a Secret's fields) are never repeated.

use http::StatusCode;
use serde_json::Value;

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
    // Admission may quote what was sent or stands, and a Secret's fields and a reviewed token are secret.
    let is_secret = resource.starts_with("secret");
    let quotable = !is_secret || matches!(verb, "get" | "list" | "watch") || is_without_fields(said);
    let message = if quotable && !said.is_empty() {
        said.chars().take(400).collect()
    } else {
        format!("the API server answered {status}")
    };
    failure(class, verb, resource, message)
}

/// Whether a refusal is one that authorization, storage or field ownership words, which name an
/// object and its fields and never say what they hold.
fn is_without_fields(said: &str) -> bool {
    said.contains(" is forbidden: User \"")
        || said.starts_with("Apply failed with ")
        || said.ends_with(" not found")
        || said.ends_with(" already exists")
}

/// Why no answer came at all.
pub fn of_client(error: &kube::Error, verb: &str, resource: &str) -> Failure {
    let (class, message) = match error {
        kube::Error::Auth(_) => (
            FailureClass::Authentication,
            "the kubeconfig's credential could not be had: its plugin or token file failed (run `kubectl` \
             with the same context to see its own words)"
                .to_owned(),
        ),
        kube::Error::RustlsTls(_) => (
            FailureClass::Configuration,
            "the kubeconfig's certificates or key cannot be used".to_owned(),
        ),
        kube::Error::ProxyProtocolDisabled { .. } | kube::Error::ProxyProtocolUnsupported { .. } => (
            FailureClass::Configuration,
            "the kubeconfig's `proxy-url` has a scheme that is not supported".to_owned(),
        ),
        kube::Error::UpgradeConnection(kube::client::UpgradeConnectionError::ProtocolSwitch(status)) => {
            of_code(*status)
        }
        // Its message may be whatever body came.
        kube::Error::Api(refusal) => match StatusCode::from_u16(refusal.code) {
            Ok(status) => of_code(status),
            Err(_) => (FailureClass::Server, "the API server refused".to_owned()),
        },
        kube::Error::HyperError(_) | kube::Error::Service(_) => of_transport(error),
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

/// Whether a connection that had been made was lost before the answer was whole, so that the same
/// request on a new one may go through. A refused connection is not that: nobody is there.
pub fn broke_midway(error: &kube::Error) -> bool {
    causes(error).any(|error| {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            matches!(
                io.kind(),
                std::io::ErrorKind::ConnectionReset
                    | std::io::ErrorKind::ConnectionAborted
                    | std::io::ErrorKind::BrokenPipe
                    | std::io::ErrorKind::UnexpectedEof
            )
        } else {
            error.downcast_ref::<hyper::Error>().is_some_and(|hyper| {
                hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled()
            })
        }
    })
}

/// An error and its causes. An input/output error's own cause is looked at first: its `source` is
/// already the cause behind it, and a TLS error would be passed over.
fn causes<'error>(
    error: &'error (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'error (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let inside = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        match inside {
            Some(inside) => Some(inside as &(dyn std::error::Error + 'static)),
            None => error.source(),
        }
    })
}

/// Reads the chain of causes for what is known to be safe to say.
fn of_transport(error: &(dyn std::error::Error + 'static)) -> (FailureClass, String) {
    let mut connecting = false;
    for error in causes(error) {
        if let Some(tls) = tls_error(error) {
            return of_tls(tls);
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            if matches!(
                io.kind(),
                std::io::ErrorKind::ConnectionRefused
                    | std::io::ErrorKind::ConnectionReset
                    | std::io::ErrorKind::ConnectionAborted
                    | std::io::ErrorKind::BrokenPipe
                    | std::io::ErrorKind::UnexpectedEof
                    | std::io::ErrorKind::HostUnreachable
                    | std::io::ErrorKind::NetworkUnreachable
            ) {
                return (FailureClass::Tcp, io.kind().to_string());
            }
            if io.kind() == std::io::ErrorKind::TimedOut {
                return (FailureClass::Timeout, "no answer in time".to_owned());
            }
        }
        let text = error.to_string();
        if text == "dns error" {
            return (
                FailureClass::Name,
                "the server's name does not resolve".to_owned(),
            );
        }
        connecting |= text == "client error (Connect)" || text == "tcp connect error";
        if text.contains("invalid HTTP version") || text.contains("invalid HTTP") {
            return (
                FailureClass::NotKubernetes,
                "the server does not speak HTTP as an API server does".to_owned(),
            );
        }
    }
    if connecting {
        (FailureClass::Tcp, "no connection".to_owned())
    } else {
        (FailureClass::Tcp, "the connection broke".to_owned())
    }
}

fn tls_error<'error>(error: &'error (dyn std::error::Error + 'static)) -> Option<&'error rustls::Error> {
    error.downcast_ref::<rustls::Error>()
}

fn of_tls(error: &rustls::Error) -> (FailureClass, String) {
    match error {
        rustls::Error::InvalidCertificate(reason) => (
            FailureClass::Certificate,
            format!("the server's certificate is not accepted: {reason}"),
        ),
        rustls::Error::NoCertificatesPresented => (
            FailureClass::Certificate,
            "the server presented no certificate".to_owned(),
        ),
        rustls::Error::AlertReceived(alert) => (
            FailureClass::Tls,
            format!("the server broke the TLS handshake off: {alert:?}"),
        ),
        _ => (FailureClass::Tls, "the TLS handshake failed".to_owned()),
    }
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
