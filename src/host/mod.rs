//! This machine: kubeconfigs, paths, the fleet file, processes (istioctl), keys.

pub mod fleet_file;
pub mod in_cluster;
pub mod istioctl;
pub mod keys;
pub mod kubeconfig;
pub mod paths;
pub mod saved_plan;
pub mod sensitive;
pub use crate::yaml;
