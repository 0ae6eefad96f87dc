//! The lab's network: loopback, one bridge, an address a cluster.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::lab::error::LabError;
use crate::lab::programs;
use crate::lab::shape::{BRIDGE, ClusterShape, PREFIX};

/// The bridge's name.
pub const BRIDGE_NAME: &str = "br0";

/// The bridge's own link address. Without one a bridge takes the lowest of its ports', and so another
/// one when a pod comes or goes: what the other pods send to the former one is lost until they ask
/// anew, and a webhook of theirs does not answer for ten seconds and more.
const BRIDGE_LINK: &str = "02:00:0a:f0:00:01";

/// Makes the lab's network in the namespace of this process.
pub async fn prepare(shapes: &[ClusterShape]) -> Result<(), LabError> {
    let mut commands = vec![
        "link set lo up".to_owned(),
        format!("link add {BRIDGE_NAME} address {BRIDGE_LINK} type bridge"),
        format!("addr add {BRIDGE}/{PREFIX} dev {BRIDGE_NAME}"),
        format!("link set {BRIDGE_NAME} up"),
    ];
    commands.extend(
        shapes
            .iter()
            .map(|shape| format!("addr add {}/32 dev {BRIDGE_NAME}", shape.address())),
    );
    for command in commands {
        ip(&command).await?;
    }
    Ok(())
}

/// Runs `ip` with arguments.
pub async fn ip(arguments: &str) -> Result<(), LabError> {
    let mut command = Command::new(programs::need("ip")?);
    command.args(arguments.split(' '));
    run(command).await
}

/// Runs `ip` with arguments in another network namespace.
pub async fn ip_in(namespace: &str, arguments: &str) -> Result<(), LabError> {
    let mut command = Command::new(programs::need("nsenter")?);
    command.arg(format!("--net={namespace}"));
    let ip: PathBuf = programs::need("ip")?;
    command.arg(ip).args(arguments.split(' '));
    run(command).await
}

async fn run(mut command: Command) -> Result<(), LabError> {
    let doing = format!("{:?}", command.as_std());
    let output = command
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| LabError::system(&doing, error))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(LabError::system(
            doing,
            String::from_utf8_lossy(&output.stderr).trim(),
        ))
    }
}
