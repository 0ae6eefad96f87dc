//! What credential plugins print, made wrong, in process: run as real programs by the real registry,
//! whose failures hold no word of theirs, nor of their arguments and environment.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use stolos::connection::credential::plugin::{ApiVersion, InteractiveMode, Plugin};
use stolos::connection::credential::{Bearer, Credential, Source};
use stolos::host::sensitive::Sensitive;

use crate::chance::Chance;
use crate::known::Known;
use crate::mutation::wrong_text;
use crate::verdict::Verdict;
use crate::{reach, seeds};

const SEED: u64 = 0x706c_7567;
pub const OUTPUTS: u64 = 1_000;
/// Programs at the same time.
const AT_ONCE: usize = 4;

#[test]
fn plugins_outputs_made_wrong_say_nothing() {
    let mut known = Known::new(SEED);
    let (certificate, key) = seeds::certificate(&mut known, "a plugin's key");
    let status = json!({
        "token": known.token("a plugin's token", "a"), "expirationTimestamp": "2099-01-01T00:00:00Z",
        "clientCertificateData": certificate, "clientKeyData": key,
    });
    let other_key = known.pem("a plugin's key that is none", "RSA PRIVATE KEY");
    let other = json!({"token": known.crooked("a plugin's crooked token"), "unheard-of": known.canary("a field too many"),
        "clientCertificateData": other_key, "clientKeyData": other_key});
    let errors = known.canary("a plugin's errors");
    let (argument, variable) = (known.canary("an argument"), known.crooked("a variable"));
    let verdict = Verdict::new(&known);
    let folder = tempfile::TempDir::new().unwrap();
    let program = folder.path().join("plugin");
    let text = format!(
        "#!/bin/sh\ncat \"$1\"\ncase $2 in loud|failing) echo {errors} >&2 ;; esac\n[ $2 != failing ] || exit 3\n"
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let plugins = reach::plugins();
    let run = |number: u64| {
        let mut chance = Chance::new(SEED + number);
        let version = *chance.one(&[ApiVersion::V1, ApiVersion::V1Beta1]);
        let answer = json!({"apiVersion": version.as_str(), "kind": "ExecCredential",
            "status": if chance.once_in(2) { &status } else { &other }});
        let output = folder.path().join(number.to_string());
        std::fs::write(&output, output_of(&answer, &mut chance)).unwrap();
        let manner = *chance.one(&["loud", "silent", "failing"]);
        let plugin = Plugin {
            api_version: version,
            command: program_of(&program, &mut chance),
            arguments: vec![output.display().to_string(), manner.to_owned(), argument.clone()],
            environment: vec![("SECRET".to_owned(), Sensitive::new(variable.clone()))],
            interactive_mode: InteractiveMode::Never,
            install_hint: String::new(),
            cluster: None,
        };
        let source = Source {
            bearer: Bearer::Plugin(Arc::new(plugin)),
            ..Source::default()
        };
        let credential = Credential::new(source, &plugins);
        async move {
            let soon = tokio::time::Instant::now();
            let said = match credential.authorization(soon).await {
                Ok(authorization) => format!("{:?}", authorization.header),
                Err(failure) => format!("{failure}\n{failure:?}"),
            };
            (number, said)
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let said: Vec<(u64, String)> = runtime.block_on(
        stream::iter(0..OUTPUTS)
            .map(run)
            .buffer_unordered(AT_ONCE)
            .collect(),
    );
    let taken = said.iter().filter(|(_, said)| said.starts_with("Some")).count();
    for (number, said) in &said {
        verdict.look_strictly(&format!("output {number} of the seed {SEED:#x}"), said.as_bytes());
    }
    verdict.assert_clean();
    assert!(taken > 10, "{taken} credentials were had");
}

/// What a plugin prints: most often made wrong.
fn output_of(answer: &Value, chance: &mut Chance) -> Vec<u8> {
    if chance.once_in(10) {
        return answer.to_string().into_bytes();
    }
    wrong_text(answer, chance, &|_| false)
}

/// The program, or now and then one that cannot be run.
fn program_of(program: &Path, chance: &mut Chance) -> String {
    match chance.below(20) {
        0 => format!("{}-not-there", program.display()),
        1 => "/".to_owned(),
        _ => program.display().to_string(),
    }
}
