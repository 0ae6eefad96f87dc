//! Client certificates: those of openssl's default form (X.509 v1) are shown and taken, and keys that
//! cannot be used are told before anything is sent. The server is openssl's, which checks them itself.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use stolos::connection::dial::{Dialer, Wanted};
use stolos::connection::endpoint::{Authority, ClientCertificate};
use stolos::host::sensitive::Sensitive;
use stolos::inventory::{Failure, FailureClass};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::{ENOUGH, endpoint};

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A folder with an authority (`ca`), a server (`server`) and a client (`client`), the latter of
/// version 1.
fn folder(key: &str) -> TempDir {
    folder_of("rsa:2048", key)
}

fn folder_of(servers: &str, key: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &str| openssl(folder.path(), arguments);
    std::fs::write(folder.path().join("server.ext"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    run("ecparam -name secp521r1 -out p521.params");
    run(&format!(
        "req -x509 -newkey {servers} -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 30"
    ));
    run(&format!(
        "req -newkey {servers} -nodes -keyout server.key -out server.csr -subj /CN=server"
    ));
    run(
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile server.ext -out server.crt -days 30",
    );
    run(&format!("genpkey {key} -out client.key"));
    run("req -new -key client.key -out client.csr -subj /O=system:masters/CN=anna");
    run("x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out client.crt -days 30");
    folder
}

fn text(folder: &TempDir, file: &str) -> String {
    std::fs::read_to_string(folder.path().join(file)).unwrap()
}

fn certificate(chain: &str, key: &str) -> ClientCertificate {
    ClientCertificate {
        chain: chain.as_bytes().to_vec(),
        key: Sensitive::new(key),
    }
}

/// openssl's server, which takes nobody without a certificate of its authority and answers with a
/// page about them.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(folder: &TempDir, version: &str) -> Self {
        let arguments = "s_server -accept 127.0.0.1:0 -key server.key -cert server.crt -CAfile ca.crt \
                         -Verify 2 -verify_return_error -www";
        let mut child = Command::new("openssl")
            .args(arguments.split_whitespace())
            .arg(version)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl runs");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .find_map(|line| line.unwrap().strip_prefix("ACCEPT ").map(str::to_owned))
            .expect("the server listens");
        // What else it says must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            url: format!("https://{address}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The page that the server answers with.
async fn page(
    server: &Server,
    folder: &TempDir,
    client: Option<&ClientCertificate>,
) -> Result<String, Failure> {
    let ca = rustls::pki_types::pem::PemObject::from_pem_slice(text(folder, "ca.crt").as_bytes());
    let ca: rustls::pki_types::CertificateDer<'_> = ca.unwrap();
    let endpoint = endpoint(&server.url, Authority::Certificates(vec![ca.to_vec()]));
    let dialer = Dialer::new(&endpoint, client)?;
    let mut dialled = dialer.dial(Wanted::Http1, Instant::now() + ENOUGH).await?;
    dialled.stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut page = Vec::new();
    let _ = tokio::time::timeout(ENOUGH, dialled.stream.read_to_end(&mut page))
        .await
        .unwrap();
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[tokio::test]
async fn certificates_of_version_1_are_taken() {
    let keys = [
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "-algorithm ED25519",
    ];
    for (key, version) in keys.iter().zip(["-tls1_3", "-tls1_2", "-tls1_3"]) {
        let folder = folder(key);
        let server = Server::start(&folder, version);
        let chain = text(&folder, "client.crt");
        let client = certificate(&chain, &text(&folder, "client.key"));
        let told = page(&server, &folder, Some(&client)).await.unwrap();
        assert!(
            told.contains("Version: 1 (0x0)") && told.contains("anna"),
            "{key}: {told}"
        );
        if version == "-tls1_2" {
            let failure = page(&server, &folder, None).await.unwrap_err();
            assert_eq!(failure.class, FailureClass::Tls, "{failure}");
            assert!(failure.message.contains("client certificate"), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_server_of_a_key_on_p521_is_taken() {
    let folder = folder_of("ec:p521.params", "-algorithm ED25519");
    // Before TLS 1.3 such a server wants the curve for the key exchange too.
    let server = Server::start(&folder, "-tls1_3");
    let client = certificate(&text(&folder, "client.crt"), &text(&folder, "client.key"));
    let told = page(&server, &folder, Some(&client)).await.unwrap();
    assert!(told.contains("anna"), "{told}");
}

#[tokio::test]
async fn every_form_of_key_is_taken() {
    let rsa = folder("-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
    openssl(rsa.path(), "rsa -in client.key -traditional -out form.key");
    let ec = folder("-algorithm EC -pkeyopt ec_paramgen_curve:P-384");
    openssl(ec.path(), "ec -in client.key -out form.key");
    for (folder, label, version) in [
        (rsa, "RSA PRIVATE KEY", "-tls1_2"),
        (ec, "EC PRIVATE KEY", "-tls1_3"),
    ] {
        let key = text(&folder, "form.key");
        assert!(key.contains(label));
        let server = Server::start(&folder, version);
        // The label is wrong more often than one would think, and Go does not look at it.
        for key in [key.clone(), key.replace(label, "PRIVATE KEY")] {
            let chain = format!("{}{}", text(&folder, "client.key"), text(&folder, "client.crt"));
            let client = certificate(&chain, &key);
            let told = page(&server, &folder, Some(&client)).await.unwrap();
            assert!(told.contains("anna"), "{label}: {told}");
        }
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_first() {
    let (folder, other) = (
        folder("-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        folder("-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
    );
    openssl(
        folder.path(),
        "pkey -in client.key -aes256 -passout pass:hunter2 -out encrypted.key",
    );
    openssl(
        folder.path(),
        "ec -in client.key -aes256 -passout pass:hunter2 -out traditional.key",
    );
    let chain = text(&folder, "client.crt");
    let cases = [
        (chain.clone(), text(&other, "client.key"), "does not belong"),
        (chain.clone(), text(&folder, "encrypted.key"), "encrypted"),
        (chain.clone(), text(&folder, "traditional.key"), "encrypted"),
        (chain.clone(), "hunter2".to_owned(), "no private key"),
        (
            chain,
            "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n".to_owned(),
            "no kind that can be used",
        ),
        (
            "hunter2".to_owned(),
            text(&folder, "client.key"),
            "no certificate",
        ),
        (
            "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n".to_owned(),
            text(&folder, "client.key"),
            "cannot be read",
        ),
    ];
    for (chain, key, words) in cases {
        let client = certificate(&chain, &key);
        let endpoint = endpoint("https://127.0.0.1:1", Authority::Unchecked);
        let failure = Dialer::new(&endpoint, Some(&client)).err().unwrap();
        assert_eq!(failure.class, FailureClass::Configuration, "{failure}");
        assert!(failure.message.contains(words), "{failure} lacks {words:?}");
        assert!(!failure.to_string().contains("hunter2") && !failure.to_string().contains("aHVud"));
    }
}
