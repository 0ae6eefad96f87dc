//! Who installed an object, by the marks that installers leave: annotations, labels, owner
//! references, field managers. `app.kubernetes.io/managed-by: Helm` is no mark: Istio's charts put
//! it on everything, `istioctl manifest generate` included.

use serde::{Deserialize, Serialize};

use super::Object;

/// The installer of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstalledBy {
    /// This tool.
    Stolos,
    /// `istioctl install`.
    Istioctl,
    /// Helm.
    Helm,
    /// The Sail operator (OpenShift Service Mesh among its users).
    Sail,
    /// Argo CD.
    Argocd,
    /// Flux.
    Flux,
    /// `kubectl apply` or `create`, from a rendering.
    Kubectl,
    /// Nobody that is known here.
    #[default]
    Unknown,
}

impl InstalledBy {
    /// The installer's word in documents and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            InstalledBy::Stolos => "stolos",
            InstalledBy::Istioctl => "istioctl",
            InstalledBy::Helm => "helm",
            InstalledBy::Sail => "sail",
            InstalledBy::Argocd => "argocd",
            InstalledBy::Flux => "flux",
            InstalledBy::Kubectl => "kubectl",
            InstalledBy::Unknown => "unknown",
        }
    }

    /// Who installed an object. Those who drive Helm come before Helm, whose marks they leave too.
    pub fn of(object: &Object) -> Self {
        let managers = object.managers();
        let managed_by = |test: &dyn Fn(&str) -> bool| managers.iter().any(|manager| test(manager));
        let owned_by_sail = object.list(&["metadata", "ownerReferences"]).iter().any(|owner| {
            owner["apiVersion"]
                .as_str()
                .is_some_and(|version| version.starts_with("sailoperator.io/"))
        });
        if object.label("app.kubernetes.io/managed-by") == Some("stolos")
            || managed_by(&|manager| manager == "stolos")
        {
            InstalledBy::Stolos
        } else if owned_by_sail || object.label("managed-by") == Some("sail-operator") {
            InstalledBy::Sail
        } else if object.annotation("argocd.argoproj.io/tracking-id").is_some()
            || object.label("argocd.argoproj.io/instance").is_some()
            || managed_by(&|manager| manager.starts_with("argocd"))
        {
            InstalledBy::Argocd
        } else if object.label("helm.toolkit.fluxcd.io/name").is_some()
            || object.label("kustomize.toolkit.fluxcd.io/name").is_some()
        {
            InstalledBy::Flux
        } else if object.annotation("meta.helm.sh/release-name").is_some()
            || managed_by(&|manager| manager == "helm")
        {
            InstalledBy::Helm
        } else if managed_by(&|manager| manager == "istio-operator")
            || object.label("operator.istio.io/managed").is_some()
        {
            InstalledBy::Istioctl
        } else if managed_by(&|manager| manager.starts_with("kubectl")) {
            InstalledBy::Kubectl
        } else {
            InstalledBy::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_tell_the_installer() {
        for (metadata, installer) in [
            (
                "labels: {app.kubernetes.io/managed-by: stolos}\nmanagedFields: [{manager: istio-operator}]",
                InstalledBy::Stolos,
            ),
            (
                "labels: {app.kubernetes.io/managed-by: Helm}\nmanagedFields: [{manager: istio-operator}]",
                InstalledBy::Istioctl,
            ),
            (
                "labels: {operator.istio.io/managed: Reconcile}",
                InstalledBy::Istioctl,
            ),
            (
                "annotations: {meta.helm.sh/release-name: istiod}",
                InstalledBy::Helm,
            ),
            (
                "annotations: {meta.helm.sh/release-name: istiod}\nlabels: {helm.toolkit.fluxcd.io/name: istio}",
                InstalledBy::Flux,
            ),
            (
                "annotations: {meta.helm.sh/release-name: x}\nownerReferences: [{apiVersion: sailoperator.io/v1, kind: IstioRevision}]",
                InstalledBy::Sail,
            ),
            (
                "managedFields: [{manager: argocd-controller}]",
                InstalledBy::Argocd,
            ),
            (
                "managedFields: [{manager: kubectl-client-side-apply}, {manager: kube-controller-manager}]",
                InstalledBy::Kubectl,
            ),
            // What every rendering of Istio's charts carries says nothing.
            (
                "labels: {app.kubernetes.io/managed-by: Helm, install.operator.istio.io/owning-resource: unknown}",
                InstalledBy::Unknown,
            ),
        ] {
            let metadata: serde_json::Value = crate::yaml::from_str(metadata).unwrap();
            let object = Object(serde_json::json!({ "metadata": metadata }));
            assert_eq!(InstalledBy::of(&object), installer, "{metadata}");
        }
    }
}
