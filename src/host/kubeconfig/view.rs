//! Merged kubeconfigs as `kubectl config view --raw -o json` prints them, without its spaces: the fields
//! and their order are those of client-go's `tools/clientcmd/api/v1/types.go`, the entries in the order
//! of their names, paths as they were written.

use super::file::{AuthProvider, Cluster, Context, Exec, Extension, User};
use super::{Entries, Kubeconfigs, Named};
use crate::yaml::go_yaml::push_text;

/// A map while it is being written.
struct Writer<'json> {
    json: &'json mut String,
    first: bool,
}

impl<'json> Writer<'json> {
    fn new(json: &'json mut String) -> Self {
        json.push('{');
        Self { json, first: true }
    }

    fn end(self) {
        self.json.push('}');
    }

    fn name(&mut self, name: &str) -> &mut String {
        if !self.first {
            self.json.push(',');
        }
        self.first = false;
        push_text(name, self.json);
        self.json.push(':');
        self.json
    }

    fn text(&mut self, name: &str, text: &str) {
        push_text(text, self.name(name));
    }

    fn truth(&mut self, name: &str, truth: bool) {
        self.name(name).push_str(if truth { "true" } else { "false" });
    }

    /// A text that is left out where it is empty.
    fn text_if_any(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    fn truth_if_any(&mut self, name: &str, truth: bool) {
        if truth {
            self.truth(name, truth);
        }
    }

    fn extensions(&mut self, extensions: &[Extension]) {
        if !extensions.is_empty() {
            list(extensions, self.name("extensions"), |extension, json| {
                let mut writer = Writer::new(json);
                writer.text("name", &extension.name);
                writer.name("extension").push_str(&extension.extension.0);
                writer.end();
            });
        }
    }
}

fn list<T>(items: impl IntoIterator<Item = T>, json: &mut String, write: impl Fn(T, &mut String)) {
    json.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        write(item, json);
    }
    json.push(']');
}

fn texts(texts: &[String], null: bool, json: &mut String) {
    if null {
        json.push_str("null");
    } else {
        list(texts, json, |text, json| push_text(text, json));
    }
}

/// Entries in the order of their names; null where there are none.
fn entries<T>(entries: &Entries<T>, field: &str, json: &mut String, write: impl Fn(&T, &mut String)) {
    if entries.list.is_empty() {
        json.push_str("null");
        return;
    }
    let mut sorted: Vec<&Named<T>> = entries.list.iter().collect();
    sorted.sort_by_key(|entry| entry.name.as_str());
    list(sorted, json, |entry, json| {
        let mut writer = Writer::new(json);
        writer.text("name", &entry.name);
        write(&entry.value, writer.name(field));
        writer.end();
    });
}

/// All of it.
pub(super) fn write(merged: &Kubeconfigs, json: &mut String) {
    let mut writer = Writer::new(json);
    writer.text("kind", "Config");
    writer.text("apiVersion", "v1");
    let preferences = &merged.preferences;
    if preferences.colors || !preferences.extensions.is_empty() {
        let mut inner = Writer::new(writer.name("preferences"));
        inner.truth_if_any("colors", preferences.colors);
        inner.extensions(&preferences.extensions);
        inner.end();
    }
    entries(&merged.clusters, "cluster", writer.name("clusters"), cluster);
    entries(&merged.users, "user", writer.name("users"), user);
    entries(&merged.contexts, "context", writer.name("contexts"), context);
    writer.text("current-context", &merged.current);
    writer.extensions(&merged.extensions);
    writer.end();
}

fn cluster(cluster: &Cluster, json: &mut String) {
    let mut writer = Writer::new(json);
    writer.text("server", &cluster.server);
    writer.text_if_any("tls-server-name", &cluster.tls_server_name);
    writer.truth_if_any("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify);
    writer.text_if_any("certificate-authority", &cluster.certificate_authority);
    writer.text_if_any("certificate-authority-data", &cluster.certificate_authority_data);
    writer.text_if_any("proxy-url", &cluster.proxy_url);
    writer.truth_if_any("disable-compression", cluster.disable_compression);
    writer.extensions(&cluster.extensions);
    writer.end();
}

fn user(user: &User, json: &mut String) {
    let mut writer = Writer::new(json);
    writer.text_if_any("client-certificate", &user.client_certificate);
    writer.text_if_any("client-certificate-data", &user.client_certificate_data);
    writer.text_if_any("client-key", &user.client_key);
    writer.text_if_any("client-key-data", &user.client_key_data);
    writer.text_if_any("token", &user.token);
    writer.text_if_any("tokenFile", &user.token_file);
    writer.text_if_any("as", &user.impersonate);
    writer.text_if_any("as-uid", &user.impersonate_uid);
    if !user.impersonate_groups.is_empty() {
        texts(&user.impersonate_groups, false, writer.name("as-groups"));
    }
    if !user.impersonate_extra.is_empty() {
        let mut extra = Writer::new(writer.name("as-user-extra"));
        for (key, values) in &user.impersonate_extra {
            let null = user.impersonate_extra_nulls.contains(key);
            texts(values, null, extra.name(key));
        }
        extra.end();
    }
    writer.text_if_any("username", &user.username);
    writer.text_if_any("password", &user.password);
    if let Some(provider) = &user.auth_provider {
        auth_provider(provider, writer.name("auth-provider"));
    }
    if let Some(plugin) = &user.exec {
        exec(plugin, writer.name("exec"));
    }
    writer.extensions(&user.extensions);
    writer.end();
}

fn context(context: &Context, json: &mut String) {
    let mut writer = Writer::new(json);
    writer.text("cluster", &context.cluster);
    writer.text("user", &context.user);
    writer.text_if_any("namespace", &context.namespace);
    writer.extensions(&context.extensions);
    writer.end();
}

fn auth_provider(provider: &AuthProvider, json: &mut String) {
    let mut writer = Writer::new(json);
    writer.text("name", &provider.name);
    let config = writer.name("config");
    if provider.config_is_null {
        config.push_str("null");
    } else {
        let mut entries = Writer::new(config);
        for (key, value) in &provider.config {
            entries.text(key, value);
        }
        entries.end();
    }
    writer.end();
}

fn exec(exec: &Exec, json: &mut String) {
    let mut writer = Writer::new(json);
    writer.text("command", &exec.command);
    texts(&exec.args, exec.args_is_null, writer.name("args"));
    let variables = writer.name("env");
    if exec.env_is_null {
        variables.push_str("null");
    } else {
        list(&exec.env, variables, |variable, json| {
            let mut writer = Writer::new(json);
            writer.text("name", &variable.name);
            writer.text("value", &variable.value);
            writer.end();
        });
    }
    writer.text_if_any("apiVersion", &exec.api_version);
    writer.text_if_any("installHint", &exec.install_hint);
    writer.truth("provideClusterInfo", exec.provide_cluster_info);
    writer.text_if_any("interactiveMode", &exec.interactive_mode);
    writer.end();
}
