//! Who asks: client certificates and bearer tokens, among them the tokens of service accounts.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::store::{Place, mixed, uid};

/// Somebody who was recognised.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// The name.
    pub name: String,
    /// The groups, without those that everybody recognised is in.
    pub groups: Vec<String>,
    /// The UID of a service account; empty for people.
    pub uid: String,
    /// How the credential is called in the server's records, where it is.
    pub credential: String,
}

impl User {
    /// The administrator of all simulated clusters.
    pub fn administrator() -> Self {
        Self {
            name: "simulator-administrator".to_owned(),
            groups: vec!["system:masters".to_owned()],
            uid: String::new(),
            credential: String::new(),
        }
    }

    /// Whoever brings no credential.
    pub fn anonymous() -> Self {
        Self {
            name: "system:anonymous".to_owned(),
            groups: vec!["system:unauthenticated".to_owned()],
            ..Self::default()
        }
    }

    /// Whether it is nobody who was recognised.
    pub fn is_anonymous(&self) -> bool {
        self.name == "system:anonymous"
    }

    /// A service account.
    pub fn account(namespace: &str, name: &str, uid: &str) -> Self {
        Self {
            name: format!("system:serviceaccount:{namespace}:{name}"),
            groups: vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
            ],
            uid: uid.to_owned(),
            credential: String::new(),
        }
    }

    /// As reviews show it.
    pub fn shown(&self) -> Value {
        let mut groups = self.groups.clone();
        groups.push("system:authenticated".to_owned());
        let mut shown = json!({"username": self.name, "groups": groups});
        if !self.uid.is_empty() {
            shown["uid"] = self.uid.as_str().into();
        }
        if !self.credential.is_empty() {
            shown["extra"] = json!({"authentication.kubernetes.io/credential-id": [self.credential]});
        }
        shown
    }
}

/// Somebody whom a bearer token names.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Who it is.
    pub user: User,
    /// The Secret that holds a service account's token.
    pub secret: Option<Place>,
}

/// The bearer tokens that a cluster accepts.
#[derive(Debug, Default)]
pub struct Tokens(HashMap<String, Holder>);

impl Tokens {
    /// Accepts a token.
    pub fn accept(&mut self, token: String, user: User, secret: Option<Place>) {
        self.0.insert(token, Holder { user, secret });
    }

    /// No longer accepts it.
    pub fn revoke(&mut self, token: &str) {
        self.0.remove(token);
    }

    /// Whose it is.
    pub fn holder(&self, token: &str) -> Option<&Holder> {
        self.0.get(token)
    }
}

/// A service account's token as the token controller makes it: a JWT (RFC 7519) of the usual
/// claims and size. Its signature is no signature: a token is known by being the one that was made.
pub fn account_token(seed: u64, namespace: &str, account: &str, account_uid: &str, secret: &str) -> String {
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "RS256", "kid": URL_SAFE_NO_PAD.encode(mixed(seed).to_le_bytes().repeat(4))});
    let claims = json!({
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": namespace,
        "kubernetes.io/serviceaccount/secret.name": secret,
        "kubernetes.io/serviceaccount/service-account.name": account,
        "kubernetes.io/serviceaccount/service-account.uid": account_uid,
        "sub": format!("system:serviceaccount:{namespace}:{account}"),
    });
    let signature: Vec<u8> = (0..32)
        .flat_map(|part| mixed(seed.wrapping_add(part)).to_le_bytes())
        .collect();
    format!(
        "{}.{}.{}",
        encoded(&header),
        encoded(&claims),
        URL_SAFE_NO_PAD.encode(signature)
    )
}

/// The administrator's bearer token of a cluster.
pub fn administrator_token(seed: u64) -> String {
    format!("simulated-{}", uid(seed, u64::MAX))
}
