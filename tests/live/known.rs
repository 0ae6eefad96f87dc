//! Known secrets, and the search for them in whatever was said or written.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Secrets by what they are, in every form in which they could be shown.
#[derive(Default)]
pub struct Known {
    forms: Vec<(String, Vec<u8>)>,
    /// The forms by how they begin.
    beginnings: HashMap<[u8; BEGINNING], Vec<usize>>,
}

const BEGINNING: usize = 8;

impl Known {
    /// A secret text: as it is, and within anything that is base64.
    pub fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 16, "{what} is too short to be told from chance");
        self.add_form(what.to_owned(), secret.as_bytes());
        // Three bytes are four characters: there are three ways for a text to lie in base64, of
        // which the characters at both ends depend on what is beside it.
        for before in 0..3 {
            let padded = [&b"///"[..before], secret.as_bytes()].concat();
            let whole = padded.len() / 3 * 4;
            let encoded = &STANDARD.encode(padded)[..whole];
            let skipped = if before == 0 { 0 } else { 4 };
            self.add_form(format!("{what} in base64"), &encoded.as_bytes()[skipped..]);
        }
    }

    fn add_form(&mut self, what: String, form: &[u8]) {
        let beginning = form.first_chunk().expect("forms are longer");
        let forms = self.beginnings.entry(*beginning).or_default();
        forms.push(self.forms.len());
        self.forms.push((what, form.to_vec()));
    }

    /// A private key in PEM: each of its lines, and the file as it lies in a Secret or a kubeconfig.
    pub fn add_key(&mut self, what: &str, pem: &str) {
        assert!(pem.contains("PRIVATE KEY"), "{what} is a key");
        let body = pem
            .lines()
            .filter(|line| !line.starts_with("-----") && line.len() >= 16);
        for (number, line) in body.enumerate() {
            self.add(&format!("line {number} of {what}"), line);
        }
    }

    /// A token: the whole of it, and what proves it.
    pub fn add_token(&mut self, what: &str, token: &str) {
        self.add(what, token);
        if let [_, _, signature] = token.split('.').collect::<Vec<_>>()[..] {
            self.add(&format!("the signature of {what}"), signature);
        }
    }

    /// What is found in a text.
    pub fn within(&self, text: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for at in 0..text.len() {
            let Some(beginning) = text[at..].first_chunk() else {
                break;
            };
            for index in self.beginnings.get(beginning).into_iter().flatten() {
                let (what, form) = &self.forms[*index];
                if text[at..].starts_with(form) {
                    found.insert(what.as_str());
                }
            }
        }
        found
    }

    /// Fails where a text holds a secret.
    #[track_caller]
    pub fn assert_absent(&self, place: &str, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let found = self.within(text);
        assert!(
            found.is_empty(),
            "{place} shows {found:?}: {}",
            String::from_utf8_lossy(text)
        );
    }

    /// Fails where a file below a folder holds a secret, and says how many files there are.
    #[track_caller]
    pub fn assert_absent_below(&self, folder: &Path) -> usize {
        let mut files = 0;
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                files += self.assert_absent_below(&path);
            } else if path.is_file() {
                files += 1;
                let content = std::fs::read(&path).expect("it can be read");
                self.assert_absent(&path.display().to_string(), content);
            }
        }
        files
    }
}

/// Looks at the arguments of all processes of the machine, again and again.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<Vec<u8>>>,
}

impl Watch {
    pub fn begin() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                let processes = std::fs::read_dir("/proc").expect("it is there");
                seen.extend(
                    processes
                        .flatten()
                        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok()),
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            seen
        });
        Self { stop, thread }
    }

    /// All command lines that were seen.
    pub fn end(self) -> BTreeSet<Vec<u8>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch ends well")
    }
}
