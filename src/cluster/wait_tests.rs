//! Each gate runs out of time, and says what was still missing.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::client_tests::{connect, endpoint};
use super::{LastWord, WaitError, wait};
use crate::connection::deadlines::Deadlines;
use crate::connection::server_tests::{Reply, Server, Speaks};
use crate::inventory::ObjectReference;
use crate::plan::Gate;

/// Every gate, by what comes after it.
fn next(gate: Option<&Gate>) -> Option<Gate> {
    Some(match gate {
        None => Gate::Condition("Established"),
        Some(Gate::Condition(_)) => Gate::RolledOut,
        Some(Gate::RolledOut) => Gate::Address,
        Some(Gate::Address) => Gate::TokenFilled,
        Some(Gate::TokenFilled) => Gate::CaBundle,
        Some(Gate::CaBundle) => Gate::Gone,
        Some(Gate::Gone) => Gate::Synced("west".to_owned()),
        Some(Gate::Synced(_)) => Gate::GatewayKnown("net-west".to_owned()),
        Some(Gate::GatewayKnown(_)) => Gate::Unused("default".to_owned()),
        Some(Gate::Unused(_)) => return None,
    })
}

/// An object at which a gate stays shut, and what is missing of it.
fn shut(gate: &Gate) -> (Value, &'static str) {
    match gate {
        Gate::Condition(_) => (json!({}), "its condition Established does not hold yet"),
        Gate::RolledOut => (
            json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1}}),
            "its controller has not seen the change yet",
        ),
        Gate::Address => (json!({}), "no load balancer address has been given to it yet"),
        Gate::TokenFilled => (json!({}), "the token controller has not filled it yet"),
        Gate::CaBundle => (
            json!({"webhooks": [{"name": "w"}]}),
            "istiod has not given its webhook w a CA bundle yet",
        ),
        Gate::Gone => (json!({}), "it still stands"),
        Gate::Synced(_) | Gate::GatewayKnown(_) => (json!({}), "no istiod is running"),
        // An istiod that does not say who is connected to it.
        Gate::Unused(revision) => (
            json!({
                "metadata": {"name": "istiod-1", "namespace": "istio-system",
                             "labels": {"app": "istiod", "istio.io/rev": revision}},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
            }),
            "istiod-1: ",
        ),
    }
}

/// Waits for a gate that stays shut, and gives what was missing when the time was over.
async fn missing(gate: &Gate) -> String {
    let (object, _) = shut(gate);
    let pods = match gate {
        Gate::Unused(_) => vec![object.clone()],
        _ => Vec::new(),
    };
    let server = Server::of_requests(Speaks::Http1, move |request| {
        let is_watched = request
            .uri()
            .query()
            .is_some_and(|query| query.contains("watch=true"));
        let answer = match (is_watched, request.uri().path().ends_with("/pods")) {
            (true, _) => format!("{}\n", json!({"type": "ADDED", "object": object})),
            (false, true) => json!({"metadata": {}, "items": pods}).to_string(),
            (false, false) => json!({"metadata": {}, "items": [object]}).to_string(),
        };
        Reply::Answer(200, answer, Vec::new())
    })
    .await;
    let connection = endpoint(&server.url, server.authority.clone());
    let client = connect(connection, Deadlines::within(Duration::from_secs(10)));
    let object = ObjectReference::new("v1", "Service", "istio-system", "any");
    // Longer than the first look takes, on a machine that is busy as well.
    let deadline = Instant::now() + Duration::from_secs(2);
    let waited = wait(&client, gate, &object, None, &LastWord::default(), deadline).await;
    match waited.unwrap_err() {
        WaitError::TimedOut { missing, .. } => missing,
        WaitError::Refused(failure) => panic!("{gate:?}: {failure}"),
    }
}

#[tokio::test]
async fn every_gate_runs_out_and_says_what_was_missing() {
    let gates: Vec<Gate> = std::iter::successors(next(None), |gate| next(Some(gate))).collect();
    assert_eq!(gates.len(), 9);
    let found = join_all(gates.iter().map(missing)).await;
    for (gate, found) in gates.iter().zip(found) {
        let expected = shut(gate).1;
        let is_same = match gate {
            Gate::Unused(_) => found.starts_with(expected),
            _ => found == expected,
        };
        assert!(is_same, "{gate:?}: {found}");
    }
}
