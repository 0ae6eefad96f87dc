//! What goes together, as data: deployment models with layouts of networks and data plane modes, and
//! releases of Istio with versions of Kubernetes. `stolos mesh models` prints both.

use serde::Serialize;

use crate::fleet::{DataPlaneMode, Model};

/// How a fleet's networks lie over its clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Networks {
    /// All clusters are on one: their pods reach each other.
    One,
    /// Each cluster has one of its own: pods reach each other through gateways.
    OneEach,
    /// There are several, and some clusters share one.
    SomeShared,
}

impl Networks {
    const ALL: &[Networks] = &[Networks::One, Networks::OneEach, Networks::SomeShared];

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Networks::One => "one",
            Networks::OneEach => "one each",
            Networks::SomeShared => "several, some shared",
        }
    }
}

/// What becomes of a combination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It is planned and installed.
    Supported,
    /// Istio does not support it.
    Refused,
}

impl Verdict {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Supported => "supported",
            Verdict::Refused => "refused",
        }
    }
}

/// One row: a model, on these networks, in this mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Combination {
    /// The deployment model.
    pub model: Model,
    /// The layouts that the row is about.
    pub networks: &'static [Networks],
    /// Sidecars or ambient.
    pub data_plane_mode: DataPlaneMode,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why, where it is not supported; else empty.
    pub reason: &'static str,
    /// What to write instead, where it is refused; else empty.
    pub hint: &'static str,
    /// Where Istio says so, or where it was found out.
    pub reference: &'static str,
}

const AMBIENT: &str = "https://istio.io/latest/docs/ambient/install/multicluster/";
const INSTALL: &str = "https://istio.io/latest/docs/setup/install/multicluster/";
const EXTERNAL: &str = "https://istio.io/latest/docs/setup/install/external-controlplane/";

const NO_REMOTES: &str = "in ambient mode each cluster needs a control plane of its own";

const WITH_A_CONTROL_PLANE_EACH: &str = "write `model: multi-primary`, or `dataPlaneMode: sidecar`";

/// Every combination, each in exactly one row.
pub const COMBINATIONS: &[Combination] = &[
    Combination {
        model: Model::MultiPrimary,
        networks: Networks::ALL,
        data_plane_mode: DataPlaneMode::Sidecar,
        verdict: Verdict::Supported,
        reason: "",
        hint: "",
        reference: INSTALL,
    },
    Combination {
        model: Model::PrimaryRemote,
        networks: Networks::ALL,
        data_plane_mode: DataPlaneMode::Sidecar,
        verdict: Verdict::Supported,
        reason: "",
        hint: "",
        reference: INSTALL,
    },
    Combination {
        model: Model::ExternalControlPlane,
        networks: Networks::ALL,
        data_plane_mode: DataPlaneMode::Sidecar,
        verdict: Verdict::Supported,
        reason: "",
        hint: "",
        reference: EXTERNAL,
    },
    Combination {
        model: Model::MultiPrimary,
        networks: &[Networks::OneEach],
        data_plane_mode: DataPlaneMode::Ambient,
        verdict: Verdict::Supported,
        reason: "",
        hint: "",
        reference: AMBIENT,
    },
    // Also istio/istio.io#16693.
    Combination {
        model: Model::MultiPrimary,
        networks: &[Networks::One, Networks::SomeShared],
        data_plane_mode: DataPlaneMode::Ambient,
        verdict: Verdict::Refused,
        reason: "in ambient mode clusters that share a network are untested and may be broken, in Istio's words",
        hint: "give each cluster a `network` of its own, or write `dataPlaneMode: sidecar`",
        reference: AMBIENT,
    },
    Combination {
        model: Model::PrimaryRemote,
        networks: Networks::ALL,
        data_plane_mode: DataPlaneMode::Ambient,
        verdict: Verdict::Refused,
        reason: NO_REMOTES,
        hint: WITH_A_CONTROL_PLANE_EACH,
        reference: AMBIENT,
    },
    Combination {
        model: Model::ExternalControlPlane,
        networks: Networks::ALL,
        data_plane_mode: DataPlaneMode::Ambient,
        verdict: Verdict::Refused,
        reason: NO_REMOTES,
        hint: WITH_A_CONTROL_PLANE_EACH,
        reference: AMBIENT,
    },
];

/// The two first numbers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minor(pub u32, pub u32);

impl Minor {
    /// Of a version such as `v1.32.1+k3s1` or `1.32-alpha.0`; `None` where it does not begin so.
    pub fn of(version: &str) -> Option<Self> {
        let version = version.trim_start_matches('v');
        let mut numbers = version.split(|character: char| !character.is_ascii_digit());
        Some(Self(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

impl std::fmt::Display for Minor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

impl Serialize for Minor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is done with a release of Istio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Support {
    /// It is installed, linked and reported: the newest release and the two before it.
    Managed,
    /// It is reported: the two before those.
    Observed,
}

impl Support {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Support::Managed => "managed",
            Support::Observed => "observed",
        }
    }
}

/// How it is known that a release works with this tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Evidence {
    /// The project's live tests run it.
    Run,
    /// Nobody has tried.
    NotTested,
}

impl Evidence {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Evidence::Run => "run",
            Evidence::NotTested => "not tested",
        }
    }
}

/// One release of Istio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The release.
    pub istio: Minor,
    /// The oldest version of Kubernetes that Istio supports with it, and the newest.
    pub kubernetes: (Minor, Minor),
    /// What is done with it.
    pub support: Support,
    /// How it is known to work.
    pub evidence: Evidence,
}

/// The releases that this version knows, newest first (istio/istio.io:
/// `data/compatibility/supportStatus.yml`).
pub const RELEASES: &[Release] = &[
    // The lab's Istio, on Kubernetes 1.36.
    release(31, 32, 36, Support::Managed, Evidence::Run),
    release(30, 32, 36, Support::Managed, Evidence::NotTested),
    release(29, 31, 35, Support::Managed, Evidence::NotTested),
    release(28, 30, 34, Support::Observed, Evidence::NotTested),
    release(27, 29, 33, Support::Observed, Evidence::NotTested),
];

/// Where [`RELEASES`] are from.
pub const RELEASES_REFERENCE: &str = "https://istio.io/latest/docs/releases/supported-releases/";

const fn release(istio: u32, oldest: u32, newest: u32, support: Support, evidence: Evidence) -> Release {
    Release {
        istio: Minor(1, istio),
        kubernetes: (Minor(1, oldest), Minor(1, newest)),
        support,
        evidence,
    }
}

/// A release by a version of it.
pub fn release_of(version: &str) -> Option<&'static Release> {
    let minor = Minor::of(version)?;
    RELEASES.iter().find(|release| release.istio == minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_one_row_and_every_refusal_its_reason() {
        for model in [
            Model::MultiPrimary,
            Model::PrimaryRemote,
            Model::ExternalControlPlane,
        ] {
            for mode in [DataPlaneMode::Sidecar, DataPlaneMode::Ambient] {
                for networks in Networks::ALL {
                    let rows = COMBINATIONS.iter().filter(|row| {
                        row.model == model && row.data_plane_mode == mode && row.networks.contains(networks)
                    });
                    assert_eq!(rows.count(), 1, "{model:?} {mode:?} {networks:?}");
                }
            }
        }
        for row in COMBINATIONS {
            let is_refused = row.verdict == Verdict::Refused;
            assert_eq!(
                (row.reason.is_empty(), row.hint.is_empty()),
                (!is_refused, !is_refused)
            );
            assert!(row.reference.starts_with("https://istio.io/"), "{row:?}");
        }
    }

    #[test]
    fn three_releases_are_managed_and_two_observed() {
        for (index, release) in RELEASES.iter().enumerate() {
            let support = if index < 3 {
                Support::Managed
            } else {
                Support::Observed
            };
            assert_eq!(release.support, support);
            assert!(release.kubernetes.0 < release.kubernetes.1);
        }
        assert_eq!(RELEASES.len(), 5);
        assert!(
            RELEASES
                .windows(2)
                .all(|two| two[0].istio.1 == two[1].istio.1 + 1)
        );
        assert_eq!(release_of("v1.31.2-distroless"), RELEASES.first());
        assert_eq!(release_of("latest"), None);
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(Minor::of("v1.32.1+k3s1"), Some(Minor(1, 32)));
        assert_eq!(Minor::of("1.32-alpha.0"), Some(Minor(1, 32)));
        assert_eq!(Minor::of("latest"), None);
        assert!(Minor(1, 9) < Minor(1, 31));
    }
}
