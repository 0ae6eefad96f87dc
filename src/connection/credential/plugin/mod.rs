//! Credential plugins: programs that a kubeconfig's user names (`exec`) and that print a credential
//! (client-go `plugin/pkg/client/auth/exec/exec.go`, KEP-541).

mod group;
mod interruption;
mod lookup;
mod policy;
mod process;
mod protocol;
mod registry;
#[cfg(all(test, unix))]
mod tests;
mod words;

use serde_json::Value;

pub use interruption::interrupted;
pub use policy::{Policy, PolicyError};
pub use registry::{PluginOptions, Plugins};

use crate::host::sensitive::Sensitive;

/// A plugin as a kubeconfig describes it, checked. Two that are equal are given the same and so give
/// the same: they run once. It may hold secrets, so it is not `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Plugin {
    /// Which form is spoken with it.
    pub api_version: ApiVersion,
    /// The program: a path where it holds a separator (one that was relative starts at the
    /// kubeconfig's folder already), else a name that is looked up in `PATH`.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables that are set beside those of this process, which they override; the last one of a
    /// name wins.
    pub environment: Vec<(String, Sensitive)>,
    /// Whether it may ask somebody.
    pub interactive_mode: InteractiveMode,
    /// What the kubeconfig says on how to get the program; empty where it says nothing.
    pub install_hint: String,
    /// The cluster, where the plugin is to be told of it (`provideClusterInfo`); none otherwise, so
    /// that the same plugin serves many clusters with one run.
    pub cluster: Option<PluginCluster>,
}

/// The form of `ExecCredential`, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// `client.authentication.k8s.io/v1`
    V1,
    /// `client.authentication.k8s.io/v1beta1`
    V1Beta1,
}

impl ApiVersion {
    /// The version that a kubeconfig names; none where it is not known.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::V1, Self::V1Beta1]
            .into_iter()
            .find(|version| version.as_str() == text)
    }

    /// As it stands in `apiVersion`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

/// Whether a plugin may ask somebody on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InteractiveMode {
    /// It asks nobody. Its standard input is empty.
    Never,
    /// It asks where somebody can answer.
    IfAvailable,
    /// It fails where nobody can answer.
    Always,
}

impl InteractiveMode {
    /// The mode that a kubeconfig names. None is `IfAvailable` in `v1beta1` and an error in `v1`
    /// (client-go `tools/clientcmd/api/v1/defaults.go`).
    pub fn parse(text: &str, version: ApiVersion) -> Option<Self> {
        match (text, version) {
            ("Never", _) => Some(Self::Never),
            ("IfAvailable", _) | ("", ApiVersion::V1Beta1) => Some(Self::IfAvailable),
            ("Always", _) => Some(Self::Always),
            _ => None,
        }
    }
}

/// What a plugin is told of the cluster (client-go `rest.ConfigToExecCluster`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PluginCluster {
    /// The server as the kubeconfig writes it; where it has a path, without query and fragment, as
    /// client-go does (`clientcmd.DirectClientConfig.ClientConfig`).
    pub server: String,
    /// `tls-server-name`; empty where there is none.
    pub tls_server_name: String,
    /// `insecure-skip-tls-verify`
    pub insecure_skip_tls_verify: bool,
    /// The authority's bytes exactly as they stand in the kubeconfig or in the file that it names:
    /// nothing is left out of them. Empty where there is none.
    pub certificate_authority_data: Vec<u8>,
    /// The kubeconfig's `proxy-url`, not the environment's; empty where there is none.
    pub proxy_url: String,
    /// `disable-compression`
    pub disable_compression: bool,
    /// The cluster's extension named [`PLUGIN_EXTENSION`]; `Null` where there is none.
    pub config: Value,
}

/// The name of the cluster's extension that is passed on (client-go `clientcmd`).
pub const PLUGIN_EXTENSION: &str = "client.authentication.k8s.io/exec";
