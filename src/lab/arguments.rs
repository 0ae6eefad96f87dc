//! The command lines of the control planes' programs. Each runs in its own folder and names files
//! there by their bare names: several of these programs split a path at its commas.

use super::shape::{API_PORT, ClusterShape, Extent};

/// Where etcd listens, on the lab's own loopback.
pub const ETCD: &str = "http://127.0.0.1:2379";

/// The port of each node's kubelet, which kwok answers.
const KUBELET_PORT: u16 = 10250;

/// `etcd`, one for all clusters.
pub fn etcd() -> Vec<String> {
    let peers = "http://127.0.0.1:2380";
    flags(&[
        ("data-dir", "data"),
        ("listen-client-urls", ETCD),
        ("advertise-client-urls", ETCD),
        ("listen-peer-urls", peers),
        ("initial-advertise-peer-urls", peers),
        ("initial-cluster", &format!("default={peers}")),
        // A lab is thrown away: nothing in it has to survive the machine.
        ("unsafe-no-fsync", "true"),
        ("log-level", "warn"),
    ])
}

/// `kube-apiserver`.
pub fn api_server(shape: &ClusterShape) -> Vec<String> {
    let address = shape.address().to_string();
    flags(&[
        ("etcd-servers", ETCD),
        ("etcd-prefix", &shape.etcd_prefix()),
        ("bind-address", &address),
        ("advertise-address", &address),
        ("secure-port", &API_PORT.to_string()),
        ("tls-cert-file", "server.crt"),
        ("tls-private-key-file", "server.key"),
        ("client-ca-file", "ca.crt"),
        ("service-account-key-file", "accounts.pub"),
        ("service-account-signing-key-file", "accounts.key"),
        (
            "service-account-issuer",
            "https://kubernetes.default.svc.cluster.local",
        ),
        ("service-cluster-ip-range", &shape.service_range()),
        ("authorization-mode", "RBAC"),
        ("allow-privileged", "true"),
        // There is no kube-proxy: the API server dials a webhook's endpoints itself.
        ("enable-aggregator-routing", "true"),
        ("kubelet-preferred-address-types", "InternalIP"),
        ("audit-policy-file", "audit-policy.yaml"),
        ("audit-log-path", "audit.log"),
        ("audit-log-maxsize", "500"),
        ("audit-log-maxbackup", "1"),
        ("profiling", "false"),
    ])
}

/// `kube-controller-manager`.
pub fn controller_manager(shape: &ClusterShape, extent: Extent) -> Vec<String> {
    let controllers = match extent {
        Extent::Whole => {
            "*,-nodeipam,-node-route-controller,-service-lb-controller,-cloud-node-lifecycle-controller"
        }
        Extent::ControlPlaneOnly => {
            "namespace-controller,root-ca-certificate-publisher-controller,serviceaccount-controller,\
             serviceaccount-token-controller"
        }
    };
    flags(&[
        ("kubeconfig", "kubeconfig"),
        ("authentication-kubeconfig", "kubeconfig"),
        ("authorization-kubeconfig", "kubeconfig"),
        ("bind-address", &shape.address().to_string()),
        ("service-account-private-key-file", "accounts.key"),
        ("root-ca-file", "ca.crt"),
        ("cluster-signing-cert-file", "ca.crt"),
        ("cluster-signing-key-file", "ca.key"),
        ("use-service-account-credentials", "true"),
        // It starts by making an account for each controller: seconds, at the usual rate.
        ("kube-api-qps", "500"),
        ("kube-api-burst", "1000"),
        ("controllers", controllers),
        ("leader-elect", "false"),
        ("profiling", "false"),
    ])
}

/// `kube-scheduler`.
pub fn scheduler(shape: &ClusterShape) -> Vec<String> {
    flags(&[
        ("kubeconfig", "kubeconfig"),
        ("authentication-kubeconfig", "kubeconfig"),
        ("authorization-kubeconfig", "kubeconfig"),
        ("bind-address", &shape.address().to_string()),
        ("leader-elect", "false"),
        ("profiling", "false"),
    ])
}

/// `kwok`, which plays the node and its kubelet; the pods are the runner's.
pub fn kwok(shape: &ClusterShape) -> Vec<String> {
    let address = shape.address().to_string();
    flags(&[
        ("kubeconfig", "kubeconfig"),
        ("config", "kwok.yaml"),
        ("manage-all-nodes", "true"),
        ("node-ip", &address),
        ("node-port", &KUBELET_PORT.to_string()),
        ("server-address", &format!("{address}:{KUBELET_PORT}")),
        ("tls-cert-file", "server.crt"),
        ("tls-private-key-file", "server.key"),
        ("enable-crds", "ClusterPortForward,ClusterLogs"),
        ("node-lease-duration-seconds", "40"),
    ])
}

fn flags(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs
        .iter()
        .map(|(name, value)| format!("--{name}={value}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::shape::LabName;

    #[test]
    fn no_program_is_given_a_flag_twice_and_none_gets_a_secret() {
        let shape = &LabName::default().clusters(1)[0];
        for arguments in [
            etcd(),
            api_server(shape),
            controller_manager(shape, Extent::Whole),
            controller_manager(shape, Extent::ControlPlaneOnly),
            scheduler(shape),
            kwok(shape),
        ] {
            let mut names: Vec<&str> = arguments
                .iter()
                .filter_map(|argument| argument.split('=').next())
                .collect();
            names.sort_unstable();
            let before = names.len();
            names.dedup();
            assert_eq!(names.len(), before, "{arguments:?}");
            assert!(
                arguments
                    .iter()
                    .all(|argument| argument.starts_with("--") && argument.contains('='))
            );
        }
    }

    #[test]
    fn clusters_share_etcd_and_nothing_in_it() {
        let clusters = LabName::default().clusters(2);
        let prefixes: Vec<String> = clusters
            .iter()
            .flat_map(api_server)
            .filter(|argument| argument.starts_with("--etcd-prefix"))
            .collect();
        assert_eq!(prefixes, ["--etcd-prefix=/lab-1", "--etcd-prefix=/lab-2"]);
    }
}
