//! Writes whose answer is lost, against a server that keeps one object: what is sent again, what is
//! only looked up, and what is said where it cannot be told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use super::Client;
use super::WriteOptions;
use super::client_tests::{connect, endpoint};
use crate::connection::deadlines::Deadlines;
use crate::connection::server_tests::{Reply, Server, Speaks};
use crate::inventory::{FailureClass, Object};

const SECOND: Duration = Duration::from_secs(1);

/// How the first write's answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is carried out, and then the connection is cut.
    CutAfter,
    /// The connection is cut, and nothing is done.
    CutBefore,
    /// It is carried out, and a proxy gives up on it.
    GatewayAfter,
    /// It is carried out, and the answer breaks off.
    HalfAfter,
    /// The server cannot answer now, and nothing is done.
    Unavailable,
}

#[derive(Default)]
struct Kept {
    object: Option<Value>,
    made: usize,
    /// The writes that came, by method.
    writes: Vec<Method>,
    looks: usize,
    faults: Vec<Fault>,
    /// What stands instead, once a fault has been.
    then: Option<Option<Value>>,
    hides: bool,
}

fn refused(code: u16, reason: &str) -> Reply {
    let status = json!({"kind": "Status", "reason": reason, "message": reason});
    Reply::Answer(code, status.to_string(), Vec::new())
}

impl Kept {
    /// As an API server does, of one object.
    fn carry_out(&mut self, request: &Request<Bytes>) -> Reply {
        let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let uid = self
            .object
            .as_ref()
            .map(|object| object["metadata"]["uid"].clone());
        match *request.method() {
            Method::GET => match &self.object {
                _ if self.hides => refused(403, "Forbidden"),
                Some(object) => Reply::json(object),
                None => refused(404, "NotFound"),
            },
            Method::DELETE => match uid {
                None => refused(404, "NotFound"),
                Some(uid)
                    if sent["preconditions"]["uid"]
                        .as_str()
                        .is_some_and(|named| uid != named) =>
                {
                    refused(409, "Conflict")
                }
                Some(_) => {
                    self.object = None;
                    Reply::json(&json!({"kind": "Status", "status": "Success"}))
                }
            },
            Method::POST if uid.is_some() => refused(409, "AlreadyExists"),
            Method::PATCH
                if sent["metadata"]["uid"].is_string() && uid != Some(sent["metadata"]["uid"].clone()) =>
            {
                refused(409, "Conflict")
            }
            _ => {
                self.made += usize::from(uid.is_none());
                let mut object = sent;
                object["metadata"]["uid"] = uid.unwrap_or_else(|| format!("made-{}", self.made).into());
                object["metadata"]["managedFields"] = json!([{
                    "manager": "stolos", "operation": "Apply", "fieldsV1": {"f:data": {"f:key": {}}},
                }]);
                self.object = Some(object.clone());
                Reply::json(&object)
            }
        }
    }

    fn answer(&mut self, request: &Request<Bytes>) -> Reply {
        if request.method() == Method::GET {
            self.looks += 1;
            return self.carry_out(request);
        }
        self.writes.push(request.method().clone());
        if self.faults.is_empty() {
            return self.carry_out(request);
        }
        let fault = self.faults.remove(0);
        if !matches!(fault, Fault::CutBefore | Fault::Unavailable) {
            self.carry_out(request);
        }
        if let Some(then) = self.then.take() {
            self.object = then;
        }
        match fault {
            Fault::CutAfter | Fault::CutBefore => Reply::Cut,
            Fault::GatewayAfter => Reply::status(504),
            Fault::HalfAfter => Reply::Half,
            Fault::Unavailable => Reply::status(503),
        }
    }
}

struct Case {
    client: Client,
    kept: Arc<Mutex<Kept>>,
    _server: Server,
}

impl Case {
    async fn new(speaks: Speaks, kept: Kept) -> Self {
        let kept = Arc::new(Mutex::new(kept));
        let keeper = Arc::clone(&kept);
        let server =
            Server::of_requests(speaks, move |request| keeper.lock().unwrap().answer(&request)).await;
        let deadlines = Deadlines {
            between_bytes: SECOND / 4,
            ..Deadlines::within(SECOND * 4)
        };
        Self {
            client: connect(endpoint(&server.url, server.authority.clone()), deadlines),
            kept,
            _server: server,
        }
    }

    /// How many writes of each came, and what stands.
    fn outcome(&self) -> (usize, Option<Value>) {
        let kept = self.kept.lock().unwrap();
        (kept.writes.len(), kept.object.clone())
    }
}

fn object(data: &str) -> Object {
    Object(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"},
        "data": {"key": data},
    }))
}

fn standing(data: &str, uid: &str) -> Value {
    let mut value = object(data).0;
    value["metadata"]["uid"] = uid.into();
    value
}

const AFTER: [Fault; 3] = [Fault::CutAfter, Fault::GatewayAfter, Fault::HalfAfter];
const SPEAKS: [Speaks; 2] = [Speaks::Http2, Speaks::Plain];

fn kept(fault: Fault, object: Option<Value>) -> Kept {
    Kept {
        object,
        faults: vec![fault],
        ..Kept::default()
    }
}

#[tokio::test]
async fn a_write_that_was_carried_out_is_not_sent_again() {
    for (fault, speaks) in AFTER
        .into_iter()
        .flat_map(|fault| SPEAKS.map(|speaks| (fault, speaks)))
    {
        let name = format!("{fault:?} {speaks:?}");
        let case = Case::new(speaks, kept(fault, None)).await;
        let applied = case.client.apply(&object("1"), WriteOptions::default()).await;
        assert_eq!(applied.expect(&name).text(&["metadata", "uid"]), "made-1");
        assert_eq!(case.outcome().0, 1, "{name}");

        let case = Case::new(speaks, kept(fault, None)).await;
        let created = case.client.create_object(&object("1")).await;
        assert_eq!(created.expect(&name).text(&["metadata", "uid"]), "made-1");
        assert_eq!(case.outcome().0, 1, "{name}");

        let case = Case::new(speaks, kept(fault, Some(standing("1", "old")))).await;
        let deleted = case.client.delete(&object("1").reference(), "old").await;
        deleted.expect(&name);
        assert_eq!(case.outcome(), (1, None), "{name}");
    }
}

#[tokio::test]
async fn a_write_that_was_not_carried_out_is_sent_again() {
    for speaks in SPEAKS {
        let case = Case::new(speaks, kept(Fault::CutBefore, Some(standing("0", "old")))).await;
        let applied = case.client.apply(&object("1"), WriteOptions::default()).await;
        assert_eq!(applied.unwrap().text(&["data", "key"]), "1");
        assert_eq!(case.outcome().0, 2);

        let case = Case::new(speaks, kept(Fault::CutBefore, None)).await;
        case.client.create_object(&object("1")).await.unwrap();
        assert_eq!(case.outcome().0, 2);

        let case = Case::new(speaks, kept(Fault::CutBefore, Some(standing("1", "old")))).await;
        case.client.delete(&object("1").reference(), "old").await.unwrap();
        assert_eq!(case.outcome(), (2, None));
    }
}

#[tokio::test]
async fn what_somebody_else_made_meanwhile_is_left_alone() {
    let theirs = standing("theirs", "theirs");
    // Ours was deleted, and another made in its place, before the answer came.
    for fault in [Fault::CutAfter, Fault::CutBefore] {
        let case = Case::new(
            Speaks::Http2,
            Kept {
                then: Some(Some(theirs.clone())),
                ..kept(fault, Some(standing("1", "old")))
            },
        )
        .await;
        case.client.delete(&object("1").reference(), "old").await.unwrap();
        assert_eq!(case.outcome(), (1, Some(theirs.clone())), "{fault:?}");
    }
    // An apply that names the UID of what it means.
    let case = Case::new(
        Speaks::Http2,
        Kept {
            then: Some(Some(theirs.clone())),
            ..kept(Fault::CutBefore, Some(standing("0", "old")))
        },
    )
    .await;
    let options = WriteOptions {
        uid: "old",
        ..WriteOptions::default()
    };
    let failure = case.client.apply(&object("1"), options).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Conflict, "{failure}");
    assert_eq!(case.outcome().1, Some(theirs.clone()));
    // A creation, in whose place another stands now.
    let case = Case::new(
        Speaks::Http2,
        Kept {
            then: Some(Some(theirs.clone())),
            ..kept(Fault::CutBefore, None)
        },
    )
    .await;
    let failure = case.client.create_object(&object("1")).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Conflict, "{failure}");
    assert_eq!(case.outcome(), (1, Some(theirs)));
}

#[tokio::test]
async fn without_a_loss_a_refusal_is_a_refusal_and_nothing_is_looked_up() {
    let same = standing("1", "old");
    let case = Case::new(
        Speaks::Http2,
        Kept {
            object: Some(same.clone()),
            ..Kept::default()
        },
    )
    .await;
    let failure = case.client.create_object(&object("1")).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Conflict, "{failure}");
    let failure = case
        .client
        .delete(&object("1").reference(), "another")
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Conflict, "{failure}");
    assert_eq!(case.outcome(), (2, Some(same)));
    assert_eq!(case.kept.lock().unwrap().looks, 0);
}

#[tokio::test]
async fn what_cannot_be_told_is_said() {
    // A deletion of whatever stands: another may have been made since.
    let stands = Some(standing("1", "old"));
    let case = Case::new(Speaks::Http2, kept(Fault::CutBefore, stands.clone())).await;
    let failure = case
        .client
        .delete(&object("1").reference(), "")
        .await
        .unwrap_err();
    assert!(failure.to_string().contains("is not known"), "{failure}");
    assert_eq!(case.outcome(), (1, stands));
    // Who may not look sends again what may be sent twice.
    let blind = |fault, object| Kept {
        hides: true,
        ..kept(fault, object)
    };
    let case = Case::new(Speaks::Http2, blind(Fault::CutAfter, None)).await;
    case.client
        .apply(&object("1"), WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(case.outcome().0, 2);
    let case = Case::new(Speaks::Http2, blind(Fault::CutAfter, Some(standing("1", "old")))).await;
    case.client.delete(&object("1").reference(), "old").await.unwrap();
    let case = Case::new(Speaks::Http2, blind(Fault::CutAfter, None)).await;
    let failure = case.client.create_object(&object("1")).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Conflict);
    assert!(failure.to_string().contains("is not known"), "{failure}");
    // A server that is silent from then on.
    let server = Server::of_requests(Speaks::Http2, |_| Reply::Hang).await;
    let client = connect(
        endpoint(&server.url, server.authority.clone()),
        Deadlines::within(SECOND),
    );
    let failure = client
        .apply(&object("1"), WriteOptions::default())
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Timeout, "{failure}");
    assert!(failure.to_string().contains("is not known"), "{failure}");
}

#[tokio::test]
async fn a_server_that_cannot_answer_now_is_given_time() {
    let unavailable = |times: usize| Kept {
        faults: vec![Fault::Unavailable; times],
        ..Kept::default()
    };
    let case = Case::new(Speaks::Http2, unavailable(2)).await;
    case.client
        .apply(&object("1"), WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(case.outcome().0, 3);
    // It never mends: pauses that double from 50 ms on leave room for few.
    let case = Case::new(Speaks::Http2, unavailable(10_000)).await;
    let failure = case
        .client
        .apply(&object("1"), WriteOptions::default())
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Server, "{failure}");
    assert!(!failure.to_string().contains("is not known"), "{failure}");
    let (writes, stands) = case.outcome();
    assert!((2..20).contains(&writes), "{writes} writes");
    assert_eq!(stands, None);
}
