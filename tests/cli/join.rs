//! `stolos join`

use crate::api_server::{ApiServer, kubeconfig, nobody};
use crate::harness::{Home, Transcript};

const FLEET: &str = "\
# Ours.
apiVersion: stolos.dev/v1alpha1
kind: Fleet
metadata: {name: prod}
spec:
  clusters:
  # The first one.
  - name: east
    uid: 11111111-aaaa   # pinned
    network: net-east

  - name: west           # not pinned
    network: net-west

  # What runs there.
  mesh:
    model: multi-primary
";

#[test]
fn a_context_becomes_an_item_and_nothing_else_changes() {
    let home = Home::new();
    let (east, west, north) = (
        ApiServer::start("11111111-aaaa", &[]),
        ApiServer::start("22222222-bbbb", &[]),
        ApiServer::start("33333333-cccc", &[]),
    );
    home.write(
        ".kube/config",
        &kubeconfig(&[
            ("east", &east.url),
            ("west", &west.url),
            ("also-east", &east.url),
            ("also-west", &west.url),
            ("admin@north", &north.url),
            ("away", &nobody()),
        ]),
    );
    home.write("stolos.yaml", FLEET);
    let mut transcript = Transcript::new(&home);
    transcript
        .run(&["join", "also-east"])
        .run(&["join", "also-west"])
        .run(&["join", "west"])
        .run(&["join", "admin@north", "--name", "east"])
        .run(&["join", "admin@north", "away", "--name", "both"])
        .run(&["join", "admin@north", "--name", "North_1"]);
    assert_eq!(home.read("stolos.yaml"), FLEET);
    transcript.run(&["join", "admin@north", "--dry-run"]);
    assert_eq!(home.read("stolos.yaml"), FLEET);
    transcript
        .run(&["join", "admin@north", "away", "--network", "shared"])
        .show("stolos.yaml");
    home.write("stolos.yaml", "{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {name: a}, spec: {clusters: [{name: east, network: a}]}}\n");
    transcript.run(&["join", "admin@north"]);
    assert!(!transcript.text().contains("hunter2"));
    transcript.assert("join");
}
