//! The credentials that remote secrets hold: each is taken from its cluster once for all who get it,
//! tried once at the API server that it is for, and written for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::sync::OnceCell;

use super::step::{StepFailure, Tools, failed, write_options};
use crate::cluster::{Stored, Way};
use crate::fleet::ClusterName;
use crate::host::sensitive::Sensitive;
use crate::inventory::{FailureClass, Object, ObjectReference, kind};
use crate::link::secret;
use crate::plan::{Action, Content, RemoteSecretContent, Step, Trial};
use crate::yaml;

/// What is had once in a run.
#[derive(Default)]
pub(super) struct Credentials {
    shared: Mutex<HashMap<Key, Arc<Shared>>>,
    /// Token Secrets that a wait saw being filled: they need not be read again.
    filled: Mutex<HashMap<(ClusterName, ObjectReference), Object>>,
}

/// What a remote secret's content is made from: the read cluster, the token Secret there, and the
/// address, server name and authority that go with it.
type Key = [String; 7];

/// What is had once for all who get a credential; failed once for them too, or each would wait for a
/// silent cluster in its turn.
#[derive(Default)]
struct Shared {
    kubeconfig: OnceCell<Result<Kubeconfig, StepFailure>>,
    trial: OnceCell<Result<(), StepFailure>>,
    way: OnceCell<Way>,
}

/// A kubeconfig as it will be stored, and what it is tried with.
struct Kubeconfig {
    /// As base64.
    encoded: Sensitive,
    token: Sensitive,
    /// PEM.
    authority: String,
}

impl Credentials {
    fn shared(&self, content: &RemoteSecretContent) -> Arc<Shared> {
        let key = [
            content.to.to_string(),
            content.token_namespace.clone(),
            content.token_secret.clone(),
            content.server.clone(),
            content.tls_server_name.clone(),
            content.authority.clone(),
            content.leads().to_string(),
        ];
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shared.entry(key).or_default())
    }

    fn filled(&self) -> MutexGuard<'_, HashMap<(ClusterName, ObjectReference), Object>> {
        self.filled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a token Secret that has just been filled.
    pub(super) fn saw(&self, cluster: &ClusterName, reference: &ObjectReference, filled: Object) {
        self.filled().insert((cluster.clone(), reference.clone()), filled);
    }

    /// Begins to connect to where credentials will be tried, while the steps before are done: the
    /// trial is then one round trip.
    pub(super) fn prepare(&self, steps: &[Step], tools: &Tools<'_>) {
        for step in steps {
            let Content::RemoteSecret(content) = &step.content else {
                continue;
            };
            let shared = self.shared(content);
            // Where the authority comes with the token, there is nothing to trust yet.
            if shared.way.initialized() || (content.trial == Trial::AsStored && content.authority.is_empty())
            {
                continue;
            }
            let way = tools
                .client(&content.to)
                .ok()
                .and_then(|client| Way::of(client, stored(content, &content.authority), content.trial).ok());
            if let Some(way) = way
                && shared.way.set(way.clone()).is_ok()
            {
                tokio::spawn(async move { way.prepare().await });
            }
        }
    }

    /// Gives a cluster the credential by which it reads another, tried once. Where it has had none
    /// both are done at once: nothing works there yet that a bad one could break.
    pub(super) async fn give(
        &self,
        step: &Step,
        content: &RemoteSecretContent,
        tools: &Tools<'_>,
    ) -> Result<(), StepFailure> {
        let client = tools.client(&step.cluster)?;
        let shared = self.shared(content);
        let kubeconfig = shared
            .kubeconfig
            .get_or_init(|| self.kubeconfig(content, tools))
            .await;
        let kubeconfig = kubeconfig.as_ref().map_err(Clone::clone)?;
        let trial = shared
            .trial
            .get_or_init(|| tried(&shared, kubeconfig, content, tools));
        let mut object: Object = content.secret.clone();
        object.0["data"] = json!({ &content.key: kubeconfig.encoded.expose() });
        let write = client.apply(&object, write_options(step));
        if step.action == Action::Create {
            let (written, trial) = tokio::join!(write, trial);
            written?;
            trial.clone()
        } else {
            trial.await.clone()?;
            write.await?;
            Ok(())
        }
    }

    async fn kubeconfig(
        &self,
        content: &RemoteSecretContent,
        tools: &Tools<'_>,
    ) -> Result<Kubeconfig, StepFailure> {
        let reference = kind::SECRET.reference(&content.token_namespace, &content.token_secret);
        let filled = self
            .filled()
            .get(&(content.to.clone(), reference.clone()))
            .cloned();
        let token_secret = match filled {
            Some(filled) => filled,
            // What the other cluster fails in says nothing of the step's own.
            None => tools
                .client(&content.to)?
                .get_object(&reference)
                .await
                .map_err(|failure| failed(failure.class, format!("{}: {failure}", content.to)))?
                .ok_or_else(|| {
                    failed(
                        FailureClass::NotFound,
                        format!("{reference} of {} is gone", content.to),
                    )
                })?,
        };
        let held = |key: &str| {
            STANDARD
                .decode(token_secret.text(&["data", key]))
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .filter(|text| !text.is_empty())
                .ok_or_else(|| {
                    failed(
                        FailureClass::NotFound,
                        format!("{reference} of {} holds no {key}", content.to),
                    )
                })
        };
        let token = Sensitive::new(held("token")?);
        let authority = match content.authority.as_str() {
            "" => held("ca.crt")?,
            given => given.to_owned(),
        };
        let text = yaml::to_string(&secret::kubeconfig(
            content,
            &STANDARD.encode(&authority),
            token.expose(),
        ))
        .map_err(|error| failed(FailureClass::Configuration, error.message))?;
        Ok(Kubeconfig {
            encoded: Sensitive::new(STANDARD.encode(text)),
            token,
            authority,
        })
    }
}

fn stored<'content>(content: &'content RemoteSecretContent, authority: &'content str) -> Stored<'content> {
    Stored {
        server: &content.server,
        authority,
        tls_server_name: &content.tls_server_name,
    }
}

async fn tried(
    shared: &Shared,
    kubeconfig: &Kubeconfig,
    content: &RemoteSecretContent,
    tools: &Tools<'_>,
) -> Result<(), StepFailure> {
    let of_trial = |failure: crate::inventory::Failure| {
        let address = match content.trial {
            Trial::AsStored => content.server.as_str(),
            Trial::OverOwnConnection => "its API server",
        };
        failed(
            failure.class,
            format!(
                "the token for {} was tried at {address}: {}",
                content.to, failure.message
            ),
        )
    };
    let way = shared
        .way
        .get_or_try_init(|| async {
            let client = tools.client(&content.to)?;
            Way::of(client, stored(content, &kubeconfig.authority), content.trial).map_err(of_trial)
        })
        .await?;
    let user = way.try_token(&kubeconfig.token).await.map_err(of_trial)?;
    let expected = format!(
        "system:serviceaccount:{}:{}",
        content.token_namespace, content.account
    );
    if user.is_empty() || user == expected {
        return Ok(());
    }
    Err(failed(
        FailureClass::Identity,
        format!("the token for {} is {user}'s, not {expected}'s", content.to),
    ))
}
