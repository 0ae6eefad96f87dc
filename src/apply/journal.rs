//! The journal: one line of JSON for each change that a run made, in the state directory. It says
//! what was changed where, when, by which run, with which reference; never what a Secret holds.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::json;

use super::StepState;
use crate::fleet::ClusterName;
use crate::host::paths::Paths;
use crate::plan::Step;

/// Where a run writes what it did. A journal that cannot be written does not stop the run: what it
/// says can be seen in the clusters too.
pub struct Journal {
    path: PathBuf,
    file: Mutex<Option<std::fs::File>>,
    run: String,
    fleet: String,
    reference: Option<String>,
    /// As whom each cluster is changed.
    users: BTreeMap<ClusterName, String>,
}

impl Journal {
    /// Opens a journal for a run; `users` are the names by which the API servers know whoever runs it.
    pub fn open(
        run: &str,
        fleet: &str,
        reference: Option<String>,
        users: BTreeMap<ClusterName, String>,
    ) -> Self {
        let folder = Paths::of_environment()
            .map(|paths| paths.state.join("journal"))
            .unwrap_or_default();
        let path = folder.join(format!("{run}.jsonl"));
        let file = std::fs::create_dir_all(&folder)
            .and_then(|()| {
                let mut options = std::fs::OpenOptions::new();
                options.create_new(true).append(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                options.open(&path)
            })
            .ok();
        Self {
            path,
            file: Mutex::new(file),
            run: run.to_owned(),
            fleet: fleet.to_owned(),
            reference,
            users,
        }
    }

    /// A journal that is not kept.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        Self {
            path: PathBuf::new(),
            file: Mutex::new(None),
            run: String::new(),
            fleet: String::new(),
            reference: None,
            users: BTreeMap::new(),
        }
    }

    /// The journal's path, where it could be opened.
    pub fn path(&self) -> Option<&Path> {
        let open = self.file.lock().is_ok_and(|file| file.is_some());
        open.then_some(self.path.as_path())
    }

    /// Writes what became of a step.
    pub fn write(&self, step: &Step, state: &StepState) {
        let (word, why) = match state {
            StepState::Begun => ("begun", ""),
            StepState::Done => ("done", ""),
            StepState::Failed(why) => ("failed", why.as_str()),
            StepState::Skipped(why) => ("skipped", why.as_str()),
        };
        let line = json!({
            "at": Timestamp::now().to_string(),
            "run": self.run,
            "fleet": self.fleet,
            "changeRef": self.reference,
            "cluster": step.cluster,
            "user": self.users.get(&step.cluster),
            "area": step.area,
            "action": step.action,
            "object": step.object,
            "state": word,
            "reason": if why.is_empty() { &step.reason } else { why },
        });
        if let Ok(mut file) = self.file.lock()
            && let Some(file) = file.as_mut()
        {
            // In one call to the system: else each word of it is one. Losing a line must not stop the
            // work that it is about.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}
