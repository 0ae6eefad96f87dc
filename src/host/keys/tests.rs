//! Keys against the real openssl, which reads them with other eyes than the library that wrote them.

mod files;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::fleet::{ClusterName, FleetName};
use crate::inventory::Object;
use crate::plan::IntermediateProfile;
use crate::trust::{INTERMEDIATE_DAYS, KeyOnHand, RootOnHand, parse_bundle, verify_chain};

fn now() -> Timestamp {
    // openssl compares with the real clock, so these tests do too.
    Timestamp::now()
}

fn name(text: &str) -> FleetName {
    text.parse().unwrap()
}

fn none() -> Result<Option<Sensitive>, KeyError> {
    Ok(None)
}

fn given(passphrase: &str) -> impl FnOnce() -> Result<Option<Sensitive>, KeyError> {
    let passphrase = Sensitive::new(passphrase);
    move || Ok(Some(passphrase))
}

fn profile(cluster: &str, root: &str) -> IntermediateProfile {
    IntermediateProfile {
        fleet: name("prod"),
        cluster: cluster.parse::<ClusterName>().unwrap(),
        namespace: "istio-system".to_owned(),
        trust_domain: "cluster.local".to_owned(),
        days: INTERMEDIATE_DAYS,
        root_sha256: root.to_owned(),
        secret: Object(serde_json::json!({})),
    }
}

fn openssl(directory: &Path, arguments: &[&str]) -> Output {
    Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("openssl is installed")
}

fn openssl_says(directory: &Path, arguments: &[&str]) -> String {
    let output = openssl(directory, arguments);
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn write(directory: &Path, file: &str, text: &str) -> PathBuf {
    let path = directory.join(file);
    fs::write(&path, text).unwrap();
    path
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_root_and_its_intermediates_verify_with_openssl() {
    let home = TempDir::new().unwrap();
    let store = RootStore::managed(home.path(), &name("prod"));
    assert_eq!(store.inspect(now()), RootOnHand::default());
    let root = store.make(&name("prod"), None, now()).unwrap();
    let on_hand = store.inspect(now());
    assert_eq!(on_hand.sha256(), Some(root.certificate().sha256.as_str()));
    assert_eq!(on_hand.key, KeyOnHand::Plain);
    assert!(on_hand.can_sign() && on_hand.remarks.len() == 1, "{on_hand:?}");

    let root = store.unlock(none).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for cluster in ["east", "west"] {
        let files = root
            .sign_intermediate(&profile(cluster, &root.certificate().sha256), now())
            .unwrap();
        let folder = home.path().join(cluster);
        fs::create_dir(&folder).unwrap();
        write(&folder, "root-cert.pem", &files.root);
        write(&folder, "ca-cert.pem", &files.certificate);
        write(&folder, "cert-chain.pem", &files.chain);
        write(&folder, "ca-key.pem", files.key.expose());
        let verified = openssl_says(
            &folder,
            &[
                "verify",
                "-x509_strict",
                "-CAfile",
                "root-cert.pem",
                "ca-cert.pem",
            ],
        );
        assert_eq!(verified, "ca-cert.pem: OK\n");
        // The key is the certificate's, in the form that Go's ParsePKCS8PrivateKey reads.
        assert!(files.key.expose().starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert_eq!(
            openssl_says(&folder, &["pkey", "-in", "ca-key.pem", "-pubout"]),
            openssl_says(&folder, &["x509", "-in", "ca-cert.pem", "-noout", "-pubkey"])
        );
        let text = openssl_says(&folder, &["x509", "-in", "ca-cert.pem", "-noout", "-text"]);
        for wanted in [
            "Digital Signature, Certificate Sign, CRL Sign",
            "CA:TRUE, pathlen:0",
            "DNS:istiod.istio-system.svc",
            "X509v3 Authority Key Identifier",
            "X509v3 Subject Key Identifier",
        ] {
            assert!(text.contains(wanted), "{wanted} is missing in\n{text}");
        }
        let chain = parse_bundle(&files.chain).unwrap();
        assert_eq!(chain.len(), 2);
        assert_eq!(chain[1].sha256, root.certificate().sha256);
        assert_eq!(
            chain[0].subject,
            format!("O=Istio, OU=prod, CN=Intermediate CA, L={cluster}")
        );
        assert_eq!(chain[0].sha256, files.sha256);
        assert_eq!(key_matches(&files.key, &chain[0]), Some(true));
        assert_eq!(key_matches(&files.key, &chain[1]), Some(false));
        assert!(chain[0].not_before < now() && chain[0].not_after == files.not_after);
        verify_chain(&chain[0], &[], &chain[1..], now()).unwrap();
        seen.insert(chain[0].subject.clone());
        seen.insert(chain[0].serial.clone());
    }
    assert_eq!(
        seen.len(),
        4,
        "subjects and serial numbers are distinct: {seen:?}"
    );
    // The root's key is nowhere in what goes to a cluster.
    let key = fs::read_to_string(home.path().join("prod/root-key.pem")).unwrap();
    let files = root.sign_intermediate(&profile("south", ""), now()).unwrap();
    for line in key.lines().filter(|line| !line.starts_with("-----")) {
        for text in [
            &files.certificate,
            &files.chain,
            &files.root,
            &files.key.expose().to_owned(),
        ] {
            assert!(!text.contains(line));
        }
        assert!(!format!("{root:?}{files:?}").contains(line));
    }
}

#[test]
fn an_intermediate_never_outlives_its_root_and_names_the_root_that_it_wants() {
    let home = TempDir::new().unwrap();
    let start = now();
    let store = RootStore::managed(home.path(), &name("prod"));
    let root = store.make(&name("prod"), None, start).unwrap();
    let late = root.certificate().not_after - SignedDuration::from_hours(24);
    let files = root.sign_intermediate(&profile("east", ""), late).unwrap();
    assert_eq!(files.not_after, root.certificate().not_after);
    let over = root.certificate().not_after + SignedDuration::from_secs(1);
    assert!(matches!(
        root.sign_intermediate(&profile("east", ""), over),
        Err(KeyError::RootNotValid { .. })
    ));
    assert!(store.inspect(over).problem.is_some());
    assert!(matches!(
        root.sign_intermediate(&profile("east", &"0".repeat(64)), start),
        Err(KeyError::AnotherRoot { .. })
    ));
}

#[test]
fn an_encrypted_key_is_openssls_too() {
    let home = TempDir::new().unwrap();
    let secret = "correct horse battery staple";
    let store = RootStore::managed(home.path(), &name("prod"));
    store
        .make(&name("prod"), Some(&Sensitive::new(secret)), now())
        .unwrap();
    let folder = home.path().join("prod");
    let stored = fs::read_to_string(folder.join("root-key.pem")).unwrap();
    assert!(stored.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert_eq!(store.inspect(now()).key, KeyOnHand::Encrypted);
    assert!(store.inspect(now()).remarks.is_empty());

    write(&folder, "passphrase", &format!("{secret}\n"));
    assert_eq!(
        openssl_says(
            &folder,
            &[
                "pkey",
                "-in",
                "root-key.pem",
                "-passin",
                "file:passphrase",
                "-pubout"
            ]
        ),
        openssl_says(&folder, &["x509", "-in", "root-cert.pem", "-noout", "-pubkey"])
    );
    let wrong = openssl(
        &folder,
        &["pkey", "-in", "root-key.pem", "-passin", "pass:no", "-noout"],
    );
    assert!(!wrong.status.success());

    let passphrase = passphrase_from_file(&folder.join("passphrase")).unwrap();
    assert_eq!(passphrase.expose(), secret);
    assert!(store.unlock(given(secret)).is_ok());
    for attempt in ["wrong", "", "correct horse battery staple "] {
        let error = store.unlock(given(attempt)).unwrap_err();
        assert!(matches!(error, KeyError::WrongPassphrase { .. }), "{error:?}");
        let shown = crate::error::Error::from(error);
        assert!(!format!("{shown:?}").contains(secret));
    }
    assert!(matches!(
        store.unlock(none),
        Err(KeyError::PassphraseWanted { .. })
    ));
    write(&folder, "empty", "\n");
    assert!(matches!(
        passphrase_from_file(&folder.join("empty")),
        Err(KeyError::EmptyPassphrase { .. })
    ));
}

#[cfg(unix)]
#[test]
fn only_the_user_can_read_a_root() {
    let home = TempDir::new().unwrap();
    let trust = home.path().join("stolos/trust");
    let store = RootStore::managed(&trust, &name("prod"));
    store.make(&name("prod"), None, now()).unwrap();
    for (path, wanted) in [
        ("stolos/trust", 0o700),
        ("stolos/trust/prod", 0o700),
        ("stolos/trust/prod/root-key.pem", 0o600),
        ("stolos/trust/prod/root-cert.pem", 0o600),
    ] {
        assert_eq!(mode(&home.path().join(path)), wanted, "{path}");
    }
    let mut left: Vec<_> = fs::read_dir(&trust)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, [".lock", "prod"]);
    let key = trust.join("prod/root-key.pem");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let remarks = store.inspect(now()).remarks.join("\n");
    assert!(remarks.contains("chmod 600"), "{remarks}");
}

#[test]
fn a_root_is_never_overwritten() {
    let home = TempDir::new().unwrap();
    let store = RootStore::managed(home.path(), &name("prod"));
    store.make(&name("prod"), None, now()).unwrap();
    let before = fs::read(home.path().join("prod/root-key.pem")).unwrap();
    let again = store.make(&name("prod"), None, now()).unwrap_err();
    assert!(matches!(again, KeyError::AlreadyStored { .. }), "{again:?}");
    assert_eq!(fs::read(home.path().join("prod/root-key.pem")).unwrap(), before);

    // Neither where only a part is left: the key may lie in a safe.
    fs::remove_file(home.path().join("prod/root-key.pem")).unwrap();
    assert!(store.make(&name("prod"), None, now()).is_err());
    let on_hand = store.inspect(now());
    assert!(on_hand.certificate.is_some() && !on_hand.can_sign());
    assert!(matches!(store.unlock(none), Err(KeyError::NoKey { .. })));

    // What a killed run left is taken away; an empty directory is not a root.
    let other = RootStore::managed(home.path(), &name("other"));
    fs::create_dir(home.path().join("other")).unwrap();
    fs::create_dir(home.path().join(".other.unfinished")).unwrap();
    write(&home.path().join(".other.unfinished"), "root-key.pem", "half");
    other.make(&name("other"), None, now()).unwrap();
    assert!(!home.path().join(".other.unfinished").exists());
}

#[test]
fn of_many_that_race_to_make_a_root_one_wins() {
    let home = TempDir::new().unwrap();
    let store = RootStore::managed(home.path(), &name("prod"));
    let barrier = std::sync::Barrier::new(8);
    let winners: Vec<String> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    store.make(&name("prod"), None, now())
                })
            })
            .collect();
        racers
            .into_iter()
            .filter_map(|racer| match racer.join().unwrap() {
                Ok(root) => Some(root.certificate().sha256.clone()),
                Err(KeyError::AlreadyStored { .. }) => None,
                Err(error) => panic!("{error:?}"),
            })
            .collect()
    });
    assert_eq!(winners.len(), 1);
    // Key and certificate are of the same run.
    assert_eq!(store.unlock(none).unwrap().certificate().sha256, winners[0]);
}
