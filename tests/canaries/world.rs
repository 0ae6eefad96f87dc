//! Where the binary runs: what a session would find on a machine, with a canary wherever a secret
//! can stand, and homes of their own in which commands meet it.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::cluster::Cluster;
use crate::known::Known;
use crate::mutation::{make_bytes_wrong, wrong_text};
use crate::server::{Answer, Request, Server};
use crate::{files, seeds};

/// Of all inputs of the binary.
pub const SEED: u64 = 0x6269_6e61;

/// The two clusters, each with the one whose remote secret it holds.
const CLUSTERS: [(&str, &str); 2] = [("east", "west"), ("west", "east")];

/// What every world holds, and the canaries in it.
pub struct Scene {
    certificate: String,
    key: String,
    clusters: Vec<Arc<Cluster>>,
    tokens: Vec<String>,
    kubeconfig: Value,
    /// What the plugins do.
    plugins: Vec<String>,
    fleet: Value,
    passphrase: String,
}

impl Scene {
    pub fn new(known: &mut Known) -> Self {
        let (certificate, key) = seeds::certificate(known, "a server's key");
        let cluster = |known: &mut Known, (name, peer)| {
            Arc::new(Cluster::new(known, name, peer, "https://127.0.0.1:1"))
        };
        let clusters = CLUSTERS.map(|names| cluster(known, names)).into();
        let account = "system:serviceaccount:a:admin";
        let tokens = CLUSTERS.map(|(name, _)| known.token(&format!("the token for {name}"), account));
        let words = known.canary("a plugin's words");
        let errors = known.canary("a plugin's errors");
        let token = known.token("a plugin's token", "a");
        let plugins = vec![
            format!("echo {words}; echo {errors} >&2; exit 3"),
            format!("echo '{{\"kind\": {words}'; echo {errors} >&2"),
            format!(
                "echo '{{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \
                 \"status\": {{\"token\": \"{token}\"}}}}'; echo {errors} >&2"
            ),
        ];
        Self {
            certificate,
            key,
            clusters,
            tokens: tokens.into(),
            kubeconfig: seeds::kubeconfig(known, "https://127.0.0.1:1"),
            plugins,
            fleet: files::fleet(known),
            passphrase: known.canary("the root's passphrase"),
        }
    }

    /// The kubeconfig, with a context for each cluster and for each plugin.
    fn kubeconfig(&self, servers: &[Server]) -> Value {
        let mut kubeconfig = self.kubeconfig.clone();
        let mut add = |list: &str, field: &str, name: &str, value: Value| {
            let entries = kubeconfig[list].as_array_mut().unwrap();
            entries.push(json!({"name": name, field: value}));
        };
        for (((name, _), server), token) in CLUSTERS.iter().zip(servers).zip(&self.tokens) {
            let authority = seeds::base64(&self.certificate);
            let cluster = json!({"server": server.url, "certificate-authority-data": authority});
            add("clusters", "cluster", name, cluster);
            add("users", "user", name, json!({"token": token}));
            add(
                "contexts",
                "context",
                name,
                json!({"cluster": name, "user": name}),
            );
        }
        let users = self.kubeconfig["users"].as_array().unwrap();
        let exec = &users.iter().find(|user| user["name"] == "exec").unwrap()["user"];
        for number in 0..self.plugins.len() {
            let plugin = format!("plugin-{number}");
            let mut user = exec.clone();
            user["exec"]["command"] = format!("./{plugin}").into();
            add("users", "user", &plugin, user);
            let context = json!({"cluster": "east", "user": plugin});
            add("contexts", "context", &plugin, context);
        }
        kubeconfig
    }
}

/// An input: the files that hold it, and which answers the servers give.
pub struct Input {
    pub number: u64,
    kubeconfig: Vec<u8>,
    fleet: Vec<u8>,
    passphrase: Vec<u8>,
    /// What of it may be shown.
    pub public: String,
}

impl Input {
    /// Whether the passphrase is what is wrong.
    pub fn is_of_passphrases(&self) -> bool {
        self.number % 10 == 4
    }
}

/// A hermetic home and the servers that it reaches.
pub struct World {
    folder: tempfile::TempDir,
    pub servers: Vec<Server>,
    round: Arc<AtomicU64>,
    kubeconfig: Value,
    fleet: Value,
    passphrase: String,
}

impl World {
    pub fn new(scene: &Scene) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let round = Arc::new(AtomicU64::new(0));
        let serve = |cluster: &Arc<Cluster>| {
            let memory = Memory::new(Arc::clone(cluster), Arc::clone(&round));
            let tls = Some((scene.certificate.as_str(), scene.key.as_str()));
            Server::start(tls, move |request| memory.answer(request))
        };
        let servers: Vec<Server> = scene.clusters.iter().map(serve).collect();
        for (number, body) in scene.plugins.iter().enumerate() {
            script(&folder.path().join(format!("plugin-{number}")), body);
        }
        // As much of istioctl as is asked of it: a version, and one object. It notes what anybody on
        // the machine could have read of it, however short it lived.
        script(
            &folder.path().join("istioctl"),
            "printf '%s\\0' \"$0\" \"$@\" >> \"${0%/*}/arguments\"\n\
             case $1 in version) echo '{\"clientVersion\": {\"version\": \"1.31.2\"}}' ;;\n\
             *) echo '{apiVersion: v1, kind: ServiceAccount, metadata: {name: istiod, namespace: istio-system}}' ;; esac",
        );
        Self {
            kubeconfig: scene.kubeconfig(&servers),
            fleet: scene.fleet.clone(),
            passphrase: scene.passphrase.clone(),
            folder,
            servers,
            round,
        }
    }

    /// A path in the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The input of a number, in which one thing is wrong.
    pub fn input(&self, number: u64) -> Input {
        let mut chance = Chance::new(SEED + number);
        let mut input = Input {
            number,
            kubeconfig: self.kubeconfig.to_string().into_bytes(),
            fleet: self.fleet.to_string().into_bytes(),
            passphrase: format!("{}\n", self.passphrase).into_bytes(),
            public: String::new(),
        };
        match number % 10 {
            0..3 => {
                input.kubeconfig = loop {
                    let wrong = wrong_text(&self.kubeconfig, &mut chance, &seeds::is_public);
                    if seeds::stays_here(&wrong) {
                        break wrong;
                    }
                };
                input.public = seeds::public_texts(&input.kubeconfig);
            }
            3 => input.fleet = wrong_text(&self.fleet, &mut chance, &files::is_public),
            4 => make_bytes_wrong(&mut input.passphrase, &mut chance),
            // The answers are wrong by themselves.
            _ => {}
        }
        input
    }

    /// Makes the home as it is before a command: what another changed is as it was.
    pub fn lay_out(&self, input: &Input) {
        self.round.store(SEED + input.number, Ordering::SeqCst);
        let write = |file: &str, content: &[u8]| std::fs::write(self.path(file), content).unwrap();
        write("config", &input.kubeconfig);
        write("stolos.yaml", &input.fleet);
        write("words", &input.passphrase);
        for written in ["new.yaml", "seen.yaml"] {
            let _ = std::fs::remove_file(self.path(written));
        }
    }

    /// A command in the home.
    pub fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stolos"));
        let temporary = self.path("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("KUBECONFIG", self.path("config"))
            .env("TMPDIR", temporary)
            .env("PATH", "/usr/bin:/bin")
            .env("STOLOS_ISTIOCTL", self.path("istioctl"))
            // A server that is not on loopback any more is not reached: nobody listens there.
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .env("HTTP_PROXY", "http://127.0.0.1:1")
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }
}

fn script(path: &Path, body: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A cluster's answers to what every command asks: each is made wrong once in a round.
struct Memory {
    cluster: Arc<Cluster>,
    round: Arc<AtomicU64>,
    /// Of one round, by what was asked for.
    given: Mutex<(u64, HashMap<String, Answer>)>,
}

impl Memory {
    fn new(cluster: Arc<Cluster>, round: Arc<AtomicU64>) -> Self {
        Self {
            cluster,
            round,
            given: Mutex::default(),
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let round = self.round.load(Ordering::SeqCst);
        // The answer to a write depends on what is written.
        if request.method != "GET" {
            return self.cluster.wrong(request, round);
        }
        {
            let mut given = self.given.lock().unwrap();
            if given.0 != round {
                *given = (round, HashMap::new());
            }
            if let Some(answer) = given.1.get(&request.target) {
                return answer.clone();
            }
        }
        let answer = self.cluster.wrong(request, round);
        let mut given = self.given.lock().unwrap();
        if given.0 == round {
            given.1.insert(request.target.clone(), answer.clone());
        }
        answer
    }
}
