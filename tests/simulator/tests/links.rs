//! How long things take over a link: lower bounds are exact, upper ones leave room for a machine
//! that has other things to do.

use std::time::{Duration, Instant};

use simulator::{Content, Length, Options};

use crate::client::Client;
use crate::fleet;

const ROUND_TRIP: Duration = Duration::from_millis(200);
/// Half of a round trip is rounded to the timer's milliseconds.
const ROUNDING: Duration = Duration::from_millis(5);

fn long() -> Options {
    Options {
        length: Length {
            round_trip: ROUND_TRIP,
            bandwidth: None,
        },
        content: Content::Empty,
        ..Options::default()
    }
}

#[test]
fn a_first_answer_takes_three_round_trips_and_each_other_one() {
    for http2 in [false, true] {
        let (fleet, runtime) = fleet(long());
        runtime.block_on(async {
            let begun = Instant::now();
            let mut client = Client::connect(&fleet, fleet.cluster(1), http2).await.unwrap();
            client.get("/version").await.unwrap();
            let first = begun.elapsed();
            let begun = Instant::now();
            client.get("/version").await.unwrap();
            let second = begun.elapsed();
            assert!(first + ROUNDING >= ROUND_TRIP * 3, "{first:?}");
            assert!(first < ROUND_TRIP * 3 + ROUND_TRIP * 2, "{first:?}");
            assert!(second + ROUNDING >= ROUND_TRIP, "{second:?}");
            assert!(second < ROUND_TRIP * 3, "{second:?}");
        });
    }
}

#[test]
fn requests_on_one_connection_overlap() {
    let (fleet, runtime) = fleet(long());
    runtime.block_on(async {
        let client = Client::connect(&fleet, fleet.cluster(1), true).await.unwrap();
        let begun = Instant::now();
        let asked = (0..50).map(|_| {
            let mut client = client.share().unwrap();
            async move { client.get("/api/v1/namespaces").await.unwrap().0 }
        });
        let answers = futures::future::join_all(asked).await;
        let took = begun.elapsed();
        assert_eq!(answers, vec![200; 50]);
        // One after the other they would take fifty.
        assert!(took < ROUND_TRIP * 10, "{took:?}");
        assert_eq!(fleet.counts().connections, 1);
        assert_eq!(fleet.audit.requests_by_connection()[&(1, 1)], 50);
    });
}

#[test]
fn a_narrow_link_lets_through_so_many_bytes_a_second() {
    let bandwidth = 40_000;
    let (fleet, runtime) = fleet(Options {
        length: Length {
            round_trip: Duration::ZERO,
            bandwidth: Some(bandwidth),
        },
        content: Content::Empty,
        ..Options::default()
    });
    runtime.block_on(async {
        let mut client = Client::connect(&fleet, fleet.cluster(1), true).await.unwrap();
        let before = fleet.counts();
        let begun = Instant::now();
        let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        client.get(path).await.unwrap();
        let took = begun.elapsed();
        let sent = fleet.counts().since(before).sent;
        let at_least = Duration::from_secs_f64(sent as f64 / bandwidth as f64);
        assert!(
            at_least > Duration::from_millis(500),
            "{sent} bytes are too few to see it"
        );
        assert!(took >= at_least, "{sent} bytes in {took:?}");
        assert!(
            took < at_least * 3 + Duration::from_secs(2),
            "{sent} bytes in {took:?}"
        );
    });
}
