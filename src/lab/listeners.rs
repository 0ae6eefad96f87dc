//! Handing listening sockets into the lab. A socket keeps the network namespace that it was made
//! in, so sockets bound outside on 127.0.0.1 can be served from inside the lab. They travel as
//! `SCM_RIGHTS` over a pair of Unix sockets, one of which is the child's stdin: stdin is the one
//! descriptor that a program can take hold of without `unsafe`, it survives `exec` and `fork`, and
//! nothing depends on numbers or on environment variables that grandchildren would inherit.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

use super::error::LabError;
use super::shape::MOST_CLUSTERS;

/// The bytes that the descriptors of the largest lab take beside a message.
const ROOM: usize = rustix::cmsg_space!(ScmRights(MOST_CLUSTERS as usize));

/// Binds ports of the loopback address that are free.
pub fn bind(count: u8) -> Result<Vec<TcpListener>, LabError> {
    (0..count)
        .map(|_| bind_one().map_err(|error| LabError::system("listen on 127.0.0.1", error)))
        .collect()
}

/// The port of a listener.
pub fn port(listener: &TcpListener) -> Result<u16, LabError> {
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| LabError::system("read a listener's port", error))
}

/// Binds a port by its number: one that the kernel chose would be given back when the socket stops
/// listening, and a cluster that is switched on again has to come back on its port.
fn bind_one() -> std::io::Result<TcpListener> {
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut tries = 0;
    loop {
        let port = TcpListener::bind(loopback(0))?.local_addr()?.port();
        match TcpListener::bind(loopback(port)) {
            // Somebody else took the port in between.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && tries < 20 => tries += 1,
            bound => return bound,
        }
    }
}

/// Gives a socket to be a child's stdin, with the listeners waiting in it.
pub fn pack(listeners: &[TcpListener]) -> Result<OwnedFd, LabError> {
    let failed = |error: rustix::io::Errno| LabError::system("hand the listeners to the supervisor", error);
    let (ours, childs) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::STREAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )
    .map_err(failed)?;
    let descriptors: Vec<BorrowedFd<'_>> = listeners.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); ROOM];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    rustix::net::sendmsg(&ours, &[IoSlice::new(b"L")], &mut control, SendFlags::empty()).map_err(failed)?;
    Ok(childs)
}

/// Takes the listeners that wait in a socket.
pub fn unpack(socket: impl AsFd) -> Result<Vec<TcpListener>, LabError> {
    let mut space = [MaybeUninit::uninit(); ROOM];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    rustix::net::recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
    )
    .map_err(|error| LabError::system("take the listeners from stdin", error))?;
    Ok(control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .map(TcpListener::from)
        .collect())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn listeners_arrive_and_still_listen() {
        let sent = bind(3).unwrap();
        let ports: Vec<u16> = sent.iter().map(|one| port(one).unwrap()).collect();
        let socket = pack(&sent).unwrap();
        drop(sent);
        let received = unpack(&socket).unwrap();
        assert_eq!(
            received.iter().map(|one| port(one).unwrap()).collect::<Vec<_>>(),
            ports
        );
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, ports[2])).unwrap();
        let (mut server, _) = received[2].accept().unwrap();
        client.write_all(b"hello").unwrap();
        drop(client);
        let mut text = String::new();
        server.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        assert!(
            unpack(&socket).unwrap().is_empty(),
            "there is nothing left to take"
        );
    }

    #[test]
    fn a_silenced_listener_refuses_and_comes_back_on_its_port() {
        let listener = bind(1).unwrap().remove(0);
        let address = listener.local_addr().unwrap();
        TcpStream::connect(address).unwrap();
        rustix::net::shutdown(&listener, rustix::net::Shutdown::Read).unwrap();
        assert_eq!(
            TcpStream::connect(address).unwrap_err().kind(),
            std::io::ErrorKind::ConnectionRefused
        );
        rustix::net::listen(&listener, 128).unwrap();
        assert_eq!(listener.local_addr().unwrap(), address);
        TcpStream::connect(address).unwrap();
    }
}
