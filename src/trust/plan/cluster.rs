//! What one cluster needs.

use jiff::{SignedDuration, Timestamp};

use super::root::Signing;
use super::{INTERMEDIATE_DAYS, Planner, URGENT, fingerprints};
use crate::fleet::{Area, ClusterSpec};
use crate::inventory::kind::{NAMESPACE, SECRET};
use crate::inventory::{ClusterInventory, Object, ObjectReference, Presence};
use crate::plan::ownership::{self, Ownership, is_adoptable};
use crate::plan::{Action, Content, IntermediateProfile, Step, StepId};
use crate::trust::carried::{CACERTS, Carried, Plugged, PluggedState};
use crate::trust::certificate::Certificate;

/// A `cacerts` to write.
struct Issue<'data> {
    action: Action,
    reason: String,
    disruptive: bool,
    owner: Option<String>,
    /// The root that signs; absent where this plan makes it.
    root: Option<&'data Certificate>,
}

impl Planner<'_> {
    /// Plans one cluster whose trust is the fleet's.
    pub(super) fn cluster(&mut self, spec: &ClusterSpec, cluster: &ClusterInventory, carried: &Carried<'_>) {
        match carried {
            Carried::Unknown => {
                let reason = format!(
                    "whether {} stands is not known: {}",
                    reference(spec),
                    why_unread(cluster, spec.system_namespace())
                );
                let hint =
                    "let this user list the Secrets of the namespace, or leave `trust` out of `manage`";
                self.block(spec, reason, Some(hint.to_owned()), true);
            }
            Carried::Nothing => {
                self.create(spec, cluster, "the cluster has no intermediate", false);
            }
            Carried::Running {
                istiod,
                roots,
                self_signed,
            } => self.running(spec, cluster, istiod, roots, *self_signed),
            Carried::Plugged(plugged) => self.plugged(spec, cluster, plugged),
        }
    }

    /// An istiod runs without `cacerts`.
    fn running(
        &mut self,
        spec: &ClusterSpec,
        cluster: &ClusterInventory,
        istiod: &Object,
        roots: &[Certificate],
        self_signed: bool,
    ) {
        let how = if self_signed {
            "signs with a root that it made itself"
        } else {
            "runs without `cacerts`"
        };
        if self.root.accepts_any(roots) {
            let reason = format!("istiod {how}; it takes the intermediate at its next restart");
            return self.create(spec, cluster, &reason, false);
        }
        let carries = if roots.is_empty() {
            "a root that cannot be seen".to_owned()
        } else {
            format!("the root {}", fingerprints(roots))
        };
        let own = match &self.root.signing {
            Signing::WillMake => "one that is still to be made".to_owned(),
            Signing::Can(_) | Signing::Cannot { .. } => self.root.words(),
        };
        let ownership = match Ownership::of(istiod, &self.fleet.metadata.name) {
            Ownership::Foreign(_) if self.adopts && is_adoptable(istiod) => Ownership::Ours,
            ownership => ownership,
        };
        match ownership {
            Ownership::Ours => {
                let reason = format!(
                    "istiod {how} and carries {carries}; at its next restart the fleet's root {own} replaces it, and \
                     until all have new certificates, workloads do not trust each other"
                );
                self.create(spec, cluster, &reason, true);
            }
            Ownership::OtherFleet(_) | Ownership::Foreign(_) => {
                let reason = format!(
                    "its istiod, which is not ours, {how} and carries {carries}; the fleet's root is {own}"
                );
                let hint = "make its root the fleet's (`spec.trust.root: files`), or leave `trust` out of the \
                            cluster's `manage` and replace its root by hand";
                self.block(spec, reason, Some(hint.to_owned()), false);
            }
        }
    }

    /// `cacerts` stands.
    fn plugged(&mut self, spec: &ClusterSpec, cluster: &ClusterInventory, plugged: &Plugged<'_>) {
        let secret = reference(spec);
        let owner = match Ownership::of(plugged.secret, &self.fleet.metadata.name) {
            Ownership::Ours => return self.own(spec, cluster, plugged),
            Ownership::OtherFleet(fleet) => {
                let reason = format!("{secret} belongs to the fleet {fleet}");
                let hint = format!("leave the cluster from the fleet {fleet} first");
                return self.block(spec, reason, Some(hint), false);
            }
            Ownership::Foreign(_) if plugged.generated => "istiod itself (self-signed)".to_owned(),
            Ownership::Foreign(owner) => owner,
        };
        let hint = "leave `trust` out of the cluster's `manage`, or take the Secret away and restart istiod";
        if !plugged.roots.is_empty() && !self.root.accepts_any(&plugged.roots) {
            let reason = format!(
                "{secret} is not ours (written by {owner}) and carries the root {}; the fleet's root is {}",
                fingerprints(&plugged.roots),
                self.root.words()
            );
            return self.block(spec, reason, Some(hint.to_owned()), false);
        }
        match &plugged.state {
            PluggedState::Broken(why) => {
                let reason =
                    format!("{secret} is not ours (written by {owner}), and istiod cannot use it: {why}");
                self.block(spec, reason, Some(hint.to_owned()), false);
            }
            PluggedState::Good { intermediate, .. } if intermediate.expires_within(URGENT, self.now) => {
                let message = format!(
                    "its intermediate {} ends at {}, and {secret} is not ours to renew (written by {owner})",
                    intermediate.sha256, intermediate.not_after
                );
                self.warn(spec, message);
            }
            PluggedState::Good { .. } => {}
        }
    }

    /// `cacerts` stands and is ours.
    fn own(&mut self, spec: &ClusterSpec, cluster: &ClusterInventory, plugged: &Plugged<'_>) {
        let others: Vec<&str> = (plugged.secret.managers().into_iter())
            .filter(|manager| *manager != ownership::FIELD_MANAGER)
            .collect();
        let owner = (!others.is_empty()).then(|| others.join(", "));
        if !plugged.roots.is_empty() && !self.root.accepts_any(&plugged.roots) {
            let reason = format!(
                "it carries the root {}; the fleet's root is {}, and a root that serves is not replaced by `apply`",
                fingerprints(&plugged.roots),
                self.root.words()
            );
            let hint =
                "correct `spec.trust.rootSha256`, or put the root that the clusters carry on this machine";
            return self.block(spec, reason, Some(hint.to_owned()), false);
        }
        let (why, urgent) = match &plugged.state {
            PluggedState::Good { intermediate, root } => {
                if !self.root.accepts(&root.sha256) {
                    // A rotation that somebody does by hand: the new root is trusted already, the old one signs.
                    let message = format!(
                        "its intermediate chains to the root {}, not to the fleet's ({}), though it trusts both",
                        root.sha256,
                        self.root.words()
                    );
                    return self.warn(spec, message);
                }
                let Some(why) = due(intermediate, root, self.now) else {
                    return;
                };
                (why, intermediate.expires_within(URGENT, self.now))
            }
            PluggedState::Broken(why) => (format!("istiod cannot use it: {why}"), true),
        };
        let signer = match self.root.signer_among(&plugged.roots) {
            Some(signer) if plugged.roots.iter().all(|root| root.sha256 == signer.sha256) => signer.clone(),
            // istiod refuses, without a restart, a bundle of roots that differs in any byte.
            Some(_) => {
                let reason = format!(
                    "{why}; it trusts {} roots, and a new one would trust one alone",
                    plugged.roots.len()
                );
                return self.cannot_renew(spec, urgent, reason, None);
            }
            None => match &self.root.signing {
                // Its roots cannot be read: whatever istiod trusts now, it is not from here.
                Signing::Can(own) if plugged.roots.is_empty() => {
                    let own = own.clone();
                    let reason = format!("{why}; signed anew by the root {}", own.sha256);
                    return self.issue(
                        spec,
                        cluster,
                        Issue {
                            action: Action::Update,
                            reason,
                            disruptive: true,
                            owner,
                            root: Some(&own),
                        },
                    );
                }
                Signing::Cannot { reason, hint, .. } => {
                    let (reason, hint) = (format!("{why}; {reason}"), hint.clone());
                    return self.cannot_renew(spec, urgent, reason, hint);
                }
                Signing::Can(_) | Signing::WillMake => {
                    let reason = format!("{why}; the root that it carries is not the one on this machine");
                    return self.cannot_renew(spec, urgent, reason, None);
                }
            },
        };
        let reason = format!("{why}; signed anew by the same root {}", signer.sha256);
        self.issue(
            spec,
            cluster,
            Issue {
                action: Action::Update,
                reason,
                disruptive: false,
                owner,
                root: Some(&signer),
            },
        );
    }

    /// What is due can wait until it is urgent; then it blocks.
    fn cannot_renew(&mut self, spec: &ClusterSpec, urgent: bool, reason: String, hint: Option<String>) {
        if urgent {
            self.block(spec, reason, hint, false);
        } else {
            self.warn(spec, reason);
        }
    }

    fn create(&mut self, spec: &ClusterSpec, cluster: &ClusterInventory, why: &str, disruptive: bool) {
        let root = match &self.root.signing {
            Signing::Can(own) => Some(&**own),
            Signing::WillMake => None,
            Signing::Cannot {
                reason,
                hint,
                unreachable,
            } => {
                let (reason, hint, unreachable) = (format!("{why}; {reason}"), hint.clone(), *unreachable);
                return self.block(spec, reason, hint, unreachable);
            }
        };
        let reason = match root {
            Some(own) => format!("{why}; signed by the root {}", own.sha256),
            None => format!("{why}; signed by the root that is made"),
        };
        self.issue(
            spec,
            cluster,
            Issue {
                action: Action::Create,
                reason,
                disruptive,
                owner: None,
                root,
            },
        );
    }

    fn issue(&mut self, spec: &ClusterSpec, cluster: &ClusterInventory, issue: Issue<'_>) {
        let mut needs = Vec::new();
        let namespace = NAMESPACE.reference("", spec.system_namespace());
        // Where namespaces may not be listed, its Secrets were: it stands, or the API server says so.
        if matches!(cluster.presence(&namespace), Presence::Absent) {
            if !spec.manages(Area::Mesh) {
                let reason =
                    format!("{namespace} does not stand, and this fleet does not manage the mesh here");
                let hint = format!("`kubectl create namespace {}`", spec.system_namespace());
                return self.block(spec, reason, Some(hint), false);
            }
            needs.push(StepId::of(&spec.name, Area::Mesh, Action::Create, &namespace));
        }
        if issue.root.is_none() {
            needs.push(self.make_root(spec));
        }
        let object = reference(spec);
        let mut secret = Object(serde_json::json!({
            "apiVersion": object.api_version, "kind": object.kind, "type": "Opaque",
            "metadata": {"name": object.name, "namespace": object.namespace},
        }));
        ownership::mark(&mut secret, &self.fleet.metadata.name);
        let profile = IntermediateProfile {
            fleet: self.fleet.metadata.name.clone(),
            cluster: spec.name.clone(),
            namespace: object.namespace.clone(),
            trust_domain: self.fleet.trust_domain().to_owned(),
            days: INTERMEDIATE_DAYS,
            root_sha256: issue.root.map(|root| root.sha256.clone()).unwrap_or_default(),
            secret,
        };
        let live = cluster.object(&object);
        let uid = live.map(|live| live.uid().to_owned()).unwrap_or_default();
        self.plan.steps.push(Step {
            id: StepId::of(&spec.name, Area::Trust, issue.action, &object),
            cluster: spec.name.clone(),
            area: Area::Trust,
            action: issue.action,
            object,
            reason: issue.reason,
            needs,
            disruptive: issue.disruptive,
            uid,
            owner: issue.owner,
            adopts: false,
            content: Content::IssueIntermediate(profile),
        });
    }
}

/// The Secret from which a cluster's istiod signs.
fn reference(spec: &ClusterSpec) -> ObjectReference {
    SECRET.reference(spec.system_namespace(), CACERTS)
}

/// Why an intermediate is to be renewed; `None` where it is not. One that ends with its root
/// cannot be made any longer.
fn due(intermediate: &Certificate, root: &Certificate, now: Timestamp) -> Option<String> {
    let third = SignedDuration::from_secs(intermediate.lifetime().as_secs() / 3);
    let ends_with_root = intermediate.not_after >= root.not_after;
    (!ends_with_root && intermediate.expires_within(third.max(URGENT), now)).then(|| {
        let days = intermediate.not_after.duration_since(now).as_hours() / 24;
        format!(
            "its intermediate ends at {}, in {days} days",
            intermediate.not_after
        )
    })
}

fn why_unread(cluster: &ClusterInventory, namespace: &str) -> String {
    let about_secrets = |resource: &str| resource.contains("secrets") && resource.contains(namespace);
    (cluster.unread.iter())
        .find(|failure| about_secrets(&failure.resource))
        .or_else(|| cluster.unread.first())
        .map_or_else(|| "its Secrets were not read".to_owned(), ToString::to_string)
}
