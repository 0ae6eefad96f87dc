//! Port-forwards to pods, by WebSocket over HTTP/1.1 as kubelets serve them (`v4.channel.k8s.io`):
//! each port has a channel for its bytes and one for its error, and both begin with the port's
//! number.

use std::sync::Arc;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::header::{
    ACCEPT, CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    UPGRADE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::answer::{Content, Outgoing, Sending};
use crate::api::Asked;
use crate::cluster::Cluster;
use crate::istiod;
use crate::people::User;
use crate::request::Connection;
use crate::resource::{ALL, Target};
use crate::store::place;

/// The subprotocol that is spoken.
const PROTOCOL: &str = "v4.channel.k8s.io";
/// Bytes that wait in each direction.
const BUFFER: usize = 64 * 1024;

/// Whether a request wants to become a WebSocket.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

/// Opens a port-forward, where the request is for one to a pod that is there.
pub fn answer(
    connection: &Connection,
    _user: &User,
    asked: &Asked<'_>,
    upgrade: OnUpgrade,
) -> Option<Response<Outgoing>> {
    let target = Target::of(asked.path)?;
    if target.resource().kind != "Pod" || target.subresource != "portforward" {
        return None;
    }
    let cluster = &connection.cluster;
    let pod = cluster
        .state()
        .store
        .item(&place(target.number, target.namespace, target.name))
        .map(|item| item.value(&ALL[target.number], &cluster.words))?;
    // Whoever accepts only JSON is told that nothing of the kind is to be had.
    if asked
        .headers
        .get(ACCEPT)
        .is_some_and(|accept| !accept.as_bytes().ends_with(b"*/*"))
    {
        return Some(not_acceptable());
    }
    let offered = asked.headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    if !offered.split(',').any(|protocol| protocol.trim() == PROTOCOL) {
        return None;
    }
    let ports: Vec<u16> = asked
        .query
        .get("ports")
        .split(',')
        .filter_map(|port| port.parse().ok())
        .collect();
    let accept = derive_accept_key(asked.headers.get(SEC_WEBSOCKET_KEY)?.as_bytes());
    let is_istiod = pod["metadata"]["labels"]["app"] == "istiod";
    let (cluster, namespace) = (Arc::clone(cluster), target.namespace.to_owned());
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else {
            return;
        };
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        forward(socket, &cluster, &namespace, &ports, is_istiod).await;
    });
    let mut response = Response::new(Outgoing::new(Content::Whole(Bytes::new()), Sending::Straight));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&accept).ok()?);
    Some(response)
}

fn not_acceptable() -> Response<Outgoing> {
    let text = "406: Not Acceptable\n\nAvailable representations: ";
    let mut response = Response::new(Outgoing::new(
        Content::Whole(Bytes::from_static(text.as_bytes())),
        Sending::Straight,
    ));
    *response.status_mut() = StatusCode::NOT_ACCEPTABLE;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

async fn forward(
    socket: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
    cluster: &Arc<Cluster>,
    namespace: &str,
    ports: &[u16],
    is_istiod: bool,
) {
    let (mut outgoing, mut incoming) = socket.split();
    let mut writers: Vec<Option<WriteHalf<DuplexStream>>> = Vec::new();
    let mut readers: Vec<Option<ReadHalf<DuplexStream>>> = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let [low, high] = port.to_le_bytes();
        let channel = u8::try_from(index * 2).unwrap_or(u8::MAX - 1);
        for channel in [channel, channel + 1] {
            if outgoing
                .send(Message::binary(vec![channel, low, high]))
                .await
                .is_err()
            {
                return;
            }
        }
        if is_istiod && *port == istiod::MONITORING_PORT {
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            tokio::spawn(istiod::serve(theirs, Arc::clone(cluster), namespace.to_owned()));
            let (reader, writer) = tokio::io::split(ours);
            readers.push(Some(reader));
            writers.push(Some(writer));
        } else {
            let error = format!("error forwarding port {port} to pod: connection refused");
            let mut message = vec![channel + 1];
            message.extend_from_slice(error.as_bytes());
            if outgoing.send(Message::binary(message)).await.is_err() {
                return;
            }
            readers.push(None);
            writers.push(None);
        }
    }
    // One port is what this tool asks for; more are served one reader at a time.
    let mut reader = readers
        .iter_mut()
        .enumerate()
        .find_map(|(index, reader)| Some((index, reader.take()?)));
    let mut space = vec![0; 16 * 1024];
    loop {
        let from_pod = async {
            match &mut reader {
                Some((index, reader)) => (*index, reader.read(&mut space).await.unwrap_or(0)),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = incoming.next() => match message {
                Some(Ok(Message::Binary(bytes))) if !bytes.is_empty() => {
                    let index = usize::from(bytes[0] / 2);
                    if let Some(Some(writer)) = writers.get_mut(index)
                        && writer.write_all(&bytes[1..]).await.is_err()
                    {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            (index, count) = from_pod => {
                // The protocol does not pass on the end of a connection.
                if count == 0 {
                    reader = None;
                    continue;
                }
                let mut message = vec![u8::try_from(index * 2).unwrap_or_default()];
                message.extend_from_slice(&space[..count]);
                if outgoing.send(Message::binary(message)).await.is_err() {
                    return;
                }
            }
        }
    }
}
