//! The checks, one file an area: each has its part of the catalogue and the functions in it. A check
//! looks at the view and says what it finds; what is unknown it passes over, except where not
//! knowing is the finding.

pub mod authority;
pub mod control_plane;
pub mod gateway;
pub mod identity;
pub mod link;
pub mod network;
pub mod reach;
pub mod secret;
pub mod trust;
pub mod webhook;
