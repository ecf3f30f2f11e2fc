//! The PROXY protocol, versions 1 and 2: a balancer's word on who is behind it, before anything else.

use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;

use bytes::{Buf, Bytes, BytesMut};
use ppp::{PartialResult, v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest header that is read; version 2 may carry more than addresses.
const LONGEST: usize = 4096;
/// The longest line of version 1.
const LONGEST_LINE: usize = 107;
/// How a header of version 1 begins.
const V1: &[u8] = b"PROXY ";

/// What a header tells: the caller's address, unless it speaks for itself, and what came after the header.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub(super) address: Option<IpAddr>,
    pub(super) rest: Bytes,
}

/// Reads the header.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Told> {
    let mut buffer = BytesMut::with_capacity(256);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Some((length, address)) = parse(&buffer)? {
            buffer.advance(length);
            return Ok(Told { address: address.map(|address| address.to_canonical()), rest: buffer.freeze() });
        }
        if buffer.len() >= LONGEST {
            return Err(Error::new(ErrorKind::InvalidData, "the PROXY protocol's header is too long"));
        }
    }
}

/// The header's length and what it tells, or nothing while it isn't whole.
fn parse(bytes: &[u8]) -> Result<Option<(usize, Option<IpAddr>)>> {
    let begins = |signature: &[u8]| bytes.starts_with(signature) || signature.starts_with(bytes);
    if !begins(V1) && !begins(v2::PROTOCOL_PREFIX) {
        return Err(Error::new(ErrorKind::InvalidData, "the connection doesn't begin with the PROXY protocol"));
    }
    let invalid = |error: &dyn std::fmt::Display| Error::new(ErrorKind::InvalidData, error.to_string());
    if bytes.starts_with(V1) {
        let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else {
            let long = bytes.len() > LONGEST_LINE;
            return if long { Err(invalid(&"the PROXY protocol's line is too long")) } else { Ok(None) };
        };
        let line = bytes.get(..end + 2).unwrap_or_default();
        let header = v1::Header::try_from(line).map_err(|error| invalid(&error))?;
        let address = match header.addresses {
            v1::Addresses::Tcp4(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Tcp6(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Unknown => None,
        };
        return Ok(Some((line.len(), address)));
    }
    let header = v2::Header::try_from(bytes);
    if header.is_incomplete() || bytes.len() < V1.len() {
        return Ok(None);
    }
    let header = header.map_err(|error| invalid(&error))?;
    let address = match header.addresses {
        // The balancer asks for itself, whether the server is well.
        _ if header.command == v2::Command::Local => None,
        v2::Addresses::IPv4(addresses) => Some(addresses.source_address.into()),
        v2::Addresses::IPv6(addresses) => Some(addresses.source_address.into()),
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
    };
    Ok(Some((header.len(), address)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told when the bytes come one by one.
    async fn told(bytes: &[u8]) -> Result<Told> {
        let (mut ours, mut theirs) = tokio::io::duplex(1);
        let writing = async move {
            // Who has heard enough doesn't read on.
            drop(tokio::io::AsyncWriteExt::write_all(&mut ours, bytes).await);
        };
        let reading = async move { read(&mut theirs).await };
        tokio::join!(writing, reading).1
    }

    fn version_2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [v2::PROTOCOL_PREFIX, &[0x20 | command, family], &length, addresses].concat()
    }

    #[tokio::test]
    async fn addresses_are_told_by_both_versions() {
        let four = [1, 2, 3, 4, 5, 6, 7, 8, 0, 80, 1, 187];
        let mut six = [0; 36];
        six[..16].copy_from_slice(&"2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets());
        for (header, address) in [
            (b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\n".to_vec(), Some("1.2.3.4")),
            (b"PROXY TCP6 2001:db8::1 ::1 80 443\r\n".to_vec(), Some("2001:db8::1")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (version_2(1, 0x11, &four), Some("1.2.3.4")),
            (version_2(1, 0x21, &six), Some("2001:db8::1")),
            (version_2(0, 0x11, &four), None),
            (version_2(0, 0, &[]), None),
        ] {
            let told = told(&header).await.unwrap();
            assert_eq!(told.address, address.map(|address| address.parse().unwrap()), "{header:?}");
            assert!(told.rest.is_empty());
        }
    }

    #[tokio::test]
    async fn what_follows_is_kept() {
        let mut whole: &[u8] = b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\nGET / HTTP/1.1\r\n";
        assert_eq!(read(&mut whole).await.unwrap().rest, "GET / HTTP/1.1\r\n");
    }

    #[tokio::test]
    async fn anything_else_is_refused_at_once_or_at_its_end() {
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 2 * LONGEST]].concat();
        let huge = version_2(1, 0x11, &[0; 2 * LONGEST]);
        for bytes in
            [b"GET / HTTP/1.1\r\n\r\n".as_slice(), b"\x16\x03\x01", b"PROXY TCP4 no\r\n", b"PROXY", &long, &huge]
        {
            assert!(told(bytes).await.is_err(), "{bytes:?}");
        }
    }
}
