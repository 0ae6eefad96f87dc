//! One run of one plugin: bounded in time and in output, and nothing of either is repeated.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use thiserror::Error;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::Plugin;
use super::group::{Groups, Running};
use super::protocol::{self, AnswerError, Issued};

/// More than any credential: a token of an overgrown identity is 16 KiB, a chain of certificates 64.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// How long output is still read after the plugin has ended: a program that it left behind may hold
/// its standard output open for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// By when an interrupt that ended a plugin has been heard here too.
const INTERRUPT: Duration = Duration::from_millis(100);

/// How a plugin is run.
pub(super) struct Invocation<'run> {
    pub plugin: &'run Plugin,
    /// Where its program is.
    pub program: &'run Path,
    /// Whether it has the terminal to itself, to ask and be answered.
    pub asks: bool,
    /// Whether its standard error is seen. It is only where it asks: prompts for a login are written
    /// there, and so are secrets by programs that log what they do.
    pub tells: bool,
    /// How long it may take.
    pub timeout: Duration,
}

/// Why a run gave nothing. Nothing of what the plugin was given or said is in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum RunError {
    #[error("could not be started: {0}")]
    NotStarted(std::io::ErrorKind),
    #[error("ended with exit code {0}")]
    Code(i32),
    #[error("was ended by signal {0}")]
    Signal(i32),
    #[error("could not be waited for: {0}")]
    Lost(std::io::ErrorKind),
    #[error("printed more than any credential is long")]
    TooMuch,
    #[error("gave nothing within {0:?}")]
    TimedOut(Duration),
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// Runs a plugin to its end, and reads what it printed.
pub(super) async fn run(invocation: &Invocation<'_>, groups: &Groups) -> Result<Issued, RunError> {
    let mut child = start(invocation).await.map_err(RunError::NotStarted)?;
    let running = groups.enter(&child, own_group(invocation));
    let ended = timeout(invocation.timeout, output(&mut child)).await;
    if invocation.asks && !matches!(&ended, Ok(Ok((status, _))) if status.success()) {
        // Ctrl-C reaches it as it reaches us: we are to have heard it first.
        tokio::time::sleep(INTERRUPT).await;
    }
    if groups.is_stopping() {
        // Who waits is told of the interrupt, and not of a plugin that it ended.
        std::future::pending::<()>().await;
    }
    match ended {
        Ok(Ok((status, output))) => {
            running.ended();
            success(status)?;
            Ok(protocol::answer(invocation.plugin, &output)?)
        }
        Ok(Err(error)) => Err(stopped(running, &mut child, error).await),
        Err(_) => Err(stopped(running, &mut child, RunError::TimedOut(invocation.timeout)).await),
    }
}

fn own_group(invocation: &Invocation<'_>) -> bool {
    cfg!(unix) && !invocation.asks
}

async fn start(invocation: &Invocation<'_>) -> Result<Child, std::io::ErrorKind> {
    let plugin = invocation.plugin;
    let information = protocol::question(plugin, invocation.asks).ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(invocation.program);
    command
        .args(&plugin.arguments)
        .envs(
            plugin
                .environment
                .iter()
                .map(|(name, value)| (name, value.expose())),
        )
        .env(protocol::INFORMATION, information)
        .stdin(if invocation.asks {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(if invocation.asks && invocation.tells {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .kill_on_drop(true);
    #[cfg(unix)]
    {
        command.arg0(super::lookup::clean(&plugin.command));
        if own_group(invocation) {
            command.process_group(0);
        }
    }
    // A program that is just being replaced is there a moment later.
    let mut tries = 5;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy && tries > 0 => {
                tries -= 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            spawned => return spawned.map_err(|error| error.kind()),
        }
    }
}

/// Waits for the end of the output and of the program.
async fn output(child: &mut Child) -> Result<(ExitStatus, Vec<u8>), RunError> {
    let lost = |error: std::io::Error| RunError::Lost(error.kind());
    let mut output = Vec::new();
    let mut stdout = child
        .stdout
        .take()
        .ok_or(RunError::Lost(std::io::ErrorKind::BrokenPipe))?
        .take(OUTPUT_LIMIT + 1);
    let ended = {
        let read = stdout.read_to_end(&mut output);
        tokio::pin!(read);
        tokio::select! {
            biased;
            end = &mut read => {
                end.map_err(lost)?;
                None
            }
            status = child.wait() => {
                let status = status.map_err(lost)?;
                // What has come by then is judged as it is.
                let _ = timeout(LAST_WORDS, &mut read).await;
                Some(status)
            }
        }
    };
    if u64::try_from(output.len()).is_ok_and(|length| length > OUTPUT_LIMIT) {
        return Err(RunError::TooMuch);
    }
    let status = match ended {
        Some(status) => status,
        None => child.wait().await.map_err(lost)?,
    };
    Ok((status, output))
}

fn success(status: ExitStatus) -> Result<(), RunError> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Err(RunError::Signal(signal));
    }
    match status.code() {
        Some(0) => Ok(()),
        code => Err(RunError::Code(code.unwrap_or(-1))),
    }
}

async fn stopped(running: Running, child: &mut Child, error: RunError) -> RunError {
    running.stop(child).await;
    error
}
