//! Credential plugins, and who has them run: each notes its runs in a file.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty;

use crate::harness::Home;

/// A home with contexts on one plugin, at servers that do not answer.
fn home() -> Home {
    let home = Home::new();
    let list = |what: &str, of: &dyn Fn(&str) -> String| {
        let entries: String = ["east", "north", "west"].map(of).concat();
        format!("{what}:\n{entries}")
    };
    let kubeconfig = [
        list("contexts", &|name| {
            format!("- {{name: {name}, context: {{cluster: {name}, user: me}}}}\n")
        }),
        list("clusters", &|name| {
            format!("- {{name: {name}, cluster: {{server: 'https://127.0.0.1:1/{name}'}}}}\n")
        }),
        "users:\n- name: me\n  user: {exec: {command: ./plugin, apiVersion: client.authentication.k8s.io/v1, \
         interactiveMode: Never}}\n"
            .to_owned(),
    ];
    home.write(".kube/config", &kubeconfig.concat());
    home.write(
        ".kube/plugin",
        "#!/bin/sh\necho run >> \"$HOME/runs\"\nprintf \
         '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"t\"}}'\n",
    );
    let plugin = home.path(".kube/plugin");
    std::fs::set_permissions(plugin, std::fs::Permissions::from_mode(0o755)).unwrap();
    home
}

fn runs(home: &Home) -> usize {
    std::fs::read_to_string(home.path("runs")).map_or(0, |text| text.lines().count())
}

/// A command that talks to a terminal, and what it shows there.
struct AtTerminal {
    child: Child,
    keyboard: File,
    shown: mpsc::Receiver<Vec<u8>>,
    text: String,
}

impl AtTerminal {
    fn start(mut command: Command) -> Self {
        let controller = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY).unwrap();
        pty::grantpt(&controller).unwrap();
        pty::unlockpt(&controller).unwrap();
        let name = pty::ptsname(&controller, Vec::new()).unwrap();
        let open = || {
            let mut options = File::options();
            options
                .read(true)
                .write(true)
                .open(name.to_str().unwrap())
                .unwrap()
        };
        let child = command
            .env("TERM", "xterm")
            .stdin(Stdio::from(open()))
            .stdout(Stdio::from(open()))
            .stderr(Stdio::from(open()))
            .spawn()
            .unwrap();
        // It holds the terminal's other end.
        drop(command);
        let mut controller = File::from(controller);
        let keyboard = controller.try_clone().unwrap();
        let (sender, shown) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = controller.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard,
            shown,
            text: String::new(),
        }
    }

    /// Waits until it shows a text.
    fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.text.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(left) {
                Ok(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("{text:?} is not shown ({error}): {}", self.text),
            }
        }
    }
}

/// Where somebody can answer, a plugin that may ask is heard and is answered.
#[test]
fn a_plugin_can_ask_on_the_terminal() {
    let home = home();
    let kubeconfig = home.read(".kube/config");
    home.write(".kube/config", &kubeconfig.replace("Never", "IfAvailable"));
    home.write(
        ".kube/plugin",
        "#!/bin/sh\nprintf 'code of the day: ' >&2\nread code\necho $code >> \"$HOME/runs\"\nexit 1\n",
    );
    let mut probe = AtTerminal::start(home.command(&["contexts", "--probe"]));
    probe.wait_for("code of the day: ");
    probe.keyboard.write_all(b"4711\n").unwrap();
    probe.wait_for("`plugin` ended with exit code 1");
    assert_eq!(home.read("runs"), "4711\n");
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn listing_contexts_runs_no_plugin() {
    let home = home();
    for arguments in [
        &["contexts"][..],
        &["contexts", "-o", "wide"],
        &["contexts", "-o", "json"],
    ] {
        let output = home.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("north"));
    }
    assert_eq!(runs(&home), 0);
    // Which the probe does, so that a run would have been seen.
    let output = home.command(&["contexts", "--probe"]).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(runs(&home), 1);
}

#[test]
fn a_plugin_that_is_not_allowed_does_not_run() {
    let home = home();
    let probe = |policy: &str| {
        let mut command = home.command(&["contexts", "--probe", "--exec-plugins", policy]);
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    for policy in ["none", "kubelogin,/usr/bin/plugin"] {
        let said = probe(policy);
        assert!(said.contains("`plugin` may not run"), "{said}");
    }
    assert_eq!(runs(&home), 0);
    probe(home.path(".kube/plugin").to_str().unwrap());
    assert_eq!(runs(&home), 1);
}

#[test]
fn a_plugin_has_a_time_of_its_own() {
    let home = home();
    home.write(".kube/plugin", "#!/bin/sh\nexec sleep 600\n");
    let arguments = [
        "contexts",
        "--probe",
        "--request-timeout",
        "5m",
        "--plugin-timeout",
        "100ms",
    ];
    let begun = Instant::now();
    let output = home.command(&arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("100ms"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupt_ends_plugins_with_all_that_they_started() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let home = home();
        home.write(
            ".kube/plugin",
            "#!/bin/sh\nsleep 600 & echo $! > \"$HOME/new\"; mv \"$HOME/new\" \"$HOME/sleeper\"; wait\n",
        );
        let mut probe = home.command(&["contexts", "--probe", "--request-timeout", "5m"]);
        let mut probe = probe.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut soon = patience();
        while !home.path("sleeper").exists() {
            soon();
        }
        let sleeper = home.read("sleeper");
        assert!(lives(&sleeper));
        kill_process(Pid::from_child(&probe), signal).unwrap();
        assert_eq!(probe.wait().unwrap().code(), Some(code));
        let mut soon = patience();
        while lives(&sleeper) {
            soon();
        }
    }
}

/// What waits a moment each time, and not for ever.
#[cfg(target_os = "linux")]
fn patience() -> impl FnMut() {
    let deadline = Instant::now() + Duration::from_secs(60);
    move || {
        assert!(Instant::now() < deadline, "it does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process is there and has not ended.
#[cfg(target_os = "linux")]
fn lives(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

#[test]
fn the_list_that_init_shows_runs_no_plugin() {
    let home = home();
    let mut init = AtTerminal::start(home.command(&["init"]));
    init.wait_for("north");
    assert_eq!(runs(&home), 0);
}
