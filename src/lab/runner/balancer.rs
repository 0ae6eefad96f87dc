//! What a cloud does: an address for each Service of type LoadBalancer, the same while it lives.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Service;
use kube::runtime::watcher;
use kube::runtime::watcher::Event;
use kube::{Api, ResourceExt};
use serde_json::json;
use std::sync::Arc;

use super::addresses::Addresses;
use super::passage::Passage;
use super::{Node, PAUSE};
use crate::lab::api;

/// Gives addresses to a cluster's Services, as long as it lives.
pub async fn serve(node: Arc<Node>) {
    let mut given = Given {
        addresses: Addresses::new(node.shape.balancer_addresses()),
        passages: BTreeMap::new(),
    };
    let api = Api::<Service>::all(node.client.clone());
    let mut events = watcher(api, watcher::Config::default()).boxed();
    let mut listed = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(service)) => {
                listed.insert(owner(&service));
                settle(&node, &mut given, &service).await;
            }
            Ok(Event::InitDone) => {
                let gone: Vec<String> = given
                    .addresses
                    .owners()
                    .filter(|owner| !listed.contains(*owner))
                    .cloned()
                    .collect();
                for owner in gone {
                    given.take_back(&owner);
                }
            }
            Ok(Event::Apply(service)) => settle(&node, &mut given, &service).await,
            Ok(Event::Delete(service)) => given.take_back(&owner(&service)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// What Services have been given, by their UIDs.
struct Given {
    addresses: Addresses,
    passages: BTreeMap<String, Passage>,
}

impl Given {
    fn take_back(&mut self, owner: &str) {
        self.addresses.give_back(owner);
        self.passages.remove(owner);
    }

    /// Takes connections at an address, where nobody does yet.
    async fn open(&mut self, node: &Arc<Node>, service: &Service, address: Ipv4Addr) {
        let owner = owner(service);
        if self.passages.contains_key(&owner) {
            return;
        }
        match Passage::open(node, service, address).await {
            Ok(passage) => self.passages.extend(passage.map(|passage| (owner, passage))),
            // The Service comes by again.
            Err(error) => node.log.say(format!("{}: {error}", node.shape.context())),
        }
    }
}

/// Gives a Service the address that it should have, or takes it.
async fn settle(node: &Arc<Node>, given: &mut Given, service: &Service) {
    let spec = service.spec.as_ref();
    // One of another class is somebody else's to serve.
    let wants = spec.is_some_and(|spec| {
        spec.type_.as_deref() == Some("LoadBalancer") && spec.load_balancer_class.is_none()
    });
    let has: Vec<String> = service
        .status
        .iter()
        .filter_map(|status| status.load_balancer.as_ref()?.ingress.as_ref())
        .flatten()
        .filter_map(|ingress| ingress.ip.clone())
        .collect();
    let owner = owner(service);
    let should: Vec<String> = if wants {
        let address = given.addresses.take(&owner);
        if let Some(address) = address {
            given.open(node, service, address).await;
        }
        address.iter().map(ToString::to_string).collect()
    } else {
        let had = given.addresses.owners().any(|one| *one == owner);
        given.take_back(&owner);
        if !had {
            return;
        }
        Vec::new()
    };
    if has == should {
        return;
    }
    let ingress: Vec<_> = should.iter().map(|address| json!({"ip": address})).collect();
    let patch = json!({"status": {"loadBalancer": {"ingress": ingress}}});
    let path = format!(
        "/api/v1/namespaces/{}/services/{}/status",
        service.namespace().unwrap_or_default(),
        service.name_any()
    );
    // A Service that changes meanwhile comes by again; an API server that goes is listed again.
    if let Err(error) = api::merge(&node.client, &path, &patch).await
        && !error.is_absent()
    {
        node.log
            .say(format!("{}: address of {owner}: {error}", node.shape.context()));
    }
}

fn owner(service: &Service) -> String {
    service.uid().unwrap_or_default()
}
