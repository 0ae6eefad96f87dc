//! `stolos clusters`, and the fleet file wherever it is wrong.

use crate::harness::{Home, Transcript};

const FLEET: &str = "\
apiVersion: stolos.dev/v1alpha1
kind: Fleet
metadata: {name: prod}
spec:
  clusters:
  - name: east
    context: prod-east
    uid: u-1
    network: net-east
    labels: {env: prod}
  - name: west
    network: net-west
    manage: []
";

#[test]
fn clusters_are_listed_from_any_folder_below_the_file() {
    let home = Home::new();
    home.write("stolos.yaml", FLEET);
    home.write("a/b/other.yaml", &FLEET.replace("name: prod", "name: other"));
    let mut transcript = Transcript::new(&home);
    transcript
        .run(&["clusters"])
        .run(&["clusters", "-o", "wide", "-l", "env!=prod"])
        .run(&["clusters", "-o", "json", "-l", "env=prod"])
        .run(&["clusters", "-l", "env in prod"])
        .run(&[
            "clusters",
            "--fleet",
            "a/b/other.yaml",
            "-o",
            "json",
            "-l",
            "none",
        ])
        .run(&["clusters", "--fleet", "a/b"]);
    let below = home
        .command(&["clusters"])
        .current_dir(home.path("a/b"))
        .output()
        .unwrap();
    assert!(String::from_utf8(below.stdout).unwrap().contains("prod-east"));
    transcript.assert("clusters");
}

#[test]
fn a_fleet_file_that_is_wrong_is_explained() {
    let home = Home::new();
    let mut transcript = Transcript::new(&home);
    transcript.run(&["clusters"]);
    for (old, new) in [
        ("network: net-east", "netwrok: net-east"),
        ("    network: net-west\n", ""),
        ("name: west", "name: east"),
        ("manage: []", "role: remote\n    primary: esat"),
        ("kind: Fleet", "kind: Pod"),
        ("spec:", "spec: }"),
    ] {
        home.write("stolos.yaml", &FLEET.replace(old, new));
        transcript.run(&["clusters"]);
    }
    transcript.assert("fleet-file-wrong");
}
