//! What a kubelet and a cloud do.

use std::path::Path;

use kube::Client;

use super::inside::Log;
use super::shape::ClusterShape;

/// One cluster's runner.
#[derive(Debug)]
pub struct Runner {}

impl Runner {
    /// Starts.
    pub fn start(_client: Client, _shape: &ClusterShape, _lab: &Path, _parts: &Path, _log: &Log) -> Self {
        Self {}
    }
}
