//! A status report for reading: clusters, links, findings, and a verdict in one line. Text in, text
//! out: the terminal prints it.

use std::collections::{BTreeMap, BTreeSet};

pub use super::links::links;
pub use super::look::Look;

use super::look::{Color, painted};
use super::table::{Columns, table};
use crate::status::report::{ClusterReport, ControlPlaneReport, GatewayReport, ReplicaReport};
use crate::status::trust_view::short;
use crate::status::{Finding, LinkState, Severity, StatusReport};
use crate::words::{number, some_of};

/// The whole report.
pub fn report(report: &StatusReport, look: Look) -> String {
    let clusters = clusters(&report.clusters, look);
    clusters + "\n" + &after_clusters(report, look)
}

/// The report without the table of the clusters, where that has been shown.
pub fn after_clusters(report: &StatusReport, look: Look) -> String {
    let mut parts = Vec::new();
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
    if look.wide {
        table(WIDE, clusters.iter().flat_map(wide_rows))
    } else {
        table(NARROW, clusters.iter().flat_map(narrow_rows))
    }
}

const NARROW: [&str; 9] = [
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

const WIDE: [&str; 13] = [
    "NAME",
    "CONTEXT",
    "SERVER",
    "UID",
    "KUBERNETES",
    "ISTIO",
    "REVISION",
    "INSTALLED BY",
    "NETWORK",
    "READY",
    "ROOT",
    "TRUST BY",
    "GATEWAY",
];

/// The table of the clusters, shown in parts: each cluster when it is known.
#[derive(Debug)]
pub struct ClusterRows {
    wide: bool,
    narrow_columns: Option<Columns<9>>,
    wide_columns: Option<Columns<13>>,
}

impl ClusterRows {
    /// Nothing has been shown yet.
    pub fn new(look: Look) -> Self {
        Self {
            wide: look.wide,
            narrow_columns: None,
            wide_columns: None,
        }
    }

    /// The rows of these clusters, under the header where they are the first. `expected` are the names
    /// and contexts of all clusters that will be shown.
    pub fn next(&mut self, clusters: &[ClusterReport], expected: &[(String, String)]) -> String {
        if self.wide {
            let rows: Vec<_> = clusters.iter().flat_map(wide_rows).collect();
            part(&mut self.wide_columns, WIDE, &rows, expected)
        } else {
            let rows: Vec<_> = clusters.iter().flat_map(narrow_rows).collect();
            part(&mut self.narrow_columns, NARROW, &rows, expected)
        }
    }
}

fn part<const COLUMNS: usize>(
    columns: &mut Option<Columns<COLUMNS>>,
    header: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
    expected: &[(String, String)],
) -> String {
    let mut text = String::new();
    let columns = columns.get_or_insert_with(|| {
        let named: Vec<[String; COLUMNS]> = expected
            .iter()
            .map(|(name, context)| {
                std::array::from_fn(|column| match column {
                    0 => name.clone(),
                    1 => context.clone(),
                    _ => String::new(),
                })
            })
            .collect();
        let columns = Columns::of(&header, rows.iter().chain(&named));
        text.push_str(&columns.line(&header));
        columns
    });
    for row in rows {
        text.push_str(&columns.line(row));
    }
    text
}

/// A cluster's rows, one a control plane, or one where there is none.
fn narrow_rows(cluster: &ClusterReport) -> impl Iterator<Item = [String; 9]> {
    planes(cluster).map(move |plane| {
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
    })
}

fn wide_rows(cluster: &ClusterReport) -> impl Iterator<Item = [String; 13]> {
    planes(cluster)
        .zip(narrow_rows(cluster))
        .map(move |(plane, narrow)| {
            let said = |text: Option<&String>| text.map_or_else(|| unknown(cluster), Clone::clone);
            let installed_by = plane.map_or_else(
                || unknown(cluster),
                |plane| plane.installed_by.as_str().to_owned(),
            );
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
            ] = narrow;
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
        })
}

fn planes(cluster: &ClusterReport) -> impl Iterator<Item = Option<&ControlPlaneReport>> {
    let none = cluster.control_planes.is_empty().then_some(None);
    cluster.control_planes.iter().map(Some).chain(none)
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

/// So many findings with the same code are shown where not everything is asked for.
const SHOWN_OF_A_CODE: usize = 10;

fn findings(findings: &[Finding], look: Look) -> String {
    let mut text = String::new();
    let mut by_code: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        let alike = by_code.entry(finding.code).or_default();
        alike.push(finding);
        if look.wide || alike.len() <= SHOWN_OF_A_CODE {
            text.push_str(&one(finding, look));
        }
    }
    if look.wide {
        return text;
    }
    for finding in findings {
        // In the order in which the codes came.
        let alike = by_code.remove(finding.code).unwrap_or_default();
        if let Some(more @ [first, ..]) = alike.get(SHOWN_OF_A_CODE..) {
            text.push_str(&heading(first, look));
            text.push_str(&format!("{} more", more.len()));
            let clusters: BTreeSet<&str> = more
                .iter()
                .filter_map(|finding| finding.cluster.as_deref())
                .collect();
            if !clusters.is_empty() {
                text.push_str(&format!(", in {}", some_of(clusters)));
            }
            text.push_str(": `-o wide` and `-o json` have all\n");
        }
    }
    text
}

fn heading(finding: &Finding, look: Look) -> String {
    let (color, word) = match finding.severity {
        Severity::Error => (Color::Red, "error"),
        Severity::Warning => (Color::Yellow, "warning"),
        Severity::Info => (Color::Blue, "info"),
    };
    format!("{}[{}] ", painted(word, color, look), finding.code)
}

fn one(finding: &Finding, look: Look) -> String {
    let cluster = finding
        .cluster
        .as_ref()
        .map(|cluster| format!("{cluster}: "))
        .unwrap_or_default();
    format!(
        "{}{cluster}{}\n    hint: {}\n",
        heading(finding, look),
        finding.message,
        finding.hint
    )
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
    let synced = report.links.count(LinkState::Synced);
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
