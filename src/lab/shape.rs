//! What a lab looks like: its names and addresses. Pure.
//!
//! Everything lives in one private network, `10.240.0.0/12`, on one bridge:
//!
//! | what | cluster N |
//! | --- | --- |
//! | the bridge itself | `10.240.0.1` |
//! | API server, and the node's address | `10.240.N.1` |
//! | pods | a /20 of `10.244.0.0/14` |
//! | Services of type LoadBalancer | `10.248.N.0/24` |
//! | Service addresses (nothing answers there: no kube-proxy) | `10.N.0.0/16` |

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most clusters that a lab can have: each has a /20 of the pods' /14, and number 0 is none.
pub const MOST_CLUSTERS: u8 = 63;

/// The bridge's own address.
pub const BRIDGE: Ipv4Addr = Ipv4Addr::new(10, 240, 0, 1);

/// The length of the prefix of the whole private network.
pub const PREFIX: u8 = 12;

/// The port of every API server on its own address.
pub const API_PORT: u16 = 6443;

/// The longest name: with a cluster's number it has to stay a label of 63 characters, also where
/// Istio adds to it.
const LONGEST_NAME: usize = 40;

/// A name cannot be a lab's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} cannot be a lab's name: use up to 40 lower-case letters, digits and dashes, a letter first and no dash last"
)]
pub struct BadLabName(String);

/// A lab's name; its clusters' contexts are `NAME-1`, `NAME-2`, ….
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LabName(String);

impl LabName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shapes of the lab's clusters, the first one first.
    pub fn clusters(&self, count: u8) -> Vec<ClusterShape> {
        (1..=count)
            .map(|number| ClusterShape {
                lab: self.clone(),
                number,
            })
            .collect()
    }
}

impl Default for LabName {
    fn default() -> Self {
        Self("lab".to_owned())
    }
}

impl fmt::Display for LabName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for LabName {
    type Err = BadLabName;

    fn from_str(text: &str) -> Result<Self, BadLabName> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.len() <= LONGEST_NAME
            && text.bytes().all(allowed)
            && text.starts_with(|character: char| character.is_ascii_lowercase())
            && !text.ends_with('-')
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadLabName(text.to_owned()))
        }
    }
}

impl TryFrom<String> for LabName {
    type Error = BadLabName;

    fn try_from(text: String) -> Result<Self, BadLabName> {
        text.parse()
    }
}

impl From<LabName> for String {
    fn from(name: LabName) -> Self {
        name.0
    }
}

/// How much of each cluster a lab runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// All of it: a node, and pods that run.
    #[default]
    Whole,
    /// The API server, and the controllers of namespaces, accounts and their tokens: no node and no
    /// pods. Half of a whole cluster's idle load, and two thirds of its memory.
    ControlPlaneOnly,
}

impl Extent {
    /// The extent in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Extent::Whole => "whole clusters",
            Extent::ControlPlaneOnly => "control planes only",
        }
    }
}

/// One cluster's names and addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterShape {
    lab: LabName,
    number: u8,
}

impl ClusterShape {
    /// The cluster's number, from 1.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// The kubeconfig context, and the folder's name.
    pub fn context(&self) -> String {
        format!("{}-{}", self.lab, self.number)
    }

    /// The name of the one node.
    pub fn node(&self) -> String {
        format!("{}-node", self.context())
    }

    /// The API server's address in the lab's network, which is the node's as well.
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 240, self.number, 1)
    }

    /// The API server's URL in the lab's network.
    pub fn inner_url(&self) -> String {
        format!("https://{}:{API_PORT}", self.address())
    }

    /// Where the API server keeps its objects in the shared etcd.
    pub fn etcd_prefix(&self) -> String {
        format!("/{}", self.context())
    }

    /// The range of Service addresses.
    pub fn service_range(&self) -> String {
        format!("10.{}.0.0/16", self.number)
    }

    /// The address of the Service `default/kubernetes`: the range's first.
    pub fn kubernetes_service(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.number, 0, 1)
    }

    /// The range of pods' addresses.
    pub fn pod_range(&self) -> String {
        format!("{}/20", Ipv4Addr::from(self.first_pod()))
    }

    fn first_pod(&self) -> u32 {
        u32::from(Ipv4Addr::new(10, 244, 0, 0)) + (u32::from(self.number) << 12)
    }

    /// The pod range's addresses that pods can have, in order.
    pub fn pod_addresses(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        let base = self.first_pod();
        // Neither the network's own address nor the broadcast one.
        (1..(1 << 12) - 1).map(move |offset| Ipv4Addr::from(base + offset))
    }

    /// The addresses that Services of type LoadBalancer can have, in order.
    pub fn balancer_addresses(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        let number = self.number;
        (1..=254).map(move |last| Ipv4Addr::new(10, 248, number, last))
    }

    /// The DNS names that the API server's certificate holds.
    pub fn server_names(&self) -> Vec<String> {
        [
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ]
        .map(str::to_owned)
        .into()
    }

    /// The addresses that the API server's certificate holds.
    pub fn server_addresses(&self) -> [Ipv4Addr; 3] {
        [Ipv4Addr::LOCALHOST, self.address(), self.kubernetes_service()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_labels() {
        for good in ["lab", "a", "t-1a2b", &"a".repeat(40)] {
            assert!(good.parse::<LabName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "1a",
            "a/b",
            "..",
            "a_b",
            "ä",
            &"a".repeat(41),
        ] {
            assert!(bad.parse::<LabName>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<LabName>("\"../x\"").is_err());
    }

    #[test]
    fn no_address_is_given_twice_and_all_are_on_the_bridge() {
        let mut seen = BTreeSet::from([BRIDGE]);
        for cluster in LabName::default().clusters(MOST_CLUSTERS) {
            assert!(seen.insert(cluster.address()), "{}", cluster.address());
            for address in cluster.pod_addresses().chain(cluster.balancer_addresses()) {
                assert!(seen.insert(address), "{address}");
            }
        }
        let network = u32::from(BRIDGE) >> (32 - PREFIX);
        assert!(
            seen.iter()
                .all(|&address| u32::from(address) >> (32 - PREFIX) == network)
        );
    }

    #[test]
    fn a_cluster_looks_as_documented() {
        let cluster = &"demo".parse::<LabName>().unwrap().clusters(2)[1];
        assert_eq!(cluster.context(), "demo-2");
        assert_eq!(cluster.inner_url(), "https://10.240.2.1:6443");
        assert_eq!(cluster.service_range(), "10.2.0.0/16");
        assert_eq!(
            cluster.pod_addresses().next(),
            Some(Ipv4Addr::new(10, 244, 32, 1))
        );
        assert_eq!(
            cluster.balancer_addresses().next(),
            Some(Ipv4Addr::new(10, 248, 2, 1))
        );
        assert!(cluster.server_addresses().contains(&Ipv4Addr::new(10, 2, 0, 1)));
    }
}
