//! The arguments of the processes that a test starts, as anybody on the machine can read them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Looks at the arguments of all processes that have begun since, again and again.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<BTreeSet<Vec<u8>>>,
}

impl Watch {
    /// Begins to look.
    pub fn begin() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let before = processes();
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                seen.extend(processes().difference(&before).filter_map(|process| {
                    std::fs::read(format!("/proc/{}/cmdline", process.display())).ok()
                }));
                std::thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        Self { stop, thread }
    }

    /// Every command line that was seen, each word ended by a zero byte.
    pub fn end(self) -> BTreeSet<Vec<u8>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// The numbers of all processes of the machine.
fn processes() -> BTreeSet<OsString> {
    let names = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name());
    names
        .filter(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))
        .collect()
}
