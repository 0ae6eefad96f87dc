//! Answers as a pod may give them: well, in pieces, in disorder, without end.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::{Answer, Broken, ask_all};

const LIMIT: usize = 1024;
const PATHS: [&str; 3] = ["/version", "/debug/clusterz", "/debug/networkz"];

/// Asks three paths of a server that answers with these bytes, in pieces of a size, once all of the
/// requests are there, and then closes.
async fn answers(bytes: &[u8], piece: usize) -> Vec<Result<Answer, Broken>> {
    let (ours, mut theirs) = duplex(64);
    let bytes = bytes.to_vec();
    let server = tokio::spawn(async move {
        let asked = read_requests(&mut theirs).await;
        for piece in bytes.chunks(piece) {
            // Whoever asks may have heard enough.
            if theirs.write_all(piece).await.is_err() {
                break;
            }
        }
        asked
    });
    let mut answers = ask_all(ours, &PATHS, LIMIT).await.unwrap();
    let mut found = Vec::new();
    for _ in PATHS {
        found.push(answers.next().await);
    }
    drop(answers);
    let asked = server.await.unwrap();
    assert_eq!(asked.matches("GET /").count(), 3);
    assert_eq!(asked.matches("Connection: close\r\n").count(), 1);
    assert!(asked.find("/debug/networkz") < asked.find("Connection: close"));
    found
}

/// Three requests, all of them before the first answer.
async fn read_requests(stream: &mut DuplexStream) -> String {
    let mut asked = Vec::new();
    while String::from_utf8_lossy(&asked).matches("\r\n\r\n").count() < 3 {
        let mut buffer = [0; 256];
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "the requests are not all written at once");
        asked.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(asked).unwrap()
}

fn fine(body: &str) -> Result<Answer, Broken> {
    Ok(Answer {
        status: 200,
        body: body.as_bytes().to_vec(),
    })
}

#[tokio::test]
async fn three_answers_in_order_however_they_are_cut() {
    let text = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n1.2\
        HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        2;name=value\r\n[{\r\n3\r\n}]\n\r\n0\r\nTrailer: x\r\n\r\n\
        HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nConnection: Close\r\n\r\n";
    for piece in [1, 7, 4096] {
        let found = answers(text, piece).await;
        let absent = Ok(Answer {
            status: 404,
            body: Vec::new(),
        });
        assert_eq!(
            found,
            [fine("1.2"), fine("[{}]\n"), absent],
            "in pieces of {piece}"
        );
    }
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_the_connection() {
    let found = answers(b"HTTP/1.0 200 OK\r\n\r\nall of it", 5).await;
    assert_eq!(
        found,
        [fine("all of it"), Err(Broken::Closed), Err(Broken::Closed)]
    );
}

#[tokio::test]
async fn a_server_that_closes_after_the_first_answers_no_more() {
    let found = answers(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive, close\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2",
        4096,
    )
    .await;
    assert_eq!(found, [fine("1"), Err(Broken::Closed), Err(Broken::Closed)]);
}

#[tokio::test]
async fn what_is_cut_short_wrong_or_too_long_ends_the_rest() {
    let long_field = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(200_000));
    let many_fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(100));
    let long_body = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(5000));
    let many_chunks = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "100\r\n".to_owned()
            + &"x".repeat(256)
            + "\r\n"
            + &("300\r\n".to_owned() + &"x".repeat(768) + "\r\n1\r\n")
    );
    let trailers = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}",
        "A: b\r\n".repeat(50_000)
    );
    for (text, wanted) in [
        ("", Broken::Closed),
        ("HTTP/1.1 200 OK\r\nContent-Le", Broken::Closed),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            Broken::Closed,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            Broken::Closed,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            Broken::Closed,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd",
            Broken::NotHttp,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            Broken::NotHttp,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            Broken::NotHttp,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Broken::NotHttp),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n1", Broken::NotHttp),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
            Broken::NotHttp,
        ),
        ("SSH-2.0-OpenSSH_9.9\r\n", Broken::NotHttp),
        ("\u{16}\u{3}\u{1}", Broken::NotHttp),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            Broken::NotHttp,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1025\r\n\r\n",
            Broken::TooLarge,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
            Broken::TooLarge,
        ),
        (&many_chunks, Broken::TooLarge),
        (&trailers, Broken::TooLarge),
        (&long_body, Broken::TooLarge),
        (&long_field, Broken::TooLarge),
        (&many_fields, Broken::NotHttp),
    ] {
        let shown: String = text.chars().take(80).collect();
        let found = answers(text.as_bytes(), 4096).await;
        assert_eq!(found, [Err(wanted), Err(wanted), Err(wanted)], "{shown:?}");
    }
}

#[tokio::test]
async fn nobody_to_write_to() {
    let (ours, theirs) = duplex(64);
    drop(theirs);
    assert_eq!(ask_all(ours, &PATHS, LIMIT).await.err(), Some(Broken::Closed));
}
