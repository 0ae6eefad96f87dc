//! Each deadline's flag: what stops at a step has that step's time, not the whole request's.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::api_server::kubeconfig;
use crate::harness::Home;

/// Far more than any command here takes.
const REQUEST: &str = "5m";

/// A server that does something with each connection, told which it is, from 0.
fn server(scheme: &str, serve: fn(usize, TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("{scheme}://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().flatten().enumerate() {
            std::thread::spawn(move || serve(index, stream));
        }
    });
    url
}

/// Answers each request with a text, as long as any comes.
fn answer(mut stream: TcpStream, text: &str) {
    let mut request = [0; 8192];
    while stream.read(&mut request).is_ok_and(|length| length > 0) {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
        if write!(stream, "{head}{}\r\n\r\n{text}", text.len()).is_err() {
            return;
        }
    }
}

/// Reads and says nothing more.
fn say_nothing(mut stream: TcpStream) {
    let mut request = [0; 8192];
    while stream.read(&mut request).is_ok_and(|length| length > 0) {}
}

const VERSION: &str = r#"{"gitVersion":"v1.36.3","metadata":{"uid":"11111111-aaaa"}}"#;

/// What `contexts --probe` prints of a server, where one flag is a tenth of a second.
fn probed(url: &str, flag: &str) -> String {
    let home = Home::new();
    home.write(".kube/config", &kubeconfig(&[("east", url)]));
    let begun = Instant::now();
    let arguments = ["contexts", "--probe", "--request-timeout", REQUEST, flag, "100ms"];
    let output = home.command(&arguments).output().unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{flag}: {:?}",
        begun.elapsed()
    );
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn a_connection_that_is_not_made_ends_at_its_deadline() {
    let url = server("https", |_, stream| say_nothing(stream));
    let shown = probed(&url, "--connect-timeout");
    assert!(shown.contains("timeout") && !shown.contains("v1.36.3"), "{shown}");
}

#[test]
fn an_answer_that_does_not_begin_is_asked_for_again() {
    let url = server("http", |index, stream| match index {
        0 => say_nothing(stream),
        _ => answer(stream, VERSION),
    });
    let shown = probed(&url, "--first-byte-timeout");
    assert!(shown.contains("v1.36.3"), "{shown}");
}

#[test]
fn an_answer_that_stops_midway_is_asked_for_again() {
    let url = server("http", |index, mut stream| match index {
        0 => {
            let mut request = [0; 8192];
            let _ = stream.read(&mut request);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{{");
            say_nothing(stream);
        }
        _ => answer(stream, VERSION),
    });
    let shown = probed(&url, "--pause-timeout");
    assert!(shown.contains("v1.36.3"), "{shown}");
}
