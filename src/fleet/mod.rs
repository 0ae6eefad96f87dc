//! The fleet: names, its file's shape, and what follows from it. Pure; reading and writing the file
//! is `host/fleet_file`, so that another store can stand beside it.

pub mod name;
pub mod spec;

pub use name::{ClusterName, FleetName, NameError, NamespaceName, NetworkName};
pub use spec::{
    Area, ClusterSpec, DataPlaneMode, Fleet, FleetMetadata, FleetSpec, GatewaySpec, IstioSpec, MeshSpec,
    Model, Role, Root, TrustSpec,
};
