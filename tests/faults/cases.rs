//! What can be wrong with one cluster of ten, and what a command must make of it. The live test and the
//! benchmark share these cases, so that what is measured is what is tested.
//!
//! Of the faults that one would think of, these are elsewhere: what a client makes of every kind of
//! certificate is in `tests/dial`, 410 Gone in `tests/simulator` (an answer has to have pages for it),
//! name servers and proxies in `src/connection`.

use std::time::Duration;

use simulator::{Fault, Flaw, Plan};

use self::Outcome::{Unread, UnreadWherePinned, Unwritten, WithoutSecrets};

/// One thing that is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What it is called.
    pub name: &'static str,
    /// What the server that stands for the cluster does.
    pub plan: fn() -> Plan,
    /// What is wrong with its certificate.
    pub flaw: Option<Flaw>,
    /// What it comes to.
    pub outcome: Outcome,
}

/// What a fault comes to. Classes are the contract's (`errors[].class`); any of those named is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing of the cluster can be read.
    Unread(&'static [&'static str]),
    /// Its Secrets cannot be read.
    WithoutSecrets(&'static [&'static str]),
    /// Nothing of it is read where the fleet file pins who it is.
    UnreadWherePinned(&'static [&'static str]),
    /// It can be read, and not written.
    Unwritten(&'static [&'static str]),
    /// It is read and written as ever.
    None,
}

/// What a command does with clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It asks each who it is, and no more.
    Identify,
    /// It reports on contexts, of which no fleet file says who they are.
    Observe,
    /// It writes a fleet file of contexts.
    Propose,
    /// It lists what there is in a fleet file's clusters.
    List,
    /// It finds faults with them.
    Judge,
    /// It plans for them.
    Plan,
    /// It plans how one leaves them.
    Leave,
    /// It changes them.
    Write,
}

/// What must come of a command with one bad cluster of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Which classes are right in its errors for the cluster; none where there must be none.
    pub classes: &'static [&'static str],
    /// Its exit code.
    pub code: i32,
}

impl Outcome {
    /// What must come of a command.
    pub fn expected(self, does: Does) -> Expected {
        let is_pinned = !matches!(does, Does::Identify | Does::Observe | Does::Propose);
        let (classes, code): (&'static [&'static str], i32) = match self {
            Unread(classes) => (classes, 4),
            // Whoever may not read them cannot have them planned: the request cannot be met as stated.
            WithoutSecrets(classes) => match does {
                Does::Identify => (&[], 0),
                Does::Plan | Does::Leave | Does::Write => (classes, 1),
                _ => (classes, 4),
            },
            // So it is with a context that leads elsewhere, which is a finding of its own.
            UnreadWherePinned(classes) if is_pinned => match does {
                Does::Plan | Does::Write => (classes, 1),
                Does::Judge => (classes, 3),
                _ => (classes, 4),
            },
            Unwritten(classes) if does == Does::Write => (classes, 4),
            UnreadWherePinned(_) | Unwritten(_) | Outcome::None => (&[], 0),
        };
        Expected { classes, code }
    }
}

/// The UID of a cluster that is none of the ten.
const ELSEWHERE: &str = "00000000-0000-4000-8000-000000000000";

/// Longer than anybody waits.
const NEVER: Duration = Duration::from_secs(3600);

const fn case(name: &'static str, plan: fn() -> Plan, outcome: Outcome) -> Case {
    Case {
        name,
        plan,
        flaw: None,
        outcome,
    }
}

const fn flawed(name: &'static str, flaw: Flaw) -> Case {
    Case {
        name,
        plan: Plan::default,
        flaw: Some(flaw),
        outcome: Unread(&["certificate"]),
    }
}

/// All of them.
pub const CASES: &[Case] = &[
    // The network.
    case("refuses", || Plan::always(Fault::Refused), Unread(&["tcp"])),
    case(
        "takes no connection",
        || Plan::always(Fault::Unaccepted),
        Unread(&["timeout"]),
    ),
    case(
        "silent after TCP",
        || Plan::always(Fault::BlackHole),
        Unread(&["timeout"]),
    ),
    case(
        "silent after TLS",
        || Plan::always(Fault::SilentAfterHandshake),
        Unread(&["timeout"]),
    ),
    case(
        "silent after the request",
        || Plan::always(Fault::Slow(NEVER)),
        Unread(&["timeout"]),
    ),
    // It happens while TLS is being set up over TCP.
    case(
        "resets connections",
        || Plan::always(Fault::ResetOnAccept),
        Unread(&["tcp", "tls"]),
    ),
    case(
        "resets after the request",
        || Plan::always(Fault::ResetAfterRequest(false)),
        Unread(&["tcp"]),
    ),
    case(
        "resets in an answer",
        || Plan::always(Fault::ResetInBody),
        Unread(&["tcp"]),
    ),
    // It says so itself over HTTP/2, and goes away over HTTP/1.1.
    case(
        "half an answer",
        || Plan::always(Fault::HalfBody),
        Unread(&["server", "tcp"]),
    ),
    case("1 byte/s", || Plan::always(Fault::Drip), Unread(&["timeout"])),
    // A cluster that flaps for longer is in `tests/simulator`: by chance it is read, or is not.
    case(
        "resets the first connection",
        || Plan::times(Fault::ResetOnAccept, 1),
        Outcome::None,
    ),
    // What is no API server.
    case("no TLS", || Plan::always(Fault::PlainHttp), Unread(&["tls"])),
    case(
        "HTML",
        || Plan::always(Fault::WebPage),
        Unread(&["not-kubernetes"]),
    ),
    // Certificates.
    case(
        "another authority's certificate",
        || Plan::always(Fault::WrongCertificate),
        Unread(&["certificate"]),
    ),
    flawed("expired certificate", Flaw::Expired),
    flawed("certificate from an hour on", Flaw::NotYetValid),
    flawed("another host's certificate", Flaw::OtherName),
    flawed("certificate without names", Flaw::OnlyCommonName),
    // An API server in trouble.
    case(
        "429",
        || Plan::always(Fault::Status(429, None)),
        Unread(&["throttled"]),
    ),
    case(
        "429, again after 1 s",
        || Plan::always(Fault::Status(429, Some(1))),
        Unread(&["throttled"]),
    ),
    case(
        "429, again after 60 s",
        || Plan::always(Fault::Status(429, Some(60))),
        Unread(&["throttled"]),
    ),
    case(
        "503",
        || Plan::always(Fault::Status(503, None)),
        Unread(&["server"]),
    ),
    case(
        "503, again after 1 s",
        || Plan::always(Fault::Status(503, Some(1))),
        Unread(&["server"]),
    ),
    case(
        "500",
        || Plan::always(Fault::Status(500, None)),
        Unread(&["server"]),
    ),
    case(
        "503 to the first three requests",
        || Plan::times(Fault::Status(503, None), 3),
        Outcome::None,
    ),
    case(
        "10 MB of namespaces",
        || Plan::always(Fault::Swollen("namespaces", 10_000_000)),
        Outcome::None,
    ),
    // Whoever asks.
    case(
        "401",
        || Plan::always(Fault::Unauthorized),
        Unread(&["authentication"]),
    ),
    case(
        "401 after one answer",
        || Plan::after(Fault::Unauthorized, 1),
        Unread(&["authentication"]),
    ),
    case(
        "403",
        || Plan::always(Fault::Forbidden("", "")),
        Unread(&["permission"]),
    ),
    case(
        "403 to lists of Secrets",
        || Plan::always(Fault::Forbidden("list", "secrets")),
        WithoutSecrets(&["permission"]),
    ),
    case(
        "another cluster",
        || Plan::always(Fault::AnotherUid(ELSEWHERE.to_owned())),
        UnreadWherePinned(&["identity"]),
    ),
    // Writes.
    case(
        "etcd is full",
        || Plan::always(Fault::NoSpace),
        Unwritten(&["server"]),
    ),
    case(
        "401 to writes",
        || Plan::always(Fault::RefusedWrites(401, "Unauthorized", "Unauthorized")),
        Unwritten(&["authentication"]),
    ),
    case(
        "403 to writes",
        || Plan::always(Fault::RefusedWrites(403, "Forbidden", "it is forbidden")),
        Unwritten(&["permission"]),
    ),
    case(
        "409 to writes",
        || {
            Plan::always(Fault::RefusedWrites(
                409,
                "Conflict",
                "the object has been modified",
            ))
        },
        Unwritten(&["conflict"]),
    ),
    case(
        "422 from a webhook",
        || {
            let said = "admission webhook \"a.example.com\" denied the request: no";
            Plan::always(Fault::RefusedWrites(422, "Invalid", said))
        },
        Unwritten(&["invalid"]),
    ),
    case(
        "a webhook is down",
        || {
            let said =
                "Internal error occurred: failed calling webhook \"a.example.com\": no endpoints available";
            Plan::always(Fault::RefusedWrites(500, "InternalError", said))
        },
        Unwritten(&["server"]),
    ),
    case(
        "429 to writes",
        || Plan::always(Fault::RefusedWrites(429, "TooManyRequests", "too many requests")),
        Unwritten(&["throttled"]),
    ),
    case(
        "503 to writes",
        || Plan::always(Fault::RefusedWrites(503, "ServiceUnavailable", "try later")),
        Unwritten(&["server"]),
    ),
    case(
        "the answers to writes are lost",
        || Plan::always(Fault::LostWrites),
        Outcome::None,
    ),
];
