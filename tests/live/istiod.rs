//! What each istiod says of itself, asked as Istio's documents have it and without this project's
//! code: by kubectl's port-forward, and by istioctl.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Lab, must};

/// What the istiods of a cluster say at a debug endpoint, asked as Istio's documents have it: by
/// kubectl's port-forward.
pub fn istiods_word(lab: &Lab, number: u8, path: &str) -> Vec<Value> {
    let context = lab.context(number);
    let namespace = ["-n", "istio-system"];
    let pods = must(
        lab.kubectl(&context, &["get", "pods", "-l", "app=istiod", "-o", "name"])
            .args(namespace),
    );
    pods.lines()
        .map(|pod| word_of(lab, number, pod, path).unwrap_or_else(|why| panic!("{path} of {pod}: {why}")))
        .collect()
}

/// What one istiod says, or why it says nothing: it may be going.
pub fn word_of(lab: &Lab, number: u8, pod: &str, path: &str) -> Result<Value, String> {
    let mut forward = lab
        .kubectl(&lab.context(number), &["port-forward", pod, ":15014"])
        .args(["-n", "istio-system"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("kubectl can be run");
    let mut line = String::new();
    // Held to the end: kubectl ends where nobody listens to what it says next.
    let mut stdout = BufReader::new(forward.stdout.take().expect("its stdout is piped"));
    stdout.read_line(&mut line).expect("kubectl says its port");
    // Forwarding from 127.0.0.1:40123 -> 15014
    let body = match line.split_whitespace().nth(2) {
        Some(address) => TcpStream::connect(address)
            .and_then(|mut stream| get(&mut stream, path))
            .map_err(|error| error.to_string()),
        None => Err("kubectl does not forward".to_owned()),
    };
    forward.kill().expect("kubectl can be ended");
    forward.wait().expect("kubectl ends");
    drop(stdout);
    serde_json::from_str(&body?).map_err(|error| format!("no JSON: {error}"))
}

/// The body of an answer, by its length: a port-forward does not pass on the end of a connection.
fn get(stream: &mut TcpStream, path: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut reader = BufReader::new(stream);
    let mut line = || -> std::io::Result<String> {
        let mut line = String::new();
        match reader.read_line(&mut line)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim().to_ascii_lowercase()),
        }
    };
    if !line()?.contains("200") {
        return Err(std::io::Error::other("it is refused"));
    }
    let mut headers = Vec::new();
    loop {
        match line()? {
            line if line.is_empty() => break,
            line => headers.push(line),
        }
    }
    let length = headers
        .iter()
        .find_map(|header| header.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.expect("a short answer says its length")];
    reader.read_exact(&mut body)?;
    Ok(String::from_utf8(body).expect("text"))
}

/// What `istioctl remote-clusters`, run inside of the lab, says of each cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteCluster {
    pub name: String,
    /// Empty for its own cluster.
    pub secret: String,
    pub status: String,
    pub istiod: String,
}

/// Asks a cluster's istiods by istioctl what they read, in its order by name.
pub fn remote_clusters(lab: &Lab, context: &str) -> Vec<RemoteCluster> {
    let table = must(lab.exec(&["istioctl", "remote-clusters", "--context", context]));
    let mut rows: Vec<RemoteCluster> = table
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let (name, secret, rest) = match columns[..] {
                [name, status, istiod, _] => (name, "", [status, istiod]),
                [name, secret, status, istiod, _] => (name, secret, [status, istiod]),
                _ => panic!("a row of istioctl's that is not known: {line}"),
            };
            RemoteCluster {
                name: name.to_owned(),
                secret: secret.to_owned(),
                status: rest[0].to_owned(),
                istiod: rest[1].to_owned(),
            }
        })
        .collect();
    rows.sort();
    rows
}

/// The same out of a status report's cluster.
pub fn reported_clusters(cluster: &Value) -> Vec<RemoteCluster> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    for plane in list(&cluster["controlPlanes"]) {
        for replica in list(&plane["replicas"]) {
            for seen in list(&replica["clusters"]) {
                rows.push(RemoteCluster {
                    name: text(&seen["id"]),
                    secret: text(&seen["secretName"]),
                    status: text(&seen["syncStatus"]),
                    istiod: text(&replica["pod"]),
                });
            }
        }
    }
    rows.sort();
    rows
}

/// The codes of `istioctl analyze -A`'s messages of level Error in a cluster, run inside of the lab.
pub fn analyzed_errors(lab: &Lab, context: &str) -> Vec<String> {
    let arguments = ["istioctl", "analyze", "-A", "-o", "json", "--context", context];
    let messages: Value = crate::harness::json(lab.exec(&arguments));
    let messages = messages.as_array().expect("istioctl prints a list");
    messages
        .iter()
        .filter(|message| message["level"] == "Error")
        .map(Value::to_string)
        .collect()
}

/// A field of each entry of a list, sorted.
pub fn texts(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().expect("a list").iter();
    let mut texts: Vec<String> = entries
        .map(|entry| entry[field].as_str().unwrap_or_default().to_owned())
        .collect();
    texts.sort();
    texts
}
