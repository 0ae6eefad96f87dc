//! Which certificates of servers are accepted, and what is said of the others.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivatePkcs8KeyDer;
use stolos::connection::endpoint::Authority;
use stolos::inventory::{Failure, FailureClass};

use crate::server::{Ca, Identity, Server, named};
use crate::{dial, echo, endpoint};

/// What becomes of a server's certificate under an authority.
async fn judged(identity: Identity, authority: Authority, name: &str) -> Result<(), Failure> {
    let server = Server::start(identity).await;
    let mut endpoint = endpoint(&server.url(), authority);
    name.clone_into(&mut endpoint.tls_server_name);
    echo(&mut dial(&endpoint).await?).await;
    Ok(())
}

fn assert_says(outcome: Result<(), Failure>, words: &[&str]) {
    let failure = outcome.unwrap_err();
    assert_eq!(failure.class, FailureClass::Certificate, "{failure}");
    for word in words {
        assert!(failure.message.contains(word), "{failure} lacks {word:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said() {
    let ca = Ca::new("the right authority");
    let mut expired = named(&["127.0.0.1"]);
    expired.not_after = date_time_ymd(2020, 2, 3);
    assert_says(
        judged(ca.issue(&expired), ca.authority(), "").await,
        &["expired on 2020-02-03"],
    );

    let mut early = named(&["127.0.0.1"]);
    early.not_before = date_time_ymd(2500, 2, 3);
    early.not_after = date_time_ymd(2501, 2, 3);
    assert_says(
        judged(ca.issue(&early), ca.authority(), "").await,
        &["valid from 2500-02-03", "clock says 20"],
    );

    assert_says(
        judged(ca.issue_for(&["127.0.0.1"]), Ca::new("another").authority(), "").await,
        &["the right authority", "kubeconfig does not have"],
    );
    // One that has taken another's name.
    assert_says(
        judged(
            ca.issue_for(&["127.0.0.1"]),
            Ca::new("the right authority").authority(),
            "",
        )
        .await,
        &["another key"],
    );
    assert_says(
        judged(ca.issue_for(&["api.example.com", "10.0.0.1"]), ca.authority(), "").await,
        &[
            "api.example.com, 10.0.0.1",
            "not for 127.0.0.1",
            "tls-server-name",
        ],
    );
    let mut nameless = CertificateParams::default();
    nameless.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    assert_says(
        judged(ca.issue(&nameless), ca.authority(), "").await,
        &["names no host", "127.0.0.1"],
    );
    let mut by_name = named(&["example.com"]);
    by_name.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    assert_says(
        judged(ca.issue(&by_name), ca.authority(), "").await,
        &["not for 127.0.0.1"],
    );
}

#[tokio::test]
async fn another_name_can_be_expected() {
    let ca = Ca::new("an authority");
    let issued = || ca.issue_for(&["*.example.com"]);
    judged(issued(), ca.authority(), "api.example.com").await.unwrap();
    judged(issued(), ca.authority(), "API.example.com").await.unwrap();
    assert_says(
        judged(issued(), ca.authority(), "api.example.org").await,
        &["*.example.com", "not for api.example.org"],
    );
}

#[tokio::test]
async fn unchecked_takes_anything() {
    let mut expired = named(&["example.com"]);
    expired.not_after = date_time_ymd(2020, 2, 3);
    judged(Ca::new("anybody").issue(&expired), Authority::Unchecked, "")
        .await
        .unwrap();
}

fn own_authority() -> Identity {
    let mut params = named(&["127.0.0.1"]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    Identity {
        chain: vec![params.self_signed(&key).unwrap().der().clone()],
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    }
}

#[tokio::test]
async fn an_authority_may_serve_by_its_own_certificate() {
    let identity = own_authority();
    let authority = Authority::Certificates(vec![identity.chain[0].to_vec()]);
    judged(identity, authority, "").await.unwrap();
    assert_says(
        judged(own_authority(), Ca::new("another").authority(), "").await,
        &["signed by itself", "kubeconfig does not have"],
    );
}

#[tokio::test]
async fn a_bundle_is_as_good_as_its_best_certificate() {
    let (ca, other) = (Ca::new("an authority"), Ca::new("another"));
    let bundle = vec![b"rotten".to_vec(), other.der.to_vec(), ca.der.to_vec()];
    judged(ca.issue_for(&["127.0.0.1"]), Authority::Certificates(bundle), "")
        .await
        .unwrap();
    let rotten = endpoint(
        "https://127.0.0.1:1",
        Authority::Certificates(vec![b"rotten".to_vec()]),
    );
    let failure = stolos::connection::dial::Dialer::new(&rotten, None)
        .err()
        .unwrap();
    assert_eq!(failure.class, FailureClass::Configuration, "{failure}");
}

#[tokio::test]
async fn an_intermediate_is_followed_and_an_expired_root_is_not() {
    let root = Ca::new("a root");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, "between");
    let key = KeyPair::generate().unwrap();
    let between = params.signed_by(&key, &root.issuer).unwrap().der().clone();
    let middle = Ca {
        issuer: rcgen::Issuer::new(params, key),
        der: between.clone(),
    };
    let mut identity = middle.issue_for(&["127.0.0.1"]);
    assert_says(
        judged(middle.issue_for(&["127.0.0.1"]), root.authority(), "").await,
        &["between", "kubeconfig does not have"],
    );
    identity.chain.push(between);
    judged(identity, root.authority(), "").await.unwrap();
    judged(middle.issue_for(&["127.0.0.1"]), middle.authority(), "")
        .await
        .unwrap();

    let mut old = CertificateParams::default();
    old.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    old.not_after = date_time_ymd(2020, 2, 3);
    old.distinguished_name.push(DnType::CommonName, "an old root");
    let old = Ca::of(old);
    assert_says(
        judged(old.issue_for(&["127.0.0.1"]), old.authority(), "").await,
        &["an old root", "expired on 2020-02-03"],
    );
}
