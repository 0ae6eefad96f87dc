//! What a cluster holds at first: nothing but Kubernetes' own objects, or a small member of a mesh.
//! Clusters share the objects; what tells them apart are words in their texts.

mod kubernetes;
mod mesh;

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::certificates::MeshRoot;
use crate::cluster::seed;
use crate::fleet::{SimulatorError, name_of};
use crate::item::Words;
use crate::people::account_token;
use crate::store::{Layer, uid};

/// What a cluster holds at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Content {
    /// Nothing at all, for a cluster that is given another's objects.
    Nothing,
    /// What a new cluster holds.
    Empty,
    /// A member of a mesh, as Istio's documented installation leaves it.
    #[default]
    Member,
    /// A member with remote secrets for so many of the clusters that follow it, in a ring.
    Linked(usize),
    /// What a member has without an istiod: namespace, accounts, gateway and trust.
    WithoutIstiod,
}

/// The account that peers read with.
pub(crate) const READER: &str = "istio-reader-service-account";
/// The Secret of its token.
pub(crate) const READER_SECRET: &str = "istio-reader-service-account-istio-remote-secret-token";
/// The control plane's namespace.
pub(crate) const SYSTEM: &str = "istio-system";

/// The layer that all clusters with this content share.
pub fn layer(content: Content) -> Layer {
    crate::store::layer(&objects(content))
}

/// The objects of a content, with places for each cluster's words.
pub fn objects(content: Content) -> Vec<Value> {
    if content == Content::Nothing {
        return Vec::new();
    }
    let mut objects = kubernetes::objects();
    if content != Content::Empty {
        objects.extend(mesh::objects(content != Content::WithoutIstiod));
        if matches!(content, Content::Linked(_)) {
            objects.push(mesh::reader_token());
        }
    }
    for (index, object) in objects.iter_mut().enumerate() {
        let metadata = &mut object["metadata"];
        if metadata["uid"].is_null() {
            metadata["uid"] = format!("@@uid@@{:012x}", index + 1).into();
        }
        metadata["creationTimestamp"] = "2026-09-01T08:00:00Z".into();
        metadata["resourceVersion"] = (index + 200).to_string().into();
    }
    objects
}

/// The network that a cluster's pods are in.
pub fn network_of(number: usize) -> String {
    format!("network-{number:04}")
}

/// The address at which a cluster says that it is to be found by its peers. On the loopback, which
/// leads peers back to themselves, a cluster says an address that nobody on this machine has
/// (RFC 6598), and which stolos does not dial.
pub fn address_for_peers(number: usize, address: SocketAddr) -> (String, u16) {
    if address.ip().is_loopback() {
        (format!("100.64.{}.{}", number / 250, number % 250 + 1), 6443)
    } else {
        (address.ip().to_string(), address.port())
    }
}

fn reader_uid(number: usize) -> String {
    uid(seed(number), 7)
}

fn reader_token_of(number: usize) -> String {
    account_token(seed(number), SYSTEM, READER, &reader_uid(number), READER_SECRET)
}

/// Text as it stands inside of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// What a cluster fills the places of shared texts with.
///
/// # Errors
///
/// Where its intermediate cannot be signed.
pub fn words(
    number: usize,
    name: &str,
    address: SocketAddr,
    authority: &str,
    root: &MeshRoot,
) -> Result<Words, SimulatorError> {
    let (peers_address, port) = address_for_peers(number, address);
    let intermediate = root.intermediate(name)?;
    let chain = format!("{}{}", intermediate.certificate, root.pem);
    Ok(Words::new(vec![
        ("network", network_of(number)),
        ("uid", uid(seed(number), 0)[..24].to_owned()),
        ("cluster-uid", uid(seed(number), 0)),
        ("reader-uid", reader_uid(number)),
        ("address", peers_address),
        ("port", port.to_string()),
        ("gateway", format!("100.65.{}.{}", number / 250, number % 250 + 1)),
        ("authority", escaped(authority)),
        ("authority-encoded", STANDARD.encode(authority)),
        ("reader-token", STANDARD.encode(reader_token_of(number))),
        ("root", escaped(&root.pem)),
        ("root-encoded", STANDARD.encode(&root.pem)),
        ("intermediate-encoded", STANDARD.encode(&intermediate.certificate)),
        ("intermediate-key-encoded", STANDARD.encode(&intermediate.key)),
        ("chain-encoded", STANDARD.encode(chain)),
        ("name", name.to_owned()),
    ]))
}

/// The remote secrets of a cluster that is linked: for each of the clusters that follow it.
pub fn remote_secrets(
    content: Content,
    number: usize,
    addresses: &[SocketAddr],
    authority: &str,
) -> Vec<Value> {
    let Content::Linked(peers) = content else {
        return Vec::new();
    };
    let count = addresses.len();
    (0..peers.min(count - 1))
        .map(|step| (number + step) % count + 1)
        .map(|peer| {
            let id = name_of(peer);
            let (address, port) = address_for_peers(peer, addresses[peer - 1]);
            let kubeconfig = format!(
                "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {}\n    server: https://{address}:{port}\n  \
                 name: {id}\ncontexts:\n- context:\n    cluster: {id}\n    user: {id}\n  name: {id}\ncurrent-context: {id}\n\
                 kind: Config\nusers:\n- name: {id}\n  user:\n    token: {}\n",
                STANDARD.encode(authority),
                reader_token_of(peer)
            );
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": {
                    "name": format!("istio-remote-secret-{id}"), "namespace": SYSTEM,
                    "labels": {"istio/multiCluster": "true"}, "annotations": {"networking.istio.io/cluster": id},
                    "creationTimestamp": "2026-09-01T09:00:00Z",
                },
                "data": {id: STANDARD.encode(kubeconfig)},
            })
        })
        .collect()
}

/// A manager's entry in `managedFields`, of which only the name counts.
fn managed(manager: &str, operation: &str) -> Value {
    json!({
        "manager": manager, "operation": operation, "apiVersion": "v1", "time": "2026-09-01T08:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": {},
    })
}
