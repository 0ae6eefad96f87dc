//! Changes to a fleet file's text that touch only the lines they must: comments, order, anchors,
//! line ends and the end of the file stay. The new text is read again and must say exactly what
//! was meant; where the file's style stands in the way (flow style, an anchor in what goes), the
//! change is refused with what to write by hand.

use std::ops::Range;

use thiserror::Error;

use super::check::{self, FleetError};
use super::layout::{Entry, Item, Layout, Line};
use super::name::ClusterName;
use super::spec::{ClusterSpec, Fleet, MeshSpec};
use crate::yaml;

/// Why a text was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// The text is no fleet file as it is.
    #[error("{0}")]
    Unreadable(FleetError),
    /// The fleet has no such cluster.
    #[error("the fleet has no cluster {0}")]
    NoCluster(ClusterName),
    /// The fleet would not be valid afterwards.
    #[error("{change}: {problem}")]
    Invalid {
        /// What was to be done.
        change: String,
        /// What would be wrong.
        problem: FleetError,
    },
    /// The text is written in a style in which the change cannot be made safely.
    #[error("{change}: the file is written in a way that stolos does not edit; do it by hand:\n{by_hand}")]
    Style {
        /// What was to be done.
        change: String,
        /// What to write, and where.
        by_hand: String,
    },
}

impl From<EditError> for crate::error::Error {
    fn from(error: EditError) -> Self {
        let shown = crate::error::Error::request(error.to_string());
        match &error {
            EditError::Unreadable(problem) | EditError::Invalid { problem, .. } => match problem.hint() {
                Some(hint) => shown.hint(hint),
                None => shown,
            },
            EditError::NoCluster(_) => shown.hint("`stolos clusters` lists the fleet's clusters"),
            EditError::Style { .. } => shown,
        }
    }
}

/// Adds a cluster at the end of the list.
///
/// # Errors
/// See [`EditError`].
pub fn add_cluster(text: &str, cluster: &ClusterSpec) -> Result<String, EditError> {
    let change = Change::new(text, format!("add {}", cluster.name), |fleet| {
        fleet.spec.clusters.push(cluster.clone());
    })?;
    let lines = body(cluster);
    let by_hand = format!("under `spec.clusters`:\n{}", as_item(&lines, 0, 2));
    let edited = (|| {
        let layout = Layout::of(text);
        let (clusters, items) = clusters(&layout)?;
        let Some(last) = items.last() else {
            let indent = " ".repeat(clusters.column);
            let item = as_item(&lines, clusters.column, clusters.column + 2);
            return (clusters.value() == "[]").then(|| {
                let comment = &clusters.rest["[]".len()..];
                let new = format!("{indent}{}:{comment}\n{item}", clusters.key);
                replace(&layout, clusters.lines.clone(), &new)
            });
        };
        let spaced = items.len() > 1
            && items
                .windows(2)
                .all(|pair| layout.lines[pair[1].lines.start - 1].is_blank());
        let gap = if spaced { "\n" } else { "" };
        let new = format!("{gap}{}", as_item(&lines, last.dash, last.column));
        Some(replace(&layout, last.lines.end..last.lines.end, &new))
    })();
    change.finish(edited, &by_hand)
}

/// Takes a cluster out of the list: its item's lines, and the blank line that set it apart.
///
/// # Errors
/// See [`EditError`].
pub fn remove_cluster(text: &str, name: &ClusterName) -> Result<String, EditError> {
    let change = Change::new(text, format!("take out {name}"), |fleet| {
        fleet.spec.clusters.retain(|cluster| cluster.name != *name);
    })?;
    if change.before.cluster(name).is_none() {
        return Err(EditError::NoCluster(name.clone()));
    }
    let edited = (|| {
        let layout = Layout::of(text);
        let (clusters, items) = clusters(&layout)?;
        let index = items.iter().position(|item| is_named(&layout, item, name))?;
        let mut lines = items[index].lines.clone();
        if items.len() == 1 {
            let line = layout.lines[clusters.lines.start].text;
            let key = line.strip_suffix(clusters.rest.as_str())?.trim_end();
            let head = format!("{key} []{}\n", &line[key.len()..]);
            let emptied = replace(&layout, lines, "");
            let emptied = Layout::of(&emptied);
            return Some(replace(
                &emptied,
                clusters.lines.start..clusters.lines.start + 1,
                &head,
            ));
        }
        let blank = |line: usize| layout.lines.get(line).is_none_or(Line::is_blank);
        if index > 0 && blank(lines.start - 1) && (blank(lines.end) || index == items.len() - 1) {
            lines.start -= 1;
        } else if index == 0 && blank(lines.end) {
            lines.end += 1;
        }
        Some(replace(&layout, lines, ""))
    })();
    change.finish(
        edited,
        &format!("take the item `name: {name}` out of `spec.clusters`"),
    )
}

/// Writes a cluster's UID.
///
/// # Errors
/// See [`EditError`].
pub fn set_uid(text: &str, name: &ClusterName, uid: &str) -> Result<String, EditError> {
    let change = Change::new(text, format!("write the UID of {name}"), |fleet| {
        for cluster in fleet
            .spec
            .clusters
            .iter_mut()
            .filter(|cluster| cluster.name == *name)
        {
            cluster.uid = Some(uid.to_owned());
        }
    })?;
    if change.before.cluster(name).is_none() {
        return Err(EditError::NoCluster(name.clone()));
    }
    let value = scalar(uid);
    let edited = (|| {
        let layout = Layout::of(text);
        let (_, items) = clusters(&layout)?;
        let item = items.iter().find(|item| is_named(&layout, item, name))?;
        let entries = layout.entries_of(item);
        if let Some(entry) = entries.iter().find(|entry| entry.key == "uid") {
            return set_value(&layout, entry, &value);
        }
        let before = entries
            .iter()
            .filter(|entry| ["name", "context", "kubeconfig"].contains(&entry.key.as_str()))
            .max_by_key(|entry| entry.lines.start)?;
        let new = format!("{}uid: {value}\n", " ".repeat(before.column));
        Some(replace(&layout, before.lines.end..before.lines.end, &new))
    })();
    change.finish(
        edited,
        &format!("in the item `name: {name}` of `spec.clusters`:\n  uid: {value}"),
    )
}

/// Writes the pins of the roots that the fleet accepts.
///
/// # Errors
/// See [`EditError`].
pub fn set_root_pins(text: &str, pins: &[String]) -> Result<String, EditError> {
    let change = Change::new(text, "pin the root".to_owned(), |fleet| {
        fleet.spec.trust.root_sha256 = pins.to_vec();
    })?;
    // In quotes: sixty-four digits would be a number.
    let quoted: Vec<String> = pins.iter().map(|pin| format!("\"{pin}\"")).collect();
    let list = |indent: usize| -> String {
        let item = |pin: &String| format!("{}- {pin}\n", " ".repeat(indent));
        quoted.iter().map(item).collect()
    };
    let edited = (|| {
        let layout = Layout::of(text);
        let spec = top(&layout, "spec")?;
        let below = layout.entries(spec.below());
        let column = below.first()?.column;
        let step = column.saturating_sub(spec.column).max(1);
        let Some(trust) = below.iter().find(|entry| entry.key == "trust") else {
            let (indent, inner) = (" ".repeat(column), " ".repeat(column + step));
            let new = format!("{indent}trust:\n{inner}rootSha256:\n{}", list(column + step));
            return Some(replace(&layout, spec.lines.end..spec.lines.end, &new));
        };
        let fields = layout.entries(trust.below());
        let Some(first) = fields.first() else {
            let inner = " ".repeat(column + step);
            let new = format!(
                "{}trust:\n{inner}rootSha256:\n{}",
                " ".repeat(column),
                list(column + step)
            );
            return (trust.value() == "{}").then(|| replace(&layout, trust.lines.clone(), &new));
        };
        let inner = " ".repeat(first.column);
        let block = |pins: String| format!("{inner}rootSha256:\n{pins}");
        match fields.iter().find(|entry| entry.key == "rootSha256") {
            None => Some(replace(
                &layout,
                trust.lines.end..trust.lines.end,
                &block(list(first.column)),
            )),
            Some(entry) if entry.value().starts_with('[') => {
                set_value(&layout, entry, &format!("[{}]", quoted.join(", ")))
            }
            Some(entry) if entry.value().is_empty() => {
                let items = layout.items(entry.below());
                let dash = items.first().map_or(entry.column, |item| item.dash);
                Some(replace(&layout, entry.below(), &list(dash)))
            }
            Some(_) => None,
        }
    })();
    let by_hand = format!("under `spec.trust`:\n  rootSha256: [{}]", quoted.join(", "));
    change.finish(edited, &by_hand)
}

/// Writes which revisions the mesh has, in which versions, and what is led to which.
///
/// # Errors
/// See [`EditError`].
pub fn set_revisions(text: &str, mesh: &MeshSpec) -> Result<String, EditError> {
    let change = Change::new(text, "set the mesh's revisions".to_owned(), |fleet| {
        let of_fleet = &mut fleet.spec.mesh;
        of_fleet.version.clone_from(&mesh.version);
        of_fleet.revision.clone_from(&mesh.revision);
        of_fleet.tags.clone_from(&mesh.tags);
        of_fleet.other_revision.clone_from(&mesh.other_revision);
    })?;
    let quoted = |text: &str| format!("\"{text}\"");
    let given = |text: &str| (!text.is_empty()).then(|| quoted(text));
    let other = mesh.other_revision.as_ref().map(|other| {
        let (revision, version) = (quoted(&other.revision), quoted(&other.version));
        let names = other.namespaces.iter().map(|name| quoted(name.as_str()));
        let namespaces = match names.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => none,
            names => format!(", namespaces: [{names}]"),
        };
        format!("{{revision: {revision}, version: {version}{namespaces}}}")
    });
    let tags = mesh.tags.iter();
    let tags: Vec<String> = tags
        .map(|(tag, to)| format!("{}: {}", quoted(tag), quoted(to)))
        .collect();
    let tags = (!tags.is_empty()).then(|| format!("{{{}}}", tags.join(", ")));
    let before = &change.before.spec.mesh;
    let fields = [
        ("version", before.version != mesh.version, given(&mesh.version)),
        (
            "revision",
            before.revision != mesh.revision,
            given(&mesh.revision),
        ),
        ("tags", before.tags != mesh.tags, tags),
        (
            "otherRevision",
            before.other_revision != mesh.other_revision,
            other,
        ),
    ];
    // What says the same already stays as it is written.
    let differing = fields.into_iter().filter(|(_, differs, _)| *differs);
    let fields: Vec<(&str, Option<String>)> = differing.map(|(key, _, value)| (key, value)).collect();
    let by_hand: Vec<String> = fields
        .iter()
        .map(|(key, value)| match value {
            Some(value) => format!("  {key}: {value}"),
            None => format!("  # no {key}"),
        })
        .collect();
    let edited = fields.iter().try_fold(text.to_owned(), |text, (key, value)| {
        set_in_mesh(&text, key, value.as_deref())
    });
    change.finish(edited, &format!("under `spec.mesh`:\n{}", by_hand.join("\n")))
}

/// Writes one field of `spec.mesh` on one line, or takes it out.
fn set_in_mesh(text: &str, key: &str, value: Option<&str>) -> Option<String> {
    let layout = Layout::of(text);
    let spec = top(&layout, "spec")?;
    let below = layout.entries(spec.below());
    let column = below.first()?.column;
    let step = column.saturating_sub(spec.column).max(1);
    let line = |column: usize, value: &str| format!("{}{key}: {value}\n", " ".repeat(column));
    let Some(mesh) = below.iter().find(|entry| entry.key == "mesh") else {
        let Some(value) = value else {
            return Some(text.to_owned());
        };
        let new = format!("{}mesh:\n{}", " ".repeat(column), line(column + step, value));
        return Some(replace(&layout, spec.lines.end..spec.lines.end, &new));
    };
    let fields = layout.entries(mesh.below());
    match (fields.iter().find(|entry| entry.key == key), value) {
        (None, None) => Some(text.to_owned()),
        // Nothing of it is left then.
        (Some(_), None) if fields.len() == 1 => Some(replace(&layout, mesh.lines.clone(), "")),
        (Some(entry), None) => Some(replace(&layout, entry.lines.clone(), "")),
        (Some(entry), Some(value)) if entry.lines.len() == 1 => set_value(&layout, entry, value),
        (Some(entry), Some(value)) => Some(replace(&layout, entry.lines.clone(), &line(entry.column, value))),
        (None, Some(value)) => {
            let first = fields.first()?;
            Some(replace(
                &layout,
                mesh.lines.end..mesh.lines.end,
                &line(first.column, value),
            ))
        }
    }
}

/// A change that is known in data before it is made in text.
struct Change {
    what: String,
    before: Fleet,
    after: Fleet,
}

impl Change {
    fn new(text: &str, what: String, apply: impl FnOnce(&mut Fleet)) -> Result<Self, EditError> {
        let before = check::read(text).map_err(EditError::Unreadable)?;
        let mut after = before.clone();
        apply(&mut after);
        let problems = check::check(&after);
        if !problems.is_empty() {
            return Err(EditError::Invalid {
                change: what,
                problem: FleetError(problems),
            });
        }
        Ok(Self { what, before, after })
    }

    /// The new text, if it says what was meant.
    fn finish(self, edited: Option<String>, by_hand: &str) -> Result<String, EditError> {
        edited
            .filter(|text| check::read(text).is_ok_and(|fleet| fleet == self.after))
            .ok_or(EditError::Style {
                change: self.what,
                by_hand: by_hand.trim_end().to_owned(),
            })
    }
}

/// Replaces lines; the new ones take the text's own line end, and a text that ends without one
/// still does.
fn replace(layout: &Layout<'_>, range: Range<usize>, new: &str) -> String {
    let windows = layout.lines.iter().any(|line| line.end == "\r\n");
    let usual = if windows { "\r\n" } else { "\n" };
    let unended = layout.lines.last().is_some_and(|line| line.end.is_empty());
    let old = |line: &Line<'_>| (line.text.to_owned(), line.end.to_owned());
    let mut lines: Vec<(String, String)> = layout.lines[..range.start].iter().map(old).collect();
    lines.extend(new.lines().map(|line| (line.to_owned(), usual.to_owned())));
    lines.extend(layout.lines[range.end..].iter().map(old));
    let count = lines.len();
    let mut text = String::new();
    for (index, (line, end)) in lines.into_iter().enumerate() {
        text.push_str(&line);
        if index + 1 == count && unended {
            break;
        }
        text.push_str(if end.is_empty() { usual } else { &end });
    }
    text
}

fn top(layout: &Layout<'_>, key: &str) -> Option<Entry> {
    layout
        .entries(0..layout.lines.len())
        .into_iter()
        .find(|entry| entry.key == key)
}

/// The entry of `spec.clusters` and its items.
fn clusters(layout: &Layout<'_>) -> Option<(Entry, Vec<Item>)> {
    let spec = top(layout, "spec")?;
    let clusters = layout
        .entries(spec.below())
        .into_iter()
        .find(|entry| entry.key == "clusters")?;
    let items = layout.items(clusters.below());
    Some((clusters, items))
}

fn is_named(layout: &Layout<'_>, item: &Item, name: &ClusterName) -> bool {
    layout
        .entries_of(item)
        .iter()
        .any(|entry| entry.key == "name" && entry.value().trim_matches(['"', '\'']) == name.as_str())
}

/// Replaces what stands after a key on its one line; a comment after it stays.
fn set_value(layout: &Layout<'_>, entry: &Entry, value: &str) -> Option<String> {
    if entry.lines.len() != 1 {
        return None;
    }
    let line = layout.lines[entry.lines.start].text;
    let head = line.strip_suffix(entry.rest.as_str())?;
    let comment = &entry.rest[entry.value().len()..];
    let gap = if head.ends_with(' ') { "" } else { " " };
    let new = format!("{head}{gap}{value}{comment}\n");
    Some(replace(layout, entry.lines.clone(), &new))
}

/// A text as a YAML scalar on one line.
fn scalar(text: &str) -> String {
    yaml::to_string(&text).map_or_else(|_| format!("{text:?}"), |line| line.trim_end().to_owned())
}

/// A cluster's fields as lines of YAML.
fn body(cluster: &ClusterSpec) -> Vec<String> {
    let text = yaml::to_string(cluster).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Lines as a list's item, with the dash and the fields at these columns.
fn as_item(lines: &[String], dash: usize, column: usize) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index == 0 {
            let gap = column.saturating_sub(dash + 1).max(1);
            text.push_str(&format!("{}-{}{line}\n", " ".repeat(dash), " ".repeat(gap)));
        } else {
            text.push_str(&format!("{}{line}\n", " ".repeat(column.max(dash + 2))));
        }
    }
    text
}

#[cfg(test)]
mod tests;
