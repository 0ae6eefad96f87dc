//! Killed at any time, again and again: the next `apply` finishes the job.

use std::process::Stdio;
use std::time::Duration;

use crate::fleet::Fleet;
use crate::harness::must;

#[test]
fn an_apply_that_is_killed_again_and_again_is_finished_by_the_next() {
    let fleet = Fleet::init("kill", 2);
    // A whole apply takes some seconds: the later each kill, the further the next one gets.
    let mut killed = 0;
    for millis in [
        300, 500, 700, 900, 1_000, 1_100, 1_200, 1_400, 1_600, 1_900, 2_300, 2_800, 3_400, 4_000,
    ] {
        let mut command = fleet.lab.stolos(&["apply", "--yes", "--quiet"]);
        let mut apply = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("stolos can be run");
        std::thread::sleep(Duration::from_millis(millis));
        if apply.try_wait().expect("the process can be asked").is_none() {
            apply.kill().expect("the process can be killed");
            killed += 1;
        }
        apply.wait().expect("the process ends");
    }
    assert!(
        killed >= 5,
        "only {killed} applies were killed: the test has become too quick for itself"
    );
    must(fleet.lab.stolos(&["apply", "--yes"]));
    fleet.assert_settled();
    let report = fleet.status();
    assert_eq!(report["healthy"], true, "{report:#}");

    // The same end state as an uninterrupted run: one root, under which both clusters sign, and
    // which is pinned; each Secret once.
    let roots: Vec<String> = (0..2)
        .map(|index| report["clusters"][index]["trust"]["roots"][0]["sha256"].to_string())
        .collect();
    assert_eq!(roots[0], roots[1]);
    let file = std::fs::read_to_string(&fleet.file).unwrap();
    assert!(file.contains(roots[0].trim_matches('"')), "{file}");
    for number in [1, 2] {
        let secrets = must(fleet.lab.kubectl(
            &fleet.lab.context(number),
            &[
                "-n",
                "istio-system",
                "get",
                "secrets",
                "-l",
                "istio/multiCluster=true",
                "-o",
                "name",
            ],
        ));
        assert_eq!(secrets.lines().count(), 1, "{secrets}");
    }
}
