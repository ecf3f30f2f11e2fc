//! Which addresses are granted: scheme, host, port, and the beginning of the path.

use url::{Host, Url};

/// One entry of a list of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    scheme: String,
    host: Pattern,
    /// Absent: any.
    port: Option<u16>,
    /// Without a slash at its end.
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// Any host.
    Any,
    /// A name, in which `*` stands for one label.
    Name(String),
    /// An address.
    Address(String),
}

// === impl Rule ===

impl Rule {
    /// Reads `https://*.example.com:8443/v1`; a port of `*` is any, and so is none where the host is any.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "is no host; write https://example.com, https://*.example.com/path or https://*";
        let (scheme, rest) = text.split_once("://").ok_or(wrong)?;
        let usual = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return Err("must begin with https:// or http://"),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains(['@', '?', '#', ' ']) || path.contains(['?', '#']) {
            return Err("must hold neither password, query nor fragment");
        }
        let bracket = authority.rfind(']').unwrap_or(0);
        let (host, port) = match authority.rfind(':').filter(|colon| *colon > bracket || bracket == 0) {
            Some(colon) => {
                let (host, port) = authority.split_at(colon);
                match port.trim_start_matches(':') {
                    "*" => (host, None),
                    port => (host, Some(port.parse().map_err(|_| "has a port that is none")?)),
                }
            }
            None => (authority, Some(usual).filter(|_| authority != "*")),
        };
        let host = match host {
            "" => return Err(wrong),
            "*" => Pattern::Any,
            // A star is no part of a name that can be looked up, so it is kept out of that name's reading.
            name if name.contains('*') => {
                let plain = name.replace('*', "star");
                Host::parse(&plain).map_err(|_| wrong)?;
                Pattern::Name(name.to_ascii_lowercase())
            }
            name => match Host::parse(name).map_err(|_| wrong)? {
                Host::Domain(name) => Pattern::Name(name),
                address => Pattern::Address(address.to_string()),
            },
        };
        Ok(Self { scheme: scheme.to_owned(), host, port, path: path.trim_end_matches('/').to_owned() })
    }

    /// Whether `url` is granted by it.
    pub(super) fn fits(&self, url: &Url) -> bool {
        let host = match (&self.host, url.host()) {
            (_, None) => false,
            (Pattern::Any, Some(_)) => true,
            (Pattern::Name(pattern), Some(Host::Domain(name))) => same_labels(pattern, name.trim_end_matches('.')),
            (Pattern::Address(own), Some(address)) => *own == address.to_string(),
            (Pattern::Name(_), Some(_)) => false,
        };
        let path = url.path().strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        host && path
            && self.scheme == url.scheme()
            && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }

    /// Whether it stands for more than one host.
    pub(super) fn is_open(&self) -> bool {
        match &self.host {
            Pattern::Any => true,
            Pattern::Name(name) => name.contains('*'),
            Pattern::Address(_) => false,
        }
    }

    /// The address that it names, as it is written in an address of the web.
    pub(super) fn address(&self) -> Option<String> {
        match &self.host {
            Pattern::Address(address) => Some(address.clone()),
            _ => None,
        }
    }
}

fn same_labels(pattern: &str, name: &str) -> bool {
    let (mut labels, mut own) = (pattern.split('.'), name.split('.'));
    loop {
        match (labels.next(), own.next()) {
            (None, None) => return true,
            (Some("*"), Some(label)) if !label.is_empty() => {}
            (Some(wanted), Some(label)) if wanted == label => {}
            _ => return false,
        }
    }
}
