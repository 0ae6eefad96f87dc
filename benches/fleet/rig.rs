//! What the benchmark builds around itself, and takes away again: a home, and a lab of control
//! planes.

use std::cell::Cell;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::arguments::{Arguments, Benchmark};
use crate::clusters::{Cluster, Ground};
use crate::interruption;
use crate::report::Section;
use crate::simulation::ADDRESS;
use crate::trouble::{Doing as _, Outcome, Trouble};

/// The lab's name.
const LAB: &str = "bench";

/// The longest that one benchmark may take.
const LONGEST: Duration = Duration::from_secs(90 * 60);

/// What stands for the time of a run; it goes with this.
pub struct Rig {
    ground: Ground,
    is_up: Cell<bool>,
}

impl Rig {
    /// Finds the programs, and takes away what an earlier run may have left.
    pub fn new() -> Outcome<Self> {
        let stolos = PathBuf::from(env!("CARGO_BIN_EXE_stolos"));
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fleet-benchmark");
        // With the caller's own environment: this is where parts are found, or built and kept.
        let parts = Command::new(&stolos)
            .args(["lab", "parts"])
            .stderr(Stdio::inherit())
            .output()
            .doing("find the lab's parts")?;
        let parts = String::from_utf8(parts.stdout).doing("find the lab's parts")?;
        let rig = Self {
            ground: Ground {
                home,
                stolos,
                parts: PathBuf::from(parts.trim()),
                clusters: Vec::new(),
            },
            is_up: Cell::new(true),
        };
        if rig.ground.home.exists() {
            rig.down()?;
        }
        std::fs::create_dir_all(&rig.ground.home).doing("make a home")?;
        rig.is_up.set(true);
        interruption::clean_up_when_asked_to_end(&rig.ground)?;
        Ok(rig)
    }

    /// What the benchmarks stand on.
    pub fn ground(&self) -> &Ground {
        &self.ground
    }

    fn bring_clusters_up(&mut self, count: u8) -> Outcome<()> {
        crate::say(&format!("bringing {count} control planes up …"));
        let count = count.to_string();
        let up = [
            "lab",
            "up",
            "--name",
            LAB,
            "--control-plane-only",
            "--clusters",
            &count,
        ];
        stolos(&self.ground, &up)?;
        let list = stolos(&self.ground, &["lab", "list", "-o", "json"])?;
        let list: Value = serde_json::from_str(&list).doing("read the list of labs")?;
        let rows = list["labs"][0]["clusters"]
            .as_array()
            .doing("find the lab's clusters")?;
        self.ground.clusters = rows.iter().map(cluster).collect::<Outcome<_>>()?;
        Ok(())
    }

    /// Runs one benchmark, where its clusters can be reached; the lab comes up for the first that
    /// needs it.
    pub fn run(&mut self, benchmark: Benchmark, arguments: &Arguments) -> Outcome<Section> {
        let doing = format!("run the benchmark {benchmark}");
        if benchmark.needs_clusters() && self.ground.clusters.is_empty() {
            self.bring_clusters_up(arguments.clusters)?;
        }
        let itself = std::env::current_exe().doing(&doing)?;
        let (variable, file) = self.ground.keep()?;
        let mut command = if benchmark.needs_clusters() {
            let mut command = Command::new(&self.ground.stolos);
            command.args(["lab", "exec", "--name", LAB, "--"]).arg(&itself);
            command
        } else if benchmark.is_simulated() {
            in_a_network_of_its_own(&itself)
        } else {
            Command::new(&itself)
        };
        let mut child = command
            .args(["inside", &benchmark.to_string()])
            .args(arguments.words())
            .env_clear()
            .env("HOME", &self.ground.home)
            .env("PATH", search_path())
            .env(variable, file)
            .current_dir(&self.ground.home)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .doing(&doing)?;
        let group = interruption::Group::of(child.id());
        let mut stdout = child.stdout.take().doing(&doing)?;
        let (to, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = std::io::Read::read_to_string(&mut stdout, &mut text).map(|_| text);
            let _ = to.send(read);
        });
        let answer = ended.recv_timeout(LONGEST);
        if answer.is_err() {
            group.end();
        }
        let status = child.wait().doing(&doing)?;
        drop(group);
        let text = answer.doing(&doing)?.doing(&doing)?;
        if !status.success() {
            return Err(Trouble::new(format!("{doing}: {status}; why is said above")));
        }
        serde_json::from_str(&text).doing(doing)
    }

    /// Takes everything away.
    pub fn down(&self) -> Outcome<()> {
        interruption::stop_here_if_asked_to_end();
        if self.is_up.replace(false) {
            take_away(&self.ground)?;
        }
        Ok(())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Err(trouble) = self.down() {
            crate::say(&format!("benchmark: {trouble}"));
        }
    }
}

/// This program in a network with an address that is no loopback address; whatever it starts ends
/// with it.
fn in_a_network_of_its_own(itself: &Path) -> Command {
    let script = format!("ip link set lo up && ip addr add {ADDRESS}/32 dev lo && exec \"$@\"");
    let mut command = Command::new("unshare");
    command
        .args([
            "-Urnpm",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            &script,
            "sh",
        ])
        .arg(itself);
    command
}

/// `PATH`, with where programs for administrators lie.
fn search_path() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::join_paths(std::env::split_paths(&path).chain(more)).unwrap_or(path)
}

/// Takes the lab down, with every process in it, and the home away.
pub fn take_away(ground: &Ground) -> Outcome<()> {
    stolos(ground, &["lab", "down", "--all"])?;
    std::fs::remove_dir_all(&ground.home).doing("take the benchmark's home away")
}

/// Runs this tool in the benchmark's home; gives what it printed.
fn stolos(ground: &Ground, arguments: &[&str]) -> Outcome<String> {
    let doing = format!("run stolos {}", arguments.join(" "));
    let output = Command::new(&ground.stolos)
        .args(arguments)
        .env_clear()
        .env("HOME", &ground.home)
        .env("PATH", search_path())
        .env("STOLOS_LAB_ASSETS", &ground.parts)
        .stdin(Stdio::null())
        .output()
        .doing(&doing)?;
    if output.status.success() {
        String::from_utf8(output.stdout).doing(doing)
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Trouble::new(format!("{doing}: {}", said.trim())))
    }
}

/// A row of `lab list`, with the keys that its folder holds.
fn cluster(row: &Value) -> Outcome<Cluster> {
    let text = |field: &str| {
        row[field]
            .as_str()
            .map(str::to_owned)
            .doing(format!("find {field}"))
    };
    let audit_log = PathBuf::from(text("auditLog")?);
    let folder = audit_log.parent().doing("find the cluster's folder")?.to_owned();
    let kubeconfig = std::fs::read_to_string(folder.join("kubeconfig")).doing("read a lab's kubeconfig")?;
    let kubeconfig: Value = serde_json::from_str(&kubeconfig).doing("read a lab's kubeconfig")?;
    let pem = |pointer: &str| {
        use base64::Engine as _;
        let text = kubeconfig
            .pointer(pointer)
            .and_then(Value::as_str)
            .doing(pointer)?;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(text)
            .doing(pointer)?;
        String::from_utf8(bytes).doing(pointer)
    };
    Ok(Cluster {
        context: text("context")?,
        server: text("innerServer")?,
        authority: pem("/clusters/0/cluster/certificate-authority-data")?,
        certificate: pem("/users/0/user/client-certificate-data")?,
        key: pem("/users/0/user/client-key-data")?,
        audit_log,
        folder,
    })
}
