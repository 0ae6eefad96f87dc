//! Plugins are real programs here: shell scripts in a folder of the test's own.

mod protocol;
mod sharing;
mod stopping;
mod terminal;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ApiVersion, InteractiveMode, Plugin, PluginOptions, Plugins, Policy};
use crate::connection::credential::{Authorization, Bearer, Credential, Source};
use crate::host::sensitive::Sensitive;

/// Prints an `ExecCredential` with the token in `$1`.
const GIVE: &str = r#"give() { printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$1"; }"#;

/// A folder with plugins.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder can be made"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a plugin that notes each run in `runs`, and gives how it is configured.
    fn plugin(&self, name: &str, body: &str) -> Plugin {
        let path = self.path(name);
        let script = format!("#!/bin/sh\ncd \"$FOLDER\"\necho \"{name} $1\" >> runs\n{GIVE}\n{body}\n");
        std::fs::write(&path, script).expect("the script can be written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it can be made executable");
        Plugin {
            api_version: ApiVersion::V1,
            command: path.to_str().expect("the path is text").to_owned(),
            arguments: Vec::new(),
            environment: vec![(
                "FOLDER".to_owned(),
                Sensitive::new(self.0.path().to_str().expect("the path is text")),
            )],
            interactive_mode: InteractiveMode::Never,
            install_hint: String::new(),
            cluster: None,
        }
    }

    /// What has run, in its order.
    fn runs(&self) -> Vec<String> {
        self.lines("runs")
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    /// A plugin that prints what lies in the file `answer`.
    fn answering(&self, answer: &Value) -> Plugin {
        self.answer(answer);
        self.plugin("answering", "cat answer")
    }

    fn answer(&self, answer: &Value) {
        write(&self.path("answer"), &answer.to_string());
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the file can be written");
}

fn options() -> PluginOptions {
    PluginOptions {
        policy: Policy::All,
        timeout: Duration::from_secs(60),
        interactive_timeout: Duration::from_secs(60),
        concurrent: 64,
        can_ask: false,
        can_tell: false,
    }
}

fn credential(plugins: &Plugins, plugin: &Plugin) -> Credential {
    let source = Source {
        certificate: None,
        bearer: Bearer::Plugin(Arc::new(plugin.clone())),
    };
    Credential::new(source, plugins)
}

fn token(authorization: &Authorization) -> &str {
    let header = authorization.header.as_ref().expect("there is a header");
    assert!(header.is_sensitive());
    header.to_str().expect("the header is text")
}

/// The plugin's token, or the failure's text.
async fn ask(plugins: &Plugins, plugin: &Plugin) -> Result<String, String> {
    match credential(plugins, plugin)
        .authorization(tokio::time::Instant::now())
        .await
    {
        Ok(authorization) => Ok(token(&authorization).to_owned()),
        Err(failure) => Err(failure.to_string()),
    }
}

fn issued(status: &Value) -> Value {
    json!({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status})
}

impl Plugin {
    fn with(mut self, argument: &str, mode: InteractiveMode) -> Self {
        self.arguments = vec![argument.to_owned()];
        self.interactive_mode = mode;
        self
    }
}
