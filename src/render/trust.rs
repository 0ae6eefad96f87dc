//! The trust report for reading.

use super::table::table;
use crate::trust::report::{CertificateFacts, ClusterTrust, TrustReport};

/// The report as a table, with what is wrong below it.
pub fn text(report: &TrustReport) -> String {
    let mut text = String::new();
    if let Some(root) = &report.on_hand {
        let key = match root.key {
            "absent" => "its key is not here".to_owned(),
            "plain" => "its key is here, unencrypted".to_owned(),
            other => format!("its key is here, {other}"),
        };
        match &root.certificate {
            Some(certificate) => text.push_str(&format!(
                "root on this machine: {} until {}, {key}\n",
                certificate.sha256, certificate.not_after
            )),
            None => text.push_str("root on this machine: none\n"),
        }
        for line in root.problem.iter().chain(&root.remarks) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    for pin in &report.pins {
        text.push_str(&format!("pinned in the fleet file: {pin}\n"));
    }
    if let Some(relation) = report.roots {
        text.push_str(&format!("roots of the clusters: {relation}\n"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&table(
        [
            "CLUSTER",
            "NAMESPACE",
            "SOURCE",
            "MANAGED BY",
            "ROOT",
            "INTERMEDIATE",
            "ENDS",
            "VERIFIES",
        ],
        report.clusters.iter().map(row),
    ));
    for cluster in &report.clusters {
        for problem in cluster.error.iter().chain(&cluster.problem) {
            text.push_str(&format!("\n{}: {problem}\n", cluster.name));
        }
    }
    text
}

fn row(cluster: &ClusterTrust) -> [String; 8] {
    let roots: Vec<&str> = cluster.roots.iter().map(short).collect();
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    [
        cluster.name.clone(),
        cluster.namespace.clone(),
        cluster.source.to_owned(),
        or_dash(cluster.managed_by.clone().unwrap_or_default()),
        or_dash(roots.join(",")),
        or_dash(cluster.issuer.as_ref().map(short).unwrap_or_default().to_owned()),
        or_dash(
            (cluster.issuer.as_ref())
                .or(cluster.roots.first())
                .map(|certificate| certificate.not_after.clone())
                .unwrap_or_default(),
        ),
        match cluster.verifies {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => "-".to_owned(),
        },
    ]
}

/// Enough of a fingerprint to tell certificates apart; `-o json` has all of it.
fn short(certificate: &CertificateFacts) -> &str {
    certificate.sha256.get(..16).unwrap_or(&certificate.sha256)
}
