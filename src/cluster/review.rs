//! What an API server says of a token, and of whoever asks: `TokenReview` and `SelfSubjectReview`
//! (authentication.k8s.io/v1), which leave nothing behind.

use serde_json::json;

use super::client::Client;
use crate::host::sensitive::Sensitive;
use crate::inventory::{Failure, FailureClass, ReviewOutcome};

/// Asks the API server whether it accepts a token, and as whom.
pub async fn review(client: &Client, token: &Sensitive) -> ReviewOutcome {
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token.expose()},
    });
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    match client.create(path, body, "secret token review").await {
        Err(failure) => ReviewOutcome::Failed(failure),
        Ok(answer) if answer["status"]["authenticated"] == true => ReviewOutcome::Authenticated(
            answer["status"]["user"]["username"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        ),
        // The server's words may quote parts of the token: only that it was refused is repeated.
        Ok(_) => ReviewOutcome::Rejected("the API server does not accept the token".to_owned()),
    }
}

/// Who this connection acts as, in the API server's words: `SelfSubjectReview`
/// (authentication.k8s.io/v1), which leaves nothing behind. Empty where the server knows the
/// credential and does not say: servers before 1.28, and those who may not ask.
///
/// # Errors
///
/// No answer, or the credential is not accepted.
pub async fn named_user(client: &Client) -> Result<String, Failure> {
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    match client.create(path, body, "self subject review").await {
        Ok(answer) => Ok(answer["status"]["userInfo"]["username"]
            .as_str()
            .unwrap_or_default()
            .to_owned()),
        // Whoever is not authenticated is told so before anything else.
        Err(refused) if matches!(refused.class, FailureClass::NotFound | FailureClass::Permission) => {
            Ok(String::new())
        }
        Err(failure) => Err(failure),
    }
}

/// Who this connection acts as, for the record; empty where it does not say.
pub async fn acting_user(client: &Client) -> String {
    named_user(client).await.unwrap_or_default()
}
