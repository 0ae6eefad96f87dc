//! What a cluster does by itself after a write: tokens are made and accepted, marked when they are
//! used, and revoked; definitions are established; what is deleted goes.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::answer::now;
use crate::cluster::{Cluster, State, seed};
use crate::people::{Holder, User, account_token};
use crate::resource::{ALL, Resource};
use crate::store::{Place, mixed, place};

/// The type of a Secret that the token controller fills.
const TOKEN_TYPE: &str = "kubernetes.io/service-account-token";

/// The label of a token's Secret that says on which day it was used last.
const LAST_USED: &str = "kubernetes.io/legacy-token-last-used";

impl State {
    /// Takes an object away, and with a token Secret its token.
    pub(crate) fn remove(&mut self, place: &Place) -> Option<Value> {
        let gone = self.store.remove(place)?;
        if gone["type"] == TOKEN_TYPE
            && let Some(token) = token_of(&gone)
        {
            self.tokens.revoke(&token);
        }
        Some(gone)
    }

    /// Takes an object away, and of a namespace what is in it.
    pub(crate) fn remove_with_contents(&mut self, place: &Place) {
        if ALL[place.0].kind == "Namespace" {
            for inside in self.store.places_in(&place.2) {
                self.remove(&inside);
            }
        }
        self.remove(place);
    }

    /// Accepts the tokens of the token Secrets that stand from the beginning.
    pub(crate) fn accept_standing_tokens(&mut self) {
        let Some(secrets) = Resource::number_of("v1", "Secret") else {
            return;
        };
        for secret in self.store.values(secrets, "") {
            if secret["type"] == TOKEN_TYPE {
                self.accept_token(&secret);
            }
        }
    }

    fn accept_token(&mut self, secret: &Value) {
        let annotation = |name: &str| {
            secret["metadata"]["annotations"][name]
                .as_str()
                .unwrap_or_default()
        };
        let account = annotation("kubernetes.io/service-account.name");
        let uid = annotation("kubernetes.io/service-account.uid");
        let namespace = secret["metadata"]["namespace"].as_str().unwrap_or_default();
        let name = secret["metadata"]["name"].as_str().unwrap_or_default();
        if let (Some(token), Some(secrets)) = (token_of(secret), Resource::number_of("v1", "Secret")) {
            let place = place(secrets, namespace, name);
            self.tokens
                .accept(token, User::account(namespace, account, uid), Some(place));
        }
    }

    /// Whose a bearer token is that is used now: a service account's Secret is marked (KEP-2799).
    pub(crate) fn user(&mut self, token: &str) -> Option<User> {
        let holder = self.recognised(token)?.clone();
        if let Some(secret) = &holder.secret {
            self.mark_as_used(secret);
        }
        Some(holder.user)
    }

    /// Whose a bearer token is. A service account's counts while the account stands.
    pub(crate) fn recognised(&self, token: &str) -> Option<&Holder> {
        let holder = self.tokens.holder(token)?;
        if holder.secret.is_none() {
            return Some(holder);
        }
        let account = holder.user.name.strip_prefix("system:serviceaccount:")?;
        let (namespace, name) = account.split_once(':')?;
        let accounts = Resource::number_of("v1", "ServiceAccount")?;
        let stands = self.store.value(&place(accounts, namespace, name))?;
        (stands["metadata"]["uid"] == holder.user.uid.as_str()).then_some(holder)
    }

    fn mark_as_used(&mut self, place: &Place) {
        if self
            .store
            .item(place)
            .is_none_or(|item| item.has_label(LAST_USED))
        {
            return;
        }
        let Some(mut secret) = self.store.value(place) else {
            return;
        };
        let now = now();
        secret["metadata"]["labels"][LAST_USED] = now.split('T').next().into();
        let record = json!({
            "manager": "kube-apiserver", "operation": "Update", "apiVersion": "v1", "time": now,
            "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {format!("f:{LAST_USED}"): {}}}},
        });
        add_record(&mut secret, record);
        self.store.put(place.clone(), &mut secret);
    }

    /// The service account that a token Secret is of, and its UID, where it stands.
    fn account_of(&self, secret: &Value) -> Option<(String, String)> {
        if secret["type"] != TOKEN_TYPE {
            return None;
        }
        let account = secret["metadata"]["annotations"]["kubernetes.io/service-account.name"].as_str()?;
        let namespace = secret["metadata"]["namespace"].as_str()?;
        let accounts = Resource::number_of("v1", "ServiceAccount")?;
        let stands = self.store.value(&place(accounts, namespace, account))?;
        Some((account.to_owned(), stands["metadata"]["uid"].as_str()?.to_owned()))
    }
}

fn fields_of_a_condition() -> Value {
    json!({
        ".": {}, "f:lastTransitionTime": {}, "f:message": {}, "f:reason": {}, "f:status": {}, "f:type": {},
    })
}

/// Adds a manager's record to an object's.
fn add_record(object: &mut Value, record: Value) {
    match object["metadata"]["managedFields"].as_array_mut() {
        Some(records) => records.push(record),
        None => object["metadata"]["managedFields"] = json!([record]),
    }
}

fn token_of(secret: &Value) -> Option<String> {
    let bytes = STANDARD.decode(secret["data"]["token"].as_str()?).ok()?;
    String::from_utf8(bytes).ok()
}

impl Cluster {
    /// What the cluster's controllers do after a write.
    pub(crate) fn after_write(self: &Arc<Self>, place: &Place, object: &Value) {
        let control = match object["kind"].as_str() {
            Some("Secret") if object["type"] == TOKEN_TYPE && token_of(object).is_some() => {
                self.state().accept_token(object);
                return;
            }
            Some("Secret") if object["type"] == TOKEN_TYPE => Self::control_token,
            Some("CustomResourceDefinition") if object["status"].is_null() => Self::establish,
            _ => return,
        };
        let (cluster, place) = (Arc::downgrade(self), place.clone());
        let delay = self.pace.controller_delay;
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(cluster) = cluster.upgrade() {
                control(&cluster, &place);
            }
        });
    }

    /// What the server does with a new definition (Kubernetes: `naming_controller.go` and
    /// `establishing_controller.go`).
    fn establish(&self, place: &Place) {
        let mut state = self.state();
        let Some(mut definition) = state.store.value(place) else {
            return;
        };
        let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
        let stored = versions.filter(|version| version["storage"] == true);
        let stored: Vec<Value> = stored.map(|version| version["name"].clone()).collect();
        let condition = |kind: &str, reason: &str, message: &str| {
            json!({
                "type": kind, "status": "True", "reason": reason, "message": message,
                "lastTransitionTime": now(),
            })
        };
        let names = definition["spec"]["names"].as_object().into_iter().flatten();
        let names: Map<String, Value> = names.map(|(name, _)| (format!("f:{name}"), json!({}))).collect();
        definition["status"] = json!({
            "acceptedNames": definition["spec"]["names"], "storedVersions": stored,
            "conditions": [
                condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
            ],
        });
        let record = json!({
            "manager": "kube-apiserver", "operation": "Update", "apiVersion": "apiextensions.k8s.io/v1",
            "subresource": "status", "time": now(), "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {
                "f:acceptedNames": names,
                "f:conditions": {
                    "k:{\"type\":\"Established\"}": fields_of_a_condition(),
                    "k:{\"type\":\"NamesAccepted\"}": fields_of_a_condition(),
                },
            }},
        });
        add_record(&mut definition, record);
        state.store.put(place.clone(), &mut definition);
    }

    /// What the token controller does with a token Secret: it fills it, or deletes it where its
    /// service account does not stand (Kubernetes: `tokens_controller.go`).
    fn control_token(&self, place: &Place) {
        let mut state = self.state();
        let Some(mut secret) = state.store.value(place) else {
            return;
        };
        let Some((account, uid)) = state.account_of(&secret) else {
            state.remove(place);
            return;
        };
        let (namespace, name) = (&*place.1, &*place.2);
        let token_seed = mixed(seed(self.number) ^ state.store.version());
        let token = account_token(token_seed, namespace, &account, &uid, name);
        secret["data"]["token"] = STANDARD.encode(&token).into();
        secret["data"]["ca.crt"] = STANDARD.encode(self.authority_pem.as_bytes()).into();
        secret["data"]["namespace"] = STANDARD.encode(namespace).into();
        secret["metadata"]["annotations"]["kubernetes.io/service-account.uid"] = uid.into();
        let record = json!({
            "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": now(),
            "fieldsType": "FieldsV1", "fieldsV1": {
                "f:data": {".": {}, "f:ca.crt": {}, "f:namespace": {}, "f:token": {}},
                "f:metadata": {"f:annotations": {"f:kubernetes.io/service-account.uid": {}}},
            },
        });
        add_record(&mut secret, record);
        state.store.put(place.clone(), &mut secret);
        state.accept_token(&secret);
    }
}
