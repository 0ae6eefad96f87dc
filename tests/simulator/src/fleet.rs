//! A fleet of simulated clusters on one runtime of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;

use crate::audit::{Audit, Counts, Detail};
use crate::certificates::{Authority, ClientCertificate, MeshRoot};
use crate::cluster::{Cluster, Making, Neighbours, Pace, seed};
use crate::content::{self, Content};
use crate::link::Length;
use crate::server::{Behind, Serving, serve};
use crate::store::uid;

/// Why a fleet cannot be had.
#[derive(Debug, Error)]
#[error("{doing}: {why}")]
pub struct SimulatorError {
    /// What was being done.
    pub doing: String,
    /// Why it failed.
    pub why: String,
}

/// What becomes of an error while something is being done.
pub(crate) fn failed<E: std::fmt::Display>(doing: &str) -> impl FnOnce(E) -> SimulatorError {
    let doing = doing.to_owned();
    move |error| SimulatorError {
        doing,
        why: error.to_string(),
    }
}

/// With what the kubeconfig's users are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Credential {
    /// A bearer token for each cluster.
    #[default]
    Token,
    /// One client certificate for all of them.
    Certificate,
}

/// What a fleet is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many clusters.
    pub clusters: usize,
    /// Their names; `sim-0001` and so on where there are none.
    pub names: Vec<String>,
    /// How long and wide the links to them are.
    pub length: Length,
    /// With what users are recognised.
    pub credential: Credential,
    /// What each cluster holds.
    pub content: Content,
    /// How much is written down.
    pub detail: Detail,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// After which controllers have done what they are to do, such as filling a token Secret.
    pub controller_delay: Duration,
    /// After which an istiod has read a remote cluster whose Secret it found.
    pub sync_delay: Duration,
    /// Where the clusters listen, each on a port of its own. An address that is not the loopback's
    /// is one that peers are given.
    pub address: IpAddr,
    /// Threads of the simulator.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clusters: 1,
            names: Vec::new(),
            length: Length::default(),
            credential: Credential::default(),
            content: Content::default(),
            detail: Detail::default(),
            http2: true,
            controller_delay: Duration::from_millis(10),
            sync_delay: Duration::ZERO,
            address: Ipv4Addr::LOCALHOST.into(),
            threads: 1,
        }
    }
}

/// A running fleet; it ends with this.
pub struct Fleet {
    /// What it is like.
    pub options: Options,
    /// What was asked of it.
    pub audit: Arc<Audit>,
    /// The authority of all its certificates, PEM.
    pub authority: String,
    pub(crate) administrator: ClientCertificate,
    clusters: Vec<Arc<Cluster>>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// Descriptors beside those of the connections: listeners, and whatever the process has open.
const SPARE_DESCRIPTORS: u64 = 256;

impl Fleet {
    /// Starts a fleet. It runs on threads of its own: whoever starts it may block.
    ///
    /// # Errors
    ///
    /// Where ports or descriptors run out.
    pub fn start(options: Options) -> Result<Self, SimulatorError> {
        raise_descriptor_limit(options.clusters)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .thread_name("simulator")
            .enable_all()
            .build()
            .map_err(failed("start the simulator's threads"))?;
        let authority = Authority::new("simulator CA")?;
        let stranger = Authority::new("an authority that nobody trusts")?;
        let untrusted = Arc::new(stranger.server("stranger.test", options.address, options.http2)?);
        let audit = Arc::new(Audit::new(options.detail));
        let neighbours = Arc::new(Neighbours::default());
        let authority_pem: Arc<str> = authority.pem.as_str().into();
        let layer = Arc::new(content::layer(options.content));
        let root = MeshRoot::new()?;

        let guard = runtime.enter();
        let mut listeners = Vec::with_capacity(options.clusters);
        for _ in 0..options.clusters {
            listeners.push(listen(options.address).map_err(failed("listen for a cluster"))?);
        }
        let addresses: Vec<SocketAddr> = listeners.iter().map(|(_, address)| *address).collect();
        let mut clusters = Vec::with_capacity(options.clusters);
        for (index, (listener, address)) in listeners.into_iter().enumerate() {
            let number = index + 1;
            let name = options
                .names
                .get(index)
                .cloned()
                .unwrap_or_else(|| name_of(number));
            let tls = Arc::new(authority.server(&format!("{name}.test"), options.address, options.http2)?);
            let cluster = Cluster::new(Making {
                number,
                uid: uid(seed(number), 0),
                words: content::words(number, &name, address, &authority.pem, &root)?,
                name,
                address,
                layer: Arc::clone(&layer),
                authority_pem: Arc::clone(&authority_pem),
                audit: Arc::clone(&audit),
                pace: Pace {
                    controller_delay: options.controller_delay,
                    sync_delay: options.sync_delay,
                },
                neighbours: Arc::clone(&neighbours),
            });
            for secret in content::remote_secrets(options.content, number, &addresses, &authority.pem) {
                cluster.put(secret);
            }
            runtime.spawn(serve(
                listener,
                Arc::new(Serving {
                    behind: Behind::Simulated(Arc::clone(&cluster)),
                    tls,
                    untrusted: Arc::clone(&untrusted),
                    length: options.length,
                }),
            ));
            clusters.push(cluster);
        }
        drop(guard);
        Ok(Self {
            administrator: authority.administrator()?,
            authority: authority.pem,
            options,
            audit,
            clusters,
            runtime: Some(runtime),
        })
    }

    /// The clusters, in their order.
    pub fn clusters(&self) -> &[Arc<Cluster>] {
        &self.clusters
    }

    /// A cluster by its number, from 1.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn cluster(&self, number: usize) -> &Arc<Cluster> {
        &self.clusters[number - 1]
    }

    /// The numbers of all clusters together.
    pub fn counts(&self) -> Counts {
        self.clusters
            .iter()
            .fold(Counts::default(), |sum, cluster| sum.plus(cluster.counts()))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Without waiting: it may be dropped where blocking is not allowed.
            runtime.shutdown_background();
        }
    }
}

/// A listener on a port of its own. The port is bound by its number, so that it stays ours while a
/// dead cluster does not listen: one that the kernel chose is given back then (`tcp_set_state`).
pub(crate) fn listen(address: IpAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let mut tries = 0;
    loop {
        let free = std::net::TcpListener::bind(SocketAddr::new(address, 0))?.local_addr()?;
        match std::net::TcpListener::bind(free) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                let listener = TcpListener::from_std(listener)?;
                // The standard library's backlog is too short for a burst.
                rustix::net::listen(&listener, 1024)?;
                return Ok((listener, free));
            }
            // Somebody else took it in between.
            Err(error) if tries >= 100 => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

/// The name of a cluster, which is its context's.
pub fn name_of(number: usize) -> String {
    format!("sim-{number:04}")
}

/// Has this process have as many descriptors as a fleet takes: one to listen, and one for each of
/// two connections. A soft limit below the hard one is raised.
fn raise_descriptor_limit(clusters: usize) -> Result<(), SimulatorError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = 3 * clusters as u64 + SPARE_DESCRIPTORS;
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let doing = format!("have {wanted} files open");
    if limit.maximum.is_some_and(|maximum| maximum < wanted) {
        return Err(failed(&doing)("the hard limit (ulimit -Hn) is lower"));
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).map_err(failed(&doing))
}
