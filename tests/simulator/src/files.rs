//! The files with which a fleet is used: a kubeconfig, and a fleet file for stolos.

use std::fmt::Write as _;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cluster::Cluster;
use crate::content::network_of;
use crate::fleet::{Credential, Fleet};

impl Fleet {
    /// A kubeconfig with a context for each cluster, by its name.
    pub fn kubeconfig(&self) -> String {
        let authority = STANDARD.encode(&self.authority);
        let mut clusters = String::new();
        let mut contexts = String::new();
        let mut users = String::new();
        for cluster in self.clusters() {
            let name = &cluster.name;
            let server = cluster.server();
            // Writing to a String cannot fail.
            let _ = write!(
                clusters,
                "- name: {name}\n  cluster:\n    server: {server}\n    certificate-authority-data: {authority}\n"
            );
            let user = match self.options.credential {
                Credential::Token => name,
                Credential::Certificate => "administrator",
            };
            let _ = write!(
                contexts,
                "- name: {name}\n  context:\n    cluster: {name}\n    user: {user}\n"
            );
            if self.options.credential == Credential::Token {
                let token = &cluster.administrator_token;
                let _ = write!(users, "- name: {name}\n  user:\n    token: {token}\n");
            }
        }
        if self.options.credential == Credential::Certificate {
            let certificate = STANDARD.encode(&self.administrator.certificate);
            let key = STANDARD.encode(&self.administrator.key);
            let _ = write!(
                users,
                "- name: administrator\n  user:\n    client-certificate-data: {certificate}\n    client-key-data: {key}\n"
            );
        }
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {}\nclusters:\n{clusters}contexts:\n{contexts}users:\n{users}",
            self.clusters()
                .first()
                .map_or("", |cluster| cluster.name.as_str())
        )
    }

    /// A fleet file over all clusters, in which each has a network of its own. `manage` lists the
    /// areas that are managed, such as `links`.
    pub fn fleet_file(&self, manage: &[&str]) -> String {
        let mut text =
            "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata:\n  name: simulated\nspec:\n  mesh:\n    meshID: mesh1\n  clusters:\n"
                .to_owned();
        for cluster in self.clusters() {
            let _ = write!(
                text,
                "  - name: {}\n    uid: {}\n    network: {}\n    manage: [{}]\n    gateway:\n      external: true\n",
                cluster.name,
                cluster.uid,
                network_of(cluster.number),
                manage.join(", ")
            );
        }
        text
    }

    /// Writes both into a directory, as `kubeconfig` and `stolos.yaml`, and gives their paths.
    ///
    /// # Errors
    ///
    /// Where they cannot be written.
    pub fn write_files(&self, directory: &Path, manage: &[&str]) -> io::Result<(PathBuf, PathBuf)> {
        let kubeconfig = directory.join("kubeconfig");
        std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&kubeconfig)?
            .write_all(self.kubeconfig().as_bytes())?;
        let fleet_file = directory.join("stolos.yaml");
        std::fs::write(&fleet_file, self.fleet_file(manage))?;
        Ok((kubeconfig, fleet_file))
    }
}

impl Cluster {
    /// The URL of its API server.
    pub fn server(&self) -> String {
        format!("https://{}", self.address)
    }
}
