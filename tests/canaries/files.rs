//! Files of this machine made wrong, in process: fleet files, of which Istio's values may hold a
//! secret, root keys, root certificates and passphrases.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use stolos::error::Error;
use stolos::fleet::{Fleet, FleetName, check};
use stolos::host::keys::{KeyError, RootStore, passphrase_from_file};
use stolos::host::sensitive::Sensitive;

use crate::chance::Chance;
use crate::known::Known;
use crate::mutation::{make_bytes_wrong, wrong_text};
use crate::verdict::Verdict;
use crate::{panics, seeds};

const SEED: u64 = 0x6669_6c65;
pub const FLEETS: u64 = 1_000;
pub const KEYS: u64 = 500;

/// A fleet file with secrets among Istio's values.
pub fn fleet(known: &mut Known) -> Value {
    let mut values = |what: &str| {
        json!({"global": {"imagePullSecret": known.canary(&format!("a value of {what}"))},
            "pilot": {"env": {"TOKEN": known.crooked(&format!("a variable in the values of {what}"))}},
            "list": [known.canary(&format!("an item in the values of {what}"))]})
    };
    json!({"apiVersion": "stolos.dev/v1alpha1", "kind": "Fleet", "metadata": {"name": "prod"}, "spec": {
        "mesh": {"values": values("the mesh")},
        "clusters": [
            {"name": "east", "network": "net-east", "istio": {"values": values("east")}},
            {"name": "west", "network": "net-west", "istio": {"values": values("west")}}],
        "trust": {"root": "managed"}}})
}

/// All fields but those in values are shown.
pub fn is_public(field: &str) -> bool {
    ![
        "values",
        "global",
        "pilot",
        "env",
        "list",
        "imagePullSecret",
        "TOKEN",
    ]
    .contains(&field)
}

/// The names in what was a fleet file: one whose end was lost, or into which a part of the text
/// was copied, is its owner's word.
fn names(text: &str) -> String {
    let after = |field: &'static str| {
        text.match_indices(field)
            .map(|(at, _)| text[at..].chars().take(48).collect::<String>())
    };
    after("name").chain(after("network")).collect()
}

#[test]
fn fleet_files_made_wrong_say_nothing_of_values() {
    let mut known = Known::new(SEED);
    let sound = fleet(&mut known);
    let verdict = Verdict::new(&known);
    assert!(check::read(&sound.to_string()).is_ok());
    let mut refused = 0;
    for number in 0..FLEETS {
        let mut chance = Chance::new(SEED + number);
        let bytes = wrong_text(&sound, &mut chance, &is_public);
        let text = String::from_utf8_lossy(&bytes);
        let said = panics::caught(|| match check::read(&text) {
            Ok(_) => String::new(),
            Err(error) => format!("{error}\n{error:?}\n{:?}", error.hint()),
        });
        refused += usize::from(!said.is_empty());
        let what = format!("fleet file {number} of the seed {SEED:#x}");
        verdict.look(&what, said.as_bytes(), || names(&text));
    }
    verdict.assert_clean();
    assert!(refused > 300, "{refused} were refused");
}

/// Unlocks what may be a root, and gives everything that is said of it.
fn said_of_root(store: &RootStore, passphrase: Option<&Sensitive>) -> String {
    let now = Timestamp::now();
    let on_hand = store.inspect(now);
    let mut said = format!("{on_hand:?}\n{store:?}\n");
    match store.unlock(|| Ok::<_, KeyError>(passphrase.cloned())) {
        Ok(root) => said.push_str(&format!("{:?}", root.certificate())),
        Err(error) => said.push_str(&said_of(error)),
    }
    said
}

fn said_of(error: KeyError) -> String {
    let said = format!("{error}\n{error:?}\n");
    let shown: Error = error.into();
    format!("{said}{shown}\n{shown:?}\n")
}

#[test]
fn root_keys_made_wrong_say_nothing() {
    let mut known = Known::new(SEED);
    let passphrase = known.crooked("the root's passphrase");
    let wrong = known.canary("a wrong passphrase");
    let folder = tempfile::TempDir::new().unwrap();
    let name: FleetName = "prod".parse().unwrap();
    let made = |directory: &str, passphrase: Option<&Sensitive>| {
        let directory = folder.path().join(directory);
        RootStore::managed(&directory, &name)
            .make(&name, passphrase, Timestamp::now())
            .unwrap();
        let read = |file: &str| std::fs::read_to_string(directory.join("prod").join(file)).unwrap();
        (read("root-cert.pem"), read("root-key.pem"))
    };
    let (certificate, key) = made("plain", None);
    let (locked_certificate, locked_key) = made("locked", Some(&Sensitive::new(passphrase.clone())));
    known.add_key("the root's key", &key);
    let other = known.pem("what is no key", "RSA PRIVATE KEY");
    let verdict = Verdict::new(&known);
    let text = "{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {name: prod}, spec: {clusters: [], \
        trust: {root: files, certificateFile: cert.pem, keyFile: key.pem}}}";
    let fleet: Fleet = stolos::yaml::from_str(text).unwrap();
    let store = RootStore::of(&fleet, folder.path(), Path::new("nowhere"));
    let write = |file: &str, bytes: &[u8]| std::fs::write(folder.path().join(file), bytes).unwrap();

    write("cert.pem", locked_certificate.as_bytes());
    write("key.pem", locked_key.as_bytes());
    for given in [None, Some(&wrong), Some(&passphrase)] {
        let given = given.map(|given| Sensitive::new(given.clone()));
        let said = said_of_root(&store, given.as_ref());
        verdict.look_strictly("an encrypted key", said.as_bytes());
    }
    for number in 0..KEYS {
        let mut chance = Chance::new(SEED + number);
        // A key where the certificate belongs, both in one file, and the other way round.
        let (one, two) = match chance.below(8) {
            0 => (key.clone(), certificate.clone()),
            1 => (format!("{certificate}{key}"), key.clone()),
            2 => (certificate.clone(), other.clone()),
            3 => (certificate.clone(), format!("{other}{key}")),
            4 => (certificate.clone(), key.replace("PRIVATE KEY", "EC PRIVATE KEY")),
            _ => (certificate.clone(), key.clone()),
        };
        let (mut one, mut two) = (one.into_bytes(), two.into_bytes());
        for _ in 0..chance.below(4) {
            make_bytes_wrong(if chance.once_in(3) { &mut one } else { &mut two }, &mut chance);
        }
        write("cert.pem", &one);
        write("key.pem", &two);
        // One line as it is: whoever mistakes the key's file for the passphrase's.
        let mut words = format!("{passphrase}\n{}", seeds::base64(&wrong)).into_bytes();
        make_bytes_wrong(&mut words, &mut chance);
        write("words", &words);
        let said = panics::caught(|| {
            let mut said = said_of_root(&store, None);
            for file in ["words", "key.pem"] {
                match passphrase_from_file(&folder.path().join(file)) {
                    Ok(read) => said.push_str(&format!("{read:?} {read}\n")),
                    Err(error) => said.push_str(&said_of(error)),
                }
            }
            said
        });
        let what = format!("root {number} of the seed {SEED:#x}");
        verdict.look_strictly(&what, said.as_bytes());
    }
    verdict.assert_clean();
}
