//! Listening sockets: bound, taken from the service manager, handed to the process that comes after this one.
//!
//! Two processes may listen on one port (`SO_REUSEPORT`): each has a queue of its own, and the system deals connections out by
//! hash. Two things would lose some of them when the older one ends. What waits in its queue is reset when it closes; and the
//! system goes on dealing until then. So the newer one asks the system for all that is new, by a program of one instruction
//! that names its place in the group. And the older one takes what is in its queue, refuses nothing but the first packet of a
//! connection, which the caller sends again a second later, and closes only when handshakes that had begun are through.
//!
//! A place is counted from the listeners of the address. It is right for the newest, and stays so until an older one leaves;
//! then it names nobody, and the system deals by hash again among those who are left.

use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener, TcpStream};

use listenfd::ListenFd;
use nix::libc::{sock_filter, sock_fprog};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use tokio::net::TcpListener;

/// Connections that may wait to be accepted, as far as the system allows.
const BACKLOG: i32 = 4096;

/// The state of a listening socket in the system's table.
const LISTEN: &str = "0A";

/// Loads the byte at an offset of the TCP header.
const LOAD_BYTE: u16 = 0x30;
/// Jumps if a bit is set.
const JUMP_IF_SET: u16 = 0x45;
/// Ends with a number.
const RETURN: u16 = 0x06;
/// Where the flags are in the TCP header, and the flag of a first packet.
const FLAGS: u32 = 13;
const SYN: u32 = 0x02;

/// A socket that has its address, but lets nobody in yet.
pub(super) enum Bound {
    /// One of ours.
    Own {
        /// The socket.
        socket: Socket,
        /// Whether another process may listen on the same port.
        shared: bool,
    },
    /// One of the service manager's, where it has been listening all the time.
    Inherited(StdListener),
}

/// A socket that lets callers in.
pub(super) struct Open {
    pub(super) listener: TcpListener,
    shared: bool,
}

/// The sockets that the service manager has opened for this process, in its order.
pub(super) fn inherited() -> io::Result<Vec<StdListener>> {
    let mut passed = ListenFd::from_env();
    (0..passed.len()).filter_map(|index| passed.take_tcp_listener(index).transpose()).collect()
}

// === impl Bound ===

impl Bound {
    pub(super) fn bind(address: SocketAddr, shared: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(shared)?;
        socket.bind(&address.into())?;
        Ok(Self::Own { socket, shared })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Own { socket, .. } => {
                socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("the address is no internet address"))
            }
            Self::Inherited(listener) => listener.local_addr(),
        }
    }

    /// Lets callers in.
    pub(super) fn listen(self) -> io::Result<Open> {
        match self {
            Self::Inherited(listener) => {
                listener.set_nonblocking(true)?;
                Ok(Open { listener: TcpListener::from_std(listener)?, shared: false })
            }
            Self::Own { socket, shared } => {
                socket.listen(BACKLOG)?;
                let open = Open { listener: TcpListener::from_std(socket.into())?, shared };
                if shared && let Err(error) = open.attract() {
                    tracing::warn!(%error, "another process on the same port goes on getting some of the connections");
                }
                Ok(open)
            }
        }
    }
}

// === impl Open ===

impl Open {
    /// Makes the system deal all new connections to this socket, the newest of its group.
    fn attract(&self) -> io::Result<()> {
        let others = listeners(self.listener.local_addr()?)?.saturating_sub(1);
        if others == 0 {
            return Ok(());
        }
        let mut newest = [sock_filter { code: RETURN, jt: 0, jf: 0, k: others }];
        let program = sock_fprog { len: 1, filter: newest.as_mut_ptr() };
        Ok(setsockopt(&self.listener, sockopt::AttachReusePortCbpf, &program)?)
    }

    /// A connection that is in the queue already; an error where there is none.
    pub(super) fn queued(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = SockRef::from(&self.listener).accept()?;
        stream.set_nonblocking(true)?;
        let address = address.as_socket().ok_or_else(|| io::Error::other("the address is no internet address"))?;
        Ok((stream.into(), address))
    }

    /// Lets nothing begin any more, if somebody else listens who can take it: a caller's first packet is dropped, and comes again
    /// when this socket is gone. Whether that is so.
    pub(super) fn step_aside(&self) -> bool {
        let count = self.listener.local_addr().and_then(listeners);
        if !self.shared || count.unwrap_or_default() < 2 {
            return false;
        }
        let filter = [
            SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
            SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
            SockFilter::new(RETURN, 0, 0, 0),
            SockFilter::new(RETURN, 0, 0, u32::MAX),
        ];
        let filtered = SockRef::from(&self.listener).attach_filter(&filter);
        if let Err(error) = filtered {
            tracing::warn!(%error, "connections may be lost to the process that takes over");
        }
        true
    }
}

/// How many sockets listen at exactly this address, of this process and of others.
fn listeners(address: SocketAddr) -> io::Result<u32> {
    let table = if address.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    count(BufReader::new(std::fs::File::open(table)?), &written(address))
}

/// Counts in the system's table, which names those who listen before all connections.
fn count(table: impl BufRead, address: &str) -> io::Result<u32> {
    let mut count = 0;
    for line in table.lines().skip(1) {
        let line = line?;
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, state) = (fields.next(), fields.nth(1));
        if state != Some(LISTEN) {
            break;
        }
        count += u32::from(local == Some(address));
    }
    Ok(count)
}

/// An address as the system's table writes it: words in the machine's order.
fn written(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = octets.chunks_exact(4).filter_map(|word| Some(u32::from_ne_bytes(word.try_into().ok()?)));
    let ip: String = words.map(|word| format!("{word:08X}")).collect();
    format!("{ip}:{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_counted_from_the_systems_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1
   3: 0100007F:1F90 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 4 1\n";
        assert_eq!(count(table.as_bytes(), "0100007F:1F90").unwrap(), 2);
        assert_eq!(count(table.as_bytes(), "00000000:1F90").unwrap(), 1);
        assert_eq!(count(table.as_bytes(), "00000000:1F91").unwrap(), 0);
    }

    #[tokio::test]
    async fn who_listens_is_found_at_its_own_address() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(first) = Bound::bind(host.parse().unwrap(), true) else { continue };
            let address = first.address().unwrap();
            assert_eq!(listeners(address).unwrap(), 0, "bound, but not listening");
            let first = first.listen().unwrap();
            assert!(!first.step_aside(), "there is nobody else");
            let second = Bound::bind(address, true).unwrap().listen().unwrap();
            assert_eq!(listeners(address).unwrap(), 2);
            assert!(first.step_aside() && second.step_aside());
        }
    }

    #[tokio::test]
    async fn the_newest_gets_all_that_is_new() {
        let first = Bound::bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
        let address = first.address().unwrap();
        let _first = first.listen().unwrap();
        for _ in 0..2 {
            let newest = Bound::bind(address, true).unwrap().listen().unwrap();
            for _ in 0..64 {
                let _caller = tokio::net::TcpStream::connect(address).await.unwrap();
                newest.listener.accept().await.unwrap();
            }
            // The third of them finds two.
            std::mem::forget(newest);
        }
    }

    #[test]
    fn a_port_that_isnt_shared_is_not_taken_twice() {
        let first = Bound::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let Bound::Own { socket, .. } = &first else { unreachable!() };
        socket.listen(1).unwrap();
        assert!(Bound::bind(first.address().unwrap(), false).is_err());
    }
}
