//! What mends a failure: for each class what to look at or type next. Pure: a class and a context
//! go in, words come out.

use super::{Failure, FailureClass};

/// What an API server says where it could not call an admission webhook, or had no answer in time
/// (Kubernetes: `apiserver/pkg/admission/plugin/webhook/errors`, `ErrCallingWebhook`).
const WEBHOOK_UNREACHED: &str = "failed calling webhook";

impl Failure {
    /// What to do or type next, where `context` is the kubeconfig context that was tried.
    pub fn hint(&self, context: &str) -> String {
        self.class.hint(&self.message, context)
    }
}

impl FailureClass {
    /// What to do or type next about a failure of this class, of which `message` was said, where
    /// `context` is the kubeconfig context that was tried.
    pub fn hint(self, message: &str, context: &str) -> String {
        let context = quoted(context);
        match self {
            FailureClass::Configuration => format!(
                "mend the context in the kubeconfig: `kubectl config view --minify --context {context}` shows it as it \
                 is read"
            ),
            FailureClass::Name => format!(
                "correct `server` of the context's cluster, or join the network whose DNS knows the name: `kubectl \
                 config view --minify --context {context}`"
            ),
            FailureClass::Tcp => format!(
                "see that its API server runs and that this machine may reach it (VPN, firewall, `proxy-url`): \
                 `kubectl --context {context} version`"
            ),
            FailureClass::Tls => format!(
                "see that `server` is the API server's own port, and nothing between breaks TLS off (a proxy, a load \
                 balancer): `kubectl --context {context} version`"
            ),
            FailureClass::Certificate => format!(
                "fetch the kubeconfig anew: the server's certificate and its `certificate-authority-data`, \
                 `tls-server-name` or this machine's clock do not agree: `kubectl --context {context} version`"
            ),
            FailureClass::Authentication => format!(
                "log in again, or fetch the kubeconfig anew: `kubectl --context {context} auth whoami` shows whether \
                 the credential is accepted"
            ),
            FailureClass::Permission => format!(
                "ask for `get` and `list` on it, or act as somebody who has it (`--as USER`): `kubectl --context \
                 {context} auth can-i --list`"
            ),
            FailureClass::Throttled => {
                "its API server turns requests away: try again later, or give it longer with --request-timeout".to_owned()
            }
            FailureClass::Server if message.contains(WEBHOOK_UNREACHED) => format!(
                "its API server had no answer of that admission webhook: see that the pods behind it are ready, and \
                 that a firewall lets the API server through to them (istiod: TCP 15017): `kubectl --context {context} \
                 get pods -A -o wide`"
            ),
            FailureClass::Server => format!(
                "its API server is not well: `kubectl --context {context} get --raw '/readyz?verbose'`"
            ),
            FailureClass::Timeout => format!(
                "give it longer with --request-timeout, or see what keeps it: `kubectl --context {context} version`"
            ),
            FailureClass::NotKubernetes => format!(
                "correct `server` of the context's cluster: something else answers there, such as a proxy or a login \
                 page: `kubectl config view --minify --context {context}`"
            ),
            FailureClass::NotFound => format!(
                "see what the API server serves: `kubectl --context {context} api-resources`"
            ),
            FailureClass::Conflict => "somebody else writes the same: try again".to_owned(),
            FailureClass::Invalid => {
                "the API server does not accept it: see what it says, and its admission webhooks".to_owned()
            }
            FailureClass::Identity => "correct the context; if the cluster was made anew: `stolos leave NAME \
                                       --forget`, then `stolos join`"
                .to_owned(),
        }
    }
}

/// A word as one types it in a shell.
pub fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_class_has_a_hint_of_its_own() {
        use FailureClass as Class;
        let classes = [
            Class::Configuration,
            Class::Name,
            Class::Tcp,
            Class::Tls,
            Class::Certificate,
            Class::Authentication,
            Class::Permission,
            Class::Throttled,
            Class::Server,
            Class::Timeout,
            Class::NotKubernetes,
            Class::NotFound,
            Class::Conflict,
            Class::Invalid,
            Class::Identity,
        ];
        let hints: BTreeSet<String> = classes
            .iter()
            .map(|class| class.hint("no", "it's east"))
            .collect();
        assert_eq!(hints.len(), classes.len());
        for hint in hints {
            assert!(!hint.contains("  ") && !hint.contains('\n'), "{hint:?}");
            // What is pasted into a shell means the context and nothing else.
            assert!(!hint.contains("it's"), "{hint:?}");
        }
    }

    #[test]
    fn a_webhook_that_does_not_answer_is_not_the_api_servers_fault() {
        let said = "Internal error occurred: failed calling webhook \"validation.istio.io\": failed to call webhook: Post \
                    \"https://istiod.istio-system.svc:443/validate?timeout=10s\": context deadline exceeded";
        let hint = FailureClass::Server.hint(said, "east");
        assert!(hint.contains("15017") && !hint.contains("readyz"), "{hint}");
        let hint = FailureClass::Server.hint("etcdserver: no leader", "east");
        assert!(hint.contains("readyz"), "{hint}");
    }

    #[test]
    fn words_as_they_are_typed() {
        assert_eq!(
            quoted("arn:aws:eks:us-east-1:1:cluster/x"),
            "arn:aws:eks:us-east-1:1:cluster/x"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
