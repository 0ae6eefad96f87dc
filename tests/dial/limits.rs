//! Few descriptors and many endpoints: everybody gets a turn. In a process of its own, since a limit
//! is the whole process's.

use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use stolos::connection::dial::{Dialer, Wanted};
use tokio::time::Instant;

use crate::server::{Ca, Server};
use crate::{ENOUGH, echo, endpoint};

/// Set in the process that has few descriptors: the server's URL and its authority's certificate.
const CHILD: &str = "STOLOS_TEST_FEW_DESCRIPTORS";

const ENDPOINTS: usize = 200;

#[tokio::test]
async fn two_hundred_endpoints_finish_with_64_descriptors() {
    if let Ok(given) = std::env::var(CHILD) {
        return with_few(&given).await;
    }
    let ca = Ca::new("an authority");
    let server = Server::start(ca.issue_for(&["127.0.0.1"])).await;
    let certificate = ca
        .der
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "limits::two_hundred_endpoints_finish_with_64_descriptors",
                "--nocapture",
            ])
            .env(CHILD, format!("{} {certificate}", server.url()))
            .output()
            .map(|output| (output, server))
    });
    let (output, server) = child.await.unwrap().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(server.seen().len(), ENDPOINTS);
}

async fn with_few(given: &str) {
    let limit = Rlimit {
        current: Some(32),
        maximum: Some(64),
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    let (url, certificate) = given.split_once(' ').unwrap();
    let certificate = (0..certificate.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&certificate[at..at + 2], 16).unwrap())
        .collect();
    let authority = stolos::connection::endpoint::Authority::Certificates(vec![certificate]);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..ENDPOINTS {
        let dialer = Dialer::new(&endpoint(url, authority.clone()), None).unwrap();
        all.spawn(async move {
            let permit = dialer.permit().await;
            // The clock begins with the permit.
            let deadline = Instant::now() + ENOUGH;
            let mut dialled = dialer.dial_with(permit, Wanted::Best, deadline).await.unwrap();
            echo(&mut dialled).await;
            // Long enough that not all of them can have had a turn without waiting for others.
            tokio::time::sleep(Duration::from_millis(20)).await;
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    assert_eq!(
        getrlimit(Resource::Nofile).current,
        Some(64),
        "the soft limit is raised"
    );
}
