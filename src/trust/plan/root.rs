//! Which root is the fleet's, and whether it can sign here.

use std::collections::BTreeSet;

use super::{Member, Seen};
use crate::fleet::{Fleet, Root};
use crate::trust::carried::{Carried, roots_of_other_namespaces};
use crate::trust::certificate::Certificate;
use crate::trust::root::{KeyOnHand, RootOnHand};

/// The fleet's root: what is accepted, and whether it can sign here.
pub(super) struct FleetRoot {
    /// The accepted roots: the pins; without any, the root on this machine; without that, what the
    /// clusters carry where they agree. Empty: none is known.
    accepted: BTreeSet<String>,
    /// Whether the clusters' word is all there is: nothing is pinned and nothing is on this machine.
    inferred: bool,
    /// Whether an intermediate can be signed here.
    pub signing: Signing,
}

/// Whether an intermediate can be signed here.
pub(super) enum Signing {
    /// With this root.
    Can(Box<Certificate>),
    /// With a root that this plan makes.
    WillMake,
    /// Not.
    Cannot {
        /// Why.
        reason: String,
        /// What to do next.
        hint: Option<String>,
        /// Whether only clusters that could not be read are in the way.
        unreachable: bool,
    },
}

impl FleetRoot {
    pub(super) fn of(fleet: &Fleet, members: &[Member<'_>], on_hand: &RootOnHand) -> Self {
        let trust = &fleet.spec.trust;
        let pins: BTreeSet<String> = (trust.root_sha256.iter())
            .map(|pin| pin.replace(':', "").to_ascii_lowercase())
            .collect();
        let carried = carried_roots(members);
        let (accepted, inferred) = match (pins.is_empty(), on_hand.sha256()) {
            (false, _) => (pins.clone(), false),
            (true, Some(own)) => (BTreeSet::from([own.to_owned()]), false),
            // Clusters that do not agree are each refused, with both roots.
            (true, None) => (carried.keys().cloned().collect(), true),
        };
        let signing = signing(fleet, members, on_hand, &pins, &carried);
        Self {
            accepted,
            inferred,
            signing,
        }
    }

    /// Whether one of these roots is the fleet's.
    pub(super) fn accepts_any(&self, roots: &[Certificate]) -> bool {
        roots.iter().any(|root| self.accepts(&root.sha256))
    }

    /// Whether a root is the fleet's. Where clusters disagree and nobody says which is right, none is.
    pub(super) fn accepts(&self, sha256: &str) -> bool {
        (!self.inferred || self.accepted.len() == 1) && self.accepted.contains(sha256)
    }

    /// The root on this machine, where it can sign and is one of these.
    pub(super) fn signer_among(&self, roots: &[Certificate]) -> Option<&Certificate> {
        match &self.signing {
            Signing::Can(own) => (roots.iter())
                .any(|root| root.sha256 == own.sha256)
                .then_some(&**own),
            Signing::WillMake | Signing::Cannot { .. } => None,
        }
    }

    /// The accepted roots in words.
    pub(super) fn words(&self) -> String {
        if self.accepted.is_empty() {
            return "not known".to_owned();
        }
        let accepted: Vec<&str> = self.accepted.iter().map(String::as_str).collect();
        if self.inferred && accepted.len() > 1 {
            format!("not known: clusters carry {}", accepted.join(" and "))
        } else {
            accepted.join(" or ")
        }
    }
}

type CarriedRoots = std::collections::BTreeMap<String, Vec<String>>;

/// Every root that a cluster carries, with the clusters that do.
fn carried_roots(members: &[Member<'_>]) -> CarriedRoots {
    let mut carried = CarriedRoots::new();
    for member in members {
        let Seen::Yes {
            cluster,
            carried: found,
        } = &member.seen
        else {
            continue;
        };
        let elsewhere = roots_of_other_namespaces(cluster, member.spec.system_namespace());
        for root in found.roots().iter().chain(&elsewhere) {
            let clusters = carried.entry(root.sha256.clone()).or_default();
            let name = member.spec.name.to_string();
            if !clusters.contains(&name) {
                clusters.push(name);
            }
        }
    }
    carried
}

fn signing(
    fleet: &Fleet,
    members: &[Member<'_>],
    on_hand: &RootOnHand,
    pins: &BTreeSet<String>,
    carried: &CarriedRoots,
) -> Signing {
    let cannot = |reason: String, hint: &str| Signing::Cannot {
        reason,
        hint: (!hint.is_empty()).then(|| hint.to_owned()),
        unreachable: false,
    };
    if fleet.spec.trust.root == Root::Csr {
        return cannot(
            "`root: csr` (signing requests for somebody else) is not supported yet".to_owned(),
            "set `spec.trust.root: files`, or put the Secret `cacerts` there yourself",
        );
    }
    if let Some(problem) = &on_hand.problem {
        return cannot(format!("the root on this machine cannot be used: {problem}"), "");
    }
    if let Some(own) = &on_hand.certificate {
        if !pins.is_empty() && !pins.contains(&own.sha256) {
            let pinned: Vec<&str> = pins.iter().map(String::as_str).collect();
            return cannot(
                format!(
                    "the root on this machine is {}, and the fleet file pins {}",
                    own.sha256,
                    pinned.join(" or ")
                ),
                "work on the machine that has the pinned root, or correct `spec.trust.rootSha256`",
            );
        }
        return match on_hand.key {
            KeyOnHand::Absent => cannot(
                format!("the key of the root {} is not on this machine", own.sha256),
                "run it on the machine that has the key",
            ),
            KeyOnHand::Plain | KeyOnHand::Encrypted => Signing::Can(Box::new(own.clone())),
        };
    }
    if on_hand.key != KeyOnHand::Absent {
        return cannot(
            "a root's key lies on this machine without its certificate".to_owned(),
            "",
        );
    }
    let elsewhere =
        "run it on the machine that has the root's key, or name its files with `spec.trust.root: files`";
    if let Some(pin) = pins.first() {
        return cannot(
            format!("the fleet file pins the root {pin}, whose key is not on this machine"),
            elsewhere,
        );
    }
    if let Some((root, clusters)) = carried.first_key_value() {
        return cannot(
            format!(
                "{} carries the root {root}, whose key is not on this machine; no second root is made",
                clusters.join(" and ")
            ),
            elsewhere,
        );
    }
    // A cluster that was not seen, or seen with closed eyes, may carry the fleet's root.
    let unseen: Vec<String> = members.iter().filter_map(unseen).collect();
    if !unseen.is_empty() {
        return Signing::Cannot {
            reason: format!(
                "no root is known, and none is made while one may be carried by {}",
                unseen.join(" or ")
            ),
            hint: Some("make the cluster readable, or pin its root in `spec.trust.rootSha256`".to_owned()),
            unreachable: true,
        };
    }
    let unexplained = members.iter().find(|member| match &member.seen {
        Seen::Yes { carried, .. } => {
            matches!(&**carried, Carried::Running { roots, .. } if roots.is_empty())
        }
        Seen::No(_) => false,
    });
    if let Some(member) = unexplained {
        return cannot(
            format!(
                "an istiod runs in {} whose root cannot be seen; no second root is made",
                member.spec.name
            ),
            "look at it with `stolos status`",
        );
    }
    Signing::WillMake
}

/// The name of a cluster that may carry a root and did not show it.
fn unseen(member: &Member<'_>) -> Option<String> {
    let name = &member.spec.name;
    let runs_control_planes = member.spec.role.runs_control_planes();
    match &member.seen {
        Seen::No(_) => Some(format!("{name} (not read)")),
        Seen::Yes { carried, .. } if runs_control_planes && matches!(**carried, Carried::Unknown) => {
            Some(format!("{name} (its Secrets may not be read)"))
        }
        Seen::Yes { .. } => None,
    }
}
