//! Credentials that no plugin gives.

use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;
use tokio::time::Instant;

use super::plugin::{PluginOptions, Plugins, Policy};
use super::{Bearer, Credential, Source};
use crate::host::sensitive::Sensitive;

fn credential(bearer: Bearer) -> Credential {
    let plugins = Plugins::new(PluginOptions {
        policy: Policy::All,
        timeout: Duration::from_secs(1),
        interactive_timeout: Duration::from_secs(1),
        concurrent: 1,
        can_ask: false,
        can_tell: false,
    });
    let source = Source {
        certificate: None,
        bearer,
    };
    Credential::new(source, &plugins)
}

async fn header(credential: &Credential) -> Result<String, String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let given = credential.authorization(deadline).await;
    let given = given.map_err(|failure| failure.to_string())?;
    let header = given.header.expect("there is a header");
    assert!(header.is_sensitive());
    Ok(header.to_str().expect("it is text").to_owned())
}

#[tokio::test]
async fn a_password_goes_as_rfc_7617_says() {
    let basic = credential(Bearer::Basic {
        username: "Aladdin".to_owned(),
        password: Sensitive::new("open sesame"),
    });
    assert_eq!(
        header(&basic).await.as_deref(),
        Ok("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    );
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_is_not_repeated() {
    let failure = header(&credential(Bearer::Token(Sensitive::new("canary\ncanary"))))
        .await
        .expect_err("it holds a line break");
    assert!(
        failure.contains("characters that cannot be sent") && !failure.contains("canary"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_token_file_is_read_again_when_its_token_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("token");
    std::fs::write(&path, " t-1 \n").expect("the file can be written");
    let file = credential(Bearer::File {
        path: path.clone(),
        fallback: None,
    });
    let far = Instant::now() + Duration::from_secs(60);
    assert_eq!(header(&file).await.as_deref(), Ok("Bearer t-1"));
    let first = file
        .authorization(far)
        .await
        .map_err(|failure| failure.to_string());
    let first = first.expect("there is a token");
    assert!(!file.refused(&first).await);
    std::fs::write(&path, "t-2").expect("the file can be written");
    // Read lately.
    assert_eq!(header(&file).await.as_deref(), Ok("Bearer t-1"));
    assert!(file.refused(&first).await);
    assert_eq!(header(&file).await.as_deref(), Ok("Bearer t-2"));
}

#[tokio::test]
async fn without_its_file_a_token_is_the_kubeconfigs_own() {
    let gone = |fallback: Option<&str>| {
        credential(Bearer::File {
            path: "/nowhere/token".into(),
            fallback: fallback.map(Sensitive::new),
        })
    };
    assert_eq!(header(&gone(Some("t"))).await.as_deref(), Ok("Bearer t"));
    let failure = header(&gone(None)).await.expect_err("there is no token");
    assert!(failure.contains("`tokenFile` gives no token"), "{failure}");
}

#[tokio::test]
async fn an_expired_id_token_is_said_so_with_what_to_do() {
    let id_token = |seconds: i64| {
        let claims = format!("{{\"exp\":{}}}", Timestamp::now().as_second() + seconds);
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        format!("e30.{claims}.c2ln")
    };
    let good = id_token(3600);
    let bearer = Bearer::OpenId(Sensitive::new(good.as_str()));
    assert_eq!(header(&credential(bearer)).await, Ok(format!("Bearer {good}")));
    let failure = header(&credential(Bearer::OpenId(Sensitive::new(id_token(-1)))))
        .await
        .expect_err("it has expired");
    assert!(
        failure.contains("has expired") && failure.contains("run kubectl"),
        "{failure}"
    );
    assert!(failure.ends_with("(authentication)"), "{failure}");
}
