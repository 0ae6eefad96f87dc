//! What answers at an address by which peers would reach a cluster: the same cluster, another one,
//! another authority, or nothing that this machine can reach.
//!
//! Only addresses that are somebody's word for this cluster are dialled: those that the fleet file
//! or the kubeconfig name, public ones, and those on a network that this machine is itself on. A
//! private address that a cluster reached through a tunnel calls its own may be a stranger's on
//! the network here.

use std::net::IpAddr;
use std::time::Duration;

use super::client::Client;
use crate::connection::deadlines::Deadlines;
use crate::connection::endpoint::{Authority, Endpoint};
use crate::inventory::{AddressProbe, FailureClass, ProbeOutcome};

/// How long an address may take: it is a courtesy, since the proof is istiod's own connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// Dials `url` as this cluster's peers would: with `authority` (PEM) as the only trust.
pub async fn probe(
    client: &Client,
    url: &str,
    authority: &str,
    tls_server_name: &str,
    uid: &str,
    named_by_the_user: bool,
) -> AddressProbe {
    let outcome = if named_by_the_user || dialled_freely(url) {
        dial(client, url, authority, tls_server_name, uid).await
    } else {
        ProbeOutcome::NotDialled
    };
    AddressProbe {
        url: url.to_owned(),
        outcome,
    }
}

async fn dial(client: &Client, url: &str, authority: &str, tls_server_name: &str, uid: &str) -> ProbeOutcome {
    let Ok(uri) = url.parse() else {
        return ProbeOutcome::Unreachable("it is not a URL".to_owned());
    };
    let endpoint = Endpoint {
        url: uri,
        authority: if authority.is_empty() {
            match &client.shared.endpoint.authority {
                Authority::Unchecked => Authority::Machine,
                own => own.clone(),
            }
        } else {
            Authority::Certificates(der_blocks(authority))
        },
        tls_server_name: tls_server_name.to_owned(),
        proxy: None,
    };
    // By this very address, and trusting the same authority, the cluster has just said who it is.
    if endpoint == client.shared.endpoint && !uid.is_empty() {
        return ProbeOutcome::Same;
    }
    let there = client.toward(endpoint, Deadlines::within(PATIENCE));
    let path = "/api/v1/namespaces/kube-system";
    match there.get(path, url).await {
        Ok(answer) => match answer["metadata"]["uid"].as_str() {
            Some(found) if found == uid => ProbeOutcome::Same,
            Some(found) => ProbeOutcome::AnotherCluster(found.to_owned()),
            None => ProbeOutcome::Authenticated,
        },
        Err(failure) => match failure.class {
            FailureClass::Certificate => ProbeOutcome::AnotherAuthority(failure.message),
            FailureClass::Configuration
            | FailureClass::Name
            | FailureClass::Tcp
            | FailureClass::Tls
            | FailureClass::Timeout => ProbeOutcome::Unreachable(failure.message),
            // It answered with the cluster's own authority behind it, but will not say who it is.
            _ => ProbeOutcome::Authenticated,
        },
    }
}

/// The certificates of a PEM text, DER.
pub(super) fn der_blocks(pem: &str) -> Vec<Vec<u8>> {
    x509_parser::pem::Pem::iter_from_buffer(pem.as_bytes())
        .filter_map(|block| block.ok().map(|block| block.contents))
        .collect()
}

/// Whether the address in a URL is public, a name, or on a network of this machine's own.
fn dialled_freely(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let Some(host) = uri.host() else {
        return false;
    };
    let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() else {
        return true;
    };
    let private = match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_link_local()
                || (address.octets()[0] == 100 && address.octets()[1] & 0xC0 == 64)
        }
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    };
    !private || on_own_network(address)
}

fn on_own_network(address: IpAddr) -> bool {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces
        .iter()
        .any(|interface| match (&interface.addr, address) {
            (if_addrs::IfAddr::V4(own), IpAddr::V4(address)) => {
                let mask = u32::from(own.netmask);
                u32::from(own.ip) & mask == u32::from(address) & mask
            }
            (if_addrs::IfAddr::V6(own), IpAddr::V6(address)) => {
                let mask = u128::from(own.netmask);
                u128::from(own.ip) & mask == u128::from(address) & mask
            }
            _ => false,
        })
}
