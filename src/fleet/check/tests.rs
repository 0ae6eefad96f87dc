//! Fleet files with one thing wrong each.

use super::*;

const GOOD: &str = "\
apiVersion: stolos.dev/v1alpha1
kind: Fleet
metadata:
  name: prod
spec:
  clusters:
  - name: east
    context: arn:aws:eks:us-east-1:1:cluster/x
    network: net-east
    apiServer: https://10.0.0.1:6443
    labels: {region: us-east}
    manage: [trust, links]
  - name: west
    network: net-west
    role: remote
    primary: east
  mesh:
    version: \"1.31.2\"
  trust:
    rootSha256: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]
";

#[test]
fn a_good_file_is_read_and_a_composed_one_says_the_same() {
    let fleet = read(GOOD).unwrap();
    assert_eq!(fleet.spec.clusters.len(), 2);
    let text = crate::fleet::compose::new_file(&fleet).unwrap();
    assert_eq!(read(&text).unwrap(), fleet);
    let mut bare = fleet.clone();
    bare.spec.clusters.clear();
    bare.spec.trust = crate::fleet::TrustSpec::default();
    let text = crate::fleet::compose::new_file(&bare).unwrap();
    assert!(!text.contains("trust"), "{text}");
    assert_eq!(read(&text).unwrap(), bare);
}

#[test]
fn what_is_wrong_is_said_by_path_and_line_with_a_hint() {
    // What is replaced, by what, where the problem is, and a word of the hint.
    let cases = [
        (
            "kind: Fleet",
            "kind: Fleeet",
            "line 2: kind: \"Fleeet\" is no fleet file",
            "kind: Fleet",
        ),
        (
            "v1alpha1",
            "v1",
            "line 1: apiVersion: \"stolos.dev/v1\"",
            "stolos.dev/v1alpha1",
        ),
        (
            "    network: net-east\n",
            "",
            "line 7: spec.clusters[0].network: east has none",
            "network: east",
        ),
        (
            "network: net-east",
            "netwrok: net-east",
            "line 9: spec.clusters[0].netwrok: there is no such field",
            "did you mean `network`?",
        ),
        (
            "name: west",
            "name: east",
            "line 13: spec.clusters[1].name: another cluster is named east",
            "its own",
        ),
        (
            "name: west",
            "name: West_1",
            "line 13: spec.clusters[1].name: \"West_1\" is no cluster name",
            "",
        ),
        (
            "name: west",
            "name: west\n    context: arn:aws:eks:us-east-1:1:cluster/x",
            "line 14: spec.clusters[1].context",
            "own context",
        ),
        (
            "role: remote",
            "role: remoet",
            "spec.clusters[1].role: there is no such value: `remoet`",
            "did you mean `remote`?",
        ),
        (
            "primary: east",
            "primary: esat",
            "line 16: spec.clusters[1].primary: there is no cluster esat",
            "did you mean `east`?",
        ),
        (
            "primary: east",
            "primary: west",
            "spec.clusters[1].primary: west is a remote cluster",
            "east",
        ),
        (
            "    primary: east\n",
            "",
            "line 13: spec.clusters[1].primary: west is a remote cluster and says nothing",
            "east",
        ),
        (
            "role: remote\n    primary: east",
            "controlPlane: east",
            "spec.clusters[1].controlPlane: west is a primary cluster",
            "role: config",
        ),
        (
            "role: remote\n    primary: east",
            "role: config",
            "spec.clusters[1].controlPlane: west is a config cluster",
            "external",
        ),
        (
            "https://10.0.0.1:6443",
            "10.0.0.1:6443",
            "line 10: spec.clusters[0].apiServer: it is no https URL",
            "https://",
        ),
        (
            "https://10.0.0.1:6443",
            "https://u:p@10.0.0.1",
            "spec.clusters[0].apiServer",
            "https://",
        ),
        (
            "[trust, links]",
            "[trust, link]",
            "spec.clusters[0].manage[1]: there is no such value: `link`",
            "`links`",
        ),
        (
            "[trust, links]",
            "[trust, trust]",
            "line 12: spec.clusters[0].manage: an area is named twice",
            "once",
        ),
        (
            "version: \"1.31.2\"",
            "values: hunter2",
            "line 18: spec.mesh.values: it is not a map",
            "",
        ),
        (
            "[trust, links]",
            "trust",
            "spec.clusters[0].manage: invalid type: string \"trust\", expected a list",
            "",
        ),
        (
            "region: us-east",
            "region: us east",
            "line 11: spec.clusters[0].labels",
            "Kubernetes",
        ),
        (
            "aaaa]",
            "aaaA]",
            "line 20: spec.trust.rootSha256[0]: it is no SHA-256",
            "openssl",
        ),
        (
            "aaaa]",
            "aaaa]\n    keyFile: k",
            "line 21: spec.trust.keyFile: the root is not to be taken from files",
            "root: files",
        ),
        (
            "aaaa]",
            "aaaa]\n    root: files",
            "spec.trust.certificateFile: the root is to be taken from files",
            "keyFile",
        ),
        (
            "version: \"1.31.2\"",
            "trustDomain: A b",
            "line 18: spec.mesh.trustDomain",
            "SPIFFE",
        ),
        (
            "version: \"1.31.2\"",
            "revision: 1.31",
            "line 18: spec.mesh.revision",
            "dashes",
        ),
        (
            "version: \"1.31.2\"",
            "model: multiprimary",
            "spec.mesh.model: there is no such value: `multiprimary`",
            "did you mean `multi-primary`?",
        ),
        (
            "metadata:\n  name: prod",
            "metadata: {}",
            "metadata: missing field `name`",
            "",
        ),
        ("spec:", "spec: ]", "did not find expected node content", ""),
    ];
    for (old, new, problem, hint) in cases {
        assert!(GOOD.contains(old), "{old}");
        let text = GOOD.replacen(old, new, 1);
        let Err(error) = read(&text) else {
            panic!("{new} was accepted")
        };
        let shown = error.to_string();
        assert!(shown.contains(problem), "{new}: {shown}");
        let hints = error.hint().unwrap_or_default();
        assert!(hints.contains(hint), "{new}: {hints}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = GOOD
        .replace("    network: net-east\n", "")
        .replace("primary: east", "primary: north");
    let error = read(&text).unwrap_err();
    assert_eq!(error.0.len(), 2, "{error}");
}
