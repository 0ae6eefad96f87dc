//! Where there is no kubeconfig and this is a pod: the pod's own cluster, as kubectl falls back on it
//! (client-go `tools/clientcmd/merged_client_builder.go`).

use super::{KubeconfigError, Kubeconfigs, Sources, file};
use crate::host::in_cluster::Pod;

impl Kubeconfigs {
    /// Reads what the sources say; where that is nothing, and no file is named explicitly, the
    /// context is the pod's.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_sources_or_pod(sources: &Sources, pod: &Pod) -> Result<Self, KubeconfigError> {
        let own = || pod.kubeconfig().filter(|_| sources.explicit.is_none());
        let mut merged = match Self::from_sources(sources) {
            // A container may have no home.
            Err(KubeconfigError::NoHome) if own().is_some() => Self::default(),
            merged => merged?,
        };
        if merged.says_something() {
            return Ok(merged);
        }
        if let Some(text) = own() {
            let path = pod.place();
            let content = file::parse(&path, text.as_bytes())?;
            let index = merged.files.len();
            merged.files.push(path);
            merged.current = content.current_context;
            merged.contexts.add(index, content.contexts);
            merged.clusters.add(index, content.clusters);
            merged.users.add(index, content.users);
        }
        Ok(merged)
    }

    fn says_something(&self) -> bool {
        !(self.current.is_empty()
            && self.contexts.list.is_empty()
            && self.clusters.list.is_empty()
            && self.users.list.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::connection::credential::Bearer;
    use crate::connection::endpoint::Authority;
    use crate::host::in_cluster::NAME;
    use crate::host::kubeconfig::ConnectionOptions;

    /// A pod's folder with its files, and the pod.
    fn pod(folder: &Path) -> Pod {
        let pair = rcgen::generate_simple_self_signed(vec!["kubernetes".to_owned()]);
        let authority = pair.expect("a certificate can be made").cert.pem();
        for (name, text) in [
            ("token", "secret\n"),
            ("ca.crt", authority.as_str()),
            ("namespace", "istio-system"),
        ] {
            std::fs::write(folder.join(name), text).expect("the file can be written");
        }
        Pod {
            host: Some("10.0.0.1".into()),
            port: Some("443".into()),
            namespace: None,
            folder: folder.to_owned(),
        }
    }

    #[tokio::test]
    async fn without_a_kubeconfig_a_pod_reaches_its_own_cluster() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let pod = pod(folder.path());
        // No home at all, a home without a kubeconfig, one that says nothing.
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "kind: Config\n").expect("the file can be written");
        for sources in [
            Sources::default(),
            Sources {
                home: Some(folder.path().to_owned()),
                ..Sources::default()
            },
            Sources {
                list: Some(empty.into_os_string()),
                ..Sources::default()
            },
        ] {
            let found = Kubeconfigs::from_sources_or_pod(&sources, &pod).expect("it is a pod");
            let contexts = found.contexts();
            assert_eq!(contexts.len(), 1);
            assert!(contexts[0].name == NAME && contexts[0].current);
            let connection = found.connection(NAME, &ConnectionOptions::default()).await;
            let connection = connection.map_err(|error| error.to_string());
            let connection = connection.expect("it says how");
            assert_eq!(connection.endpoint.url, "https://10.0.0.1:443/");
            assert!(matches!(
                connection.endpoint.authority,
                Authority::Certificates(_)
            ));
            assert_eq!(connection.namespace, "istio-system");
            assert!(
                matches!(connection.source.bearer, Bearer::File { path, .. } if path == folder.path().join("token"))
            );
        }
    }

    #[test]
    fn a_kubeconfig_goes_before_the_pods_own_cluster() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let pod = pod(folder.path());
        let file = folder.path().join("config");
        std::fs::write(&file, "users: [{name: u, user: {}}]\n").expect("the file can be written");
        let listed = Sources {
            list: Some(file.clone().into_os_string()),
            ..Sources::default()
        };
        let explicit = |path: &Path| Sources {
            explicit: Some(path.to_owned()),
            ..Sources::default()
        };
        for sources in [listed, explicit(&file)] {
            let found = Kubeconfigs::from_sources_or_pod(&sources, &pod).expect("the file can be read");
            assert!(found.contexts().is_empty());
        }
        std::fs::write(&file, "").expect("the file can be written");
        let named = Kubeconfigs::from_sources_or_pod(&explicit(&file), &pod);
        assert!(named.expect("the file can be read").contexts().is_empty());
        assert!(Kubeconfigs::from_sources_or_pod(&explicit(&folder.path().join("gone")), &pod).is_err());
        let nowhere = Kubeconfigs::from_sources_or_pod(&Sources::default(), &Pod::default());
        assert!(matches!(nowhere, Err(KubeconfigError::NoHome)));
    }
}
