//! Each fault shows as it should, on its own cluster alone, and is over when it is healed.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde_json::json;
use simulator::{Cluster, Content, Fault, Fleet, Options, Plan};

use crate::client::{Client, Trouble, get};
use crate::fleet;

/// Long enough for an answer on the loopback of a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// Within this, silence is silence.
const SILENCE: Duration = Duration::from_millis(400);

fn two() -> Options {
    Options {
        clusters: 2,
        content: Content::Empty,
        ..Options::default()
    }
}

const PATH: &str = "/api/v1/namespaces/kube-system";

/// What is heard of a cluster within a time: a status and a body, trouble, or nothing.
async fn heard(
    fleet: &Fleet,
    cluster: &Cluster,
    http2: bool,
    time: Duration,
) -> Option<Result<u16, Trouble>> {
    let answer = tokio::time::timeout(time, get(fleet, cluster, http2, PATH)).await;
    answer.ok().map(|answer| answer.map(|(status, _)| status))
}

async fn assert_sound(fleet: &Fleet, cluster: &Cluster) {
    let answer = heard(fleet, cluster, true, PATIENCE).await;
    assert!(matches!(answer, Some(Ok(200))), "{answer:?}");
}

#[test]
fn silences_last_until_they_are_healed() {
    for fault in [Fault::BlackHole, Fault::Unaccepted, Fault::SilentAfterHandshake] {
        let (fleet, runtime) = fleet(two());
        runtime.block_on(async {
            let (bad, good) = (fleet.cluster(1), fleet.cluster(2));
            let mut standing = Client::connect(&fleet, bad, true).await.unwrap();
            assert_eq!(standing.get(PATH).await.unwrap().0, 200);
            bad.set_fault(fault.clone());
            // The listener takes a moment to hear of it.
            tokio::time::sleep(SILENCE).await;
            let silent = heard(&fleet, bad, true, SILENCE).await;
            assert!(silent.is_none(), "{fault:?}: {silent:?}");
            let connected = tokio::time::timeout(SILENCE, tokio::net::TcpStream::connect(bad.address)).await;
            let accepts = connected.is_ok_and(|connected| connected.is_ok());
            assert_eq!(accepts, fault != Fault::Unaccepted, "{fault:?}");
            let asked = tokio::time::timeout(SILENCE, standing.get(PATH)).await;
            assert!(
                asked.is_err(),
                "{fault:?}: connections that stand are silent, too"
            );
            assert_sound(&fleet, good).await;
            bad.heal();
            let begun = Instant::now();
            while !matches!(heard(&fleet, bad, true, PATIENCE).await, Some(Ok(200))) {
                assert!(begun.elapsed() < PATIENCE * 2, "{fault:?}: it is healed");
            }
        });
    }
}

#[test]
fn a_dead_cluster_refuses_and_comes_back_where_it_was() {
    let (fleet, runtime) = fleet(two());
    runtime.block_on(async {
        let (bad, good) = (fleet.cluster(1), fleet.cluster(2));
        let mut standing = Client::connect(&fleet, bad, false).await.unwrap();
        assert_eq!(standing.get(PATH).await.unwrap().0, 200);
        bad.set_fault(Fault::Refused);
        tokio::time::sleep(SILENCE).await;
        let refused = tokio::net::TcpStream::connect(bad.address).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        assert!(standing.get(PATH).await.is_err());
        assert_sound(&fleet, good).await;
        bad.heal();
        tokio::time::sleep(SILENCE).await;
        assert_sound(&fleet, bad).await;
    });
}

#[test]
fn connections_and_answers_break() {
    for http2 in [false, true] {
        for fault in [
            Fault::ResetOnAccept,
            Fault::ResetAfterRequest(false),
            Fault::ResetAfterRequest(true),
            Fault::ResetInBody,
            Fault::HalfBody,
            Fault::WrongCertificate,
            Fault::PlainHttp,
        ] {
            let (fleet, runtime) = fleet(two());
            runtime.block_on(async {
                let (bad, good) = (fleet.cluster(1), fleet.cluster(2));
                bad.set_fault(fault.clone());
                tokio::time::sleep(Duration::from_millis(50)).await;
                let broken = heard(&fleet, bad, http2, PATIENCE).await;
                assert!(matches!(broken, Some(Err(_))), "{fault:?}: {broken:?}");
                assert_sound(&fleet, good).await;
                bad.heal();
                tokio::time::sleep(Duration::from_millis(50)).await;
                assert_sound(&fleet, bad).await;
            });
        }
    }
}

#[test]
fn whether_a_write_was_done_before_the_connection_broke_is_chosen() {
    for done in [false, true] {
        let (fleet, runtime) = fleet(two());
        runtime.block_on(async {
            let bad = fleet.cluster(1);
            bad.set_fault(Fault::ResetAfterRequest(done));
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}});
            let mut client = Client::connect(&fleet, bad, true).await.unwrap();
            let path = "/api/v1/namespaces/default/configmaps/a?fieldManager=m";
            assert!(client.ask("PATCH", path, Some(&map)).await.is_err());
            assert_eq!(bad.object("v1", "ConfigMap", "default", "a").is_some(), done);
            assert_eq!(bad.counts().writes, u64::from(done));
        });
    }
}

#[test]
fn answers_are_refused_with_codes() {
    for (fault, code, retry_after) in [
        (Fault::Status(503, None), 503, None),
        (Fault::Status(503, Some(3)), 503, Some("3")),
        (Fault::Status(429, Some(1)), 429, Some("1")),
        (Fault::Status(500, None), 500, None),
        (Fault::Unauthorized, 401, None),
        (Fault::Forbidden("get", ""), 403, None),
        (Fault::Forbidden("list", ""), 200, None),
        (Fault::WebPage, 200, None),
    ] {
        let (fleet, runtime) = fleet(two());
        runtime.block_on(async {
            fleet.cluster(1).set_fault(fault.clone());
            let mut client = Client::connect(&fleet, fleet.cluster(1), true).await.unwrap();
            let answer = client.send("GET", PATH, None).await.unwrap();
            assert_eq!(answer.status().as_u16(), code, "{fault:?}");
            let said = answer.headers().get("retry-after");
            assert_eq!(said.map(|said| said.to_str().unwrap()), retry_after, "{fault:?}");
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8_lossy(&body).into_owned();
            assert_eq!(text.contains("<html>"), fault == Fault::WebPage, "{text}");
            assert_sound(&fleet, fleet.cluster(2)).await;
        });
    }
}

#[test]
fn a_full_etcd_is_read_and_not_written() {
    let (fleet, runtime) = fleet(two());
    runtime.block_on(async {
        fleet.cluster(1).set_fault(Fault::NoSpace);
        let mut client = Client::connect(&fleet, fleet.cluster(1), true).await.unwrap();
        assert_eq!(client.get(PATH).await.unwrap().0, 200);
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}});
        let path = "/api/v1/namespaces/default/configmaps/a?fieldManager=m";
        let (status, answer) = client.ask("PATCH", path, Some(&map)).await.unwrap();
        assert_eq!((status, &answer["message"]), (500, &json!("etcdserver: mvcc: database space exceeded")));
        assert_eq!(fleet.counts().writes, 0);
    });
}

#[test]
fn a_body_that_drips_begins_and_does_not_end() {
    let (fleet, runtime) = fleet(two());
    runtime.block_on(async {
        fleet.cluster(1).set_fault(Fault::Drip);
        let mut client = Client::connect(&fleet, fleet.cluster(1), true).await.unwrap();
        let answer = client.send("GET", PATH, None).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let mut body = answer.into_body();
        let first = tokio::time::timeout(PATIENCE, body.frame())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!(first.into_data().unwrap().len(), 1);
        assert!(tokio::time::timeout(SILENCE, body.collect()).await.is_err());
    });
}

#[test]
fn flapping_and_passing_faults_strike_as_often_as_they_should() {
    let (fleet, runtime) = fleet(two());
    runtime.block_on(async {
        let bad = fleet.cluster(1);
        let mut client = Client::connect(&fleet, bad, true).await.unwrap();
        bad.set_plan(Plan::every(Fault::Status(503, None), 3));
        let mut codes = Vec::new();
        for _ in 0..6 {
            codes.push(client.get(PATH).await.unwrap().0);
        }
        assert_eq!(codes, [200, 200, 503, 200, 200, 503]);
        bad.set_plan(Plan::times(Fault::Unauthorized, 1));
        assert_eq!(client.get(PATH).await.unwrap().0, 401);
        assert_eq!(client.get(PATH).await.unwrap().0, 200);
    });
}

#[test]
fn a_watch_that_is_gone_says_so() {
    let (fleet, runtime) = fleet(two());
    runtime.block_on(async {
        fleet.cluster(1).set_fault(Fault::Gone);
        let mut client = Client::connect(&fleet, fleet.cluster(1), true).await.unwrap();
        let path = "/api/v1/namespaces?watch=true&resourceVersion=10000&timeoutSeconds=5";
        let (status, event) = client.get(path).await.unwrap();
        assert_eq!(
            (status, &event["type"], &event["object"]["code"]),
            (200, &json!("ERROR"), &json!(410))
        );
    });
}
