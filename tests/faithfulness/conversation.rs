//! Both servers of one cluster, asked the same.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use simulator::Entry;

use crate::client::Server;
use crate::exchange_of;
use crate::shape::{Exchange, differences, refusal};

/// The most that an event of a watch may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a real cluster's controllers may take, in all, for what the simulator does at once.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(40);
/// What the tool asks an istiod.
const PATHS: [&str; 4] = [
    "/version",
    "/debug/clusterz",
    "/debug/networkz",
    "/debug/connections",
];

/// Both servers, and what was found to differ.
pub struct Both {
    pub simulated: Server,
    pub real: Server,
    pub problems: Vec<String>,
    /// How long was waited for the real cluster's controllers.
    pub waited: Duration,
    /// When something was written last.
    pub written: Option<Instant>,
}

/// An answer: its status, its type and its body.
type Answer = (u16, String, bytes::Bytes);

impl Both {
    fn note(&mut self, what: &str, found: &[String]) {
        if !found.is_empty() {
            self.problems.push(format!("{what}\n  {}", found.join("\n  ")));
        }
    }

    /// Asks the real server what the simulator was asked, and compares the answers.
    pub async fn replay(&mut self, entry: &Entry) {
        let exchange = exchange_of(entry);
        match (entry.verb, entry.status) {
            // Their answers go on; they have a conversation of their own.
            ("watch", _) => return,
            (_, 101) => {
                let port = simulator::istiod::MONITORING_PORT;
                self.real.forwarded(&exchange, port, &PATHS).await;
                return;
            }
            _ => {}
        }
        let exchange = self.translated(entry, exchange).await;
        let mut account = match entry.bearer.as_str() {
            "" => None,
            token => Some(self.own_token(token).await),
        }
        .map(|token| self.real.as_bearer(&token));
        let simulated = (entry.status, entry.answer_type.to_owned(), entry.answer.clone());
        loop {
            let real = account.as_mut().unwrap_or(&mut self.real).ask(&exchange).await;
            let found = compared(&exchange.target, &simulated, &real);
            if exchange.is_write() {
                self.written = Some(Instant::now());
            }
            let settles = self.written.is_some_and(|written| written.elapsed() < PATIENCE);
            if found.is_empty() || exchange.is_write() || !settles {
                self.note(&exchange.to_string(), &found);
                return;
            }
            // Controllers are as fast as they are: the real server may say already what the
            // simulator says when its own are done.
            let done = self.simulated.ask(&exchange).await;
            if compared(&exchange.target, &done, &real).is_empty() {
                return;
            }
            if self.waited >= PATIENCE_IN_ALL {
                self.note(&exchange.to_string(), &found);
                return;
            }
            let pause = Duration::from_millis(250);
            self.waited += pause;
            tokio::time::sleep(pause).await;
        }
    }

    /// A recorded request in the words of the real cluster: what the simulator made anew, UIDs and
    /// tokens, has others there.
    async fn translated(&mut self, entry: &Entry, mut exchange: Exchange) -> Exchange {
        if !(200..300).contains(&entry.status) || exchange.body.is_empty() {
            return exchange;
        }
        let mut body: Value = serde_json::from_slice(&exchange.body).expect("the tool sends JSON");
        for pointer in ["/metadata/uid", "/preconditions/uid"] {
            if body.pointer(pointer).is_some() {
                let path = exchange.target.split('?').next().unwrap_or_default().to_owned();
                let stands = self.real.get(&path).await.unwrap_or_default();
                if let Some(uid) = body.pointer_mut(pointer) {
                    *uid = stands["metadata"]["uid"].clone();
                }
            }
        }
        let answer: Value = serde_json::from_slice(&entry.answer).unwrap_or_default();
        if body["kind"] == "TokenReview" && answer["status"]["authenticated"] == true {
            let token = body["spec"]["token"].as_str().unwrap_or_default().to_owned();
            body["spec"]["token"] = self.own_token(&token).await.into();
        }
        exchange.body = bytes::Bytes::from(body.to_string());
        exchange
    }

    /// The real cluster's token of the Secret that a simulated token is of.
    async fn own_token(&mut self, token: &str) -> String {
        let claims = claims(token);
        let claim = |name: &str| {
            let claim = &claims[format!("kubernetes.io/serviceaccount/{name}")];
            claim.as_str().unwrap_or_default().to_owned()
        };
        let path = format!(
            "/api/v1/namespaces/{}/secrets/{}",
            claim("namespace"),
            claim("secret.name")
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stands = self.real.get(&path).await.unwrap_or_default();
            if let Some(token) = stands["data"]["token"].as_str() {
                let token = STANDARD.decode(token).expect("base64");
                return String::from_utf8(token).expect("text");
            }
            // The token controller takes a moment.
            assert!(Instant::now() < deadline, "{path} is never filled");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks both, and compares the answers.
    async fn ask(&mut self, exchange: &Exchange) -> (Answer, Answer) {
        let simulated = self.simulated.ask(exchange).await;
        let real = self.real.ask(exchange).await;
        let found = compared(&exchange.target, &simulated, &real);
        self.note(&exchange.to_string(), &found);
        (simulated, real)
    }

    /// Asks the istiods of both what the tool asks of them, all questions at once.
    pub async fn istiods(&mut self) {
        let path = "/api/v1/namespaces/istio-system/pods?labelSelector=app%3Distiod";
        let pods = self.real.get(path).await.expect("pods are listed");
        let name = pods["items"][0]["metadata"]["name"]
            .as_str()
            .expect("an istiod runs")
            .to_owned();
        let exchange = Exchange {
            accept: String::new(),
            upgrade: "v5.channel.k8s.io, v4.channel.k8s.io".to_owned(),
            ..Exchange::get(&format!(
                "/api/v1/namespaces/istio-system/pods/{name}/portforward?ports=15014"
            ))
        };
        let port = simulator::istiod::MONITORING_PORT;
        let simulated = self.simulated.forwarded(&exchange, port, &PATHS).await;
        let real = self.real.forwarded(&exchange, port, &PATHS).await;
        for (path, (simulated, real)) in PATHS.iter().zip(simulated.iter().zip(&real)) {
            self.note(&format!("{path} of istiod"), &differences(path, simulated, real));
        }
        self.ask(&Exchange {
            accept: "application/json".to_owned(),
            ..exchange
        })
        .await;
        let version = |answer: &Value| answer.as_str().map(|text| text.trim().rsplitn(3, '-').count());
        assert_eq!(
            version(&simulated[0]),
            version(&real[0]),
            "{simulated:?} {real:?}"
        );
    }

    /// What the commands ask only where something is amiss, and what they do not ask today.
    pub async fn refusals(&mut self) {
        let core = "/api/v1/namespaces/default";
        let applied = |name: &str, manager: &str, force: bool| {
            format!("{core}/configmaps/{name}?fieldManager={manager}&force={force}&fieldValidation=Strict")
        };
        let map = |value: &str| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "asked", "namespace": "default"},
                   "data": {"a": value}})
        };
        let with_uid = |mut object: Value, uid: &str| {
            object["metadata"]["uid"] = uid.into();
            object
        };
        let secret = |token: &str| json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}});
        let other = "11111111-1111-4111-8111-111111111111";
        let preconditioned = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
                                    "preconditions": {"uid": other}});
        let created = format!("{core}/configmaps?fieldManager=stolos");
        let reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
        let mut other_namespace = map("1");
        other_namespace["metadata"]["namespace"] = "not-there".into();
        for exchange in [
            Exchange::get("/api/v1/namespaces/not-there"),
            Exchange::get("/api/v1/namespaces/default/configmaps/not-there"),
            Exchange::get("/apis/apps/v1/namespaces/default/deployments/not-there"),
            Exchange::get("/apis/not.there/v1/things"),
            Exchange::get("/not-there"),
            Exchange::get("/api/v1/secrets?fieldSelector=data%3Da"),
            Exchange::get("/api/v1/namespaces/kube-system/configmaps?labelSelector=a%20b"),
            Exchange::get(
                "/api/v1/namespaces?labelSelector=kubernetes.io%2Fmetadata.name%20in%20(default,kube-public)",
            ),
            Exchange::get("/api/v1/namespaces?labelSelector=!kubernetes.io%2Fmetadata.name"),
            Exchange::get("/api/v1/namespaces?fieldSelector=metadata.name!%3Ddefault&limit=1"),
            Exchange::get("/apis/rbac.authorization.k8s.io/v1/clusterroles?limit=3"),
            Exchange::write("POST", &created, &map("1")),
            Exchange::write("POST", &created, &map("1")),
            Exchange::write("PATCH", &applied("asked", "stolos", false), &map("2")),
            Exchange::write("PATCH", &applied("asked", "stolos", true), &map("2")),
            Exchange::write("PATCH", &applied("asked", "stolos", true), &map("2")),
            Exchange::write("PATCH", &applied("asked", "another", false), &map("3")),
            Exchange::write("PATCH", &applied("asked", "another", false), &map("2")),
            Exchange::write(
                "PATCH",
                &format!("{}&dryRun=All", applied("asked", "stolos", true)),
                &map("4"),
            ),
            Exchange::write(
                "PATCH",
                &applied("asked", "stolos", true),
                &with_uid(map("5"), other),
            ),
            Exchange::write("PATCH", &applied("absent", "stolos", true), &{
                let mut absent = with_uid(map("5"), other);
                absent["metadata"]["name"] = "absent".into();
                absent
            }),
            Exchange::write(
                "PATCH",
                "/api/v1/namespaces/not-there/configmaps/asked?fieldManager=stolos&force=true",
                &other_namespace,
            ),
            Exchange::write("DELETE", &format!("{core}/configmaps/asked"), &preconditioned),
            Exchange::write("DELETE", &format!("{core}/configmaps/asked"), &json!({})),
            Exchange::write("DELETE", &format!("{core}/configmaps/asked"), &json!({})),
            Exchange::write("POST", reviews, &secret("nobody-knows-this-token")),
        ] {
            self.ask(&exchange).await;
        }
        let who = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        for exchange in [
            Exchange::get("/version"),
            Exchange::get("/apis"),
            Exchange::get("/api/v1/namespaces/kube-system"),
            Exchange::get("/api/v1/secrets?limit=500"),
            Exchange::get("/apis/apps/v1/namespaces/istio-system/deployments/istiod"),
            Exchange::write("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", &who),
        ] {
            for (whom, token) in [("a token that nobody knows", "unknown"), ("nothing", "")] {
                let simulated = self.simulated.as_bearer(token).ask(&exchange).await;
                let real = self.real.as_bearer(token).ask(&exchange).await;
                let found = compared(&exchange.target, &simulated, &real);
                self.note(&format!("{exchange} with {whom}"), &found);
            }
        }
        self.pages().await;
    }

    /// A list page by page holds on both what the whole list holds.
    async fn pages(&mut self) {
        let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        for server in [&mut self.simulated, &mut self.real] {
            let whole = server.get(path).await.expect("a list");
            let names = |list: &Value| -> Vec<String> {
                let items = list["items"].as_array().expect("a list");
                items
                    .iter()
                    .map(|item| item["metadata"]["name"].to_string())
                    .collect()
            };
            let (mut paged, mut token) = (Vec::new(), String::new());
            loop {
                let page = server
                    .get(&format!("{path}?limit=7&continue={token}"))
                    .await
                    .expect("a page");
                paged.extend(names(&page));
                match page["metadata"]["continue"].as_str() {
                    Some(next) if !next.is_empty() => token = next.to_owned(),
                    _ => break,
                }
            }
            assert_eq!(paged, names(&whole), "{}: pages", server.name);
        }
    }

    /// Watches in the words of those that were recorded, over an object's whole life.
    pub async fn watches(&mut self, recorded: &[Entry]) {
        let asked = "fieldSelector watch timeoutSeconds resourceVersion";
        for entry in recorded.iter().filter(|entry| entry.verb == "watch") {
            let (_, query) = entry.target.split_once('?').expect("a watch has a query");
            for parameter in query.split('&').filter_map(|pair| pair.split('=').next()) {
                let known = asked.split(' ').any(|known| known == parameter);
                assert!(
                    known,
                    "{}: watches with `{parameter}` are not compared",
                    entry.target
                );
            }
        }
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
                             "metadata": {"name": "watched", "namespace": "default"}});
        let accounts = "/api/v1/namespaces/default/serviceaccounts";
        let apply = "fieldManager=stolos&force=true&fieldValidation=Strict";
        self.ask(&Exchange::write(
            "PATCH",
            &format!("{accounts}/watched?{apply}"),
            &account,
        ))
        .await;
        let simulated = life(&mut self.simulated).await;
        let real = life(&mut self.real).await;
        for (what, simulated) in &simulated {
            let found = match real.iter().find(|(other, _)| other == what) {
                None => vec!["only the simulator tells of it".to_owned()],
                Some((_, real)) => differences("", simulated, real),
            };
            self.note(&format!("a watch: {what}"), &found);
        }
        assert_eq!(simulated.len(), real.len(), "{simulated:?} {real:?}");
        self.ask(&Exchange::write(
            "DELETE",
            &format!("{accounts}/watched"),
            &json!({}),
        ))
        .await;
    }
}

/// What a watch tells of a token Secret from before it is made until it is gone, by a word for each
/// event. That a watch may begin too far back (410) cannot be shown here: a young server remembers
/// everything.
async fn life(server: &mut Server) -> Vec<(String, Value)> {
    let secrets = "/api/v1/namespaces/default/secrets";
    let selected = format!("{secrets}?fieldSelector=metadata.name%3Dwatched");
    let listed = server.get(&selected).await.expect("a list");
    let version = listed["metadata"]["resourceVersion"]
        .as_str()
        .expect("a version")
        .to_owned();
    let watch = |version: &str, seconds: u32| {
        Exchange::get(&format!(
            "{selected}&watch=true&timeoutSeconds={seconds}&resourceVersion={version}"
        ))
    };
    // One that names no version begins with what stands: nothing, before the Secret is made.
    let from_now = Exchange::get(&format!("{selected}&watch=true&timeoutSeconds=60"));
    let before = server.watch(&from_now).await;
    let mut events = server.watch(&watch(&version, 60)).await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "watched", "namespace": "default",
                     "annotations": {"kubernetes.io/service-account.name": "watched"}},
    });
    let path = format!("{secrets}/watched");
    let applied = Exchange::write(
        "PATCH",
        &format!("{path}?fieldManager=stolos&force=true"),
        &secret,
    );
    let (status, _, _) = server.ask(&applied).await;
    assert_eq!(status, 201, "{}: the Secret is made", server.name);
    let mut told = Vec::new();
    let mut next = async |what: &str| {
        let event = events.next().await;
        told.push((format!("{} {what}", event["type"]), event));
    };
    next("as it was made").await;
    next("with its token").await;
    for (mut begun, has_token) in [(before, false), (server.watch(&from_now).await, true)] {
        let first = begun.next().await;
        assert_eq!(first["type"], "ADDED", "{}: {first}", server.name);
        let token = &first["object"]["data"]["token"];
        assert_eq!(token.is_string(), has_token, "{}: {first}", server.name);
    }
    let filled = server.get(&path).await.expect("it stands");
    assert!(
        filled["data"]["token"].is_string(),
        "{}: the token is there",
        server.name
    );
    let (status, _, _) = server.ask(&Exchange::write("DELETE", &path, &json!({}))).await;
    assert_eq!(status, 200, "{}: it is deleted", server.name);
    next("gone").await;
    // A watch ends when its time is over.
    let begun = Instant::now();
    let version = version_of(server, &selected).await;
    let mut short = server.watch(&watch(&version, 1)).await;
    assert!(short.ends().await, "{}: a watch has an end", server.name);
    assert!(begun.elapsed() >= Duration::from_millis(900), "{}", server.name);
    told
}

/// A JWT's claims.
fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap_or_default();
    let json = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&json).unwrap_or_default()
}

async fn version_of(server: &mut Server, path: &str) -> String {
    let listed = server.get(path).await.expect("a list");
    listed["metadata"]["resourceVersion"]
        .as_str()
        .expect("a version")
        .to_owned()
}

/// A watch's events as they come.
pub struct Events {
    pub body: hyper::body::Incoming,
    pub heard: Vec<u8>,
}

impl Events {
    async fn next(&mut self) -> Value {
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return serde_json::from_slice(&line).expect("an event is JSON");
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            let frame = frame.expect("an event comes").expect("the watch goes on");
            if let Ok(data) = frame.expect("the watch goes on").into_data() {
                self.heard.extend_from_slice(&data);
            }
        }
    }

    async fn ends(&mut self) -> bool {
        let end = async { while self.body.frame().await.is_some() {} };
        tokio::time::timeout(PATIENCE, end).await.is_ok()
    }
}

/// How two answers differ.
fn compared(target: &str, simulated: &Answer, real: &Answer) -> Vec<String> {
    let beginning = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(500)]).into_owned();
    if simulated.0 != real.0 {
        return vec![format!(
            "{} from the simulator, {} from the real server: {}",
            simulated.0,
            real.0,
            beginning(&real.2)
        )];
    }
    let mut found = Vec::new();
    if simulated.1 != real.1 {
        found.push(format!(
            "`{}` from the simulator, `{}` from the real server",
            simulated.1, real.1
        ));
    }
    let parsed = |answer: &Answer| serde_json::from_slice::<Value>(&answer.2).ok();
    match (parsed(simulated), parsed(real)) {
        (Some(simulated), Some(real)) => {
            found.extend(differences(target, &simulated, &real));
            if refusal(&simulated) != refusal(&real) {
                found.push(format!("{:?} and {:?}", refusal(&simulated), refusal(&real)));
            }
        }
        _ if simulated.2 == real.2 => {}
        _ => found.push(format!(
            "`{}` from the simulator, `{}` from the real server",
            beginning(&simulated.2),
            beginning(&real.2)
        )),
    }
    found
}
