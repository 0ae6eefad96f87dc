//! One simulated cluster: what it holds, whom it knows, what is wrong with it, and its records.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::audit::{Audit, Counters, Counts};
use crate::fault::{Fault, Plan};
use crate::item::Words;
use crate::people::{Tokens, User, administrator_token};
use crate::resource::Resource;
use crate::store::{Layer, Store, mixed, place};

/// Times that a cluster keeps.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// After which the cluster's controllers have done what they are to do: a token Secret is filled,
    /// what hangs on a deleted object is gone.
    pub controller_delay: Duration,
    /// After which an istiod has read a remote cluster whose Secret it found.
    pub sync_delay: Duration,
}

/// What the clusters of a fleet know of one another: how an istiod finds its peers' gateways.
#[derive(Default)]
pub struct Neighbours(Mutex<HashMap<String, Weak<Cluster>>>);

impl Neighbours {
    /// Makes a cluster known by its name.
    pub fn add(&self, cluster: &Arc<Cluster>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(cluster.name.clone(), Arc::downgrade(cluster));
    }

    /// The cluster with a name.
    pub fn named(&self, name: &str) -> Option<Arc<Cluster>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name)?.upgrade()
    }
}

/// One simulated cluster.
pub struct Cluster {
    /// Its number in the fleet, from 1.
    pub number: usize,
    /// Its name, which is its context's and Istio's cluster ID.
    pub name: String,
    /// The UID of its `kube-system` namespace.
    pub uid: String,
    /// Where its API server listens.
    pub address: SocketAddr,
    /// The bearer token of its administrator.
    pub administrator_token: String,
    pub(crate) words: Arc<Words>,
    pub(crate) authority_pem: Arc<str>,
    pub(crate) counters: Counters,
    pub(crate) audit: Arc<Audit>,
    pub(crate) pace: Pace,
    pub(crate) neighbours: Arc<Neighbours>,
    pub(crate) plan: watch::Sender<Arc<Plan>>,
    state: Mutex<State>,
}

/// What changes in a cluster.
pub struct State {
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
}

/// What a cluster is made of.
pub struct Making {
    /// Its number in the fleet, from 1.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// The UID of its `kube-system` namespace.
    pub uid: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// What fills the places of shared texts.
    pub words: Words,
    /// Its objects.
    pub layer: Arc<Layer>,
    /// The authority that signed its certificate, PEM.
    pub authority_pem: Arc<str>,
    /// The fleet's record.
    pub audit: Arc<Audit>,
    /// Its times.
    pub pace: Pace,
    /// The fleet.
    pub neighbours: Arc<Neighbours>,
}

/// The number that a cluster's UIDs and tokens are made of.
pub fn seed(number: usize) -> u64 {
    mixed(number as u64)
}

impl Cluster {
    /// A cluster, which does not listen yet.
    pub fn new(making: Making) -> Arc<Self> {
        let words = Arc::new(making.words);
        let seed = seed(making.number);
        let mut tokens = Tokens::default();
        let administrator_token = administrator_token(seed);
        tokens.accept(administrator_token.clone(), User::administrator(), None);
        let store = Store::new(making.layer, Arc::clone(&words), seed);
        let cluster = Arc::new(Self {
            number: making.number,
            name: making.name,
            uid: making.uid,
            address: making.address,
            administrator_token,
            words,
            authority_pem: making.authority_pem,
            counters: Counters::default(),
            audit: making.audit,
            pace: making.pace,
            neighbours: Arc::clone(&making.neighbours),
            plan: watch::Sender::new(Arc::new(Plan::default())),
            state: Mutex::new(State { store, tokens }),
        });
        cluster.state().accept_standing_tokens();
        making.neighbours.add(&cluster);
        cluster
    }

    /// What it holds, for as long as the guard lives.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is wrong from now on, always.
    pub fn set_fault(&self, fault: Fault) {
        self.set_plan(Plan::always(fault));
    }

    /// Something is wrong from now on, as often as the plan says.
    pub fn set_plan(&self, plan: Plan) {
        self.plan.send_replace(Arc::new(plan));
    }

    /// Nothing is wrong any more.
    pub fn heal(&self) {
        self.set_plan(Plan::default());
    }

    /// Its numbers.
    pub fn counts(&self) -> Counts {
        self.counters.now()
    }

    /// An object as data; `None` where it does not stand.
    pub fn object(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let number = Resource::number_of(api_version, kind)?;
        self.state().store.value(&place(number, namespace, name))
    }

    /// Puts an object there as it is, without asking anybody: not a write that is counted. One whose
    /// kind is not served is left out.
    pub fn put(self: &Arc<Self>, mut object: Value) {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let Some(number) = Resource::number_of(&text("/apiVersion"), &text("/kind")) else {
            return;
        };
        let place = place(number, &text("/metadata/namespace"), &text("/metadata/name"));
        let mut state = self.state();
        if text("/metadata/uid").is_empty() {
            object["metadata"]["uid"] = state.store.new_uid().into();
        }
        state.store.put(place.clone(), &mut object);
        drop(state);
        self.after_write(&place, &object);
    }

    /// Takes an object away, without asking anybody.
    pub fn take(&self, api_version: &str, kind: &str, namespace: &str, name: &str) {
        if let Some(number) = Resource::number_of(api_version, kind) {
            self.state().remove(&place(number, namespace, name));
        }
    }

    pub(crate) fn count_write(&self) {
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
    }
}
