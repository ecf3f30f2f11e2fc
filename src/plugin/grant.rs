//! What a plugin may do: what its manifest asks for and the operator allows. Nothing else, by default.

use url::Url;

use super::manifest::Manifest;
use crate::config;
use crate::model::plugin::Origin;

/// The effective rights of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Origins that it asked for.
    pub asked: Vec<String>,
    /// Those of them that are allowed.
    pub hosts: Vec<String>,
}

/// What `manifest` asks for and `grant` allows; a bundled plugin is vouched for and has what it asks for.
pub fn effective(manifest: &Manifest, origin: Origin, grant: Option<&config::Grant>) -> Grants {
    let asked = manifest.asks.hosts.clone();
    let allowed = grant.map(|grant| grant.hosts.as_slice()).unwrap_or_default();
    let hosts = asked
        .iter()
        .filter(|host| origin == Origin::Bundled || allowed.iter().any(|allowed| same_origin(allowed, host)))
        .cloned()
        .collect();
    Grants { asked, hosts }
}

impl Grants {
    /// Whether requests to `url` are allowed.
    pub fn allow(&self, url: &str) -> bool {
        self.hosts.iter().any(|host| same_origin(host, url))
    }
}

/// Whether `url` has the origin of `pattern`, whose host may hold `*` in place of one label.
fn same_origin(pattern: &str, url: &str) -> bool {
    let (Ok(pattern), Ok(url)) = (Url::parse(pattern), Url::parse(url)) else { return false };
    if !pattern.origin().is_tuple() || pattern.scheme() != url.scheme() {
        return false;
    }
    let hosts = match (pattern.host_str(), url.host_str()) {
        (Some(pattern), Some(host)) => same_host(pattern, host),
        _ => false,
    };
    hosts && pattern.port_or_known_default() == url.port_or_known_default()
}

fn same_host(pattern: &str, host: &str) -> bool {
    let (mut labels, mut own) = (pattern.split('.'), host.split('.'));
    loop {
        match (labels.next(), own.next()) {
            (None, None) => return true,
            (Some("*"), Some(label)) if !label.is_empty() => {}
            (Some(wanted), Some(label)) if wanted == label => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert!(same_origin("https://api.example.com", "https://api.example.com:443/v1"));
        assert!(!same_origin("https://api.example.com", "http://api.example.com/v1"));
        assert!(!same_origin("https://api.example.com", "https://api.example.com.evil.test/"));
        assert!(!same_origin("https://api.example.com", "https://api.example.com@evil.test/"));
        assert!(!same_origin("*", "*"));
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let pattern = "https://*.example.com";
        assert!(same_origin(pattern, "https://eu.example.com/v1"));
        assert!(same_origin(pattern, pattern));
        for other in [
            "https://example.com",
            "https://a.b.example.com",
            "https://eu.example.com.evil.test",
            "https://.example.com",
        ] {
            assert!(!same_origin(pattern, other), "{other}");
        }
        assert!(same_origin("https://runtime.*.example.com", "https://runtime.eu-1.example.com"));
        assert!(!same_origin("https://runtime.*.example.com", "https://runtime.eu-1.evil.example.com"));
    }
}
