//! Plans the links: for each ordered pair of clusters a remote secret, the reader's token that it
//! holds, and the proof, which is istiod's own synchronisation.

use std::collections::BTreeSet;

use super::address::{self, Candidate};
use super::secret;
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, Role};
use crate::inventory::{
    ClusterInventory, Inventory, Object, ObjectReference, Presence, ProbeOutcome, RemoteSecret,
    RemoteSecretEntry, ReviewOutcome, TokenSecret,
};
use crate::mesh::values::needs_gateway;
use crate::plan::draft::Draft;
use crate::plan::ownership::{ApplySet, FLEET_LABEL, PART_OF_LABEL};
use crate::plan::{Action, Blocked, Content, Gate, Plan, RemoteSecretContent, StepId, Warning};
use crate::trust::certificate;

/// The ordered pairs of a fleet: istiod in the first reads the second.
pub fn links(fleet: &Fleet) -> impl Iterator<Item = (&ClusterSpec, &ClusterSpec)> {
    fleet.spec.clusters.iter().flat_map(move |reader| {
        fleet
            .spec
            .clusters
            .iter()
            .filter(move |read| {
                reader.role == Role::Primary && read.role != Role::External && reader.name != read.name
            })
            .map(move |read| (reader, read))
    })
}

/// How peers read one cluster, or why they cannot.
struct Source<'input> {
    spec: &'input ClusterSpec,
    candidate: Candidate,
    token: Option<&'input TokenSecret>,
    /// What has to be done there before its token can be taken.
    needs: Vec<StepId>,
    /// What the reader should know of the address, where it is given to somebody.
    warning: Option<Warning>,
}

/// Plans every link of the fleet. `installing` are the clusters in which this plan's mesh steps
/// make the control plane and with it the reader's account.
pub fn plan(fleet: &Fleet, inventory: &Inventory, installing: &BTreeSet<ClusterName>) -> Plan {
    let mut plan = Plan::default();
    let mut sources = Vec::new();
    for spec in &fleet.spec.clusters {
        let read_by_somebody =
            links(fleet).any(|(reader, read)| read.name == spec.name && reader.manages(Area::Links));
        let Some(seen) = inventory.seen(&spec.name).filter(|_| read_by_somebody) else {
            continue;
        };
        match source(fleet, spec, seen, installing) {
            Ok((source, steps)) => {
                plan.extend(steps);
                sources.push(source);
            }
            Err(blocked) => plan.extend(*blocked),
        }
    }
    for reader in fleet
        .spec
        .clusters
        .iter()
        .filter(|spec| spec.manages(Area::Links))
    {
        if let Some(seen) = inventory.seen(&reader.name)
            && reader.role == Role::Primary
        {
            plan.extend(reader_plan(fleet, reader, seen, &sources, installing));
        }
    }
    let given = |name: &ClusterName| {
        plan.steps
            .iter()
            .any(|step| matches!(&step.content, Content::RemoteSecret(content) if content.to == *name))
    };
    let warnings: Vec<Warning> = sources
        .into_iter()
        .filter(|source| given(&source.spec.name))
        .filter_map(|source| source.warning)
        .collect();
    plan.warnings.extend(warnings);
    plan
}

fn blocked(cluster: &ClusterName, reason: String, hint: Option<String>) -> Box<Plan> {
    Box::new(Plan {
        blocked: vec![Blocked {
            cluster: cluster.clone(),
            area: Area::Links,
            reason,
            hint,
            unreachable: false,
        }],
        ..Plan::default()
    })
}

/// What makes one cluster readable: an address, and a token of its reader's account.
fn source<'input>(
    fleet: &'input Fleet,
    spec: &'input ClusterSpec,
    seen: &'input ClusterInventory,
    installing: &BTreeSet<ClusterName>,
) -> Result<(Source<'input>, Plan), Box<Plan>> {
    let candidate = address::candidate(spec, seen).map_err(|none| {
        blocked(
            &spec.name,
            format!("no peer can read it: {}", none.reason),
            Some(none.hint),
        )
    })?;
    let mut draft = Draft::new(&spec.name, Area::Links, seen, &fleet.metadata.name);
    let mut warning = None;
    if let Some(probe) = address::probe(&candidate, seen) {
        if let Some(refusal) = address::refusal(&candidate, probe) {
            let hint = format!("set `apiServer` of the cluster {} to its own address", spec.name);
            return Err(blocked(
                &spec.name,
                format!("no peer may read it: {refusal}"),
                Some(hint),
            ));
        }
        let why = match &probe.outcome {
            ProbeOutcome::Unreachable(why) => Some(format!("cannot reach it ({why})")),
            ProbeOutcome::NotDialled => Some("is not on its network".to_owned()),
            _ => None,
        };
        if let Some(why) = why {
            warning = Some(Warning {
                cluster: spec.name.clone(),
                message: format!(
                    "peers are given {} (from {}); this machine {why}, so the proof is istiod's own connection",
                    candidate.url,
                    candidate.source.as_str()
                ),
            });
        }
    }
    let namespace = spec.system_namespace();
    let account = ObjectReference::new("v1", "ServiceAccount", namespace, secret::READER_ACCOUNT);
    let account_ready = match seen.presence(&account) {
        Presence::Present(_) => Vec::new(),
        Presence::Absent if installing.contains(&spec.name) => {
            vec![StepId::of(&spec.name, Area::Mesh, Action::Create, &account)]
        }
        Presence::Absent => {
            let reason = format!(
                "no peer can read it: the account {namespace}/{} does not stand",
                secret::READER_ACCOUNT
            );
            let hint = "install Istio there: its charts make the account and its role".to_owned();
            return Err(blocked(&spec.name, reason, Some(hint)));
        }
        Presence::Unknown => {
            let reason = format!(
                "whether the account {namespace}/{} stands could not be read",
                secret::READER_ACCOUNT
            );
            return Err(blocked(
                &spec.name,
                reason,
                Some("use a context that may read it".to_owned()),
            ));
        }
    };
    let token = seen.token_secrets.iter().find(|token| {
        token.namespace == namespace
            && token.service_account == secret::READER_ACCOUNT
            && !token.token_sha256.is_empty()
    });
    if token.is_some() {
        return Ok((
            source_of(spec, candidate, token, Vec::new(), warning),
            draft.finish(),
        ));
    }
    if !spec.manages(Area::Links) {
        let reason = format!(
            "no peer can read it: there is no token of {namespace}/{}",
            secret::READER_ACCOUNT
        );
        let hint = format!(
            "add `links` to `manage` of the cluster {} in the fleet file",
            spec.name
        );
        return Err(blocked(&spec.name, reason, Some(hint)));
    }
    let desired = secret::token_secret(&fleet.metadata.name, namespace);
    let set = ApplySet::of_area(&fleet.metadata.name, Area::Links, namespace);
    let reference = desired.reference();
    let mut needs = account_ready;
    needs.extend(links_set(&mut draft, fleet, spec, &set));
    let made = draft.object(desired, "peers read with the token that it will hold", &needs);
    let filled = draft.wait(
        Gate::TokenFilled,
        reference,
        "peers read with it",
        &made.into_iter().collect::<Vec<_>>(),
    );
    let plan = draft.finish();
    if !plan.blocked.is_empty() {
        return Err(Box::new(plan));
    }
    Ok((
        source_of(spec, candidate, None, filled.into_iter().collect(), warning),
        plan,
    ))
}

fn source_of<'input>(
    spec: &'input ClusterSpec,
    candidate: Candidate,
    token: Option<&'input TokenSecret>,
    needs: Vec<StepId>,
    warning: Option<Warning>,
) -> Source<'input> {
    Source {
        spec,
        candidate,
        token,
        needs,
        warning,
    }
}

/// The parent of the links' ApplySet, which both the token and the remote secrets are members of.
fn links_set(draft: &mut Draft<'_>, fleet: &Fleet, spec: &ClusterSpec, set: &ApplySet) -> Vec<StepId> {
    let member = secret::token_secret(&fleet.metadata.name, spec.system_namespace());
    let parent = set.parent(&fleet.metadata.name, &[&member]);
    let namespace = ObjectReference::new("v1", "Namespace", "", spec.system_namespace());
    let needs = [StepId::of(&spec.name, Area::Mesh, Action::Create, &namespace)];
    draft
        .object(
            parent,
            "it names the links' objects that are this fleet's",
            &needs,
        )
        .into_iter()
        .collect()
}

/// What stands in a reader for one read cluster.
enum Standing<'input> {
    /// Nothing.
    Nothing,
    /// Our Secret, and the entry in it.
    Ours(Option<&'input RemoteSecretEntry>),
    /// Somebody else's Secret: istiod takes the first with a cluster's ID.
    Foreign(&'input RemoteSecret, &'input RemoteSecretEntry),
}

fn standing<'input>(
    fleet: &Fleet,
    seen: &'input ClusterInventory,
    namespace: &str,
    id: &str,
) -> Standing<'input> {
    let mut found = Standing::Nothing;
    for remote in seen
        .remote_secrets
        .iter()
        .filter(|remote| remote.namespace == namespace)
    {
        let entry = remote.entries.iter().find(|entry| entry.cluster_id == id);
        let ours = remote.managed_by_stolos && remote.fleet == fleet.metadata.name.as_str();
        if let (false, Some(entry)) = (ours, entry) {
            return Standing::Foreign(remote, entry);
        }
        if ours && remote.name == secret::name(id) {
            found = Standing::Ours(entry);
        }
    }
    found
}

fn reader_plan(
    fleet: &Fleet,
    reader: &ClusterSpec,
    seen: &ClusterInventory,
    sources: &[Source<'_>],
    installing: &BTreeSet<ClusterName>,
) -> Plan {
    let mut whole = Plan::default();
    let namespace = reader.system_namespace();
    let system = ObjectReference::new("v1", "Namespace", "", namespace);
    if let Presence::Unknown = seen.presence(&ObjectReference::new("v1", "Secret", namespace, "any")) {
        let reason = format!("the Secrets of {namespace} could not be read, so its links are not known");
        return *blocked(
            &reader.name,
            reason,
            Some("use a context that may read them".to_owned()),
        );
    }
    if matches!(seen.presence(&system), Presence::Absent) && !installing.contains(&reader.name) {
        let reason = format!("it reads no peer: the namespace {namespace} does not stand");
        return *blocked(&reader.name, reason, Some("install Istio there first".to_owned()));
    }
    let mut draft = Draft::new(&reader.name, Area::Links, seen, &fleet.metadata.name);
    let set = ApplySet::of_area(&fleet.metadata.name, Area::Links, namespace);
    let mut ground = vec![StepId::of(&reader.name, Area::Mesh, Action::Create, &system)];
    ground.extend(links_set(&mut draft, fleet, reader, &set));
    let serving = StepId(format!(
        "{}/{}",
        StepId::of(
            &reader.name,
            Area::Mesh,
            Action::Wait,
            &ObjectReference::new(
                "apps/v1",
                "Deployment",
                namespace,
                crate::mesh::istiod_name(fleet, reader)
            )
        )
        .0,
        Gate::RolledOut.word()
    ));
    let mut expected = Vec::new();
    for (_, read) in links(fleet).filter(|(from, _)| from.name == reader.name) {
        let Some(source) = sources.iter().find(|source| source.spec.name == read.name) else {
            continue;
        };
        expected.push(read);
        if let Some(blocked) = link(&mut draft, fleet, reader, source, &ground, &serving) {
            whole.blocked.push(blocked);
        }
    }
    gateways_known(&mut draft, fleet, reader, &expected, &serving);
    stale(&mut draft, fleet, seen, namespace);
    whole.extend(draft.finish());
    whole
}

/// One link: its Secret, and istiod's synchronisation with it.
fn link(
    draft: &mut Draft<'_>,
    fleet: &Fleet,
    reader: &ClusterSpec,
    source: &Source<'_>,
    ground: &[StepId],
    serving: &StepId,
) -> Option<Blocked> {
    let seen = draft.inventory;
    let namespace = reader.system_namespace();
    let read = source.spec;
    let id = read.name.as_str();
    let object = secret::metadata(&fleet.metadata.name, namespace, id);
    let reference = object.reference();
    let (action, reason) = match standing(fleet, seen, namespace, id) {
        Standing::Foreign(remote, entry) => return foreign_link(reader, source, remote, entry),
        Standing::Nothing => match seen.presence(&reference) {
            Presence::Present(live) => {
                return Some(Blocked {
                    cluster: reader.name.clone(),
                    area: Area::Links,
                    reason: format!(
                        "{reference} stands and is not this fleet's: it belongs to {}",
                        crate::plan::ownership::foreign_owner(live)
                    ),
                    hint: Some("take it out with the tool that made it".to_owned()),
                    unreachable: false,
                });
            }
            _ => (
                Some(Action::Create),
                format!("istiod here does not read {id} yet"),
            ),
        },
        Standing::Ours(None) => (Some(Action::Update), format!("it does not hold {id}")),
        Standing::Ours(Some(entry)) => match stale_reason(source, entry) {
            Some(reason) => (Some(Action::Update), reason),
            None => (None, String::new()),
        },
    };
    let mut after = Vec::new();
    if let Some(action) = action {
        let needs: Vec<StepId> = ground.iter().chain(&source.needs).cloned().collect();
        let content = RemoteSecretContent {
            to: read.name.clone(),
            cluster_id: id.to_owned(),
            server: source.candidate.url.clone(),
            tls_server_name: source.candidate.tls_server_name.clone(),
            authority: source.candidate.authority.clone(),
            token_namespace: read.system_namespace().to_owned(),
            token_secret: source
                .token
                .map_or(secret::READER_TOKEN_SECRET, |token| token.name.as_str())
                .to_owned(),
            secret: object,
        };
        after.push(draft.step(
            action,
            reference.clone(),
            reason,
            &needs,
            Content::RemoteSecret(content),
        ));
    }
    let gate = Gate::Synced(id.to_owned());
    if !after.is_empty() || gate.missing_of_replicas(&replicas(draft, namespace)).is_some() {
        after.push(serving.clone());
        let reason = format!("istiod must read {id} itself: that is the link's proof");
        draft.step(Action::Wait, reference, reason, &after, Content::Await(gate));
    }
    None
}

fn replicas(draft: &Draft<'_>, namespace: &str) -> Vec<crate::inventory::Replica> {
    draft
        .inventory
        .replicas
        .iter()
        .filter(|replica| replica.namespace == namespace)
        .cloned()
        .collect()
}

/// A link that somebody else made: left alone where it works, in the way where it does not.
fn foreign_link(
    reader: &ClusterSpec,
    source: &Source<'_>,
    remote: &RemoteSecret,
    entry: &RemoteSecretEntry,
) -> Option<Blocked> {
    let problem = if !entry.problem.is_empty() {
        entry.problem.clone()
    } else if let ReviewOutcome::Rejected(why) = &entry.review {
        format!("its credential is refused: {why}")
    } else if entry.server.trim_end_matches('/') != source.candidate.url
        && address::is_loopback(&entry.server)
    {
        format!("its server {} is a loopback address", entry.server)
    } else {
        return None;
    };
    Some(Blocked {
        cluster: reader.name.clone(),
        area: Area::Links,
        reason: format!(
            "the link to {} is the Secret {}/{}, which is not this fleet's (written by {}), and {problem}",
            source.spec.name,
            remote.namespace,
            remote.name,
            remote.managers.join(", ")
        ),
        hint: Some(format!(
            "delete it (`kubectl --context {} -n {} delete secret {}`) and apply again",
            reader.context(),
            remote.namespace,
            remote.name
        )),
        unreachable: false,
    })
}

/// Why our remote secret is not what it should be; `None` where it is. Byte for byte it may differ:
/// identical content is never rewritten, since istiod rebuilds its view whenever the bytes change.
fn stale_reason(source: &Source<'_>, entry: &RemoteSecretEntry) -> Option<String> {
    if !entry.problem.is_empty() {
        return Some(entry.problem.clone());
    }
    let candidate = &source.candidate;
    if entry.server != candidate.url {
        return Some(format!(
            "it dials {}, and peers should dial {}",
            entry.server, candidate.url
        ));
    }
    if entry.tls_server_name != candidate.tls_server_name {
        return Some("its `tls-server-name` differs".to_owned());
    }
    let Some(token) = source.token else {
        return Some("its token's Secret is gone, and with it the token".to_owned());
    };
    if entry.token_sha256 != token.token_sha256 {
        return Some("its token is not the reader's of today".to_owned());
    }
    let authority = if candidate.authority.is_empty() {
        &token.authority
    } else {
        &candidate.authority
    };
    (!same_certificates(&entry.authority, authority)).then(|| "its authority differs".to_owned())
}

fn same_certificates(one: &str, other: &str) -> bool {
    let fingerprints = |pem: &str| -> Option<BTreeSet<String>> {
        let certificates = certificate::parse_bundle(pem).ok()?;
        Some(
            certificates
                .into_iter()
                .map(|certificate| certificate.sha256)
                .collect(),
        )
    };
    match (fingerprints(one), fingerprints(other)) {
        (Some(one), Some(other)) => one == other,
        // An authority that cannot be read as certificates is compared as it stands.
        _ => one.trim() == other.trim(),
    }
}

/// Each istiod must know a gateway of every other network, or it sends traffic to addresses that
/// its own network cannot reach.
fn gateways_known(
    draft: &mut Draft<'_>,
    fleet: &Fleet,
    reader: &ClusterSpec,
    expected: &[&ClusterSpec],
    serving: &StepId,
) {
    let namespace = reader.system_namespace();
    let replicas = replicas(draft, namespace);
    let mut seen_networks = BTreeSet::new();
    for read in expected {
        let Some(network) = &read.network else {
            continue;
        };
        let foreign = reader.network.as_ref() != Some(network);
        if !foreign || !seen_networks.insert(network.clone()) || !needs_gateway(fleet, read) {
            continue;
        }
        let gate = Gate::GatewayKnown(network.to_string());
        if gate.missing_of_replicas(&replicas).is_none() {
            continue;
        }
        let service = ObjectReference::new(
            "v1",
            "Service",
            read.system_namespace(),
            crate::mesh::values::GATEWAY_NAME,
        );
        let address = StepId(format!(
            "{}/{}",
            StepId::of(&read.name, Area::Mesh, Action::Wait, &service).0,
            Gate::Address.word()
        ));
        let synced = StepId(format!(
            "{}/{}",
            StepId::of(
                &reader.name,
                Area::Links,
                Action::Wait,
                &ObjectReference::new("v1", "Secret", namespace, secret::name(read.name.as_str()))
            )
            .0,
            Gate::Synced(read.name.to_string()).word()
        ));
        let istiod = ObjectReference::new(
            "apps/v1",
            "Deployment",
            namespace,
            crate::mesh::istiod_name(fleet, reader),
        );
        draft.step(
            Action::Wait,
            istiod,
            format!("istiod must know a gateway of the network {network}"),
            &[address, synced, serving.clone()],
            Content::Await(gate),
        );
    }
}

/// Our remote secrets for clusters that are no longer in the fleet.
fn stale(draft: &mut Draft<'_>, fleet: &Fleet, seen: &ClusterInventory, namespace: &str) {
    let id = ApplySet::of_area(&fleet.metadata.name, Area::Links, namespace).id();
    let left: Vec<&Object> = seen
        .objects
        .iter()
        .filter(|object| {
            object.kind() == "Secret"
                && object.label(PART_OF_LABEL) == Some(&id)
                && object.label(FLEET_LABEL) == Some(fleet.metadata.name.as_str())
                && object.label(secret::REMOTE_SECRET_LABEL) == Some("true")
        })
        .filter(|object| {
            !fleet
                .spec
                .clusters
                .iter()
                .any(|cluster| object.name() == secret::name(cluster.name.as_str()))
        })
        .collect();
    for object in left {
        let content = Content::Delete {
            uid: object.uid().to_owned(),
        };
        let reason = "the cluster that it reads is not in the fleet";
        draft.step(Action::Delete, object.reference(), reason, &[], content);
    }
}
