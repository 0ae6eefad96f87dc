//! Bytes of all kinds through the reader in this process.

use std::time::{Duration, Instant};

use stolos::host::kubeconfig::{Kubeconfigs, Sources};

use crate::bytes::{file, mutate};
use crate::number;
use crate::random::Random;

/// What must not come out again.
const CANARY: &str = "c4n4ry";

/// A kubeconfig in which every value is a canary, every name too.
const PLANTED: &str = r#"
apiVersion: c4n4ry
kind: c4n4ry
current-context: c4n4ry
clusters:
- name: c4n4ry
  cluster: {server: c4n4ry, certificate-authority-data: c4n4ry, insecure-skip-tls-verify: c4n4ry,
    proxy-url: "c4n4ry", extensions: [{name: c4n4ry, extension: {c4n4ry: c4n4ry}}, {name: c4n4ry}]}
contexts:
- name: 'c4n4ry'
  context: {cluster: c4n4ry, user: &c4n4ry c4n4ry, namespace: *c4n4ry}
- name: c4n4ry
users:
- name: c4n4ry
  user:
    token: c4n4ry
    client-key-data: !!binary c4n4ry
    password: !!int c4n4ry
    username: !c4n4ry c4n4ry
    as-groups: c4n4ry
    as-user-extra: {c4n4ry: c4n4ry}
    auth-provider: {name: c4n4ry, config: {c4n4ry: [c4n4ry]}}
    exec: {command: c4n4ry, args: [c4n4ry, {c4n4ry: c4n4ry}], env: [{name: c4n4ry, value: {c4n4ry: c4n4ry}}]}
    tokenFile: |
      c4n4ry
    c4n4ry: "c4n4ry \u00zz"
"#;

struct Reader {
    folder: tempfile::TempDir,
}

impl Reader {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// What is said of a file; nothing where it is accepted.
    fn said(&self, bytes: &[u8]) -> Option<String> {
        let path = self.folder.path().join("config");
        std::fs::write(&path, bytes).unwrap();
        let read = Kubeconfigs::from_sources(&Sources {
            explicit: Some(path),
            list: None,
            home: None,
        });
        match read {
            Ok(merged) => {
                assert!(!format!("{merged:?}").contains(CANARY));
                None
            }
            Err(error) => Some(format!(
                "{error} {error:?} {:?}",
                stolos::error::Error::from(error.clone())
            )),
        }
    }
}

/// Small things mostly: they are quick, and what is wrong with them is what is read.
fn bytes_of(random: &mut Random) -> Vec<u8> {
    let mut bytes = match random.below(20) {
        0 => return file(random),
        1..=6 => {
            let length = random.below(64);
            let byte = |_| u8::try_from(random.below(256)).unwrap();
            return (0..length).map(byte).collect();
        }
        7 => PLANTED.as_bytes().to_vec(),
        // A part of it, so that each field has its turn at being the first that is wrong.
        _ => {
            let kept = random.pick(&[150, 300, 800]);
            let lines = PLANTED.lines().filter(|_| random.chance(kept));
            lines.collect::<Vec<&str>>().join("\n").into_bytes()
        }
    };
    for _ in 0..random.below(4) {
        mutate(random, &mut bytes);
    }
    bytes
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    let files = number("STOLOS_KUBECONFIG_FUZZ", 100_000);
    let reader = Reader::new();
    let mut slowest = (Duration::ZERO, 0);
    let mut refused = 0;
    for seed in 0..files {
        let mut random = Random::new(seed ^ 0xF022);
        let bytes = bytes_of(&mut random);
        let start = Instant::now();
        let said = reader.said(&bytes);
        let taken = start.elapsed();
        if taken > slowest.0 {
            slowest = (taken, seed);
        }
        if let Some(said) = said {
            refused += 1;
            // A mutation may cut a canary; what is left of it is looked for as well.
            assert!(!said.contains("c4n4"), "seed {seed}: {said}");
        }
    }
    println!("{files} files, {refused} refused, the slowest took {slowest:?}");
    assert!(slowest.0 < Duration::from_secs(30), "{slowest:?}");
    assert!(refused > 0 && refused < files);
}

#[test]
fn what_unfolds_or_nests_without_measure_ends() {
    let reader = Reader::new();
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        laughs.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    let long = "x".repeat(1 << 20);
    let copies = format!(
        "a: &a {long}\nusers: [{{name: a, user: {{as-groups: [{}]}}}}]",
        "*a, ".repeat(20_000)
    );
    let merges: String = (1..3000)
        .map(|n| format!("m{n}: &m{n} {{<<: [*m{}, *m{}], k{n}: 1}}\n", n - 1, n - 1))
        .collect();
    let cases = [
        (laughs.into_bytes(), true),
        (copies.into_bytes(), true),
        (format!("m0: &m0 {{a: 1}}\n{merges}").into_bytes(), true),
        (b"[".repeat(1 << 20), true),
        (b"{a: ".repeat(1 << 20), true),
        (b"- ".repeat(1 << 20), true),
        (b"? ".repeat(1 << 20), true),
        // A document ends where it must not go on, and what follows is not looked at.
        (b"&a ".repeat(1 << 20), false),
        (b"!a ".repeat(1 << 20), true),
        (
            [b"x: ".to_vec(), b"[".repeat(9_000), b"]".repeat(9_000)].concat(),
            false,
        ),
        (
            [
                b"x: ".to_vec(),
                b"{<<: ".repeat(9_999),
                b"{}".to_vec(),
                b"}".repeat(9_999),
            ]
            .concat(),
            false,
        ),
        (
            (0..200_000)
                .map(|n| format!("k{n}: v\n"))
                .collect::<String>()
                .into_bytes(),
            false,
        ),
        (
            (0..200_000).map(|_| "k: v\n").collect::<String>().into_bytes(),
            false,
        ),
        (format!("x: [{}]", "a, ".repeat(500_000)).into_bytes(), false),
        (format!("x: \"{}\"", "\\n".repeat(500_000)).into_bytes(), false),
        (format!("x: |\n{}", " a\n".repeat(500_000)).into_bytes(), false),
    ];
    for (index, (bytes, refused)) in cases.iter().enumerate() {
        let start = Instant::now();
        let said = reader.said(bytes);
        assert_eq!(said.is_some(), *refused, "case {index}: {said:?}");
        let taken = start.elapsed();
        assert!(taken < Duration::from_secs(60), "case {index} took {taken:?}");
    }
}
