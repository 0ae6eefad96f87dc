//! Waiting for a gate to open: by a watch where an object shows it, by asking istiod again where
//! only istiod knows.

use std::time::Duration;

use futures::future::join_all;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::client::Client;
use super::failure::failure;
use super::istiod::{ask_istiod, is_asked};
use super::objects::{ListSelector, query_escaped};
use super::underway::Underway;
use super::watch::{Event, Watch};
use crate::inventory::kind::{self, Kind};
use crate::inventory::{Failure, FailureClass, Object, ObjectReference, Replica};
use crate::plan::Gate;

/// Between two questions to istiod: there is no watch on what it knows.
const ISTIOD_INTERVAL: Duration = Duration::from_millis(250);
/// After a failure that may pass.
const RECOVERY: Duration = Duration::from_millis(500);

/// How long the server is asked to keep a watch open; it ends it then, and it is begun anew.
const WATCH: Duration = Duration::from_secs(60);

/// The last word of the istiods of a namespace. Whoever waits for it asks through this, so that they
/// are asked once for all who wait: the links of twenty clusters are nineteen waits in each.
#[derive(Default)]
pub struct LastWord(Mutex<Option<Word>>);

struct Word {
    /// When they were asked.
    asked: Instant,
    /// Whether they were asked for their proxies as well.
    proxies: bool,
    said: Result<Vec<Replica>, Failure>,
}

impl LastWord {
    /// What the istiods say now, or said since this was called: somebody else may have asked while
    /// this waited for its turn. With their proxies, where `proxies` says so.
    async fn hear(&self, client: &Client, namespace: &str, proxies: bool) -> Result<Vec<Replica>, Failure> {
        let wished = Instant::now();
        let mut last = self.0.lock().await;
        match &*last {
            Some(word) if word.asked >= wished && (word.proxies || !proxies) => word.said.clone(),
            _ => {
                let asked = Instant::now();
                let said = ask(client, namespace, proxies).await;
                *last = Some(Word {
                    asked,
                    proxies,
                    said: said.clone(),
                });
                said
            }
        }
    }
}

/// Why a gate did not open.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WaitError {
    /// Time ran out; this was still missing.
    #[error("after {after:?}: {missing}")]
    TimedOut {
        /// How long it was waited.
        after: Duration,
        /// What was still missing.
        missing: String,
    },
    /// The cluster will not let it be seen.
    #[error("{0}")]
    Refused(Failure),
}

/// A watch on an object that is about to be made, opened together with the request that makes it.
/// Nothing is watched any more when it is dropped.
pub struct Watching(Underway<Result<Watch, Failure>>);

impl Watching {
    /// Begins to open it.
    pub fn begin(client: &Client, object: &ObjectReference) -> Self {
        let (client, object) = (client.clone(), object.clone());
        Self(Underway::begin(async move { open(&client, &object, "").await }))
    }
}

/// Waits until a gate is open, at most until `deadline`, and gives the object as it then stood, where
/// an object is what the gate looks at. It may be watched already, since before it stood. What only
/// istiods know is asked through `word`.
///
/// # Errors
///
/// Where time runs out, with what was still missing, and where the cluster refuses to be asked.
pub async fn wait(
    client: &Client,
    gate: &Gate,
    object: &ObjectReference,
    watching: Option<Watching>,
    word: &LastWord,
    deadline: Instant,
) -> Result<Option<Object>, WaitError> {
    let begun = Instant::now();
    let mut missing = "nothing has been seen yet".to_owned();
    let attempt = async {
        let mut watching = watching;
        loop {
            let seen = if gate.asks_istiod() {
                listen(client, gate, word, &object.namespace, &mut missing).await
            } else {
                watch(client, gate, object, watching.take(), &mut missing).await
            };
            match seen {
                Ok(Seen::Open(object)) => return Ok(object),
                Ok(Seen::Shut) => tokio::time::sleep(ISTIOD_INTERVAL).await,
                Err(failure)
                    if matches!(
                        failure.class,
                        FailureClass::Permission | FailureClass::Authentication | FailureClass::Invalid
                    ) =>
                {
                    return Err(WaitError::Refused(failure));
                }
                Err(failure) => {
                    missing = failure.to_string();
                    tokio::time::sleep(RECOVERY).await;
                }
            }
        }
    };
    match tokio::time::timeout_at(deadline, attempt).await {
        Ok(result) => result,
        Err(_) => Err(WaitError::TimedOut {
            after: begun.elapsed(),
            missing,
        }),
    }
}

/// What a look at a gate gave.
enum Seen {
    /// It is open; the object that shows it.
    Open(Option<Object>),
    /// It is not, and there is nothing more to see here.
    Shut,
}

/// Asks every istiod of a namespace once.
async fn ask(client: &Client, namespace: &str, proxies: bool) -> Result<Vec<Replica>, Failure> {
    let selector = ListSelector {
        namespace,
        labels: "app=istiod",
        ..ListSelector::default()
    };
    let pods = client.list(kind::POD, selector).await?;
    let deadline = Instant::now() + client.request_timeout();
    let asked = pods.iter().filter(|pod| is_asked(pod));
    Ok(join_all(asked.map(|pod| ask_istiod(client, pod, proxies, deadline))).await)
}

/// Hears what the istiods of a namespace say of a gate.
async fn listen(
    client: &Client,
    gate: &Gate,
    word: &LastWord,
    namespace: &str,
    missing: &mut String,
) -> Result<Seen, Failure> {
    let replicas = word.hear(client, namespace, gate.asks_proxies()).await?;
    // Who may not ask istiod today may not in a minute either.
    let refused = replicas.iter().find_map(|replica| {
        let failure = replica.clusterz.failure().or(replica.networkz.failure())?;
        (failure.class == FailureClass::Permission).then(|| failure.clone())
    });
    if let Some(refused) = refused {
        return Err(refused);
    }
    match gate.missing_of_replicas(&replicas) {
        None => Ok(Seen::Open(None)),
        Some(still) => {
            *missing = still;
            Ok(Seen::Shut)
        }
    }
}

/// Opens a watch on one object. One that names no version begins with the object as it stands
/// (Kubernetes API concepts, "semantics for watch"), which saves the list before it.
async fn open(client: &Client, reference: &ObjectReference, version: &str) -> Result<Watch, Failure> {
    let resource = reference.to_string();
    let path = format!(
        "{}&watch=true&timeoutSeconds={}{version}",
        path_of(reference)?,
        WATCH.as_secs()
    );
    client.watch(&path, &resource).await
}

/// Where one object is listed.
fn path_of(reference: &ObjectReference) -> Result<String, Failure> {
    let kind = Kind::of(&reference.api_version, &reference.kind).ok_or_else(|| {
        let message = format!("stolos does not know the kind {}", reference.kind);
        failure(FailureClass::Invalid, "watch", &reference.to_string(), message)
    })?;
    Ok(format!(
        "{}?fieldSelector={}",
        kind.list_path(&reference.namespace),
        query_escaped(&format!("metadata.name={}", reference.name))
    ))
}

/// Watches one object until the gate opens or the watch ends. Only that an object is *not* there has
/// to be asked by a list before.
async fn watch(
    client: &Client,
    gate: &Gate,
    reference: &ObjectReference,
    watching: Option<Watching>,
    missing: &mut String,
) -> Result<Seen, Failure> {
    let mut version = String::new();
    if *gate == Gate::Gone {
        let mut listed = client.get(&path_of(reference)?, &reference.to_string()).await?;
        let object = listed["items"].get_mut(0).map(|item| Object(item.take()));
        match gate.missing_of(object.as_ref()) {
            None => return Ok(Seen::Open(None)),
            Some(still) => *missing = still,
        }
        let listed_at = listed["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        version = format!("&resourceVersion={listed_at}");
    }
    let begun = match watching {
        Some(watching) => watching.0.outcome().await,
        None => None,
    };
    let mut events = match begun {
        Some(Ok(events)) => events,
        // What it failed for may have passed with the write.
        Some(Err(_)) | None => open(client, reference, &version).await?,
    };
    if let Some(still) = gate.missing_of(None) {
        *missing = still;
    }
    // A connection that is dead without a word might never end by itself.
    let end = Instant::now() + WATCH + client.request_timeout();
    while let Some(event) = events.next(end).await? {
        let object = match event {
            Event::Stands(object) => Some(object),
            Event::Gone => None,
            Event::Bookmark => continue,
            // Look afresh.
            Event::Over => return Ok(Seen::Shut),
        };
        match gate.missing_of(object.as_ref()) {
            None => return Ok(Seen::Open(object)),
            Some(still) => *missing = still,
        }
    }
    Ok(Seen::Shut)
}
