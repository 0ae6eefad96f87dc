//! The collecting part of a session: its clusters are read for a command's purposes, and what is
//! known is shown while silent clusters are still being waited for.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::early::{Heard, Listening, waiting_for};
use super::session::{Member, Session};
use crate::cluster::{CollectRequest, Collecting, Ended, Purpose};
use crate::fleet::spec::DEFAULT_SYSTEM_NAMESPACE;
use crate::fleet::{ClusterName, ClusterSpec};
use crate::inventory::control_plane::first_cluster_id;
use crate::inventory::{Inventory, Observation};
use crate::render::Terminal;

/// Which clusters of a session are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// Those that the flags select.
    Selected,
}

/// Who shows clusters before all have been read.
pub trait EarlyRows {
    /// Shows those of these clusters that it has not shown yet. `expected` are all clusters that will
    /// be shown, with their contexts.
    fn show(&mut self, so_far: &Inventory, expected: &[(String, String)]);
}

impl Session {
    /// Reads clusters for some purposes.
    pub async fn collect(
        &mut self,
        scope: Scope,
        purposes: &'static [Purpose],
        terminal: &Terminal,
    ) -> Inventory {
        self.collect_showing(scope, purposes, terminal, None).await
    }

    /// Reads clusters, and has those that have answered shown while others are silent.
    pub async fn collect_showing(
        &mut self,
        scope: Scope,
        purposes: &'static [Purpose],
        terminal: &Terminal,
        mut rows: Option<&mut dyn EarlyRows>,
    ) -> Inventory {
        let requests: Vec<CollectRequest> = self
            .members
            .iter()
            .filter(|member| member.selected || scope == Scope::All)
            .map(request)
            .collect();
        let requests = foreseen(requests);
        let progress = terminal.progress(requests.len(), "reading clusters");
        let begun = Instant::now();
        let mut listening = Listening::begin();
        let mut shown = BTreeSet::new();
        let mut said = BTreeSet::new();
        let mut collecting = Collecting::begin(requests, purposes, self.parallel);
        loop {
            let heard = match rows {
                Some(_) => listening.hear(collecting.next()).await,
                None => collecting.next().await.map(Heard::News),
            };
            match heard {
                None => break,
                Some(Heard::News(ended)) => {
                    progress.step();
                    terminal.detail(1, || told(&ended, collecting.so_far()));
                }
                Some(Heard::Quiet) => {
                    let Some(rows) = &mut rows else {
                        continue;
                    };
                    self.take_cluster_ids(&mut collecting, &shown);
                    shown.extend(collecting.so_far().clusters.keys().cloned());
                    let expected: Vec<(String, String)> = self
                        .members
                        .iter()
                        .filter(|member| member.selected || scope == Scope::All)
                        .map(|member| (member.name.to_string(), member.context.clone()))
                        .collect();
                    progress.suspend(|| rows.show(collecting.so_far(), &expected));
                    let silent: BTreeSet<&str> = collecting.silent().map(ClusterName::as_str).collect();
                    // Once is enough: those who are left are fewer and fewer of the same.
                    if said.is_empty() && !silent.is_empty() {
                        let at_most = self.request_timeout.saturating_sub(begun.elapsed());
                        let text = waiting_for(silent.iter().copied(), at_most);
                        progress.suspend(|| terminal.say(&text));
                        said = silent.into_iter().map(str::to_owned).collect();
                    }
                }
            }
        }
        progress.finish();
        self.take_cluster_ids(&mut collecting, &shown);
        collecting.end().await
    }

    /// Without a fleet file a cluster goes by the ID that its control plane gives it, where it has
    /// one that no other has. One that has been `shown` keeps the name under which it was.
    fn take_cluster_ids(&mut self, collecting: &mut Collecting, shown: &BTreeSet<ClusterName>) {
        if self.file.is_some() {
            return;
        }
        let members: Vec<Named> = self
            .members
            .iter()
            .map(|member| Named {
                name: member.name.clone(),
                id: collecting
                    .so_far()
                    .seen(&member.name)
                    .and_then(first_cluster_id)
                    .and_then(|id| id.parse().ok()),
                keeps_its_name: shown.contains(&member.name),
            })
            .collect();
        for (index, id) in renamed(members) {
            if let Some(member) = self.members.get_mut(index) {
                collecting.rename(&member.name, &id);
                member.name = id;
            }
        }
    }
}

fn request(member: &Member) -> CollectRequest {
    let namespace = member
        .spec
        .as_ref()
        .map_or(DEFAULT_SYSTEM_NAMESPACE, ClusterSpec::system_namespace);
    CollectRequest {
        name: member.name.clone(),
        context: member.context.clone(),
        client: member.client.clone(),
        system_namespaces: vec![namespace.to_owned()],
        pinned_uid: member.spec.as_ref().and_then(|spec| spec.uid.clone()),
        expects_istiod: member
            .spec
            .as_ref()
            .is_none_or(|spec| spec.role.runs_control_planes()),
        is_named_by_file: member.spec.is_some(),
    }
}

/// Where nobody says which clusters have a control plane, connections are made on suspicion for a
/// fleet of a usual size alone: in a huge one they would cost more time than they spare.
fn foreseen(mut requests: Vec<CollectRequest>) -> Vec<CollectRequest> {
    const USUAL: usize = 100;
    let is_huge = requests.len() > USUAL;
    for request in requests.iter_mut().filter(|request| !request.is_named_by_file) {
        request.expects_istiod &= !is_huge;
    }
    requests
}

/// A line on a cluster that has ended.
fn told(ended: &Ended, so_far: &Inventory) -> String {
    let (name, millis) = (&ended.name, ended.took.as_millis());
    let what = match so_far.clusters.get(name) {
        Some(Observation::Seen(seen)) => format!("read {} objects in {millis} ms", seen.objects.len()),
        Some(Observation::Unreachable { failure, .. }) => format!("{failure}, after {millis} ms"),
        None => format!("nothing in {millis} ms"),
    };
    format!("{name}: {what}, {}", ended.usage)
}

/// A cluster with its name so far.
struct Named {
    name: ClusterName,
    id: Option<ClusterName>,
    keeps_its_name: bool,
}

/// Which clusters are to go by their IDs.
fn renamed(mut members: Vec<Named>) -> Vec<(usize, ClusterName)> {
    let mut holders: BTreeMap<ClusterName, Vec<usize>> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        if let Some(id) = &member.id {
            holders.entry(id.clone()).or_default().push(index);
        }
    }
    let mut renamed = Vec::new();
    for (id, holders) in holders {
        let [index] = holders[..] else {
            continue;
        };
        let taken = members
            .iter()
            .enumerate()
            .any(|(other, member)| other != index && member.name == id);
        if taken || members[index].keeps_its_name || members[index].name == id {
            continue;
        }
        members[index].name = id.clone();
        renamed.push((index, id));
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(members: &[(&str, &str, bool)]) -> Vec<String> {
        let named = members.iter().map(|(name, id, keeps_its_name)| Named {
            name: name.parse().unwrap(),
            id: id.parse().ok(),
            keeps_its_name: *keeps_its_name,
        });
        let mut names: Vec<String> = members.iter().map(|(name, ..)| (*name).to_owned()).collect();
        for (index, id) in renamed(named.collect()) {
            names[index] = id.to_string();
        }
        names
    }

    #[test]
    fn a_cluster_goes_by_its_id_where_no_other_does() {
        assert_eq!(names(&[("a", "east", false), ("b", "", false)]), ["east", "b"]);
        assert_eq!(names(&[("a", "east", false), ("b", "east", false)]), ["a", "b"]);
        assert_eq!(names(&[("a", "b", false), ("b", "", false)]), ["a", "b"]);
    }

    #[test]
    fn a_cluster_that_was_shown_keeps_its_name() {
        // East was shown as such before the other came, which then cannot have the name as well.
        assert_eq!(
            names(&[("east", "east", true), ("b", "east", false)]),
            ["east", "b"]
        );
        assert_eq!(names(&[("a", "east", true), ("b", "west", false)]), ["a", "west"]);
    }
}
