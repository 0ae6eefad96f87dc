//! The process around each measured command: when it began and ended, what CPU time it and all its
//! descendants took, the memory of the largest of them, and when each line of its output came.
//!
//! CPU time and memory are the kernel's own count of the children that ended and were waited for
//! (`getrusage(2)`, `RUSAGE_CHILDREN`). A process of its own per command keeps them apart: the
//! count of memory never goes down within one process. A child is charged with at least this
//! process's own few megabytes, which it shares for a moment before it becomes the program.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

use crate::trouble::{Doing as _, Outcome};

/// What a measured command took, and what it said.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Metered {
    /// From its start to its end, in microseconds.
    pub wall: u64,
    /// CPU time in user mode, of it and of all its descendants, in microseconds.
    pub user: u64,
    /// CPU time in the kernel, of it and of all its descendants, in microseconds.
    pub system: u64,
    /// The largest resident size of any one of them, in KiB.
    pub peak: u64,
    /// Its exit code; none where it was killed.
    pub code: Option<i32>,
    /// Whether it was killed because its time was over.
    pub late: bool,
    /// Its output, line by line.
    pub lines: Vec<Line>,
}

/// A line of output.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// When it was read, in microseconds after the start.
    pub at: u64,
    /// Whether it came on stderr.
    pub error: bool,
    /// The line, without its end.
    pub text: String,
}

/// `meter MILLISECONDS PROGRAM ARGUMENT…`: runs the program for at most so long, and prints what it
/// took as JSON. This process has to be the leader of a process group of its own, which is ended
/// with the program where that is late.
pub fn main(words: &[String]) -> Outcome<ExitCode> {
    let [deadline, program, arguments @ ..] = words else {
        return None.doing("find what to measure");
    };
    let deadline = Duration::from_millis(deadline.parse().doing("read the deadline")?);
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .doing(format!("start {program}"))?;
    let (to, lines) = mpsc::channel();
    for (error, stream) in [
        (
            false,
            child
                .stdout
                .take()
                .map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        ),
        (
            true,
            child
                .stderr
                .take()
                .map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        ),
    ] {
        let stream = stream.doing("open the program's output")?;
        let to = to.clone();
        thread::spawn(move || read(stream, error, begun, &to));
    }
    drop(to);
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        let status = child.wait();
        let _ = ended.send((status, begun.elapsed()));
    });
    let (code, wall, late) = match end.recv_timeout(deadline) {
        Ok((status, wall)) => (status.doing("wait for the program")?.code(), wall, false),
        Err(_) => (None, begun.elapsed(), true),
    };
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).doing("ask what the program took")?;
    let metered = Metered {
        wall: micros(wall),
        user: usage.user_time().num_microseconds().unsigned_abs(),
        system: usage.system_time().num_microseconds().unsigned_abs(),
        peak: usage.max_rss().unsigned_abs(),
        code,
        late,
        // A descendant that outlives the program may hold its output open: that is not awaited.
        lines: if late {
            lines.try_iter().collect()
        } else {
            drain(&lines)
        },
    };
    crate::print(&serde_json::to_string(&metered).doing("write what was measured")?)?;
    if late {
        // Everything in this process's own group, itself as well: all is said.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::KILL);
    }
    Ok(ExitCode::SUCCESS)
}

/// How long the rest of an ended program's output may take to be read.
const LAST_WORDS: Duration = Duration::from_secs(5);

fn drain(lines: &mpsc::Receiver<Line>) -> Vec<Line> {
    let until = Instant::now() + LAST_WORDS;
    let mut all = Vec::new();
    while let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
        all.push(line);
    }
    all
}

fn read(stream: Box<dyn Read + Send>, error: bool, begun: Instant, to: &mpsc::Sender<Line>) {
    let mut stream = BufReader::new(stream);
    let mut bytes = Vec::new();
    while matches!(stream.read_until(b'\n', &mut bytes), Ok(length) if length > 0) {
        let line = Line {
            at: micros(begun.elapsed()),
            error,
            text: String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned(),
        };
        bytes.clear();
        if to.send(line).is_err() {
            return;
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Metered {
    /// CPU time in seconds.
    pub fn cpu(&self) -> f64 {
        (self.user + self.system) as f64 / 1e6
    }

    /// Wall time in seconds.
    pub fn seconds(&self) -> f64 {
        self.wall as f64 / 1e6
    }

    /// The largest process, in MB of a million bytes.
    pub fn megabytes(&self) -> f64 {
        self.peak as f64 * 1024.0 / 1e6
    }

    /// Whether it ended by itself, and well.
    pub fn is_good(&self) -> bool {
        self.code == Some(0)
    }

    /// What it wrote to stdout.
    pub fn stdout(&self) -> String {
        self.text(false)
    }

    /// How it ended and the last that it said, for a report.
    pub fn end(&self) -> String {
        let how = match (self.late, self.code) {
            (true, _) => "ended after its time was over".to_owned(),
            (false, Some(code)) => format!("exit code {code}"),
            (false, None) => "killed".to_owned(),
        };
        let said = self.text(true);
        let lines = || said.lines().filter(|line| !line.trim().is_empty());
        let error = lines().find(|line| line.to_lowercase().starts_with("error"));
        match error.or_else(|| lines().next_back()) {
            Some(line) => format!("{how}: {}", line.chars().take(300).collect::<String>()),
            None => how,
        }
    }

    fn text(&self, error: bool) -> String {
        let lines = self.lines.iter().filter(|line| line.error == error);
        lines.flat_map(|line| [line.text.as_str(), "\n"]).collect()
    }
}
