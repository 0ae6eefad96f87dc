//! A mesh that somebody made by hand on two lab clusters, with Istio's own tools and in the order of
//! its documents: "Plug in CA Certificates", then "Install Multi-Primary on different networks".

use serde_json::{Value, json};

use crate::harness::{Lab, must};

const SYSTEM: [&str; 2] = ["-n", "istio-system"];

/// The certificates' extensions as Istio's `tools/certs/common.mk` has them.
const INTERMEDIATE: &str = "basicConstraints=critical,CA:true,pathlen:0\n\
     keyUsage=critical,digitalSignature,nonRepudiation,keyEncipherment,keyCertSign\n\
     subjectAltName=DNS:istiod.istio-system.svc\n";

/// Brings up a lab with two clusters, `cluster1` and `cluster2` of the mesh `mesh1`.
pub fn mesh(name: &str) -> Lab {
    let lab = Lab::up(name, 2);
    make_root(&lab, "root", "Root CA");
    for number in [1, 2] {
        let context = lab.context(number);
        must(lab.kubectl(&context, &["create", "namespace", "istio-system"]));
        let network = format!("topology.istio.io/network=network{number}");
        must(lab.kubectl(&context, &["label", "namespace", "istio-system", &network]));
        let secret = cacerts(&lab, "root", &format!("cluster{number}"));
        must(lab.kubectl(&context, &["create"]).args(secret));
        install(&lab, number, "control", &control_plane(number));
        install(&lab, number, "eastwest", &gateway(number));
        expose(&lab, number);
    }
    for (reader, read) in [(2, 1), (1, 2)] {
        link(&lab, reader, read);
    }
    lab
}

/// "Enable Endpoint Discovery": a remote secret, applied as Istio's page has it. The address is the
/// one that peers can dial, as with local clusters in Istio's page on kind.
pub fn link(lab: &Lab, reader: u8, read: u8) {
    let clusters = lab.row()["clusters"].clone();
    let server = &clusters[usize::from(read) - 1]["innerServer"];
    let server = server.as_str().expect("an address inside of the lab");
    let name = format!("--name=cluster{read}");
    let arguments = ["create-remote-secret", &name, "--server", server];
    let secret = must(lab.istioctl(&lab.context(read), &arguments).args(SYSTEM));
    lab.home.write("remote-secret.yaml", &secret);
    must(lab.kubectl(&lab.context(reader), &["apply", "-f", "remote-secret.yaml"]));
}

/// A root with a key of its own, in the home.
pub fn make_root(lab: &Lab, file: &str, name: &str) {
    let subject = format!("/O=Istio/CN={name}");
    let mut command = lab.home.command("openssl");
    command
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"])
        .args(["-subj", &subject, "-keyout", &format!("{file}-key.pem")])
        .args(["-out", &format!("{file}-cert.pem")])
        .args(["-addext", "basicConstraints=critical,CA:true", "-addext"])
        .arg("keyUsage=critical,digitalSignature,nonRepudiation,keyEncipherment,keyCertSign");
    must(command);
}

/// What kubectl is told to make the Secret `cacerts` of a new intermediate under a root.
pub fn cacerts(lab: &Lab, root: &str, cluster: &str) -> Vec<String> {
    lab.home.write("intermediate.conf", INTERMEDIATE);
    let [key, request, certificate, chain] =
        ["ca-key", "request", "ca-cert", "cert-chain"].map(|part| format!("{root}-{cluster}-{part}.pem"));
    let subject = format!("/O=Istio/CN=Intermediate CA/L={cluster}");
    let mut command = lab.home.command("openssl");
    command
        .args(["req", "-newkey", "rsa:2048", "-nodes", "-subj", &subject])
        .args(["-keyout", &key, "-out", &request]);
    must(command);
    let mut command = lab.home.command("openssl");
    command
        .args(["x509", "-req", "-days", "3650", "-CAcreateserial"])
        .args(["-extfile", "intermediate.conf", "-in", &request])
        .args(["-CA", &format!("{root}-cert.pem")])
        .args(["-CAkey", &format!("{root}-key.pem"), "-out", &certificate]);
    must(command);
    let root = format!("{root}-cert.pem");
    let both = read(lab, &certificate) + &read(lab, &root);
    lab.home.write(&chain, &both);
    let mut arguments: Vec<String> = ["secret", "generic", "cacerts", "-n", "istio-system"]
        .map(str::to_owned)
        .into();
    arguments.push(format!("--from-file=ca-cert.pem={certificate}"));
    arguments.push(format!("--from-file=ca-key.pem={key}"));
    arguments.push(format!("--from-file=root-cert.pem={root}"));
    arguments.push(format!("--from-file=cert-chain.pem={chain}"));
    arguments
}

fn install(lab: &Lab, number: u8, name: &str, operator: &Value) {
    let file = format!("{name}{number}.json");
    lab.home.write(&file, operator.to_string());
    must(lab.istioctl(&lab.context(number), &["install", "-y", "-f", &file]));
}

fn control_plane(number: u8) -> Value {
    json!({
        "apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
        "metadata": {"name": "control"},
        "spec": {"values": {"global": {
            "meshID": "mesh1", "multiCluster": {"clusterName": format!("cluster{number}")},
            "network": format!("network{number}"),
        }}},
    })
}

/// What `samples/multicluster/gen-eastwest-gateway.sh` prints.
fn gateway(number: u8) -> Value {
    let network = format!("network{number}");
    let ports = [
        ("status-port", 15021),
        ("tls", 15443),
        ("tls-istiod", 15012),
        ("tls-webhook", 15017),
    ];
    let ports = ports.map(|(name, port)| json!({"name": name, "port": port, "targetPort": port}));
    json!({
        "apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
        "metadata": {"name": "eastwest"},
        "spec": {
            "revision": "", "profile": "empty",
            "components": {"ingressGateways": [{
                "name": "istio-eastwestgateway", "enabled": true,
                "label": {
                    "istio": "eastwestgateway", "app": "istio-eastwestgateway",
                    "topology.istio.io/network": network,
                },
                "k8s": {
                    "env": [{"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": network}],
                    "service": {"ports": ports},
                },
            }]},
            "values": {
                "gateways": {"istio-ingressgateway": {"injectionTemplate": "gateway"}},
                "global": {"network": network},
            },
        },
    })
}

/// `samples/multicluster/expose-services.yaml`
fn expose(lab: &Lab, number: u8) {
    let gateway = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {"name": "cross-network-gateway"},
        "spec": {"selector": {"istio": "eastwestgateway"}, "servers": [{
            "port": {"number": 15443, "name": "tls", "protocol": "TLS"},
            "tls": {"mode": "AUTO_PASSTHROUGH"}, "hosts": ["*.local"],
        }]},
    });
    lab.home.write("expose-services.json", gateway.to_string());
    let arguments = ["apply", "-f", "expose-services.json"];
    must(lab.kubectl(&lab.context(number), &arguments).args(SYSTEM));
}

fn read(lab: &Lab, file: &str) -> String {
    std::fs::read_to_string(lab.home.path().join(file)).expect("it was just made")
}
