//! A fleet on a lab: its file, and the questions that several tests ask of it.

use std::path::PathBuf;
use std::process::Output;

use base64::Engine as _;
use serde_json::Value;

use crate::harness::{Lab, eventually_or_say, json, must, run};

/// A lab with a fleet file over all its clusters.
pub struct Fleet {
    pub lab: Lab,
    pub file: PathBuf,
}

impl Fleet {
    /// A lab, and the file that `stolos init` writes for it.
    pub fn init(name: &str, clusters: u8) -> Self {
        let lab = Lab::up(name, clusters);
        let contexts = format!("{name}-*");
        let arguments = [
            "init",
            "--yes",
            "--context",
            &contexts,
            "--model",
            "multi-primary",
            "--name",
            name,
        ];
        must(lab.stolos(&arguments));
        let file = lab.home.path().join("stolos.yaml");
        Self { lab, file }
    }

    /// A lab, and a file with these clusters and this model, as somebody writes it.
    pub fn written(name: &str, count: u8, model: &str, clusters: &str) -> Self {
        let lab = Lab::up(name, count);
        let fleet = Self {
            file: lab.home.path().join("stolos.yaml"),
            lab,
        };
        fleet.write(model, clusters);
        fleet
    }

    /// Writes the file anew.
    pub fn write(&self, model: &str, clusters: &str) {
        let text = format!(
            "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata:\n  name: {}\nspec:\n  clusters:\n{clusters}  \
             mesh:\n    model: {model}\n",
            self.lab.name
        );
        std::fs::write(&self.file, text).expect("a file can be written");
    }

    /// The same, with the mesh applied.
    pub fn applied(name: &str, clusters: u8) -> Self {
        let fleet = Self::init(name, clusters);
        must(fleet.lab.stolos(&["apply", "--yes"]));
        fleet
    }

    /// Runs stolos.
    pub fn stolos(&self, arguments: &[&str]) -> Output {
        run(&mut self.lab.stolos(arguments))
    }

    /// The plan, which must be made.
    pub fn plan(&self) -> Value {
        json(self.lab.stolos(&["plan", "-o", "json"]))
    }

    /// Fails unless there is nothing to do.
    #[track_caller]
    pub fn assert_settled(&self) {
        let plan = self.plan();
        assert_eq!(plan["steps"], Value::Array(Vec::new()), "{plan:#}");
        assert_eq!(plan["blocked"], Value::Array(Vec::new()), "{plan:#}");
    }

    /// Waits for a healthy mesh with nothing to do. Several clusters on two cores may hold an answer up for
    /// long, and an istiod that is late with its word for a moment.
    #[track_caller]
    pub fn until_settled(&self) {
        eventually_or_say("a healthy mesh with nothing to do", || {
            let (plan, report) = (self.plan(), self.status());
            let is_empty = |field: &str| plan[field] == Value::Array(Vec::new());
            match is_empty("steps") && is_empty("blocked") && report["healthy"] == true {
                true => Ok(()),
                false => Err(format!("{plan:#}{report:#}")),
            }
        });
    }

    /// The status report, whatever the exit code.
    pub fn status(&self) -> Value {
        report(&self.stolos(&["status", "-o", "json"]))
    }

    /// The Pod as it comes back from a dry run in an injected namespace.
    pub fn injected(&self, number: u8) -> String {
        self.injected_in(number, "istio-injection=enabled")
    }

    /// The Pod as it comes back from a dry run in a namespace with a label.
    pub fn injected_in(&self, number: u8, label: &str) -> String {
        let context = self.lab.context(number);
        must(self.lab.kubectl(&context, &["create", "namespace", "sample"]));
        let label = ["label", "namespace", "sample", label];
        must(self.lab.kubectl(&context, &label));
        let arguments = [
            "-n",
            "sample",
            "run",
            "client",
            "--image=client",
            "--dry-run=server",
            "-o",
            "yaml",
        ];
        // A connection that the API server kept to an istiod that is gone costs it one question.
        let pod = eventually_or_say("a pod that the webhook answers for", || {
            let output = run(&mut self.lab.kubectl(&context, &arguments));
            match output.status.success() {
                true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
                false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            }
        });
        must(self.lab.kubectl(&context, &["delete", "namespace", "sample"]));
        pod
    }

    /// The address of a Service in the system namespace.
    #[track_caller]
    pub fn address(&self, number: u8, service: &str) -> String {
        let service = self.object(number, &["-n", "istio-system", "service", service]);
        let ingress = &service["status"]["loadBalancer"]["ingress"];
        ingress[0]["ip"].as_str().expect("an address").to_owned()
    }

    /// The root that istiod gives to the workloads of a cluster (PEM).
    pub fn published_root(&self, number: u8) -> String {
        let root = ["-n", "istio-system", "configmap", "istio-ca-root-cert"];
        let root = self.object(number, &root);
        root["data"]["root-cert.pem"].as_str().expect("a root").to_owned()
    }

    /// Fails unless a cluster without an istiod leads to one at an address, whose root its injector trusts, and
    /// that one answers for it.
    #[track_caller]
    pub fn assert_served_from(&self, number: u8, address: &str, root: &str) {
        let context = self.lab.context(number);
        let deployments = [
            "-n",
            "istio-system",
            "get",
            "deployments",
            "-l",
            "app=istiod",
            "-o",
            "name",
        ];
        assert_eq!(must(self.lab.kubectl(&context, &deployments)), "");
        let slice = self.object(number, &["-n", "istio-system", "endpointslice", "istiod"]);
        assert_eq!(slice["endpoints"][0]["addresses"][0], address);
        let hook = ["mutatingwebhookconfiguration", "istio-sidecar-injector"];
        self.assert_answered_by(number, &hook, root);
        let pod = self.injected(number);
        assert!(pod.contains("istio-proxy"), "{pod}");
        let identity = format!("name: ISTIO_META_CLUSTER_ID\n      value: {context}");
        assert!(pod.contains(&identity), "{pod}");
    }

    /// Fails unless all webhooks of a configuration trust that root.
    #[track_caller]
    pub fn assert_answered_by(&self, number: u8, configuration: &[&str], root: &str) {
        let hook = self.object(number, configuration);
        for webhook in hook["webhooks"].as_array().expect("webhooks") {
            let bundle = webhook["clientConfig"]["caBundle"].as_str().expect("a bundle");
            let bundle = base64::engine::general_purpose::STANDARD
                .decode(bundle)
                .expect("base64");
            assert_eq!(String::from_utf8_lossy(&bundle).trim(), root.trim());
        }
    }

    /// An object of a cluster, which must be there.
    #[track_caller]
    pub fn object(&self, number: u8, arguments: &[&str]) -> Value {
        let object = self.lab.object(&self.lab.context(number), arguments);
        object.unwrap_or_else(|| panic!("{arguments:?} is not there"))
    }

    /// One link of a report.
    #[track_caller]
    pub fn link(report: &Value, reader: &str, read: &str) -> Value {
        let links = report["links"].as_array().expect("a report has links");
        links
            .iter()
            .find(|link| link["in"] == reader && link["to"] == read)
            .unwrap_or_else(|| panic!("no link {reader} → {read} in {report:#}"))
            .clone()
    }
}

/// The document on a command's stdout.
#[track_caller]
pub fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "no JSON ({error}): {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// The codes of a report's findings of a severity.
pub fn findings(report: &Value, severity: &str) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a report has findings");
    findings
        .iter()
        .filter(|finding| finding["severity"] == severity)
        .map(|finding| finding["code"].as_str().unwrap_or_default().to_owned())
        .collect()
}
