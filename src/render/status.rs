//! A status report for reading: clusters, links, findings, and a verdict in one line. Text in, text
//! out: the terminal prints it.

pub use super::links::links;
pub use super::look::Look;

use super::look::{Color, painted};
use super::table::table;
use crate::status::report::{ClusterReport, ControlPlaneReport, GatewayReport, ReplicaReport};
use crate::status::trust_view::short;
use crate::status::{Finding, LinkState, Severity, StatusReport};

/// The whole report.
pub fn report(report: &StatusReport, look: Look) -> String {
    let mut parts = vec![clusters(&report.clusters, look)];
    if look.wide {
        parts.push(replicas(&report.clusters));
        parts.push(certificates(&report.clusters));
    }
    parts.push(links(&report.links, look));
    parts.push(findings(&report.findings, look));
    parts.push(verdict(report, look));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn clusters(clusters: &[ClusterReport], look: Look) -> String {
    let rows = clusters.iter().flat_map(|cluster| {
        let planes = cluster.control_planes.iter().map(Some);
        let none = cluster.control_planes.is_empty().then_some(None);
        planes.chain(none).map(move |plane| (cluster, plane))
    });
    let common = |cluster: &ClusterReport, plane: Option<&ControlPlaneReport>| {
        let said = |text: Option<&String>| text.map_or_else(|| unknown(cluster), Clone::clone);
        [
            cluster.name.clone(),
            cluster.context.clone(),
            said(cluster.kubernetes.version.as_ref()),
            plane.map_or_else(|| unknown(cluster), |plane| said(plane.version.as_ref())),
            plane.map_or_else(|| unknown(cluster), |plane| plane.revision.clone()),
            said(cluster.network.as_ref()),
            plane.map_or_else(|| unknown(cluster), ready),
            roots(cluster),
            gateways(cluster),
        ]
    };
    let header = [
        "NAME",
        "CONTEXT",
        "KUBERNETES",
        "ISTIO",
        "REVISION",
        "NETWORK",
        "READY",
        "ROOT",
        "GATEWAY",
    ];
    if !look.wide {
        return table(header, rows.map(|(cluster, plane)| common(cluster, plane)));
    }
    let [
        name,
        context,
        kubernetes,
        istio,
        revision,
        network,
        ready,
        root,
        gateway,
    ] = header;
    let wide = [
        name,
        context,
        "SERVER",
        "UID",
        kubernetes,
        istio,
        revision,
        "INSTALLED BY",
        network,
        ready,
        root,
        "TRUST BY",
        gateway,
    ];
    table(
        wide,
        rows.map(|(cluster, plane)| {
            let [
                name,
                context,
                kubernetes,
                istio,
                revision,
                network,
                ready,
                root,
                gateway,
            ] = common(cluster, plane);
            let said = |text: Option<&String>| text.map_or_else(|| unknown(cluster), Clone::clone);
            let installed_by = plane.map_or_else(
                || unknown(cluster),
                |plane| plane.installed_by.as_str().to_owned(),
            );
            [
                name,
                context,
                said(cluster.server.as_ref()),
                said(cluster.uid.as_ref()),
                kubernetes,
                istio,
                revision,
                installed_by,
                network,
                ready,
                root,
                said(cluster.trust.managed_by.as_ref()),
                gateway,
            ]
        }),
    )
}

/// What stands where nothing is known: `?` where it could not all be read, else it is absent.
fn unknown(cluster: &ClusterReport) -> String {
    if cluster.complete { "-" } else { "?" }.to_owned()
}

fn ready(plane: &ControlPlaneReport) -> String {
    let ready = plane.replicas.iter().filter(|replica| replica.ready).count();
    let word = if plane.ready { "yes" } else { "no" };
    format!("{word} {ready}/{}", plane.replicas.len())
}

fn roots(cluster: &ClusterReport) -> String {
    let roots: Vec<&str> = cluster
        .trust
        .roots
        .iter()
        .map(|root| short(&root.sha256))
        .collect();
    if roots.is_empty() {
        unknown(cluster)
    } else {
        roots.join(",")
    }
}

fn gateways(cluster: &ClusterReport) -> String {
    let told = |gateway: &GatewayReport| {
        let addresses: Vec<&str> = gateway
            .addresses
            .iter()
            .map(|address| address.value.as_str())
            .collect();
        if addresses.is_empty() {
            "no address".to_owned()
        } else {
            addresses.join(" ")
        }
    };
    if cluster.gateways.is_empty() {
        unknown(cluster)
    } else {
        let told: Vec<String> = cluster.gateways.iter().map(told).collect();
        told.join(", ")
    }
}

fn replicas(clusters: &[ClusterReport]) -> String {
    let rows: Vec<[String; 6]> = clusters
        .iter()
        .flat_map(|cluster| cluster.control_planes.iter().map(move |plane| (cluster, plane)))
        .flat_map(|(cluster, plane)| {
            plane
                .replicas
                .iter()
                .map(move |replica| (cluster, plane, replica))
        })
        .map(|(cluster, plane, replica)| {
            [
                cluster.name.clone(),
                format!("{}/{}", plane.namespace, replica.pod),
                plane.revision.clone(),
                replica.version.clone().unwrap_or_else(|| "?".to_owned()),
                if replica.ready { "yes" } else { "no" }.to_owned(),
                sees(replica),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    table(["IN", "ISTIOD", "REVISION", "VERSION", "READY", "SEES"], rows)
}

fn sees(replica: &ReplicaReport) -> String {
    if let Some(error) = &replica.error {
        return format!("? ({error})");
    }
    let seen: Vec<String> = replica
        .clusters
        .iter()
        .map(|cluster| format!("{} {}", cluster.id, cluster.sync_status))
        .collect();
    seen.join(", ")
}

fn certificates(clusters: &[ClusterReport]) -> String {
    let rows: Vec<[String; 4]> = clusters
        .iter()
        .flat_map(|cluster| {
            let roots = cluster.trust.roots.iter().map(|root| ("root", root));
            let issuers = cluster.trust.issuers.iter().map(|issuer| ("issuer", issuer));
            roots.chain(issuers).map(|(what, certificate)| {
                [
                    cluster.name.clone(),
                    what.to_owned(),
                    certificate.sha256.clone(),
                    certificate.not_after.clone(),
                ]
            })
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    table(["IN", "CERTIFICATE", "SHA256", "NOT AFTER"], rows)
}

fn findings(findings: &[Finding], look: Look) -> String {
    let mut text = String::new();
    for finding in findings {
        let (color, word) = match finding.severity {
            Severity::Error => (Color::Red, "error"),
            Severity::Warning => (Color::Yellow, "warning"),
            Severity::Info => (Color::Blue, "info"),
        };
        let cluster = finding
            .cluster
            .as_ref()
            .map(|cluster| format!("{cluster}: "))
            .unwrap_or_default();
        text.push_str(&format!(
            "{}[{}] {cluster}{}\n    hint: {}\n",
            painted(word, color, look),
            finding.code,
            finding.message,
            finding.hint
        ));
    }
    text
}

fn verdict(report: &StatusReport, look: Look) -> String {
    let count = |severity: Severity| {
        report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let unread = report
        .clusters
        .iter()
        .filter(|cluster| !cluster.reachable)
        .count();
    let synced = report
        .links
        .iter()
        .filter(|link| link.state == LinkState::Synced)
        .count();
    let mut facts = vec![if unread > 0 {
        format!(
            "{unread} of {} did not answer",
            number(report.clusters.len(), "cluster")
        )
    } else {
        number(report.clusters.len(), "cluster")
    }];
    match report.links.len() {
        0 => {}
        all if all == synced => facts.push(format!("{} synced", number(all, "link"))),
        all => facts.push(format!("{synced} of {} synced", number(all, "link"))),
    }
    if errors > 0 {
        facts.push(number(errors, "error"));
    }
    if warnings > 0 {
        facts.push(number(warnings, "warning"));
    }
    if !report.complete && unread == 0 {
        facts.push("not everything could be read".to_owned());
    }
    let (word, color) = if report.healthy {
        ("healthy", Color::Green)
    } else if errors > 0 {
        ("not healthy", Color::Red)
    } else if report.complete {
        ("not yet healthy", Color::Yellow)
    } else {
        ("not known to be healthy", Color::Yellow)
    };
    format!("{}: {}\n", painted(word, color, look), facts.join(", "))
}

fn number(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
