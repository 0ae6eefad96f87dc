//! The lab's side of the namespaces: [`initialize`] is the first process there, and [`run`] its
//! child, which starts and serves everything.

mod cluster;
mod component;
mod control;
mod log;
mod network;
mod objects;
pub(super) mod relay;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::WaitOptions;

pub(super) use log::Log;
pub(super) use network::{BRIDGE_NAME, ip, ip_in};
pub(super) use objects::KWOK_API;
pub(super) use relay::pass;

use super::arguments;
use super::error::LabError;
use super::listeners;
use super::record::Lab;
use cluster::ControlPlane;
use component::{Alarm, Component};

/// How long to wait to be remembered by whoever started the lab.
const REMEMBERED: Duration = Duration::from_secs(10);

/// The first process of the lab: waits for whatever lost its parent, as a first process must, and
/// ends with the one child that does the work; everything else then ends with it.
pub fn initialize(directory: &Path) -> Result<(), LabError> {
    let doing = "run the lab";
    let itself = std::env::current_exe().map_err(|error| LabError::system(doing, error))?;
    let child = Command::new(itself)
        .args(["lab", "inside", "run", "--directory"])
        .arg(directory)
        .spawn()
        .map_err(|error| LabError::system(doing, error))?;
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if u32::try_from(pid.as_raw_nonzero().get()) == Ok(child.id()) => {
                return Err(LabError::system(doing, format!("it ended: {status:?}")));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(LabError::system(doing, error)),
        }
    }
}

/// Starts everything and serves until it is killed.
pub async fn run(directory: &Path) -> Result<(), LabError> {
    let log = Log::open(directory)?;
    let served = serve(directory, &log).await;
    if let Err(error) = &served {
        log.say(error.to_string());
    }
    served
}

async fn serve(directory: &Path, log: &Log) -> Result<(), LabError> {
    let sockets = listeners::unpack(std::io::stdin())?;
    let lab = remembered(directory).await?;
    let shapes = lab.shapes();
    if sockets.len() != shapes.len() {
        return Err(LabError::system(
            "take the listeners",
            format!("there are {} for {} clusters", sockets.len(), shapes.len()),
        ));
    }
    network::prepare(&shapes).await?;
    let data = directory.join("etcd");
    std::fs::create_dir_all(&data).map_err(|error| LabError::file("create", &data, error))?;
    let alarm = Alarm::new(None);
    let etcd = Component::start(lab.parts().join("etcd"), arguments::etcd(), &data, log, &alarm);
    let mut planes = Vec::new();
    for ((shape, socket), cluster) in shapes.into_iter().zip(sockets).zip(&lab.clusters) {
        planes.push(Arc::new(ControlPlane::new(
            shape, socket, &lab, cluster, log, &alarm,
        )?));
    }
    for plane in &planes {
        tokio::spawn(plane.clone().first_start());
    }
    let served = control::serve(directory, planes, log.clone()).await;
    etcd.stop().await;
    served
}

/// What is remembered of the lab; whoever started it writes that just after.
async fn remembered(directory: &Path) -> Result<Lab, LabError> {
    let deadline = Instant::now() + REMEMBERED;
    loop {
        if let Some(lab) = Lab::read(directory) {
            return Ok(lab);
        }
        if Instant::now() > deadline {
            return Err(LabError::file(
                "read the lab in",
                directory,
                "whoever started it is gone",
            ));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
