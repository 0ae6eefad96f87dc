//! Answering what is asked of the lab over its socket.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};

use super::cluster::ControlPlane;
use super::log::Log;
use crate::lab::control::{Answer, PATIENCE, Request, socket_path};
use crate::lab::error::LabError;

type Planes = Arc<Vec<Arc<ControlPlane>>>;

/// Serves the lab's socket, for as long as the lab lives.
pub async fn serve(directory: &Path, planes: Vec<Arc<ControlPlane>>, log: Log) -> Result<(), LabError> {
    let failed = |error: std::io::Error| LabError::file("open the socket in", directory, error);
    let listener = {
        let (_folder, path) = socket_path(directory).map_err(failed)?;
        UnixListener::bind(path).map_err(failed)?
    };
    let planes = Arc::new(planes);
    loop {
        let (stream, _) = listener.accept().await.map_err(failed)?;
        let (planes, log) = (planes.clone(), log.clone());
        tokio::spawn(async move {
            if let Err(error) = converse(stream, planes).await {
                log.say(format!("answer over the socket: {error}"));
            }
        });
    }
}

async fn converse(stream: UnixStream, planes: Planes) -> std::io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut lines = BufReader::new(from).lines();
    while let Some(line) = lines.next_line().await? {
        let last = match serde_json::from_str(&line) {
            Ok(request) => answer(request, &planes, &mut to).await?,
            Err(error) => Answer::Failed {
                why: format!("the request was not understood: {error}"),
            },
        };
        tell(&mut to, &last).await?;
    }
    Ok(())
}

async fn answer(request: Request, planes: &Planes, to: &mut OwnedWriteHalf) -> std::io::Result<Answer> {
    Ok(match request {
        Request::States => Answer::States {
            clusters: planes
                .iter()
                .map(|plane| (plane.context(), plane.state()))
                .collect::<BTreeMap<_, _>>(),
        },
        Request::Wait => {
            let mut waiting: FuturesUnordered<_> = planes
                .iter()
                .map(|plane| async {
                    (
                        plane.context(),
                        tokio::time::timeout(PATIENCE, plane.settled()).await,
                    )
                })
                .collect();
            while let Some((context, settled)) = waiting.next().await {
                match settled {
                    Ok(Ok(())) => tell(to, &Answer::Ready { context }).await?,
                    Ok(Err(why)) => return Ok(Answer::Failed { why }),
                    Err(_) => {
                        let why = format!("{context} was not ready within {} s", PATIENCE.as_secs());
                        return Ok(Answer::Failed { why });
                    }
                }
            }
            Answer::Done
        }
        Request::Stop { context } => match find(planes, &context) {
            Ok(plane) => {
                plane.stop().await;
                Answer::Done
            }
            Err(why) => Answer::Failed { why },
        },
        Request::Start { context } => match find(planes, &context) {
            Ok(plane) => match tokio::time::timeout(PATIENCE, plane.start()).await {
                Ok(Ok(())) => Answer::Done,
                Ok(Err(why)) => Answer::Failed { why: why.to_string() },
                Err(_) => Answer::Failed {
                    why: format!("{context} was not ready within {} s", PATIENCE.as_secs()),
                },
            },
            Err(why) => Answer::Failed { why },
        },
    })
}

fn find<'a>(planes: &'a Planes, context: &str) -> Result<&'a Arc<ControlPlane>, String> {
    planes
        .iter()
        .find(|plane| plane.context() == context)
        .ok_or_else(|| format!("it has no cluster {context}"))
}

async fn tell(to: &mut OwnedWriteHalf, answer: &Answer) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    to.write_all(&line).await
}
