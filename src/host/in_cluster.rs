//! The cluster that this process runs in, as a pod: what a kubelet puts into every pod that has a
//! service account (client-go `rest.InClusterConfig`, `clientcmd.inClusterClientConfig`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::json;

/// The name of its context, cluster and user.
pub const NAME: &str = "in-cluster";

/// Where a kubelet mounts a service account's files.
const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Where a pod's service account is looked for: what the environment says, as data.
#[derive(Debug, Clone, Default)]
pub struct Pod {
    /// The variable `KUBERNETES_SERVICE_HOST`.
    pub host: Option<OsString>,
    /// The variable `KUBERNETES_SERVICE_PORT`.
    pub port: Option<OsString>,
    /// The variable `POD_NAMESPACE`, which goes before the service account's own namespace.
    pub namespace: Option<OsString>,
    /// The folder with `token`, `ca.crt` and `namespace`.
    pub folder: PathBuf,
}

impl Pod {
    /// What this process's environment says.
    pub fn of_environment() -> Self {
        Self {
            host: std::env::var_os("KUBERNETES_SERVICE_HOST"),
            port: std::env::var_os("KUBERNETES_SERVICE_PORT"),
            namespace: std::env::var_os("POD_NAMESPACE"),
            folder: PathBuf::from(FOLDER),
        }
    }

    /// A file beside which the kubeconfig of [`Self::kubeconfig`] can be thought to lie, for errors
    /// and relative paths.
    pub fn place(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// A kubeconfig (JSON, and so YAML) of one context, its current one, that says how a pod reaches
    /// its own API server: with the token's file, so that it is read again as the kubelet renews
    /// it. None where this is no pod, or one without a service account.
    pub fn kubeconfig(&self) -> Option<String> {
        let host = text(self.host.as_ref())?;
        let port = text(self.port.as_ref())?;
        let token = self.folder.join("token");
        if !token.is_file() {
            return None;
        }
        // IPv6 addresses stand in brackets (Go `net.JoinHostPort`).
        let server = if host.contains(':') {
            format!("https://[{host}]:{port}")
        } else {
            format!("https://{host}:{port}")
        };
        let authority = self.folder.join("ca.crt");
        let mut cluster = json!({"server": server});
        // Without it the machine's own roots decide, as with client-go.
        if authority.is_file() {
            cluster["certificate-authority"] = json!(authority);
        }
        let namespace = text(self.namespace.as_ref()).or_else(|| read(&self.folder.join("namespace")));
        let context = json!({
            "cluster": NAME,
            "user": NAME,
            "namespace": namespace.as_deref().unwrap_or("default"),
        });
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": NAME,
            "contexts": [{"name": NAME, "context": context}],
            "clusters": [{"name": NAME, "cluster": cluster}],
            "users": [{"name": NAME, "user": {"tokenFile": token}}],
        });
        Some(kubeconfig.to_string())
    }
}

fn text(variable: Option<&OsString>) -> Option<String> {
    let text = variable?.to_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn read(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn pod(folder: &Path) -> Pod {
        Pod {
            host: Some("10.0.0.1".into()),
            port: Some("443".into()),
            namespace: None,
            folder: folder.to_owned(),
        }
    }

    fn kubeconfig(pod: &Pod) -> Option<Value> {
        let text = pod.kubeconfig()?;
        Some(serde_json::from_str(&text).expect("it is JSON"))
    }

    #[test]
    fn a_pod_has_a_context_of_its_service_account() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("the file can be written");
        };
        write("token", "secret");
        let mut pod = pod(folder.path());
        let bare = kubeconfig(&pod).expect("it is a pod");
        assert_eq!(
            bare["clusters"][0]["cluster"],
            json!({"server": "https://10.0.0.1:443"})
        );
        assert_eq!(bare["contexts"][0]["context"]["namespace"], "default");
        assert!(!bare.to_string().contains("secret"));
        write("ca.crt", "");
        write("namespace", "istio-system\n");
        pod.host = Some("fd00::1".into());
        let whole = kubeconfig(&pod).expect("it is a pod");
        assert_eq!(
            whole["clusters"][0]["cluster"],
            json!({"server": "https://[fd00::1]:443", "certificate-authority": folder.path().join("ca.crt")})
        );
        assert_eq!(
            whole["users"][0]["user"],
            json!({"tokenFile": folder.path().join("token")})
        );
        assert_eq!(whole["contexts"][0]["context"]["namespace"], "istio-system");
        assert_eq!(whole["current-context"], NAME);
        pod.namespace = Some("mesh".into());
        let named = kubeconfig(&pod).expect("it is a pod");
        assert_eq!(named["contexts"][0]["context"]["namespace"], "mesh");
    }

    #[test]
    fn what_is_no_pod_has_none() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut pod = pod(folder.path());
        assert_eq!(kubeconfig(&pod), None, "it has no token");
        std::fs::create_dir(folder.path().join("token")).expect("a folder can be made");
        assert_eq!(kubeconfig(&pod), None, "its token is a folder");
        std::fs::remove_dir(folder.path().join("token")).expect("the folder can be removed");
        std::fs::write(folder.path().join("token"), "t").expect("the file can be written");
        assert!(kubeconfig(&pod).is_some());
        pod.port = Some("".into());
        assert_eq!(kubeconfig(&pod), None, "it has no port");
        pod.port = None;
        assert_eq!(kubeconfig(&pod), None);
    }
}
