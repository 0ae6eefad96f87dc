//! Roots in files of the user's own: every form that openssl writes, and what cannot be a root.

use super::*;
use crate::fleet::Fleet;

/// A fleet whose root is two files.
fn files_fleet(certificate: &str, key: Option<&str>) -> Fleet {
    let key = key.map_or(String::new(), |key| format!(", keyFile: {key}"));
    crate::yaml::from_str(&format!(
        "{{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {{name: prod}}, spec: {{clusters: [], \
         trust: {{root: files, certificateFile: {certificate}{key}}}}}}}"
    ))
    .unwrap()
}

fn self_signed(folder: &Path, key: &str, certificate: &str, extensions: &[&str]) {
    let mut arguments = vec![
        "req",
        "-x509",
        "-new",
        "-key",
        key,
        "-out",
        certificate,
        "-days",
        "30",
        "-sha256",
    ];
    arguments.extend(["-subj", "/O=Example/OU=one/OU=two/CN=Example root"]);
    for extension in extensions {
        arguments.extend(["-addext", extension]);
    }
    openssl_says(folder, &arguments);
}

#[test]
fn roots_of_every_usual_form_sign() {
    let home = TempDir::new().unwrap();
    let folder = home.path();
    let authority = [
        "basicConstraints=critical,CA:true",
        "keyUsage=critical,keyCertSign",
    ];
    openssl_says(folder, &["genrsa", "-out", "rsa.pem", "2048"]);
    openssl_says(
        folder,
        &["rsa", "-traditional", "-in", "rsa.pem", "-out", "rsa1.pem"],
    );
    openssl_says(
        folder,
        &["ecparam", "-name", "prime256v1", "-genkey", "-out", "ec.pem"],
    );
    openssl_says(
        folder,
        &[
            "ecparam",
            "-name",
            "secp384r1",
            "-genkey",
            "-noout",
            "-out",
            "p384.pem",
        ],
    );
    write(folder, "passphrase", "sesame\n");
    openssl_says(
        folder,
        &[
            "pkcs8",
            "-topk8",
            "-in",
            "ec.pem",
            "-out",
            "encrypted.pem",
            "-v2",
            "aes-256-cbc",
            "-passout",
            "file:passphrase",
        ],
    );
    openssl_says(
        folder,
        &[
            "pkcs8",
            "-topk8",
            "-in",
            "rsa.pem",
            "-out",
            "scrypt.pem",
            "-scrypt",
            "-passout",
            "file:passphrase",
        ],
    );
    for (key, plain, label) in [
        ("rsa.pem", "rsa.pem", "BEGIN PRIVATE KEY"),
        ("rsa1.pem", "rsa.pem", "BEGIN RSA PRIVATE KEY"),
        ("ec.pem", "ec.pem", "BEGIN EC PARAMETERS"),
        ("p384.pem", "p384.pem", "BEGIN EC PRIVATE KEY"),
        ("encrypted.pem", "ec.pem", "BEGIN ENCRYPTED PRIVATE KEY"),
        ("scrypt.pem", "rsa.pem", "BEGIN ENCRYPTED PRIVATE KEY"),
    ] {
        let text = fs::read_to_string(folder.join(key)).unwrap();
        assert!(text.contains(label), "{key} has another form than it should");
        self_signed(folder, plain, "files-root.pem", &authority);
        let fleet = files_fleet("files-root.pem", Some(key));
        let store = RootStore::of(&fleet, folder, &folder.join("unused"));
        let on_hand = store.inspect(now());
        assert!(on_hand.can_sign(), "{key}: {on_hand:?}");
        let encrypted = label.contains("ENCRYPTED");
        assert_eq!(on_hand.key == KeyOnHand::Encrypted, encrypted, "{key}");
        assert!(
            on_hand.remarks.iter().any(|remark| remark.contains("cRLSign")),
            "{key}"
        );
        let root = store
            .unlock(given("sesame"))
            .unwrap_or_else(|error| panic!("{key}: {error}"));
        let files = root.sign_intermediate(&profile("east", ""), now()).unwrap();
        write(folder, "ca-cert.pem", &files.certificate);
        let verified = openssl_says(folder, &["verify", "-CAfile", "files-root.pem", "ca-cert.pem"]);
        assert_eq!(verified, "ca-cert.pem: OK\n", "{key}");
    }
}

#[test]
fn files_that_cannot_be_a_root_are_refused_with_the_reason() {
    let home = TempDir::new().unwrap();
    let folder = home.path();
    let key = |file: &str| {
        openssl_says(
            folder,
            &[
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-out",
                file,
            ],
        );
    };
    key("key.pem");
    key("other.pem");
    openssl_says(folder, &["genpkey", "-algorithm", "ed25519", "-out", "ed.pem"]);
    openssl_says(
        folder,
        &[
            "ec", "-in", "key.pem", "-aes128", "-passout", "pass:x", "-out", "old.pem",
        ],
    );
    self_signed(
        folder,
        "key.pem",
        "good.pem",
        &["keyUsage=critical,keyCertSign,cRLSign"],
    );
    self_signed(
        folder,
        "key.pem",
        "leaf.pem",
        &["basicConstraints=critical,CA:false"],
    );
    self_signed(
        folder,
        "key.pem",
        "short.pem",
        &["basicConstraints=critical,CA:true,pathlen:0"],
    );
    self_signed(folder, "key.pem", "mute.pem", &["keyUsage=critical,cRLSign"]);
    self_signed(folder, "ed.pem", "ed-root.pem", &[]);
    let good = fs::read_to_string(folder.join("good.pem")).unwrap();
    write(folder, "two.pem", &format!("{good}{good}"));
    write(folder, "damaged.pem", &good.replace("MII", "M!!"));
    for (certificate, reason) in [
        ("leaf.pem", "it is no authority"),
        ("short.pem", "pathLenConstraint 0"),
        ("mute.pem", "it is no authority"),
        ("two.pem", "it holds 2 certificates"),
        ("damaged.pem", "PEM block 1 is damaged"),
        ("key.pem", "no certificate but \"PRIVATE KEY\""),
        ("missing.pem", "there is none on this machine"),
    ] {
        let store = RootStore::of(&files_fleet(certificate, Some("key.pem")), folder, folder);
        let on_hand = store.inspect(now());
        let problem = on_hand.problem.clone().unwrap_or_default();
        assert!(problem.contains(reason), "{certificate}: {problem}");
        assert!(!on_hand.can_sign() && store.unlock(none).is_err());
    }
    for (key, reason) in [
        ("other.pem", "is not its key"),
        ("old.pem", "openssl's old form"),
        ("ed.pem", "Ed25519"),
        ("good.pem", "there is no private key in it"),
        ("missing.pem", "it is not on this machine"),
    ] {
        let certificate = if key == "ed.pem" {
            "ed-root.pem"
        } else {
            "good.pem"
        };
        let store = RootStore::of(&files_fleet(certificate, Some(key)), folder, folder);
        let error = store.unlock(none).unwrap_err().to_string();
        assert!(error.contains(reason), "{key}: {error}");
    }
    let keyless = RootStore::of(&files_fleet("good.pem", None), folder, folder);
    let on_hand = keyless.inspect(now());
    assert!(!on_hand.can_sign() && on_hand.sha256().is_some() && on_hand.problem.is_none());
    assert!(on_hand.remarks.is_empty(), "{on_hand:?}");
    assert!(keyless.make(&name("prod"), None, now()).is_err());
}
