//! What the lab says of itself, in a file of its folder.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::lab::error::LabError;

/// The lab's log; a copy writes to the same.
#[derive(Debug, Clone)]
pub struct Log {
    file: Arc<Mutex<fs::File>>,
    since: Instant,
}

impl Log {
    /// Opens the log in a lab's folder.
    pub fn open(directory: &Path) -> Result<Self, LabError> {
        let path = directory.join("lab.log");
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| LabError::file("open", &path, error))?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            since: Instant::now(),
        })
    }

    /// Writes a line, with the seconds since the lab's start.
    pub fn say(&self, text: impl AsRef<str>) {
        let line = format!("{:9.3} {}\n", self.since.elapsed().as_secs_f64(), text.as_ref());
        if let Ok(mut file) = self.file.lock() {
            // A full disk must not end the lab.
            let _ = file.write_all(line.as_bytes());
        }
    }
}
