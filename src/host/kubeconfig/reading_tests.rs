//! What kubectl accepts and what it refuses, where other readers of YAML do otherwise, and what of a
//! kubeconfig is kept.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }

    fn load(&self, files: &[&str]) -> Result<Kubeconfigs, KubeconfigError> {
        let files: Vec<PathBuf> = files.iter().map(|file| self.0.path().join(file)).collect();
        Kubeconfigs::from_sources(&Sources {
            explicit: None,
            list: Some(std::env::join_paths(files).unwrap()),
            home: None,
        })
    }
}

fn config(context: &str) -> String {
    format!("contexts: [{{name: {context}, context: {{cluster: {context}, user: {context}}}}}]\n")
}

/// What was found to differ from kubectl 1.36, one by one; `tests/kubeconfig` asks kubectl itself.
#[test]
fn words_and_shapes_are_accepted_as_kubectl_accepts_them() {
    let folder = Folder::new();
    let names = |name: &str| format!("contexts: [{{name: {name}, context: {{}}}}]");
    let user = |user: &str| format!("users: [{{name: a, user: {{{user}}}}}]");
    let cases = [
        // A name is a text, and YAML 1.1 takes these for truth values, numbers or nothing.
        (names("yes"), None),
        (names("on"), None),
        (names("014"), None),
        (names("1_000"), None),
        (names("~"), Some(r#""contexts":[{"name":"","#)),
        (names("'014'"), Some(r#"{"name":"014","#)),
        (names("!!str 014"), Some(r#"{"name":"014","#)),
        (names("2001-01-01"), Some(r#"{"name":"2001-01-01","#)),
        (names("!!binary aGk="), Some(r#"{"name":"hi","#)),
        // A key that is there twice, and an item that is nothing.
        (
            "current-context: a\ncurrent-context: b\n".to_owned(),
            Some(r#""current-context":"b""#),
        ),
        (
            "contexts:\n- null\n".to_owned(),
            Some(r#""contexts":[{"name":"","context""#),
        ),
        // What nobody uses has to be right as well.
        (user("client-key-data: '!'"), None),
        ("unknown: &a [*a]\n".to_owned(), None),
        ("unknown: .inf\n".to_owned(), None),
        ("unknown: {~: a}\n".to_owned(), None),
        (
            "unknown: {~: a}\nunknown: b\n".to_owned(),
            Some(r#""contexts":null"#),
        ),
        // Base64 over lines and with bits to spare, and bytes as numbers.
        (
            user("client-key-data: \"aG\\nk=\""),
            Some(r#""client-key-data":"aGk=""#),
        ),
        (user("client-key-data: aGl="), Some(r#""client-key-data":"aGk=""#)),
        (
            user("client-key-data: [104, 105.0]"),
            Some(r#""client-key-data":"aGk=""#),
        ),
        // The later entry wins, merged in or not.
        (
            "a: &a {name: x}\nusers: [{name: y, <<: *a}]\n".to_owned(),
            Some(r#""users":[{"name":"x","#),
        ),
        // Only for the kind the case of a name does not matter.
        ("Kind: Pod\n".to_owned(), None),
        ("Users: 5\n".to_owned(), Some(r#""users":null"#)),
        ("apiVersion: /v1\n".to_owned(), Some(r#""apiVersion":"v1""#)),
        ("%YAML 1.2\n---\nkind: Config\n".to_owned(), None),
        ("kind: Config\n---\n]\n".to_owned(), Some(r#""kind":"Config""#)),
        ("{}: a\n".to_owned(), Some(r#""users":null"#)),
        (
            user("exec: {apiVersion: client.authentication.k8s.io/v1beta1}"),
            Some(r#""interactiveMode":"IfAvailable""#),
        ),
    ];
    for (text, expected) in cases {
        folder.write("config", &text);
        match (folder.load(&["config"]), expected) {
            (Ok(merged), Some(expected)) => {
                let json = merged.to_json();
                assert!(
                    json.expose().contains(expected),
                    "{text:?} gave {}",
                    json.expose()
                );
            }
            (Err(_), None) => {}
            (Ok(_), None) => panic!("{text:?} was accepted"),
            (Err(error), Some(_)) => panic!("{text:?} was refused: {error}"),
        }
    }
}

#[test]
fn everything_is_kept_and_the_first_file_wins_by_name() {
    let folder = Folder::new();
    folder.write(
        "a",
        "preferences: {extensions: [{name: p, extension: 1}]}\n\
         extensions: [{name: z, extension: null}, {name: b, extension: {k: [1.0, <&>]}}]\n\
         clusters: [{name: b, cluster: {server: s, certificate-authority: ../ca}}]\n",
    );
    folder.write(
        "b",
        "preferences: {colors: true, extensions: [{name: p, extension: 2}, {name: a, extension: 3}]}\n\
         extensions: [{name: z, extension: 5}]\n\
         clusters: [{name: b, cluster: {tls-server-name: t}}, {name: a}]\n",
    );
    let json = folder.load(&["a", "b"]).unwrap().to_json();
    assert_eq!(
        json.expose(),
        concat!(
            r#"{"kind":"Config","apiVersion":"v1","preferences":{"colors":true,"extensions":"#,
            r#"[{"name":"a","extension":3},{"name":"p","extension":1}]},"#,
            r#""clusters":[{"name":"a","cluster":{"server":""}},"#,
            r#"{"name":"b","cluster":{"server":"s","certificate-authority":"../ca"}}],"#,
            r#""users":null,"contexts":null,"current-context":"","#,
            r#""extensions":[{"name":"b","extension":{"k":[1,"\u003c\u0026\u003e"]}},{"name":"z","extension":null}]}"#,
        )
    );
}

#[test]
fn the_older_place_is_looked_at_where_the_newer_is_empty() {
    let folder = Folder::new();
    let sources = Sources {
        explicit: None,
        list: None,
        home: Some(folder.0.path().to_owned()),
    };
    folder.write(".kube/.kubeconfig", &config("old"));
    assert!(Kubeconfigs::from_sources(&sources).unwrap().has_context("old"));
    folder.write(".kube/config", &config("new"));
    let merged = Kubeconfigs::from_sources(&sources).unwrap();
    assert!(merged.has_context("new") && !merged.has_context("old"));
}
