//! The answer on its way to stdout. A reader who has seen enough ends it, and that is no failure.

use std::io::{self, BufWriter, ErrorKind as Io, StdoutLock, Write};

use crate::error::{Error, Result};

/// So much is held back before it is written.
const HELD_BACK: usize = 64 * 1024;

/// An answer that is being written.
pub struct Answer {
    stdout: BufWriter<StdoutLock<'static>>,
    /// Why it could not be written any further.
    failure: Option<io::Error>,
}

impl Answer {
    /// Begins an answer.
    pub fn begin() -> Self {
        Self {
            stdout: BufWriter::with_capacity(HELD_BACK, io::stdout().lock()),
            failure: None,
        }
    }

    /// Ends it, and says what became of it: what stdout did comes before what the writer made of that.
    pub fn end(mut self, written: Result<()>) -> Result<()> {
        // What comes of it is remembered.
        let _ = self.flush();
        match self.failure {
            None => written,
            // The reader has seen enough, as with `stolos status | head`.
            Some(error) if error.kind() == Io::BrokenPipe => Ok(()),
            Some(error) => Err(Error::request(format!("write the answer to stdout: {error}"))),
        }
    }

    fn remember<T>(&mut self, outcome: io::Result<T>) -> io::Result<T> {
        outcome.map_err(|error| {
            let kind = error.kind();
            self.failure.get_or_insert(error);
            kind.into()
        })
    }
}

impl Write for Answer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let outcome = self.stdout.write(bytes);
        // Whoever writes goes on after an interruption.
        if matches!(&outcome, Err(error) if error.kind() == Io::Interrupted) {
            return outcome;
        }
        self.remember(outcome)
    }

    fn flush(&mut self) -> io::Result<()> {
        let outcome = self.stdout.flush();
        self.remember(outcome)
    }
}
