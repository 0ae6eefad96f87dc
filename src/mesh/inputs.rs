//! What other installers of Istio would be given for the same mesh, where they keep it: values for
//! Istio's Helm charts, resources of the Sail operator. Made of the fleet file alone, from the same
//! `IstioOperator` documents that istioctl renders for stolos.

use serde_json::{Map, Value, json};

use super::values::{
    EXTERNAL_SERVICE, GATEWAY_NAME, ambient_gateway, exposed_external, exposed_services,
    has_external_gateway, is_ambient, needs_gateway, offers_services, render_requests, serves_remotes,
};
use crate::fleet::spec::{DEFAULT_REVISION, named_revision};
use crate::fleet::{ClusterSpec, Fleet, Role};
use crate::inventory::control_plane::{CONTROL_PLANE_CLUSTERS, NETWORK_LABEL};
use crate::mesh::objects::{exposed_istiods, istiod_name};
use crate::plan::STAND_IN;
use crate::yaml;

/// Values for Istio's charts, cluster by cluster, each below the command that takes it (istio.io: "Install
/// with Helm", of each model).
pub fn helm_values(fleet: &Fleet) -> String {
    each(fleet, |cluster, operator| {
        let namespace = cluster.system_namespace();
        let helm = |release: &str, chart: &str, values: &Value| {
            let command = format!(
                "helm upgrade --install {release} istio/{chart} --namespace {namespace} --kube-context {} --values -",
                cluster.context()
            );
            document(&command, values)
        };
        let mut istiod = values_of(operator);
        let default_revision = istiod.remove("defaultRevision");
        let global = istiod.get("global").cloned().unwrap_or_default();
        let mut base = json!({"global": global});
        if let Some(revision) = default_revision {
            base["defaultRevision"] = revision;
        }
        if let Some(revision) = operator["spec"].get("revision") {
            istiod.insert("revision".to_owned(), revision.clone());
        }
        if let Some(profile) = named_profile(operator) {
            istiod.insert("profile".to_owned(), profile.into());
        }
        let release = istiod_name(fleet, cluster);
        let mut text = match cluster.role {
            // What it reads is defined in the clusters that it serves.
            Role::External => String::new(),
            Role::Primary | Role::Remote | Role::Config => helm("istio-base", "base", &base),
        };
        text.push_str(&helm(&release, "istiod", &Value::Object(istiod)));
        if is_ambient(fleet) {
            // The chart of ztunnel reads its cluster at a place of its own.
            let cni = json!({"profile": "ambient", "global": global});
            let multi_cluster = global["multiCluster"].clone();
            let ztunnel = json!({"profile": "ambient", "global": global, "multiCluster": multi_cluster});
            text.push_str(&helm("istio-cni", "cni", &cni));
            text.push_str(&helm("ztunnel", "ztunnel", &ztunnel));
        } else if needs_gateway(fleet, cluster) {
            let values = json!({"name": GATEWAY_NAME, "networkGateway": cluster.network_name()});
            text.push_str(&helm(GATEWAY_NAME, "gateway", &values));
        }
        text
    })
}

/// Resources of the Sail operator, cluster by cluster (sailoperator.io/v1).
pub fn sail(fleet: &Fleet) -> String {
    each(fleet, |cluster, operator| {
        let apply = format!("kubectl --context {} apply -f -", cluster.context());
        let version = match fleet.version(cluster) {
            "" => Value::Null,
            version => format!("v{}", version.trim_start_matches('v')).into(),
        };
        let object = |kind: &str, name: &str, spec: Value| {
            let object = json!({
                "apiVersion": "sailoperator.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec,
            });
            document(&apply, &object)
        };
        let resource = |kind: &str, name: &str, values: Map<String, Value>| {
            let mut spec = json!({"namespace": cluster.system_namespace(), "values": values});
            if !version.is_null() {
                spec["version"] = version.clone();
            }
            if let Some(profile) = named_profile(operator) {
                spec["profile"] = profile.into();
            }
            object(kind, name, spec)
        };
        let mut values = values_of(operator);
        // The operator makes tags of resources of their own.
        values.remove("defaultRevision");
        values.remove("revisionTags");
        let multi_cluster = values["global"]["multiCluster"].clone();
        let name = named_revision(fleet.revision(cluster));
        let mut text = resource("Istio", name, values);
        let default = (name != DEFAULT_REVISION).then_some(DEFAULT_REVISION);
        for tag in fleet.spec.mesh.tags_of(name).chain(default) {
            let tagged = json!({"targetRef": {"kind": "Istio", "name": name}});
            text.push_str(&object("IstioRevisionTag", tag, tagged));
        }
        if is_ambient(fleet) {
            let ztunnel = json!({"multiCluster": multi_cluster, "network": cluster.network_name()});
            text.push_str(&resource("IstioCNI", "default", Map::new()));
            text.push_str(&resource(
                "ZTunnel",
                "default",
                Map::from_iter([("ztunnel".to_owned(), ztunnel)]),
            ));
        } else if needs_gateway(fleet, cluster) {
            text.push_str(
                "# the east-west gateway is not the operator's: Istio's chart `gateway` makes it, see -o helm-values\n",
            );
        }
        text
    })
}

/// What each cluster is given by an installer, between what is the same for all of them.
fn each(fleet: &Fleet, given: impl Fn(&ClusterSpec, &Value) -> String) -> String {
    let mut text = String::new();
    for request in render_requests(fleet) {
        let Some(cluster) = fleet.cluster(&request.cluster) else {
            continue;
        };
        text.push_str(&format!("# {}\n", cluster.name));
        if let Some(server) = fleet
            .served_by(cluster)
            .filter(|server| server.name != cluster.name)
        {
            let leads = match server.role {
                Role::External => format!("Service {EXTERNAL_SERVICE}"),
                Role::Primary | Role::Remote | Role::Config => "east-west gateway".to_owned(),
            };
            text.push_str(&format!(
                "# {STAND_IN} stands for the address of the {leads} of {}\n",
                server.name
            ));
        }
        text.push_str(&namespace(cluster));
        if cluster.role == Role::External {
            text.push_str(&led_to_configuration(fleet, cluster));
        }
        text.push_str(&given(cluster, &request.control_plane));
        text.push_str(&passed_on(fleet, cluster));
    }
    text
}

/// How an external istiod is led to its configuration, before it starts: without, it would read the cluster
/// that it runs in (istio.io: "Install Istio with an External Control Plane"). With istioctl's label it would
/// be read a second time, as a cluster called `config`.
fn led_to_configuration(fleet: &Fleet, cluster: &ClusterSpec) -> String {
    let Some(config) = fleet.configures(cluster) else {
        return String::new();
    };
    format!(
        "# before it, when {} is installed: istioctl create-remote-secret --context {} --type=config --name={} \
         --namespace={} --service-account={} --create-service-account=false | kubectl label --local -f - istio/multiCluster- -o yaml | kubectl \
         --context {} apply --server-side -f -\n",
        config.name,
        config.context(),
        config.name,
        config.system_namespace(),
        istiod_name(fleet, config),
        cluster.context()
    )
}

/// What the system namespace has to say.
fn namespace(cluster: &ClusterSpec) -> String {
    let kubectl = format!("# kubectl --context {}", cluster.context());
    let name = cluster.system_namespace();
    let mut text = format!("{kubectl} create namespace {name}\n");
    if cluster.network.is_some() {
        let network = cluster.network_name();
        text.push_str(&format!(
            "{kubectl} label namespace {name} {NETWORK_LABEL}={network}\n"
        ));
    }
    if let Some(primary) = &cluster.primary {
        text.push_str(&format!(
            "{kubectl} annotate namespace {name} {CONTROL_PLANE_CLUSTERS}={primary}\n"
        ));
    }
    text
}

/// What gateways pass on, and ambient's gateway itself: no installer makes them.
fn passed_on(fleet: &Fleet, cluster: &ClusterSpec) -> String {
    let apply = format!("kubectl --context {} apply -f -", cluster.context());
    let mut objects = Vec::new();
    if needs_gateway(fleet, cluster) && is_ambient(fleet) {
        objects.push(ambient_gateway(fleet, cluster));
    } else if cluster.role == Role::External && !has_external_gateway(cluster) {
        objects.push(exposed_external(fleet, cluster));
    } else if cluster.role != Role::Remote {
        if offers_services(fleet, cluster) {
            objects.push(exposed_services(cluster));
        }
        if serves_remotes(fleet, cluster) {
            objects.extend(exposed_istiods(fleet, cluster));
        }
    }
    let documents = objects.iter().map(|object| document(&apply, object));
    documents.collect::<Vec<_>>().concat()
}

/// The charts' values of an `IstioOperator`: what it has beside them is a value of theirs as well.
fn values_of(operator: &Value) -> Map<String, Value> {
    let spec = &operator["spec"];
    let mut values = spec["values"].as_object().cloned().unwrap_or_default();
    if let Some(mesh) = spec.get("meshConfig") {
        values.insert("meshConfig".to_owned(), mesh.clone());
    }
    values
}

/// The profile that the charts know by its name; `minimal` is what istiod's chart is without one.
fn named_profile(operator: &Value) -> Option<&str> {
    operator["spec"]["profile"]
        .as_str()
        .filter(|profile| *profile != "minimal")
}

fn document(command: &str, value: &Value) -> String {
    let text = yaml::to_string(value).unwrap_or_default();
    format!("---\n# {command}\n{}\n", text.trim_end())
}
