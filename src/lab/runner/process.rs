//! A real pod's program, with its output in a file as `kubectl logs` reads it.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::now;
use crate::lab::error::LabError;

/// Lines that wait to be written before the program has to.
const PENDING_LINES: usize = 256;

/// The file is started anew when it has grown to this.
const LARGEST_LOG: u64 = 64 << 20;

/// A running program; dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    started: Instant,
    since: String,
}

impl Process {
    /// Starts a program whose output is added to a file.
    pub fn start(mut command: Command, log: &Path) -> Result<Self, LabError> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(|error| LabError::file("open", log, error))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| LabError::system("start a pod's program", error))?;
        let (lines, written) = mpsc::channel(PENDING_LINES);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(read(stdout, "stdout", lines.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(read(stderr, "stderr", lines));
        }
        tokio::spawn(write(written, tokio::fs::File::from_std(file)));
        Ok(Self {
            child,
            started: Instant::now(),
            since: now(),
        })
    }

    /// The process's number, while it runs.
    pub fn id(&self) -> Option<i32> {
        i32::try_from(self.child.id()?).ok()
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// When it was started, RFC 3339.
    pub fn since(&self) -> &str {
        &self.since
    }

    /// Waits for a program's end, and gives its exit code; for ever where there is none.
    pub async fn ended(process: &mut Option<Self>) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        match process {
            None => std::future::pending().await,
            Some(process) => match process.child.wait().await {
                Ok(status) => status
                    .code()
                    .or_else(|| Some(128 + status.signal()?))
                    .unwrap_or(255),
                Err(_) => 255,
            },
        }
    }
}

/// Reads lines, and marks each as container runtimes do: the time, the stream, and that it is whole.
async fn read(from: impl AsyncRead + Unpin, stream: &'static str, lines: mpsc::Sender<Vec<u8>>) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = format!("{:.9} {stream} F ", jiff::Timestamp::now()).into_bytes();
        match from.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

async fn write(mut lines: mpsc::Receiver<Vec<u8>>, mut file: tokio::fs::File) {
    let mut length = 0;
    while let Some(line) = lines.recv().await {
        length += line.len() as u64;
        if length > LARGEST_LOG && file.set_len(0).await.is_ok() {
            length = 0;
        }
        if file.write_all(&line).await.is_err() || file.flush().await.is_err() {
            // The program must not wait for a full disk.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
