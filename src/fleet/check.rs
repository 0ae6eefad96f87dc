//! From a text to a fleet: its shape, and what one field demands of another. Every problem is
//! named by the path to its field, with its line where the text's style gives it.

mod revisions;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::layout::{Layout, segments};
use super::spec::{API_VERSION, ClusterSpec, Fleet, KIND, Role, Root};
use crate::yaml;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The path to the field: `spec.clusters[1].primary`.
    pub path: String,
    /// From 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead, where that is known.
    pub hint: Option<String>,
}

/// Why a text is no fleet file: everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetError(pub Vec<Problem>);

impl fmt::Display for FleetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n  ")?;
            }
            if let Some(line) = problem.line {
                write!(formatter, "line {line}: ")?;
            }
            if problem.path.is_empty() {
                formatter.write_str(&problem.message)?;
            } else {
                write!(formatter, "{}: {}", problem.path, problem.message)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for FleetError {}

impl FleetError {
    /// What to write instead, where that is known of any problem.
    pub fn hint(&self) -> Option<&str> {
        self.0.iter().find_map(|problem| problem.hint.as_deref())
    }
}

/// Reads a fleet file's text.
///
/// # Errors
/// It is no YAML, has unknown fields or wrong types, or its fields contradict each other.
pub fn read(text: &str) -> Result<Fleet, FleetError> {
    let fleet: Fleet =
        yaml::explained(text).map_err(|explained| FleetError(vec![shape_problem(explained)]))?;
    let mut problems = check(&fleet);
    if problems.is_empty() {
        return Ok(fleet);
    }
    let layout = Layout::of(text);
    for problem in &mut problems {
        problem.line = layout.line_of(&segments(&problem.path));
    }
    Err(FleetError(problems))
}

/// A problem of shape, with the nearest name where one is not known.
fn shape_problem(explained: yaml::Explained) -> Problem {
    let yaml::Explained { path, line, message } = explained;
    let known = message.split_once(", expected ").map_or("", |(_, known)| known);
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let unknown = ["unknown field `", "unknown variant `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split_once('`'))
        .map(|(unknown, _)| unknown.to_owned());
    let (message, hint) = match unknown {
        Some(unknown) => {
            let what = if message.starts_with("unknown field") {
                "there is no such field"
            } else {
                "there is no such value"
            };
            if !is_written_by_hand(&unknown) {
                // A line that ran into the next one: what it says may be one of Istio's values.
                let parent = path.rfind(&unknown).map_or("", |at| &path[..at]);
                return Problem {
                    path: parent.trim_end_matches('.').to_owned(),
                    line: (line > 0).then_some(line),
                    message: what.to_owned(),
                    hint: None,
                };
            }
            (format!("{what}: `{unknown}`"), Some(nearest(&unknown, &known)))
        }
        // Istio's values may hold a secret; nothing else in the file does.
        None if path.ends_with(".values") => ("it is not a map".to_owned(), None),
        None => (in_the_readers_words(&message), None),
    };
    Problem {
        path: if path == "." { String::new() } else { path },
        line: (line > 0).then_some(line),
        message,
        hint,
    }
}

/// Whether a field's name is one that somebody could have meant.
fn is_written_by_hand(name: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_. ".contains(character);
    name.len() <= 24 && name.chars().all(is_plain)
}

/// The library's words for what it expected are Rust's; a reader of YAML knows others.
fn in_the_readers_words(message: &str) -> String {
    let Some((given, wanted)) = message.rsplit_once(", expected ") else {
        return message.to_owned();
    };
    let wanted = match wanted {
        "a sequence" => "a list",
        "a map" => "a map",
        _ if wanted.starts_with("struct ") => "a map of fields",
        other => return format!("{given}, expected {other}"),
    };
    // A text where a map belongs may be all that should have been in it, Istio's values too.
    let is_word = |text: &str| text.chars().all(|character| character.is_ascii_lowercase());
    match given.split_once(": string \"") {
        Some((problem, text)) if wanted != "a list" || !is_word(text.trim_end_matches('"')) => {
            format!("{problem}: a text, expected {wanted}")
        }
        _ => format!("{given}, expected {wanted}"),
    }
}

/// The known name that comes nearest, or all of them where none is near.
fn nearest(unknown: &str, known: &[&str]) -> String {
    let lower = unknown.to_lowercase();
    let best = known
        .iter()
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), *name))
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match best {
        Some((nearness, name)) if nearness > 0.8 => format!("did you mean `{name}`?"),
        _ if known.is_empty() => "nothing can stand there".to_owned(),
        _ => format!("there are `{}`", known.join("`, `")),
    }
}

/// What one field demands of another.
pub fn check(fleet: &Fleet) -> Vec<Problem> {
    let mut problems = Problems::default();
    if fleet.api_version != API_VERSION {
        problems.add(
            "apiVersion",
            format!("{:?} is not what this stolos reads", fleet.api_version),
            format!("write `apiVersion: {API_VERSION}`"),
        );
    }
    if fleet.kind != KIND {
        problems.add(
            "kind",
            format!("{:?} is no fleet file", fleet.kind),
            format!("write `kind: {KIND}`"),
        );
    }
    check_each_once(fleet, &mut problems);
    for (index, cluster) in fleet.spec.clusters.iter().enumerate() {
        check_cluster(fleet, cluster, &format!("spec.clusters[{index}]"), &mut problems);
    }
    check_trust(fleet, &mut problems);
    revisions::check(fleet, &mut problems);
    problems.0
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Problem {
            path: path.into(),
            line: None,
            message: message.into(),
            hint: Some(hint.into()),
        });
    }
}

/// No two clusters share a name, a UID or a context: each would be the other.
fn check_each_once(fleet: &Fleet, problems: &mut Problems) {
    let mut names = BTreeMap::new();
    let mut uids = BTreeMap::new();
    let mut contexts = BTreeMap::new();
    for (index, cluster) in fleet.spec.clusters.iter().enumerate() {
        let path = format!("spec.clusters[{index}]");
        if names.insert(&cluster.name, index).is_some() {
            problems.add(
                format!("{path}.name"),
                format!("another cluster is named {} already", cluster.name),
                "a name is Istio's cluster ID: give each cluster its own",
            );
            continue;
        }
        if let Some(uid) = &cluster.uid
            && let Some(other) = uids.insert(uid, &cluster.name)
        {
            problems.add(
                format!("{path}.uid"),
                format!("{other} has this UID already: they are the same cluster"),
                "take one of the two out",
            );
        }
        let context = (cluster.context(), cluster.kubeconfig.as_deref());
        if let Some(other) = contexts.insert(context, &cluster.name) {
            problems.add(
                format!("{path}.context"),
                format!(
                    "{other} is reached by the context {:?} already",
                    cluster.context()
                ),
                "give each cluster its own context",
            );
        }
    }
}

fn check_cluster(fleet: &Fleet, cluster: &ClusterSpec, path: &str, problems: &mut Problems) {
    if cluster.network.is_none() && cluster.role != Role::External {
        problems.add(
            format!("{path}.network"),
            format!("{} has none, and workloads run there", cluster.name),
            format!(
                "write `network: {}`, or another cluster's network if their pods reach each other directly",
                cluster.name
            ),
        );
    }
    check_references(fleet, cluster, path, problems);
    if let Some(url) = &cluster.api_server {
        let uri: Option<http::Uri> = url.parse().ok();
        let usable = uri.is_some_and(|uri| {
            uri.scheme_str() == Some("https")
                && uri.host().is_some_and(|host| !host.is_empty())
                && !uri
                    .authority()
                    .is_some_and(|authority| authority.as_str().contains('@'))
        });
        if !usable {
            problems.add(
                format!("{path}.apiServer"),
                "it is no https URL",
                "write what peers dial, such as `https://10.0.0.1:6443`",
            );
        }
    }
    if let Some(areas) = &cluster.manage {
        let distinct: BTreeSet<_> = areas.iter().collect();
        if distinct.len() < areas.len() {
            problems.add(
                format!("{path}.manage"),
                "an area is named twice",
                "name each once",
            );
        }
    }
    for (key, value) in &cluster.labels {
        let term = format!("{key}={value}");
        if value.is_empty() || value.len() > 63 || term.parse::<super::selector::Selector>().is_err() {
            problems.add(
                format!("{path}.labels"),
                format!("{key:?}: {value:?} is no label"),
                "labels are as in Kubernetes: letters, digits, `-`, `_` and `.`",
            );
        }
    }
    if let Some(gateway) = &cluster.gateway
        && gateway
            .addresses
            .iter()
            .any(|address| address.trim().is_empty() || address.contains(['/', ' ']))
    {
        problems.add(
            format!("{path}.gateway.addresses"),
            "an address is no IP address and no host name",
            "write `10.0.0.1` or `gateway.example.com`; the port has a field of its own",
        );
    }
}

/// Whom a cluster hangs on.
fn check_references(fleet: &Fleet, cluster: &ClusterSpec, path: &str, problems: &mut Problems) {
    let references = [
        (
            "primary",
            &cluster.primary,
            Role::Remote,
            &[Role::Primary, Role::Config][..],
        ),
        (
            "controlPlane",
            &cluster.control_plane,
            Role::Config,
            &[Role::External][..],
        ),
    ];
    for (field, reference, bearer, roles) in references {
        let field_path = format!("{path}.{field}");
        let candidates: Vec<&str> = fleet
            .spec
            .clusters
            .iter()
            .filter(|other| roles.contains(&other.role) && other.name != cluster.name)
            .map(|other| other.name.as_str())
            .collect();
        let hint = || match candidates.as_slice() {
            [] => format!(
                "no cluster can be its {field}: one needs the role {}",
                words(roles)
            ),
            _ => format!("name one of {}", candidates.join(", ")),
        };
        match reference {
            None if cluster.role == bearer => {
                let problem = format!(
                    "{} is a {} cluster and says nothing of it",
                    cluster.name,
                    bearer.as_str()
                );
                problems.add(field_path, problem, hint());
            }
            None => {}
            Some(_) if cluster.role != bearer => {
                let problem = format!("{} is a {} cluster", cluster.name, cluster.role.as_str());
                problems.add(
                    field_path,
                    problem,
                    format!("only `role: {}` has it", bearer.as_str()),
                );
            }
            Some(name) => match fleet.cluster(name) {
                None => {
                    let problem = format!("there is no cluster {name}");
                    let known: Vec<&str> = candidates.clone();
                    let hint = if known.is_empty() {
                        hint()
                    } else {
                        nearest(name.as_str(), &known)
                    };
                    problems.add(field_path, problem, hint);
                }
                Some(other) if !roles.contains(&other.role) || other.name == cluster.name => {
                    let problem = format!("{name} is a {} cluster", other.role.as_str());
                    problems.add(field_path, problem, hint());
                }
                Some(_) => {}
            },
        }
    }
}

fn words(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    words.join(" or ")
}

fn check_trust(fleet: &Fleet, problems: &mut Problems) {
    let trust = &fleet.spec.trust;
    for (index, pin) in trust.root_sha256.iter().enumerate() {
        if pin.len() != 64
            || !pin
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        {
            problems.add(
                format!("spec.trust.rootSha256[{index}]"),
                "it is no SHA-256 fingerprint",
                "write 64 lower-case hex digits without colons: `openssl x509 -in root.pem -outform DER | sha256sum`",
            );
        }
    }
    let files = trust.certificate_file.is_some() || trust.key_file.is_some();
    if files && trust.root != Root::Files {
        let field = if trust.certificate_file.is_some() {
            "certificateFile"
        } else {
            "keyFile"
        };
        problems.add(
            format!("spec.trust.{field}"),
            "the root is not to be taken from files",
            "write `root: files` as well",
        );
    }
    if trust.root == Root::Files && trust.certificate_file.is_none() {
        problems.add(
            "spec.trust.certificateFile",
            "the root is to be taken from files, and none is named",
            "name the root certificate's file (PEM); `keyFile` too, where this machine may sign",
        );
    }
    let domain = fleet.trust_domain();
    let fits = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || "-_.".contains(character)
    };
    if domain.len() > 255 || !domain.chars().all(fits) {
        problems.add(
            "spec.mesh.trustDomain",
            format!("{domain:?} is no trust domain"),
            "a trust domain is lower-case letters, digits, `.`, `-` and `_` (SPIFFE-ID §2.1)",
        );
    }
}

#[cfg(test)]
mod tests;
