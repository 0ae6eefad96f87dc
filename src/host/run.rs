//! The run that this process is: when it began, and an id that its requests, its documents and its
//! journal carry.

use jiff::Timestamp;

use crate::document::Run;

/// A run that begins now: an id that sorts by time, and cannot be met twice.
pub fn begin() -> Run {
    let at = Timestamp::now();
    Run {
        at,
        id: format!("{}-{:08x}", at.strftime("%Y%m%dT%H%M%SZ"), rand::random::<u32>()),
    }
}
