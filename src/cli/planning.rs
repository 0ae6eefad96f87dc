//! From a session to a plan: what the planners cannot know by themselves is asked for here —
//! Istio's renderings, what answers at the addresses for peers, and a dry run of what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use futures::future::{join_all, try_join_all};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;

use super::session::Session;
use crate::cluster::{self, WriteOptions};
use crate::error::{Error, Result};
use crate::fleet::{Area, ClusterName, Fleet};
use crate::host::istioctl::Istioctl;
use crate::host::keys::RootStore;
use crate::inventory::{DryRun, Inventory, Object, ObjectReference, Observation};
use crate::link::address;
use crate::mesh::objects::Rendering;
use crate::mesh::{self, render_requests};
use crate::plan::draft::digest;
use crate::plan::{Action, Content, Plan};
use crate::reconcile::{self, Given};
use crate::render::Terminal;

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
}

/// What is to be planned.
pub struct PlanRequest<'request> {
    /// The parts of the work.
    pub areas: &'request [Area],
    /// The clusters that may be written; all where empty.
    pub clusters: BTreeSet<ClusterName>,
    /// The istioctl that the user named.
    pub istioctl: Option<PathBuf>,
}

/// Plans a session's fleet.
pub async fn plan(session: &mut Session, request: &PlanRequest<'_>, terminal: &Terminal) -> Result<Planned> {
    let Some(file) = session.file.clone() else {
        return Err(Error::request("plan a fleet: there is no fleet file").hint("`stolos init` writes one"));
    };
    let fleet = file.fleet.clone();
    if let Some(why) = mesh::unsupported(&fleet) {
        return Err(Error::request(format!(
            "plan the fleet {}: {why}",
            fleet.metadata.name
        )));
    }
    for name in &request.clusters {
        if fleet.cluster(name).is_none() {
            return Err(Error::request(format!(
                "plan the cluster {name}: it is not in {}",
                file.path.display()
            ))
            .hint("`stolos clusters` lists them"));
        }
    }
    let renders = request.areas.contains(&Area::Mesh);
    let (mut inventory, renderings) = if renders {
        let istioctl = request.istioctl.clone();
        let fleet = fleet.clone();
        let rendering = render(fleet, istioctl);
        let (inventory, renderings) = tokio::join!(session.collect(false, terminal), rendering);
        (inventory, renderings?)
    } else {
        (session.collect(false, terminal).await, BTreeMap::new())
    };
    refuse_twins(&inventory)?;
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
        };
        reconcile::limited_to(reconcile::plan(&fleet, &given), &request.clusters)
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
    })
}

async fn render(fleet: Fleet, named: Option<PathBuf>) -> Result<BTreeMap<ClusterName, Rendering>> {
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
    let istioctl = Istioctl::find(named.as_deref().map(Path::new)).await?;
    let istioctl = &istioctl;
    let renderings = try_join_all(wanted.iter().map(|request| async move {
        let rendering = istioctl.render(request).await?;
        Ok::<_, crate::host::istioctl::IstioctlError>((request.cluster.clone(), rendering))
    }))
    .await?;
    Ok(renderings.into_iter().collect())
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
            Content::Apply(object) => {
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
                Ok(after) => without_bookkeeping(after) != without_bookkeeping(live),
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

fn without_bookkeeping(mut object: Object) -> Object {
    if let Some(metadata) = object.0["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
    }
    object
}
