//! Asking a container whether it is ready, as its readiness probe says.

use std::net::Ipv4Addr;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How often a container is asked until it is ready the first time, whatever its probe says: a lab
/// has little to do, and its user waits.
const EAGER: Duration = Duration::from_millis(200);

/// How a container is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    question: Question,
    period: Duration,
    timeout: Duration,
    failures: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Question {
    /// An HTTP request that is answered well.
    Http { port: u16, path: String },
    /// A connection.
    Connect { port: u16 },
    /// None, or one that the lab cannot ask: whatever runs is ready.
    Nothing,
}

impl Readiness {
    /// What a container's probe says.
    pub fn of(container: &Container) -> Self {
        let probe = container.readiness_probe.as_ref();
        let seconds = |value: Option<i32>, default: u64| {
            Duration::from_secs(
                value
                    .and_then(|value| u64::try_from(value).ok())
                    .filter(|&value| value > 0)
                    .unwrap_or(default),
            )
        };
        Self {
            question: probe.map_or(Question::Nothing, |probe| question(probe, container)),
            period: seconds(probe.and_then(|probe| probe.period_seconds), 10),
            timeout: seconds(probe.and_then(|probe| probe.timeout_seconds), 1),
            failures: probe
                .and_then(|probe| u32::try_from(probe.failure_threshold?).ok())
                .unwrap_or(3)
                .max(1),
        }
    }

    /// How long to wait before the next question.
    pub fn pause(&self, ready: bool) -> Duration {
        if ready {
            self.period
        } else {
            EAGER.min(self.period)
        }
    }

    /// How many answers have to fail before what was ready is not.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Asks once.
    pub async fn ask(&self, address: Ipv4Addr) -> bool {
        let asked = async {
            match &self.question {
                Question::Nothing => Ok(true),
                Question::Connect { port } => TcpStream::connect((address, *port)).await.map(|_| true),
                Question::Http { port, path } => http(address, *port, path).await,
            }
        };
        matches!(tokio::time::timeout(self.timeout, asked).await, Ok(Ok(true)))
    }
}

fn question(probe: &Probe, container: &Container) -> Question {
    let number = |port: &IntOrString| match port {
        IntOrString::Int(number) => u16::try_from(*number).ok(),
        IntOrString::String(name) => container
            .ports
            .iter()
            .flatten()
            .find(|port| port.name.as_ref() == Some(name))
            .and_then(|port| u16::try_from(port.container_port).ok()),
    };
    if let Some(http) = &probe.http_get {
        let encrypted = http.scheme.as_deref() == Some("HTTPS");
        return match number(&http.port) {
            Some(port) if encrypted => Question::Connect { port },
            Some(port) => Question::Http {
                port,
                path: http.path.clone().unwrap_or_else(|| "/".to_owned()),
            },
            None => Question::Nothing,
        };
    }
    match probe.tcp_socket.as_ref().and_then(|socket| number(&socket.port)) {
        Some(port) => Question::Connect { port },
        None => Question::Nothing,
    }
}

/// Whether a request is answered with success or a redirection.
async fn http(address: Ipv4Addr, port: u16, path: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((address, port)).await?;
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: {address}:{port}\r\nUser-Agent: kube-probe/lab\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await?;
    let code: u16 = line
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    Ok((200..400).contains(&code))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;

    async fn asked(answer: &'static str) -> bool {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).await.unwrap();
            line
        });
        let container: Container = serde_json::from_value(json!({
            "name": "c",
            "ports": [{"name": "status", "containerPort": port}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "status"}, "timeoutSeconds": 1},
        }))
        .unwrap();
        let good = Readiness::of(&container).ask(Ipv4Addr::LOCALHOST).await;
        assert_eq!(server.await.unwrap(), "GET /ready HTTP/1.0\r\n");
        good
    }

    #[tokio::test]
    async fn only_a_good_answer_is_ready() {
        assert!(asked("HTTP/1.1 200 OK\r\n\r\n").await);
        assert!(!asked("HTTP/1.1 503 Service Unavailable\r\n\r\n").await);
        assert!(!asked("").await);
    }
}
