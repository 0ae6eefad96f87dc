//! Panics as text: a panic is a fault by itself, and its message may quote what it stumbled over.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What was said, or what was panicked.
pub fn caught(work: impl FnOnce() -> String) -> String {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(said) => said,
        Err(panic) => {
            let message = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("PANICKED: {}", message.unwrap_or_default())
        }
    }
}
