//! A plan that is saved, approved and carried out later: exactly that is done, or nothing.

use std::process::Output;

use simulator::{Fault, Options};

use crate::used::Used;

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn used() -> Used {
    Used::new(Options {
        clusters: 3,
        ..Options::default()
    })
}

#[test]
fn what_was_approved_is_done_once() {
    let used = used();
    used.must(&["plan", "--out", "plan.json"]);
    assert_eq!(used.fleet.counts().writes, 0);
    used.must(&["apply", "plan.json", "--yes"]);
    assert_eq!(used.fleet.counts().writes, 3 * 4);
    used.must(&["plan", "--exit-code"]);
    let (code, _, told) = said(&used.stolos(&["apply", "plan.json", "--yes"]));
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("it is not what would be done now, and nothing was changed"),
        "{told}"
    );
    assert!(told.contains("is no longer to be done"), "{told}");
    assert!(
        told.contains("hint: `stolos plan --out plan.json` plans anew"),
        "{told}"
    );
    assert_eq!(used.fleet.counts().writes, 3 * 4);
}

#[test]
fn nothing_is_done_where_something_is_another_by_now() {
    let used = used();
    used.must(&["apply", "--yes"]);
    let writes = used.fleet.counts().writes;
    // The token of one goes, which its two peers hold.
    let token = "istio-reader-service-account-istio-remote-secret-token";
    let gone = |cluster: usize, name: &str| {
        used.fleet
            .cluster(cluster)
            .take("v1", "Secret", "istio-system", name);
    };
    gone(1, token);
    used.must(&["plan", "--out", "plan.json"]);
    // A peer's link is edited before the plan is carried out.
    gone(2, &format!("istio-remote-secret-{}", used.fleet.cluster(1).name));
    let (code, _, told) = said(&used.stolos(&["apply", "plan.json", "--yes"]));
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("is no longer to be done"), "{told}");
    assert!(told.contains("was not to be done"), "{told}");
    assert_eq!(used.fleet.counts().writes, writes);
}

#[test]
fn a_cluster_that_does_not_answer_is_no_change_and_nothing_is_done() {
    let used = used();
    used.must(&["plan", "--out", "plan.json"]);
    used.fleet.cluster(3).set_fault(Fault::Status(500, None));
    let (code, _, told) = said(&used.stolos(&["apply", "plan.json", "--yes", "--request-timeout", "2s"]));
    assert_eq!(code, Some(4), "{told}");
    assert!(told.contains("cannot be told, and nothing was changed"), "{told}");
    assert_eq!(used.fleet.counts().writes, 0);
}

#[test]
fn a_plan_for_some_clusters_is_carried_out_for_those_alone() {
    let used = used();
    let cluster = used.fleet.cluster(1).name.clone();
    // Its links need the others' tokens: that is in the way, and the rest is done.
    let saved = used.stolos(&["plan", "--out", "plan.json", "--cluster", &cluster]);
    assert_eq!(saved.status.code(), Some(1), "{saved:?}");
    for selecting in ["--cluster", "--context", "--exclude", "-l"] {
        let (code, _, told) = said(&used.stolos(&["apply", "plan.json", "--yes", selecting, "a=b"]));
        assert_eq!(code, Some(2), "{told}");
    }
    let (code, _, told) = said(&used.stolos(&["apply", "plan.json", "--yes"]));
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("which --cluster leaves out"), "{told}");
    // What names the objects, and the token's Secret.
    assert_eq!(used.fleet.counts().writes, 2);
}

#[test]
fn a_difference_shows_what_is_created_and_no_token() {
    let used = used();
    let (code, shown, told) = said(&used.stolos(&["plan", "-o", "diff"]));
    assert_eq!(code, Some(0), "{told}");
    for line in [
        "      + kind: Secret",
        "      +   name: istio-reader-service-account-istio-remote-secret-token",
        "      data: made when it is carried out, and never shown",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    used.must(&["apply", "--yes"]);
    let (code, shown, _) = said(&used.stolos(&["plan", "-o", "diff"]));
    assert_eq!((code, shown.as_str()), (Some(0), "Nothing to do.\n"));
}
