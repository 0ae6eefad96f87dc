//! What was asked of the API servers between two moments, by their audit logs.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};

use serde_json::Value;

use crate::clusters::Cluster;
use crate::trouble::{Doing as _, Outcome};

/// Who else asks things of an API server in a lab: itself, its controllers, the lab, this benchmark.
const OTHERS: [&str; 6] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "lab-runner",
    crate::api::AGENT,
];

/// A moment, as the length of each audit log.
pub struct Moment(Vec<u64>);

/// Requests by what they were.
#[derive(Debug, Default)]
pub struct Asked {
    /// All of them.
    pub requests: usize,
    /// Those that change something: neither get, list nor watch, and no review, which stores
    /// nothing. By verb and resource.
    pub writes: BTreeMap<String, usize>,
    /// Lists, by resource.
    pub lists: BTreeMap<String, usize>,
    /// Reviews of tokens and permissions.
    pub reviews: usize,
}

impl Asked {
    /// How many writes there were.
    pub fn writes(&self) -> usize {
        self.writes.values().sum()
    }

    /// How many lists there were.
    pub fn lists(&self) -> usize {
        self.lists.values().sum()
    }
}

/// This moment.
pub fn now(clusters: &[Cluster]) -> Outcome<Moment> {
    let lengths: Result<Vec<u64>, _> = clusters
        .iter()
        .map(|cluster| std::fs::metadata(&cluster.audit_log).map(|file| file.len()))
        .collect();
    lengths.doing("look at the audit logs").map(Moment)
}

/// What clients asked since a moment. An API server writes a request's event before it ends its
/// answer, so what has ended is there.
pub fn since(moment: &Moment, clusters: &[Cluster]) -> Outcome<Asked> {
    let mut asked = Asked::default();
    for (cluster, &from) in clusters.iter().zip(&moment.0) {
        let doing = format!("read the audit log of {}", cluster.context);
        let mut file = std::fs::File::open(&cluster.audit_log).doing(&doing)?;
        file.seek(SeekFrom::Start(from)).doing(&doing)?;
        let mut text = String::new();
        file.read_to_string(&mut text).doing(&doing)?;
        for line in text.lines() {
            // The last line may be half written: by a watch of a controller's, say.
            if let Ok(event) = serde_json::from_str::<Value>(line) {
                count(&event, &mut asked);
            }
        }
    }
    Ok(asked)
}

fn count(event: &Value, asked: &mut Asked) {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let agent = text("/userAgent");
    if text("/stage") != "ResponseComplete" || OTHERS.iter().any(|other| agent.starts_with(other)) {
        return;
    }
    asked.requests += 1;
    let resource = text("/objectRef/resource");
    match text("/verb") {
        "list" => *asked.lists.entry(resource.to_owned()).or_default() += 1,
        "get" | "watch" => {}
        _ if resource.ends_with("reviews") => asked.reviews += 1,
        verb => *asked.writes.entry(format!("{verb} {resource}")).or_default() += 1,
    }
}
