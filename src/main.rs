//! Arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(stolos::cli::main(std::env::args_os()))
}
