//! What `KUBECONFIG` may hold: files that are there and files that are not, nothing between two
//! colons, the same file twice and in two ways, folders, paths from here and from the root.

use std::path::Path;

use crate::bytes::file;
use crate::random::Random;

/// A list, and the files that are in a folder for it.
pub struct List {
    /// Their names and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// What `KUBECONFIG` holds; nothing where it is not set.
    pub variable: Option<String>,
}

/// The list of a seed. Its paths start at the folder.
pub fn list(seed: u64, folder: &Path) -> List {
    let random = &mut Random::new(seed);
    let mut files = Vec::new();
    let mut entries: Vec<String> = Vec::new();
    let count = random.pick(&[1, 1, 1, 1, 1, 2, 2, 3, 4]);
    for index in 0..count {
        let name = format!("{}{index}", random.pick(&["f", "sub/f", "a b/c'", ".hidden/ü"]));
        files.push((name.clone(), file(random)));
        entries.push(match random.below(4) {
            0 => folder.join(&name).to_str().unwrap().to_owned(),
            1 => format!("./{name}"),
            _ => name,
        });
    }
    for _ in 0..random.pick(&[0, 0, 0, 1, 2]) {
        let more = match random.below(40) {
            0..=12 => "missing".to_owned(),
            13..=22 => String::new(),
            23..=34 => entries[random.below(entries.len())].clone(),
            35 => ".".to_owned(),
            36 => format!("{}/beyond", files[0].0),
            37 => "no/such/folder".to_owned(),
            38 => " ".to_owned(),
            _ => "../x".to_owned(),
        };
        let at = random.below(entries.len() + 1);
        entries.insert(at, more);
    }
    let variable = match random.below(30) {
        0 => {
            files.push((".kube/config".to_owned(), file(random)));
            random.pick(&[None, Some("")]).map(str::to_owned)
        }
        1 => {
            files.push((".kube/.kubeconfig".to_owned(), file(random)));
            None
        }
        2 => random
            .pick(&[Some(":"), Some("missing"), Some("missing:other"), None])
            .map(str::to_owned),
        _ => Some(entries.join(":")),
    };
    List { files, variable }
}
