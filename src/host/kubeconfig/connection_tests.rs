//! What a connection carries beside a token: as whom to act, and a user in the server's URL.

use super::tests::{Folder, config, connection, impersonated};
use crate::connection::credential::Bearer;

const SECRET: &str = "eyJhbGciOiJSUzI1NiJ9.hunter2";

#[tokio::test]
async fn as_whom_to_act_is_said_in_headers_as_client_go_says_it() {
    let folder = Folder::new();
    folder.write(
        "config",
        &config(
            "a",
            "http://a.example",
            "as: jane, as-uid: u1, as-groups: [dev, ops], as-user-extra: {'Sco/pe%': [x, 'y'], ok_1: [z]}",
        ),
    );
    let made = connection(&folder.load(&["config"]).unwrap(), "a").await.unwrap();
    let mut headers = impersonated(&made);
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            ("impersonate-extra-ok_1", "z"),
            ("impersonate-extra-sco%2fpe%25", "x"),
            ("impersonate-extra-sco%2fpe%25", "y"),
            ("impersonate-group", "dev"),
            ("impersonate-group", "ops"),
            ("impersonate-uid", "u1"),
            ("impersonate-user", "jane"),
        ]
    );
}

#[tokio::test]
async fn a_user_in_the_url_goes_before_all_else() {
    let folder = Folder::new();
    folder.write(
        "config",
        &config(
            "a",
            "'https://us%40er:hunter2%3A@a.example/base?x#y'",
            &format!("token: {SECRET}"),
        ),
    );
    let made = connection(&folder.load(&["config"]).unwrap(), "a").await.unwrap();
    let Bearer::Basic { username, password } = &made.source.bearer else {
        panic!("it is left aside");
    };
    assert_eq!((username.as_str(), password.expose()), ("us@er", "hunter2:"));
    assert_eq!(made.endpoint.url, "https://a.example/base");
    assert!(!made.server.contains("hunter2"));
}
