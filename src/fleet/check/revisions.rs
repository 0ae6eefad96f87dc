//! What a fleet file says of revisions and tags: names that Istio takes, and each of them once.

use super::Problems;
use crate::fleet::NamespaceName;
use crate::fleet::spec::{DEFAULT_REVISION, Fleet, named_revision};

pub(super) fn check(fleet: &Fleet, problems: &mut Problems) {
    check_other_revision(fleet, problems);
    check_tags(fleet, problems);
    let other = fleet.spec.mesh.other_revision.iter();
    let other = other.map(|other| ("spec.mesh.otherRevision.revision".to_owned(), &other.revision));
    for (path, revision) in std::iter::once(("spec.mesh.revision".to_owned(), &fleet.spec.mesh.revision))
        .chain(other)
        .chain((fleet.spec.clusters.iter().enumerate()).map(|(index, cluster)| {
            (
                format!("spec.clusters[{index}].istio.revision"),
                &cluster.istio.revision,
            )
        }))
    {
        if !revision.is_empty() && revision.parse::<NamespaceName>().is_err() {
            problems.add(
                path,
                format!("{revision:?} is no revision"),
                "a revision is at most 63 lower-case letters, digits and `-`; dots become dashes",
            );
        }
    }
}

fn check_other_revision(fleet: &Fleet, problems: &mut Problems) {
    let Some(other) = &fleet.spec.mesh.other_revision else {
        return;
    };
    if named_revision(&other.revision) == named_revision(&fleet.spec.mesh.revision) {
        problems.add(
            "spec.mesh.otherRevision.revision",
            format!("{:?} is the mesh's own revision", named_revision(&other.revision)),
            "give it another name, or take `otherRevision` out",
        );
    }
    for (index, cluster) in fleet.spec.clusters.iter().enumerate() {
        let own = [
            ("revision", &cluster.istio.revision),
            ("version", &cluster.istio.version),
        ];
        for (field, _) in own.into_iter().filter(|(_, own)| !own.is_empty()) {
            problems.add(
                format!("spec.clusters[{index}].istio.{field}"),
                format!("a cluster has no {field} of its own while the mesh has two revisions"),
                "take it out, or `spec.mesh.otherRevision`",
            );
        }
    }
}

/// Tags that lead nowhere, or to more than one revision.
fn check_tags(fleet: &Fleet, problems: &mut Problems) {
    let mesh = &fleet.spec.mesh;
    for (tag, revision) in &mesh.tags {
        let path = format!("spec.mesh.tags.{tag}");
        if tag.parse::<NamespaceName>().is_err() {
            problems.add(
                path,
                format!("{tag:?} is no tag"),
                "a tag is at most 63 lower-case letters, digits and `-`",
            );
        } else if tag == DEFAULT_REVISION {
            problems.add(
                path,
                "the tag default leads to the mesh's own revision by itself",
                "take it out; `stolos mesh upgrade --switch` leads it to the other revision",
            );
        } else if mesh.has_revision(tag) {
            problems.add(
                path,
                format!("{tag:?} is a revision of the mesh: namespaces that ask for it would be led twice"),
                "give the tag another name",
            );
        } else if !mesh.has_revision(revision) {
            problems.add(
                path,
                format!("the mesh has no revision {revision:?}"),
                format!(
                    "lead it to one that the mesh has: `stolos mesh upgrade --tag {tag}={}`",
                    named_revision(&mesh.revision)
                ),
            );
        }
    }
    for (index, cluster) in fleet.spec.clusters.iter().enumerate() {
        if !mesh.tags.is_empty() && !cluster.istio.revision.is_empty() {
            problems.add(
                format!("spec.clusters[{index}].istio.revision"),
                "a cluster has no revision of its own while the mesh has tags",
                "take it out, or `spec.mesh.tags`",
            );
        }
    }
}
