//! As much of an API server as reading a bare cluster needs, over plain HTTP on this machine: its
//! version, its identity, and lists of which some hold objects. Real ones are in `tests/live`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};

/// An API server that serves until the test process ends.
pub struct ApiServer {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
    speech: Arc<Speech>,
}

/// Whether a server answers yet.
#[derive(Default)]
struct Speech {
    may_speak: Mutex<bool>,
    changed: Condvar,
}

impl ApiServer {
    /// A cluster of a UID, with objects by the path of their list (`/apis/apps/v1/deployments`).
    pub fn start(uid: &str, lists: &[(&str, Value)]) -> Self {
        let server = Self::start_silent(uid, lists);
        server.speak();
        server
    }

    /// The same, which takes requests and answers none before it is told to speak.
    pub fn start_silent(uid: &str, lists: &[(&str, Value)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let uid = uid.to_owned();
        let lists: Vec<(String, Value)> = lists
            .iter()
            .map(|(path, items)| ((*path).to_owned(), items.clone()))
            .collect();
        let answers = Arc::new((uid, lists));
        let speech = Arc::new(Speech::default());
        let spoken = Arc::clone(&speech);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen, speech) = (Arc::clone(&answers), Arc::clone(&seen), Arc::clone(&spoken));
                std::thread::spawn(move || serve(stream, &answers.0, &answers.1, &seen, &speech));
            }
        });
        Self {
            url,
            requests,
            speech,
        }
    }

    /// Lets it answer from now on.
    pub fn speak(&self) {
        *self.speech.may_speak.lock().unwrap() = true;
        self.speech.changed.notify_all();
    }

    /// The methods and paths that were asked for so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A URL at which nobody listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A kubeconfig with a context of the same name for each of these servers.
pub fn kubeconfig(servers: &[(&str, &str)]) -> String {
    let each = |what: &str, entry: &dyn Fn(&str, &str) -> String| {
        let entries: Vec<String> = servers.iter().map(|(name, url)| entry(name, url)).collect();
        format!("{what}:\n{}", entries.concat())
    };
    [
        "apiVersion: v1\nkind: Config\n".to_owned(),
        each("contexts", &|name, _| {
            format!("- {{name: '{name}', context: {{cluster: '{name}', user: me}}}}\n")
        }),
        each("clusters", &|name, url| {
            format!("- {{name: '{name}', cluster: {{server: '{url}'}}}}\n")
        }),
        "users:\n- {name: me, user: {token: hunter2}}\n".to_owned(),
    ]
    .concat()
}

fn serve(
    stream: TcpStream,
    uid: &str,
    lists: &[(String, Value)],
    seen: &Mutex<Vec<String>>,
    speech: &Speech,
) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) == 0 {
                return;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let mut words = request.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.split('?').next().unwrap_or_default();
        seen.lock().unwrap().push(format!("{method} {path}"));
        let silent = speech.may_speak.lock().unwrap();
        drop(
            speech
                .changed
                .wait_while(silent, |may_speak| !*may_speak)
                .unwrap(),
        );
        let answer = answer(path, uid, lists).to_string();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
        let sent = write!(writer, "{head}Content-Length: {}\r\n\r\n{answer}", answer.len());
        if sent.is_err() {
            return;
        }
    }
}

fn answer(path: &str, uid: &str, lists: &[(String, Value)]) -> Value {
    match path {
        "/version" => json!({"gitVersion": "v1.36.3"}),
        "/api/v1/namespaces/kube-system" => json!({"metadata": {"name": "kube-system", "uid": uid}}),
        _ => {
            let items = lists
                .iter()
                .find(|(list, _)| list == path)
                .map(|(_, items)| items.clone());
            json!({"metadata": {}, "items": items.unwrap_or_else(|| json!([]))})
        }
    }
}
