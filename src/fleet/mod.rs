//! The fleet: names, its file's shape, what its fields demand of each other, and how its text is
//! changed. Pure; reading and writing the file is `host/fleet_file`, so that another store can stand
//! beside it.

pub mod check;
pub mod compose;
pub mod edit;
pub mod infer;
mod layout;
pub mod name;
pub mod pattern;
pub mod propose;
pub mod selector;
pub mod spec;

pub use check::FleetError;
pub use name::{ClusterName, FleetName, NameError, NamespaceName, NetworkName};
pub use spec::{
    Area, ClusterSpec, DataPlaneMode, Fleet, FleetMetadata, FleetSpec, GatewaySpec, IstioSpec, MeshSpec,
    Model, Role, Root, TrustSpec,
};
