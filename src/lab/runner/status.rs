//! What a pod's status says. Pure.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::{Container, Pod};
use serde_json::{Value, json};

/// How a container is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// It does not run.
    Waiting {
        /// Kubernetes' word for why.
        reason: String,
        /// Why, in more words.
        message: String,
    },
    /// It runs.
    Running {
        /// Since when, RFC 3339.
        since: String,
    },
    /// It came to its end.
    Completed {
        /// When, RFC 3339.
        at: String,
    },
}

/// How a container ended the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The exit code; 128 and the signal's number where it was killed.
    pub code: i32,
    /// When it had started, RFC 3339.
    pub since: String,
    /// When it ended, RFC 3339.
    pub at: String,
}

/// How a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The pod's address; none before it has one.
    pub address: Option<Ipv4Addr>,
    /// The node's address.
    pub host: Ipv4Addr,
    /// When the node took the pod, RFC 3339.
    pub since: String,
    /// When it became ready, or ceased to be, RFC 3339.
    pub turned: String,
    /// Whether it is ready.
    pub ready: bool,
    /// How its containers are, all alike.
    pub life: Life,
    /// How the one that runs for real ended the last time.
    pub ended: Option<Ended>,
    /// How often that one was started again.
    pub restarts: u32,
}

impl Report {
    /// The patch of the pod's status.
    pub fn patch(&self, pod: &Pod) -> Value {
        let spec = pod.spec.as_ref();
        let phase = match self.life {
            Life::Completed { .. } => "Succeeded",
            Life::Waiting { .. } if self.restarts == 0 && self.ended.is_none() => "Pending",
            Life::Waiting { .. } | Life::Running { .. } => "Running",
        };
        let containers: Vec<Value> = spec
            .iter()
            .flat_map(|spec| &spec.containers)
            .map(|container| self.container(container))
            .collect();
        let mut status = json!({
            "phase": phase,
            "hostIP": self.host,
            "hostIPs": [{"ip": self.host}],
            "startTime": self.since,
            "conditions": self.conditions(pod),
            "containerStatuses": containers,
        });
        if let Some(address) = self.address {
            status["podIP"] = json!(address);
            status["podIPs"] = json!([{"ip": address}]);
        }
        let first: Vec<Value> = spec
            .and_then(|spec| spec.init_containers.as_ref())
            .into_iter()
            .flatten()
            .map(|container| self.first_container(container))
            .collect();
        if !first.is_empty() {
            status["initContainerStatuses"] = Value::Array(first);
        }
        json!({"status": status})
    }

    fn conditions(&self, pod: &Pod) -> Vec<Value> {
        let finished = matches!(self.life, Life::Completed { .. });
        let gates = pod
            .spec
            .iter()
            .flat_map(|spec| spec.readiness_gates.iter().flatten())
            .map(|gate| (gate.condition_type.as_str(), true, &self.since));
        [
            ("PodReadyToStartContainers", true, &self.since),
            ("Initialized", true, &self.since),
            ("ContainersReady", self.ready, &self.turned),
            ("Ready", self.ready, &self.turned),
        ]
        .into_iter()
        .chain(gates)
        .map(|(kind, holds, since)| {
            let mut condition = json!({
                "type": kind,
                "status": if holds { "True" } else { "False" },
                "lastTransitionTime": since,
            });
            // A patch merges by type: what was said before has to go.
            let (reason, message) = match (holds, finished) {
                (true, _) => (Value::Null, Value::Null),
                (false, true) => (json!("PodCompleted"), Value::Null),
                (false, false) => (json!("ContainersNotReady"), json!(self.why())),
            };
            condition["reason"] = reason;
            condition["message"] = message;
            condition
        })
        .collect()
    }

    fn why(&self) -> String {
        match &self.life {
            Life::Waiting { reason, message } => format!("{reason}: {message}"),
            Life::Running { .. } | Life::Completed { .. } => "its probe did not succeed yet".to_owned(),
        }
    }

    fn container(&self, container: &Container) -> Value {
        let last = match &self.ended {
            None => json!({}),
            Some(ended) => json!({"terminated": {
                "exitCode": ended.code,
                "reason": if ended.code == 0 { "Completed" } else { "Error" },
                "startedAt": ended.since,
                "finishedAt": ended.at,
            }}),
        };
        json!({
            "name": container.name,
            "image": container.image.clone().unwrap_or_default(),
            "imageID": "",
            "ready": self.ready,
            "started": matches!(self.life, Life::Running { .. }),
            "restartCount": self.restarts,
            "state": self.state(),
            "lastState": last,
        })
    }

    /// A container that comes before the others: done, or, where it stays, running beside them.
    fn first_container(&self, container: &Container) -> Value {
        let stays = container.restart_policy.as_deref() == Some("Always");
        let mut status = json!({
            "name": container.name,
            "image": container.image.clone().unwrap_or_default(),
            "imageID": "",
            "ready": true,
            "started": stays,
            "restartCount": 0,
            "state": {"terminated": {
                "exitCode": 0,
                "reason": "Completed",
                "startedAt": self.since,
                "finishedAt": self.since,
            }},
        });
        if stays {
            status["state"] = self.state();
        }
        status
    }

    fn state(&self) -> Value {
        match &self.life {
            Life::Waiting { reason, message } => json!({"waiting": {"reason": reason, "message": message}}),
            Life::Running { since } => json!({"running": {"startedAt": since}}),
            Life::Completed { at } => json!({"terminated": {
                "exitCode": 0,
                "reason": "Completed",
                "startedAt": self.since,
                "finishedAt": at,
            }}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::pod;
    use super::*;

    fn report(life: Life) -> Report {
        Report {
            address: Some(Ipv4Addr::new(10, 244, 16, 5)),
            host: Ipv4Addr::new(10, 240, 1, 1),
            since: "2026-01-01T00:00:00Z".into(),
            turned: "2026-01-01T00:00:02Z".into(),
            ready: false,
            life,
            ended: None,
            restarts: 0,
        }
    }

    fn condition<'a>(patch: &'a Value, kind: &str) -> &'a Value {
        patch["status"]["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|condition| condition["type"] == kind)
            .unwrap()
    }

    #[test]
    fn a_pod_that_waits_says_for_what() {
        let life = Life::Waiting {
            reason: "ContainerCreating".into(),
            message: "secret \"certs\" not found".into(),
        };
        let patch = report(life).patch(&pod());
        assert_eq!(patch["status"]["phase"], "Pending");
        assert_eq!(condition(&patch, "Ready")["status"], "False");
        let waiting = &patch["status"]["containerStatuses"][0]["state"]["waiting"];
        assert_eq!(waiting["message"], "secret \"certs\" not found");
    }

    #[test]
    fn a_pod_that_fell_over_is_running_and_not_ready() {
        let mut report = report(Life::Waiting {
            reason: "CrashLoopBackOff".into(),
            message: "back-off 2s".into(),
        });
        report.restarts = 3;
        report.ended = Some(Ended {
            code: 137,
            since: "2026-01-01T00:00:00Z".into(),
            at: "2026-01-01T00:00:01Z".into(),
        });
        let patch = report.patch(&pod());
        assert_eq!(patch["status"]["phase"], "Running");
        let container = &patch["status"]["containerStatuses"][0];
        assert_eq!(container["restartCount"], 3);
        assert_eq!(container["lastState"]["terminated"]["exitCode"], 137);
    }

    #[test]
    fn a_ready_pod_has_an_address_and_no_reason() {
        let mut report = report(Life::Running {
            since: "2026-01-01T00:00:01Z".into(),
        });
        report.ready = true;
        let patch = report.patch(&pod());
        assert_eq!(patch["status"]["podIP"], "10.244.16.5");
        assert_eq!(condition(&patch, "Ready")["status"], "True");
        assert_eq!(condition(&patch, "Ready")["reason"], Value::Null);
        assert_eq!(patch["status"]["containerStatuses"][0]["ready"], true);
    }
}
