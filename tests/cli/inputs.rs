//! `plan -o helm-values` and `-o sail`: made of the fleet file, without asking a cluster.

use crate::harness::{Home, Transcript};

const CLUSTERS: &str = "\
apiVersion: stolos.dev/v1alpha1
kind: Fleet
metadata: {name: prod}
spec:
  clusters:
  - {name: east, context: prod-east, network: net-east, manage: [trust, links]}
";

#[test]
fn other_installers_are_given_their_own_input() {
    let home = Home::new();
    let remote = "  - {name: west, network: net-west, role: remote, primary: east, manage: [trust, links]}\n  \
                  mesh: {model: primary-remote, version: 1.31.2, revision: 1-31-2}\n";
    home.write("remote.yaml", &format!("{CLUSTERS}{remote}"));
    let other = "  - {name: west, network: net-west, manage: [trust, links]}\n  \
                 mesh: {dataPlaneMode: ambient, values: {pilot: {env: {PILOT_TRACE_SAMPLING: '5'}}}}\n";
    home.write("ambient.yaml", &format!("{CLUSTERS}{other}"));
    let external = "  - {name: edge, network: net-edge, role: config, controlPlane: hub, manage: [trust, links]}\n  \
                    - {name: west, network: net-west, role: remote, primary: edge, manage: [trust, links]}\n  \
                    mesh: {model: external-control-plane}\n";
    let hub = CLUSTERS.replace(
        "{name: east, context: prod-east, network: net-east,",
        "{name: hub, role: external,",
    );
    home.write("external.yaml", &format!("{hub}{external}"));
    home.write("config", "apiVersion: v1\nkind: Config\n");
    let mut transcript = Transcript::new(&home);
    for file in ["remote.yaml", "ambient.yaml", "external.yaml"] {
        for format in ["helm-values", "sail"] {
            transcript.run(&["plan", "-o", format, "--fleet", file, "--kubeconfig", "config"]);
        }
    }
    transcript.run(&[
        "apply",
        "--yes",
        "-o",
        "sail",
        "--fleet",
        "remote.yaml",
        "--kubeconfig",
        "config",
    ]);
    transcript.assert("inputs");
}
