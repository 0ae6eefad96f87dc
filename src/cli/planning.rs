//! From a session to a plan: what the planners cannot know by themselves is asked for here —
//! Istio's renderings, what answers at the addresses for peers, and a dry run of what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures::future::join_all;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::collecting::Scope;
use super::session::Session;
use crate::cluster::{self, Purpose, WriteOptions};
use crate::error::{Error, Result};
use crate::fleet::{Area, ClusterName, Fleet};
use crate::host::istioctl::{self, Istioctl};
use crate::host::keys::RootStore;
use crate::inventory::{DryRun, Failure, FailureClass, Inventory, ObjectReference, Observation};
use crate::link::address;
use crate::mesh::objects::Rendering;
use crate::mesh::{self, render_requests};
use crate::plan::draft::digest;
use crate::plan::saved::SavedPlan;
use crate::plan::{Action, Content, Plan};
use crate::reconcile::{self, Given};
use crate::render::Terminal;

/// Runs of istioctl at the same time, two for each rendering: each keeps a core busy.
const RENDERED_AT_ONCE: usize = 4;

/// Everything that a plan was made from, and the plan.
pub struct Planned {
    /// The fleet as the file says it.
    pub fleet: Fleet,
    /// What was seen.
    pub inventory: Inventory,
    /// Where the fleet's root lies.
    pub root_store: RootStore,
    /// The plan.
    pub plan: Plan,
    /// As whom each cluster is changed, in its own words; empty where nothing is to be changed.
    pub users: BTreeMap<ClusterName, String>,
}

impl Planned {
    /// The plan as it is saved, where these clusters may be written.
    pub fn to_save(&self, clusters: &BTreeSet<ClusterName>) -> SavedPlan {
        SavedPlan::of(&self.fleet, clusters, &self.plan, &self.inventory)
    }
}

/// What is to be planned.
pub struct PlanRequest<'request> {
    /// The parts of the work.
    pub areas: &'request [Area],
    /// The clusters that may be written; all where empty.
    pub clusters: BTreeSet<ClusterName>,
    /// The istioctls that the user named.
    pub istioctl: Vec<PathBuf>,
    /// Clusters whose control planes, where they serve, are changed at the same time.
    pub at_once: usize,
    /// Whether istiod's own word is awaited: that it reads the others, that it knows their gateways.
    pub awaits_istiod: bool,
    /// Whether what `istioctl install` made is taken over.
    pub adopts: bool,
    /// Whether the plan is to be carried out, so that it is asked as whom.
    pub changes: bool,
}

/// Plans a session's fleet.
pub async fn plan(session: &mut Session, request: &PlanRequest<'_>, terminal: &Terminal) -> Result<Planned> {
    let Some(file) = session.file.clone() else {
        return Err(Error::request("plan a fleet: there is no fleet file").hint("`stolos init` writes one"));
    };
    let fleet = file.fleet.clone();
    if let Some(refused) = refused(&fleet, &format!("plan the fleet {}", fleet.metadata.name)) {
        return Err(refused);
    }
    let purposes = purposes(request, &fleet);
    let rendering = async {
        match request.areas.contains(&Area::Mesh) {
            true => render(fleet.clone(), request.istioctl.clone()).await,
            false => Ok(BTreeMap::new()),
        }
    };
    let users = acting_users(session, request.changes);
    let (mut inventory, users, renderings) =
        tokio::join!(session.collect(Scope::All, purposes, terminal), users, rendering);
    let renderings = renderings?;
    refuse_twins(&inventory)?;
    refuse_unproven(&fleet, &mut inventory);
    probe_addresses(session, &fleet, &mut inventory).await;
    let root_store = RootStore::of(&fleet, file.folder(), &RootStore::default_directory()?);
    let at = Timestamp::now();
    let root = root_store.inspect(at);
    let make = |inventory: &Inventory| {
        let given = Given {
            inventory,
            renderings: &renderings,
            root: &root,
            at,
            areas: request.areas,
            adopts: request.adopts,
        };
        let plan = reconcile::limited_to(reconcile::plan(&fleet, &given), &request.clusters);
        let plan = reconcile::in_turn(plan, &fleet, &given, request.at_once);
        if request.awaits_istiod {
            plan
        } else {
            reconcile::without_istiods_word(plan)
        }
    };
    let mut plan = make(&inventory);
    if try_out(session, &plan, &mut inventory).await {
        plan = make(&inventory);
    }
    Ok(Planned {
        fleet,
        inventory,
        root_store,
        plan,
        users,
    })
}

/// What speaks against the mesh of a fleet file by itself, as a failure of what was to be done.
pub fn refused(fleet: &Fleet, doing: &str) -> Option<Error> {
    let refusals = mesh::guard::refusals(fleet);
    let reasons: Vec<&str> = refusals.iter().map(|refusal| refusal.reason.as_str()).collect();
    let hint = refusals.first()?.hint.clone();
    Some(Error::request(format!("{doing}: {}", reasons.join("; "))).hint(hint))
}

/// What clusters are read for by a plan.
fn purposes(request: &PlanRequest<'_>, fleet: &Fleet) -> &'static [Purpose] {
    let shares = mesh::guard::shares_networks(fleet);
    match request.areas {
        [Area::Trust] => &[Purpose::Trust],
        [Area::Mesh] if shares => &[Purpose::Mesh, Purpose::Ranges],
        [Area::Mesh] => &[Purpose::Mesh],
        [Area::Links] if request.awaits_istiod => &[Purpose::Links, Purpose::Istiods],
        [Area::Links] => &[Purpose::Links],
        _ if shares => Purpose::PLAN_OF_SHARED_NETWORKS,
        _ => Purpose::PLAN,
    }
}

/// As whom the clusters are changed, asked in the burst of requests by which they are read.
pub fn acting_users(
    session: &Session,
    changes: bool,
) -> impl Future<Output = BTreeMap<ClusterName, String>> + use<> {
    let members = session.members.iter().filter(|_| changes);
    let asked: Vec<_> = members
        .filter_map(|member| Some((member.name.clone(), member.client.as_ref().ok()?.clone())))
        .map(|(name, client)| async move { (name, cluster::acting_user(&client).await) })
        .collect();
    async move { join_all(asked).await.into_iter().collect() }
}

async fn render(fleet: Fleet, named: Vec<PathBuf>) -> Result<BTreeMap<ClusterName, Rendering>> {
    let wanted: Vec<_> = render_requests(&fleet)
        .into_iter()
        .filter(|request| {
            fleet
                .cluster(&request.cluster)
                .is_some_and(|cluster| cluster.manages(Area::Mesh))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut tools = Vec::new();
    for program in &named {
        tools.push(Istioctl::find(Some(program)).await?);
    }
    if tools.is_empty() {
        tools.push(Istioctl::find(None).await?);
    }
    let tools = &tools[..];
    let renderings = stream::iter(&wanted)
        .map(|request| async move {
            let rendering = istioctl::render(tools, request).await?;
            Ok::<_, istioctl::IstioctlError>((request.cluster.clone(), rendering))
        })
        .buffer_unordered(RENDERED_AT_ONCE)
        .try_collect()
        .await?;
    Ok(renderings)
}

/// A cluster that the fleet file pins and that does not show its identity is not written: it may be
/// another one.
pub fn refuse_unproven(fleet: &Fleet, inventory: &mut Inventory) {
    for cluster in &fleet.spec.clusters {
        let Some(pinned) = &cluster.uid else {
            continue;
        };
        let Some(observation) = inventory.clusters.get_mut(&cluster.name) else {
            continue;
        };
        if let Observation::Seen(seen) = observation
            && seen.uid.is_empty()
        {
            *observation = Observation::Unreachable {
                context: seen.context.clone(),
                failure: Failure {
                    class: FailureClass::Identity,
                    verb: "get".to_owned(),
                    resource: "namespace kube-system".to_owned(),
                    message: format!(
                        "the fleet file pins the cluster whose kube-system namespace has the UID {pinned}, and this \
                         context may not read which one it reaches"
                    ),
                },
            };
        }
    }
}

/// Two contexts that reach one cluster would have it meshed with itself.
pub fn refuse_twins(inventory: &Inventory) -> Result<()> {
    let mut by_uid: BTreeMap<&str, (&ClusterName, &str)> = BTreeMap::new();
    for (name, seen) in inventory.all_seen() {
        if seen.uid.is_empty() {
            continue;
        }
        if let Some((other, context)) = by_uid.insert(&seen.uid, (name, &seen.context)) {
            return Err(Error::request(format!(
                "tell {other} (context {context}) and {name} (context {}) apart: both reach the cluster whose \
                 kube-system namespace has the UID {}",
                seen.context, seen.uid
            ))
            .hint(format!("take one of them out: `stolos leave {name}`, or correct its `context`")));
        }
    }
    Ok(())
}

/// Looks at what answers at the address that each cluster's peers would be given.
async fn probe_addresses(session: &Session, fleet: &Fleet, inventory: &mut Inventory) {
    let probes = fleet.spec.clusters.iter().filter_map(|spec| {
        let seen = inventory.seen(&spec.name)?;
        let client = session.client(&spec.name)?.clone();
        let candidate = address::candidate(spec, seen).ok()?;
        let uid = seen.uid.clone();
        let name = spec.name.clone();
        Some(async move {
            let probe = cluster::probe(
                &client,
                &candidate.url,
                &candidate.authority,
                &candidate.tls_server_name,
                &uid,
                candidate.source.is_named(),
            )
            .await;
            (name, probe)
        })
    });
    for (name, probe) in join_all(probes).await {
        if let Some(Observation::Seen(seen)) = inventory.clusters.get_mut(&name) {
            seen.probes.push(probe);
        }
    }
}

/// Asks the servers whether what differs would change: they know defaults that the planner does
/// not. Gives whether anything was learnt.
async fn try_out(session: &Session, plan: &Plan, inventory: &mut Inventory) -> bool {
    let questions = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Update)
        .filter_map(|step| match &step.content {
            // What is taken over is written in any case.
            Content::Apply(object) if !step.adopts => {
                let live = inventory.seen(&step.cluster)?.object(&step.object)?.clone();
                let client = session.client(&step.cluster)?.clone();
                Some((step.cluster.clone(), object.clone(), live, client))
            }
            _ => None,
        });
    let questions: Vec<_> = questions.collect();
    let answers: Vec<(ClusterName, ObjectReference, DryRun)> = stream::iter(questions)
        .map(|(name, object, live, client)| async move {
            let options = WriteOptions {
                dry_run: true,
                ..WriteOptions::default()
            };
            let changes = match client.apply(&object, options).await {
                Ok(after) => after.without_bookkeeping() != live.without_bookkeeping(),
                // What the server refuses is planned, so that applying says why.
                Err(_) => true,
            };
            let run = DryRun {
                object: object.reference(),
                digest: digest(&object),
                changes,
                conflicts: Vec::new(),
            };
            (name, object.reference(), run)
        })
        .buffer_unordered(session.parallel)
        .collect()
        .await;
    let learnt = answers.iter().any(|(_, _, run)| !run.changes);
    for (name, _, run) in answers {
        if let Some(Observation::Seen(seen)) = inventory.clusters.get_mut(&name) {
            seen.dry_runs.push(run);
        }
    }
    learnt
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::ClusterInventory;

    #[test]
    fn a_pinned_cluster_that_does_not_say_who_it_is_is_not_written() {
        let fleet: Fleet = crate::yaml::from_str(
            "{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {name: prod}, spec: {clusters: [
              {name: east, network: a, uid: one}, {name: west, network: b}, {name: north, network: c, uid: three}]}}",
        )
        .unwrap();
        let mut inventory = Inventory::default();
        for (name, uid) in [("east", "one"), ("west", ""), ("north", "")] {
            let seen = ClusterInventory {
                uid: uid.to_owned(),
                ..ClusterInventory::default()
            };
            let name = name.parse().unwrap();
            inventory.clusters.insert(name, Observation::Seen(Box::new(seen)));
        }
        refuse_unproven(&fleet, &mut inventory);
        let refused: Vec<_> = inventory.unreachable().collect();
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].0.as_str(), "north");
        assert_eq!(refused[0].1.class, FailureClass::Identity);
    }
}
