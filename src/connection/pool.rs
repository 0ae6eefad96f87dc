//! The channels of this process: whoever goes to the same endpoint with the same certificate goes
//! the same way (as client-go's `transport/cache.go` has it). Tokens go with each request, so that
//! contexts that differ in them alone share a connection and never a credential.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::channel::Channel;
use super::deadlines::Deadlines;
use super::dial::Dialer;
use super::endpoint::{ClientCertificate, Endpoint};
use super::permit::{self, Permit};
use crate::inventory::Failure;

/// The channels of this process. Clones share them.
#[derive(Clone)]
pub struct Connections {
    deadlines: Deadlines,
    room: Arc<Room>,
}

/// Every channel that somebody has, so that those that nobody uses make room for others.
#[derive(Default)]
pub(super) struct Room {
    channels: Mutex<Channels>,
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Channels {
    by_key: HashMap<Key, Weak<Channel>>,
    /// How many there may be until those that nobody has any more are swept out.
    sweep_at: usize,
}

#[derive(PartialEq, Eq)]
struct Key {
    endpoint: Endpoint,
    certificate: Option<Arc<ClientCertificate>>,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.endpoint.hash(state);
        // The chain is enough to tell keys apart; equality looks at the private key as well.
        if let Some(certificate) = &self.certificate {
            certificate.chain.hash(state);
        }
    }
}

impl Connections {
    /// No channel yet. The deadlines are those of connections: requests bring their own.
    pub fn new(deadlines: Deadlines) -> Self {
        Self {
            deadlines,
            room: Arc::default(),
        }
    }

    /// The channel to an endpoint as a client: nothing is dialled.
    ///
    /// # Errors
    ///
    /// Class `Configuration`, where the certificates or the key cannot be used.
    pub fn channel(
        &self,
        endpoint: &Endpoint,
        certificate: Option<&Arc<ClientCertificate>>,
    ) -> Result<Arc<Channel>, Failure> {
        let key = Key {
            endpoint: endpoint.clone(),
            certificate: certificate.cloned(),
        };
        let mut channels = self.room.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if channels.by_key.len() >= channels.sweep_at {
            channels.by_key.retain(|_, channel| channel.strong_count() > 0);
            channels.sweep_at = (channels.by_key.len() * 2).max(64);
        }
        let entry = channels.by_key.entry(key);
        if let Entry::Occupied(occupied) = &entry
            && let Some(channel) = occupied.get().upgrade()
        {
            return Ok(channel);
        }
        let dialer = Dialer::new(endpoint, certificate.map(|certificate| &**certificate))?;
        let channel = Arc::new(Channel::new(
            endpoint,
            dialer,
            self.deadlines,
            Arc::clone(&self.room),
        ));
        entry.insert_entry(Arc::downgrade(&channel));
        Ok(channel)
    }

    /// How many channels somebody has.
    pub fn len(&self) -> usize {
        self.room.living().len()
    }

    /// Whether nobody has any.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Room {
    /// The right to one more connection. Where the process may have no more, those of channels that
    /// nobody uses now are closed; it waits for as long as all are used.
    pub(super) async fn permit(&self) -> Permit {
        if let Some(permit) = permit::try_acquire() {
            return permit;
        }
        let _waiting = Waiting::new(&self.waiting);
        // One is enough for one who waits; channels that fall idle from now on see that it is wanted.
        self.living().iter().any(|channel| channel.close_if_idle());
        permit::acquire().await
    }

    /// Whether somebody waits for a connection to be closed.
    pub(super) fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    fn living(&self) -> Vec<Arc<Channel>> {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.by_key.values().filter_map(Weak::upgrade).collect()
    }
}

struct Waiting<'count>(&'count AtomicUsize);

impl<'count> Waiting<'count> {
    fn new(count: &'count AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
