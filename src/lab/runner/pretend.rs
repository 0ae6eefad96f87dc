//! Pods that do not run: they are said to, at once. A Job's pods are said to have succeeded.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use tokio::sync::watch;

use super::status::{Life, Report};
use super::{Latest, Node, PAUSE, now, path};
use crate::lab::api;

/// Says that a pod runs, until it is deleted.
pub async fn run(node: &Node, pod: &Pod, mut updates: watch::Receiver<Latest>) {
    let since = now();
    let on_host = pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.host_network == Some(true));
    let address = if on_host {
        Some(node.shape.address())
    } else {
        node.address(&pod.uid().unwrap_or_default())
    };
    let of_job = pod.owner_references().iter().any(|owner| owner.kind == "Job");
    let report = Report {
        address,
        host: node.shape.address(),
        since: since.clone(),
        turned: since.clone(),
        ready: !of_job,
        life: if of_job {
            Life::Completed { at: since }
        } else {
            Life::Running { since }
        },
        ended: None,
        restarts: 0,
    };
    let mut said = false;
    loop {
        let latest = updates.borrow_and_update().clone();
        let Some(pod) = latest else {
            return;
        };
        let done = if pod.metadata.deletion_timestamp.is_some() {
            api::delete_now(&node.client, &path(&pod), pod.uid().as_deref()).await
        } else if said {
            Ok(())
        } else {
            api::patch_status(&node.client, &path(&pod), &report.patch(&pod))
                .await
                .map(|()| said = true)
        };
        if done.as_ref().is_err_and(api::ApiError::is_absent) || (said && of_job) {
            return;
        }
        let changed = async {
            if done.is_err() {
                // Level, not edge: what did not work is tried again without being told to.
                let _ = tokio::time::timeout(PAUSE, updates.changed()).await;
                true
            } else {
                updates.changed().await.is_ok()
            }
        };
        if !changed.await {
            return;
        }
    }
}
