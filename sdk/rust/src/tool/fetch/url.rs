//! Addresses of the web: as much of RFC 3986 as a client needs, without the tables of a browser.

use std::fmt;

use crate::tool::Error;

/// The longest address that is taken, in bytes.
const LONGEST: usize = 8192;

/// An absolute `http` or `https` address, without credentials and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    authority: String,
    /// Begins with `/`; with the query.
    path: String,
}

impl Url {
    /// Reads an absolute address. One without a scheme is taken as `https`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let bad = |why: &str| Error::invalid(format!("`{text}` is no address that can be fetched: {why}"));
        if text.len() > LONGEST {
            return Err(Error::invalid(format!("the address has {} bytes, more than {LONGEST}", text.len())));
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(bad("only http and https are")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.contains('@') {
            return Err(bad("leave out the credentials; the operator binds them to hosts"));
        }
        if !valid_authority(authority) {
            return Err(bad("the host must be a name in ASCII or an address, perhaps with a port"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let path = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
        Ok(Self { secure, authority: authority.to_ascii_lowercase(), path: normal(&path) })
    }

    /// The address that a reference on this page leads to.
    pub fn join(&self, reference: &str) -> Result<Self, Error> {
        let reference = reference.trim();
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme()));
        }
        let colon = reference.find(':').unwrap_or(usize::MAX);
        if colon < reference.find(['/', '?', '#']).unwrap_or(usize::MAX) {
            if !reference.get(colon..).is_some_and(|rest| rest.starts_with("://")) {
                return Err(Error::invalid(format!("`{reference}` leads to no address that can be fetched")));
            }
            return Self::parse(reference);
        }
        let reference = reference.split('#').next().unwrap_or_default();
        let own = self.path.split('?').next().unwrap_or_default();
        let path = match reference.chars().next() {
            None => self.path.clone(),
            Some('/') => reference.to_owned(),
            Some('?') => format!("{own}{reference}"),
            Some(_) => format!("{}/{reference}", own.rsplit_once('/').map_or("", |(directory, _)| directory)),
        };
        if path.len() > LONGEST {
            return Err(Error::invalid(format!("the address has {} bytes, more than {LONGEST}", path.len())));
        }
        Ok(Self { path: normal(&path), ..self.clone() })
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The host, with the port where it was given.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path and the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority)
    }

    /// Whether both belong to one server.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.secure == other.secure && self.with_port() == other.with_port()
    }

    fn with_port(&self) -> (&str, &str) {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (&self.authority, if self.secure { "443" } else { "80" }),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

fn valid_authority(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port_fits = port
        .is_none_or(|port| port.len() <= 5 && port.chars().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok());
    let host_fits = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.len() <= 253
                && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
        }
    };
    host_fits && port_fits
}

/// A path with `.` and `..` resolved, and what may not stand in an address escaped.
fn normal(path: &str) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut parts: Vec<&str> = Vec::new();
    let mut pieces = path.split('/').skip(1).peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        match piece {
            "." | ".." => {
                if piece == ".." {
                    parts.pop();
                }
                if last {
                    parts.push("");
                }
            }
            piece => parts.push(piece),
        }
    }
    let mut out = String::with_capacity(path.len() + 1);
    for part in &parts {
        out.push('/');
        escape(&mut out, part);
    }
    if parts.is_empty() {
        out.push('/');
    }
    if let Some(query) = query {
        out.push('?');
        escape(&mut out, query);
    }
    out
}

fn escape(out: &mut String, text: &str) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%[]|".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_browsers_read_them() {
        for (text, read) in [
            ("https://example.com", "https://example.com/"),
            ("HTTP://Example.COM:8080/A/../b/./c?q=1 2#top", "http://example.com:8080/b/c?q=1%202"),
            ("example.com/ä", "https://example.com/%C3%A4"),
            ("https://example.com?q", "https://example.com/?q"),
            ("http://[::1]:80/", "http://[::1]:80/"),
            ("https://example.com/a/..", "https://example.com/"),
            ("https://example.com/../../x", "https://example.com/x"),
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), read, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://user:secret@example.com/",
            "https://",
            "https://exa mple.com/",
            "https://example.com\r\nx: y/",
            "https://example.com:99999/",
            "https://[::1/",
            "https://пример.рф/",
            "javascript:alert(1)",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn references_lead_on() {
        let base = Url::parse("https://example.com/a/b?q=1").unwrap();
        for (reference, read) in [
            ("c", "https://example.com/a/c"),
            ("../c", "https://example.com/c"),
            ("/c?d", "https://example.com/c?d"),
            ("?r=2", "https://example.com/a/b?r=2"),
            ("#top", "https://example.com/a/b?q=1"),
            ("//other.example/x", "https://other.example/x"),
            ("http://other.example", "http://other.example/"),
            ("a:b/c", ""),
            ("mailto:a@example.com", ""),
        ] {
            let joined = base.join(reference).map(|url| url.to_string()).unwrap_or_default();
            assert_eq!(joined, read, "{reference}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let url = |text| Url::parse(text).unwrap();
        assert!(url("https://a.example/x").same_origin(&url("https://A.example:443/y")));
        assert!(!url("https://a.example/").same_origin(&url("http://a.example/")));
        assert!(!url("https://a.example/").same_origin(&url("https://a.example:444/")));
        assert!(!url("https://a.example/").same_origin(&url("https://b.example/")));
    }
}
