//! What Istio's renderer would give for a fleet, made of the base's objects.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stolos::fleet::spec::named_revision;
use stolos::fleet::{ClusterName, DataPlaneMode, Fleet, MeshSpec, Role};
use stolos::inventory::Object;
use stolos::mesh::objects::{OtherRendering, Rendering};
use stolos::mesh::render_requests;

use crate::base;

/// What the renderer gives for each request that is made of it.
pub fn renderings(fleet: &Fleet, version: Option<&str>) -> BTreeMap<ClusterName, Rendering> {
    let objects = |value: &Value| -> Vec<Object> {
        let items = value.as_array().expect("a list of objects");
        items.iter().cloned().map(Object).collect()
    };
    render_requests(fleet)
        .into_iter()
        .map(|request| {
            let role = fleet.cluster(&request.cluster).map(|it| it.role);
            let is_remote = role.is_some_and(Role::is_served_from_afar);
            let of_role = if is_remote {
                "rendering-of-a-remote.yaml"
            } else {
                "rendering.yaml"
            };
            let rendered = base(of_role, request.cluster.as_str(), 0);
            let own = rendered["version"].as_str().expect("a version");
            let mut control_plane = objects(&rendered["controlPlane"]);
            if fleet.spec.mesh.data_plane_mode == DataPlaneMode::Ambient && !is_remote {
                let ambient = objects(&rendered["ambient"]);
                control_plane.retain(|object| ambient.iter().all(|it| it.reference() != object.reference()));
                control_plane.extend(ambient);
            }
            match role {
                Some(Role::Config) => control_plane.extend(objects(&rendered["config"])),
                // Its webhooks and definitions are in the clusters that it serves.
                Some(Role::External) => {
                    control_plane
                        .retain(|object| !object.is_webhook() && object.kind() != "CustomResourceDefinition");
                    let global = &request.control_plane["spec"]["values"]["global"];
                    let istiods = control_plane
                        .iter_mut()
                        .filter(|object| object.name() == "istiod");
                    for istiod in istiods.filter(|object| object.kind() == "Deployment") {
                        istiod.0["spec"]["template"]["spec"]["containers"][0]["env"] = json!([
                            {"name": "CLUSTER_ID", "value": global["multiCluster"]["clusterName"]}]);
                    }
                }
                _ => {}
            }
            let mesh = &fleet.spec.mesh;
            let other = mesh.other_revision.as_ref().zip(request.other);
            let other = other.map(|(spec, request)| OtherRendering {
                version: match request.version.as_str() {
                    "" => own.to_owned(),
                    wanted => wanted.to_owned(),
                },
                control_plane: of_revision(&control_plane, mesh, &spec.revision, false),
            });
            let rendering = Rendering {
                version: version.unwrap_or(own).to_owned(),
                control_plane: of_revision(&control_plane, mesh, &mesh.revision, true),
                other,
                gateway: match request.gateway {
                    Some(_) => objects(&rendered["gateway"]),
                    None => Vec::new(),
                },
            };
            (request.cluster, rendering)
        })
        .collect()
}

/// The base's objects as Istio's charts name them for a revision, with its tags.
fn of_revision(objects: &[Object], mesh: &MeshSpec, revision: &str, is_default: bool) -> Vec<Object> {
    const OF_A_REVISION: [&str; 4] = [
        "istiod",
        "istio",
        "istio-sidecar-injector",
        "istio-validator-istio-system",
    ];
    let named = named_revision(revision);
    let mut revised: Vec<Object> = objects.to_vec();
    for object in &mut revised {
        if OF_A_REVISION.contains(&object.name()) && object.kind() != "ServiceAccount" {
            object.set_label("istio.io/rev", named);
            if named != "default" {
                let name = format!("{}-{revision}", object.name());
                if object.label("kubernetes.io/service-name").is_some() {
                    object.set_label("kubernetes.io/service-name", &name);
                }
                object.0["metadata"]["name"] = name.into();
            }
        }
    }
    let default = (is_default && named != "default").then_some("default");
    for name in mesh.tags_of(revision).chain(default) {
        let injector = objects
            .iter()
            .find(|object| object.name() == "istio-sidecar-injector");
        let mut tag = injector.expect("there is one").clone();
        tag.0["metadata"]["name"] = format!("istio-revision-tag-{name}").into();
        tag.set_label("istio.io/rev", named);
        tag.set_label("istio.io/tag", name);
        revised.push(tag);
    }
    revised
}
