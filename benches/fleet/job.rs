//! Commands that are measured, in turn with the others that they are compared with.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::meter::Metered;
use crate::statistics::{median, seconds, times};
use crate::trouble::{Doing as _, Outcome};

/// A command that is measured.
#[derive(Debug, Clone)]
pub struct Job {
    /// What the report calls it.
    pub name: String,
    program: OsString,
    arguments: Vec<OsString>,
    environment: BTreeMap<String, OsString>,
    directory: PathBuf,
    deadline: Duration,
}

impl Job {
    /// A command in a directory, with nothing in its environment but a home and a `PATH`.
    pub fn new(name: impl Into<String>, program: impl Into<OsString>, home: &Path, path: &str) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            environment: BTreeMap::from([("HOME".to_owned(), home.into()), ("PATH".to_owned(), path.into())]),
            directory: home.to_owned(),
            deadline: Duration::from_secs(600),
        }
    }

    /// By another name.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// With these arguments.
    pub fn arguments<S: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// With a variable in its environment.
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// With a time after which it is ended.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs it once.
    ///
    /// # Errors
    ///
    /// Where it could not be measured; a command that fails is a measurement.
    pub fn run(&self) -> Outcome<Metered> {
        let doing = format!("measure {}", self.name);
        let itself = std::env::current_exe().doing("find this program")?;
        let output = Command::new(itself)
            .arg("meter")
            .arg(self.deadline.as_millis().to_string())
            .arg(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.directory)
            // The meter ends its group when the time is over.
            .process_group(0)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .doing(&doing)?;
        serde_json::from_slice(&output.stdout).doing(doing)
    }
}

/// All runs of one command.
#[derive(Debug, Default)]
pub struct Runs {
    /// What the report calls it.
    pub name: String,
    /// Those that did what they were to do.
    pub good: Vec<Metered>,
    /// Why each of the others did not.
    pub bad: Vec<String>,
}

impl Runs {
    /// The median of something over the good runs.
    pub fn median(&self, of: fn(&Metered) -> f64) -> Option<f64> {
        median(self.good.iter().map(of))
    }

    /// Wall time in seconds.
    pub fn wall(&self) -> Option<f64> {
        self.median(Metered::seconds)
    }

    /// CPU time in seconds.
    pub fn cpu(&self) -> Option<f64> {
        self.median(Metered::cpu)
    }

    /// The largest process in MB.
    pub fn memory(&self) -> Option<f64> {
        self.median(Metered::megabytes)
    }

    /// The columns of [`Runs::cells`].
    pub const HEAD: [&str; 8] = [
        "who",
        "wall",
        "ours is faster",
        "client CPU",
        "ours takes less",
        "largest process",
        "range of wall",
        "good runs",
    ];

    /// A row of a table, compared with ours.
    pub fn cells(&self, ours: &Self) -> Vec<String> {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let compared = |one: Option<f64>, other: Option<f64>| {
            if std::ptr::eq(self, ours) {
                return "1".to_owned();
            }
            or_none(one.zip(other).map(|(one, other)| times(one, other)))
        };
        let walls = || self.good.iter().map(Metered::seconds);
        let range = walls().min_by(f64::total_cmp).zip(walls().max_by(f64::total_cmp));
        vec![
            self.name.clone(),
            or_none(self.wall().map(seconds)),
            compared(self.wall(), ours.wall()),
            or_none(self.cpu().map(seconds)),
            compared(self.cpu(), ours.cpu()),
            or_none(self.memory().map(|size| format!("{size:.0} MB"))),
            or_none(range.map(|(low, high)| format!("{}–{}", seconds(low), seconds(high)))),
            format!("{} of {}", self.good.len(), self.good.len() + self.bad.len()),
        ]
    }

    /// How many times longer the median of this is than ours; none where either is missing.
    pub fn against(&self, ours: &Self, of: fn(&Self) -> Option<f64>) -> Option<f64> {
        Some(of(self)? / of(ours)?)
    }

    /// What is to be said of the runs that failed; none where none did.
    pub fn complaint(&self) -> Option<String> {
        let first = self.bad.first()?;
        Some(format!(
            "{}: {} of its runs failed; the first: {first}",
            self.name,
            self.bad.len()
        ))
    }
}

/// Runs commands in turn, so often; who is first changes from round to round. `before` prepares a
/// run, `after` judges it; neither is measured.
///
/// # Errors
///
/// Where a run could not be prepared, measured or judged. One that was judged to have failed is
/// among the bad ones.
pub fn in_turn(
    jobs: &[Job],
    rounds: u16,
    mut before: impl FnMut(&Job) -> Outcome<()>,
    mut after: impl FnMut(&Job, &Metered) -> Outcome<Result<(), String>>,
) -> Outcome<Vec<Runs>> {
    let mut all: Vec<Runs> = jobs
        .iter()
        .map(|job| Runs {
            name: job.name.clone(),
            ..Runs::default()
        })
        .collect();
    for round in 0..usize::from(rounds) {
        for turn in 0..jobs.len() {
            let index = (round + turn) % jobs.len();
            let (job, runs) = (&jobs[index], &mut all[index]);
            before(job)?;
            let metered = job.run()?;
            let said = format!(
                "  round {}: {}: {}, CPU {}",
                round + 1,
                job.name,
                seconds(metered.seconds()),
                seconds(metered.cpu())
            );
            match after(job, &metered)? {
                Ok(()) => {
                    crate::say(&said);
                    runs.good.push(metered);
                }
                Err(why) => {
                    crate::say(&format!("{said}: FAILED: {why}"));
                    runs.bad.push(why);
                }
            }
        }
    }
    Ok(all)
}

/// Judges a run by its exit code alone.
pub fn by_exit_code(metered: &Metered) -> Result<(), String> {
    if metered.is_good() {
        Ok(())
    } else {
        Err(metered.end())
    }
}
