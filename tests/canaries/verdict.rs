//! What was found where, gathered over all inputs: a leak is told by its canary and its input,
//! with what was said, in which the canary itself is blotted out.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::known::Known;

/// Leaks that are told whole.
const TOLD: usize = 12;

/// The finds so far.
pub struct Verdict<'known> {
    known: &'known Known,
    looked: RefCell<usize>,
    /// By what leaked: the first input and how many others.
    leaks: RefCell<BTreeMap<String, (String, usize)>>,
}

impl<'known> Verdict<'known> {
    pub fn new(known: &'known Known) -> Self {
        Self {
            known,
            looked: RefCell::new(0),
            leaks: RefCell::default(),
        }
    }

    /// Looks for canaries in what was said of an input; `public` gives a text that holds those that may be shown.
    pub fn look(&self, input: &str, said: &[u8], public: impl FnOnce() -> String) {
        *self.looked.borrow_mut() += 1;
        let found = self.known.within(said);
        let panicked = said.windows(9).any(|part| part == b"PANICKED:");
        if found.is_empty() && !panicked {
            return;
        }
        let public = public();
        let allowed = self.known.within(public.as_bytes());
        let found: BTreeSet<&str> = found.difference(&allowed).copied().collect();
        if found.is_empty() && !panicked {
            return;
        }
        let lines: Vec<String> = said
            .split(|byte| *byte == b'\n')
            .filter(|line| {
                line.starts_with(b"PANICKED:")
                    || self.known.within(line).iter().any(|what| found.contains(what))
            })
            .take(3)
            .map(|line| self.known.blotted(line))
            .collect();
        let told = format!("{input}:\n    {}", lines.join("\n    "));
        let mut leaks = self.leaks.borrow_mut();
        let key = found.into_iter().collect::<Vec<_>>().join(", ");
        leaks.entry(key).or_insert((told, 0)).1 += 1;
    }

    /// Looks for canaries where none may be.
    pub fn look_strictly(&self, input: &str, said: &[u8]) {
        self.look(input, said, String::new);
    }

    /// Fails where anything leaked.
    #[track_caller]
    pub fn assert_clean(&self) {
        let leaks = self.leaks.borrow();
        assert!(*self.looked.borrow() > 0, "nothing was looked at");
        let told: Vec<String> = leaks
            .iter()
            .take(TOLD)
            .map(|(what, (told, times))| format!("{what}: {times} times, first in {told}"))
            .collect();
        assert!(
            leaks.is_empty(),
            "{} leaks in {} inputs:\n{}",
            leaks.len(),
            self.looked.borrow(),
            told.join("\n")
        );
    }
}
