//! Texts before and after, as people write them.

use super::*;
use crate::fleet::NetworkName;
use crate::fleet::spec::OtherRevision;

fn name(text: &str) -> ClusterName {
    text.parse().unwrap()
}

fn cluster(text: &str) -> ClusterSpec {
    let network: NetworkName = format!("net-{text}").parse().unwrap();
    ClusterSpec {
        context: Some(format!("ctx-{text}")),
        uid: Some("u-9".to_owned()),
        network: Some(network),
        ..ClusterSpec::named(name(text))
    }
}

const PLAIN: &str = "\
# The production mesh.
apiVersion: stolos.dev/v1alpha1
kind: Fleet
metadata: {name: prod}   # short
spec:
  clusters:
  # In Virginia.
  - name: east   # keep
    network: net-east
    # its own comment
  - name: west
    uid: u-2     # pinned by hand
    network: net-west

  # What runs there.
  mesh:
    meshID: prod
";

const NEW: &str = "  - name: north\n    context: ctx-north\n    uid: u-9\n    network: net-north\n";

/// The lines of the second that are not in the first, and the other way round, in order.
fn difference(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let diff = similar::TextDiff::from_lines(before, after);
    let of = |tag| {
        diff.iter_all_changes()
            .filter(|change| change.tag() == tag)
            .map(|change| change.value().to_owned())
            .collect()
    };
    (of(similar::ChangeTag::Insert), of(similar::ChangeTag::Delete))
}

#[test]
fn a_cluster_is_added_after_the_last_and_nothing_else_changes() {
    let after = add_cluster(PLAIN, &cluster("north")).unwrap();
    let expected = PLAIN.replace("net-west\n", &format!("net-west\n{NEW}"));
    assert_eq!(after, expected);
}

#[test]
fn a_cluster_that_was_added_is_taken_out_without_a_trace() {
    let spaced = PLAIN.replace("    # its own comment\n", "    # its own comment\n\n");
    let indented = PLAIN
        .replace("\n  - ", "\n      -   ")
        .replace("\n    network", "\n          network")
        .replace("\n    uid", "\n          uid")
        .replace("\n    # its", "\n          # its");
    let last = "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata:\n  name: a\nspec:\n  mesh: {}\n  clusters:\n  - name: a\n    network: a";
    let empty = "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata:\n  name: a\nspec:\n  clusters: []  # none yet\n  mesh: {}\n";
    let top = "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata:\n    name: a\nspec:\n    clusters:\n    -\n        name: a\n        network: a\n    -\n        name: b\n        network: b\n";
    for text in [PLAIN, &spaced, &indented, last, empty, top] {
        for text in [
            text.to_owned(),
            text.replace('\n', "\r\n"),
            text.trim_end().to_owned(),
        ] {
            let added =
                add_cluster(&text, &cluster("north")).unwrap_or_else(|error| panic!("{text}\n{error}"));
            let (inserted, deleted) = difference(&text, &added);
            assert!(inserted.len() <= 6 && deleted.len() <= 1, "{text}\n{added}");
            assert_eq!(added.contains('\r'), text.contains('\r'));
            assert_eq!(
                added.replace("\r\n", "").contains('\n'),
                text.replace("\r\n", "").contains('\n')
            );
            assert_eq!(added.ends_with('\n'), text.ends_with('\n'));
            let removed =
                remove_cluster(&added, &name("north")).unwrap_or_else(|error| panic!("{added}\n{error}"));
            assert_eq!(removed, text);
        }
    }
}

#[test]
fn each_cluster_can_go_and_the_comments_around_it_stay() {
    let after = remove_cluster(PLAIN, &name("east")).unwrap();
    let (inserted, deleted) = difference(PLAIN, &after);
    assert!(inserted.is_empty());
    assert_eq!(
        deleted,
        [
            "  - name: east   # keep\n",
            "    network: net-east\n",
            "    # its own comment\n"
        ]
    );
    let after = remove_cluster(PLAIN, &name("west")).unwrap();
    let (inserted, deleted) = difference(PLAIN, &after);
    assert!(inserted.is_empty());
    assert_eq!(deleted.len(), 3);
    let none = remove_cluster(&after, &name("east")).unwrap();
    assert!(none.contains("  clusters: []\n  # In Virginia.\n"), "{none}");
    assert!(check::read(&none).unwrap().spec.clusters.is_empty());
}

#[test]
fn a_cluster_that_others_hang_on_stays() {
    let text = PLAIN.replace("uid: u-2     # pinned by hand", "role: remote\n    primary: east");
    let error = remove_cluster(&text, &name("east")).unwrap_err();
    assert!(error.to_string().contains("there is no cluster east"), "{error}");
    assert_eq!(
        remove_cluster(PLAIN, &name("south")),
        Err(EditError::NoCluster(name("south")))
    );
    let twice = add_cluster(PLAIN, &cluster("east")).unwrap_err();
    assert!(
        twice
            .to_string()
            .contains("another cluster is named east already"),
        "{twice}"
    );
}

#[test]
fn a_uid_is_written_beside_the_name_or_over_the_old_one() {
    let after = set_uid(PLAIN, &name("east"), "u-1").unwrap();
    assert_eq!(after, PLAIN.replace("# keep\n", "# keep\n    uid: u-1\n"));
    let after = set_uid(PLAIN, &name("west"), "u-3").unwrap();
    assert_eq!(after, PLAIN.replace("uid: u-2 ", "uid: u-3 "));
    // A UID that YAML would read as a number is put in quotes.
    let after = set_uid(PLAIN, &name("west"), "123").unwrap();
    assert!(after.contains("uid: '123'     # pinned by hand\n"), "{after}");
    assert_eq!(set_uid(PLAIN, &name("west"), "u-2").unwrap(), PLAIN);
    let after = set_uid(PLAIN, &name("west"), "u-2").unwrap();
    assert_eq!(after, PLAIN);
}

#[test]
fn pins_are_written_wherever_trust_stands() {
    let (one, two) = ("1".repeat(64), "ab".repeat(32));
    let pins = [one.clone(), two.clone()];
    let pinned = |text: &str| {
        let after = set_root_pins(text, &pins).unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!(check::read(&after).unwrap().spec.trust.root_sha256, pins);
        let (_, deleted) = difference(text, &after);
        assert!(deleted.len() <= 1, "{text}\n{after}");
        after
    };
    let after = pinned(PLAIN);
    let block = format!("    rootSha256:\n    - \"{one}\"\n    - \"{two}\"\n");
    assert_eq!(after, format!("{PLAIN}  trust:\n{block}"));
    // And over what was written before.
    let only = set_root_pins(&after, &pins[..1]).unwrap();
    assert_eq!(only, after.replace(&format!("    - \"{two}\"\n"), ""));
    let trust = |fields: &str| PLAIN.replace("  mesh:\n", &format!("  trust:{fields}\n  mesh:\n"));
    pinned(&trust(" {}"));
    assert!(
        pinned(&trust("\n    root: managed   # here\n    # end"))
            .contains("# here\n    # end\n    rootSha256:\n")
    );
    let flow = pinned(&trust(&format!("\n      rootSha256: [\"{one}\"]   # old")));
    assert!(
        flow.contains(&format!("[\"{one}\", \"{two}\"]   # old\n")),
        "{flow}"
    );
    pinned(&trust("\n    rootSha256: []"));
    pinned(&trust(&format!(
        "\n    rootSha256:\n      - \"{one}\"\n    root: managed"
    )));
}

#[test]
fn what_cannot_be_edited_safely_is_refused_with_what_to_write() {
    let head = "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata: {name: a}\n";
    let flow = format!("{head}spec: {{clusters: [{{name: a, network: a}}], trust: {{root: managed}}}}\n");
    let items = format!(
        "{head}spec:\n  clusters:\n  - {{name: a, network: a}}\n  - {{name: b, network: b}}\n  trust: {{root: managed}}\n"
    );
    let anchored = format!(
        "{head}spec:\n  clusters:\n  - name: a\n    network: a\n    labels: &all\n      env: prod\n  - name: b\n    network: b\n    labels: *all\n"
    );
    let json = "{\"apiVersion\":\"stolos.dev/v1alpha1\",\"kind\":\"Fleet\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"clusters\":[{\"name\":\"a\",\"network\":\"a\"}]}}";
    let refused = |result: Result<String, EditError>| {
        let Err(EditError::Style { by_hand, .. }) = result else {
            panic!("{result:?}");
        };
        by_hand
    };
    for text in [&flow, json] {
        assert!(
            refused(add_cluster(text, &cluster("north"))).contains("- name: north\n  context: ctx-north")
        );
    }
    for text in [&flow, &items, json] {
        assert!(refused(remove_cluster(text, &name("a"))).contains("`name: a`"));
        assert!(refused(set_uid(text, &name("a"), "u-1")).contains("uid: u-1"));
        assert!(refused(set_root_pins(text, &["1".repeat(64)])).contains("rootSha256: [\"111"));
    }
    // Taking out the item that defines an anchor would leave an alias without one.
    refused(remove_cluster(&anchored, &name("a")));
    // The other one can go, and a block item can follow flow items.
    assert!(!remove_cluster(&anchored, &name("b")).unwrap().contains("*all"));
    assert!(add_cluster(&items, &cluster("north")).unwrap().contains(NEW));
    let unreadable = add_cluster("kind: Pod\n", &cluster("a")).unwrap_err();
    assert!(matches!(unreadable, EditError::Unreadable(_)));
}

/// Every way of putting these pieces together: whatever an edit gives is what it should be, since
/// the edit compares; here it is the lines that were not to be touched that are compared.
#[test]
fn untouched_lines_survive_in_every_combination() {
    let heads = ["", "# head\n", "---\n", "%YAML 1.2\n---\n"];
    let scalars = [
        "",
        "    kubeconfig: \"a # no\"\n",
        "    istio:\n      values:\n        text: |\n          - name: x\n          # no comment\n\n          end\n",
    ];
    let gaps = ["", "\n", "  # between\n", "\n    # deep\n\n"];
    let tails = [
        "",
        "\n",
        "# tail\n",
        "  mesh: {model: multi-primary}\n",
        "\n  # about the mesh\n  mesh:\n    revision: a\n...\n",
    ];
    for head in heads {
        for scalar in scalars {
            for gap in gaps {
                for tail in tails {
                    let text = format!(
                        "{head}apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata:\n  name: a\nspec:\n  clusters:\n\
                         {gap}  - name: a\n    network: a\n{scalar}{gap}  - name: b\n    network: b\n{scalar}{tail}"
                    );
                    let added = add_cluster(&text, &cluster("north"))
                        .unwrap_or_else(|error| panic!("{text}\n{error}"));
                    let (inserted, deleted) = difference(&text, &added);
                    assert!(deleted.is_empty() && inserted.len() <= 5, "{text}\n{added}");
                    assert_eq!(remove_cluster(&added, &name("north")).unwrap(), text);
                    for cluster in ["a", "b"] {
                        let removed = remove_cluster(&text, &name(cluster))
                            .unwrap_or_else(|error| panic!("{text}\n{error}"));
                        let (inserted, deleted) = difference(&text, &removed);
                        assert!(inserted.is_empty(), "{text}\n{removed}");
                        assert!(
                            !deleted
                                .iter()
                                .any(|line| line.contains("between") || line.contains("tail")),
                            "{text}"
                        );
                        let pinned = set_uid(&text, &name(cluster), "u-1").unwrap();
                        let (inserted, deleted) = difference(&text, &pinned);
                        assert_eq!((inserted.len(), deleted.len()), (1, 0));
                    }
                    let pinned = set_root_pins(&text, &["1".repeat(64)])
                        .unwrap_or_else(|error| panic!("{text}\n{error}"));
                    let (inserted, deleted) = difference(&text, &pinned);
                    assert_eq!((inserted.len(), deleted.len()), (3, 0), "{pinned}");
                }
            }
        }
    }
}

/// A revision beside the first, the switch, and the end of the first: line by line, and back.
#[test]
fn revisions_are_written_on_lines_of_their_own() {
    let head = "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata: {name: a}\nspec:\n  clusters:\n  \
                - {name: a, network: a}\n";
    let mesh = "  mesh: # ours\n    meshID: a\n    version: 1.31.2 # since May\n\n  trust: {}\n";
    let text = format!("{head}{mesh}");
    let of = |text: &str| check::read(text).unwrap().spec.mesh;
    let mut next = of(&text);
    next.other_revision = Some(OtherRevision {
        revision: "b".to_owned(),
        version: "1.32.0".to_owned(),
        namespaces: Vec::new(),
    });
    let beside = set_revisions(&text, &next).unwrap();
    let (inserted, deleted) = difference(&text, &beside);
    assert_eq!(
        inserted,
        ["    otherRevision: {revision: \"b\", version: \"1.32.0\"}\n"]
    );
    assert_eq!(deleted, Vec::<String>::new());
    assert_eq!(set_revisions(&beside, &of(&text)).unwrap(), text, "and back");

    let mut led = next.clone();
    led.tags.insert("prod".to_owned(), "b".to_owned());
    let other = led.other_revision.as_mut().unwrap();
    other.namespaces = vec!["shop".parse().unwrap(), "1".parse().unwrap()];
    let text_of_led = set_revisions(&beside, &led).unwrap();
    let (inserted, _) = difference(&beside, &text_of_led);
    assert_eq!(
        inserted,
        [
            "    otherRevision: {revision: \"b\", version: \"1.32.0\", namespaces: [\"shop\", \"1\"]}\n",
            "    tags: {\"prod\": \"b\"}\n"
        ]
    );
    assert_eq!(set_revisions(&text_of_led, &next).unwrap(), beside, "and back");

    let mut switched = next.clone();
    switched.revision = "b".to_owned();
    switched.version = "1.32.0".to_owned();
    switched.other_revision = Some(OtherRevision {
        revision: String::new(),
        version: "1.31.2".to_owned(),
        namespaces: Vec::new(),
    });
    let text = set_revisions(&beside, &switched).unwrap();
    assert!(text.contains("version: \"1.32.0\" # since May\n"), "{text}");
    switched.other_revision = None;
    let finished = set_revisions(&text, &switched).unwrap();
    assert_eq!(of(&finished), switched);

    let block = beside.replace(
        "otherRevision: {revision: \"b\", version: \"1.32.0\"}",
        "otherRevision:\n      revision: b\n      version: 1.32.0",
    );
    assert_eq!(of(&set_revisions(&block, &switched).unwrap()), switched);
    assert!(set_revisions(head, &next).unwrap().ends_with(
        "  mesh:\n    version: \"1.31.2\"\n    otherRevision: {revision: \"b\", version: \"1.32.0\"}\n"
    ));
    let refused = set_revisions(&format!("{head}  mesh: {{version: 1.31.2}}\n"), &next).unwrap_err();
    assert!(
        refused.to_string().contains("otherRevision: {revision: \"b\""),
        "{refused}"
    );
}
