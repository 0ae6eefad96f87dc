//! Does one step. What it is was decided by the planner; here it is only carried out.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::Confirmed;
use crate::cluster::{self, Client, WaitError, WriteOptions};
use crate::fleet::{ClusterName, FleetName};
use crate::host::keys::{RootKey, RootStore};
use crate::host::sensitive::Sensitive;
use crate::inventory::{Failure, Object, ObjectReference};
use crate::link::secret;
use crate::plan::{Action, Content, IntermediateProfile, RemoteSecretContent, Step};
use crate::yaml;

/// The field manager of single fields in objects that are somebody else's as a whole.
const FIELDS_MANAGER: &str = "stolos-fields";

/// Why a step was not done.
pub struct StepFailure {
    /// Why.
    pub message: String,
    /// Whether time ran out.
    pub timed_out: bool,
}

impl From<Failure> for StepFailure {
    fn from(failure: Failure) -> Self {
        Self {
            message: failure.to_string(),
            timed_out: false,
        }
    }
}

fn failed(message: impl Into<String>) -> StepFailure {
    StepFailure {
        message: message.into(),
        timed_out: false,
    }
}

/// What steps are done with.
pub struct Tools<'run> {
    fleet: &'run FleetName,
    clients: &'run BTreeMap<ClusterName, Client>,
    root_store: &'run RootStore,
    root: OnceCell<RootKey>,
    passphrase: Option<Sensitive>,
    made_root: OnceCell<String>,
    deadline: Instant,
}

impl<'run> Tools<'run> {
    /// Tools for a plan that was consented to.
    pub fn new(
        _confirmed: &'run Confirmed,
        fleet: &'run FleetName,
        clients: &'run BTreeMap<ClusterName, Client>,
        root_store: &'run RootStore,
    ) -> Self {
        Self {
            fleet,
            clients,
            root_store,
            root: OnceCell::new(),
            passphrase: None,
            made_root: OnceCell::new(),
            deadline: Instant::now(),
        }
    }

    /// With a root that stands, and the passphrase for one that does not yet.
    pub fn with_root(mut self, root: Option<RootKey>, passphrase: Option<Sensitive>) -> Self {
        self.root = root.map_or_else(OnceCell::new, OnceCell::from);
        self.passphrase = passphrase;
        self
    }

    /// With a deadline for what is waited for.
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = deadline;
        self
    }

    /// The fingerprint of the root that was made, if one was.
    pub fn made_root(&self) -> Option<String> {
        self.made_root.get().cloned()
    }

    fn client(&self, cluster: &ClusterName) -> Result<&Client, StepFailure> {
        self.clients
            .get(cluster)
            .ok_or_else(|| failed(format!("there is no connection to {cluster}")))
    }
}

/// Does one step.
pub async fn run(step: &Step, tools: &Tools<'_>) -> Result<(), StepFailure> {
    match &step.content {
        Content::Apply(object) => {
            let client = tools.client(&step.cluster)?;
            client.apply(object, WriteOptions::default()).await?;
            Ok(())
        }
        Content::Label(object) => {
            let options = WriteOptions {
                manager: FIELDS_MANAGER,
                force: false,
                dry_run: false,
            };
            tools.client(&step.cluster)?.apply(object, options).await?;
            Ok(())
        }
        Content::Delete { uid } => {
            tools.client(&step.cluster)?.delete(&step.object, uid).await?;
            Ok(())
        }
        Content::MakeRoot => make_root(tools).await,
        Content::IssueIntermediate(profile) => issue(step.action, profile, tools).await,
        Content::RemoteSecret(content) => remote_secret(step, content, tools).await,
        Content::Await(gate) => {
            let client = tools.client(&step.cluster)?;
            cluster::wait(client, gate, &step.object, tools.deadline)
                .await
                .map_err(|error| StepFailure {
                    timed_out: matches!(error, WaitError::TimedOut { .. }),
                    message: format!("wait for {}: {error}", step.object),
                })
        }
    }
}

async fn make_root(tools: &Tools<'_>) -> Result<(), StepFailure> {
    let (store, fleet, passphrase) = (
        tools.root_store.clone(),
        tools.fleet.clone(),
        tools.passphrase.clone(),
    );
    // Stretching a passphrase takes a good part of a second of computing.
    let root = tokio::task::spawn_blocking(move || store.make(&fleet, passphrase.as_ref(), Timestamp::now()))
        .await
        .map_err(|_| failed("make the root: the work was broken off"))?
        .map_err(|error| failed(error.to_string()))?;
    let _ = tools.made_root.set(root.certificate().sha256.clone());
    let _ = tools.root.set(root);
    Ok(())
}

async fn issue(action: Action, profile: &IntermediateProfile, tools: &Tools<'_>) -> Result<(), StepFailure> {
    let client = tools.client(&profile.cluster)?;
    let root = tools
        .root
        .get()
        .ok_or_else(|| failed("sign an intermediate: the root was not unlocked"))?;
    let certificates = root
        .sign_intermediate(profile, Timestamp::now())
        .map_err(|error| failed(error.to_string()))?;
    let mut secret = profile.secret.clone();
    let encoded = |text: &str| STANDARD.encode(text);
    secret.0["data"] = json!({
        "ca-cert.pem": encoded(&certificates.certificate),
        "ca-key.pem": encoded(certificates.key.expose()),
        "cert-chain.pem": encoded(&certificates.chain),
        "root-cert.pem": encoded(&certificates.root),
    });
    if action == Action::Create {
        // Where another machine was quicker, its intermediate stays: there must be no second root.
        client.create_object(&secret).await?;
    } else {
        client.apply(&secret, WriteOptions::default()).await?;
    }
    Ok(())
}

async fn remote_secret(
    step: &Step,
    content: &RemoteSecretContent,
    tools: &Tools<'_>,
) -> Result<(), StepFailure> {
    let client = tools.client(&step.cluster)?;
    let read = tools.client(&content.to)?;
    let reference = ObjectReference::new("v1", "Secret", &content.token_namespace, &content.token_secret);
    let token_secret = read
        .get_object(&reference)
        .await?
        .ok_or_else(|| failed(format!("{reference} of {} is gone", content.to)))?;
    let held = |key: &str| {
        let encoded = token_secret.text(&["data", key]);
        if encoded.is_empty() {
            Err(failed(format!("{reference} of {} holds no {key}", content.to)))
        } else {
            Ok(Sensitive::new(encoded))
        }
    };
    let token = STANDARD
        .decode(held("token")?.expose())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Sensitive::new)
        .ok_or_else(|| failed(format!("{reference} of {} holds no token", content.to)))?;
    let authority = if content.authority.is_empty() {
        held("ca.crt")?.expose().to_owned()
    } else {
        STANDARD.encode(&content.authority)
    };
    let kubeconfig = yaml::to_string(&secret::kubeconfig(content, &authority, token.expose()))
        .map_err(|error| failed(error.message))?;
    let mut object: Object = content.secret.clone();
    object.0["data"] = json!({ &content.cluster_id: STANDARD.encode(kubeconfig) });
    client.apply(&object, WriteOptions::default()).await?;
    Ok(())
}
