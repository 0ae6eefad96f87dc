//! Which modules in which version; the versions are read from the `go.mod` files that are carried.
//! Each module is one of its own, since their dependencies clash.

use sha2::{Digest, Sha256};

/// A program that a lab runs, or gives to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Keeps every cluster's objects.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// The controllers.
    KubeControllerManager,
    /// The scheduler.
    KubeScheduler,
    /// For the user.
    Kubectl,
    /// Plays nodes, and port-forwards.
    Kwok,
    /// For the user, and to render Istio's manifests.
    Istioctl,
    /// istiod.
    PilotDiscovery,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 8] = [
        Part::Etcd,
        Part::KubeApiserver,
        Part::KubeControllerManager,
        Part::KubeScheduler,
        Part::Kubectl,
        Part::Kwok,
        Part::Istioctl,
        Part::PilotDiscovery,
    ];

    /// The program's file name.
    pub fn file_name(self) -> &'static str {
        match self {
            Part::Etcd => "etcd",
            Part::KubeApiserver => "kube-apiserver",
            Part::KubeControllerManager => "kube-controller-manager",
            Part::KubeScheduler => "kube-scheduler",
            Part::Kubectl => "kubectl",
            Part::Kwok => "kwok",
            Part::Istioctl => "istioctl",
            Part::PilotDiscovery => "pilot-discovery",
        }
    }

    /// The Go package of the program.
    pub fn package(self) -> &'static str {
        match self {
            Part::Etcd => "go.etcd.io/etcd/server/v3",
            Part::KubeApiserver => "k8s.io/kubernetes/cmd/kube-apiserver",
            Part::KubeControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Part::KubeScheduler => "k8s.io/kubernetes/cmd/kube-scheduler",
            Part::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
            Part::Kwok => "sigs.k8s.io/kwok/cmd/kwok",
            Part::Istioctl => "istio.io/istio/istioctl/cmd/istioctl",
            Part::PilotDiscovery => "istio.io/istio/pilot/cmd/pilot-discovery",
        }
    }

    /// The arguments with which the program says its version and does nothing else.
    pub fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Part::Kubectl => &["version", "--client"],
            Part::Istioctl => &["version", "--remote=false"],
            Part::PilotDiscovery => &["version"],
            Part::Etcd
            | Part::KubeApiserver
            | Part::KubeControllerManager
            | Part::KubeScheduler
            | Part::Kwok => &["--version"],
        }
    }

    /// The module that the program is built from.
    pub fn module(self) -> &'static Module {
        match self {
            Part::Etcd => &ETCD,
            Part::KubeApiserver | Part::KubeControllerManager | Part::KubeScheduler | Part::Kubectl => {
                &KUBERNETES
            }
            Part::Kwok => &KWOK,
            Part::Istioctl | Part::PilotDiscovery => &ISTIO,
        }
    }
}

/// A Go module that programs are built from.
#[derive(Debug, PartialEq, Eq)]
pub struct Module {
    /// What people call it.
    pub name: &'static str,
    /// The module's path in `go.mod`.
    path: &'static str,
    /// The `go.mod` that is carried.
    pub go_mod: &'static str,
    /// The `go.sum` that is carried.
    pub go_sum: &'static str,
    /// The release that a pseudo-version belongs to; none where the module has versions.
    release: Option<&'static str>,
    /// The variables that hold the version, and how it is written into each.
    stamps: &'static [(&'static str, Stamp)],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamp {
    /// As in `go.mod`.
    Version,
    /// The version's first number.
    Major,
    /// The version's second number.
    Minor,
    /// The commit in a pseudo-version.
    Revision,
}

const ETCD: Module = Module {
    name: "etcd",
    path: "go.etcd.io/etcd/server/v3",
    go_mod: include_str!("etcd/go.mod"),
    go_sum: include_str!("etcd/go.sum"),
    release: None,
    // etcd carries its version in its source.
    stamps: &[],
};

const KUBERNETES: Module = Module {
    name: "kubernetes",
    path: "k8s.io/kubernetes",
    go_mod: include_str!("kubernetes/go.mod"),
    go_sum: include_str!("kubernetes/go.sum"),
    release: None,
    stamps: &[
        ("k8s.io/component-base/version.gitVersion", Stamp::Version),
        ("k8s.io/component-base/version.gitMajor", Stamp::Major),
        ("k8s.io/component-base/version.gitMinor", Stamp::Minor),
        ("k8s.io/client-go/pkg/version.gitVersion", Stamp::Version),
    ],
};

const KWOK: Module = Module {
    name: "kwok",
    path: "sigs.k8s.io/kwok",
    go_mod: include_str!("kwok/go.mod"),
    go_sum: include_str!("kwok/go.sum"),
    release: None,
    stamps: &[("sigs.k8s.io/kwok/pkg/consts.Version", Stamp::Version)],
};

/// Istio, whose programs are istioctl and istiod.
pub const ISTIO: Module = Module {
    name: "istio",
    path: "istio.io/istio",
    go_mod: include_str!("istio/go.mod"),
    go_sum: include_str!("istio/go.sum"),
    release: Some("1.31-alpha"),
    stamps: &[
        ("istio.io/istio/pkg/version.buildVersion", Stamp::Version),
        ("istio.io/istio/pkg/version.buildGitRevision", Stamp::Revision),
    ],
};

impl Module {
    /// The version as `go.mod` pins it.
    fn pinned(&self) -> &'static str {
        self.go_mod
            .lines()
            .filter_map(|line| line.trim().strip_prefix(self.path)?.strip_prefix(' '))
            .filter_map(|rest| rest.split_whitespace().next())
            .next()
            .unwrap_or_default()
    }

    /// The version that its programs give themselves.
    pub fn version(&self) -> String {
        match self.release {
            Some(release) => format!("{release}.{}", self.revision()),
            None => self.pinned().to_owned(),
        }
    }

    /// The commit in a pseudo-version.
    fn revision(&self) -> &'static str {
        self.pinned().rsplit('-').next().unwrap_or_default()
    }

    /// The module and its version, for people.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.version())
    }

    /// The flags for Go's linker: no debugging information, and the version, without which an API
    /// server says v0.0.0-master and istioctl "unknown".
    pub fn linker_flags(&self) -> String {
        let version = self.version();
        let mut numbers = version.trim_start_matches('v').split('.');
        let (major, minor) = (
            numbers.next().unwrap_or_default(),
            numbers.next().unwrap_or_default(),
        );
        let stamps: Vec<String> = self
            .stamps
            .iter()
            .map(|(variable, stamp)| {
                let value = match stamp {
                    Stamp::Version => version.as_str(),
                    Stamp::Major => major,
                    Stamp::Minor => minor,
                    Stamp::Revision => self.revision(),
                };
                format!(" -X {variable}={value}")
            })
            .collect();
        format!("-s -w{}", stamps.concat())
    }

    /// Whether a program's words about its version mean this one.
    pub fn is_named_in(&self, words: &str) -> bool {
        let version = self.version();
        let version = version.trim_start_matches('v');
        words
            .split(|character: char| {
                !(character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '+' | '_'))
            })
            .any(|word| word.strip_prefix('v').unwrap_or(word) == version)
    }

    /// What the programs depend on, as a short hash: the name of their folder in the cache.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for text in [self.go_mod, self.go_sum, &self.linker_flags()] {
            hasher.update(text.len().to_le_bytes());
            hasher.update(text);
        }
        let digest = hasher.finalize();
        let hexadecimal: Vec<String> = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}", self.name, hexadecimal.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_a_tool_of_its_module() {
        for part in Part::ALL {
            let module = part.module();
            assert!(module.go_mod.contains(part.package()), "{part:?}");
            assert!(part.package().starts_with(module.path), "{part:?}");
            assert!(module.pinned().starts_with('v'), "{part:?}");
        }
    }

    #[test]
    fn versions_are_stamped_as_they_are_pinned() {
        let version = KUBERNETES.version();
        let flags = KUBERNETES.linker_flags();
        assert!(flags.contains(&format!("component-base/version.gitVersion={version} ")));
        assert!(flags.contains("version.gitMajor=1 "), "{flags}");
        assert!(ISTIO.version().starts_with("1.31-alpha."));
        assert!(ISTIO.version().ends_with(ISTIO.revision()));
        assert_eq!(ISTIO.revision().len(), 12);
    }

    #[test]
    fn another_version_is_not_taken_for_the_pinned_one() {
        let version = KUBERNETES.version();
        let number = version.trim_start_matches('v');
        assert!(KUBERNETES.is_named_in(&format!("Client Version: {version}\nKustomize Version: v5.8.1")));
        assert!(KUBERNETES.is_named_in(&format!("{{\"gitVersion\":\"{number}\"}}")));
        for other in [
            format!("Kubernetes {version}1"),
            format!("Kubernetes {version}-eks-1"),
            "Kubernetes v1.20.0".to_owned(),
            String::new(),
        ] {
            assert!(!KUBERNETES.is_named_in(&other), "{other}");
        }
    }

    #[test]
    fn other_pins_or_flags_are_another_folder() {
        let sums = Module {
            go_sum: "",
            ..KUBERNETES
        };
        let flags = Module {
            stamps: &[],
            ..KUBERNETES
        };
        assert_ne!(sums.hash(), KUBERNETES.hash());
        assert_ne!(flags.hash(), KUBERNETES.hash());
        let folders: std::collections::BTreeSet<String> = Part::ALL.map(|part| part.module().hash()).into();
        assert_eq!(folders.len(), 4);
    }
}
