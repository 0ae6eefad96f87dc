//! What a cloud does: an address for each Service of type LoadBalancer, the same while it lives.

use std::collections::BTreeSet;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Service;
use kube::runtime::watcher;
use kube::runtime::watcher::Event;
use kube::{Api, ResourceExt};
use serde_json::json;
use std::sync::Arc;

use super::addresses::Addresses;
use super::{Node, PAUSE};
use crate::lab::api;

/// Gives addresses to a cluster's Services, as long as it lives.
pub async fn serve(node: Arc<Node>) {
    let mut addresses = Addresses::new(node.shape.balancer_addresses());
    let api = Api::<Service>::all(node.client.clone());
    let mut events = watcher(api, watcher::Config::default()).boxed();
    let mut listed = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(service)) => {
                listed.insert(owner(&service));
                settle(&node, &mut addresses, &service).await;
            }
            Ok(Event::InitDone) => {
                let gone: Vec<String> = addresses
                    .owners()
                    .filter(|owner| !listed.contains(*owner))
                    .cloned()
                    .collect();
                for owner in gone {
                    addresses.give_back(&owner);
                }
            }
            Ok(Event::Apply(service)) => settle(&node, &mut addresses, &service).await,
            Ok(Event::Delete(service)) => addresses.give_back(&owner(&service)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Gives a Service the address that it should have, or takes it.
async fn settle(node: &Node, addresses: &mut Addresses, service: &Service) {
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
        addresses.take(&owner).iter().map(ToString::to_string).collect()
    } else {
        let had = addresses.owners().any(|one| *one == owner);
        addresses.give_back(&owner);
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
