//! What an API server of a fleet says, with a canary wherever its Secrets hold one and wherever a
//! server's own words may quote one.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::known::Known;
use crate::mutation::{make_bytes_wrong, make_wrong};
use crate::seeds::{self, base64};
use crate::server::{Answer, Request};

/// A cluster's Secrets and words.
pub struct Cluster {
    pub name: &'static str,
    secrets: Vec<Value>,
    /// What its error texts and headers quote.
    quoted: String,
    /// What stands in its headers.
    header: String,
    certificate: String,
}

impl Cluster {
    /// A cluster whose remote secrets point at a peer's URL.
    pub fn new(known: &mut Known, name: &'static str, peer: &str, peer_url: &str) -> Self {
        let (certificate, key) = seeds::certificate(known, &format!("the authority's key of {name}"));
        let account = "system:serviceaccount:istio-system:istio-reader-service-account";
        let user = |known: &mut Known, what: &str| -> Value {
            match what {
                "token" => json!({"token": known.token(&format!("a remote token in {name}"), account)}),
                "basic" => json!({"username": "u", "password": known.canary("a remote password")}),
                "key" => json!({"client-certificate-data": base64(&certificate),
                    "client-key-data": base64(&key)}),
                "exec" => {
                    json!({"exec": {"command": "plugin", "args": [known.canary("a remote plugin's argument")],
                    "env": [{"name": "A", "value": known.canary("a remote plugin's variable")}]}})
                }
                _ => {
                    json!({"auth-provider": {"name": "oidc", "config": {"id-token": known.canary("a remote ID token"),
                    "refresh-token": known.canary("a remote refresh token")}}})
                }
            }
        };
        let remote = |known: &mut Known, what: &str, server: &str, authority: &str| -> Value {
            json!({"apiVersion": "v1", "kind": "Config", "current-context": peer,
                "clusters": [{"name": peer, "cluster": {"server": server,
                    "certificate-authority-data": base64(authority)}}],
                "contexts": [{"name": peer, "context": {"cluster": peer, "user": peer}}],
                "users": [{"name": peer, "user": user(known, what)}]})
        };
        let mut kubeconfigs = vec![(peer.to_owned(), remote(known, "token", peer_url, &certificate))];
        for what in ["basic", "key", "exec", "provider"] {
            kubeconfigs.push((what.to_owned(), remote(known, what, peer_url, &certificate)));
        }
        let in_url = format!(
            "https://somebody:{}@127.0.0.1:1/?token={}",
            known.canary("a remote URL's password"),
            known.canary("a remote URL's query")
        );
        kubeconfigs.push((
            "in-the-url".to_owned(),
            remote(known, "token", &in_url, &certificate),
        ));
        let mixed = format!("{certificate}{key}");
        kubeconfigs.push(("mixed".to_owned(), remote(known, "token", peer_url, &mixed)));
        let remote_secrets = kubeconfigs.iter().map(|(cluster, kubeconfig)| {
            let text = stolos::yaml::to_string(kubeconfig).unwrap();
            json!({"metadata": {"name": format!("istio-remote-secret-{cluster}"), "namespace": "istio-system",
                    "uid": cluster, "creationTimestamp": "2026-01-01T00:00:00Z",
                    "labels": {"istio/multiCluster": "true"},
                    "annotations": {"networking.istio.io/cluster": cluster,
                        "kubectl.kubernetes.io/last-applied-configuration":
                            json!({"stringData": {cluster: text}}).to_string()},
                    "managedFields": [{"manager": "kubectl", "operation": "Apply"}]},
                "type": "Opaque", "data": {cluster: base64(&text)}})
        });
        let mut secrets: Vec<Value> = remote_secrets.collect();
        let token = known.token(&format!("the reader's token of {name}"), account);
        secrets.push(json!({
            "metadata": {"name": "istio-reader-service-account-istio-remote-secret-token", "namespace": "istio-system",
                "annotations": {"kubernetes.io/service-account.name": "istio-reader-service-account",
                    "example.com/copy": known.canary("an annotation of a Secret")}},
            "type": "kubernetes.io/service-account-token",
            "data": {"token": base64(&token), "ca.crt": base64(&certificate), "namespace": "aXN0aW8tc3lzdGVt"}}));
        secrets.push(json!({"metadata": {"name": "cacerts", "namespace": "istio-system"}, "data": {
            "ca-cert.pem": base64(&certificate), "ca-key.pem": base64(&key),
            // Keys where certificates belong.
            "cert-chain.pem": base64(&format!("{certificate}{}", known.pem("a key in a chain", "RSA PRIVATE KEY"))),
            "root-cert.pem": base64(&format!("{}\n{certificate}", known.canary("a line above a root")))}}));
        secrets.push(
            json!({"metadata": {"name": "istio-ca-secret", "namespace": "istio-system"}, "data": {
            "ca-cert.pem": base64(&certificate),
            "ca-key.pem": base64(&known.pem("istiod's own key", "RSA PRIVATE KEY"))}}),
        );
        secrets.push(json!({"metadata": {"name": "other", "namespace": "istio-system"},
            "stringData": {"password": known.canary("another Secret's text")},
            "data": {"password": base64(&known.canary("another Secret's value"))}}));
        Self {
            name,
            secrets,
            quoted: known.canary(&format!("what the errors of {name} quote")),
            header: known.canary(&format!("what the headers of {name} hold")),
            certificate,
        }
    }

    /// The sound answer to a request.
    pub fn sound(&self, request: &Request) -> Value {
        let name = self.name;
        let system = "istio-system";
        let items = |items: Value| json!({"metadata": {"resourceVersion": "1"}, "items": items});
        let named =
            |name: &str| json!({"name": name, "namespace": system, "uid": name, "labels": {"app": "istiod"}});
        let path = request.path();
        let plural = path.rsplit('/').next().unwrap_or_default();
        if let Some(secret) = self
            .secrets
            .iter()
            .find(|secret| secret["metadata"]["name"] == plural)
        {
            return secret.clone();
        }
        match plural {
            "version" => json!({"gitVersion": "v1.36.3", "unheard-of": self.quoted}),
            "kube-system" => json!({"metadata": {"name": "kube-system", "uid": format!("uid-of-{name}")}}),
            "tokenreviews" => json!({"kind": "TokenReview", "spec": {"token": self.quoted}, "status": {
                "authenticated": false, "error": format!("the token {} is not mine", self.quoted)}}),
            "selfsubjectreviews" => json!({"status": {"userInfo": {"username": "jane",
                "extra": {"token": [self.quoted]}}}}),
            "secrets" => items(Value::Array(self.secrets.clone())),
            "namespaces" => items(json!([{"metadata": {"name": system, "uid": system,
                "labels": {"topology.istio.io/network": format!("net-{name}")}}}, {"metadata": {"name": "kube-system"}}])),
            "deployments" => items(json!([{"metadata": named("istiod"), "spec": {"replicas": 1,
                "template": {"spec": {"containers": [{"name": "discovery", "image": "pilot:1.31.2",
                    "env": [{"name": "CLUSTER_ID", "value": name}]}]}}},
                "status": {"readyReplicas": 1}}])),
            "pods" => items(
                json!([{"metadata": named("istiod-1"), "status": {"phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}]}}]),
            ),
            "configmaps" => items(json!([
                {"metadata": {"name": "istio", "namespace": system}, "data": {"mesh": "rootNamespace: istio-system"}},
                {"metadata": {"name": "istio-ca-root-cert", "namespace": system},
                    "data": {"root-cert.pem": self.certificate}}])),
            "services" => items(
                json!([{"metadata": {"name": "istio-eastwestgateway", "namespace": system,
                "labels": {"topology.istio.io/network": format!("net-{name}")}},
                "spec": {"type": "LoadBalancer", "ports": [{"name": "tls", "port": 15443}]},
                "status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}]),
            ),
            _ if request.method != "GET" => serde_json::from_slice(&request.body).unwrap_or(Value::Null),
            _ => items(json!([])),
        }
    }

    /// The answer to a request, most often made wrong; the same one for the same seed and request.
    pub fn wrong(&self, request: &Request, seed: u64) -> Answer {
        let mut hasher = DefaultHasher::new();
        (seed, &request.method, &request.target).hash(&mut hasher);
        let mut chance = Chance::new(hasher.finish());
        let headers = format!(
            "Content-Type: application/json\r\nSet-Cookie: session={0}\r\nWarning: 299 - \"{0}\"\r\n\
             WWW-Authenticate: Bearer realm=\"{0}\", error_description=\"{0}\"\r\nAudit-Id: {0}\r\n",
            self.header
        );
        let told = |status: u16, headers: String, body: Vec<u8>| Answer {
            status,
            headers,
            body,
        };
        // Whoever says nothing here is asked nothing more.
        let is_first = ["/version", "/api/v1/namespaces/kube-system"].contains(&request.path());
        if is_first && !chance.once_in(4) {
            return told(200, headers, self.sound(request).to_string().into_bytes());
        }
        if chance.once_in(5) {
            let status = *chance.one(&[
                400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504, 418,
            ]);
            let headers = headers + "Retry-After: 600\r\n";
            return told(status, headers, self.refusal(status, &mut chance));
        }
        if chance.once_in(40) {
            let headers = format!("Location: http://127.0.0.1:1/?token={}\r\n{headers}", self.header);
            return told(*chance.one(&[301, 302, 307, 308]), headers, Vec::new());
        }
        let mut body = self.sound(request);
        if chance.once_in(6) {
            return told(200, headers, body.to_string().into_bytes());
        }
        for _ in 0..=chance.below(4) {
            make_wrong(&mut body, &mut chance, &is_public);
        }
        for _ in 0..3 {
            if chance.once_in(2) {
                self.make_contents_wrong(&mut body, &mut chance);
            }
        }
        let mut bytes = body.to_string().into_bytes();
        if chance.once_in(6) {
            make_bytes_wrong(&mut bytes, &mut chance);
        }
        if !seeds::stays_here(&bytes) {
            bytes = self.sound(request).to_string().into_bytes();
        }
        told(200, headers, bytes)
    }

    /// Makes what lies in a Secret's data wrong by its bytes.
    fn make_contents_wrong(&self, body: &mut Value, chance: &mut Chance) {
        use base64::Engine as _;
        let count = body["items"].as_array().map_or(0, Vec::len);
        let data = body.pointer_mut(&format!("/items/{}/data", chance.below(count)));
        for value in data
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(serde_json::Map::values_mut)
        {
            let engine = base64::engine::general_purpose::STANDARD;
            if let Some(mut bytes) = value.as_str().and_then(|text| engine.decode(text).ok()) {
                make_bytes_wrong(&mut bytes, chance);
                *value = engine.encode(bytes).into();
            }
        }
    }

    /// What a server, an admission webhook or a proxy says where it refuses, quoting what it should not.
    fn refusal(&self, status: u16, chance: &mut Chance) -> Vec<u8> {
        let quoted = &self.quoted;
        let message = match chance.below(10) {
            0 => format!("admission webhook \"a.b\" denied the request: the token {quoted} is old"),
            1 => {
                format!("secrets \"a\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: {quoted}")
            }
            2 => format!("secrets is forbidden: User \"jane\" cannot list resource \"secrets\": {quoted}"),
            3 => format!("Secret \"a\" is invalid: data.token: Invalid value: \"{quoted}\": too old"),
            4 => format!("the token {quoted} not found"),
            5 => format!("a Secret with {quoted} already exists"),
            6 => format!("Internal error occurred: decode {{\"data\": \"{quoted}\"}}"),
            7 => format!("invalid bearer token {quoted}"),
            8 => format!("{quoted} not found"),
            _ => String::new(),
        };
        match chance.below(4) {
            0 => format!("<html>{message}</html>").into_bytes(),
            1 => message.into_bytes(),
            _ => json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": status,
                "message": message, "reason": quoted, "details": {"name": quoted, "causes": [{"message": message}]}})
            .to_string()
            .into_bytes(),
        }
    }
}

/// Fields of objects that are shown.
fn is_public(field: &str) -> bool {
    !["data", "stringData", "token", "ca.crt"].contains(&field) && !field.contains('.') && field != "password"
}
