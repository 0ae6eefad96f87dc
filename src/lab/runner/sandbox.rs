//! A real pod's surroundings: a network and a mount namespace, held by a process that does nothing
//! else, with an address on the lab's bridge and a root directory made of the pod's volumes.
//! When the holder goes, they go.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::lab::error::LabError;
use crate::lab::inside::{BRIDGE_NAME, ip, ip_in};
use crate::lab::programs;
use crate::lab::shape::{BRIDGE, PREFIX};

/// Mounts everything, then holds. Arguments: the root, the program and its place, and pairs of what
/// is mounted and where.
const HOLD: &str = r#"
root=$1
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
shift
while [ $# -gt 0 ]; do
    if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root${2%/*}"; : >> "$root$2"; fi
    mount --bind "$1" "$root$2"
    shift 2
done
ip link set lo up
echo held
exec sleep infinity
"#;

/// What a sandbox is made for.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The pod's name.
    pub name: &'a str,
    /// The pod's address.
    pub address: Ipv4Addr,
    /// The name of the pod's cable at the bridge.
    pub cable: String,
    /// The root directory, which does not exist yet.
    pub root: PathBuf,
    /// What is mounted, and where in the root.
    pub mounts: Vec<(PathBuf, String)>,
}

/// A pod's surroundings.
#[derive(Debug)]
pub struct Sandbox {
    holder: Child,
    process: u32,
    root: PathBuf,
}

impl Sandbox {
    /// Makes the surroundings of a pod.
    pub async fn make(plan: Plan<'_>) -> Result<Self, LabError> {
        let doing = format!("make the surroundings of the pod {}", plan.name);
        let failed = |why: &dyn std::fmt::Display| LabError::system(&doing, why);
        lay_out(&plan).map_err(|error| failed(&error))?;
        let mut mounts = plan.mounts;
        // What is mounted in another mount comes after it.
        mounts.sort_by(|(_, one), (_, other)| one.cmp(other));
        let mut command = Command::new(programs::need("unshare")?);
        command
            .args(["--net", "--mount", "--", "sh", "-ec", HOLD, "sh"])
            .arg(&plan.root);
        for (source, place) in &mounts {
            command.arg(source).arg(place);
        }
        let mut holder = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&error))?;
        let process = holder.id().ok_or_else(|| failed(&"it ended at once"))?;
        let mut line = String::new();
        if let Some(stdout) = holder.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .await
                .map_err(|error| failed(&error))?;
        }
        if line.trim() != "held" {
            let mut said = String::new();
            if let Some(mut stderr) = holder.stderr.take() {
                stderr
                    .read_to_string(&mut said)
                    .await
                    .map_err(|error| failed(&error))?;
            }
            return Err(failed(&said.trim()));
        }
        let sandbox = Self {
            holder,
            process,
            root: plan.root,
        };
        sandbox.connect(&plan.cable, plan.address).await?;
        Ok(sandbox)
    }

    /// The network namespace, as `/proc` names it.
    pub fn network(&self) -> String {
        format!("/proc/{}/ns/net", self.process)
    }

    async fn connect(&self, cable: &str, address: Ipv4Addr) -> Result<(), LabError> {
        ip(&format!(
            "link add {cable} type veth peer name eth0 netns {}",
            self.process
        ))
        .await?;
        ip(&format!("link set {cable} master {BRIDGE_NAME} up")).await?;
        let network = self.network();
        ip_in(&network, &format!("addr add {address}/{PREFIX} dev eth0")).await?;
        ip_in(&network, "link set eth0 up").await?;
        ip_in(&network, &format!("route add default via {BRIDGE}")).await
    }

    /// A program in these surroundings, with nothing but its own environment.
    pub fn command(
        &self,
        words: &[String],
        variables: &BTreeMap<String, String>,
    ) -> Result<Command, LabError> {
        let mut command = Command::new(programs::need("nsenter")?);
        command
            .arg(format!("--net={}", self.network()))
            .arg(format!("--mount=/proc/{}/ns/mnt", self.process))
            .arg("--")
            .arg(programs::need("chroot")?)
            .arg(&self.root)
            .args(words)
            .env_clear()
            .envs(variables)
            .current_dir("/")
            .kill_on_drop(true);
        Ok(command)
    }

    /// Ends the surroundings, and whatever they were made of.
    pub async fn end(mut self) {
        // It may have been killed from outside already.
        let _ = self.holder.kill().await;
    }
}

/// Makes the root directory: what every program expects to find in an image.
fn lay_out(plan: &Plan<'_>) -> std::io::Result<()> {
    for folder in ["dev", "etc", "proc", "tmp", "usr/local/bin", "var/run"] {
        fs::create_dir_all(plan.root.join(folder))?;
    }
    let write = |path: &str, text: String| fs::write(plan.root.join(path), text);
    write(
        "etc/hosts",
        format!("127.0.0.1\tlocalhost\n{}\t{}\n", plan.address, plan.name),
    )?;
    // Nobody answers there: a refusal comes at once.
    write("etc/resolv.conf", format!("nameserver {BRIDGE}\n"))?;
    write("etc/passwd", "root:x:0:0:root:/:/bin/false\n".to_owned())
}

/// Removes a pod's folder, when its surroundings have ended.
pub fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
