//! The Gateway API in a lab's clusters, for ambient: a cluster of one's own has it, or is given it.

use std::process::{Command, Stdio};

use super::error::LabError;
use super::record::Lab;
use super::{environment, parts};

/// Defines it in every cluster of a lab.
///
/// # Errors
///
/// Where the definitions are not to be had, or a cluster does not take them.
pub fn define_gateway_api(lab: &Lab) -> Result<(), LabError> {
    let file = parts::gateway_api()?;
    for context in lab.contexts() {
        let failed = |why: String| LabError::system(format!("define the Gateway API in {context}"), why);
        let output = Command::new(lab.parts().join("kubectl"))
            .args(["--context", &context, "apply", "--server-side", "-f"])
            .arg(&file)
            .envs(environment(lab))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
    }
    Ok(())
}
