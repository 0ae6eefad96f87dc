//! A new fleet file: a fleet as YAML, with the comments that somebody who reads it first needs.

use super::spec::{Fleet, TrustSpec};
use crate::error::Result;
use crate::yaml;

const HEAD: &str =
    "# One Istio mesh over the clusters below. `stolos plan` shows what `stolos apply` would do.\n";

const CLUSTERS: &str = concat!(
    "  # name: Istio's cluster ID, which never changes; context: how your kubeconfig reaches it;\n",
    "  # uid: the cluster itself (its kube-system namespace), so that no other is ever taken for it;\n",
    "  # network: clusters whose pods reach each other directly share one.\n",
);

const OBSERVED: &str = "  # manage: [] only observes: somebody else manages Istio there.\n";

const MESH: &str = "  # What is left out here is Istio's default, or what runs already.\n";

const TRUST: &str =
    "  # root: who holds the mesh's root of trust; rootSha256: the roots that are accepted.\n";

/// The text of a new fleet file. Reading it gives the fleet again.
///
/// # Errors
/// The fleet cannot be written as YAML, which would be a bug.
pub fn new_file(fleet: &Fleet) -> Result<String> {
    let mut text = format!(
        "{HEAD}apiVersion: {}\nkind: {}\nmetadata:\n  name: {}\nspec:\n{CLUSTERS}",
        fleet.api_version,
        fleet.kind,
        yaml::to_string(&fleet.metadata.name)?.trim_end()
    );
    let observed = |areas: &Vec<_>| areas.is_empty();
    if fleet
        .spec
        .clusters
        .iter()
        .any(|cluster| cluster.manage.as_ref().is_some_and(observed))
    {
        text.push_str(OBSERVED);
    }
    if fleet.spec.clusters.is_empty() {
        text.push_str("  clusters: []\n");
    } else {
        text.push_str("  clusters:\n");
    }
    for cluster in &fleet.spec.clusters {
        for (index, line) in yaml::to_string(cluster)?.lines().enumerate() {
            let indent = if index == 0 { "  - " } else { "    " };
            text.push_str(&format!("{indent}{line}\n"));
        }
    }
    push_section(&mut text, MESH, "mesh", &yaml::to_string(&fleet.spec.mesh)?);
    if fleet.spec.trust != TrustSpec::default() {
        push_section(&mut text, TRUST, "trust", &yaml::to_string(&fleet.spec.trust)?);
    }
    Ok(text)
}

fn push_section(text: &mut String, comment: &str, key: &str, fields: &str) {
    text.push_str(&format!("{comment}  {key}:\n"));
    for line in fields.lines() {
        text.push_str(&format!("    {line}\n"));
    }
}
