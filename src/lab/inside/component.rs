//! A program that is to run: started, and started again when it ends by itself.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::log::Log;

/// How long to wait before a program that ended is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// Ends after which a program is not expected to run any more; it is still started again.
const HOPELESS: u32 = 4;

/// What is said of a program that does not stay: nothing so far, or why.
pub type Alarm = watch::Sender<Option<String>>;

/// A running program of the control plane.
#[derive(Debug)]
pub struct Component {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Component {
    /// Starts a program, with its output in `FOLDER/NAME.log`.
    ///
    /// One that ends again and again raises the alarm.
    pub fn start(program: PathBuf, arguments: Vec<String>, folder: &Path, log: &Log, alarm: &Alarm) -> Self {
        let name = program
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let output = folder.join(format!("{name}.log"));
        let home = folder.to_owned();
        let (log, alarm) = (log.clone(), alarm.clone());
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut ends = 0;
            loop {
                let why = tokio::select! {
                    why = run(&program, &arguments, &home, &output) => why,
                    _ = &mut stopped => return,
                };
                log.say(format!("{} {why}", output.display()));
                ends += 1;
                if ends == HOPELESS {
                    alarm.send_replace(Some(format!("{name} {why}, {ends} times by now")));
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    _ = &mut stopped => return,
                }
            }
        });
        Self { stop, task }
    }

    /// Kills the program, and waits until it is gone.
    pub async fn stop(self) {
        // The task ends only when told to, and takes the program with it.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// Runs a program to its end, and says how it ended. Dropping this kills the program.
async fn run(program: &Path, arguments: &[String], home: &Path, output: &Path) -> String {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(output);
    let (stdout, stderr) = match file.and_then(|file| Ok((file.try_clone()?, file))) {
        Ok(files) => files,
        Err(error) => return format!("cannot be written: {error}"),
    };
    let spawned = Command::new(program)
        .args(arguments)
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .kill_on_drop(true)
        .spawn();
    match spawned {
        Ok(mut child) => match child.wait().await {
            Ok(status) => format!("ended by itself: {status}"),
            Err(error) => format!("was lost: {error}"),
        },
        Err(error) => format!("cannot be started: {error}"),
    }
}
