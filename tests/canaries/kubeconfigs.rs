//! Kubeconfigs made wrong, in process: loaded, listed, turned into connections; whatever is said
//! of them, and whatever of them can be printed for debugging, holds no canary.

use std::path::Path;

use stolos::error::Error;
use stolos::host::kubeconfig::{ConnectionOptions, Kubeconfigs, Sources};

use crate::chance::Chance;
use crate::known::Known;
use crate::mutation::wrong_text;
use crate::verdict::Verdict;
use crate::{panics, reach, seeds};

pub const INPUTS: u64 = 3_200;
const SEED: u64 = 0x6b75_6265;

#[test]
fn kubeconfigs_made_wrong_say_nothing() {
    let mut known = Known::new(SEED);
    let sound = seeds::kubeconfig(&mut known, "https://127.0.0.1:1");
    let token_file = known.canary("a token file");
    let verdict = Verdict::new(&known);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("token-file"), format!("{token_file}\n")).unwrap();
    let (wrong, other) = (folder.path().join("wrong"), folder.path().join("other"));
    std::fs::write(&other, sound.to_string()).unwrap();
    let said_of_the_sound_one = said_of(&Sources::explicit(&other), true, &runtime);
    assert!(
        said_of_the_sound_one.contains("at-by-proxy"),
        "the sound one is read: {said_of_the_sound_one}"
    );
    verdict.look_strictly("the sound kubeconfig", said_of_the_sound_one.as_bytes());
    for number in 0..INPUTS {
        let mut chance = Chance::new(SEED + number);
        let bytes = wrong_text(&sound, &mut chance, &seeds::is_public);
        std::fs::write(&wrong, &bytes).unwrap();
        let sources = match number % 4 {
            0 => Sources::list(&[&wrong, &other]),
            1 => Sources::list(&[&other, &wrong]),
            _ => Sources::explicit(&wrong),
        };
        let said =
            panics::caught(|| said_of(&sources, number % 40 == 2 && seeds::stays_here(&bytes), &runtime));
        let what = format!("kubeconfig {number} of the seed {SEED:#x}");
        verdict.look(&what, said.as_bytes(), || seeds::public_texts(&bytes));
    }
    verdict.assert_clean();
}

/// How the sources of a test are named.
trait Named {
    fn explicit(path: &Path) -> Self;
    fn list(paths: &[&Path]) -> Self;
}

impl Named for Sources {
    fn explicit(path: &Path) -> Self {
        Self {
            explicit: Some(path.to_owned()),
            ..Self::default()
        }
    }

    fn list(paths: &[&Path]) -> Self {
        Self {
            list: Some(std::env::join_paths(paths).unwrap()),
            ..Self::default()
        }
    }
}

fn said_of_error(error: impl std::fmt::Display + std::fmt::Debug + Into<Error>) -> String {
    let mut said = format!("{error}\n{error:?}\n{error:#?}\n");
    let shown: Error = error.into();
    said.push_str(&format!("{shown}\n{shown:?}\n"));
    said
}

/// Everything that is said of kubeconfigs.
fn said_of(sources: &Sources, connects: bool, runtime: &tokio::runtime::Runtime) -> String {
    let kubeconfigs = match Kubeconfigs::from_sources(sources) {
        Ok(kubeconfigs) => kubeconfigs,
        Err(error) => return said_of_error(error),
    };
    let contexts = kubeconfigs.contexts();
    let mut said = format!(
        "{kubeconfigs:?}\n{contexts:?}\n{}\n",
        serde_json::to_string(&contexts).unwrap()
    );
    said.push_str(&said_of_error(kubeconfigs.no_context("no such")));
    let options = ConnectionOptions::default();
    for context in &contexts {
        let connection = match runtime.block_on(kubeconfigs.connection(&context.name, &options)) {
            Ok(connection) => connection,
            Err(error) => {
                said.push_str(&said_of_error(error));
                continue;
            }
        };
        said.push_str(&format!(
            "{}\n{}\n{}\n",
            connection.server, connection.authority_pem, connection.tls_server_name
        ));
        said.push_str(&format!("{:?}\n", connection.endpoint));
        let endpoint = &connection.endpoint;
        let is_here = endpoint.url.host() == Some("127.0.0.1")
            && endpoint
                .proxy
                .as_ref()
                .is_none_or(|proxy| proxy.host() == Some("127.0.0.1"));
        // A plugin would be run.
        if connects && is_here && !context.user.starts_with("exec") {
            let client = reach::client(connection, &context.name);
            said.push_str(&format!("{} {}\n", client.server(), client.authority()));
            let answer = runtime.block_on(client.get("/version", "version"));
            said.push_str(&format!("{answer:?}\n"));
            if let Err(failure) = answer {
                said.push_str(&format!("{failure}\n"));
            }
        }
    }
    said
}
