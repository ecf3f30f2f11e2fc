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

fn same_origin(a: &str, b: &str) -> bool {
    match (Url::parse(a), Url::parse(b)) {
        (Ok(a), Ok(b)) => a.origin().is_tuple() && a.origin() == b.origin(),
        _ => false,
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
}
