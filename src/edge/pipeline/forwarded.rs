//! Where a request comes from, when proxies stand between.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderName};
use http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

use crate::config::AddressHeader;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Proxies whose word is taken.
pub(super) struct Trusted {
    networks: Vec<IpNet>,
    header: AddressHeader,
}

// === impl Trusted ===

impl Trusted {
    pub(super) fn new(networks: Vec<IpNet>, header: AddressHeader) -> Self {
        Self { networks, header }
    }

    /// The address of the caller: `peer`, or the last one that its proxies name and that is none of them.
    ///
    /// What stands before that one was written by the caller, and proves nothing.
    pub(super) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let (name, read): (_, fn(&str) -> Option<IpAddr>) = match self.header {
            AddressHeader::XForwardedFor => (X_FORWARDED_FOR, address),
            AddressHeader::Forwarded => (FORWARDED, forwarded_for),
        };
        let values: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
        let mut nearest = peer;
        for value in values.into_iter().rev() {
            let Ok(text) = value.to_str() else { return nearest };
            for hop in text.rsplit(',') {
                // A hop that can't be read hides everything before it.
                let Some(address) = read(hop.trim()) else { return nearest };
                nearest = address;
                if !self.trusts(address) {
                    return nearest;
                }
            }
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// An address, with or without a port, of IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let read = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    read.ok().map(|address| address.to_canonical())
}

/// The address in `for=192.0.2.43;proto=http`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| address(value.trim().trim_matches('"')))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, header: AddressHeader, values: &[&str]) -> String {
        let trusted = Trusted::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()], header);
        let mut headers = HeaderMap::new();
        for value in values {
            let name = if header == AddressHeader::Forwarded { FORWARDED } else { X_FORWARDED_FOR };
            headers.append(name, value.parse().unwrap());
        }
        trusted.caller(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_proxies_are_believed() {
        use AddressHeader::XForwardedFor as X;
        assert_eq!(caller("192.0.2.9", X, &["203.0.113.7"]), "192.0.2.9");
        assert_eq!(caller("10.0.0.1", X, &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(caller("10.0.0.1", X, &[]), "10.0.0.1");
        assert_eq!(caller("10.0.0.1", X, &["1.1.1.1, 203.0.113.7, 10.0.0.2"]), "203.0.113.7");
        assert_eq!(caller("10.0.0.1", X, &["1.1.1.1", "203.0.113.7", "10.0.0.2"]), "203.0.113.7");
        assert_eq!(caller("10.0.0.1", X, &["203.0.113.7, garbage"]), "10.0.0.1");
        assert_eq!(caller("10.0.0.1", X, &["203.0.113.7:4711"]), "203.0.113.7");
        assert_eq!(caller("fd00::1", X, &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(caller("10.0.0.1", X, &["::ffff:203.0.113.7"]), "203.0.113.7");
    }

    #[test]
    fn the_standard_header_is_read_too() {
        use AddressHeader::Forwarded as F;
        assert_eq!(caller("10.0.0.1", F, &["for=192.0.2.43;proto=https"]), "192.0.2.43");
        assert_eq!(caller("10.0.0.1", F, &["for=1.1.1.1, For=\"[2001:db8:cafe::17]:4711\""]), "2001:db8:cafe::17");
        assert_eq!(caller("10.0.0.1", F, &["proto=https;for=192.0.2.43, for=10.1.1.1"]), "192.0.2.43");
        assert_eq!(caller("10.0.0.1", F, &["for=1.1.1.1, for=_hidden"]), "10.0.0.1");
    }
}
