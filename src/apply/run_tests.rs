//! Runs of whole plans against servers that misbehave.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Confirmed, Consent, Journal, Outcome, Request, StepState, run};
use crate::cluster::client_tests::client;
use crate::fleet::{Area, ClusterName, FleetName};
use crate::host::keys::RootStore;
use crate::inventory::{FailureClass, Object};
use crate::plan::{Action, Content, Gate, Plan, Step, StepId};

const SECOND: Duration = Duration::from_secs(1);

/// A server that takes every request and writes it down; it answers each, or none.
async fn server(answers: bool) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let written = Arc::clone(&written);
            tokio::spawn(async move {
                let mut request = String::new();
                let mut part = [0_u8; 8192];
                while let Ok(length @ 1..) = stream.read(&mut part).await {
                    request.push_str(&String::from_utf8_lossy(&part[..length]));
                    // The body is one JSON object on one line; without one the head ends the request.
                    if !request.ends_with('}') && !request.ends_with("\r\n\r\n") {
                        continue;
                    }
                    if request.starts_with("PATCH") && !request.ends_with('}') {
                        continue;
                    }
                    written.lock().unwrap().push(std::mem::take(&mut request));
                    if answers {
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                        stream.write_all(answer).await.unwrap();
                    }
                }
            });
        }
    });
    (address, requests)
}

fn step(cluster: &str, action: Action, name: &str, uid: &str) -> Step {
    let cluster: ClusterName = cluster.parse().unwrap();
    let object = Object(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "istio-system"},
    }));
    Step {
        id: StepId::of(&cluster, Area::Mesh, action, &object.reference()),
        cluster,
        area: Area::Mesh,
        action,
        object: object.reference(),
        reason: String::new(),
        needs: Vec::new(),
        disruptive: false,
        uid: uid.to_owned(),
        owner: None,
        adopts: false,
        content: Content::Apply(object),
    }
}

async fn outcome(
    steps: Vec<Step>,
    servers: &[(&str, &str)],
    parallel: usize,
    timeout: Duration,
) -> (Outcome, Vec<(String, StepState, Duration)>) {
    let mut clients = BTreeMap::new();
    for (name, address) in servers {
        clients.insert(name.parse().unwrap(), client(address, SECOND).await);
    }
    let fleet: FleetName = "prod".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let request = Request {
        fleet: &fleet,
        clients,
        root_store: &RootStore::managed(folder.path(), &fleet),
        root: None,
        passphrase: None,
        timeout,
        parallel,
    };
    let plan = Plan {
        steps,
        ..Plan::default()
    };
    let confirmed = Confirmed::by(Consent::Flag, plan);
    let heard = Mutex::new(Vec::new());
    let begun = Instant::now();
    let outcome = run(&confirmed, request, &Journal::nowhere(), |event| {
        let id = event.step.id.0.clone();
        heard
            .lock()
            .unwrap()
            .push((id, event.state.clone(), begun.elapsed()));
    })
    .await;
    (outcome, heard.into_inner().unwrap())
}

#[tokio::test]
async fn a_cluster_that_falls_silent_is_given_up_and_holds_up_no_other() {
    let (dead, asked) = server(false).await;
    let (alive, _) = server(true).await;
    let mut steps: Vec<Step> = (0..200)
        .map(|number| step("dead", Action::Create, &format!("dead-{number}"), ""))
        .collect();
    steps.extend((0..5).map(|number| step("alive", Action::Create, &format!("alive-{number}"), "")));
    let begun = Instant::now();
    let servers = [("dead", dead.as_str()), ("alive", alive.as_str())];
    let (outcome, heard) = outcome(steps, &servers, 2, SECOND * 60).await;
    assert!(begun.elapsed() < SECOND * 3, "it took {:?}", begun.elapsed());
    assert_eq!(outcome.done, 5);
    assert_eq!(outcome.failed.len() + outcome.skipped, 200);
    assert!(outcome.failed.iter().all(|step| step.cluster.as_str() == "dead"
        && step.failure.class == FailureClass::Timeout
        && step.failure.verb == "create"
        && step.failure.resource.starts_with("ConfigMap istio-system/dead-")));
    assert!(
        asked.lock().unwrap().len() <= 100,
        "a silent cluster is not asked on"
    );
    let late = heard
        .iter()
        .filter(|(id, state, at)| id.starts_with("alive") && *state == StepState::Done && *at > SECOND / 2);
    assert_eq!(late.count(), 0, "another cluster waited: {heard:?}");
}

#[tokio::test]
async fn nothing_is_begun_when_the_time_is_over() {
    let (alive, asked) = server(true).await;
    let steps = vec![step("alive", Action::Create, "late", "")];
    let (outcome, heard) = outcome(steps, &[("alive", &alive)], 4, Duration::ZERO).await;
    assert_eq!((outcome.done, outcome.skipped), (0, 1));
    assert!(matches!(&heard[0].1, StepState::Skipped(why) if why.contains("--timeout")));
    assert_eq!(asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn only_what_was_planned_is_written_and_what_is_created_takes_nothing_over() {
    let (alive, asked) = server(true).await;
    let steps = vec![
        step("alive", Action::Create, "new", ""),
        step("alive", Action::Update, "old", "uid-1"),
    ];
    let (outcome, _) = outcome(steps, &[("alive", &alive)], 4, SECOND * 60).await;
    assert_eq!(outcome.done, 2, "{:?}", outcome.failed);
    let asked = asked.lock().unwrap();
    let about = |name: &str| {
        let path = format!("/configmaps/{name}?");
        asked.iter().find(|request| request.contains(&path)).unwrap()
    };
    assert!(about("new").contains("force=false") && !about("new").contains("\"uid\""));
    assert!(about("old").contains("force=true") && about("old").contains("\"uid\":\"uid-1\""));
}

#[tokio::test]
async fn what_was_not_done_takes_down_what_needs_it_and_nothing_else() {
    let (alive, _) = server(true).await;
    let mut steps = vec![
        step("nowhere", Action::Create, "first", ""),
        step("alive", Action::Create, "second", ""),
        step("alive", Action::Create, "third", ""),
        step("alive", Action::Create, "other", ""),
        step("alive", Action::Create, "after-other", ""),
        step("alive", Action::Create, "circle", ""),
    ];
    for (needs, needed) in [(1, 0), (2, 1), (2, 3), (4, 3), (5, 5)] {
        let id: StepId = steps[needed].id.clone();
        steps[needs].needs.push(id);
    }
    let (outcome, heard) = outcome(steps, &[("alive", &alive)], 4, SECOND * 60).await;
    let said = |name: &str| {
        let of = |id: &str| id.ends_with(&format!("/{name}"));
        let last = heard.iter().rev().find(|(id, _, _)| of(id)).unwrap();
        match &last.1 {
            StepState::Skipped(why) | StepState::Failed(why) => why.clone(),
            state => format!("{state:?}"),
        }
    };
    assert_eq!((outcome.done, outcome.failed.len(), outcome.skipped), (2, 1, 3));
    assert_eq!(said("after-other"), "Done");
    assert!(said("second").contains("/first` was not done"), "{heard:?}");
    assert!(said("third").contains("/second` was not done"), "{heard:?}");
    assert_eq!(said("circle"), "what it needs is never done");
}

/// A server that answers a write only once the object is watched, and shows it filled only then.
async fn server_that_waits_for_a_watch() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let watched = tokio::sync::watch::Sender::new(false);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let watched = watched.clone();
            tokio::spawn(async move {
                let mut request = [0_u8; 8192];
                let length = stream.read(&mut request).await.unwrap_or_default();
                let is_watch = request[..length].starts_with(b"GET");
                let body = match is_watch {
                    true => {
                        watched.send_replace(true);
                        let filled = json!({"metadata": {"name": "token"}, "data": {"token": "dA==", "ca.crt": "Yw=="}});
                        format!("{}\n", json!({"type": "ADDED", "object": filled}))
                    }
                    false => {
                        watched.subscribe().wait_for(|watched| *watched).await.unwrap();
                        "{}".to_owned()
                    }
                };
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    address
}

#[tokio::test]
async fn what_is_made_to_be_awaited_is_watched_before_the_write_is_answered() {
    let address = server_that_waits_for_a_watch().await;
    let made = step("alive", Action::Create, "token", "");
    let gate = Gate::TokenFilled;
    let waits = Step {
        id: StepId::awaiting(&made.cluster, made.area, &made.object, &gate),
        action: Action::Wait,
        needs: vec![made.id.clone()],
        content: Content::Await(gate),
        ..made.clone()
    };
    let (outcome, heard) = outcome(vec![made, waits], &[("alive", &address)], 4, SECOND * 60).await;
    assert_eq!(outcome.done, 2, "{heard:?}");
}
