//! Taking a lab down.

use super::error::LabError;
use super::record::{Held, Lab};
use super::shape::LabName;

/// Ends every process of a lab and removes its files. Gives whether there was anything.
pub fn down(name: &LabName) -> Result<bool, LabError> {
    let Some(held) = Held::existing(name)? else {
        return Ok(false);
    };
    if let Some(lab) = Lab::read(&held.directory) {
        lab.supervisor.kill()?;
    }
    held.remove()?;
    Ok(true)
}
