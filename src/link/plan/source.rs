//! What makes one cluster readable: an address that its peers can dial, and a token of its reader's
//! account.

use std::collections::BTreeSet;

use super::{blocked, links_set};
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet};
use crate::inventory::control_plane::names_primary;
use crate::inventory::{ClusterInventory, Presence, ProbeOutcome, TokenSecret, kind};
use crate::link::address::{self, Candidate};
use crate::link::secret;
use crate::plan::draft::{Draft, unread};
use crate::plan::ownership::ApplySet;
use crate::plan::{Action, Gate, Plan, StepId, Trial, Warning};

/// How peers read one cluster, or why they cannot.
pub struct Source<'input> {
    pub spec: &'input ClusterSpec,
    pub candidate: Candidate,
    pub token: Option<&'input TokenSecret>,
    /// The account whose token it is, or will be.
    pub account: String,
    /// What has to be done there before its token can be taken.
    pub needs: Vec<StepId>,
    /// How a credential for it is tried.
    pub trial: Trial,
    /// What the reader should know of the address, where it is given to somebody.
    pub warning: Option<Warning>,
    /// Whether its namespace names its primary, or will by this plan.
    pub names_its_primary: bool,
}

/// What makes one cluster readable: an address, and a token of its reader's account.
pub fn source<'input>(
    fleet: &'input Fleet,
    spec: &'input ClusterSpec,
    seen: &'input ClusterInventory,
    installing: &BTreeSet<ClusterName>,
) -> Result<(Source<'input>, Plan), Box<Plan>> {
    if let Some(reference) = address::not_known_now(spec, seen) {
        let reason = "no peer is given its address: what the address hangs on could not be read";
        return Err(Box::new(Plan {
            blocked: vec![unread(&spec.name, Area::Links, seen, &reference, reason)],
            ..Plan::default()
        }));
    }
    let candidate = address::candidate(spec, seen).map_err(|none| {
        blocked(
            &spec.name,
            format!("no peer can read it: {}", none.reason),
            Some(none.hint),
        )
    })?;
    let mut draft = Draft::new(&spec.name, Area::Links, seen, &fleet.metadata.name);
    let mut warning = None;
    let mut trial = Trial::OverOwnConnection;
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
        if why.is_none() {
            trial = Trial::AsStored;
        }
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
    let reader = secret::account(fleet, spec);
    let account = kind::SERVICE_ACCOUNT.reference(namespace, reader.as_str());
    let account_ready = match seen.presence(&account) {
        Presence::Present(_) => Vec::new(),
        Presence::Absent if installing.contains(&spec.name) => {
            vec![StepId::of(&spec.name, Area::Mesh, Action::Create, &account)]
        }
        Presence::Absent => {
            let reason = format!("no peer can read it: the account {namespace}/{reader} does not stand");
            let hint = "install Istio there: its charts make the account and its role".to_owned();
            return Err(blocked(&spec.name, reason, Some(hint)));
        }
        Presence::Unknown => {
            let reason = format!("whether the account {namespace}/{reader} stands could not be read");
            return Err(Box::new(Plan {
                blocked: vec![unread(&spec.name, Area::Links, seen, &account, &reason)],
                ..Plan::default()
            }));
        }
    };
    let token = seen.token_secrets.iter().find(|token| {
        token.namespace == namespace && token.service_account == reader && !token.token_sha256.is_empty()
    });
    let primary = spec.primary.as_ref();
    let is_named = |primary: &ClusterName| names_primary(seen, spec.system_namespace(), primary.as_str());
    let names_its_primary = installing.contains(&spec.name) || primary.is_some_and(is_named);
    let account = reader.clone();
    let source = move |token, needs| Source {
        spec,
        candidate,
        token,
        account,
        needs,
        trial,
        warning,
        names_its_primary,
    };
    if token.is_some() {
        return Ok((source(token, Vec::new()), draft.finish()));
    }
    if !spec.manages(Area::Links) {
        let reason = format!("no peer can read it: there is no token of {namespace}/{reader}");
        let hint = format!(
            "add `links` to `manage` of the cluster {} in the fleet file",
            spec.name
        );
        return Err(blocked(&spec.name, reason, Some(hint)));
    }
    let desired = secret::token_secret(&fleet.metadata.name, namespace, &reader);
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
    Ok((source(None, filled.into_iter().collect()), plan))
}
